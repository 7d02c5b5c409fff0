/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a file that ends anywhere; and random histories, written, read, cut, recovered.
 */
#include "tools/peal/mcap/mcap_recover.h"

#include "tests/unit/tools/peal/mcap/mcap_fixture.h"
#include "tools/peal/mcap/mcap_scan.h"

#include <signal.h>
#include <sys/wait.h>

#define ROUNDS 60
#define CHANNELS_MAX 6

/* How a test file is made; and how many of its messages are before which byte, by the chunk that holds them. */
struct history {
    enum mcap_compression compression;
    size_t chunk_bytes;
    uint32_t channels;
    uint32_t messages;
    uint32_t size_max_bytes;
    uint32_t metadata;
};

static int make(const struct history *history, uint64_t seed)
{
    int fd = memory_file("", 0);
    uint16_t channels[CHANNELS_MAX] = {0};
    struct mcap_error error;
    struct mcap_writer *writer =
        writer_on(fd, (struct mcap_writer_options){.compression = history->compression,
                                                   .chunk_bytes = history->chunk_bytes});
    for (uint32_t i = 0; i < history->channels; i++)
        channels[i] = add_channel(writer, (const char[]){'t', (char)('0' + i), '\0'},
                                  i % 2 ? "a type" : NULL);
    for (uint32_t i = 0; i < history->messages; i++) {
        /* Each channel in turn first: recovering numbers them by their first message. */
        uint32_t channel = i < history->channels ? i : random_below(&seed, history->channels);
        put(writer, channels[channel], i, 1000000 + random_below(&seed, 100000),
            random_below(&seed, history->size_max_bytes));
        if (history->metadata > 0 && random_below(&seed, history->metadata) == 0) {
            const struct mcap_pair pair = {"losses", "3"};
            assert_int_equal(mcap_writer_metadata(writer, "peal:losses", &pair, 1, &error),
                             MCAP_OK);
        }
    }
    close_well(writer);
    return fd;
}

/* Recovers the first `size_bytes` bytes; the result must be a file without fault. */
static struct mcap_recovered recovered_from(const unsigned char *bytes, size_t size_bytes,
                                            uint64_t *messages)
{
    int from = memory_file(bytes, size_bytes);
    int into = memory_file("", 0);
    struct mcap_recovered recovered;
    struct mcap_error error;
    *messages = 0;
    if (mcap_recover(from, into, NULL, &recovered, &error) == MCAP_OK) {
        struct mcap_reader *reader = reader_on(into, (struct mcap_reader_options){.from_ns = 0});
        assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_OK);
        assert_int_equal(mcap_reader_info(reader)->metadata_count, recovered.metadata);
        *messages = count_messages(reader, true);
        assert_int_equal(*messages, recovered.messages);
        mcap_reader_close(reader);
    } else {
        /* Only a file that is cut in its head cannot be recovered. */
        assert_int_equal(error.status, MCAP_TORN);
        assert_true(size_bytes < 64);
    }
    (void)close(from);
    (void)close(into);
    return recovered;
}

/* Messages whose last byte, or whose chunk's last byte if that is compressed, is before each byte of the file. */
static uint64_t *expected_messages(int fd, size_t size_bytes, bool compressed)
{
    uint64_t *expected = calloc(size_bytes + 1, sizeof(*expected));
    struct mcap_source source;
    struct mcap_catalog catalog;
    struct mcap_scan *scan = calloc(1, sizeof(*scan));
    struct mcap_item item;
    struct mcap_error error;
    uint64_t chunk_end = 0;
    assert_true(expected && scan && mcap_catalog_init(&catalog, (struct mcap_filter){0}));
    assert_int_equal(mcap_source_open(&source, fd, 0, &error), MCAP_OK);
    assert_int_equal(mcap_scan_begin(scan, &source, &catalog, &error), MCAP_OK);
    while (mcap_scan_next(scan, &item, &error) == MCAP_OK) {
        if (item.kind == MCAP_ITEM_CHUNK)
            chunk_end = item.offset + item.length_bytes;
        if (item.kind != MCAP_ITEM_MESSAGE)
            continue;
        const unsigned char *end =
            (const unsigned char *)item.message.data + item.message.size_bytes;
        const struct mcap_span *records = &scan->block.records;
        uint64_t behind = (uint64_t)(records->bytes + records->size_bytes - end);
        expected[compressed ? chunk_end : chunk_end - behind]++;
    }
    mcap_scan_end(scan);
    free(scan);
    mcap_catalog_end(&catalog);
    for (size_t at = 1; at <= size_bytes; at++)
        expected[at] += expected[at - 1];
    return expected;
}

static void a_file_cut_at_any_byte_keeps_all_that_is_whole(void **state)
{
    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        const struct history history = {.compression = (enum mcap_compression)compression,
                                        .chunk_bytes = 1024,
                                        .channels = 2,
                                        .messages = 24,
                                        .size_max_bytes = 100,
                                        .metadata = 10};
        int fd = make(&history, 1);
        size_t size_bytes;
        unsigned char *bytes = bytes_of(fd, &size_bytes);
        uint64_t *expected = expected_messages(fd, size_bytes, compression != 0);
        uint64_t messages;
        for (size_t at = 0; at <= size_bytes; at += BYTE_STEP) {
            struct mcap_recovered recovered = recovered_from(bytes, at, &messages);
            if (messages != expected[at])
                fail_msg("cut at %zu of %zu, compression %d: %zu messages, not %zu", at, size_bytes,
                         compression, (size_t)messages, (size_t)expected[at]);
            assert_true(recovered.torn_bytes <= at);
            assert_true(compression == 0 || recovered.unchecked == 0);
        }
        (void)recovered_from(bytes, size_bytes, &messages);
        assert_int_equal(messages, 24);
        free(expected);
        free(bytes);
        (void)close(fd);
    }
}

static void a_spoilt_chunk_costs_only_itself(void **state)
{
    (void)state;
    const struct history history = {.compression = MCAP_COMPRESSION_LZ4,
                                    .chunk_bytes = 1024,
                                    .channels = 3,
                                    .messages = 200,
                                    .size_max_bytes = 100};
    int fd = make(&history, 3);
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    size_t chunks = mcap_reader_info(reader)->chunk_count;
    mcap_reader_close(reader);
    size_t size_bytes;
    unsigned char *bytes = bytes_of(fd, &size_bytes);
    uint64_t messages;
    bytes[size_bytes / 2] ^= 0x20;
    struct mcap_recovered recovered = recovered_from(bytes, size_bytes, &messages);
    assert_int_equal(recovered.chunks, chunks - 1);
    assert_int_equal(recovered.damaged, 1); /* and so the CRC of all, which is not counted */
    assert_int_equal(recovered.why.status, MCAP_BROKEN);
    assert_false(recovered.was_whole);
    assert_true(messages > 150 && messages < 200);
    free(bytes);
    (void)close(fd);
}

static void random_histories_are_read_as_they_were_written_and_recovered_where_cut(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (int round = 0; round < ROUNDS; round++) {
        struct history history = {
            .compression = (enum mcap_compression)random_below(&seed, 3),
            .chunk_bytes = (size_t)1024 << random_below(&seed, 6),
            .channels = 1 + random_below(&seed, CHANNELS_MAX),
            .messages = random_below(&seed, 500),
            .size_max_bytes = 1 + random_below(&seed, random_below(&seed, 10) ? 300 : 100000),
            .metadata = random_below(&seed, 20)};
        int fd = make(&history, seed);
        size_t size_bytes;
        unsigned char *bytes = bytes_of(fd, &size_bytes);
        for (int reading = MCAP_BY_TIME; reading <= MCAP_BY_FILE; reading++) {
            struct mcap_reader *reader =
                reader_on(fd, (struct mcap_reader_options){.reading = (enum mcap_reading)reading});
            assert_int_equal(mcap_reader_info(reader)->messages, history.messages);
            assert_int_equal(count_messages(reader, reading == MCAP_BY_TIME), history.messages);
            mcap_reader_close(reader);
        }
        uint64_t *expected = expected_messages(fd, size_bytes, history.compression != 0);
        uint64_t messages;
        size_t at = random_below(&seed, (uint32_t)size_bytes);
        (void)recovered_from(bytes, at, &messages);
        assert_int_equal(messages, expected[at]);
        struct mcap_recovered whole = recovered_from(bytes, size_bytes, &messages);
        assert_true(whole.was_whole);
        assert_int_equal(messages, history.messages);
        free(expected);
        free(bytes);
        (void)close(fd);
    }
}

/* A recorder that is killed while it writes: what it had flushed is there. */
static void a_killed_writer_leaves_all_that_it_had_flushed(void **state)
{
    (void)state;
    int fds[2];
    int fd = memory_file("", 0);
    char word;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct mcap_error error;
        struct mcap_writer *writer =
            writer_on(fd, (struct mcap_writer_options){.chunk_bytes = 4096});
        uint16_t channel = add_channel(writer, "topic", "type");
        for (uint32_t i = 0;; i++) {
            put(writer, channel, i, 1000000 + i, 100);
            if (i == 999 &&
                (mcap_writer_flush(writer, &error) != MCAP_OK || write(fds[1], "x", 1) != 1))
                _exit(1);
        }
    }
    (void)close(fds[1]);
    assert_true(read(fds[0], &word, 1) == 1);
    (void)kill(child, SIGKILL);
    int status;
    assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    assert_false(mcap_reader_info(reader)->from_summary);
    assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_TORN);
    uint64_t readable = count_messages(reader, true);
    mcap_reader_close(reader);
    assert_true(readable >= 1000);
    size_t size_bytes;
    uint64_t messages;
    unsigned char *bytes = bytes_of(fd, &size_bytes);
    struct mcap_recovered recovered = recovered_from(bytes, size_bytes, &messages);
    assert_int_equal(messages, readable + recovered.unchecked);
    free(bytes);
    (void)close(fd);
    (void)close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_at_any_byte_keeps_all_that_is_whole),
        cmocka_unit_test(a_spoilt_chunk_costs_only_itself),
        cmocka_unit_test(random_histories_are_read_as_they_were_written_and_recovered_where_cut),
        cmocka_unit_test(a_killed_writer_leaves_all_that_it_had_flushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
