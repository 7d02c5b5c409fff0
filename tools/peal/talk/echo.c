/* SPDX-License-Identifier: Apache-2.0 */
/* peal echo: prints the messages of topics as they come. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/talk/echo_print.h"
#include "tools/peal/talk/peek.h"
#include "tools/peal/talk/subscription.h"

#include <inttypes.h>
#include <string.h>

#define FLUSH_EACH 256 /* messages, while more are there */

static struct subscription_options listen_options = {.timeout_ns = PEAL_FOREVER};
static unsigned format;
static bool no_header;
static uint64_t count;
static uint64_t history;
static uint64_t bytes_max;
static bool peek;

static const struct option_entry options[] = {
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .help = "auto: text if clean UTF-8, else hex",
     .choices = "auto text hex json raw",
     .to = &format},
    {.name = "no-header",
     .help = "print the contents only",
     .read = option_switch,
     .to = &no_header},
    {.name = "bytes",
     .value = "N",
     .help = "show at most so many bytes of each message",
     .read = option_bytes,
     .to = &bytes_max},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "end after N messages",
     .read = option_count,
     .to = &count},
    {.name = "timeout",
     .letter = 't',
     .value = "TIME",
     .help = "end with 7 when nothing has come for so long",
     .read = option_duration,
     .to = &listen_options.timeout_ns},
    {.name = "history",
     .letter = 'H',
     .value = "N",
     .help = "begin N messages back, with what is still there",
     .read = option_count,
     .to = &history},
    {.name = "latest",
     .letter = 'l',
     .help = "only the newest message of each publisher: older ones are skipped",
     .read = option_switch,
     .to = &listen_options.latest},
    {.name = "reliable",
     .help = "publishers wait for this program, as their policy says: nothing is lost",
     .read = option_switch,
     .to = &listen_options.reliable},
    {.name = "wait",
     .letter = 'w',
     .help = "if there is no such bus or topic yet, wait for it",
     .read = option_switch,
     .to = &listen_options.wait},
    {.name = "peek",
     .letter = 'p',
     .help = "only look at what is still there, without taking part, and end",
     .read = option_switch,
     .to = &peek},
    {.name = "pop",
     .help = "pop from queues: nobody else will get what is printed",
     .read = option_switch,
     .to = &listen_options.pop},
    {0},
};

static int sum_up(const struct subscription *subscription)
{
    uint64_t printed = 0, lost = 0, spoilt = 0;
    for (size_t i = 0; i < subscription->topic_count; i++) {
        printed += subscription->topics[i].count;
        lost += subscription_lost(&subscription->topics[i]);
        spoilt += subscription->topics[i].spoilt;
    }
    if (lost > 0 || spoilt > 0)
        note("%" PRIu64 " messages, %" PRIu64 " %s, %" PRIu64 " spoilt", printed, lost,
             subscription->options.latest ? "skipped" : "lost", spoilt);
    return EXIT_DONE;
}

static int timed_out(void)
{
    (void)output_flush();
    return fail(EXIT_TIMED_OUT, "nothing came in time");
}

/* Answers the exit code; *done: it is over. */
static int on_event(struct subscription *subscription, struct echo *echo,
                    enum subscription_event event, bool *done)
{
    switch (event) {
    case SUBSCRIPTION_MESSAGE:
        echo_message(echo, subscription);
        *done = --count == 0;
        return *done || count % FLUSH_EACH == 0 ? output_flush() : EXIT_DONE;
    case SUBSCRIPTION_SPOILT:
        echo_spoilt(echo, subscription);
        return EXIT_DONE;
    case SUBSCRIPTION_IDLE:
        return output_flush();
    case SUBSCRIPTION_DEADLINE:
        *done = true;
        return timed_out();
    case SUBSCRIPTION_STOPPED:
        *done = true;
        return EXIT_DONE;
    case SUBSCRIPTION_GONE:
    default:
        return EXIT_FAILED;
    }
}

static int listen_on(struct subscription *subscription)
{
    struct echo *echo = echo_new((enum echo_format)format, !no_header,
                                 subscription_has_one_clock(subscription), bytes_max);
    uint64_t deadline_ns = deadline_after(listen_options.timeout_ns);
    bool done = false;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && !done) {
        const enum subscription_event event = subscription_next(subscription, deadline_ns);
        code = on_event(subscription, echo, event, &done);
        if (event == SUBSCRIPTION_MESSAGE && listen_options.timeout_ns != PEAL_FOREVER)
            deadline_ns = deadline_after(listen_options.timeout_ns);
    }
    const int written = output_flush();
    (void)sum_up(subscription);
    echo_free(echo);
    return code != EXIT_DONE ? code : written;
}

/* ---- without taking part ---- */

static void on_peeked(void *context, struct subscription *subscription)
{
    echo_message(context, subscription);
}

static void on_peeked_spoilt(void *context, const struct subscription *subscription)
{
    echo_spoilt(context, subscription);
}

static int look_at(struct subscription *subscription)
{
    /* Of a copy of a region, and of other machines', nobody knows what the clock was. */
    const bool ages = strncmp(subscription->url, "posix:", strlen("posix:")) == 0;
    struct echo *echo = echo_new((enum echo_format)format, !no_header, ages, bytes_max);
    const struct peek looks = {.history = history,
                               .count = count,
                               .message = on_peeked,
                               .spoilt = on_peeked_spoilt,
                               .context = echo};
    const int code = peek_run(subscription, &looks);
    echo_free(echo);
    return code;
}

/* ---- the command ---- */

static int check(void)
{
    const struct subscription_options *listens = &listen_options;
    if (common.json && format != ECHO_AUTO && format != ECHO_JSON)
        return fail(EXIT_USAGE, "--json and --format exclude one another");
    if (listens->latest && listens->reliable)
        return fail(EXIT_USAGE, "--latest and --reliable exclude one another");
    if (peek && (listens->latest || listens->reliable || listens->wait || listens->pop ||
                 listens->timeout_ns != PEAL_FOREVER))
        return fail(EXIT_USAGE, "--peek looks and ends: only --history, --count and what tells how "
                                "to print go with it");
    return EXIT_DONE;
}

static int echo_run(char **operands, size_t operand_count)
{
    struct subscription subscription;
    int code = check();
    if (code != EXIT_DONE)
        return code;
    if (common.json)
        format = ECHO_JSON;
    if (count == 0)
        count = UINT64_MAX;
    listen_options.history = history < UINT32_MAX ? (uint32_t)history : UINT32_MAX;
    listen_options.instead =
        "--pop takes its messages away from those who work on them; peal info shows it";
    if (peek) {
        code = peek_open(&subscription, operands, operand_count);
        if (code == EXIT_DONE)
            code = look_at(&subscription);
    } else {
        code = subscription_open(&subscription, &listen_options, operands, operand_count);
        if (code == EXIT_DONE && subscription.bus)
            code = listen_on(&subscription);
    }
    subscription_close(&subscription);
    return code;
}

const struct command command_echo = {
    .name = "echo",
    .operands = "TOPIC...",
    .summary = "print the messages of topics",
    .details =
        "  peal echo telemetry.cpu\n"
        "  peal echo greetings --wait --count 1     the first one, also if nobody publishes yet\n"
        "  peal echo log --no-header | grep error\n"
        "  peal echo frames --format raw -n 1 >frame\n"
        "  peal echo imu --peek --history 5         what is still there, also in a file: copy\n\n"
        "It takes part as a best-effort subscriber, which no publisher waits for; where it cannot\n"
        "keep up it says how many messages were lost. JSON lines hold text where the content is\n"
        "clean UTF-8, else base64. Other formats never send control characters to a terminal, but\n"
        "for raw.",
    .options = options,
    .operands_min = 1,
    .operands_max = 64,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = echo_run,
};
