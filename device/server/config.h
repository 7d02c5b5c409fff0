/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server is told: a list of words with an argument each. A file has one on each line, the command line has them as
 * options (--window 128M). Words that concern a guest come after its `guest`.
 *
 *   guest PATH                       a socket, on which one guest connects
 *   allow | deny | create | subst    its rules, see device/model/rules.h
 *   window BYTES                     of each region's place; a power of two; K, M, G        128M
 *   windows N                        so many regions can be at once; a power of two, <= 64    16
 *   vector per-device|per-region     which interrupt a region has                     per-device
 *   memory zeroed|stale              what a new region holds                              zeroed
 *   find yes|no                      whether the device has the register `find`              yes
 *   limit BYTES                      of all regions together                               none
 *   connections N                    at once on one socket                                    32
 *   intx on|off                      whether there is an interrupt pin beside MSI-X          off
 *   mode OCTAL                       permissions of the sockets                             0600
 *   log quiet|info|debug                                                                    info
 */
#ifndef PEAL_DEVICE_SERVER_CONFIG_H
#define PEAL_DEVICE_SERVER_CONFIG_H

#include "device/model/model.h"
#include "device/model/rules.h"
#include "device/server/listener.h"
#include "device/server/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_CONFIG_GUESTS_MAX 64u
#define VDEV_CONFIG_ERROR_BYTES 512u

struct vdev_config_guest {
    char path[VDEV_PATH_BYTES];
    struct vdev_rules rules;
};

struct vdev_config {
    struct vdev_config_guest *guests;
    uint32_t guest_count;
    uint64_t window_bytes;
    uint32_t windows;
    enum vdev_vector_setting vector;
    enum vdev_memory_setting memory;
    bool without_find;
    uint64_t limit_bytes; /* 0: none */
    uint32_t connections;
    bool intx;
    mode_t mode;
    enum vdev_log_level log;
};

void vdev_config_init(struct vdev_config *config);
void vdev_config_end(struct vdev_config *config);

/* One word. False: `error` says what is wrong and what to write, and nothing is changed. `argument` may be NULL: there is none. */
bool vdev_config_set(struct vdev_config *config, const char *word, const char *argument,
                     char *error, size_t error_bytes);

/* All lines of a file; empty ones and those that begin with # are passed over. An error begins with "FILE:LINE: ". */
bool vdev_config_load(struct vdev_config *config, const char *path, char *error,
                      size_t error_bytes);

/* What only shows when everything is there. */
bool vdev_config_check(const struct vdev_config *config, char *error, size_t error_bytes);

#endif
