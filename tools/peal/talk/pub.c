/* SPDX-License-Identifier: Apache-2.0 */
/* peal pub: publishes a text, lines, a file or generated messages; or pushes them into a queue. */
#include "tools/peal/command.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/talk/pacer.h"
#include "tools/peal/talk/sender.h"
#include "tools/peal/talk/source.h"
#include "tools/peal/talk/subscription.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define LOOK_EACH 256 /* messages; then once more whether anybody listens */

static struct source_options from;
static struct sender_options to = {.timeout_ns = PEAL_FOREVER};
static uint64_t count;
static double rate_hz;
static uint64_t wait_subscribers;
static uint64_t linger_ns;
static uint64_t message_bytes_max;
static bool keep;
static bool verbose;

static const char *read_rate(const char *text, void *value)
{
    if (strcmp(text, "max") == 0) {
        *(double *)value = HUGE_VAL;
        return NULL;
    }
    return option_rate(text, value) ? "a number of Hz as 100 or 0.5, or max" : NULL;
}

static const struct option_entry options[] = {
    {.name = "rate",
     .letter = 'r',
     .value = "HZ",
     .help = "publish again and again, so many a second; max: as fast as can be",
     .read = read_rate,
     .to = &rate_hz},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "end after N messages",
     .read = option_count,
     .to = &count},
    {.name = "file",
     .letter = 'f',
     .value = "F",
     .help = "publish what the file holds as one message; - is stdin",
     .read = option_text,
     .to = &from.file,
     .completes = COMPLETES_FILE},
    {.name = "lines",
     .letter = 'l',
     .help = "each line of the file is a message",
     .read = option_switch,
     .to = &from.lines},
    {.name = "size",
     .letter = 's',
     .value = "BYTES",
     .help = "generated messages: words of 8 bytes, their number, 1, 2, 3...",
     .read = option_bytes,
     .to = &from.size_bytes},
    {.name = "expand",
     .letter = 'e',
     .help = "{n} in TEXT stands for the message's number, from 0",
     .read = option_switch,
     .to = &from.expand},
    {.name = "wait-subscribers",
     .letter = 'w',
     .value = "N",
     .help = "wait until so many subscribe before the first message",
     .read = option_count,
     .to = &wait_subscribers},
    {.name = "timeout",
     .letter = 't',
     .value = "TIME",
     .help = "wait no longer for subscribers, or for room; default: for ever",
     .read = option_duration,
     .to = &to.timeout_ns},
    {.name = "linger",
     .value = "TIME",
     .help = "stay so long after the last message, for who comes late",
     .read = option_duration,
     .to = &linger_ns},
    {.name = "keep",
     .letter = 'k',
     .help = "stay until Ctrl-C after the last message",
     .read = option_switch,
     .to = &keep},
    {.name = "policy",
     .letter = 'p',
     .value = "P",
     .help = "without room for a message",
     .choices = "wait refuse drop evict",
     .to = &to.policy},
    {.name = "queue",
     .letter = 'q',
     .help = "make a queue, not a topic, if there is none of this name",
     .read = option_switch,
     .to = &to.queue},
    {.name = "depth",
     .letter = 'd',
     .value = "N",
     .help = "messages that are kept for subscribers: a power of two; default: 1024",
     .read = option_count,
     .to = &to.depth},
    {.name = "message-bytes-max",
     .value = "BYTES",
     .help = "the longest message; default: what is needed, of lines 64K",
     .read = option_bytes,
     .to = &message_bytes_max},
    {.name = "payload-bytes",
     .value = "BYTES",
     .help = "memory for messages beyond a slot; default: 8 of the longest",
     .read = option_bytes,
     .to = &to.payload_bytes},
    {.name = "type",
     .value = "NAME",
     .help = "name the messages' type; default: none, which fits all",
     .read = option_text,
     .to = &to.type},
    {.name = "name",
     .value = "NAME",
     .help = "by which a restart is known; default: peal-pub.PID",
     .read = option_text,
     .to = &to.name},
    {.name = "no-timestamp",
     .help = "do not stamp the messages; delay and hz want stamps",
     .read = option_switch,
     .to = &to.no_timestamp},
    {.name = "crc", .help = "a checksum over each message", .read = option_switch, .to = &to.crc},
    {.name = "verbose",
     .letter = 'v',
     .help = "say at the end what was published",
     .read = option_switch,
     .to = &verbose},
    {0},
};

static int send_all(struct sender *sender, struct source *source)
{
    struct pacer pacer;
    pacer_begin(&pacer, rate_hz > 0 ? rate_hz : HUGE_VAL, clock_now_ns());
    const bool paced = pacer.interval_ns > 0;
    for (uint64_t sent = 0; sent < count && !stop_requested(); sent++) {
        const void *data;
        size_t size_bytes;
        int code;
        const enum source_answer answer = source_next(source, &data, &size_bytes, &code);
        if (answer != SOURCE_MESSAGE)
            return answer == SOURCE_END ? EXIT_DONE : code;
        if (paced && !stop_wait_until(pacer_next_ns(&pacer, clock_now_ns())))
            return EXIT_DONE;
        if (!sender->was_heard && (paced || sent % LOOK_EACH == 0))
            (void)sender_subscribers(sender);
        const enum peal_status status = sender_send(sender, data, size_bytes);
        if (status == PEAL_TIMEDOUT)
            return EXIT_DONE;
        if (status == PEAL_EMSGSIZE)
            return fail(EXIT_NO_ROOM, "a message of %zu bytes is longer than '%s' takes",
                        size_bytes, to.topic);
        if (status != PEAL_OK)
            return fail_status(status, "cannot go on with '%s'", to.topic);
    }
    return EXIT_DONE;
}

static void stay(void)
{
    if (keep)
        (void)stop_wait_until(UINT64_MAX);
    else if (linger_ns > 0)
        (void)stop_wait_until(deadline_after(linger_ns));
}

/* Who is there for a while cannot know who had what. */
static void mind_the_unheard(struct sender *sender)
{
    if (sender->queue || sender->published == 0 || keep || linger_ns > 0)
        return;
    (void)sender_subscribers(sender);
    if (!sender->was_heard)
        note("nobody subscribed to '%s': the messages reached no one (--wait-subscribers 1 waits "
             "for one)",
             to.topic);
}

static int sum_up(struct sender *sender, uint64_t begin_ns)
{
    const uint64_t lost = sender->dropped + sender->refused;
    struct units_text bytes, time, rate;
    const uint64_t took_ns = clock_now_ns() - begin_ns;
    if (verbose || lost > 0)
        note("published %" PRIu64 " message%s, %s, in %s (%s); %" PRIu64 " dropped, %" PRIu64
             " refused for want of room",
             sender->published, sender->published == 1 ? "" : "s",
             units_bytes(&bytes, sender->published_bytes), units_duration(&time, took_ns),
             units_rate(&rate, (double)sender->published * 1e9 / (double)(took_ns + 1)),
             sender->dropped, sender->refused);
    return lost > 0 ? EXIT_FOUND : EXIT_DONE;
}

static int talk(struct sender *sender, struct source *source)
{
    int code = sender_open(sender, &to);
    if (code == EXIT_DONE)
        code = sender_wait_subscribers(sender, wait_subscribers, deadline_after(to.timeout_ns));
    if (code != EXIT_DONE || stop_requested())
        return code;
    const uint64_t begin_ns = clock_now_ns();
    code = send_all(sender, source);
    if (code != EXIT_DONE)
        return code;
    code = sum_up(sender, begin_ns);
    stay();
    mind_the_unheard(sender);
    return code;
}

static int check(void)
{
    if (message_bytes_max > UINT32_MAX || to.depth > UINT32_MAX)
        return fail(EXIT_USAGE, "--%s is too large",
                    to.depth > UINT32_MAX ? "depth" : "message-bytes-max");
    if (keep && linger_ns > 0)
        return fail(EXIT_USAGE, "--keep and --linger exclude one another");
    return EXIT_DONE;
}

static int pub_run(char **operands, size_t operand_count)
{
    struct source source;
    struct sender sender = {0};
    to.topic = operands[0];
    from.text = operand_count > 1 ? operands[1] : NULL;
    from.message_bytes_max = message_bytes_max;
    int code = check();
    if (code != EXIT_DONE)
        return code;
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* what is paced shall be punctual */
    code = source_open(&source, &from);
    if (code == EXIT_DONE) {
        to.bytes_max_asked = message_bytes_max > 0;
        to.message_bytes_max =
            message_bytes_max > 0 ? message_bytes_max : source_bytes_max(&source);
        if (count == 0)
            count = source_is_lines(&source) || rate_hz > 0 ? UINT64_MAX : 1;
        to.count = count;
        code = talk(&sender, &source);
    }
    sender_close(&sender);
    source_close(&source);
    return code;
}

const struct command command_pub = {
    .name = "pub",
    .operands = "TOPIC [TEXT|-]",
    .summary = "publish a text, lines, a file or generated messages",
    .details =
        "  peal pub greetings hello              one message\n"
        "  peal pub clock 'tick {n}' -e -r 2     two a second, numbered, until Ctrl-C\n"
        "  tail -f log | peal pub log -          each line is a message\n"
        "  peal pub load --size 64K --rate max   as fast as can be\n\n"
        "The region and the topic are made if there are none. A message reaches who subscribes "
        "when\n"
        "it is published, even if they take it after peal pub has ended. Who comes later does not\n"
        "get it: --wait-subscribers 1 waits for somebody, --linger and --keep leave what was\n"
        "published in place for those who ask for history. If TOPIC is a queue, or with --queue,\n"
        "messages are pushed, and stay until somebody pops them.\n"
        "Ends with 6 if messages were dropped or refused for want of room.",
    .options = options,
    .operands_min = 1,
    .operands_max = 2,
    .completes = COMPLETES_TOPIC,
    .run = pub_run,
};
