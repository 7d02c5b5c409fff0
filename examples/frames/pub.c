/* SPDX-License-Identifier: Apache-2.0 */
/* The publisher of frames. */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "frames/frame.h"
#include "frames/frames.h"

#include <inttypes.h>
#include <peal/peal.h>
#include <stdio.h>

struct pub_options {
    const char *bus_url;
    uint64_t frame_bytes;
    double rate_hz; /* 0: as fast as subscribers take */
    double duration_s;
    uint64_t count;
};

static int pub_open(const struct pub_options *options, struct peal_bus **bus,
                    struct peal_publisher **publisher)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    bus_options.client_name = "frames pub";
    /* Counts if we come first; `size=` in the URL goes before it. */
    bus_options.size_bytes = frames_region_bytes(options->frame_bytes);
    if (peal_bus_open(bus, options->bus_url, &bus_options) != PEAL_OK)
        return report_setup("cannot open the bus");

    struct peal_publisher_options publisher_options = PEAL_PUBLISHER_OPTIONS_INIT;
    publisher_options.message_bytes_max = (uint32_t)frame_message_bytes(options->frame_bytes);
    publisher_options.depth = FRAMES_DEPTH;
    publisher_options.payload_bytes = frames_payload_bytes(options->frame_bytes);
    publisher_options.timestamp = true;
    publisher_options.type_name = FRAMES_TYPE_NAME;
    publisher_options.schema_hash = FRAMES_SCHEMA_HASH;
    publisher_options.name = "camera";
    /* Wait for reliable subscribers, but not so long that Ctrl-C goes unheard. */
    publisher_options.full_policy = PEAL_FULL_WAIT;
    publisher_options.full_timeout_ns = STOP_POLL_NS;
    if (peal_publisher_create(*bus, FRAMES_TOPIC, &publisher_options, publisher) != PEAL_OK)
        return report_setup("cannot publish frames");
    return EXIT_OK;
}

/* One frame: PEAL_FULL if there was no room for it in time. */
static enum peal_status pub_frame(struct peal_publisher *publisher, uint64_t frame_bytes,
                                  uint64_t number)
{
    void *memory;
    size_t message_bytes = frame_message_bytes(frame_bytes);
    enum peal_status status = peal_publisher_loan(publisher, message_bytes, &memory);
    if (status != PEAL_OK)
        return status;
    frame_write(memory, frame_bytes, number);
    return peal_publisher_commit(publisher, message_bytes);
}

static int pub_run(const struct pub_options *options, struct peal_publisher *publisher,
                   struct stop *stop)
{
    uint64_t period_ns = options->rate_hz > 0 ? (uint64_t)(1e9 / options->rate_hz) : 0;
    uint64_t start_ns = clock_now_ns(), next_ns = start_ns;
    uint64_t end_ns = clock_deadline_ns(options->duration_s);
    uint64_t number = 0;

    printf("publishing frames of %" PRIu64 " bytes on %s; Ctrl-C stops\n", options->frame_bytes,
           options->bus_url);
    fflush(stdout);
    while (!stop_sleep_until(stop, next_ns < end_ns ? next_ns : end_ns)) {
        if (clock_now_ns() >= end_ns || (options->count != 0 && number == options->count))
            break;
        enum peal_status status = pub_frame(publisher, options->frame_bytes, number);
        if (status == PEAL_FULL)
            continue; /* a reliable subscriber holds us up; ask for Ctrl-C, then again */
        if (status != PEAL_OK)
            return report_status("publishing", status);
        number++;
        next_ns += period_ns;
        if (next_ns < clock_now_ns())
            next_ns = clock_now_ns();
    }
    double seconds = (double)(clock_now_ns() - start_ns) / 1e9;
    printf("published %" PRIu64 " frames, %.1f/s, %.3f GB/s\n", number, (double)number / seconds,
           (double)number * (double)options->frame_bytes / seconds / 1e9);
    return EXIT_OK;
}

int frames_pub(int argc, char **argv)
{
    struct pub_options options = {
        .bus_url = FRAMES_DEFAULT_BUS, .frame_bytes = FRAME_DEFAULT_BYTES, .rate_hz = 60};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " FRAMES_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "frame-bytes",
         .value = "N",
         .help = "default 3110400 (1920x1080 NV12); 16M",
         .to_integer = &options.frame_bytes,
         .at_least = FRAME_BYTES_MIN,
         .at_most = (double)FRAME_BYTES_MAX},
        {.name = "rate-hz",
         .value = "N",
         .help = "frames a second, default 60; 0: no limit",
         .to_real = &options.rate_hz,
         .at_least = 0,
         .at_most = 1e6},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &options.duration_s,
         .at_least = 0,
         .at_most = 1e6},
        {.name = "count",
         .value = "N",
         .help = "stop after N frames",
         .to_integer = &options.count},
    };
    int code = args_parse("frames pub", "Publishes frames of a moving test picture.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus = NULL;
    struct peal_publisher *publisher = NULL;
    stop_init(&stop);
    code = pub_open(&options, &bus, &publisher);
    if (code == EXIT_OK)
        code = pub_run(&options, publisher, &stop);
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return code;
}
