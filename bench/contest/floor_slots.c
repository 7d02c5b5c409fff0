/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/floor_slots.h"

#include <stdlib.h>

/* Up to here the payload follows the stamp in its line, as in a lane of Peal's; longer ones begin in a
 * line of their own. */
enum { SMALL_BYTES = 512, SMALL_OFFSET = 16 };

static size_t offset_of(uint32_t size_bytes)
{
    return size_bytes <= SMALL_BYTES ? SMALL_OFFSET : PEAL_LINE_BYTES;
}

static size_t stride_of(uint32_t size_bytes)
{
    size_t bytes = offset_of(size_bytes) + size_bytes;

    return (bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
}

size_t bench_slots_memory_bytes(const struct bench_channel *channel)
{
    return sizeof(struct bench_line) + stride_of(channel->size_bytes) * channel->depth;
}

void bench_slots_init(struct bench_slots *slots, const struct bench_channel *channel)
{
    *slots = (struct bench_slots){
        .cursor = channel->memory,
        .slots = (unsigned char *)channel->memory + sizeof(struct bench_line),
        .stride_bytes = stride_of(channel->size_bytes),
        .payload_offset = offset_of(channel->size_bytes),
        .size_bytes = channel->size_bytes,
        .depth = channel->depth,
    };
}

void *bench_slots_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct bench_slots *slots = malloc(sizeof *slots);

    (void)sends;
    (void)index;
    if (slots == NULL)
        bench_contender_die("not enough memory");
    bench_slots_init(slots, channel);
    return slots;
}

void bench_slots_close(void *end)
{
    struct bench_slots *slots = end;

    free(slots->copies);
    free(slots);
}

static size_t room(struct bench_slots *slots)
{
    if (slots->number - slots->cursor_seen >= slots->depth)
        slots->cursor_seen = bench_word_read(&slots->cursor->word);
    return slots->depth - (size_t)(slots->number - slots->cursor_seen);
}

size_t bench_slots_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct bench_slots *slots = end;
    size_t free_slots = room(slots);

    (void)size_bytes;
    if (count > free_slots)
        count = free_slots;
    for (size_t i = 0; i < count; i++)
        places[i] = bench_slots_payload(slots, slots->number + i);
    return count;
}

size_t bench_slots_send(void *end, size_t count)
{
    struct bench_slots *slots = end;

    for (size_t i = 0; i < count; i++) {
        bench_word_write(bench_slots_stamp(slots, slots->number), slots->number + 1);
        slots->number++;
    }
    return count;
}

size_t bench_slots_receive(void *end, struct bench_view views[], size_t max)
{
    struct bench_slots *slots = end;
    size_t count = 0;

    while (count < max && count < slots->depth &&
           bench_word_read(bench_slots_stamp(slots, slots->number + count)) ==
               slots->number + count + 1) {
        views[count] = (struct bench_view){bench_slots_payload(slots, slots->number + count),
                                           slots->size_bytes};
        count++;
    }
    slots->held = count;
    return count;
}

void bench_slots_release(void *end)
{
    struct bench_slots *slots = end;
    uint64_t eighth = slots->depth < 8 ? 1 : slots->depth / 8;
    uint64_t before = slots->number / eighth;

    slots->number += slots->held;
    slots->held = 0;
    if (slots->number / eighth != before)
        bench_word_write(&slots->cursor->word, slots->number);
}

const struct bench_contender bench_floor_slots = {
    .name = "bare slots",
    .patterns = BENCH_PATTERN_PAIR,
    .has_batches = true,
    .has_loans = true,
    .memory_bytes = bench_slots_memory_bytes,
    .open = bench_slots_open,
    .close = bench_slots_close,
    .prepare = bench_slots_prepare,
    .send = bench_slots_send,
    .receive = bench_slots_receive,
    .release = bench_slots_release,
};
