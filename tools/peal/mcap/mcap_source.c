/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_source.h"

#include "tools/peal/mcap/mcap_cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a chunk's record may have beside its compressed records, and how much larger than them compression may make those. */
#define CHUNK_SLACK_BYTES ((size_t)1 << 20)

enum mcap_status mcap_source_open(struct mcap_source *source, int fd, size_t limit_bytes,
                                  struct mcap_error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return mcap_fail_system(error, errno, MCAP_NOWHERE, "cannot look at the file");
    if (!S_ISREG(status.st_mode))
        return mcap_fail(
            error, MCAP_INVALID, MCAP_NOWHERE,
            "not a regular file; an MCAP file is read from its end, so put it into one");
    *source =
        (struct mcap_source){.fd = fd,
                             .size_bytes = (uint64_t)status.st_size,
                             .limit_bytes = limit_bytes ? limit_bytes : MCAP_RECORDS_BYTES_MAX};
    return MCAP_OK;
}

enum mcap_status mcap_source_read(const struct mcap_source *source, uint64_t offset,
                                  size_t size_bytes, struct mcap_buffer *buffer,
                                  struct mcap_error *error)
{
    if (offset > source->size_bytes || size_bytes > source->size_bytes - offset)
        return mcap_fail(error, MCAP_TORN, offset, "the file ends at byte %" PRIu64,
                         source->size_bytes);
    if (!mcap_buffer_reserve(buffer, size_bytes))
        return mcap_fail(error, MCAP_NOMEM, offset, "no memory for %zu bytes", size_bytes);
    for (size_t done = 0; done < size_bytes;) {
        ssize_t got = pread(source->fd, buffer->bytes + buffer->used_bytes, size_bytes - done,
                            (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mcap_fail_system(error, errno, offset + done, "cannot read");
        if (got == 0)
            return mcap_fail(error, MCAP_TORN, offset + done, "the file was cut while it was read");
        done += (size_t)got;
        buffer->used_bytes += (size_t)got;
    }
    return MCAP_OK;
}

enum mcap_status mcap_source_record(const struct mcap_source *source, uint64_t offset,
                                    struct mcap_record_head *head, struct mcap_error *error)
{
    struct mcap_buffer bytes = {0};
    enum mcap_status status =
        mcap_source_read(source, offset, MCAP_RECORD_HEAD_BYTES, &bytes, error);
    if (status == MCAP_OK) {
        struct mcap_cursor cursor =
            mcap_cursor_over((struct mcap_span){bytes.bytes, bytes.used_bytes});
        head->opcode = mcap_cursor_u8(&cursor);
        head->offset = offset;
        head->content_offset = offset + MCAP_RECORD_HEAD_BYTES;
        head->content_bytes = mcap_cursor_u64(&cursor);
        if (head->opcode == 0)
            status = mcap_fail(error, MCAP_BROKEN, offset, "there should be a record, and is none");
    }
    mcap_buffer_free(&bytes);
    return status;
}

enum mcap_status mcap_source_check_whole(const struct mcap_source *source,
                                         const struct mcap_record_head *head,
                                         struct mcap_error *error)
{
    uint64_t left = source->size_bytes - head->content_offset;
    if (head->content_bytes <= left)
        return MCAP_OK;
    return mcap_fail(error, MCAP_TORN, head->offset,
                     "a record (0x%02x) of %" PRIu64
                     " bytes begins, of which the file has %" PRIu64,
                     head->opcode, head->content_bytes, left);
}

enum mcap_status mcap_source_content(const struct mcap_source *source,
                                     const struct mcap_record_head *head,
                                     struct mcap_buffer *buffer, struct mcap_error *error)
{
    uint64_t limit = source->limit_bytes + CHUNK_SLACK_BYTES + source->limit_bytes / 128;
    mcap_buffer_clear(buffer);
    if (head->content_bytes > limit)
        return mcap_fail(error, MCAP_LIMIT, head->offset,
                         "a record (0x%02x) of %" PRIu64 " bytes; at most %" PRIu64 " are read",
                         head->opcode, head->content_bytes, limit);
    return mcap_source_read(source, head->content_offset, (size_t)head->content_bytes, buffer,
                            error);
}
