/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lives: asked of the transport's authority (kernel, hypervisor), never of the region.
 *
 * The order matters. To find out whether the owner named in a word is dead: read the word first, ask
 * second. The owner held its index when it wrote the word and keeps it until it dies, so a later
 * "not a member" means dead; an answer older than the word means nothing.
 */
#ifndef PEAL_CORE_AUTHORITY_H
#define PEAL_CORE_AUTHORITY_H

#include <stdint.h>

struct peal_authority {
    /* Bit i: client index i is attached now. May cost a system call; thread-safe. */
    uint64_t (*members)(void *context);
    void *context;
};

static inline uint64_t peal_authority_members(const struct peal_authority *authority)
{
    return authority->members(authority->context);
}

#endif
