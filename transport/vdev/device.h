/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device, and by which way: what stands at a path says how to speak to it.
 */
#ifndef PEAL_TRANSPORT_VDEV_DEVICE_H
#define PEAL_TRANSPORT_VDEV_DEVICE_H

#include "transport/vdev/link.h"

#define PEAL_VDEV_DEVICE_DEFAULT "/dev/guest_shm0"

/*
 * Attaches to the region `name` of `device`: a character device is the driver's node, a socket is a device server's, KIND:REST
 * is the hook's (link.h); NULL or "" is the first node of the driver. Errors, each with a message: those of the way and of the
 * protocol; ENOENT, EPERM, EINVAL, ESYSTEM for the path itself.
 */
enum peal_status peal_vdev_device_attach(const char *device, const char *name, uint32_t pages,
                                         uint64_t timeout_ns, struct peal_vdev_link **link);

#endif
