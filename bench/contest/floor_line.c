/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word in a cache line: what any message between two CPUs pays at least. No flow control, so for
 * ping-pong only. The words go round many lines, as messages go round the slots of a lane: which slice
 * of the last-level cache a line belongs to depends on its address, and a single line may be a lucky one.
 */
#include "bench/contest/floor_slots.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 64 };

struct side {
    struct bench_line *lines;
    uint64_t number;
    uint64_t word;        /* the message that is written, or has been read */
    uint64_t seen[LINES]; /* by the receiver; a message is never the one before in its line */
};

static size_t memory_bytes(const struct bench_channel *channel)
{
    (void)channel;
    return LINES * sizeof(struct bench_line);
}

static void *open_side(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct side *side = calloc(1, sizeof *side);

    (void)sends;
    (void)index;
    if (side == NULL)
        bench_contender_die("not enough memory");
    side->lines = channel->memory;
    return side;
}

static size_t prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct side *side = end;

    (void)size_bytes;
    (void)count;
    places[0] = &side->word;
    return 1;
}

static size_t send_word(void *end, size_t count)
{
    struct side *side = end;

    (void)count;
    bench_word_write(&side->lines[side->number++ % LINES].word, side->word);
    return 1;
}

static size_t receive(void *end, struct bench_view views[], size_t max)
{
    struct side *side = end;
    uint64_t place = side->number % LINES;
    uint64_t word = bench_word_read(&side->lines[place].word);

    (void)max;
    if (word == side->seen[place])
        return 0;
    side->seen[place] = word;
    side->word = word;
    side->number++;
    views[0] = (struct bench_view){&side->word, sizeof side->word};
    return 1;
}

const struct bench_contender bench_floor_line = {
    .name = "raw cache line",
    .patterns = BENCH_PATTERN_PAIR,
    .size_bytes_max = 8,
    .memory_bytes = memory_bytes,
    .open = open_side,
    .close = free,
    .prepare = prepare,
    .send = send_word,
    .receive = receive,
};
