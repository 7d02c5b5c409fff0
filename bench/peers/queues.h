/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of many producers and many consumers, one beside the other: what each of them must be able to
 * do for bench/peers/queues.c. All carry messages of 64 bytes, have room for 1024 of them (Peal: a
 * producer) and lie in memory that processes share.
 */
#ifndef PEAL_BENCH_PEERS_QUEUES_H
#define PEAL_BENCH_PEERS_QUEUES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { QUEUES_MESSAGE_BYTES = 64, QUEUES_DEPTH = 1024, QUEUES_BATCH_MAX = 32, QUEUES_PEERS = 6 };

struct queues_message {
    unsigned char bytes[QUEUES_MESSAGE_BYTES];
};

struct queues_peer {
    const char *name;
    size_t memory_bytes;
    void (*init)(void *memory);
    /* The end of a process, which may be `memory` itself. */
    void *(*open)(void *memory, int pushes);
    /* As many of `count` as go now. */
    size_t (*push)(void *end, const struct queues_message *messages, size_t count);
    size_t (*pop)(void *end, struct queues_message *messages, size_t count);
};

extern const struct queues_peer queues_peal, queues_rte, queues_rte_rts, queues_ck, queues_vyukov,
    queues_boost;

#ifdef __cplusplus
}
#endif

#endif
