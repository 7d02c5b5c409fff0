/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buffers of a sender that has no loans: messages of one size in a row, each with `head_bytes` in
 * front of it for the contender's own use, so that several can go at once.
 */
#ifndef PEAL_BENCH_PEERS_TRAY_H
#define PEAL_BENCH_PEERS_TRAY_H

#include "bench/contest/contender.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bench_tray {
    char *bytes;
    size_t places_max;
    size_t head_bytes;
    size_t size_bytes;   /* of the messages that are prepared */
    size_t stride_bytes; /* the same with the head */
    size_t prepared;
    size_t next; /* the first that did not go */
};

/* Room for a full batch, or for what lies within some MiB. Heads are multiples of 8. */
void bench_tray_open(struct bench_tray *tray, size_t size_bytes_max, size_t head_bytes);
void bench_tray_close(struct bench_tray *tray);

/* As bench_contender's prepare(); forgets what was there before. */
size_t bench_tray_prepare(struct bench_tray *tray, void *places[], size_t size_bytes, size_t count);

/* The first that did not go, head and all; the others lie behind it. */
static inline char *bench_tray_next(const struct bench_tray *tray)
{
    return tray->bytes + tray->next * tray->stride_bytes;
}

/* How many of `count` there are. */
static inline size_t bench_tray_left(const struct bench_tray *tray, size_t count)
{
    size_t left = tray->prepared - tray->next;

    return count < left ? count : left;
}

#ifdef __cplusplus
}
#endif

#endif
