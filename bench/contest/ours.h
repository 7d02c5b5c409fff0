/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peal's own contenders.
 */
#ifndef PEAL_BENCH_CONTEST_OURS_H
#define PEAL_BENCH_CONTEST_OURS_H

#include "bench/contest/contender.h"

extern const struct bench_contender bench_peal_topic_copy; /* peal_topic.c */
extern const struct bench_contender bench_peal_topic_loan;
extern const struct bench_contender bench_peal_topic_latest;
extern const struct bench_contender bench_peal_spsc; /* peal_spsc.c */
extern const struct bench_contender bench_peal_spsc_copy;
extern const struct bench_contender bench_peal_queue_copy; /* peal_queue.c */
extern const struct bench_contender bench_peal_queue_take;
extern const struct bench_contender bench_peal_queue_strict;

#endif
