/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare slots: a ring of slots, each with a stamp before its payload, and a cursor that the receiver
 * writes eight times a round so that the sender does not lap it. No gate, no loss detection, no bell.
 * The floor of a message in place; the other floors of messages are made of it.
 */
#ifndef PEAL_BENCH_CONTEST_FLOOR_SLOTS_H
#define PEAL_BENCH_CONTEST_FLOOR_SLOTS_H

#include "bench/contest/contender.h"

#include "bench/line.h"

/* Of one side, private to it. */
struct bench_slots {
    struct bench_line *cursor; /* the receiver's */
    unsigned char *slots;
    size_t stride_bytes;
    size_t payload_offset;
    uint32_t size_bytes;
    uint32_t depth;
    uint64_t number; /* next message */
    uint64_t cursor_seen;
    size_t held;
    unsigned char *copies; /* BENCH_BATCH_MAX messages of the side's own; or NULL */
};

size_t bench_slots_memory_bytes(const struct bench_channel *channel);
void bench_slots_init(struct bench_slots *slots, const struct bench_channel *channel);
void *bench_slots_open(const struct bench_channel *channel, bool sends, uint32_t index);
void bench_slots_close(void *end);

size_t bench_slots_prepare(void *end, void *places[], size_t size_bytes, size_t count);
size_t bench_slots_send(void *end, size_t count);
size_t bench_slots_receive(void *end, struct bench_view views[], size_t max);
void bench_slots_release(void *end);

/* Where message `number` lies. */
static inline peal_u64 *bench_slots_stamp(const struct bench_slots *slots, uint64_t number)
{
    return (peal_u64 *)(void *)(slots->slots +
                                slots->stride_bytes * (size_t)(number & (slots->depth - 1)));
}

static inline void *bench_slots_payload(const struct bench_slots *slots, uint64_t number)
{
    return (unsigned char *)bench_slots_stamp(slots, number) + slots->payload_offset;
}

/* Measured in the scenarios beside the contenders. */
extern const struct bench_contender bench_floor_line;  /* floor_line.c: a word in a cache line */
extern const struct bench_contender bench_floor_slots; /* floor_slots.c */
extern const struct bench_contender bench_floor_copy;  /* floor_copy.c: slots, memcpy in and out */
extern const struct bench_contender bench_floor_futex; /* floor_wake.c: slots and a futex */
extern const struct bench_contender bench_floor_eventfd; /* the same: slots and an eventfd */

#endif
