/* SPDX-License-Identifier: Apache-2.0 */
/* What both register pages share: refusing an access, and telling the embedder; private to device/model. */
#ifndef PEAL_DEVICE_MODEL_ACCESS_H
#define PEAL_DEVICE_MODEL_ACCESS_H

#include "device/model/state.h"

#include <inttypes.h>

/* All ones, as many as the access is wide. */
enum vdev_access vdev_access_refuse_read(struct vdev_guest *guest, uint32_t width, uint64_t *value);
enum vdev_access vdev_access_refuse_write(struct vdev_guest *guest);

void vdev_event_say(const struct vdev_guest *guest, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
