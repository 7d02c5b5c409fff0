/* SPDX-License-Identifier: Apache-2.0 */
/* peal delay: how long messages take from publish to here. */
#include "tools/peal/command.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/talk/meter.h"

#include <inttypes.h>

static const enum meter_column columns[] = {METER_MESSAGES, METER_LOST, METER_MIN, METER_MEAN,
                                            METER_P50,      METER_P90,  METER_P99, METER_P999,
                                            METER_MAX,      METER_END};

static void measure(void *own, struct meter_row *row, const struct peal_message *message,
                    uint64_t now_ns)
{
    (void)own;
    if (message->timestamp_ns > now_ns)
        row->future++;
    else if (message->timestamp_ns != 0)
        histogram_add(&row->times, now_ns - message->timestamp_ns);
}

static int begin(const struct subscription *subscription)
{
    if (subscription_has_one_clock(subscription))
        return EXIT_DONE;
    return fail(EXIT_FAILED,
                "who takes part in %s may run on other machines, whose clocks do not compare with "
                "ours: nothing can be said about delays",
                subscription->url);
}

static int check(const char *topic, const struct meter_row *all)
{
    if (all->times.count > 0 || all->unstamped + all->future == 0)
        return EXIT_DONE;
    if (all->unstamped > 0)
        return fail(EXIT_FAILED,
                    "the messages of '%s' carry no timestamps: their publisher must set "
                    "`timestamp` in its options",
                    topic);
    return fail(EXIT_FAILED,
                "the messages of '%s' are stamped later than now: their publisher has another "
                "clock, or lies",
                topic);
}

static void finish(const char *topic, const struct meter_row *all)
{
    if (all->unstamped > 0)
        note("%" PRIu64 " messages of '%s' carry no timestamps, and are not measured",
             all->unstamped, topic);
    if (all->future > 0)
        note("%" PRIu64 " messages of '%s' are stamped later than now, and are not measured",
             all->future, topic);
}

static const struct meter_kind kind = {
    .columns = columns,
    .measure = measure,
    .own_bytes = 1,
    .begin = begin,
    .check = check,
    .finish = finish,
    .instead = "its messages carry no timestamps",
};

static int delay_run(char **operands, size_t count)
{
    return meter_run(&kind, operands, count);
}

const struct command command_delay = {
    .name = "delay",
    .operands = "TOPIC...",
    .summary = "measure how long messages take, by their timestamps",
    .details = "  peal delay telemetry.cpu               a line each second, until Ctrl-C\n"
               "  peal delay imu -n 10 --histogram\n\n"
               "From when a message was published to when this program took it, its own waking up\n"
               "included; with --spin it does not sleep, and what is left is the bus. Publishers "
               "must stamp\n"
               "their messages, as peal pub does, and everybody must have the same clock. It takes "
               "part as\n"
               "a best-effort subscriber, which nobody waits for.",
    .options = meter_options,
    .operands_min = 1,
    .operands_max = 64,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = delay_run,
};
