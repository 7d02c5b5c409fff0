/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcap_dump FILE [text|losses]: prints the messages of a whole recording in the order of their log times, as mcap_sample does:
 * topic, type, sequence, log time, publish time, bytes, CRC-32. With `text`: topic, publisher, sequence, content. With `losses`,
 * what the file says of messages that it has not: topic, publisher, how many, how many of them had no number, ranges.
 */
#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/mcap/mcap_sink.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "mcap_dump: %s\n", what);
        exit(1);
    }
}

static void print_value(struct mcap_span map, const char *key, const char *behind)
{
    struct mcap_span value;
    if (!mcap_map_find(map, key, &value))
        value = (struct mcap_span){0};
    printf("%.*s%s", (int)value.size_bytes, (const char *)value.bytes, behind);
}

static void print_messages(struct mcap_reader *reader, bool text)
{
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_error error = {.text = ""};
    enum mcap_status status;
    while ((status = mcap_reader_next(reader, &message, &channel, &error)) == MCAP_OK) {
        const struct mcap_schema *schema =
            mcap_catalog_schema(mcap_reader_catalog(reader), channel->schema_id);
        printf("%s|", channel->topic);
        if (text) {
            print_value(channel->metadata, "peal:publisher", "|");
            printf("%" PRIu32 "|%.*s\n", message.sequence, (int)message.size_bytes,
                   (const char *)message.data);
            continue;
        }
        printf("%s|%" PRIu32 "|%" PRIu64 "|%" PRIu64 "|%zu|%" PRIu32 "\n",
               schema ? schema->name : "", message.sequence, message.log_time_ns,
               message.publish_time_ns, message.size_bytes,
               mcap_crc(message.data, message.size_bytes));
    }
    must(status == MCAP_END, error.text);
}

static void print_losses(struct mcap_reader *reader)
{
    struct mcap_metadata_view metadata;
    struct mcap_error error = {.text = ""};
    for (size_t i = 0; i < mcap_reader_info(reader)->metadata_count; i++) {
        must(mcap_reader_metadata(reader, i, &metadata, &error) == MCAP_OK, error.text);
        if (metadata.name.size_bytes != strlen("peal:losses") ||
            memcmp(metadata.name.bytes, "peal:losses", metadata.name.size_bytes) != 0)
            continue;
        print_value(metadata.map, "topic", "|");
        print_value(metadata.map, "publisher", "|");
        print_value(metadata.map, "lost", "|");
        print_value(metadata.map, "unnumbered", "|");
        print_value(metadata.map, "ranges", "\n");
    }
}

int main(int argc, char **argv)
{
    struct mcap_reader *reader;
    struct mcap_error error = {.text = ""};
    must(argc == 2 || argc == 3, "usage: mcap_dump FILE [text|losses]");
    const int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    must(fd >= 0, "cannot open the file");
    must(mcap_reader_open(&reader, fd, NULL, &error) == MCAP_OK, error.text);
    must(mcap_reader_info(reader)->damage.status == MCAP_OK, "the file is damaged");
    if (argc == 3 && strcmp(argv[2], "losses") == 0)
        print_losses(reader);
    else
        print_messages(reader, argc == 3);
    mcap_reader_close(reader);
    (void)close(fd);
    return fflush(stdout) == 0 ? 0 : 1;
}
