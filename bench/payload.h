/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of messages, written by the sender and checked by the receiver, in words of 64 bits:
 *
 *      first   the message's number
 *      body    base + place * PRIME, where base is the number (up to 64 bytes), or the number / 64
 *      last    the number again
 *
 * Small messages are written anew each time. For large ones that would measure the generator: the
 * body changes every 64 messages, the ends with each. Everything is checked by a sum over all words,
 * which also is how a reader in place uses what it reads.
 *
 * Sizes are multiples of 8, the data is aligned to 8. Inlined so that a constant size unrolls.
 */
#ifndef PEAL_BENCH_PAYLOAD_H
#define PEAL_BENCH_PAYLOAD_H

#include "core/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PAYLOAD_PRIME 0x9e3779b97f4a7c15u
#define BENCH_PAYLOAD_SMALL 64u
#define BENCH_PAYLOAD_PERIOD 64u
#define BENCH_INLINE static inline __attribute__((always_inline))

BENCH_INLINE uint64_t bench_payload_base(size_t size_bytes, uint64_t number)
{
    return size_bytes <= BENCH_PAYLOAD_SMALL ? number : number / BENCH_PAYLOAD_PERIOD;
}

BENCH_INLINE void bench_payload_ends(void *data, size_t size_bytes, uint64_t number)
{
    uint64_t *words = data;

    words[0] = number;
    words[size_bytes / 8 - 1] = number;
}

BENCH_INLINE void bench_payload_write(void *data, size_t size_bytes, uint64_t number)
{
    uint64_t *words = data;
    uint64_t base = bench_payload_base(size_bytes, number);

    for (size_t i = 1; i + 1 < size_bytes / 8; i++)
        words[i] = base + i * BENCH_PAYLOAD_PRIME;
    bench_payload_ends(data, size_bytes, number);
}

/* --plant-fault: the sender has written message `number`; the receiver must notice. */
BENCH_INLINE void bench_payload_plant(void *data, size_t size_bytes, uint64_t number,
                                      uint64_t fault_at)
{
    if (__builtin_expect(number == fault_at, 0))
        ((unsigned char *)data)[size_bytes - 1] ^= 1;
}

/*
 * The same from the last word to the first. Where the reader polls the first line of several, this
 * order gives it the least time to pull that line away between its first and its last store.
 */
BENCH_INLINE void bench_payload_write_tail_first(void *data, size_t size_bytes, uint64_t number)
{
    uint64_t *words = data;
    uint64_t base = bench_payload_base(size_bytes, number);

    words[size_bytes / 8 - 1] = number;
    for (size_t i = size_bytes / 8 - 2; i > 0 && size_bytes > 8; i--)
        words[i] = base + i * BENCH_PAYLOAD_PRIME;
    words[0] = number;
}

/* Brings a sender's private copy up to `number`; numbers come one after the other from 0. */
BENCH_INLINE void bench_payload_refresh(void *data, size_t size_bytes, uint64_t number)
{
    if (size_bytes <= BENCH_PAYLOAD_SMALL || number % BENCH_PAYLOAD_PERIOD == 0)
        bench_payload_write(data, size_bytes, number);
    else
        bench_payload_ends(data, size_bytes, number);
}

/* What the sum over all words of a right message is, modulo 2^64. */
BENCH_INLINE uint64_t bench_payload_expected(size_t size_bytes, uint64_t number)
{
    uint64_t words = size_bytes / 8;

    if (words == 1)
        return number;
    uint64_t last_place = words - 2;
    uint64_t places = last_place * (last_place + 1) / 2;
    return 2 * number + last_place * bench_payload_base(size_bytes, number) +
           places * BENCH_PAYLOAD_PRIME;
}

BENCH_INLINE uint64_t bench_payload_sum(const void *data, size_t size_bytes)
{
    const uint64_t *words = data;
    size_t count = size_bytes / 8, i = 0;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; i + 4 <= count; i += 4) {
        a += words[i];
        b += words[i + 1];
        c += words[i + 2];
        d += words[i + 3];
    }
    for (; i < count; i++)
        a += words[i];
    return a + b + c + d;
}

/* Looks at every word. */
BENCH_INLINE bool bench_payload_right(const void *data, size_t size_bytes, uint64_t number)
{
    return *(const uint64_t *)data == number &&
           bench_payload_sum(data, size_bytes) == bench_payload_expected(size_bytes, number);
}

/* Looks at the ends, and once in a while at all; for copies, where the bytes have been read anyway. */
BENCH_INLINE bool bench_payload_plausible(const void *data, size_t size_bytes, uint64_t number)
{
    const uint64_t *words = data;

    if (size_bytes <= BENCH_PAYLOAD_SMALL ||
        number % BENCH_PAYLOAD_PERIOD == BENCH_PAYLOAD_PERIOD - 1)
        return bench_payload_right(data, size_bytes, number);
    return words[0] == number && words[size_bytes / 8 - 1] == number;
}

#endif
