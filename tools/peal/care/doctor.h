/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check of `peal doctor` looks at one thing of this machine, and tells by doctor_ok(), doctor_warn() or doctor_bad() what it
 * found, once or several times. doctor.c has the list of all checks; host.h reads the machine, or a folder that stands for one.
 */
#ifndef PEAL_TOOLS_PEAL_CARE_DOCTOR_H
#define PEAL_TOOLS_PEAL_CARE_DOCTOR_H

#include "tools/peal/care/host.h"

#include <jansson.h>

enum doctor_verdict {
    DOCTOR_OK = 0,
    DOCTOR_WARN, /* works, but not as well as it could, or not always */
    DOCTOR_BAD,  /* something does not work, or will not */
};

struct doctor {
    struct host host;
    const char *check; /* whose turn it is */
    json_t *json;      /* results, for programs; NULL: they are printed at once */
    unsigned counts[3];
};

struct doctor_check {
    const char *name;
    void (*run)(struct doctor *doctor);
};

void doctor_ok(struct doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `remedy`: what to type, or to do; it may be several commands with && between. */
void doctor_warn(struct doctor *doctor, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_bad(struct doctor *doctor, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- the checks ---- */

/* check_system.c */
void check_version(struct doctor *doctor);
void check_kernel(struct doctor *doctor);
void check_membarrier(struct doctor *doctor);
void check_container(struct doctor *doctor);

/* check_login.c */
void check_removeipc(struct doctor *doctor);

/* check_memory.c */
void check_shm(struct doctor *doctor);
void check_space(struct doctor *doctor);
void check_hugepages(struct doctor *doctor);
void check_memlock(struct doctor *doctor);
void check_nofile(struct doctor *doctor);

/* check_regions.c */
void check_regions(struct doctor *doctor);

/* check_cpu.c */
void check_cores(struct doctor *doctor);
void check_quota(struct doctor *doctor);
void check_governor(struct doctor *doctor);
void check_clocksource(struct doctor *doctor);
void check_isolated(struct doctor *doctor);

/* check_device.c */
void check_guest(struct doctor *doctor);
void check_device(struct doctor *doctor);
void check_driver(struct doctor *doctor);
void check_node(struct doctor *doctor);
void check_udev(struct doctor *doctor);
void check_interrupts(struct doctor *doctor);

/* What a check asks the kernel and not a file, to be tested: the answer of membarrier(MEMBARRIER_CMD_QUERY), negative if there
 * is none. */
void check_membarrier_answer(struct doctor *doctor, long answer);

#endif
