/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes and memcpy: one copies in, the other out.
 */
#include "bench/contest/floor_slots.h"

#include <stdlib.h>
#include <string.h>

static void *open_copy(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct bench_slots *slots = bench_slots_open(channel, sends, index);
    size_t size_bytes = (size_t)channel->size_bytes * BENCH_BATCH_MAX;

    size_bytes = (size_bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
    slots->copies = aligned_alloc(PEAL_LINE_BYTES, size_bytes);
    if (slots->copies == NULL)
        bench_contender_die("not enough memory for %zu bytes", size_bytes);
    return slots;
}

static unsigned char *copy_of(const struct bench_slots *slots, size_t index)
{
    return slots->copies + index * slots->size_bytes;
}

static size_t prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct bench_slots *slots = end;
    size_t given = bench_slots_prepare(end, places, size_bytes, count);

    for (size_t i = 0; i < given; i++)
        places[i] = copy_of(slots, i);
    return given;
}

/* All that was prepared goes at once. */
static size_t send_copies(void *end, size_t count)
{
    struct bench_slots *slots = end;

    for (size_t i = 0; i < count; i++) {
        memcpy(bench_slots_payload(slots, slots->number), copy_of(slots, i), slots->size_bytes);
        (void)bench_slots_send(slots, 1);
    }
    return count;
}

static size_t receive(void *end, struct bench_view views[], size_t max)
{
    struct bench_slots *slots = end;
    size_t count = bench_slots_receive(end, views, max);

    for (size_t i = 0; i < count; i++) {
        memcpy(copy_of(slots, i), views[i].data, slots->size_bytes);
        views[i].data = copy_of(slots, i);
    }
    return count;
}

const struct bench_contender bench_floor_copy = {
    .name = "memcpy in and out",
    .patterns = BENCH_PATTERN_PAIR,
    .has_batches = true,
    .memory_bytes = bench_slots_memory_bytes,
    .open = open_copy,
    .close = bench_slots_close,
    .prepare = prepare,
    .send = send_copies,
    .receive = receive,
    .release = bench_slots_release,
};
