/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iceoryx's daemon. There can be but one on a machine. It is started for the first channel and stays for
 * the next ones that want the same of it, until rest().
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
void bench_roudi_rest(void);

/* How many messages of this size a worker may have in hands at once. */
size_t bench_roudi_batch(uint32_t size_bytes);

/* What a worker calls itself, which also names files of its. */
void bench_roudi_application(char name[80], const struct bench_channel *channel, bool sends,
                             uint32_t index);

/*
 * In the trial's memory: how many messages of each sender each receiver has taken, and that it has got a
 * probe of his. For C++, which does not know our shared words.
 */
struct bench_roudi_taken;
size_t bench_roudi_taken_bytes(void);
void bench_roudi_taken_close(struct bench_roudi_taken *taken); /* by each end */
void bench_roudi_taken_reach(struct bench_roudi_taken *taken, uint32_t sender, uint32_t receiver);
void bench_roudi_taken_count(struct bench_roudi_taken *taken, uint32_t sender, uint32_t receiver,
                             uint64_t count);
bool bench_roudi_has_reached(const struct bench_roudi_taken *taken, uint32_t sender,
                             uint32_t receivers);
/* What all receivers have taken of the sender's. */
uint64_t bench_roudi_taken_by_all(const struct bench_roudi_taken *taken, uint32_t sender,
                                  uint32_t receivers);
uint64_t bench_roudi_now_ns(void);

#ifdef __cplusplus
}
#endif

#endif
