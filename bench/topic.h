/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of a topic as the benchmarks open and poll them. What goes wrong ends the program.
 */
#ifndef PEAL_BENCH_TOPIC_H
#define PEAL_BENCH_TOPIC_H

#include "bench/pair.h"

#include <peal/peal.h>

/* The bus of --bus; each part of a row is a client of its own. spin_ns 0: the default. */
struct peal_bus *bench_bus_open(const struct bench_context *context, uint64_t spin_ns);

/*
 * A publisher that answers PEAL_FULL at once, so that its side polls. Its payload ring has room for
 * two batches of messages that do not fit in a slot (0: the default).
 */
struct peal_publisher *bench_publisher_open(struct peal_bus *bus, const char *topic,
                                            size_t message_bytes_max, size_t batch);

/* A reliable subscriber. */
struct peal_subscriber *bench_subscriber_open(struct peal_bus *bus, const char *topic);

/* A message of another size came, or after a loss that a reliable subscriber cannot have. */
_Noreturn void bench_wrong_message(const struct peal_message *message, size_t size_bytes);

/* Ends the program unless the call went well. */
static inline void bench_must(enum peal_status status, const char *what)
{
    if (PEAL_UNLIKELY(status != PEAL_OK))
        bench_die("%s: %s", what, peal_status_text(status));
}

/* Until there is room. */
static inline void bench_publish(struct peal_publisher *publisher, const void *data,
                                 size_t size_bytes)
{
    enum peal_status status;

    while ((status = peal_publisher_publish(publisher, data, size_bytes)) == PEAL_FULL)
        bench_poll();
    bench_must(status, "publish");
}

static inline void *bench_loan(struct peal_publisher *publisher, size_t size_bytes)
{
    enum peal_status status;
    void *data = NULL;

    while ((status = peal_publisher_loan(publisher, size_bytes, &data)) == PEAL_FULL)
        bench_poll();
    bench_must(status, "loan");
    return data;
}

/* Until there is a message; it must have the size and come without loss. */
static inline void bench_take_copy(struct peal_subscriber *subscriber, void *buffer,
                                   size_t size_bytes)
{
    struct peal_message message;
    enum peal_status status;

    while ((status = peal_subscriber_take_copy(subscriber, buffer, size_bytes, &message)) ==
           PEAL_EMPTY)
        bench_poll();
    bench_must(status, "take_copy");
    if (PEAL_UNLIKELY(message.size_bytes != size_bytes || message.lost != 0))
        bench_wrong_message(&message, size_bytes);
}

static inline const void *bench_take(struct peal_subscriber *subscriber, size_t size_bytes,
                                     struct peal_message *message)
{
    enum peal_status status;

    while ((status = peal_subscriber_take(subscriber, message)) == PEAL_EMPTY)
        bench_poll();
    bench_must(status, "take");
    if (PEAL_UNLIKELY(message->size_bytes != size_bytes || message->lost != 0))
        bench_wrong_message(message, size_bytes);
    return message->data;
}

#endif
