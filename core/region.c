/* SPDX-License-Identifier: Apache-2.0 */
#include "core/region.h"

#include "core/error.h"
#include "core/fault.h"
#include "core/format.h"
#include "core/owner.h"

#include <inttypes.h>

#define ATTACH_ATTEMPTS 8u

uint64_t peal_region_own_word(const struct peal_region *region, uint32_t state)
{
    return peal_owner_pack((struct peal_owner){
        .state = state,
        .client = region->index,
        .incarnation = (uint32_t)region->incarnation,
    });
}

bool peal_region_is_dead_by(const struct peal_region *region, uint64_t word, uint64_t members)
{
    struct peal_owner owner = peal_owner_unpack(word);
    if (owner.client == region->index)
        return owner.incarnation != (uint32_t)region->incarnation;
    if (owner.incarnation == 0 || !(members >> owner.client & 1))
        return true;
    /* A member holds the index. Its registration precedes every owner word that it writes, so if
     * `word` were its own we would find it here. */
    struct peal_owner present =
        peal_owner_unpack(peal_owner_load(&region->clients[owner.client].owner));
    return present.state == PEAL_CLIENT_ACTIVE && present.client == owner.client &&
           present.incarnation != owner.incarnation;
}

bool peal_region_is_dead(const struct peal_region *region, uint64_t word)
{
    return peal_region_is_dead_by(region, word, peal_authority_members(&region->authority));
}

/* What the header's state word means to a newcomer. */
enum header_finding {
    HEADER_RAW,     /* anything: ours to lay out */
    HEADER_READY,   /* a region of ours */
    HEADER_BUSY,    /* somebody alive lays it out */
    HEADER_FOREIGN, /* a region that we can't use: ours to lay out if we are alone */
};

static bool laying_out_is_dead(const struct peal_region *region, struct peal_owner owner)
{
    /* We have written no such word yet, so one with our index is not by a living client. */
    if (owner.client == region->index)
        return true;
    return !(peal_authority_members(&region->authority) >> owner.client & 1);
}

/* Judges the header under state word `word`; fills *fields when the answer is READY. */
static enum header_finding header_judge(const struct peal_region *region, uint64_t word,
                                        uint64_t mapped_bytes, struct peal_format_fields *fields)
{
    struct peal_owner owner = peal_owner_unpack(word);
    if (owner.version != PEAL_REGION_TAG)
        return HEADER_RAW;
    if (owner.state == PEAL_REGION_LAYING_OUT)
        return laying_out_is_dead(region, owner) ? HEADER_RAW : HEADER_BUSY;
    if (owner.state != PEAL_REGION_READY)
        return HEADER_RAW;
    uint64_t checksum;
    peal_format_read(region->header, fields, &checksum);
    if (fields->magic != PEAL_REGION_MAGIC)
        return HEADER_RAW;
    if (fields->format_version != PEAL_FORMAT_VERSION)
        return HEADER_FOREIGN;
    if (checksum != peal_format_checksum(fields) || !peal_format_is_sound(fields))
        return HEADER_RAW;
    return fields->size_bytes > mapped_bytes ? HEADER_FOREIGN : HEADER_READY;
}

static bool is_alone(const struct peal_region *region)
{
    uint64_t members = peal_authority_members(&region->authority);
    return (members & ~(UINT64_C(1) << region->index)) == 0;
}

static enum peal_status fail_foreign(const struct peal_format_fields *fields, uint64_t mapped_bytes)
{
    if (fields->format_version != PEAL_FORMAT_VERSION)
        return peal_fail(PEAL_EFORMAT,
                         "the region has format version %" PRIu32
                         ", this program speaks %u, and other "
                         "clients use it; end them, or use the same version of Peal everywhere",
                         fields->format_version, PEAL_FORMAT_VERSION);
    return peal_fail(PEAL_EFORMAT,
                     "the region was laid out for %" PRIu64 " bytes but only %" PRIu64
                     " are mapped here, "
                     "and other clients use it; open it with its full size",
                     fields->size_bytes, mapped_bytes);
}

/* Lays the region out from state word `seen`. AGAIN: the word was not `seen` any more. */
static enum peal_status lay_out(struct peal_region *region, uint64_t seen,
                                enum header_finding finding,
                                const struct peal_format_fields *fields, bool *others_use_it)
{
    struct peal_owner own = peal_owner_unpack(peal_region_own_word(region, PEAL_REGION_LAYING_OUT));
    own.version = PEAL_REGION_TAG;
    uint64_t claimed = peal_owner_pack(own);
    own.state = PEAL_REGION_READY;
    uint64_t ready = peal_owner_pack(own);

    peal_u64 *state = &region->header->layout.state;
    if (!peal_owner_swap(state, seen, claimed))
        return PEAL_AGAIN;
    PEAL_FAULT("format.claimed");
    if (finding == HEADER_FOREIGN) {
        /* FORMAT-F1: pairs with FORMAT-F2 in peal_region_attach() */
        peal_fence_seq_cst();
        if (!is_alone(region)) {
            (void)peal_owner_swap(state, claimed, seen);
            PEAL_FAULT("format.withdrawn");
            *others_use_it = true;
            return PEAL_EFORMAT;
        }
    }
    /* Who sees one of our fields sees that the header is not READY any more.
     * FORMAT-R1: pairs with FORMAT-A1 in attach_once() */
    peal_fence_release();
    peal_format_write(region->base, fields);
    if (!peal_owner_swap(state, claimed, ready))
        return PEAL_AGAIN;
    PEAL_FAULT("format.ready");
    return PEAL_OK;
}

static void adopt(struct peal_region *region, const struct peal_format_fields *fields)
{
    struct peal_format_places places;
    peal_format_places(fields->topics_max, fields->size_bytes, &places);
    region->size_bytes = fields->size_bytes;
    region->generation = fields->generation;
    region->topics_max = fields->topics_max;
    region->page_count = places.page_count;
    region->first_data_page = places.first_data_page;
    region->clients = (struct peal_client_shared *)(void *)(region->base + places.clients);
    region->topics = (struct peal_topic_shared *)(void *)(region->base + places.directory);
    region->page_map = (peal_u64 *)(void *)(region->base + places.page_map);
}

/* What we would write into a raw region of this size. */
static enum peal_status plan(uint64_t mapped_bytes, const struct peal_region_wish *wish,
                             struct peal_format_fields *fields)
{
    uint32_t wanted = wish ? wish->topics_max : 0;
    uint32_t topics_max = wanted ? wanted : peal_format_default_topics(mapped_bytes);
    *fields = (struct peal_format_fields){
        .magic = PEAL_REGION_MAGIC,
        .format_version = PEAL_FORMAT_VERSION,
        .topics_max = topics_max,
        .size_bytes = mapped_bytes,
        .generation = wish ? wish->generation : 0,
    };
    if (topics_max == 0 || topics_max > PEAL_TOPICS_MAX)
        return peal_fail(PEAL_EINVAL, "topics_max must be 1..%u, not %" PRIu32, PEAL_TOPICS_MAX,
                         topics_max);
    if (!peal_format_is_sound(fields))
        return peal_fail(PEAL_EINVAL,
                         "a region of %" PRIu64 " bytes is too small for %" PRIu32
                         " topics; it needs %" PRIu64 " bytes at least",
                         mapped_bytes, topics_max, peal_region_min_bytes(topics_max));
    return PEAL_OK;
}

/* One look at the header and what follows from it. AGAIN with *retry: it changed under us. */
static enum peal_status attach_once(struct peal_region *region, uint64_t mapped_bytes,
                                    const struct peal_region_wish *wish, bool *retry)
{
    struct peal_format_fields found = {0};
    const peal_u64 *state = &region->header->layout.state;
    uint64_t word = peal_owner_load(state);
    enum header_finding finding = header_judge(region, word, mapped_bytes, &found);
    *retry = false;
    if (finding == HEADER_BUSY)
        return peal_fail(PEAL_AGAIN, "client %" PRIu32 " is laying the region out; try again",
                         peal_owner_unpack(word).client);
    if (finding == HEADER_READY) {
        /* The fields are of one layout if the word has not moved while they were read.
         * FORMAT-A1: pairs with FORMAT-R1 in lay_out() */
        peal_fence_acquire();
        *retry = peal_u64_load_relaxed(state) != word; /* relaxed: behind the fence */
        adopt(region, &found);
        return *retry ? PEAL_AGAIN : PEAL_OK;
    }
    if (finding == HEADER_FOREIGN && !is_alone(region))
        return fail_foreign(&found, mapped_bytes);
    struct peal_format_fields own;
    enum peal_status status = plan(mapped_bytes, wish, &own);
    if (status != PEAL_OK)
        return status;
    bool others_use_it = false;
    status = lay_out(region, word, finding, &own, &others_use_it);
    if (others_use_it)
        return fail_foreign(&found, mapped_bytes);
    *retry = status == PEAL_AGAIN;
    if (status == PEAL_OK)
        adopt(region, &own);
    return status;
}

enum peal_status peal_region_attach(struct peal_region *region, void *base, uint64_t size_bytes,
                                    uint32_t index, uint64_t incarnation,
                                    const struct peal_region_wish *wish,
                                    const struct peal_authority *authority)
{
    if (!base || (uintptr_t)base % PEAL_PAGE_BYTES != 0)
        return peal_fail(PEAL_EINVAL, "a region must begin at a multiple of %u", PEAL_PAGE_BYTES);
    if (index >= PEAL_CLIENTS_MAX || (uint32_t)incarnation == 0)
        return peal_fail(PEAL_EINVAL,
                         "client index %" PRIu32 " is beyond %u, or its incarnation is 0", index,
                         PEAL_CLIENTS_MAX - 1);
    uint64_t mapped_bytes = size_bytes / PEAL_PAGE_BYTES * PEAL_PAGE_BYTES;
    if (mapped_bytes < peal_region_min_bytes(1))
        return peal_fail(PEAL_EINVAL, "a region needs %" PRIu64 " bytes at least, not %" PRIu64,
                         peal_region_min_bytes(1), size_bytes);

    *region = (struct peal_region){
        .base = base,
        .index = index,
        .incarnation = incarnation,
        .header = base,
        .authority = *authority,
    };
    /* Our membership, which the transport has made, precedes our look at the header.
     * FORMAT-F2: pairs with FORMAT-F1 in lay_out() */
    peal_fence_seq_cst();
    for (uint32_t attempt = 0; attempt < ATTACH_ATTEMPTS; attempt++) {
        bool retry;
        enum peal_status status = attach_once(region, mapped_bytes, wish, &retry);
        if (!retry)
            return status;
    }
    return peal_fail(PEAL_AGAIN, "several clients are laying the region out; try again");
}

/* Reads the fields of a READY header, of one layout. */
static enum peal_status read_ready(const struct peal_region_header *header, uint64_t size_bytes,
                                   struct peal_format_fields *fields)
{
    uint64_t word = peal_owner_load(&header->layout.state);
    struct peal_owner owner = peal_owner_unpack(word);
    uint64_t checksum;
    peal_format_read(header, fields, &checksum);
    if (owner.version != PEAL_REGION_TAG || owner.state != PEAL_REGION_READY)
        return peal_fail(PEAL_EFORMAT,
                         owner.version == PEAL_REGION_TAG && owner.state == PEAL_REGION_LAYING_OUT
                             ? "the region is just being laid out; try again"
                             : "there is no region in this memory");
    if (fields->magic == PEAL_REGION_MAGIC && fields->format_version != PEAL_FORMAT_VERSION)
        return peal_fail(PEAL_EFORMAT,
                         "the region has format version %" PRIu32
                         " and this program speaks %u; look at it with its own version of Peal",
                         fields->format_version, PEAL_FORMAT_VERSION);
    if (fields->magic != PEAL_REGION_MAGIC || checksum != peal_format_checksum(fields) ||
        !peal_format_is_sound(fields))
        return peal_fail(PEAL_EFORMAT, "the region's header is spoilt");
    if (fields->size_bytes > size_bytes)
        return peal_fail(PEAL_EFORMAT,
                         "the region has %" PRIu64 " bytes but only %" PRIu64 " are here; map all",
                         fields->size_bytes, size_bytes);
    return PEAL_OK;
}

enum peal_status peal_region_look(struct peal_region *region, const void *memory,
                                  uint64_t size_bytes)
{
    if (!memory || (uintptr_t)memory % sizeof(peal_u64) != 0)
        return peal_fail(PEAL_EINVAL, "a region begins at a multiple of %zu bytes",
                         sizeof(peal_u64));
    if (size_bytes < peal_region_min_bytes(1))
        return peal_fail(PEAL_EFORMAT, "%" PRIu64 " bytes are too few for any region", size_bytes);
    struct peal_format_fields fields;
    enum peal_status status = read_ready(memory, size_bytes, &fields);
    if (status != PEAL_OK)
        return status;
    /* Shared with those who write; nothing is written through it here. */
    unsigned char *base = (unsigned char *)(uintptr_t)memory;
    *region = (struct peal_region){
        .base = base,
        .index = PEAL_CLIENTS_MAX,
        .header = (struct peal_region_header *)(void *)base,
    };
    adopt(region, &fields);
    return PEAL_OK;
}
