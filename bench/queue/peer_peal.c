/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peal's queue by its public functions: each worker opens the bus and the queue, as a program would.
 */
#include "bench/queue/peer.h"

#include "core/cpu.h"

#include <peal/peal.h>
#include <stdlib.h>

struct peal_end {
    struct peal_bus *bus;
    struct peal_queue *queue;
};

static void unlink_bus(void *memory, const struct bench_peer_setup *setup)
{
    (void)memory;
    (void)peal_unlink(setup->url); /* of the trial before; ENOENT: there was none */
}

static void *open_end(const struct bench_peer_setup *setup, bool pushes, bool is_strict)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_end *end = calloc(1, sizeof(*end));

    options.uses = pushes ? PEAL_QUEUE_PUSH : PEAL_QUEUE_POP;
    options.message_bytes_max = sizeof(struct bench_letter);
    options.depth = setup->depth;
    options.full_policy = PEAL_QUEUE_FULL_REFUSE;
    options.strict = is_strict;
    if (end == NULL || peal_bus_open(&end->bus, setup->url, NULL) != PEAL_OK ||
        peal_queue_create(end->bus, "letters", &options, &end->queue) != PEAL_OK)
        bench_queue_die("%s: %s", setup->url, peal_error_message());
    return end;
}

static void *open_default(const struct bench_peer_setup *setup, bool pushes)
{
    return open_end(setup, pushes, false);
}

static void *open_strict(const struct bench_peer_setup *setup, bool pushes)
{
    return open_end(setup, pushes, true);
}

static size_t push(void *opaque, const struct bench_letter *letters, size_t count)
{
    struct peal_end *end = opaque;
    enum peal_status status;
    size_t pushed = 0;

    if (count == 1) {
        status = peal_queue_push(end->queue, letters, sizeof(*letters));
        pushed = status == PEAL_OK;
    } else {
        status = peal_queue_push_batch(end->queue, letters, sizeof(*letters), count, &pushed);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_queue_die("peal_queue_push: %s", peal_status_text(status));
    return pushed;
}

static void check_letter(const struct peal_queue_message *message)
{
    if (PEAL_UNLIKELY(message->size_bytes != sizeof(struct bench_letter) ||
                      message->is_redelivered))
        bench_queue_die("peal_queue_pop: a letter of %zu bytes%s", message->size_bytes,
                        message->is_redelivered ? ", redelivered" : "");
}

static size_t pop(void *opaque, struct bench_letter *letters, size_t max)
{
    struct peal_queue_message messages[BENCH_PEER_BATCH_MAX];
    struct peal_end *end = opaque;
    enum peal_status status;
    size_t count = 0;

    if (max == 1) {
        status = peal_queue_pop(end->queue, letters, sizeof(*letters), messages);
        count = status == PEAL_OK;
    } else {
        status = peal_queue_pop_batch(end->queue, letters, sizeof(*letters), messages, max, &count);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_queue_die("peal_queue_pop: %s", peal_status_text(status));
    for (size_t i = 0; i < count; i++)
        check_letter(&messages[i]);
    return count;
}

static void close_end(void *opaque)
{
    struct peal_end *end = opaque;

    peal_queue_close(end->queue);
    peal_bus_close(end->bus);
    free(end);
}

const struct bench_peer bench_peer_peal = {
    .name = "peal",
    .is_peal = true,
    .has_batches = true,
    .init = unlink_bus,
    .open = open_default,
    .push = push,
    .pop = pop,
    .close = close_end,
};

const struct bench_peer bench_peer_peal_strict = {
    .name = "peal, strict",
    .is_peal = true,
    .has_batches = true,
    .init = unlink_bus,
    .open = open_strict,
    .push = push,
    .pop = pop,
    .close = close_end,
};
