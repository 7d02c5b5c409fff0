/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriber of frames. */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "frames/frame.h"
#include "frames/frames.h"

#include <inttypes.h>
#include <peal/peal.h>
#include <stdio.h>

struct sub_options {
    const char *bus_url;
    uint64_t frame_bytes;
    double duration_s;
    uint64_t count;
    bool best_effort;
    bool no_verify;
};

struct sub {
    struct peal_subscriber *subscriber;
    bool verify;
    uint64_t frames;
    uint64_t bytes;
    uint64_t lapped;
    uint64_t errors;
    uint64_t restarts;
    bool one_clock;
    uint64_t latency_ns; /* of the last one, with one clock */
    uint64_t first_ns;
    uint64_t last_ns;
};

static int sub_open(const struct sub_options *options, struct peal_bus **bus, struct sub *sub)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    bus_options.client_name = "frames sub";
    bus_options.size_bytes = frames_region_bytes(options->frame_bytes);
    if (peal_bus_open(bus, options->bus_url, &bus_options) != PEAL_OK)
        return report_setup("cannot open the bus");

    struct peal_subscriber_options subscriber_options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    subscriber_options.reliability = options->best_effort ? PEAL_BEST_EFFORT : PEAL_RELIABLE;
    subscriber_options.type_name = FRAMES_TYPE_NAME;
    subscriber_options.schema_hash = FRAMES_SCHEMA_HASH;
    if (peal_subscriber_create(*bus, FRAMES_TOPIC, &subscriber_options, &sub->subscriber) !=
        PEAL_OK)
        return report_setup("cannot subscribe to frames");
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_bus_stats(*bus, &stats);
    sub->one_clock = stats.one_clock != 0;
    sub->verify = !options->no_verify;
    return EXIT_OK;
}

/* Looks at one frame where it lies, and gives it back. */
static enum peal_status sub_frame(struct sub *sub)
{
    struct peal_message message;
    enum peal_status status = peal_subscriber_take(sub->subscriber, &message);
    if (status != PEAL_OK)
        return status;

    struct frame_header header;
    bool good = !sub->verify || frame_verify(message.data, message.size_bytes, &header);
    uint64_t now_ns = clock_now_ns();

    if (message.flags & PEAL_MESSAGE_RESTARTED)
        sub->restarts++;
    /* Only now do we know whether what we read was still the frame: a best-effort subscriber's may
     * be overwritten while it reads. Then the result is worth nothing, also if it looked good. */
    status = peal_subscriber_release(sub->subscriber, &message);
    if (status == PEAL_ELAPPED) {
        sub->lapped++;
        return PEAL_OK;
    }
    if (status != PEAL_OK)
        return status;
    if (!good) {
        sub->errors++;
        fprintf(stderr, "frames sub: message %" PRIu64 " is not the frame that was published\n",
                message.number);
    }
    if (sub->frames++ == 0)
        sub->first_ns = now_ns;
    sub->last_ns = now_ns;
    sub->bytes += message.size_bytes;
    sub->latency_ns = message.timestamp_ns != 0 ? now_ns - message.timestamp_ns : 0;
    return PEAL_OK;
}

static void sub_print(const struct sub *sub, const struct sub *before, uint64_t time_ns)
{
    double seconds = (double)(time_ns > 0 ? time_ns : 1) / 1e9;
    /* Losses from the statistics: these also know of what was lost after the last message. */
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_subscriber_stats(sub->subscriber, &stats);
    char latency[24] = "-"; /* between machines the clocks do not compare */
    if (sub->one_clock)
        snprintf(latency, sizeof latency, "%.0f", (double)sub->latency_ns / 1e3);
    printf("%" PRIu64 " frames, %.1f/s, %.3f GB/s, lost %" PRIu64 ", lapped %" PRIu64
           ", restarts %" PRIu64 ", errors %" PRIu64 ", published to checked %s us\n",
           sub->frames, (double)(sub->frames - before->frames) / seconds,
           (double)(sub->bytes - before->bytes) / seconds / 1e9, stats.lost - sub->lapped,
           sub->lapped, sub->restarts, sub->errors, latency);
    fflush(stdout);
}

static int sub_run(struct sub *sub, const struct sub_options *options, struct stop *stop)
{
    const struct sub none = {.frames = 0};
    struct sub before = none;
    uint64_t end_ns = clock_deadline_ns(options->duration_s);
    uint64_t print_ns = clock_now_ns();

    printf("subscribed to frames on %s; Ctrl-C stops\n", options->bus_url);
    fflush(stdout);
    while (!stop_requested(stop) && clock_now_ns() < end_ns) {
        if (options->count != 0 && sub->frames >= options->count)
            break;
        enum peal_status status = sub_frame(sub);
        if (status == PEAL_EMPTY)
            status = peal_subscriber_wait(sub->subscriber, STOP_POLL_NS);
        if (status == PEAL_ECORRUPT)
            report_status("a publisher is given up", status);
        else if (status != PEAL_OK && status != PEAL_TIMEDOUT)
            return report_status("taking", status);
        if (clock_now_ns() - print_ns >= NS_PER_S) {
            sub_print(sub, &before, clock_now_ns() - print_ns);
            before = *sub;
            print_ns = clock_now_ns();
        }
    }
    printf("total: ");
    sub_print(sub, &none, sub->last_ns - sub->first_ns);
    if (options->count != 0 && sub->frames < options->count && !stop->requested) {
        fprintf(stderr, "frames sub: only %" PRIu64 " frames came in %g s\n", sub->frames,
                options->duration_s);
        return EXIT_FAILED;
    }
    return sub->errors == 0 ? EXIT_OK : EXIT_FAILED;
}

int frames_sub(int argc, char **argv)
{
    struct sub_options options = {.bus_url = FRAMES_DEFAULT_BUS,
                                  .frame_bytes = FRAME_DEFAULT_BYTES};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " FRAMES_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "frame-bytes",
         .value = "N",
         .help = "as the publisher's: makes the region large enough if we come first",
         .to_integer = &options.frame_bytes,
         .at_least = FRAME_BYTES_MIN,
         .at_most = (double)FRAME_BYTES_MAX},
        {.name = "best-effort",
         .help = "never hold up the publisher; lose frames instead",
         .to_flag = &options.best_effort},
        {.name = "no-verify", .help = "do not read the pictures", .to_flag = &options.no_verify},
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
    int code = args_parse(
        "frames sub", "Receives frames and checks every byte. Exit code 1 if a frame was wrong.",
        table, sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus = NULL;
    struct sub sub = {.subscriber = NULL};
    stop_init(&stop);
    code = sub_open(&options, &bus, &sub);
    if (code == EXIT_OK)
        code = sub_run(&sub, &options, &stop);
    peal_subscriber_close(sub.subscriber);
    peal_bus_close(bus);
    return code;
}
