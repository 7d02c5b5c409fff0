/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which channels there are at present, in memory that the guard shares: should the conductor be killed,
 * the guard ends them in its place, each by its name. And which contenders keep something from one channel
 * to the next (a daemon), that must be let go.
 */
#ifndef PEAL_BENCH_CONTEST_LEDGER_H
#define PEAL_BENCH_CONTEST_LEDGER_H

#include "bench/contest/contender.h"

/* Before the conductor is forked. Without it, nobody else sees what is entered. */
void bench_ledger_share(void);

/* Before begin(), and after end(), of the channel in this place. */
enum { BENCH_LEDGER_PLACES = 2 };
void bench_ledger_enter(unsigned place, const struct bench_contender *contender,
                        const struct bench_channel *channel);
void bench_ledger_strike(unsigned place);

/* By the conductor, when no channel is there: nobody keeps anything any more. */
void bench_ledger_rest(void);

/* By the guard, after all processes have gone. */
void bench_ledger_clear(void);

#endif
