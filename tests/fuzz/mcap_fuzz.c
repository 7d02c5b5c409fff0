/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over MCAP files as anybody may hand them to `peal replay` and `peal recover`: read in both orders, and recovered;
 * what was recovered is a file without fault that has as many messages as were told. The input is the file.
 *
 * CRCs that are right cannot be guessed: the corpus has files whose CRCs are 0, which says that there are none.
 */
#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/mcap/mcap_recover.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT_BYTES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static int file_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("mcap", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    return fd;
}

/* Every byte that is given out can be read. */
static unsigned touch(const void *bytes, size_t size_bytes)
{
    const unsigned char *at = bytes;
    unsigned sum = 0;
    for (size_t i = 0; i < size_bytes; i++)
        sum += at[i];
    return sum;
}

/* Answers how many messages there are. Each error but the last must be behind at least 9 bytes of the file. */
static uint64_t read_all(int fd, size_t size, enum mcap_reading reading, bool must_be_whole)
{
    const struct mcap_reader_options options = {
        .reading = reading, .limit_bytes = LIMIT_BYTES, .memory_bytes = 4 * LIMIT_BYTES};
    struct mcap_reader *reader;
    struct mcap_message message;
    const struct mcap_channel *channel;
    struct mcap_metadata_view metadata;
    struct mcap_error error = {.text = ""};
    uint64_t messages = 0;
    uint64_t errors = 0;
    uint64_t before_ns = 0;
    if (mcap_reader_open(&reader, fd, &options, &error) != MCAP_OK) {
        must(!must_be_whole && error.text[0] != '\0');
        return 0;
    }
    const struct mcap_reader_info *info = mcap_reader_info(reader);
    must(!must_be_whole || info->damage.status == MCAP_OK);
    for (enum mcap_status status = MCAP_OK; status != MCAP_END;) {
        status = mcap_reader_next(reader, &message, &channel, &error);
        if (status == MCAP_OK) {
            must(reading == MCAP_BY_FILE || message.log_time_ns >= before_ns || errors > 0);
            before_ns = message.log_time_ns;
            (void)touch(message.data, message.size_bytes);
            (void)touch(channel->metadata.bytes, channel->metadata.size_bytes);
            messages++;
        } else if (status != MCAP_END) {
            must(!must_be_whole && error.text[0] != '\0' && ++errors <= LIMIT_BYTES + size);
        }
    }
    for (size_t i = 0; i < info->metadata_count; i++) {
        if (mcap_reader_metadata(reader, i, &metadata, &error) == MCAP_OK)
            (void)touch(metadata.map.bytes, metadata.map.size_bytes);
    }
    mcap_reader_close(reader);
    return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcap_recovered recovered;
    struct mcap_error error;
    int from = file_of(data, size);
    int into = file_of(data, 0);
    (void)read_all(from, size, MCAP_BY_TIME, false);
    (void)read_all(from, size, MCAP_BY_FILE, false);
    if (mcap_recover(from, into, NULL, &recovered, &error) == MCAP_OK)
        must(read_all(into, size, MCAP_BY_TIME, true) == recovered.messages);
    (void)close(from);
    (void)close(into);
    return 0;
}
