/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t vdev_memory_bytes(const struct vdev_memory *memory)
{
    return memory->window_bytes * memory->windows;
}

/* A client has the descriptor, and could else cut the file under the others. */
static bool size_and_seal(int fd, uint64_t bytes)
{
    return ftruncate(fd, (off_t)bytes) == 0 &&
           fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

bool vdev_memory_open(struct vdev_memory *memory, uint64_t window_bytes, uint32_t windows,
                      char *error, size_t error_bytes)
{
    *memory = (struct vdev_memory){.window_bytes = window_bytes, .windows = windows};
    memory->fd = memfd_create("peal-vdev", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory->fd >= 0 && size_and_seal(memory->fd, vdev_memory_bytes(memory)))
        return true;
    (void)snprintf(error, error_bytes,
                   "no memory file of %" PRIu64 " bytes: %s; use fewer or smaller windows",
                   vdev_memory_bytes(memory), strerror(errno));
    vdev_memory_close(memory);
    return false;
}

void vdev_memory_close(struct vdev_memory *memory)
{
    if (memory->fd >= 0)
        (void)close(memory->fd);
    memory->fd = -1;
}

bool vdev_memory_clear(const struct vdev_memory *memory, uint32_t window, uint32_t pages)
{
    const uint64_t bytes = (uint64_t)pages * VDEV_PAGE_BYTES;
    if (window >= memory->windows || bytes > memory->window_bytes - VDEV_DATA_OFFSET)
        return false;
    const uint64_t offset = window * memory->window_bytes + VDEV_DATA_OFFSET;
    return bytes == 0 || fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                   (off_t)offset, (off_t)bytes) == 0;
}

static void check_range(const struct vdev_memory *memory, uint64_t offset, size_t count)
{
    assert(offset <= vdev_memory_bytes(memory) && count <= vdev_memory_bytes(memory) - offset);
    (void)memory;
    (void)offset;
    (void)count;
}

void vdev_memory_read(const struct vdev_memory *memory, uint64_t offset, void *bytes, size_t count)
{
    check_range(memory, offset, count);
    if (pread(memory->fd, bytes, count, (off_t)offset) != (ssize_t)count)
        memset(bytes, 0xff, count);
}

void vdev_memory_write(const struct vdev_memory *memory, uint64_t offset, const void *bytes,
                       size_t count)
{
    check_range(memory, offset, count);
    const ssize_t written = pwrite(memory->fd, bytes, count, (off_t)offset);
    (void)written; /* a store has nobody to tell */
}
