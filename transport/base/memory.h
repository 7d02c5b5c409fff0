/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the options ask of mapped memory: sizes in pages, huge pages, prefaulting, locking.
 */
#ifndef PEAL_TRANSPORT_BASE_MEMORY_H
#define PEAL_TRANSPORT_BASE_MEMORY_H

#include "transport/transport.h"

/* The size a new region gets: the wanted or the default one in whole pages. PEAL_EINVAL: too big. */
enum peal_status peal_memory_region_bytes(const struct peal_transport_options *options,
                                          uint64_t *region_bytes);

/*
 * Applies huge_pages, prefault and lock_memory to a mapping. The content does not change, also if
 * others write at the same time. What was locked is unlocked by unmapping.
 */
enum peal_status peal_memory_prepare(void *start, size_t bytes,
                                     const struct peal_transport_options *options);

#endif
