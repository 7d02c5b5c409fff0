/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/record_report.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

static size_t topics_with_messages(const struct recording *recording)
{
    size_t count = 0;
    for (size_t i = 0; i < recording->topic_count; i++)
        count += recording->topics[i].channel_count > 0;
    return count;
}

static uint64_t file_bytes(const struct output_file *file)
{
    struct stat status;
    return file->is_ours && stat(file->path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void tell_losses(const struct recording_topic *topic)
{
    char text[512];
    for (size_t i = 0; i < topic->channel_count; i++) {
        const struct recording_channel *channel = topic->channels[i];
        if (channel->losses.lost == 0)
            continue;
        losses_text(&channel->losses, text, sizeof(text));
        note("lost %" PRIu64 " messages of '%s' by '%s': %s", channel->losses.lost, topic->name,
             channel->name, text);
    }
    if (topic->lost_elsewhere > 0)
        note("lost %" PRIu64 " messages of '%s' after the last one that was recorded",
             topic->lost_elsewhere, topic->name);
    if (topic->corrupt > 0)
        note("'%s': %" PRIu64 " times a message or a publisher's lane was spoilt", topic->name,
             topic->corrupt);
}

static void tell(const struct record_report *report)
{
    const struct recording *recording = report->recording;
    struct units_text bytes, time, size;
    const size_t topics = topics_with_messages(recording);
    const uint64_t on_disk = file_bytes(report->file);
    if (!report->quiet || recording->lost > 0)
        note("%" PRIu64 " messages of %zu topic%s, %s, in %s%s%s%s%s", recording->messages, topics,
             topics == 1 ? "" : "s", units_bytes(&bytes, recording->bytes),
             units_duration(&time, report->elapsed_ns), on_disk > 0 ? "; " : "",
             on_disk > 0 ? report->file->name : "", on_disk > 0 ? " has " : "",
             on_disk > 0 ? units_bytes(&size, on_disk) : "");
    for (size_t i = 0; i < recording->topic_count; i++)
        tell_losses(&recording->topics[i]);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------ */

static json_t *json_of_channel(const struct recording_channel *channel)
{
    char incarnation[24];
    json_t *ranges = json_array();
    const struct losses *losses = &channel->losses;
    for (size_t i = 0; i < losses->range_count && i < LOSSES_SHOWN_MAX; i++)
        (void)json_array_append_new(ranges, json_pack("[I, I]", (json_int_t)losses->shown[i].first,
                                                      (json_int_t)losses->shown[i].last));
    (void)snprintf(incarnation, sizeof(incarnation), "0x%016" PRIx64, channel->publisher);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "name", channel->name,
                     "incarnation", incarnation, "messages", (json_int_t)channel->messages, "bytes",
                     (json_int_t)channel->bytes, "lost", (json_int_t)losses->lost,
                     "lost_unnumbered", (json_int_t)losses->unnumbered, "lost_range_count",
                     (json_int_t)losses->range_count, "lost_first_ranges", ranges);
}

static json_t *json_of_topic(const struct recording_topic *topic)
{
    json_t *publishers = json_array();
    for (size_t i = 0; i < topic->channel_count; i++)
        (void)json_array_append_new(publishers, json_of_channel(topic->channels[i]));
    return json_pack("{s:s, s:o, s:I, s:I}", "topic", topic->name, "publishers", publishers,
                     "lost_elsewhere", (json_int_t)topic->lost_elsewhere, "spoilt",
                     (json_int_t)topic->corrupt);
}

static void print_report(const struct record_report *report)
{
    const struct recording *recording = report->recording;
    json_t *topics = json_array();
    for (size_t i = 0; i < recording->topic_count; i++)
        (void)json_array_append_new(topics, json_of_topic(&recording->topics[i]));
    print_json(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "bus", report->url, "file",
                         report->file->path, "file_bytes", (json_int_t)file_bytes(report->file),
                         "duration_ns", (json_int_t)report->elapsed_ns, "messages",
                         (json_int_t)recording->messages, "bytes", (json_int_t)recording->bytes,
                         "lost", (json_int_t)recording->lost, "topics", topics));
}

/* A pattern that no topic matched all the time; NULL: there is none. */
static const char *never_matched(const struct recording *recording)
{
    const struct patterns *patterns = &recording->patterns;
    for (size_t p = 0; p < patterns->count; p++) {
        bool matched = false;
        for (size_t i = 0; i < recording->topic_count && !matched; i++)
            matched = pattern_matches(patterns->texts[p], recording->topics[i].name);
        if (!matched)
            return patterns->texts[p];
    }
    return NULL;
}

int record_report_print(const struct record_report *report)
{
    const struct recording *recording = report->recording;
    bool found = recording->lost > 0 || recording->not_recorded > 0;
    if (common.json)
        print_report(report);
    else
        tell(report);
    for (size_t i = 0; i < recording->topic_count; i++)
        found = found || recording->topics[i].corrupt > 0;
    const char *missing = never_matched(recording);
    if (found)
        return EXIT_FOUND;
    return missing ? fail(EXIT_NOT_FOUND, "there was no topic '%s'", missing) : EXIT_DONE;
}
