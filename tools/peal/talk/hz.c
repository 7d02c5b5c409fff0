/* SPDX-License-Identifier: Apache-2.0 */
/* peal hz: how often messages come, and how evenly. */
#include "tools/peal/command.h"
#include "tools/peal/kit/exit_code.h"
#include "tools/peal/talk/intervals.h"
#include "tools/peal/talk/meter.h"

static const enum meter_column columns[] = {
    METER_RATE, METER_MESSAGES, METER_LOST, METER_BANDWIDTH, METER_MIN, METER_MEAN,
    METER_P50,  METER_P99,      METER_MAX,  METER_DEVIATION, METER_END};

static void measure(void *own, struct meter_row *row, const struct peal_message *message,
                    uint64_t now_ns)
{
    uint64_t interval_ns;
    if (intervals_add(own, message, now_ns, &interval_ns))
        histogram_add(&row->times, interval_ns);
}

static int check(const char *topic, const struct meter_row *all)
{
    (void)topic;
    (void)all;
    return EXIT_DONE;
}

static const struct meter_kind kind = {
    .columns = columns,
    .measure = measure,
    .own_bytes = sizeof(struct intervals),
    .check = check,
    .instead = "peal ls and peal top show its rates",
};

static int hz_run(char **operands, size_t count)
{
    return meter_run(&kind, operands, count);
}

const struct command command_hz = {
    .name = "hz",
    .operands = "TOPIC...",
    .summary = "measure how often messages come, and how evenly",
    .details =
        "  peal hz telemetry.cpu          a line each second, until Ctrl-C; then one over all\n"
        "  peal hz a b --interval 10s -n 1\n\n"
        "The rate counts messages that this program lost as well. The other times are from one\n"
        "message to the next of the same publisher, by its timestamps, or where it does not stamp\n"
        "by when they came. It takes part as a best-effort subscriber, which nobody waits for.",
    .options = meter_options,
    .operands_min = 1,
    .operands_max = 64,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = hz_run,
};
