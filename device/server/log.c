/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)
#define LINE_BYTES 512

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void vdev_log_init(struct vdev_log *log, enum vdev_log_level level, const char *label)
{
    *log = (struct vdev_log){.level = level, .budget = VDEV_LOG_BURST, .refilled_ns = now_ns()};
    (void)snprintf(log->label, sizeof(log->label), "%s", label);
}

/* True: one line more may be written. */
static bool spend(struct vdev_log *log)
{
    const uint64_t now = now_ns();
    const uint64_t earned = (now - log->refilled_ns) / (SECOND_NS / VDEV_LOG_PER_SECOND);
    if (earned > 0) {
        log->refilled_ns = now;
        log->budget = earned >= VDEV_LOG_BURST - log->budget ? VDEV_LOG_BURST
                                                             : log->budget + (uint32_t)earned;
    }
    if (log->budget == 0) {
        log->left_out++;
        return false;
    }
    log->budget--;
    return true;
}

static void put_line(const struct vdev_log *log, char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
    (void)fprintf(stderr, "peal-vdev: %s: %s\n", log->label, line);
}

void vdev_log_say(struct vdev_log *log, enum vdev_log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    if (level > log->level || level == VDEV_LOG_QUIET || !spend(log))
        return;
    if (log->left_out > 0) {
        (void)snprintf(line, sizeof(line), "%" PRIu64 " lines left out: it causes too many",
                       log->left_out);
        put_line(log, line);
        log->left_out = 0;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    put_line(log, line);
}
