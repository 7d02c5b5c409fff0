/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shmem vdev as a transport: `vdev:NAME?device=...`.
 *
 * Memory is the region's data pages, a client is a connection, the index is the device's. Death is told by the device's attach
 * bits: the hypervisor clears them when a virtual machine ends, the guest driver when a process does. Coming, leaving and
 * dying raise an interrupt, so nobody needs to be rung for them.
 *
 * A region lives as long as somebody is attached, so it has no name that could be removed, and what is left of it when the
 * last one goes is up to the host.
 */
#ifndef PEAL_TRANSPORT_VDEV_VDEV_H
#define PEAL_TRANSPORT_VDEV_VDEV_H

#include "transport/vdev/link.h"

extern const struct peal_transport_ops peal_transport_vdev_ops;

#endif
