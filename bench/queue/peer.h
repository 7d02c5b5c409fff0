/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a queue must be able to do to be measured beside the others.
 *
 * All carry letters of 64 bytes and lie in memory that processes share. Each is `depth` letters deep;
 * a Peal queue is so deep for each producer. Calls come through the same indirection for all.
 */
#ifndef PEAL_BENCH_QUEUE_PEER_H
#define PEAL_BENCH_QUEUE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_PEER_DEPTH = 1024, BENCH_PEER_BATCH_MAX = 32, BENCH_PEERS_MAX = 8 };

struct bench_letter {
    uint64_t words[8];
};

struct bench_peer_setup {
    const char *url; /* of Peal's bus */
    uint32_t depth;  /* of a lane of Peal's; the others are BENCH_PEER_DEPTH deep */
};

struct bench_peer {
    const char *name;
    bool is_peal;
    bool can_be_wedged; /* by design: who is stopped between two instructions stops others */
    bool has_batches;   /* else a batch is a loop of singles */
    size_t memory_bytes;
    /* By the conductor before each trial; the memory is what the trial before has left. */
    void (*init)(void *memory, const struct bench_peer_setup *setup);
    /* By each worker; ends the program if it cannot. NULL: the memory itself is the end. */
    void *(*open)(const struct bench_peer_setup *setup, bool pushes);
    /* As many of `count` as go now; never waits. */
    size_t (*push)(void *end, const struct bench_letter *letters, size_t count);
    size_t (*pop)(void *end, struct bench_letter *letters, size_t max);
    void (*close)(void *end);
};

/* All that this program was built with; ended by NULL. Peal's come first. */
extern const struct bench_peer *const bench_peers[BENCH_PEERS_MAX + 1];

/* What it was not built with, and the package that is missing; NULL: nothing. */
extern const char *const bench_peers_missing;

extern const struct bench_peer bench_peer_peal;
extern const struct bench_peer bench_peer_peal_strict;
extern const struct bench_peer bench_peer_ck;
extern const struct bench_peer bench_peer_vyukov;
extern const struct bench_peer bench_peer_rte;     /* peer_rte.c, with libdpdk-dev */
extern const struct bench_peer bench_peer_rte_rts; /* the same */
extern const struct bench_peer bench_peer_boost;   /* peer_boost.cc, with libboost-dev */

/* Says why and ends the process with exit code 1. */
#ifdef __cplusplus
[[noreturn]] void
#else
_Noreturn void
#endif
bench_queue_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif

#endif
