/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what came is what went. That numbers only rise from message to message of a sender, and that
 * contents are right, the receivers have seen to; here it is about how often each came:
 *
 *      pair, fan-in, queue     each message once, to one of the receivers
 *      fan-out, mesh           each message once to each receiver
 *      latest                  to each receiver something, nothing that was not sent
 *
 * Contenders that may lose messages by design are told how many they have lost, of the first two.
 */
#ifndef PEAL_BENCH_CONTEST_VERDICT_H
#define PEAL_BENCH_CONTEST_VERDICT_H

#include "bench/contest/arena.h"

/* How many messages all receivers together shall get of what has been sent so far; 0: any number. */
uint64_t bench_verdict_expected(const struct bench_trial *trial, const struct bench_arena *arena);

/* After all have ended well. Fills in finding, reason and lost. */
void bench_verdict_give(const struct bench_trial *trial, const struct bench_arena *arena,
                        struct bench_outcome *outcome);

#endif
