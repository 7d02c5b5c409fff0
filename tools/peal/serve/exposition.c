/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/exposition.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/look/age.h"
#include "tools/peal/look/rates.h"
#include "tools/peal/serve/metric.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is worked out once for all metrics. */
struct topic_view {
    const struct snapshot_topic *topic;
    struct topic_sums sums;
};

struct bus_view {
    const struct scene_bus *bus;
    struct topic_view *topics;
    size_t topic_count;
};

struct writer {
    FILE *to;
    const struct metric *metric;
    struct metric_subject subject;
};

/* ---- one sample ---- */

void exposition_write_escaped(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            (void)fputs("\\n", to);
        else if (*text == '\\' || *text == '"')
            (void)fprintf(to, "\\%c", *text);
        else
            (void)fputc(*text, to);
    }
}

static void write_label(FILE *to, char *separator, const char *name, const char *text)
{
    (void)fprintf(to, "%c%s=\"", *separator, name);
    exposition_write_escaped(to, text);
    (void)fputc('"', to);
    *separator = ',';
}

static void write_number(FILE *to, char *separator, const char *name, uint32_t number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%" PRIu32, number);
    write_label(to, separator, name, text);
}

/* The name of the publisher in the lane that a subscriber reads; "" if it went in between. */
static const char *name_of_lane(const struct snapshot_topic *topic, uint32_t lane)
{
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.lane == lane)
            return topic->publishers[i].name;
    return "";
}

static void write_scope(FILE *to, char *separator, const struct metric_subject *subject)
{
    if (subject->bus)
        write_label(to, separator, "bus", subject->bus->url);
    if (subject->client) {
        write_label(to, separator, "client", subject->client->name);
        write_number(to, separator, "index", subject->client->seen.index);
    }
    if (subject->topic)
        write_label(to, separator, "topic", subject->topic->name);
    if (subject->publisher) {
        write_label(to, separator, "publisher", subject->publisher->name);
        write_number(to, separator, "lane", subject->publisher->seen.lane);
    }
    if (subject->subscriber) {
        write_label(to, separator, "subscriber", subject->subscriber->name);
        write_number(to, separator, "entry", subject->subscriber->seen.entry);
    }
}

static void write_sample(const struct writer *writer)
{
    const struct metric_subject *subject = &writer->subject;
    struct metric_value value = {0};
    struct metric_label labels[METRIC_LABELS_MAX];
    char separator = '{';
    if (!writer->metric->value(subject, &value))
        return;
    (void)fputs(writer->metric->name, writer->to);
    write_scope(writer->to, &separator, subject);
    if (writer->metric->scope == METRIC_READER) {
        const uint32_t lane = subject->subscriber->seen.lane;
        write_label(writer->to, &separator, "publisher", name_of_lane(subject->topic, lane));
        write_number(writer->to, &separator, "lane", lane);
    }
    const size_t count = writer->metric->labels ? writer->metric->labels(subject, labels) : 0;
    for (size_t i = 0; i < count; i++)
        write_label(writer->to, &separator, labels[i].name, labels[i].text);
    if (separator == ',')
        (void)fputc('}', writer->to);
    if (value.is_real)
        (void)fprintf(writer->to, " %.15g\n", value.real);
    else
        (void)fprintf(writer->to, " %" PRIu64 "\n", value.whole);
}

/* ---- all samples of a metric ---- */

static void write_publishers(struct writer *writer)
{
    const struct snapshot_topic *topic = writer->subject.topic;
    for (size_t i = 0; i < topic->publisher_count; i++) {
        writer->subject.publisher = &topic->publishers[i];
        write_sample(writer);
    }
    writer->subject.publisher = NULL;
}

/* One comes once for each lane that it reads, one after the other. */
static void write_subscribers(struct writer *writer, bool each_lane)
{
    const struct snapshot_topic *topic = writer->subject.topic;
    for (size_t i = 0; i < topic->subscriber_count; i++) {
        const struct snapshot_subscriber *subscriber = &topic->subscribers[i];
        const bool again = i > 0 && topic->subscribers[i - 1].seen.entry == subscriber->seen.entry;
        writer->subject.subscriber = subscriber;
        if (each_lane ? subscriber->seen.lane != UINT32_MAX : !again)
            write_sample(writer);
    }
    writer->subject.subscriber = NULL;
}

static void write_topics(struct writer *writer, const struct bus_view *view)
{
    for (size_t i = 0; i < view->topic_count; i++) {
        writer->subject.topic = view->topics[i].topic;
        writer->subject.sums = &view->topics[i].sums;
        if (writer->metric->scope == METRIC_TOPIC)
            write_sample(writer);
        else if (writer->metric->scope == METRIC_PUBLISHER)
            write_publishers(writer);
        else
            write_subscribers(writer, writer->metric->scope == METRIC_READER);
    }
    writer->subject.topic = NULL;
    writer->subject.sums = NULL;
}

static void write_bus(struct writer *writer, const struct bus_view *view)
{
    const struct snapshot *now = &view->bus->now;
    writer->subject.bus = view->bus;
    if (writer->metric->scope == METRIC_BUS)
        write_sample(writer);
    else if (writer->metric->scope != METRIC_CLIENT)
        write_topics(writer, view);
    else
        for (size_t i = 0; i < now->client_count; i++) {
            writer->subject.client = &now->clients[i];
            write_sample(writer);
        }
    writer->subject.client = NULL;
}

/* ---- what is looked at ---- */

static int by_name(const void *left, const void *right)
{
    const struct topic_view *a = left, *b = right;
    const int order = strcmp(a->topic->name, b->topic->name);
    return order != 0 ? order : a->topic->seen.index < b->topic->seen.index ? -1 : 1;
}

/* An honest directory has each name once. In another the first counts: a series that comes twice costs the whole scrape. */
static void view_bus(struct bus_view *view, const struct scene_bus *bus)
{
    size_t kept = 0;
    view->bus = bus;
    view->topics = memory_zeroed(bus->now.topic_count, sizeof(*view->topics));
    for (size_t i = 0; i < bus->now.topic_count; i++)
        view->topics[i].topic = &bus->now.topics[i];
    if (bus->now.topic_count > 1)
        qsort(view->topics, bus->now.topic_count, sizeof(*view->topics), by_name);
    for (size_t i = 0; i < bus->now.topic_count; i++) {
        const struct snapshot_topic *topic = view->topics[i].topic;
        if (kept > 0 && strcmp(view->topics[kept - 1].topic->name, topic->name) == 0)
            continue;
        view->topics[kept++] = (struct topic_view){.topic = topic, .sums = topic_sums(topic)};
    }
    view->topic_count = kept;
}

void exposition_write(FILE *to, const struct scene *scene)
{
    struct bus_view *views = memory_zeroed(scene->count, sizeof(*views));
    for (size_t i = 0; i < scene->count; i++)
        view_bus(&views[i], scene->buses[i]);
    for (size_t m = 0; m < metric_count; m++) {
        struct writer writer = {.to = to,
                                .metric = &metric_table[m],
                                .subject.now_ns = clock_now_ns(),
                                .subject.since_1970_ns = clock_since_1970_ns()};
        (void)fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", writer.metric->name, writer.metric->help,
                      writer.metric->name, writer.metric->is_counter ? "counter" : "gauge");
        if (writer.metric->scope == METRIC_PROGRAM)
            write_sample(&writer);
        else
            for (size_t i = 0; i < scene->count; i++)
                write_bus(&writer, &views[i]);
    }
    for (size_t i = 0; i < scene->count; i++)
        free(views[i].topics);
    free(views);
}
