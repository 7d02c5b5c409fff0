/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the posix backend keeps in the shared object, before the region. Layout only; the same for
 * 32-bit and 64-bit programs.
 *
 *  byte
 *  0       header   48 bytes, see struct peal_posix_header; then zeros up to 4096
 *  4096    clients  64 records of 128 bytes, one an index
 *  12288   zeros
 *  65536   the region: whole pages even where a page has 64 KiB
 *
 * The header is written and read with pwrite and pread under the initialisation lock, never through
 * the mapping, so that a truncated or foreign object cannot hurt whoever looks at it. `magic` is
 * written last: an object whose magic is zero was left half-made.
 *
 * Locks (open file description locks; they need no bytes in the file):
 *  2^40 + i     held by the client with index i for as long as it lives
 *  2^40 + 64    the initialisation lock, held while opening
 */
#ifndef PEAL_TRANSPORT_POSIX_SHARED_H
#define PEAL_TRANSPORT_POSIX_SHARED_H

#include "core/cpu.h"
#include "transport/base/doorbell.h"
#include "transport/transport.h"

#define PEAL_POSIX_MAGIC UINT64_C(0x314d48534c414550) /* "PEALSHM1", little-endian */
#define PEAL_POSIX_VERSION 1u
#define PEAL_POSIX_CLIENTS PEAL_TRANSPORT_CLIENTS_MAX
#define PEAL_POSIX_CLIENTS_OFFSET 4096u
#define PEAL_POSIX_CONTROL_BYTES 65536u
#define PEAL_POSIX_LOCK_BASE (UINT64_C(1) << 40)
#define PEAL_POSIX_LOCK_INIT (PEAL_POSIX_LOCK_BASE + PEAL_POSIX_CLIENTS)

struct peal_posix_header {
    _Alignas(8) uint64_t magic; /* i386 would align it to 4 */
    uint32_t version;
    uint32_t control_bytes; /* where the region begins */
    uint64_t region_bytes;
    uint64_t generation; /* random; new whenever the region is made anew */
    uint32_t clients;    /* number of records */
    uint32_t unused;
    uint64_t unused_too;
};

/*
 *  0       16     24            32 .. 127
 *  | bell  | fifo | incarnation | unused  |
 */
struct peal_posix_client {
    struct peal_doorbell bell;
    peal_u64 fifo;        /* id of the owner's FIFO, part of its name; 0: the owner wants none */
    peal_u64 incarnation; /* random; new for each owner of the index */
    peal_u64 unused[12];
};

static_assert(sizeof(struct peal_posix_header) == 48, "shared layout");
static_assert(offsetof(struct peal_posix_header, version) == 8, "shared layout");
static_assert(offsetof(struct peal_posix_header, control_bytes) == 12, "shared layout");
static_assert(offsetof(struct peal_posix_header, region_bytes) == 16, "shared layout");
static_assert(offsetof(struct peal_posix_header, generation) == 24, "shared layout");
static_assert(offsetof(struct peal_posix_header, clients) == 32, "shared layout");
static_assert(sizeof(struct peal_posix_client) == PEAL_WRITER_BYTES, "shared layout");
static_assert(offsetof(struct peal_posix_client, bell) == 0, "shared layout");
static_assert(offsetof(struct peal_posix_client, fifo) == 16, "shared layout");
static_assert(offsetof(struct peal_posix_client, incarnation) == 24, "shared layout");
static_assert(PEAL_POSIX_CLIENTS_OFFSET + PEAL_POSIX_CLIENTS * sizeof(struct peal_posix_client) <=
                  PEAL_POSIX_CONTROL_BYTES,
              "the records end before the region");

#endif
