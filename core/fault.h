/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: named places after a store to shared memory, where a test may kill, stop or yield.
 * They compile to nothing unless PEAL_FAULT_POINTS is defined.
 */
#ifndef PEAL_CORE_FAULT_H
#define PEAL_CORE_FAULT_H

#if defined(PEAL_FAULT_POINTS) && PEAL_FAULT_POINTS

/* Called at every point with its name, in the thread that passes it. Set before threads start. */
extern void (*peal_fault_hook)(const char *point);

#define PEAL_FAULT(point)                                                                          \
    do {                                                                                           \
        if (peal_fault_hook)                                                                       \
            peal_fault_hook(point);                                                                \
    } while (0)

#else
#define PEAL_FAULT(point) ((void)0)
#endif

#endif
