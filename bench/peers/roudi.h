/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iceoryx's daemon, for as long as there is a channel. There can be but one on a machine.
 */
#ifndef PEAL_BENCH_PEERS_ROUDI_H
#define PEAL_BENCH_PEERS_ROUDI_H

#include "bench/contest/contender.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As a contender's. Channels of one size may be on at the same time; they share the pool. */
bool bench_roudi_begin(struct bench_channel *channel);
void bench_roudi_end(struct bench_channel *channel);

/* What a worker calls itself, which also names files of its. */
void bench_roudi_application(char name[80], const struct bench_channel *channel, bool sends,
                             uint32_t index);

/* In the trial's memory: which receivers have been reached by which sender. For C++, which does not know
 * our shared words. */
struct bench_roudi_reached;
size_t bench_roudi_reached_bytes(void);
void bench_roudi_reach(struct bench_roudi_reached *reached, uint32_t sender, uint32_t receiver);
bool bench_roudi_has_reached(const struct bench_roudi_reached *reached, uint32_t sender,
                             uint32_t receivers);
uint64_t bench_roudi_now_ns(void);

#ifdef __cplusplus
}
#endif

#endif
