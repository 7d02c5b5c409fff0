/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest: a value of which only the newest counts, as a set point or a sensor reading.
 *
 *      latest pub      updates it a thousand times a second, whether anybody looks or not
 *      latest sub      looks at it twice a second; whoever comes late has it at once
 *
 * What makes it so: a lane of four messages (the newest, and room to write the next ones), and a
 * subscriber with `latest` set and a history of one.
 */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"

#include <assert.h>
#include <inttypes.h>
#include <peal/peal.h>
#include <stdio.h>

#define TOPIC "latest.angle"
#define TYPE_NAME "angle"
#define SCHEMA_HASH UINT64_C(1) /* counted up with each change of struct angle */

struct angle {
    uint64_t updates; /* how often it was set */
    int64_t microdegrees;
};

static_assert(sizeof(struct angle) == 16, "message layout");

static int pub_run(struct peal_publisher *publisher, double rate_hz, double duration_s,
                   struct stop *stop)
{
    uint64_t period_ns = (uint64_t)(1e9 / rate_hz);
    uint64_t next_ns = clock_now_ns();
    uint64_t end_ns = clock_deadline_ns(duration_s);
    struct angle angle = {0};

    printf("updating %s %g times a second; Ctrl-C stops\n", TOPIC, rate_hz);
    fflush(stdout);
    while (!stop_sleep_until(stop, next_ns < end_ns ? next_ns : end_ns)) {
        if (clock_now_ns() >= end_ns)
            break;
        angle.updates++;
        angle.microdegrees = (int64_t)(angle.updates * 10000 % 360000000);
        /* Never waits: who wants the latest is best effort, so there is nobody to wait for. */
        enum peal_status status = peal_publisher_publish(publisher, &angle, sizeof angle);
        if (status != PEAL_OK && status != PEAL_DROPPED)
            return report_status("publishing", status);
        next_ns += period_ns;
        if (next_ns < clock_now_ns())
            next_ns = clock_now_ns();
    }
    printf("updated %" PRIu64 " times\n", angle.updates);
    return EXIT_OK;
}

static int pub_main(int argc, char **argv)
{
    const char *bus_url = ARGS_DEFAULT_BUS;
    double rate_hz = 1000, duration_s = 0;
    const struct args_option table[] = {
        {.name = "bus", .value = "URL", .help = "default " ARGS_DEFAULT_BUS, .to_text = &bus_url},
        {.name = "rate-hz",
         .value = "N",
         .help = "updates a second, default 1000",
         .to_real = &rate_hz,
         .at_least = 0.01,
         .at_most = 1e6},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &duration_s,
         .at_least = 0,
         .at_most = 1e6},
    };
    int code = args_parse("latest pub", "Updates a value at a high rate.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.message_bytes_max = sizeof(struct angle);
    options.depth = 4;
    options.timestamp = true;
    options.type_name = TYPE_NAME;
    options.schema_hash = SCHEMA_HASH;
    options.full_policy = PEAL_FULL_DROP_NEWEST;
    stop_init(&stop);
    if (peal_bus_open(&bus, bus_url, NULL) != PEAL_OK)
        return report_setup("cannot open the bus");
    if (peal_publisher_create(bus, TOPIC, &options, &publisher) == PEAL_OK)
        code = pub_run(publisher, rate_hz, duration_s, &stop);
    else
        code = report_setup("cannot publish");
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return code;
}

/* Takes the newest value, if there is news, and prints it. */
static enum peal_status value_print(struct peal_subscriber *subscriber)
{
    struct angle angle;
    struct peal_message message;
    enum peal_status status = peal_subscriber_take_copy(subscriber, &angle, sizeof angle, &message);
    if (status != PEAL_OK)
        return status;
    if (message.size_bytes != sizeof angle)
        return PEAL_EMPTY; /* not one of ours */
    printf("%.3f degrees, update %" PRIu64 ", %.1f us old, %" PRIu64 " older ones skipped\n",
           (double)angle.microdegrees / 1e6, angle.updates,
           (double)(clock_now_ns() - message.timestamp_ns) / 1e3, message.lost);
    fflush(stdout);
    return PEAL_OK;
}

static int sub_run(struct peal_subscriber *subscriber, double interval_s, uint64_t count,
                   double duration_s, struct stop *stop)
{
    uint64_t end_ns = clock_deadline_ns(duration_s);
    uint64_t seen = 0;

    while (!stop_requested(stop) && clock_now_ns() < end_ns) {
        enum peal_status status = value_print(subscriber);
        if (status == PEAL_OK) {
            if (++seen == count)
                return EXIT_OK;
            uint64_t next_ns = clock_deadline_ns(interval_s);
            stop_sleep_until(stop, next_ns < end_ns ? next_ns : end_ns);
            continue;
        }
        /* No news since we last looked: none to show, but we may sleep until there is. */
        if (status == PEAL_EMPTY)
            status = peal_subscriber_wait(subscriber, STOP_POLL_NS);
        if (status != PEAL_OK && status != PEAL_TIMEDOUT)
            return report_status("taking", status);
    }
    if (count != 0 && !stop->requested) {
        fprintf(stderr, "latest sub: only %" PRIu64 " values came in %g s\n", seen, duration_s);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int sub_main(int argc, char **argv)
{
    const char *bus_url = ARGS_DEFAULT_BUS;
    double interval_s = 0.5, duration_s = 0;
    uint64_t count = 0;
    bool once = false;
    const struct args_option table[] = {
        {.name = "bus", .value = "URL", .help = "default " ARGS_DEFAULT_BUS, .to_text = &bus_url},
        {.name = "interval-s",
         .value = "N",
         .help = "how often to look, default 0.5",
         .to_real = &interval_s,
         .at_least = 0.0001,
         .at_most = 1e6},
        {.name = "once", .help = "show the value of now, and stop", .to_flag = &once},
        {.name = "count", .value = "N", .help = "stop after N values", .to_integer = &count},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &duration_s,
         .at_least = 0,
         .at_most = 1e6},
    };
    int code = args_parse("latest sub", "Shows the newest value at its own pace.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus;
    struct peal_subscriber *subscriber;
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.latest = true; /* skip what is older than the newest */
    options.history = 1;   /* begin with what is there when we come */
    options.type_name = TYPE_NAME;
    options.schema_hash = SCHEMA_HASH;
    stop_init(&stop);
    if (peal_bus_open(&bus, bus_url, NULL) != PEAL_OK)
        return report_setup("cannot open the bus");
    if (peal_subscriber_create(bus, TOPIC, &options, &subscriber) == PEAL_OK)
        code = sub_run(subscriber, interval_s, once ? 1 : count, duration_s, &stop);
    else
        code = report_setup("cannot subscribe");
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    return code;
}

int main(int argc, char **argv)
{
    const struct args_command commands[] = {
        {"pub", "update the value at a high rate", pub_main},
        {"sub", "show the newest value at one's own pace", sub_main},
    };
    return args_dispatch("latest", "A value of which only the newest counts.", commands,
                         sizeof commands / sizeof commands[0], argc, argv);
}
