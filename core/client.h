/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client table: who is attached under which index, with which incarnation.
 */
#ifndef PEAL_CORE_CLIENT_H
#define PEAL_CORE_CLIENT_H

#include "core/region.h"

/*
 * Clears what an earlier, dead holder of our index left behind, then registers us under it. The
 * index is ours by the authority. `name` is cut at 31 characters.
 */
enum peal_status peal_client_register(struct peal_region *region, const char *name,
                                      uint64_t started_ns);

/* Ends our registration; our endpoints must have been given back before. */
void peal_client_unregister(struct peal_region *region);

/* A snapshot of an entry, for observers: name is NUL-terminated whatever a peer wrote. */
struct peal_client_view {
    bool active;
    uint64_t incarnation;
    char name[PEAL_CLIENT_NAME_BYTES + 1];
};
void peal_client_view(const struct peal_region *region, uint32_t index,
                      struct peal_client_view *view);

#endif
