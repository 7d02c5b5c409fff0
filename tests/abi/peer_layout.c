/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints where everything lies in shared memory, as this program sees it: what the compiler laid
 * out, and what the library computes and writes.
 */
#include "core/copy.h"
#include "core/crc32c.h"
#include "core/hash.h"
#include "core/lane_geometry.h"
#include "core/owner.h"
#include "core/queue_shared.h"
#include "core/region.h"
#include "core/spsc.h"
#include "tests/abi/peer.h"
#include "transport/posix/posix_shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STRUCT(type)                                                                               \
    (void)printf("struct %s: %zu bytes, aligned to %zu\n", #type, sizeof(struct type),             \
                 _Alignof(struct type))
#define FIELD(type, field)                                                                         \
    (void)printf("  %s.%s: %zu, %zu bytes\n", #type, #field, offsetof(struct type, field),         \
                 sizeof(((struct type *)0)->field))
#define CONSTANT(name) (void)printf("%s: %" PRIu64 "\n", #name, (uint64_t)(name))

static void print_region(void)
{
    STRUCT(peal_region_header);
    FIELD(peal_region_header, layout.state);
    FIELD(peal_region_header, layout.magic);
    FIELD(peal_region_header, layout.format_version);
    FIELD(peal_region_header, layout.topics_max);
    FIELD(peal_region_header, layout.size_bytes);
    FIELD(peal_region_header, layout.generation);
    FIELD(peal_region_header, layout.checksum);
    FIELD(peal_region_header, layout);
    FIELD(peal_region_header, sleepers.armed);
    FIELD(peal_region_header, sleepers);
    FIELD(peal_region_header, directory.epoch);
    FIELD(peal_region_header, directory);
    STRUCT(peal_client_shared);
    FIELD(peal_client_shared, owner);
    FIELD(peal_client_shared, incarnation);
    FIELD(peal_client_shared, name);
    FIELD(peal_client_shared, started_ns);
    FIELD(peal_client_shared, counters);
    FIELD(peal_client_shared, counters.heartbeat_ns);
    FIELD(peal_client_shared, counters.bells_rung);
    FIELD(peal_client_shared, counters.bells_suppressed);
    FIELD(peal_client_shared, counters.sleeps);
    FIELD(peal_client_shared, counters.wakes);
    FIELD(peal_client_shared, counters.spurious_wakes);
    FIELD(peal_client_shared, counters.safety_net_finds);
    FIELD(peal_client_shared, counters.recovered_clients);
    FIELD(peal_client_shared, counters.corruptions);
    CONSTANT(PEAL_REGION_MAGIC);
    CONSTANT(PEAL_FORMAT_VERSION);
    CONSTANT(PEAL_REGION_TAG);
    CONSTANT(PEAL_CLIENTS_MAX);
}

static void print_queue(void)
{
    STRUCT(peal_topic_queue_shared);
    FIELD(peal_topic_queue_shared, kind);
    FIELD(peal_topic_queue_shared, published);
    FIELD(peal_topic_queue_shared, ticket);
    STRUCT(peal_queue_reader_shared);
    FIELD(peal_queue_reader_shared, tag);
    FIELD(peal_queue_reader_shared, claim);
    FIELD(peal_queue_reader_shared, lost_claim);
    FIELD(peal_queue_reader_shared, popped);
    FIELD(peal_queue_reader_shared, redelivered);
    STRUCT(peal_queue_lane_shared);
    FIELD(peal_queue_lane_shared, geometry.message_bytes_max);
    FIELD(peal_queue_lane_shared, drops.claim);
    FIELD(peal_queue_lane_shared, producer.published);
    FIELD(peal_queue_lane_shared, consumers.cursor);
    FIELD(peal_queue_lane_shared, consumers.waiting);
    FIELD(peal_queue_lane_shared, readers);
}

static void print_topic(void)
{
    STRUCT(peal_lane_entry_shared);
    FIELD(peal_lane_entry_shared, owner);
    FIELD(peal_lane_entry_shared, page_word);
    FIELD(peal_lane_entry_shared, first_page);
    FIELD(peal_lane_entry_shared, page_count);
    FIELD(peal_lane_entry_shared, name_hash);
    STRUCT(peal_topic_shared);
    FIELD(peal_topic_shared, owner);
    FIELD(peal_topic_shared, type_owner);
    FIELD(peal_topic_shared, schema_hash);
    FIELD(peal_topic_shared, name);
    FIELD(peal_topic_shared, type_name);
    FIELD(peal_topic_shared, subscriber_epoch);
    FIELD(peal_topic_shared, lane_epoch);
    FIELD(peal_topic_shared, subscribers);
    FIELD(peal_topic_shared, subscriber_flags);
    FIELD(peal_topic_shared, lanes);
}

static void print_lane(void)
{
    STRUCT(peal_slot_shared);
    FIELD(peal_slot_shared, stamp);
    FIELD(peal_slot_shared, length);
    FIELD(peal_slot_shared, kind);
    (void)printf("  peal_slot_shared.body: %zu\n", offsetof(struct peal_slot_shared, body));
    STRUCT(peal_lane_reader_shared);
    FIELD(peal_lane_reader_shared, tag);
    FIELD(peal_lane_reader_shared, cursor);
    FIELD(peal_lane_reader_shared, invited);
    FIELD(peal_lane_reader_shared, delivered);
    FIELD(peal_lane_reader_shared, lost);
    STRUCT(peal_lane_shared);
    FIELD(peal_lane_shared, geometry.magic);
    FIELD(peal_lane_shared, geometry.incarnation);
    FIELD(peal_lane_shared, geometry.depth);
    FIELD(peal_lane_shared, geometry.stride_bytes);
    FIELD(peal_lane_shared, geometry.payload_bytes);
    FIELD(peal_lane_shared, geometry.message_bytes_max);
    FIELD(peal_lane_shared, geometry.options);
    FIELD(peal_lane_shared, geometry.name);
    FIELD(peal_lane_shared, geometry);
    FIELD(peal_lane_shared, writer.oldest);
    FIELD(peal_lane_shared, writer.dropped);
    FIELD(peal_lane_shared, writer.waiting);
    FIELD(peal_lane_shared, writer);
    FIELD(peal_lane_shared, readers);
    CONSTANT(PEAL_LANE_MAGIC);
    CONSTANT(PEAL_LANE_SLOTS_OFFSET);
}

static void print_spsc(void)
{
    STRUCT(peal_spsc_shared);
    FIELD(peal_spsc_shared, initialiser.magic);
    FIELD(peal_spsc_shared, initialiser.format_version);
    FIELD(peal_spsc_shared, initialiser.element_bytes);
    FIELD(peal_spsc_shared, initialiser.capacity);
    FIELD(peal_spsc_shared, producer.tail);
    FIELD(peal_spsc_shared, consumer.head);
    CONSTANT(PEAL_SPSC_MAGIC);
    CONSTANT(PEAL_SPSC_FORMAT_VERSION);
}

static void print_posix(void)
{
    STRUCT(peal_posix_header);
    FIELD(peal_posix_header, magic);
    FIELD(peal_posix_header, version);
    FIELD(peal_posix_header, control_bytes);
    FIELD(peal_posix_header, region_bytes);
    FIELD(peal_posix_header, generation);
    FIELD(peal_posix_header, clients);
    FIELD(peal_posix_header, unused);
    FIELD(peal_posix_header, unused_too);
    STRUCT(peal_doorbell);
    FIELD(peal_doorbell, pending);
    FIELD(peal_doorbell, count);
    FIELD(peal_doorbell, unused);
    STRUCT(peal_posix_client);
    FIELD(peal_posix_client, bell);
    FIELD(peal_posix_client, fifo);
    FIELD(peal_posix_client, incarnation);
    FIELD(peal_posix_client, unused);
    CONSTANT(PEAL_POSIX_MAGIC);
    CONSTANT(PEAL_POSIX_VERSION);
    CONSTANT(PEAL_POSIX_CLIENTS_OFFSET);
    CONSTANT(PEAL_POSIX_CONTROL_BYTES);
    CONSTANT(PEAL_POSIX_LOCK_BASE);
    CONSTANT(PEAL_POSIX_LOCK_INIT);
}

/* All words that are not zero, with their places. */
static void print_words(const char *what, const void *memory, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes / 8; i++) {
        uint64_t word;
        peal_copy_out(&word, (const peal_u64 *)memory + i, 8);
        if (word != 0)
            (void)printf("  %s at %zu: %016" PRIx64 "\n", what, 8 * i, word);
    }
}

static bool print_geometries(void)
{
    static const uint32_t sizes[] = {0,    1,    40,   48,   49,   112,   200,
                                     4080, 4081, 4096, 4128, 4145, 65536, 16u << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t options = 0; options <= PEAL_LANE_OPTIONS_ALL; options++) {
            const uint32_t depth = 2u << i;
            struct peal_lane_geometry made;
            if (peal_lane_geometry_make(&made, depth, sizes[i], 0, options) != PEAL_OK)
                return false;
            (void)printf(
                "lane of %u x %u, options %u: stride %u, meta %u, inline %u, payload %" PRIu64
                " at %" PRIu64 ", size %" PRIu64 "\n",
                depth, sizes[i], options, made.stride_bytes, made.meta_bytes, made.inline_bytes_max,
                made.payload_bytes, made.payload_offset, made.size_bytes);
        }
    }
    return true;
}

static bool print_spsc_sizes(void)
{
    static const uint64_t elements[] = {1, 8, 24, 4096};
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        size_t size_bytes = 0;
        if (peal_spsc_layout(elements[i], UINT64_C(1) << (2 * i), &size_bytes) != PEAL_OK)
            return false;
        (void)printf("spsc of %" PRIu64 ": %zu bytes\n", elements[i], size_bytes);
    }
    return true;
}

static uint64_t only_we(void *context)
{
    (void)context;
    return UINT64_C(1) << 3;
}

/* A region as this program lays it out, and a lane as it describes it. */
static bool print_laid_out(void)
{
    const size_t size_bytes = (size_t)256 * PEAL_PAGE_BYTES;
    const struct peal_region_wish wish = {.topics_max = 24,
                                          .generation = UINT64_C(0xfedcba9876543210)};
    const struct peal_authority authority = {.members = only_we};
    struct peal_region region;
    struct peal_lane_geometry geometry;
    unsigned char *memory = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    if (!memory)
        return false;
    memset(memory, 0xa5, size_bytes);
    bool done = peal_region_attach(&region, memory, size_bytes, 3, UINT64_C(0x1122334455667788),
                                   &wish, &authority) == PEAL_OK &&
                peal_lane_geometry_make(&geometry, 64, 1000, 0, PEAL_LANE_CRC32C) == PEAL_OK;
    if (done) {
        const size_t data = (size_t)region.first_data_page * PEAL_PAGE_BYTES;
        (void)printf(
            "clients at %td, directory at %td, page map at %td, data from page %u of %u\n",
            (unsigned char *)region.clients - memory, (unsigned char *)region.topics - memory,
            (unsigned char *)region.page_map - memory, region.first_data_page, region.page_count);
        print_words("region", memory, data);
        memset(memory + data, 0, PEAL_LANE_SLOTS_OFFSET);
        peal_lane_geometry_store(&geometry, UINT64_C(0x99aabbccddeeff00), "the publisher's name",
                                 (struct peal_lane_shared *)(void *)(memory + data));
        print_words("lane", memory + data, PEAL_LANE_SLOTS_OFFSET);
    }
    free(memory);
    return done;
}

/* What is computed on one side and compared on the other. */
static void print_computed(void)
{
    const struct peal_owner owner = {5, 63, 0x3fffff, 0x89abcdef};
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    (void)printf("owner word: %016" PRIx64 "\n", peal_owner_pack(owner));
    (void)printf("hash of a name: %016" PRIx64 "\n", peal_hash_text("wheel_speed"));
    (void)printf("hash of words: %016" PRIx64 "\n", peal_hash_word(1, UINT64_MAX - 1));
    for (size_t i = 0; i < sizeof(bytes); i += 13)
        (void)printf("crc of %zu bytes: %08" PRIx32 "\n", i, peal_crc32c(bytes, i));
}

int peer_print_layout(void)
{
    print_region();
    print_topic();
    print_queue();
    print_lane();
    print_spsc();
    print_posix();
    print_computed();
    return print_geometries() && print_spsc_sizes() && print_laid_out() ? 0 : 1;
}
