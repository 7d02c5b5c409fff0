/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_sink.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <zlib.h>

uint32_t mcap_crc(const void *bytes, size_t size_bytes)
{
    return size_bytes ? (uint32_t)crc32_z(0, bytes, size_bytes) : 0;
}

void mcap_sink_init(struct mcap_sink *sink, int fd)
{
    *sink = (struct mcap_sink){.fd = fd};
}

/* Takes `written` bytes off the front. */
static struct iovec *advance(struct iovec *at, struct iovec *end, size_t written)
{
    while (at < end && written >= at->iov_len) {
        written -= at->iov_len;
        at++;
    }
    if (at < end) {
        at->iov_base = (char *)at->iov_base + written;
        at->iov_len -= written;
    }
    return at;
}

static bool wait_for_room(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

enum mcap_status mcap_sink_write(struct mcap_sink *sink, const struct mcap_piece *pieces,
                                 size_t count)
{
    struct iovec vectors[MCAP_SINK_PIECES];
    size_t total = 0;
    assert(count <= MCAP_SINK_PIECES);
    if (sink->error.status != MCAP_OK)
        return sink->error.status;
    for (size_t i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].bytes,
                                    .iov_len = pieces[i].size_bytes};
        total += pieces[i].size_bytes;
    }
    size_t done = 0;
    struct iovec *end = vectors + count;
    for (struct iovec *at = advance(vectors, end, 0); at < end;) {
        ssize_t written = writev(sink->fd, at, (int)(end - at));
        if (written > 0) {
            done += (size_t)written;
            at = advance(at, end, (size_t)written);
            continue;
        }
        int number = written == 0 ? ENOSPC : errno;
        if (number == EINTR || (number == EAGAIN && wait_for_room(sink->fd)))
            continue;
        return mcap_fail_system(&sink->error, number, sink->offset + done, "cannot write");
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t crc =
            pieces[i].has_crc ? pieces[i].crc : mcap_crc(pieces[i].bytes, pieces[i].size_bytes);
        sink->crc = (uint32_t)crc32_combine(sink->crc, crc, (z_off_t)pieces[i].size_bytes);
    }
    sink->offset += total;
    return MCAP_OK;
}
