/* SPDX-License-Identifier: Apache-2.0 */
/* MCAP files in memory, made and read back whole. */
#ifndef PEAL_TESTS_UNIT_TOOLS_PEAL_MCAP_MCAP_FIXTURE_H
#define PEAL_TESTS_UNIT_TOOLS_PEAL_MCAP_MCAP_FIXTURE_H

#include "tests/support/random.h"
#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/mcap/mcap_recover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Tests that go through a file byte by byte take every byte, or with sanitizers, which are slow, every few. */
#if defined(PEAL_SANITIZE_ADDRESS) || defined(PEAL_SANITIZE_THREAD)
#define BYTE_STEP 7
#else
#define BYTE_STEP 1
#endif

#define NO_DATA ((struct mcap_span){NULL, 0})

static inline int memory_file(const void *bytes, size_t size_bytes)
{
    int fd = memfd_create("mcap", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < size_bytes;) {
        ssize_t written = write(fd, (const char *)bytes + done, size_bytes - done);
        assert_true(written > 0);
        done += (size_t)written;
    }
    return fd;
}

/* All bytes of a file; free() them. */
static inline unsigned char *bytes_of(int fd, size_t *size_bytes)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    *size_bytes = (size_t)status.st_size;
    unsigned char *bytes = malloc(*size_bytes + 1);
    assert_non_null(bytes);
    assert_true(pread(fd, bytes, *size_bytes, 0) == (ssize_t)*size_bytes);
    return bytes;
}

static inline struct mcap_writer *writer_on(int fd, struct mcap_writer_options options)
{
    struct mcap_writer *writer;
    struct mcap_error error;
    if (mcap_writer_open(&writer, fd, &options, &error) != MCAP_OK)
        fail_msg("%s", error.text);
    return writer;
}

static inline uint16_t add_channel(struct mcap_writer *writer, const char *topic, const char *type)
{
    struct mcap_error error;
    uint16_t schema = 0;
    uint16_t channel;
    if (type)
        assert_int_equal(mcap_writer_schema(writer, type, "", NO_DATA, &schema, &error), MCAP_OK);
    const struct mcap_pair pairs[] = {{"peal:schema_hash", "0x1234"}, {"key", ""}};
    assert_int_equal(mcap_writer_channel(writer, schema, topic, "application/octet-stream", pairs,
                                         2, &channel, &error),
                     MCAP_OK);
    return channel;
}

/* A message whose content tells its channel and number. */
static inline void put(struct mcap_writer *writer, uint16_t channel, uint32_t number,
                       uint64_t time_ns, size_t size_bytes)
{
    struct mcap_error error;
    unsigned char *data = malloc(size_bytes + 1);
    assert_non_null(data);
    content_fill(data, size_bytes, channel, number);
    struct mcap_message message = {.channel_id = channel,
                                   .sequence = number,
                                   .log_time_ns = time_ns,
                                   .publish_time_ns = time_ns - number,
                                   .data = data,
                                   .size_bytes = size_bytes};
    if (mcap_writer_message(writer, &message, MCAP_WAIT, &error) != MCAP_OK)
        fail_msg("%s", error.text);
    free(data);
}

static inline void close_well(struct mcap_writer *writer)
{
    struct mcap_error error;
    if (mcap_writer_close(writer, &error) != MCAP_OK)
        fail_msg("%s", error.text);
}

static inline struct mcap_reader *reader_on(int fd, struct mcap_reader_options options)
{
    struct mcap_reader *reader;
    struct mcap_error error;
    if (mcap_reader_open(&reader, fd, &options, &error) != MCAP_OK)
        fail_msg("%s", error.text);
    return reader;
}

/* Reads on to the end; every message must be as put() made it. Answers how many there are. */
static inline uint64_t count_messages(struct mcap_reader *reader, bool by_time)
{
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_error error;
    uint64_t count = 0;
    uint64_t before_ns = 0;
    enum mcap_status status;
    while ((status = mcap_reader_next(reader, &message, &channel, &error)) == MCAP_OK) {
        assert_true(
            content_is(message.data, message.size_bytes, message.channel_id, message.sequence));
        assert_true(message.publish_time_ns == message.log_time_ns - message.sequence);
        assert_true(!by_time || message.log_time_ns >= before_ns);
        assert_int_equal(channel->id, message.channel_id);
        before_ns = message.log_time_ns;
        count++;
    }
    if (status != MCAP_END)
        fail_msg("%s", error.text);
    return count;
}

#endif
