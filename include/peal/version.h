/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version of the library, after semver.org. The build system reads it from here.
 *
 * This is not the version of the format in shared memory: that one is checked when a region is
 * attached, and programs built against different versions of the library share a region as long as
 * it is the same.
 */
#ifndef PEAL_VERSION_H
#define PEAL_VERSION_H

#define PEAL_VERSION_MAJOR 0
#define PEAL_VERSION_MINOR 1
#define PEAL_VERSION_PATCH 0

/* Comparable as a number: 0.1.0 is 100. */
#define PEAL_VERSION_NUMBER                                                                        \
    (PEAL_VERSION_MAJOR * 10000 + PEAL_VERSION_MINOR * 100 + PEAL_VERSION_PATCH)

#define PEAL_VERSION_TEXT_OF_(value) #value
#define PEAL_VERSION_TEXT_OF(value) PEAL_VERSION_TEXT_OF_(value)
#define PEAL_VERSION_TEXT                                                                          \
    PEAL_VERSION_TEXT_OF(PEAL_VERSION_MAJOR)                                                       \
    "." PEAL_VERSION_TEXT_OF(PEAL_VERSION_MINOR) "." PEAL_VERSION_TEXT_OF(PEAL_VERSION_PATCH)

#endif
