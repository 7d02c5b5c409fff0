/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to the registers of one shmem vdev, as a guest has it: what the protocol (protocol.h) is written upon. Addresses are
 * guest-physical; what that means is the way's own affair. Who offers a way in fills the struct and its functions; a new operating system
 * (QNX as a guest, say) joins here.
 *
 * Thread-safety: read and write may be called by any threads at once (a way that has one socket locks). Everything else is
 * called by the opening and the closing thread only.
 */
#ifndef PEAL_TRANSPORT_VDEV_REGISTERS_H
#define PEAL_TRANSPORT_VDEV_REGISTERS_H

#include <peal/status.h>
#include <stdbool.h>
#include <stdint.h>

struct peal_vdev_registers;

struct peal_vdev_registers_ops {
    /*
     * One access of `width` bytes (1, 4, 8), aligned. A write has happened at the device when it returns, unless `posted`:
     * then it happens soon, in the order of the calls; stores to the data pages made before are visible before it. Errors:
     * PEAL_ESYSTEM when the device can't be reached any more. What the device refuses reads as all ones.
     */
    enum peal_status (*read)(struct peal_vdev_registers *registers, uint64_t address,
                             uint32_t width, uint64_t *value);
    enum peal_status (*write)(struct peal_vdev_registers *registers, uint64_t address,
                              uint32_t width, uint64_t value, bool posted);

    /* Maps `pages` data pages of the connection whose control page is at `control`; page-aligned, readable and writable, cached. */
    enum peal_status (*map)(struct peal_vdev_registers *registers, uint64_t control, uint32_t pages,
                            unsigned char **base);
    void (*unmap)(struct peal_vdev_registers *registers, unsigned char *base, uint32_t pages);

    /*
     * Takes note of an interrupt: `fd` is not readable afterwards until the next one. Called before `status` is read. Nothing
     * else makes `fd` unreadable: who reads `status` without it leaves `fd` as it is.
     */
    void (*acknowledge)(struct peal_vdev_registers *registers);

    /*
     * The whole factory transaction must be alone on the device, for it has one register set for all: held around it. A way
     * whose device nobody else has does nothing.
     */
    void (*lock)(struct peal_vdev_registers *registers);
    void (*unlock)(struct peal_vdev_registers *registers);

    /* Ends the way; the connection has been detached before. */
    void (*close)(struct peal_vdev_registers *registers);
};

struct peal_vdev_registers {
    const struct peal_vdev_registers_ops *ops;
    uint64_t factory; /* address of the factory page */
    /*
     * Readable after an interrupt that was not acknowledged yet, at the latest when a read of `status` that shows its cause
     * returns. Also when the device is gone, if the way can tell.
     */
    int fd;
    const char *device; /* what the user called it, for messages; lives as long as this */
};

/* A way in by a unix socket of a device server (vfio-user): this process is a guest of its own. */
enum peal_status peal_vdev_socket_open(const char *path, uint64_t timeout_ns,
                                       struct peal_vdev_registers **registers);

#endif
