/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's log: lines on stderr, each about one client. A client can cause lines at will, so each has a budget; what is
 * beyond it is counted, and the count is told when there is budget again.
 */
#ifndef PEAL_DEVICE_SERVER_LOG_H
#define PEAL_DEVICE_SERVER_LOG_H

#include <stdint.h>

enum vdev_log_level {
    VDEV_LOG_QUIET, /* nothing */
    VDEV_LOG_INFO,  /* what guests do */
    VDEV_LOG_DEBUG, /* and each request that is not a register access */
};

#define VDEV_LOG_BURST 100u     /* lines at once */
#define VDEV_LOG_PER_SECOND 10u /* afterwards */
#define VDEV_LOG_LABEL_BYTES 64u

/* Who is spoken of. */
struct vdev_log {
    enum vdev_log_level level;
    char label[VDEV_LOG_LABEL_BYTES];
    uint32_t budget;
    uint64_t refilled_ns;
    uint64_t left_out;
};

void vdev_log_init(struct vdev_log *log, enum vdev_log_level level, const char *label);

/* One line: "peal-vdev: LABEL: text". Characters that are not printable ASCII become '?'. */
void vdev_log_say(struct vdev_log *log, enum vdev_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
