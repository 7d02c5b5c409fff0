/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of peal-vdev.
 */
#ifndef PEAL_DEVICE_SERVER_OPTIONS_H
#define PEAL_DEVICE_SERVER_OPTIONS_H

#include "device/server/config.h"

extern const char vdev_options_help[];

enum vdev_options_result {
    VDEV_OPTIONS_RUN,
    VDEV_OPTIONS_HELP,
    VDEV_OPTIONS_VERSION,
    VDEV_OPTIONS_WRONG, /* `error` says what */
};

/* Reads the options, and the files that they name, in their order, and checks the whole. */
enum vdev_options_result vdev_options_read(struct vdev_config *config, int count,
                                           char *const *arguments, char *error, size_t error_bytes);

#endif
