/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of the shmem vdev, as a guest speaks it over bare registers (registers.h):
 *
 *      is it one?      signature, as one register or as its two halves
 *      attach          under the way's lock, for there is one register set for all regions:
 *                      name byte by byte, NUL too; `size` is the trigger; `status`, `shmem`, `size`, `vector` are the answer
 *      idx             read once: each read is a trap
 *      status          its pending half clears by reading, so there is one place that reads it, and that keeps what it finds
 *      notify          one trapped write, after everything that was stored before
 *      detach          also when anything after attach fails, for a connection that leaks is one of sixteen
 *
 * What the device answers is not trusted: indexes, sizes and addresses that cannot be are errors, as is a device that answers
 * all ones, which is how one reads that is gone.
 *
 * peal_vdev_protocol_attach() is declared in link.h.
 */
#ifndef PEAL_TRANSPORT_VDEV_PROTOCOL_H
#define PEAL_TRANSPORT_VDEV_PROTOCOL_H

#include "transport/vdev/link.h"

/* What one attach asked for, for messages. */
struct peal_vdev_wish {
    const char *device;
    const char *name;
    uint32_t pages;
};

/* PEAL_OK for GSS_OK; else the status that stands for `gss_status`, with a message that says what to do. */
enum peal_status peal_vdev_gss_fail(uint32_t gss_status, const struct peal_vdev_wish *wish);

#endif
