/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner word: who holds a thing in shared memory, in what state, in one 64-bit word.
 *
 *      63            32 31         10 9      4 3     0
 *      | incarnation   | version     | client | state |
 *
 *  state        what the thing is going through; each kind of thing has its own states, 0 is free
 *  client       index of the client that put it there
 *  version      moves with every transition, so that a compare-and-swap that slept through a whole
 *               life of the thing fails (no ABA); for pages it names the object instead
 *  incarnation  low half of the owner's random incarnation: tells a client from its predecessor at
 *               the same index
 *
 * One word, changed only by compare-and-swap, is what makes a death at any instruction harmless:
 * before the swap the thing is not owned, after it everybody can read by whom, and whether that
 * owner still lives is for the authority (hypervisor, kernel) to say.
 */
#ifndef PEAL_CORE_OWNER_H
#define PEAL_CORE_OWNER_H

#include "core/atomic.h"

#define PEAL_OWNER_FREE 0u

struct peal_owner {
    uint32_t state;       /* 0..15 */
    uint32_t client;      /* 0..63 */
    uint32_t version;     /* 0..2^22-1, wraps */
    uint32_t incarnation; /* low 32 bits of the client's incarnation, never 0 for a live client */
};

#define PEAL_OWNER_STATE_BITS 4u
#define PEAL_OWNER_CLIENT_BITS 6u
#define PEAL_OWNER_VERSION_BITS 22u
#define PEAL_OWNER_VERSION_MASK ((1u << PEAL_OWNER_VERSION_BITS) - 1u)

static inline uint64_t peal_owner_pack(struct peal_owner owner)
{
    return (uint64_t)(owner.state & 15u) | (uint64_t)(owner.client & 63u) << 4 |
           (uint64_t)(owner.version & PEAL_OWNER_VERSION_MASK) << 10 |
           (uint64_t)owner.incarnation << 32;
}

static inline struct peal_owner peal_owner_unpack(uint64_t word)
{
    return (struct peal_owner){
        .state = (uint32_t)(word & 15u),
        .client = (uint32_t)(word >> 4 & 63u),
        .version = (uint32_t)(word >> 10) & PEAL_OWNER_VERSION_MASK,
        .incarnation = (uint32_t)(word >> 32),
    };
}

static inline uint32_t peal_owner_state(uint64_t word)
{
    return (uint32_t)(word & 15u);
}

/* The same thing in another state, one version on; the owner stays. */
static inline uint64_t peal_owner_next(uint64_t word, uint32_t state)
{
    struct peal_owner owner = peal_owner_unpack(word);
    owner.state = state;
    owner.version++;
    return peal_owner_pack(owner);
}

/* The same thing, one version on, in the hands of another client. */
static inline uint64_t peal_owner_take(uint64_t word, uint32_t state, uint32_t client,
                                       uint32_t incarnation)
{
    struct peal_owner owner = peal_owner_unpack(word);
    owner.state = state;
    owner.client = client;
    owner.incarnation = incarnation;
    owner.version++;
    return peal_owner_pack(owner);
}

/* Looks at an owner word; sees what its owner wrote before the transition to it. */
static inline uint64_t peal_owner_load(const peal_u64 *shared)
{
    /* OWNER-A1: pairs with OWNER-R1 in peal_owner_swap() */
    return peal_u64_load_acquire(shared);
}

/* One transition; false if the word is not `expected` (any more). Takes part in the one order of all
 * sequentially consistent operations, as the handshakes that are built on it need. */
static inline bool peal_owner_swap(peal_u64 *shared, uint64_t expected, uint64_t desired)
{
    /* OWNER-R1: pairs with OWNER-A1 in peal_owner_load() */
    return peal_u64_cas_seq_cst(shared, &expected, desired);
}

#endif
