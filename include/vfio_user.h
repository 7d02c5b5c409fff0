/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfio_user.h - the part of the vfio-user protocol, version 0.0, that the shmem vdev needs: what the device server and a
 * client of it agree upon. Source: the specification "vfio-user" in QEMU's documentation (docs/interop/vfio-user.rst).
 * Payloads are the structs of <linux/vfio.h> where the specification says so; all words are in host order.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <assert.h>
#include <stdint.h>

enum vfio_user_command {
    VFIO_USER_VERSION = 1,
    VFIO_USER_DMA_MAP = 2,
    VFIO_USER_DMA_UNMAP = 3,
    VFIO_USER_DEVICE_GET_INFO = 4,
    VFIO_USER_DEVICE_GET_REGION_INFO = 5,
    VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
    VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
    VFIO_USER_DEVICE_SET_IRQS = 8,
    VFIO_USER_REGION_READ = 9,
    VFIO_USER_REGION_WRITE = 10,
    VFIO_USER_DMA_READ = 11,
    VFIO_USER_DMA_WRITE = 12,
    VFIO_USER_DEVICE_RESET = 13,
    VFIO_USER_DIRTY_PAGES = 14,
    VFIO_USER_REGION_WRITE_MULTI = 15,
};

#define VFIO_USER_TYPE_MASK 0xfu
#define VFIO_USER_TYPE_COMMAND 0u
#define VFIO_USER_TYPE_REPLY 1u
#define VFIO_USER_NO_REPLY 0x10u
#define VFIO_USER_ERROR 0x20u

#define VFIO_USER_VERSION_MAJOR 0u
#define VFIO_USER_VERSION_MINOR 0u

struct vfio_user_header {
    uint16_t id; /* chosen by who asks; the reply has the same */
    uint16_t command;
    uint32_t message_bytes; /* this header among them */
    uint32_t flags;
    uint32_t error; /* an errno value, in replies with VFIO_USER_ERROR */
};

/* Followed by a NUL-terminated JSON text of capabilities. */
struct vfio_user_version {
    uint16_t major;
    uint16_t minor;
};

/* REGION_READ and REGION_WRITE; the data follow. */
struct vfio_user_region_access {
    uint64_t offset;
    uint32_t region;
    uint32_t count;
};

struct vfio_user_dma_map {
    uint32_t argsz;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

struct vfio_user_dma_unmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t address;
    uint64_t size;
};

static_assert(sizeof(struct vfio_user_header) == 16, "on the wire");
static_assert(sizeof(struct vfio_user_version) == 4, "on the wire");
static_assert(sizeof(struct vfio_user_region_access) == 16, "on the wire");
static_assert(sizeof(struct vfio_user_dma_map) == 32, "on the wire");
static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "on the wire");

#endif
