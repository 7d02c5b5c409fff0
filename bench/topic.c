/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/topic.h"

#include <inttypes.h>

struct peal_bus *bench_bus_open(const struct bench_context *context, uint64_t spin_ns)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;

    options.client_name = context->side == BENCH_MEASURING ? "measuring" : "serving";
    options.spin_ns = spin_ns;
    if (peal_bus_open(&bus, context->pair->run->url, &options) != PEAL_OK)
        bench_give_up("%s: %s", context->pair->run->url, peal_error_message());
    return bus;
}

struct peal_publisher *bench_publisher_open(struct peal_bus *bus, const char *topic,
                                            size_t message_bytes_max, size_t batch)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher *publisher;

    options.message_bytes_max = (uint32_t)message_bytes_max;
    options.payload_bytes = (uint64_t)message_bytes_max * 2 * batch;
    options.full_policy = PEAL_FULL_REFUSE;
    if (peal_publisher_create(bus, topic, &options, &publisher) != PEAL_OK)
        bench_give_up("publisher of %s: %s", topic, peal_error_message());
    return publisher;
}

struct peal_subscriber *bench_subscriber_open(struct peal_bus *bus, const char *topic)
{
    struct peal_subscriber *subscriber;

    if (peal_subscriber_create(bus, topic, NULL, &subscriber) != PEAL_OK)
        bench_give_up("subscriber of %s: %s", topic, peal_error_message());
    return subscriber;
}

_Noreturn void bench_wrong_message(const struct peal_message *message, size_t size_bytes)
{
    bench_die("message %" PRIu64 " has %zu bytes instead of %zu, %" PRIu64 " lost before it",
              message->number, message->size_bytes, size_bytes, message->lost);
}
