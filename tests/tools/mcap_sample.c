/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcap_sample FILE none|lz4|zstd [torn]: writes a file for other readers, and prints what they must find in it, a line for each
 * message: topic, type, sequence, log time, publish time, bytes, CRC-32. With `torn`, the file is one that was cut off and
 * recovered.
 */
#include "tests/support/random.h"
#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/mcap/mcap_recover.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS 3
#define MESSAGES 2000

static void must(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "mcap_sample: %s\n", what);
        exit(1);
    }
}

static uint16_t add_channel(struct mcap_writer *writer, unsigned number)
{
    char topic[16];
    uint16_t schema = 0;
    uint16_t id;
    struct mcap_error error = {.text = ""};
    const struct mcap_pair pairs[] = {{"peal:schema_hash", "0x00000000deadbeef"}};
    (void)snprintf(topic, sizeof(topic), "topic/%u", number);
    if (number > 0)
        must(mcap_writer_schema(writer, "a type", "", (struct mcap_span){NULL, 0}, &schema,
                                &error) == MCAP_OK,
             error.text);
    must(mcap_writer_channel(writer, schema, topic, "application/octet-stream", pairs, 1, &id,
                             &error) == MCAP_OK,
         error.text);
    return id;
}

static void write_file(int fd, enum mcap_compression compression)
{
    struct mcap_writer *writer;
    struct mcap_error error = {.text = ""};
    const struct mcap_writer_options options = {.compression = compression, .chunk_bytes = 16384};
    const struct mcap_pair pairs[] = {{"url", "posix:/sample"}, {"empty", ""}};
    uint16_t channels[CHANNELS];
    uint64_t seed = 5;
    must(mcap_writer_open(&writer, fd, &options, &error) == MCAP_OK, error.text);
    for (unsigned i = 0; i < CHANNELS; i++)
        channels[i] = add_channel(writer, i);
    must(mcap_writer_metadata(writer, "peal:bus", pairs, 2, &error) == MCAP_OK, error.text);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        unsigned char data[600];
        struct mcap_message message = {
            .channel_id = channels[random_below(&seed, CHANNELS)],
            .sequence = i,
            /* Chunks overlap in time, and no two times are the same. */
            .log_time_ns = (UINT64_C(1700000000000000) + i + random_below(&seed, 500)) * 10000 + i,
            .data = data,
            .size_bytes = random_below(&seed, sizeof(data)),
        };
        message.publish_time_ns = message.log_time_ns - i;
        content_fill(data, message.size_bytes, message.channel_id, i);
        must(mcap_writer_message(writer, &message, MCAP_WAIT, &error) == MCAP_OK, error.text);
    }
    must(mcap_writer_close(writer, &error) == MCAP_OK, error.text);
}

static void print_file(int fd)
{
    struct mcap_reader *reader;
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_error error = {.text = ""};
    must(mcap_reader_open(&reader, fd, NULL, &error) == MCAP_OK, error.text);
    must(mcap_reader_info(reader)->damage.status == MCAP_OK, "the file is damaged");
    while (mcap_reader_next(reader, &message, &channel, &error) == MCAP_OK) {
        const struct mcap_schema *schema =
            mcap_catalog_schema(mcap_reader_catalog(reader), channel->schema_id);
        printf("%s|%s|%" PRIu32 "|%" PRIu64 "|%" PRIu64 "|%zu|%" PRIu32 "\n", channel->topic,
               schema ? schema->name : "", message.sequence, message.log_time_ns,
               message.publish_time_ns, message.size_bytes,
               mcap_crc(message.data, message.size_bytes));
    }
    must(error.text[0] == '\0', error.text);
    mcap_reader_close(reader);
}

static void tear_and_recover(const char *path, int fd)
{
    struct mcap_recovered recovered;
    struct mcap_error error = {.text = ""};
    must(ftruncate(fd, lseek(fd, 0, SEEK_END) * 2 / 3) == 0, "cannot cut the file");
    must(unlink(path) == 0, "cannot remove the file");
    int into = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(into >= 0, "cannot create the file");
    must(mcap_recover(fd, into, NULL, &recovered, &error) == MCAP_OK, error.text);
    must(recovered.messages > MESSAGES / 2 && recovered.messages < MESSAGES && !recovered.was_whole,
         "it was not recovered as it should be");
    print_file(into);
    (void)close(into);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"none", "lz4", "zstd"};
    must(argc == 3 || argc == 4, "usage: mcap_sample FILE none|lz4|zstd [torn]");
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0, "cannot create the file");
    for (int i = 0; i < 3; i++) {
        if (strcmp(argv[2], names[i]) == 0)
            write_file(fd, (enum mcap_compression)i);
    }
    if (argc == 4)
        tear_and_recover(argv[1], fd);
    else
        print_file(fd);
    (void)close(fd);
    return fflush(stdout) == 0 ? 0 : 1;
}
