/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contenders that do what none may do, and some that are only slow: each is the bare slots with one thing
 * wrong. The contest must find it.
 */
#ifndef PEAL_BENCH_TESTS_WRONG_H
#define PEAL_BENCH_TESTS_WRONG_H

#include "bench/contest/contender.h"

enum { BENCH_WRONG_STALL_MS = 20 };

extern const struct bench_contender bench_wrong_drops;   /* every 100th message is not sent */
extern const struct bench_contender bench_wrong_lossy;   /* the same, and says that it may */
extern const struct bench_contender bench_wrong_repeats; /* the 50th comes twice */
extern const struct bench_contender
    bench_wrong_reorders; /* of a batch, the first two change places */
extern const struct bench_contender bench_wrong_spoils; /* a byte of the 50th changes on its way */
extern const struct bench_contender bench_wrong_shortens; /* the 50th loses its last words */
extern const struct bench_contender
    bench_wrong_copies; /* a queue of which each receiver gets all */
extern const struct bench_contender
    bench_wrong_misses; /* fan-out; the second receiver misses some */
extern const struct bench_contender bench_wrong_hangs;  /* does not return from the 50th receive */
extern const struct bench_contender bench_wrong_dies;   /* ends its process at the 50th receive */
extern const struct bench_contender bench_wrong_opens;  /* cannot open */
extern const struct bench_contender bench_wrong_begins; /* cannot begin */
extern const struct bench_contender bench_wrong_silent; /* never has room */
extern const struct bench_contender bench_slow_once;    /* stalls once for BENCH_WRONG_STALL_MS */
extern const struct bench_contender bench_slow_between; /* the same, between two of its sends */

#endif
