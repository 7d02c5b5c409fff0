/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_writer.h"

#include "tests/unit/tools/peal/mcap/mcap_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tests/support/eventually.h"

static void options_and_texts_that_cannot_be_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        struct mcap_writer_options options;
        const char *reason;
    } wrong[] = {
        {{.chunk_bytes = 5}, "1 KiB to 64 MiB"},
        {{.chunk_bytes = (size_t)65 << 20}, "1 KiB to 64 MiB"},
        {{.chunks = 1}, "2 to 1024"},
        {{.compression = (enum mcap_compression)3}, "no such compression"},
    };
    struct mcap_writer *writer;
    struct mcap_error error;
    int fd = memory_file("", 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mcap_writer_open(&writer, fd, &wrong[i].options, &error), MCAP_INVALID);
        assert_non_null(strstr(error.text, wrong[i].reason));
        assert_null(writer);
    }
    writer = writer_on(fd, (struct mcap_writer_options){.chunks = 0});
    uint16_t id;
    assert_int_equal(mcap_writer_channel(writer, 0, "\xc0\x80", "", NULL, 0, &id, &error),
                     MCAP_INVALID);
    assert_int_equal(mcap_writer_channel(writer, 0, "\xed\xa0\x80", "", NULL, 0, &id, &error),
                     MCAP_INVALID);
    assert_int_equal(mcap_writer_channel(writer, 1, "t", "", NULL, 0, &id, &error), MCAP_INVALID);
    assert_non_null(strstr(error.text, "no schema 1"));
    struct mcap_message message = {.channel_id = 1};
    assert_int_equal(mcap_writer_message(writer, &message, MCAP_WAIT, &error), MCAP_INVALID);
    assert_int_equal(add_channel(writer, "t\xc3\xa4\xf0\x9f\x98\x80", NULL), 1);
    message.size_bytes = MCAP_RECORDS_BYTES_MAX;
    assert_int_equal(mcap_writer_message(writer, &message, MCAP_WAIT, &error), MCAP_INVALID);
    assert_non_null(strstr(error.text, "too large"));
    close_well(writer);
    (void)close(fd);
}

static void a_file_without_a_message_is_whole(void **state)
{
    (void)state;
    int fd = memory_file("", 0);
    close_well(writer_on(fd, (struct mcap_writer_options){.chunks = 0}));
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_OK);
    assert_int_equal(count_messages(reader, true), 0);
    mcap_reader_close(reader);
    (void)close(fd);
}

/* Each chunk is understood alone: the file is cut before its last chunk's start, and that chunk is pasted behind the header. */
static void every_chunk_has_its_schemas_and_channels(void **state)
{
    (void)state;
    int fd = memory_file("", 0);
    struct mcap_writer *writer = writer_on(fd, (struct mcap_writer_options){.chunk_bytes = 1024});
    uint16_t channel = add_channel(writer, "topic", "type");
    for (uint32_t i = 0; i < 100; i++)
        put(writer, channel, i, 1000 + i, 100);
    close_well(writer);
    struct mcap_source source;
    struct mcap_catalog catalog;
    struct mcap_index index;
    struct mcap_error error;
    assert_int_equal(mcap_source_open(&source, fd, 0, &error), MCAP_OK);
    assert_true(mcap_catalog_init(&catalog, (struct mcap_filter){0}));
    assert_int_equal(mcap_index_load(&index, &source, &catalog, &error), MCAP_OK);
    assert_true(index.from_summary);
    assert_true(index.chunk_count > 5);
    size_t size_bytes;
    unsigned char *bytes = bytes_of(fd, &size_bytes);
    size_t head = (size_t)index.chunks[0].offset;
    for (size_t i = 0; i < index.chunk_count; i++) {
        int alone = memory_file(bytes, head);
        const struct mcap_index_chunk *chunk = &index.chunks[i];
        assert_true(write(alone, bytes + chunk->offset, (size_t)chunk->length_bytes) ==
                    (ssize_t)chunk->length_bytes);
        struct mcap_reader *reader = reader_on(alone, (struct mcap_reader_options){.from_ns = 0});
        assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_TORN);
        assert_true(count_messages(reader, true) > 3);
        mcap_reader_close(reader);
        (void)close(alone);
    }
    free(bytes);
    mcap_index_free(&index);
    mcap_catalog_end(&catalog);
    (void)close(fd);
}

struct pipe_reader {
    int from;
    int into;
};

static void *read_pipe(void *context)
{
    struct pipe_reader *pipe_reader = context;
    char bytes[4096];
    for (ssize_t got; (got = read(pipe_reader->from, bytes, sizeof(bytes))) > 0;) {
        if (write(pipe_reader->into, bytes, (size_t)got) != got)
            return context;
    }
    return NULL;
}

static void who_may_not_wait_is_told_and_what_was_taken_is_written(void **state)
{
    (void)state;
    int fds[2];
    struct mcap_error error;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct mcap_writer *writer =
        writer_on(fds[1], (struct mcap_writer_options){.chunk_bytes = 65536, .chunks = 3});
    uint16_t channel = add_channel(writer, "topic", NULL);
    unsigned char data[1000];
    uint32_t taken = 0;
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct mcap_message message = {.channel_id = channel,
                                       .sequence = taken,
                                       .data = data,
                                       .log_time_ns = taken,
                                       .size_bytes = sizeof(data)};
        content_fill(data, sizeof(data), channel, taken);
        enum mcap_status status = mcap_writer_message(writer, &message, MCAP_NO_WAIT, &error);
        assert_true(status == MCAP_OK || status == MCAP_BUSY);
        taken += status == MCAP_OK;
        refused += status == MCAP_BUSY;
    }
    assert_true(refused > 9000);
    assert_true(taken <= 5 * 65536 / 1000); /* three chunks and what is in the pipe */
    struct pipe_reader pipe_reader = {.from = fds[0], .into = memory_file("", 0)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &pipe_reader), 0);
    struct mcap_writer_counts counts;
    assert_int_equal(mcap_writer_flush(writer, &error), MCAP_OK);
    mcap_writer_counts(writer, &counts);
    assert_int_equal(counts.messages_taken, taken);
    assert_int_equal(counts.messages_written, taken);
    close_well(writer);
    (void)close(fds[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    struct mcap_reader *reader =
        reader_on(pipe_reader.into, (struct mcap_reader_options){.from_ns = 0});
    assert_true(mcap_reader_info(reader)->from_summary);
    assert_int_equal(mcap_reader_info(reader)->messages, taken);
    mcap_reader_close(reader);
    (void)close(fds[0]);
    (void)close(pipe_reader.into);
}

static void a_closed_pipe_is_told_with_the_number_of_messages_that_it_cost(void **state)
{
    (void)state;
    int fds[2];
    struct mcap_error error;
    struct mcap_writer_counts counts;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct mcap_writer *writer =
        writer_on(fds[1], (struct mcap_writer_options){.chunk_bytes = 4096});
    uint16_t channel = add_channel(writer, "topic", NULL);
    put(writer, channel, 0, 1, 100);
    assert_int_equal(mcap_writer_flush(writer, &error), MCAP_OK);
    (void)close(fds[0]);
    put(writer, channel, 1, 2, 100);
    put(writer, channel, 2, 3, 100);
    assert_int_equal(mcap_writer_flush(writer, &error), MCAP_SYSTEM);
    assert_int_equal(error.system, EPIPE);
    struct mcap_message message = {.channel_id = channel};
    assert_int_equal(mcap_writer_poll(writer, &error), MCAP_SYSTEM);
    assert_int_equal(mcap_writer_message(writer, &message, MCAP_WAIT, &error), MCAP_SYSTEM);
    mcap_writer_counts(writer, &counts);
    assert_int_equal(counts.messages_taken, 3);
    assert_int_equal(counts.messages_written, 1);
    assert_int_equal(mcap_writer_close(writer, &error), MCAP_SYSTEM);
    assert_int_equal(error.system, EPIPE);
    assert_non_null(strstr(error.text, "the last 2 of 3 messages are not in the file"));
    (void)close(fds[1]);
}

static void a_full_disk_leaves_a_file_that_is_readable_up_to_the_last_chunk(void **state)
{
    (void)state;
    struct mcap_error error;
    int fd = memory_file("", 0);
    const struct rlimit narrow = {.rlim_cur = 20000, .rlim_max = RLIM_INFINITY};
    const struct rlimit wide = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    (void)signal(SIGXFSZ, SIG_IGN);
    struct mcap_writer *writer = writer_on(fd, (struct mcap_writer_options){.chunk_bytes = 4096});
    uint16_t channel = add_channel(writer, "topic", NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    uint64_t taken = 0;
    enum mcap_status status = MCAP_OK;
    while (status == MCAP_OK) {
        unsigned char data[500];
        content_fill(data, sizeof(data), channel, taken);
        struct mcap_message message = {.channel_id = channel,
                                       .sequence = (uint32_t)taken,
                                       .data = data,
                                       .log_time_ns = 5000 + taken,
                                       .publish_time_ns = 5000,
                                       .size_bytes = sizeof(data)};
        status = mcap_writer_message(writer, &message, MCAP_WAIT, &error);
        taken += status == MCAP_OK;
    }
    struct mcap_writer_counts counts;
    assert_int_equal(mcap_writer_flush(writer, &error), MCAP_SYSTEM);
    mcap_writer_counts(writer, &counts);
    assert_int_equal(counts.messages_taken, taken);
    assert_int_equal(mcap_writer_close(writer, &error), MCAP_SYSTEM);
    assert_int_equal(error.system, EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &wide), 0);
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_TORN);
    assert_true(counts.messages_written > 20);
    assert_int_equal(count_messages(reader, true), counts.messages_written);
    mcap_reader_close(reader);
    (void)close(fd);
}

static bool chunk_is_written(void *context)
{
    struct mcap_writer_counts counts;
    struct mcap_error error;
    assert_int_equal(mcap_writer_poll(context, &error), MCAP_OK);
    mcap_writer_counts(context, &counts);
    return counts.messages_written == 1;
}

static void a_chunk_that_is_old_is_written_though_it_is_not_full(void **state)
{
    (void)state;
    int fd = memory_file("", 0);
    struct mcap_writer *writer = writer_on(fd, (struct mcap_writer_options){.chunk_age_ns = 1});
    put(writer, add_channel(writer, "topic", NULL), 0, 1, 10);
    assert_true(eventually(chunk_is_written, writer, EVENTUALLY_TIMEOUT_NS));
    close_well(writer);
    (void)close(fd);
}

static void put_reserved(struct mcap_writer *writer, uint16_t channel, uint32_t number,
                         size_t size_bytes, bool commit)
{
    struct mcap_error error;
    void *room;
    assert_int_equal(mcap_writer_reserve(writer, channel, size_bytes, MCAP_WAIT, &room, &error),
                     MCAP_OK);
    memset(room, (int)number, size_bytes);
    const struct mcap_message message = {.channel_id = channel,
                                         .sequence = number,
                                         .log_time_ns = 1000 + number,
                                         .data = room,
                                         .size_bytes = size_bytes};
    if (commit)
        mcap_writer_commit(writer, &message);
}

static void room_that_is_given_back_leaves_nothing(void **state)
{
    (void)state;
    int fd = memory_file("", 0);
    struct mcap_writer *writer = writer_on(fd, (struct mcap_writer_options){.chunk_bytes = 1024});
    struct mcap_error error;
    const uint16_t kept = add_channel(writer, "kept", NULL);
    const uint16_t never = add_channel(writer, "never", "type");
    for (uint32_t i = 0; i < 100; i++) {
        put_reserved(writer, never, 200, i * 13, false);
        put_reserved(writer, kept, i, i, true);
        put_reserved(writer, kept, 201, 500, false);
    }
    /* A chunk that has only what was given back is none. */
    assert_int_equal(mcap_writer_flush(writer, &error), MCAP_OK);
    put_reserved(writer, never, 202, 10, false);
    assert_int_equal(mcap_writer_metadata(writer, "name", NULL, 0, &error), MCAP_OK);
    close_well(writer);
    struct mcap_reader *reader = reader_on(fd, (struct mcap_reader_options){.from_ns = 0});
    assert_int_equal(mcap_reader_info(reader)->damage.status, MCAP_OK);
    assert_int_equal(mcap_reader_info(reader)->messages, 100);
    assert_int_equal(mcap_reader_info(reader)->metadata_count, 1);
    assert_int_equal(mcap_reader_channel_messages(reader, kept), 100);
    assert_int_equal(mcap_reader_channel_messages(reader, never), 0);
    struct mcap_message message;
    const struct mcap_channel *channel;
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(mcap_reader_next(reader, &message, &channel, &error), MCAP_OK);
        assert_int_equal(message.sequence, i);
        assert_int_equal(message.size_bytes, i);
        for (size_t at = 0; at < message.size_bytes; at++)
            assert_int_equal(((const unsigned char *)message.data)[at], i);
    }
    assert_int_equal(mcap_reader_next(reader, &message, &channel, &error), MCAP_END);
    mcap_reader_close(reader);
    /* Other readers look for an index of each channel that has a message in a chunk, and for no other. */
    size_t size_bytes;
    unsigned char *bytes = bytes_of(fd, &size_bytes);
    size_t empty = 0;
    static const unsigned char head[] = {MCAP_MESSAGE_INDEX, 6, 0, 0, 0, 0, 0, 0, 0};
    for (size_t at = 0; at + sizeof(head) < size_bytes; at++)
        empty += memcmp(bytes + at, head, sizeof(head)) == 0;
    assert_int_equal(empty, 0);
    free(bytes);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_texts_that_cannot_be_are_refused_with_a_reason),
        cmocka_unit_test(a_file_without_a_message_is_whole),
        cmocka_unit_test(every_chunk_has_its_schemas_and_channels),
        cmocka_unit_test(who_may_not_wait_is_told_and_what_was_taken_is_written),
        cmocka_unit_test(a_closed_pipe_is_told_with_the_number_of_messages_that_it_cost),
        cmocka_unit_test(a_full_disk_leaves_a_file_that_is_readable_up_to_the_last_chunk),
        cmocka_unit_test(a_chunk_that_is_old_is_written_though_it_is_not_full),
        cmocka_unit_test(room_that_is_given_back_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
