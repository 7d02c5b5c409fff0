/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers for tests, and message contents that tell where they come from. A run prints
 * its seed; PEAL_TEST_SEED=N repeats it.
 */
#ifndef PEAL_TESTS_SUPPORT_RANDOM_H
#define PEAL_TESTS_SUPPORT_RANDOM_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One step of splitmix64. */
static inline uint64_t random_next(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = *seed;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* 0..below-1 */
static inline uint32_t random_below(uint64_t *seed, uint32_t below)
{
    return (uint32_t)(random_next(seed) % below);
}

/* The seed of this run, printed once. */
static inline uint64_t random_seed(void)
{
    static uint64_t seed;
    if (!seed) {
        const char *wish = getenv("PEAL_TEST_SEED");
        seed = wish ? strtoull(wish, NULL, 0) : (uint64_t)time(NULL);
        printf("seed: PEAL_TEST_SEED=%" PRIu64 "\n", seed);
        (void)fflush(stdout);
    }
    return seed;
}

/* Byte `place` of message `number` of sender `sender`: no two messages are alike. */
static inline unsigned char content_byte(uint64_t sender, uint64_t number, size_t place)
{
    uint64_t hash = (sender * 31 + number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)((hash >> 8 * (place % 8)) + place / 8);
}

static inline void content_fill(unsigned char *bytes, size_t size_bytes, uint64_t sender,
                                uint64_t number)
{
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = content_byte(sender, number, i);
}

static inline bool content_is(const unsigned char *bytes, size_t size_bytes, uint64_t sender,
                              uint64_t number)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != content_byte(sender, number, i))
            return false;
    }
    return true;
}

#endif
