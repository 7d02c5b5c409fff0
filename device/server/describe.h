/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device is like, as a client asks for it: regions, interrupts. Answers as in requests.h.
 */
#ifndef PEAL_DEVICE_SERVER_DESCRIBE_H
#define PEAL_DEVICE_SERVER_DESCRIBE_H

#include "device/server/requests.h"

bool vdev_describe_device(struct vdev_conversation *conversation,
                          const struct vdev_message *message);

/*
 * In two rounds: a client that has no room (argsz) for the list of what may be mapped is told how much it needs. The second
 * answer carries the descriptor of the memory.
 */
bool vdev_describe_region(struct vdev_conversation *conversation,
                          const struct vdev_message *message);

bool vdev_describe_irq(struct vdev_conversation *conversation, const struct vdev_message *message);

#endif
