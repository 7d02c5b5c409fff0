/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: named places after a store to shared memory, where a test may kill, stop or yield.
 * They compile to nothing unless PEAL_FAULT_POINTS is defined. What may be done there is in
 * tests/support/fault_plan.h. After each store that another program can see there is a point; tests/crash/points.pl
 * holds the source to that.
 */
#ifndef PEAL_CORE_FAULT_H
#define PEAL_CORE_FAULT_H

#if defined(PEAL_FAULT_POINTS) && PEAL_FAULT_POINTS

/* Called at every point with its name, in the thread that passes it. Set before threads start. */
extern void (*peal_fault_hook)(const char *point);

/* The names stand side by side in a section of their own, so that a program can list its points. */
#define PEAL_FAULT(point)                                                                          \
    do {                                                                                           \
        static const char *const peal_fault_name __attribute__((section("peal_points"), used)) =   \
            point;                                                                                 \
        if (peal_fault_hook)                                                                       \
            peal_fault_hook(peal_fault_name);                                                      \
    } while (0)

#else
#define PEAL_FAULT(point) ((void)0)
#endif

#endif
