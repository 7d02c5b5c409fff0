/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client may ask for, and the answers: one function for each command of vfio-user.
 */
#ifndef PEAL_DEVICE_SERVER_REQUESTS_H
#define PEAL_DEVICE_SERVER_REQUESTS_H

#include "device/server/channel.h"
#include "device/server/function.h"

/* One client's conversation. */
struct vdev_conversation {
    struct vdev_channel channel;
    struct vdev_function function;
    bool greeted; /* the version is agreed upon: everything else may be asked */
};

/*
 * Answers one request. False: the client can't be served any more, and *why is a phrase for the log. A request that is
 * merely wrong is answered with an error.
 */
bool vdev_requests_answer(struct vdev_conversation *conversation, struct vdev_message *message,
                          const char **why);

#endif
