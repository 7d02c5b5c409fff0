/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a region, as all programs see it.
 *
 *      0        header        one page: identity, armed word
 *      4096     clients       64 entries of 256 bytes, one per client index
 *      20480    directory     topics_max entries of 2048 bytes, rounded up to pages
 *      ...      page map      one owner word per page of the region, rounded up to pages
 *      ...      pages         lanes
 *
 * Everything is a fixed-width little-endian word; there is no pointer, no bit-field, no OS type, so
 * that 32- and 64-bit programs share a region. Positions follow from topics_max and the region's
 * size by computation and are not stored. Words of different writers are 128 bytes apart where they
 * are written while messages flow.
 */
#ifndef PEAL_CORE_REGION_SHARED_H
#define PEAL_CORE_REGION_SHARED_H

#include "core/atomic.h"

#include <stddef.h>

#define PEAL_PAGE_BYTES 4096u
#define PEAL_CLIENTS_MAX 64u
#define PEAL_CLIENT_NAME_BYTES 32u

#define PEAL_REGION_MAGIC 0x305355424c414550ull /* "PEALBUS0" in memory */
#define PEAL_FORMAT_VERSION 2u

/* States of the header's state word (an owner word whose version field holds PEAL_REGION_TAG, so
 * that memory which starts as anything is not taken for a region in the making). */
#define PEAL_REGION_TAG 0x2b5a17u
enum peal_region_state {
    PEAL_REGION_LAYING_OUT = 5, /* by (client, incarnation) */
    PEAL_REGION_READY = 10,
};

struct peal_region_header {
    struct { /* written by the client that lays out, constant while READY */
        peal_u64 state;
        peal_u64 magic;
        peal_u32 format_version;
        peal_u32 topics_max;
        peal_u64 size_bytes;
        peal_u64 generation; /* random: tells this layout from an earlier one */
        peal_u64 checksum;   /* over the fields above except state */
    } layout;
    unsigned char pad0[128 - 48];
    struct { /* written by whoever goes to sleep; read by every publisher at every publish */
        peal_u64 armed; /* bit i: client i sleeps and wants its bell rung */
    } sleepers;
    unsigned char pad1[128 - 8];
    struct { /* written by whoever makes or removes a topic */
        peal_u64 epoch;
    } directory;
    unsigned char pad2[4096 - 256 - 8];
};

/* States of a client entry's owner word. */
enum peal_client_state {
    PEAL_CLIENT_FREE = 0,
    PEAL_CLIENT_ACTIVE = 1,
};

/* Written only by the client that the index belongs to (and cleared by recovery after its death). */
struct peal_client_shared {
    peal_u64 owner;
    peal_u64 incarnation; /* all 64 bits */
    peal_u64 name[PEAL_CLIENT_NAME_BYTES / 8];
    peal_u64 started_ns; /* CLOCK_REALTIME at attach */
    unsigned char pad0[128 - 56];
    struct {                   /* for observers only: nobody decides anything by these */
        peal_u64 heartbeat_ns; /* CLOCK_MONOTONIC when it last waited or recovered */
        peal_u64 bells_rung;
        peal_u64 bells_suppressed;
        peal_u64 sleeps;
        peal_u64 wakes;
        peal_u64 spurious_wakes;
        peal_u64 safety_net_finds;
        peal_u64 recovered_clients;
        peal_u64 corruptions;
    } counters;
    unsigned char pad1[128 - 72];
};

static_assert(sizeof(struct peal_region_header) == PEAL_PAGE_BYTES, "format");
static_assert(offsetof(struct peal_region_header, layout.magic) == 8, "format");
static_assert(offsetof(struct peal_region_header, layout.format_version) == 16, "format");
static_assert(offsetof(struct peal_region_header, layout.topics_max) == 20, "format");
static_assert(offsetof(struct peal_region_header, layout.size_bytes) == 24, "format");
static_assert(offsetof(struct peal_region_header, layout.generation) == 32, "format");
static_assert(offsetof(struct peal_region_header, layout.checksum) == 40, "format");
static_assert(offsetof(struct peal_region_header, sleepers.armed) == 128, "format");
static_assert(offsetof(struct peal_region_header, directory.epoch) == 256, "format");
static_assert(sizeof(struct peal_client_shared) == 256, "format");
static_assert(offsetof(struct peal_client_shared, incarnation) == 8, "format");
static_assert(offsetof(struct peal_client_shared, name) == 16, "format");
static_assert(offsetof(struct peal_client_shared, started_ns) == 48, "format");
static_assert(offsetof(struct peal_client_shared, counters) == 128, "format");
static_assert(offsetof(struct peal_client_shared, counters.sleeps) == 152, "format");
static_assert(offsetof(struct peal_client_shared, counters.corruptions) == 192, "format");

#endif
