/* SPDX-License-Identifier: Apache-2.0 */
/* The publisher: one process, three topics. */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "telemetry/machine.h"
#include "telemetry/messages.h"
#include "telemetry/telemetry.h"

#include <inttypes.h>
#include <peal/peal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct pub_options {
    const char *bus_url;
    const char *name;
    double rate_hz;
    double duration_s;
    uint64_t count;
};

struct pub {
    struct peal_bus *bus;
    struct peal_publisher *publishers[TELEMETRY_KINDS];
    union telemetry_message messages[TELEMETRY_KINDS];
};

static int pub_open(struct pub *pub, const struct pub_options *options)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    bus_options.client_name = options->name;
    if (peal_bus_open(&pub->bus, options->bus_url, &bus_options) != PEAL_OK)
        return report_setup("cannot open the bus");

    for (int kind = 0; kind < TELEMETRY_KINDS; kind++) {
        const struct telemetry_type *type = &telemetry_types[kind];
        struct peal_publisher_options publisher_options = PEAL_PUBLISHER_OPTIONS_INIT;
        publisher_options.message_bytes_max = (uint32_t)type->bytes;
        publisher_options.depth = 64;
        publisher_options.timestamp = true;
        publisher_options.type_name = type->type_name;
        publisher_options.schema_hash = telemetry_schema_hash(type);
        /* Under this name subscribers recognise us when we come back after a crash. */
        publisher_options.name = options->name;
        /* Who measures must not be held up: what a slow reliable subscriber has no room for is
         * dropped, and it is told how many. */
        publisher_options.full_policy = PEAL_FULL_DROP_NEWEST;
        if (peal_publisher_create(pub->bus, type->topic, &publisher_options,
                                  &pub->publishers[kind]) != PEAL_OK)
            return report_setup(type->topic);

        struct telemetry_origin *origin = &pub->messages[kind].origin;
        origin->version = TELEMETRY_VERSION;
        origin->bytes = (uint32_t)type->bytes;
        snprintf(origin->name, sizeof origin->name, "%s", options->name);
    }
    return EXIT_OK;
}

/* Closing what is NULL is allowed, so this undoes a pub_open() that stopped half-way as well. */
static void pub_close(struct pub *pub)
{
    for (int kind = 0; kind < TELEMETRY_KINDS; kind++)
        peal_publisher_close(pub->publishers[kind]);
    peal_bus_close(pub->bus);
}

static int pub_publish(struct pub *pub)
{
    for (int kind = 0; kind < TELEMETRY_KINDS; kind++) {
        enum peal_status status = peal_publisher_publish(
            pub->publishers[kind], &pub->messages[kind], telemetry_types[kind].bytes);
        if (status != PEAL_OK && status != PEAL_DROPPED)
            return report_status(telemetry_types[kind].topic, status);
    }
    return EXIT_OK;
}

static int pub_run(struct pub *pub, const struct pub_options *options, struct stop *stop)
{
    uint64_t period_ns = (uint64_t)((double)NS_PER_S / options->rate_hz);
    uint64_t end_ns = clock_deadline_ns(options->duration_s);
    uint64_t next_ns = clock_now_ns();
    uint64_t rounds = 0;
    struct machine machine;
    machine_init(&machine);

    printf("%s publishes telemetry on %s, %g times a second; Ctrl-C stops\n", options->name,
           options->bus_url, options->rate_hz);
    fflush(stdout);
    while (!stop_sleep_until(stop, next_ns < end_ns ? next_ns : end_ns)) {
        if (clock_now_ns() >= end_ns || (options->count != 0 && rounds == options->count))
            break;
        machine_read(&machine, &pub->messages[TELEMETRY_CPU].cpu,
                     &pub->messages[TELEMETRY_MEMORY].memory,
                     &pub->messages[TELEMETRY_SYSTEM].system);
        if (pub_publish(pub) != EXIT_OK)
            return EXIT_FAILED;
        rounds++;
        next_ns += period_ns;
        if (next_ns < clock_now_ns()) /* too slow for the rate: go on from here */
            next_ns = clock_now_ns();
    }
    printf("%s published %" PRIu64 " messages on each topic\n", options->name, rounds);
    return EXIT_OK;
}

int telemetry_pub(int argc, char **argv)
{
    char host[TELEMETRY_NAME_BYTES];
    struct pub_options options = {.bus_url = ARGS_DEFAULT_BUS, .name = host, .rate_hz = 10};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " ARGS_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "rate-hz",
         .value = "N",
         .help = "readings a second, default 10",
         .to_real = &options.rate_hz,
         .at_least = 0.01,
         .at_most = 100000},
        {.name = "name",
         .value = "NAME",
         .help = "of this publisher, default the host's name",
         .to_text = &options.name},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &options.duration_s,
         .at_least = 0,
         .at_most = 1e6},
        {.name = "count",
         .value = "N",
         .help = "stop after N readings",
         .to_integer = &options.count},
    };
    if (gethostname(host, sizeof host) != 0 || memchr(host, '\0', sizeof host) == NULL)
        snprintf(host, sizeof host, "machine");
    int code = args_parse("telemetry pub", "Publishes the figures of this machine.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct pub pub = {.bus = NULL};
    stop_init(&stop);
    code = pub_open(&pub, &options);
    if (code == EXIT_OK)
        code = pub_run(&pub, &options, &stop);
    pub_close(&pub);
    return code;
}
