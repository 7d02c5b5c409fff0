/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of all regions: one memfd, laid out as the BAR of windows is, so that an offset in the BAR is an offset in the
 * file. Clients map the data pages of it; the server itself never maps it, so nothing that a client does to the file can hurt
 * it. Its size is sealed.
 *
 *   window w: | 16 control pages, never used in the file | data pages ... |
 *             w * window_bytes                           + VDEV_DATA_OFFSET
 */
#ifndef PEAL_DEVICE_SERVER_MEMORY_H
#define PEAL_DEVICE_SERVER_MEMORY_H

#include "device/model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_CONTROL_PAGES GUEST_SHM_MAX_CLIENTS
#define VDEV_DATA_OFFSET (VDEV_CONTROL_PAGES * VDEV_PAGE_BYTES)
#define VDEV_WINDOW_BYTES_MIN (UINT64_C(2) * VDEV_DATA_OFFSET)
#define VDEV_WINDOWS_BYTES_MAX (UINT64_C(1) << 40) /* of all windows */

struct vdev_memory {
    int fd;
    uint64_t window_bytes; /* a power of two */
    uint32_t windows;      /* a power of two */
};

/* False: `error` says why. */
bool vdev_memory_open(struct vdev_memory *memory, uint64_t window_bytes, uint32_t windows,
                      char *error, size_t error_bytes);
void vdev_memory_close(struct vdev_memory *memory);

uint64_t vdev_memory_bytes(const struct vdev_memory *memory);

/* Gives the first `pages` data pages of a window back to the system: they read as zero. */
bool vdev_memory_clear(const struct vdev_memory *memory, uint32_t window, uint32_t pages);

/* Access by offset in the file. The range lies inside; what can't be read is all ones, what can't be written is lost. */
void vdev_memory_read(const struct vdev_memory *memory, uint64_t offset, void *bytes, size_t count);
void vdev_memory_write(const struct vdev_memory *memory, uint64_t offset, const void *bytes,
                       size_t count);

#endif
