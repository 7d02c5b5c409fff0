/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_shm.h - register layout of the QNX hypervisor's shared-memory device (shmem vdev), as a guest sees it.
 *
 * This is the device's ABI: names, values and offsets are given by the hypervisor and never change. The header is
 * usable from C, C++ and Linux kernel code, and needs nothing of Peal.
 *
 * factory page   one page of trapped registers; its place is told by the PCI device's first BAR, or by the host's
 *                configuration. Writing `size` creates or attaches the region called `name`, writing `find` only
 *                attaches to one that exists; then `status`, `shmem` and `vector` tell the outcome.
 * region         at `shmem`: one trapped control page (guest_shm_control), then `size` data pages of 4 KiB.
 *
 * Registers must be accessed through the platform's accessors for device memory, one register an access.
 */
#ifndef GUEST_SHM_H
#define GUEST_SHM_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define GUEST_SHM_MAX_CLIENTS 16
#define GUEST_SHM_MAX_NAME 32
#define GUEST_SHM_SIGNATURE 0x4d534732474d5651 /* "QVMG2GSM", least significant byte first */

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
    GSS_DOES_NOT_EXIST   /* `find`: no region of this name */
};

/*
 * Factory page
 *   0 signature u64 | 8 shmem u64 | 16 vector u32 | 20 status u32 | 24 size u32 | 28 name[32] | 60 find u32
 */
struct guest_shm_factory {
    uint64_t signature;            /* read only: GUEST_SHM_SIGNATURE */
    uint64_t shmem;                /* read only: guest-physical address of the control page */
    uint32_t vector;               /* read only: interrupt of this region */
    uint32_t status;               /* read only: enum guest_shm_status of the last request */
    uint32_t size;                 /* write: create or attach, in pages of 4 KiB; read: pages granted */
    char name[GUEST_SHM_MAX_NAME]; /* name of the region, ended by a zero byte */
    uint32_t find;                 /* write: attach to an existing region */
};

/* Control page: 0 status | 4 idx | 8 notify | 12 detach */
struct guest_shm_control {
    uint32_t status; /* read only: low half pending notifications, high half attached clients; reading clears */
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
