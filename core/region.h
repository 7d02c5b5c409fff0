/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region: laying it out, attaching to it, and what every client keeps of it privately.
 *
 * Laying out is a state machine in the header's state word:
 *
 *      anything  --CAS-->  LAYING_OUT(client, incarnation)  --CAS-->  READY
 *                 ^               | its owner died
 *                 +---------------+ (CAS by whoever comes next)
 *
 * Memory may start as anything: what is not a valid READY header with magic, version, size and
 * checksum, nor LAYING_OUT with the tag and a live owner, is raw. A valid READY region of dead
 * clients is kept and cleared by recovery, not laid out again, for a newcomer may be attaching.
 *
 * A READY header of another format version, or of a region larger than what is mapped here, is laid
 * out anew only by a client that is alone; otherwise it belongs to the others. To know that it is
 * alone, a client makes it LAYING_OUT, full fence, asks for the members: whoever took the old header
 * for good was a member before it looked at it, and is seen. For this, state, magic and
 * format_version stay at their places in every version to come.
 */
#ifndef PEAL_CORE_REGION_H
#define PEAL_CORE_REGION_H

#include "core/authority.h"
#include "core/region_shared.h"
#include "core/topic_shared.h"

#include <peal/status.h>

/* What a process knows of a region. Read once at attach, validated, never consulted again there. */
struct peal_region {
    unsigned char *base;
    uint64_t size_bytes;
    uint64_t generation;
    uint32_t topics_max;
    uint32_t page_count;      /* of the whole region */
    uint32_t first_data_page; /* pages below hold header, clients, directory, page map */
    uint32_t index;           /* our client index */
    uint64_t incarnation;     /* ours; random; its low half is not 0 */
    struct peal_region_header *header;
    struct peal_client_shared *clients; /* PEAL_CLIENTS_MAX */
    struct peal_topic_shared *topics;   /* topics_max */
    peal_u64 *page_map;                 /* page_count owner words */
    struct peal_authority authority;
};

#define PEAL_TOPICS_DEFAULT 256u
#define PEAL_TOPICS_MAX (1u << 17) /* a page's owner word has 17 bits for the topic */

/* What the region shall be, if we are the ones to lay it out. */
struct peal_region_wish {
    uint32_t
        topics_max; /* 0: 256, or what fits in a quarter of the region if that is less; EINVAL if
                            the region is too small for what is wished */
    uint64_t generation; /* random */
};

/*
 * Attaches to the region in base[0..size_bytes), laying it out first if it is raw. `index` is ours
 * by the authority, `incarnation` random with a low half that is not 0. Does not register the client
 * (peal_client_register does).
 * OK; AGAIN: another live client is just laying it out, call again later (never blocks itself);
 * EINVAL (too small, misaligned); EFORMAT (valid, but of another version, and others use it).
 */
enum peal_status peal_region_attach(struct peal_region *region, void *base, uint64_t size_bytes,
                                    uint32_t index, uint64_t incarnation,
                                    const struct peal_region_wish *wish,
                                    const struct peal_authority *authority);

/*
 * Looks at the region in memory[0..size_bytes), aligned to 8 bytes and maybe mapped read-only, without
 * taking part: nothing is ever to be written through *region, whose index is no client's and which has
 * no authority. EFORMAT with a message: there is none of our format, or it is just being laid out.
 */
enum peal_status peal_region_look(struct peal_region *region, const void *memory,
                                  uint64_t size_bytes);

/* The smallest region that holds `topics_max` topics and one page of data, in bytes. */
uint64_t peal_region_min_bytes(uint32_t topics_max);

/* Our owner word in `state` (version 0). */
uint64_t peal_region_own_word(const struct peal_region *region, uint32_t state);

/*
 * Is the owner named in an owner word (client, incarnation) dead? Asks the authority after `word`
 * was read, as core/authority.h demands: the caller must have read `word` before the call. A client
 * whose index is held by a newer, registered incarnation is dead too. Our own words are alive.
 */
bool peal_region_is_dead(const struct peal_region *region, uint64_t word);

/* The same by an answer of the authority that was asked for after `word` was read; with an older
 * answer it is a suspicion, no more. For scans that ask once for many words. */
bool peal_region_is_dead_by(const struct peal_region *region, uint64_t word, uint64_t members);

#endif
