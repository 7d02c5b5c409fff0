/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/meter.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADING_EACH 20 /* reports on a terminal */

static struct subscription_options listen_options = {.headers_only = true,
                                                     .timeout_ns = PEAL_FOREVER};
static uint64_t interval_ns = NS_PER_S;
static uint64_t reports_max;
static bool histogram;

const struct option_entry meter_options[] = {
    {.name = "interval",
     .letter = 'i',
     .value = "TIME",
     .help = "report so often; default: 1s",
     .read = option_duration,
     .to = &interval_ns},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "end after N reports",
     .read = option_count,
     .to = &reports_max},
    {.name = "histogram",
     .letter = 'H',
     .help = "at the end show how the times are distributed",
     .read = option_switch,
     .to = &histogram},
    {.name = "timeout",
     .letter = 't',
     .value = "TIME",
     .help = "end with 7 when nothing has come for so long",
     .read = option_duration,
     .to = &listen_options.timeout_ns},
    {.name = "wait",
     .letter = 'w',
     .help = "if there is no such bus or topic yet, wait for it",
     .read = option_switch,
     .to = &listen_options.wait},
    {.name = "spin",
     .help = "look again and again instead of sleeping: takes a whole core",
     .read = option_switch,
     .to = &listen_options.spin},
    {0},
};

struct meter_topic {
    struct meter_row now;
    struct meter_row all;
    uint64_t lost_before;
    void *own;
};

struct meter {
    const struct meter_kind *kind;
    struct subscription *subscription;
    struct meter_topic *topics;
    int name_width;
    uint64_t reports;
    uint64_t reported_ns;
    uint64_t heard_ns; /* when the last message came */
};

/* ---- reports ---- */

static void add_row(struct meter_row *all, const struct meter_row *now)
{
    all->elapsed_ns += now->elapsed_ns;
    all->messages += now->messages;
    all->bytes += now->bytes;
    all->lost += now->lost;
    all->unstamped += now->unstamped;
    all->future += now->future;
    histogram_merge(&all->times, &now->times);
}

static void print_row(const struct meter *meter, size_t topic, const struct meter_row *row,
                      bool is_total)
{
    const char *name = meter->subscription->topics[topic].name;
    if (common.json)
        meter_print_json(meter->kind, name, row, is_total, is_total && histogram);
    else
        meter_print_row(meter->kind, name, row, meter->name_width);
}

/* What the topic has lost since the last time, whatever became of its messages. */
static uint64_t lost_now(struct meter *meter, size_t i)
{
    const uint64_t lost = subscription_lost(&meter->subscription->topics[i]);
    const uint64_t before = meter->topics[i].lost_before;
    meter->topics[i].lost_before = lost;
    return lost > before ? lost - before : 0;
}

/* Ends the row of each topic, and adds it to what there was. */
static int end_rows(struct meter *meter)
{
    const uint64_t now_ns = clock_now_ns();
    for (size_t i = 0; i < meter->subscription->topic_count; i++) {
        struct meter_topic *topic = &meter->topics[i];
        topic->now.elapsed_ns = now_ns - meter->reported_ns;
        topic->now.lost = lost_now(meter, i);
        add_row(&topic->all, &topic->now);
        const int code = meter->kind->check(meter->subscription->topics[i].name, &topic->all);
        if (code != EXIT_DONE)
            return code;
    }
    meter->reported_ns = now_ns;
    return EXIT_DONE;
}

static int report(struct meter *meter)
{
    const bool heading =
        meter->reports == 0 || (output_is_terminal() && meter->reports % HEADING_EACH == 0);
    const int code = end_rows(meter);
    if (code != EXIT_DONE)
        return code;
    if (heading && !common.json)
        meter_print_heading(meter->kind, meter->name_width);
    for (size_t i = 0; i < meter->subscription->topic_count; i++) {
        print_row(meter, i, &meter->topics[i].now, false);
        memset(&meter->topics[i].now, 0, sizeof(meter->topics[i].now));
    }
    meter->reports++;
    return output_flush();
}

static void finish(const struct meter *meter, size_t i)
{
    const char *name = meter->subscription->topics[i].name;
    const struct meter_row *all = &meter->topics[i].all;
    if (histogram && !common.json && all->times.count > 0)
        meter_print_histogram(name, &all->times);
    if (meter->kind->finish)
        meter->kind->finish(name, all);
}

/* With what came after the last report. */
static int sum_up(struct meter *meter)
{
    const int code = end_rows(meter);
    if (code != EXIT_DONE)
        return code;
    if (!common.json) {
        print("in all:\n");
        meter_print_heading(meter->kind, meter->name_width);
    }
    for (size_t i = 0; i < meter->subscription->topic_count; i++)
        print_row(meter, i, &meter->topics[i].all, true);
    for (size_t i = 0; i < meter->subscription->topic_count; i++)
        finish(meter, i);
    return output_flush();
}

/* ---- the loop ---- */

static void on_message(struct meter *meter)
{
    struct subscription *subscription = meter->subscription;
    struct meter_topic *topic = &meter->topics[subscription->topic - subscription->topics];
    topic->now.messages++;
    topic->now.bytes += subscription->message.size_bytes;
    topic->now.unstamped += subscription->message.timestamp_ns == 0;
    meter->kind->measure(topic->own, &topic->now, &subscription->message, subscription->now_ns);
    meter->heard_ns = subscription->now_ns;
}

/* Until it is time for the next report; *done: there will be none. */
static int until(struct meter *meter, uint64_t deadline_ns, bool *done)
{
    for (;;) {
        switch (subscription_next(meter->subscription, deadline_ns)) {
        case SUBSCRIPTION_MESSAGE:
            on_message(meter);
            break;
        case SUBSCRIPTION_DEADLINE:
            return EXIT_DONE;
        case SUBSCRIPTION_STOPPED:
            *done = true;
            return EXIT_DONE;
        case SUBSCRIPTION_GONE:
            return EXIT_FAILED;
        case SUBSCRIPTION_SPOILT: /* counts as lost */
        case SUBSCRIPTION_IDLE:
        default:
            break;
        }
    }
}

static uint64_t sum(uint64_t time_ns, uint64_t duration_ns)
{
    return duration_ns > UINT64_MAX - time_ns ? UINT64_MAX : time_ns + duration_ns;
}

static int measure(struct meter *meter)
{
    bool done = false;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && !done) {
        const uint64_t due_ns = sum(meter->reported_ns, interval_ns);
        const uint64_t silent_ns = sum(meter->heard_ns, listen_options.timeout_ns);
        code = until(meter, due_ns < silent_ns ? due_ns : silent_ns, &done);
        if (code != EXIT_DONE || done)
            break;
        if (clock_now_ns() >= sum(meter->heard_ns, listen_options.timeout_ns))
            return fail(EXIT_TIMED_OUT, "nothing came in time");
        if (clock_now_ns() >= due_ns)
            code = report(meter);
        done = meter->reports == reports_max;
    }
    return code != EXIT_DONE ? code : sum_up(meter);
}

static int run(struct meter *meter)
{
    const size_t count = meter->subscription->topic_count;
    int code = meter->kind->begin ? meter->kind->begin(meter->subscription) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    meter->topics = memory_zeroed(count, sizeof(*meter->topics));
    for (size_t i = 0; i < count; i++)
        meter->topics[i].own = memory_zeroed(1, meter->kind->own_bytes);
    meter->name_width = meter_name_width(meter->subscription);
    meter->reported_ns = meter->heard_ns = clock_now_ns();
    code = measure(meter);
    for (size_t i = 0; i < count; i++)
        free(meter->topics[i].own);
    free(meter->topics);
    return code;
}

int meter_run(const struct meter_kind *kind, char **topics, size_t count)
{
    struct subscription subscription;
    struct meter meter = {.kind = kind, .subscription = &subscription};
    if (reports_max == 0)
        reports_max = UINT64_MAX;
    listen_options.instead = kind->instead;
    int code = subscription_open(&subscription, &listen_options, topics, count);
    if (code == EXIT_DONE && subscription.bus)
        code = run(&meter);
    subscription_close(&subscription);
    return code;
}
