/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/echo_print.h"

#include "tools/peal/kit/content.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/talk/speakers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct echo {
    enum echo_format format;
    bool headers;
    bool ages; /* our clock tells the age of messages */
    uint64_t bytes_max;
    struct speakers speakers;
};

struct echo *echo_new(enum echo_format format, bool headers, bool ages, uint64_t bytes_max)
{
    struct echo *echo = memory_zeroed(1, sizeof(*echo));
    echo->format = format;
    echo->headers = headers && format != ECHO_RAW;
    echo->ages = ages;
    echo->bytes_max = bytes_max > 0 ? bytes_max : UINT64_MAX;
    return echo;
}

void echo_free(struct echo *echo)
{
    speakers_free(&echo->speakers);
    free(echo);
}

static const char *publisher_of(struct echo *echo, struct subscription *subscription)
{
    return speakers_name(&echo->speakers, &subscription->watch, subscription->message.publisher);
}

static size_t shown_bytes(const struct echo *echo, const struct peal_message *message)
{
    return message->size_bytes < echo->bytes_max ? message->size_bytes : (size_t)echo->bytes_max;
}

/* ---- for people ---- */

static void print_age(const struct echo *echo, const struct subscription *subscription)
{
    const uint64_t stamp_ns = subscription->message.timestamp_ns;
    struct units_text age;
    if (stamp_ns == 0 || !echo->ages)
        return;
    if (stamp_ns > subscription->now_ns)
        print(", stamped in the future");
    else
        print(", %s ago", units_duration(&age, subscription->now_ns - stamp_ns));
}

static void print_losses(struct echo *echo, struct subscription *subscription)
{
    const struct peal_message *message = &subscription->message;
    if (message->lost > 0 && !subscription->options.latest)
        print("%s-- %" PRIu64 " messages lost (%s, %s) --%s\n", paint(PAINT_YELLOW), message->lost,
              subscription->topic->name, publisher_of(echo, subscription), paint(PAINT_NONE));
    if (message->flags & PEAL_MESSAGE_RESTARTED)
        print("%s-- %s began anew, after #%" PRIu64 " (%s) --%s\n", paint(PAINT_YELLOW),
              publisher_of(echo, subscription), message->previous_number, subscription->topic->name,
              paint(PAINT_NONE));
}

static void print_header(struct echo *echo, struct subscription *subscription)
{
    const struct peal_message *message = &subscription->message;
    struct units_text size;
    print_losses(echo, subscription);
    print("%s--- %s #%" PRIu64, paint(PAINT_DIM), subscription->topic->name, message->number);
    if (subscription->topic->queue)
        print(" of lane %" PRIu32 "%s", message->lane,
              subscription->is_redelivered ? ", redelivered" : "");
    else
        print(" from %s", publisher_of(echo, subscription));
    print_age(echo, subscription);
    print(", %s%s\n", units_bytes(&size, message->size_bytes), paint(PAINT_NONE));
}

static void print_content(const struct echo *echo, const struct peal_message *message)
{
    const size_t bytes = shown_bytes(echo, message);
    if (echo->format == ECHO_RAW)
        print_bytes(message->data, bytes);
    else if (echo->format == ECHO_TEXT ||
             (echo->format == ECHO_AUTO && content_is_text(message->data, bytes)))
        content_print_text(message->data, bytes);
    else
        content_print_hex(message->data, bytes);
}

/* ---- for programs ---- */

static void set_content(json_t *line, const struct echo *echo, const struct peal_message *message)
{
    const size_t bytes = shown_bytes(echo, message);
    if (content_is_text(message->data, bytes)) {
        (void)json_object_set_new(line, "text", json_stringn_nocheck(message->data, bytes));
        return;
    }
    char *base64 = content_base64(message->data, bytes);
    (void)json_object_set_new(line, "base64", json_string_nocheck(base64));
    free(base64);
}

static void set_count(json_t *line, const char *key, uint64_t count)
{
    const json_int_t most = INT64_MAX;
    (void)json_object_set_new(line, key,
                              json_integer(count < (uint64_t)most ? (json_int_t)count : most));
}

static void print_line(struct echo *echo, struct subscription *subscription)
{
    const struct peal_message *message = &subscription->message;
    json_t *line = json_object();
    char incarnation[24];
    (void)json_object_set_new(line, "topic", json_string(subscription->topic->name));
    if (subscription->topic->queue) {
        set_count(line, "lane", message->lane);
        (void)json_object_set_new(line, "redelivered", json_boolean(subscription->is_redelivered));
    } else {
        (void)snprintf(incarnation, sizeof(incarnation), "%016" PRIx64, message->publisher);
        (void)json_object_set_new(line, "publisher", json_string(publisher_of(echo, subscription)));
        (void)json_object_set_new(line, "incarnation", json_string(incarnation));
        (void)json_object_set_new(line, "restarted",
                                  json_boolean(message->flags & PEAL_MESSAGE_RESTARTED));
        set_count(line, "lost", message->lost);
        set_count(line, "timestamp_ns", message->timestamp_ns);
    }
    set_count(line, "number", message->number);
    set_count(line, "size_bytes", message->size_bytes);
    set_content(line, echo, message);
    print_json_line(line);
}

void echo_message(struct echo *echo, struct subscription *subscription)
{
    if (echo->format == ECHO_JSON) {
        print_line(echo, subscription);
        return;
    }
    if (echo->headers)
        print_header(echo, subscription);
    print_content(echo, &subscription->message);
}

void echo_spoilt(struct echo *echo, const struct subscription *subscription)
{
    if (echo->headers && echo->format != ECHO_JSON)
        print("%s-- a message spoilt (%s) --%s\n", paint(PAINT_YELLOW), subscription->topic->name,
              paint(PAINT_NONE));
}
