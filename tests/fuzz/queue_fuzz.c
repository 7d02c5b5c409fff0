/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over queues as programs use them, in a region in which a peer writes what it likes.
 *
 * The first byte says how the queues are made, and whether the input is an image: then what follows is laid over the
 * region's pages, and a fixed round of calls is made. Else it is a list of commands: words that are spoilt, and calls, by
 * turns. Messages that are handed out must lie in the region and be no longer than was agreed; AddressSanitizer guards
 * the buffers into which they are popped, and libFuzzer's time limit guards against loops.
 */
#include "bus/queue_internal.h"

#include <peal/peal.h>

#include <stdlib.h>
#include <string.h>

#define REGION_BYTES (UINT64_C(128) << 10)
#define PARTS 3u
#define BATCH 4u
#define MESSAGE_BYTES 24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stream {
    const uint8_t *at;
    const uint8_t *end;
};

static uint64_t read_number(struct stream *stream, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && stream->at < stream->end; i++)
        number |= (uint64_t)*stream->at++ << 8 * i;
    return number;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

struct part {
    struct peal_bus *bus;
    struct peal_queue *queue;
};

static struct part parts[PARTS];
static uint64_t shape; /* the first byte */

static void make(struct part *part, uint64_t how)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.depth = 4;
    options.message_bytes_max = how & 1 ? 0 : MESSAGE_BYTES;
    options.full_policy = (enum peal_queue_full_policy)(how >> 1 & 3);
    options.full_timeout_ns = 1;
    options.uses = (uint32_t)(how >> 3 & 3);
    options.strict = shape & 2;
    options.drops_held = shape & 4;
    peal_queue_close(part->queue);
    part->queue = NULL;
    (void)peal_queue_create(part->bus, "q", &options, &part->queue);
}

static void open_all(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    options.size_bytes = REGION_BYTES;
    options.topics_max = 2;
    options.spin_ns = 1;
    options.safety_net_ns = UINT64_C(1) << 62;
    for (uint32_t i = 0; i < PARTS; i++) {
        parts[i] = (struct part){0};
        must(peal_bus_open(&parts[i].bus, "local:fuzz", &options) == PEAL_OK);
        make(&parts[i], shape >> 4 & 6);
        must(parts[i].queue != NULL);
    }
}

static void close_all(void)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        peal_queue_close(parts[i].queue);
        peal_bus_close(parts[i].bus);
    }
    (void)peal_unlink("local:fuzz"); /* gone with the last one, or not */
}

/* ---- the peer ---- */

static peal_u64 *word_of_lane(const struct part *part, uint64_t which)
{
    static const uint32_t words[] = {0, 2, 4, 16, 17, 18, 32, 48, 64, 67, 68, 69, 70, 80, 83, 96};
    struct peal_queue_lane_shared *lane = part->queue ? part->queue->producer.lane : NULL;
    if (!lane)
        return NULL;
    /* Behind the lines of the readers come lengths, tickets, cells. */
    uint64_t index = which % 32 < 16 ? words[which % 16] : 576 + which % 16;
    return (peal_u64 *)(void *)lane + index;
}

static void poke(struct stream *stream, uint64_t command)
{
    const struct peal_region *region = &parts[0].bus->region;
    peal_u64 *word = NULL;
    if (command % 4)
        word = word_of_lane(&parts[command / 4 % PARTS], read_number(stream, 1));
    if (!word) /* not the header: that is the target `region` */
        word = (peal_u64 *)(void *)region->topics + read_number(stream, 2) % 2048;
    uint64_t truth = peal_u64_load_relaxed(word);
    switch (read_number(stream, 1) % 6) {
    case 0:
        truth = read_number(stream, 8);
        break;
    case 1:
        truth += read_number(stream, 1) - 128;
        break;
    case 2:
        truth ^= UINT64_C(1) << read_number(stream, 1) % 64;
        break;
    case 3:
        truth = read_number(stream, 1);
        break;
    case 4: /* a claim or a cursor */
        truth =
            read_number(stream, 1) << 56 | read_number(stream, 1) << 48 | read_number(stream, 1);
        break;
    default:
        truth = (truth & UINT32_MAX) | read_number(stream, 4) << 32;
    }
    peal_u64_store_relaxed(word, truth);
}

/* ---- calls ---- */

static void look_at(const struct part *part, const struct peal_queue_message *messages,
                    size_t count)
{
    const unsigned char *base = part->bus->region.base;
    must(count >= 1 && count <= BATCH);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *from = messages[i].data;
        must(messages[i].size_bytes <= peal_queue_message_bytes_max(part->queue));
        must(from >= base && (size_t)(from - base) <= REGION_BYTES - messages[i].size_bytes);
    }
}

static void pop(struct part *part, uint64_t how)
{
    struct peal_queue_message messages[BATCH];
    size_t max = 1 + how % BATCH;
    size_t count = 0;
    size_t stride = peal_queue_message_bytes_max(part->queue);
    if (how & 64 && peal_queue_take(part->queue, messages, max, &count) == PEAL_OK) {
        look_at(part, messages, count);
        if (how & 128) /* else it is held until the next one is asked for */
            must(peal_queue_done(part->queue) == PEAL_OK);
        return;
    }
    if (how & 32)
        (void)peal_queue_done(part->queue);
    must(stride <= PEAL_QUEUE_MESSAGE_MAX || stride > 0);
    unsigned char *buffer = malloc(stride <= 4096 ? stride * max : max);
    must(buffer != NULL);
    if (how & 16)
        (void)peal_queue_pop(part->queue, buffer, stride <= 4096 ? stride : 1, messages);
    else
        (void)peal_queue_pop_batch(part->queue, buffer, stride <= 4096 ? stride : 1, messages, max,
                                   &count);
    must(count <= max);
    free(buffer);
}

static void push(struct part *part, uint64_t how)
{
    static const unsigned char bytes[BATCH * MESSAGE_BYTES];
    size_t pushed = 0;
    if (how & 128) {
        (void)peal_queue_push_batch(part->queue, bytes, how % (MESSAGE_BYTES + 1),
                                    1 + how / 32 % BATCH, &pushed);
        must(pushed <= BATCH);
        return;
    }
    (void)peal_queue_push(part->queue, bytes, how % (MESSAGE_BYTES + 2));
}

static void look_around(struct part *part)
{
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    if (part->queue) {
        must(peal_queue_stats(part->queue, &stats) == PEAL_OK);
        (void)peal_queue_wait(part->queue, 0);
    }
    (void)peal_bus_audit(part->bus, NULL, &audit);
}

/* Somebody goes as the dead do: his index is another's, and what he held is left behind. */
static void die(struct part *part)
{
    const struct peal_region *region = &part->bus->region;
    struct peal_topic_shared *topic = &region->topics[0];
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_u64_load_relaxed(&topic->subscribers[i]);
        if (part->queue && word == part->queue->consumer.word)
            peal_u64_store_relaxed(&topic->subscribers[i], word ^ UINT64_C(1) << 31 ^ 1);
    }
}

static void run_command(struct stream *stream)
{
    uint64_t command = read_number(stream, 1);
    if (command >= 144) {
        poke(stream, command);
        return;
    }
    struct part *part = &parts[command / 8 % PARTS];
    uint64_t how = command % 8 < 6 ? read_number(stream, 1) : 0;
    switch (command % 8) {
    case 0:
    case 1:
        if (part->queue)
            push(part, how);
        break;
    case 2:
    case 3:
    case 4:
        if (part->queue)
            pop(part, how);
        break;
    case 5:
        make(part, how);
        break;
    case 6:
        look_around(part);
        break;
    default:
        if (command & 64)
            die(part);
        (void)peal_bus_recover(parts[0].bus, NULL);
    }
}

/* Pages of the region as they came from outside, from the directory on. */
static void visit_image(struct stream *stream)
{
    unsigned char *from = (unsigned char *)parts[0].bus->region.topics;
    size_t room = (size_t)(parts[0].bus->region.base + REGION_BYTES - from);
    size_t given = (size_t)(stream->end - stream->at);
    memcpy(from, stream->at, given < room ? given : room);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < PARTS; i++) {
            if (parts[i].queue) {
                push(&parts[i], 8);
                pop(&parts[i], round * 85);
            }
            look_around(&parts[i]);
        }
        (void)peal_bus_recover(parts[0].bus, NULL);
        make(&parts[round], round ? 24 : 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream stream = {data, data + size};
    shape = read_number(&stream, 1);
    open_all();
    if (shape & 1)
        visit_image(&stream);
    for (uint32_t i = 0; i < 200 && stream.at < stream.end; i++)
        run_command(&stream);
    close_all();
    return 0;
}
