/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_reader.h"

#include "tests/unit/tools/peal/mcap/mcap_fixture.h"

#include <stdio.h>

#define CHANNELS 3

/* A file of 3 topics, t1 to t3, whose messages come out of order by up to `jitter_ns`; 1,000 ns apart. */
static int file_of(enum mcap_compression compression, uint32_t messages, uint32_t jitter_ns)
{
    int fd = memory_file("", 0);
    uint64_t seed = 7;
    struct mcap_error error;
    uint16_t channels[CHANNELS];
    struct mcap_writer *writer = writer_on(
        fd, (struct mcap_writer_options){.chunk_bytes = 2048, .compression = compression});
    const struct mcap_pair pairs[] = {{"url", "posix:/test"}};
    assert_int_equal(mcap_writer_metadata(writer, "peal:bus", pairs, 1, &error), MCAP_OK);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        char topic[8];
        (void)snprintf(topic, sizeof(topic), "t%u", i + 1);
        channels[i] = add_channel(writer, topic, i > 0 ? "type" : NULL);
    }
    for (uint32_t i = 0; i < messages; i++)
        put(writer, channels[i % CHANNELS], i,
            UINT64_C(1000000) + i * 1000 + (jitter_ns ? random_below(&seed, jitter_ns) : 0),
            random_below(&seed, 200));
    close_well(writer);
    return fd;
}

static bool wants_t2(void *context, const char *topic)
{
    (void)context;
    return strcmp(topic, "t2") == 0;
}

static void messages_come_in_order_of_time_across_chunks(void **state)
{
    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        int fd = file_of((enum mcap_compression)compression, 600, 100000);
        struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
        const struct mcap_reader_info *info = mcap_reader_info(reader);
        struct mcap_error error;
        assert_true(info->from_summary && info->damage.status == MCAP_OK);
        assert_true(info->chunk_count > 20);
        assert_int_equal(info->messages, 600);
        assert_int_equal(count_messages(reader, true), 600);
        assert_int_equal(mcap_reader_rewind(reader, &error), MCAP_OK);
        assert_int_equal(count_messages(reader, true), 600);
        mcap_reader_close(reader);
        reader = reader_on(fd, (struct mcap_reader_options){.reading = MCAP_BY_FILE});
        assert_int_equal(count_messages(reader, false), 600);
        assert_int_equal(mcap_reader_rewind(reader, &error), MCAP_OK);
        assert_int_equal(count_messages(reader, false), 600);
        mcap_reader_close(reader);
        (void)close(fd);
    }
}

static void topics_and_times_are_chosen(void **state)
{
    (void)state;
    int fd = file_of(MCAP_COMPRESSION_LZ4, 600, 0);
    for (int reading = MCAP_BY_TIME; reading <= MCAP_BY_FILE; reading++) {
        struct mcap_reader_options options = {.reading = (enum mcap_reading)reading,
                                              .filter = {.wants = wants_t2}};
        struct mcap_reader *reader = reader_on(fd, options);
        assert_int_equal(count_messages(reader, true), 200);
        mcap_reader_close(reader);
        options = (struct mcap_reader_options){
            .reading = (enum mcap_reading)reading, .from_ns = 1100000, .until_ns = 1199000};
        reader = reader_on(fd, options);
        assert_int_equal(count_messages(reader, true), 100);
        mcap_reader_close(reader);
    }
    (void)close(fd);
}

static void what_is_known_of_a_topic_is_read_back(void **state)
{
    (void)state;
    int fd = file_of(MCAP_COMPRESSION_ZSTD, 10, 0);
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    const struct mcap_catalog *catalog = mcap_reader_catalog(reader);
    const struct mcap_channel *channel = mcap_catalog_channel(catalog, 2);
    struct mcap_span value;
    struct mcap_metadata_view metadata;
    struct mcap_error error;
    assert_string_equal(channel->topic, "t2");
    assert_string_equal(channel->encoding, "application/octet-stream");
    assert_string_equal(mcap_catalog_schema(catalog, channel->schema_id)->name, "type");
    assert_true(mcap_map_find(channel->metadata, "peal:schema_hash", &value));
    assert_int_equal(value.size_bytes, 6);
    assert_memory_equal(value.bytes, "0x1234", 6);
    assert_false(mcap_map_find(channel->metadata, "peal:", &value));
    assert_int_equal(mcap_catalog_channel(catalog, 1)->schema_id, 0);
    assert_null(mcap_catalog_channel(catalog, 9));
    assert_int_equal(mcap_reader_info(reader)->metadata_count, 1);
    assert_int_equal(mcap_reader_metadata(reader, 0, &metadata, &error), MCAP_OK);
    assert_memory_equal(metadata.name.bytes, "peal:bus", 8);
    assert_true(mcap_map_find(metadata.map, "url", &value));
    assert_memory_equal(value.bytes, "posix:/test", 11);
    assert_int_equal(mcap_reader_metadata(reader, 1, &metadata, &error), MCAP_INVALID);
    mcap_reader_close(reader);
    (void)close(fd);
}

static void chunks_that_overlap_too_much_are_refused_with_the_place(void **state)
{
    (void)state;
    int fd = file_of(MCAP_COMPRESSION_NONE, 600, 10000000);
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.memory_bytes = 10000});
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_error error;
    enum mcap_status status = MCAP_OK;
    while (status == MCAP_OK)
        status = mcap_reader_next(reader, &message, &channel, &error);
    assert_int_equal(status, MCAP_LIMIT);
    assert_non_null(strstr(error.text, "chunks at once"));
    mcap_reader_close(reader);
    (void)close(fd);
}

static void a_chunk_beyond_the_limit_is_not_unpacked(void **state)
{
    (void)state;
    int fd = memory_file("", 0);
    struct mcap_writer *writer =
        writer_on(fd, (struct mcap_writer_options){.compression = MCAP_COMPRESSION_ZSTD});
    char *zeros = calloc(1, 4 << 20);
    struct mcap_message message = {
        .channel_id = add_channel(writer, "t", NULL), .data = zeros, .size_bytes = 4 << 20};
    struct mcap_error error;
    assert_int_equal(mcap_writer_message(writer, &message, MCAP_WAIT, &error), MCAP_OK);
    close_well(writer);
    free(zeros);
    struct mcap_reader *reader =
        reader_on(fd, (struct mcap_reader_options){.limit_bytes = 1 << 20});
    const struct mcap_channel *channel;
    assert_int_equal(mcap_reader_next(reader, &message, &channel, &error), MCAP_LIMIT);
    assert_non_null(strstr(error.text, "at most 1048576 are read"));
    assert_int_equal(mcap_reader_next(reader, &message, &channel, &error), MCAP_END);
    mcap_reader_close(reader);
    (void)close(fd);
}

static void what_is_no_mcap_file_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size_bytes;
        enum mcap_status status;
    } files[] = {
        {"", 0, MCAP_TORN},
        {"hello, world", 12, MCAP_BROKEN},
        {MCAP_MAGIC, 8, MCAP_TORN},
        {MCAP_MAGIC "\x01\xff\xff\xff\xff\xff\xff\xff\xff", 17, MCAP_TORN},
        {MCAP_MAGIC "\x02\0\0\0\0\0\0\0\0", 17, MCAP_BROKEN},
        {MCAP_MAGIC "\0\0\0\0\0\0\0\0\0", 17, MCAP_BROKEN},
    };
    struct mcap_reader *reader;
    struct mcap_error error;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        int fd = memory_file(files[i].bytes, files[i].size_bytes);
        assert_int_equal(mcap_reader_open(&reader, fd, NULL, &error), files[i].status);
        assert_true(strlen(error.text) > 10);
        (void)close(fd);
    }
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(mcap_reader_open(&reader, fds[0], NULL, &error), MCAP_INVALID);
    assert_non_null(strstr(error.text, "not a regular file"));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Reads everything that can be read; whatever happens, it ends. Answers whether anything was told to be wrong. */
static bool read_all(int fd, enum mcap_reading reading, uint64_t *messages)
{
    struct mcap_reader_options options = {.reading = reading, .limit_bytes = 1 << 20};
    struct mcap_reader *reader;
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_metadata_view metadata;
    struct mcap_error error;
    *messages = 0;
    if (mcap_reader_open(&reader, fd, &options, &error) != MCAP_OK)
        return true;
    bool wrong = mcap_reader_info(reader)->damage.status != MCAP_OK;
    for (enum mcap_status status = MCAP_OK; status != MCAP_END;) {
        status = mcap_reader_next(reader, &message, &channel, &error);
        wrong = wrong || (status != MCAP_OK && status != MCAP_END);
        *messages += status == MCAP_OK;
    }
    for (size_t i = 0; i < mcap_reader_info(reader)->metadata_count; i++)
        wrong = mcap_reader_metadata(reader, i, &metadata, &error) != MCAP_OK || wrong;
    mcap_reader_close(reader);
    return wrong;
}

/* The CRC of the data vouches for every byte before the summary, when the whole file is read; that of the summary for the rest. */
static void every_byte_that_is_spoilt_is_noticed_and_none_crashes(void **state)
{
    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        int fd = file_of((enum mcap_compression)compression, 20, 0);
        size_t size_bytes;
        unsigned char *bytes = bytes_of(fd, &size_bytes);
        uint64_t seed = random_seed() + (uint64_t)compression;
        for (size_t at = seed % BYTE_STEP; at < size_bytes; at += BYTE_STEP) {
            unsigned char spoilt = (unsigned char)(bytes[at] ^ (1U << random_below(&seed, 8)));
            uint64_t messages;
            assert_true(pwrite(fd, &spoilt, 1, (off_t)at) == 1);
            bool by_time = read_all(fd, MCAP_BY_TIME, &messages);
            assert_true(messages <= 20);
            bool by_file = read_all(fd, MCAP_BY_FILE, &messages);
            assert_true(messages <= 21); /* an index may have turned into a message */
            if (!by_time && !by_file)
                fail_msg("byte %zu of %zu, compression %d", at, size_bytes, compression);
            assert_true(pwrite(fd, &bytes[at], 1, (off_t)at) == 1);
        }
        free(bytes);
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order_of_time_across_chunks),
        cmocka_unit_test(topics_and_times_are_chosen),
        cmocka_unit_test(what_is_known_of_a_topic_is_read_back),
        cmocka_unit_test(chunks_that_overlap_too_much_are_refused_with_the_place),
        cmocka_unit_test(a_chunk_beyond_the_limit_is_not_unpacked),
        cmocka_unit_test(what_is_no_mcap_file_is_refused),
        cmocka_unit_test(every_byte_that_is_spoilt_is_noticed_and_none_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
