/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a spsc ring looks like in shared memory. The algorithm is in spsc.h.
 *
 *   offset  bytes  field                      only writer
 *        0      8  initialiser.magic          whoever formats; stored last, with release
 *        8      4  initialiser.format_version whoever formats
 *       12      4  initialiser.element_bytes  whoever formats
 *       16      8  initialiser.capacity       whoever formats; elements, a power of two
 *       24    104  zero
 *      128      8  producer.tail              the producer: elements ever published
 *      136    120  zero
 *      256      8  consumer.head              the consumer: elements ever given back
 *      264    120  zero
 *      384         elements                   the producer: capacity * element_bytes, no gaps
 *
 * Element number i lies at 384 + (i mod capacity) * element_bytes. Both cursors count elements and
 * run freely through all 64 bits; head <= tail <= head + capacity holds modulo 2^64. All words are
 * little-endian. The memory is aligned to 128 bytes and its size is rounded up to 128.
 */
#ifndef PEAL_CORE_SPSC_SHARED_H
#define PEAL_CORE_SPSC_SHARED_H

#include "core/atomic.h"
#include "core/cpu.h"

#include <stddef.h>

#define PEAL_SPSC_MAGIC UINT64_C(0x435350534c414550) /* "PEALSPSC" in memory */
#define PEAL_SPSC_FORMAT_VERSION 1u
#define PEAL_SPSC_ELEMENT_BYTES_MAX (UINT32_C(1) << 20)
#define PEAL_SPSC_CAPACITY_MAX (UINT64_C(1) << 31)

struct peal_spsc_shared {
    struct {
        peal_u64 magic;
        peal_u32 format_version;
        peal_u32 element_bytes;
        peal_u64 capacity;
    } initialiser;
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u64 tail;
    } producer;
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u64 head;
    } consumer;
    /* The elements follow. */
};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the region is little-endian");
static_assert(offsetof(struct peal_spsc_shared, initialiser.magic) == 0, "layout");
static_assert(offsetof(struct peal_spsc_shared, initialiser.format_version) == 8, "layout");
static_assert(offsetof(struct peal_spsc_shared, initialiser.element_bytes) == 12, "layout");
static_assert(offsetof(struct peal_spsc_shared, initialiser.capacity) == 16, "layout");
static_assert(offsetof(struct peal_spsc_shared, producer.tail) == 128, "layout");
static_assert(offsetof(struct peal_spsc_shared, consumer.head) == 256, "layout");
static_assert(sizeof(struct peal_spsc_shared) == 384, "the elements begin at 384");

#endif
