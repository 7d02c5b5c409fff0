/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two small hashes for words in shared memory. They find accidents, not attacks: whoever can write
 * the region can write a matching hash.
 */
#ifndef PEAL_CORE_HASH_H
#define PEAL_CORE_HASH_H

#include <stdint.h>

/* Adds a word to a running hash; the mixing step of splitmix64 (Steele, Lea, Flood, 2014). */
static inline uint64_t peal_hash_word(uint64_t hash, uint64_t word)
{
    uint64_t mixed = hash + word + UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* FNV-1a over the characters of a string; the same on every machine. NULL counts as "". */
static inline uint64_t peal_hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
