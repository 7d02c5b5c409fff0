/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * guest_shm.h - register layout of the QNX hypervisor's shared-memory device (shmem vdev), as a guest sees it.
 *
 * This is the device's ABI: names, values and offsets are given by the hypervisor and never change. The header is
 * usable from C, C++ and Linux kernel code, and needs nothing of Peal.
 *
 * factory page   one page of trapped registers; its place is told by the PCI device's first BAR, or by the host's
 *                configuration. Writing `size` creates the region called `name`, or attaches to it if it exists;
 *                then `status`, `size`, `shmem` and `vector` tell the outcome. The page is one register set for all
 *                regions of a guest, so the whole transaction needs one guest-wide lock.
 * region         at `shmem`: one trapped control page (guest_shm_control), then `size` data pages of 4 KiB.
 *
 * Registers must be accessed through the platform's accessors for device memory, one register an access.
 */
#ifndef GUEST_SHM_H
#define GUEST_SHM_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define GUEST_SHM_MAX_CLIENTS 16
#define GUEST_SHM_MAX_NAME 32
#define GUEST_SHM_SIGNATURE 0x4d534732474d5651 /* "QVMG2GSM", in little-endian memory */

/* Vendor and device id of the PCI function that carries the factory page. */
#define PCI_VID_BlackBerry_QNX 0x1C05
#define PCI_DID_QNX_GUEST_SHM 0x0001

/* Outcome of the last request written to `size` or `find`. */
enum guest_shm_status {
    GSS_OK,              /* the region was created, or attached to */
    GSS_UNKNOWN_FAILURE, /* for a reason that is not known */
    GSS_NOMEM,           /* not enough memory for the region */
    GSS_CLIENT_MAX,      /* as many clients as may be are attached already */
    GSS_ILLEGAL_NAME,    /* the name is not one */
    GSS_NO_PERMISSION,   /* this guest may not */
    GSS_DOES_NOT_EXIST   /* `find`: there is no such connection */
};

/*
 * Factory page
 *   0 signature u64 | 8 shmem u64 | 16 vector u32 | 20 status u32 | 24 size u32 | 28 name[32] | 60 find u32
 */
struct guest_shm_factory {
    uint64_t signature; /* read only: GUEST_SHM_SIGNATURE */
    uint64_t shmem;     /* read only: guest-physical address of the control page */
    uint32_t vector;    /* read only: interrupt of this region */
    uint32_t status;    /* read only: enum guest_shm_status of the last request */
    uint32_t size;      /* write: create or attach, in pages of 4 KiB; read: what it really has */
    char name[GUEST_SHM_MAX_NAME]; /* ended by a zero byte; written byte by byte */
    uint32_t find; /* write a connection number: the page then shows that connection */
};

/* Control page: 0 status | 4 idx | 8 notify | 12 detach */
struct guest_shm_control {
    uint32_t status; /* read only, clears pending: low 16 bits pending, high 16 attached clients */
    uint32_t idx;    /* read only: own connection index, 0..15 */
    uint32_t notify; /* write: bitset of clients to notify */
    uint32_t detach; /* write: leave the region */
};

#ifdef __cplusplus
#define GUEST_SHM_ASSERT(condition, text) static_assert(condition, text)
#else
#define GUEST_SHM_ASSERT(condition, text) _Static_assert(condition, text)
#endif

GUEST_SHM_ASSERT(sizeof(struct guest_shm_factory) == 64, "factory page: 64 bytes of registers");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, signature) == 0, "signature at 0");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, shmem) == 8, "shmem at 8");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, vector) == 16, "vector at 16");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, status) == 20, "status at 20");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, size) == 24, "size at 24");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, name) == 28, "name at 28");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_factory, find) == 60, "find at 60");
GUEST_SHM_ASSERT(sizeof(struct guest_shm_control) == 16, "control page: 16 bytes of registers");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_control, status) == 0, "status at 0");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_control, idx) == 4, "idx at 4");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_control, notify) == 8, "notify at 8");
GUEST_SHM_ASSERT(offsetof(struct guest_shm_control, detach) == 12, "detach at 12");
GUEST_SHM_ASSERT(GSS_DOES_NOT_EXIST == 6, "status codes are 0..6");

#endif
