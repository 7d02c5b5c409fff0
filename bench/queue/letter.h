/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of letters: who pushed it, its number with him, when, a body that depends on both, and a
 * sum over all. Each is looked at by who pops it, and each producer's letters must come in order to
 * each consumer; that all came, and none twice, is seen by tallies in the end.
 */
#ifndef PEAL_BENCH_QUEUE_LETTER_H
#define PEAL_BENCH_QUEUE_LETTER_H

#include "bench/queue/peer.h"

#define BENCH_LETTER_PRIME 0x9e3779b97f4a7c15u

enum bench_letter_word {
    BENCH_LETTER_PRODUCER = 0,
    BENCH_LETTER_NUMBER = 1,
    BENCH_LETTER_STAMP = 2, /* in ns, when it was due, or before the push; 0: not taken */
    BENCH_LETTER_BEGUN = 3, /* in ns, when its push would have begun if the queue took no time */
    BENCH_LETTER_BODY = 4,
    BENCH_LETTER_SUM = 7,
};

/* Of the letters of one producer that one consumer got. */
struct bench_tally {
    uint64_t count;
    uint64_t sum;     /* of their numbers */
    uint64_t squares; /* of their numbers; all modulo 2^64 */
    uint64_t next;    /* the lowest number that may come now */
};

static inline uint64_t bench_letter_sum(const struct bench_letter *letter)
{
    uint64_t sum = BENCH_LETTER_PRIME;

    for (unsigned i = 0; i < BENCH_LETTER_SUM; i++)
        sum += letter->words[i] * (2 * i + 1);
    return sum;
}

static inline void bench_letter_write(struct bench_letter *letter, uint64_t producer,
                                      uint64_t number, uint64_t stamp_ns, uint64_t begun_ns)
{
    letter->words[BENCH_LETTER_PRODUCER] = producer;
    letter->words[BENCH_LETTER_NUMBER] = number;
    letter->words[BENCH_LETTER_STAMP] = stamp_ns;
    letter->words[BENCH_LETTER_BEGUN] = begun_ns;
    for (unsigned i = BENCH_LETTER_BODY; i < BENCH_LETTER_SUM; i++)
        letter->words[i] = (number + producer) ^ (i * BENCH_LETTER_PRIME);
    letter->words[BENCH_LETTER_SUM] = bench_letter_sum(letter);
}

static inline bool bench_letter_is_right(const struct bench_letter *letter, uint64_t producers)
{
    return letter->words[BENCH_LETTER_PRODUCER] < producers &&
           letter->words[BENCH_LETTER_SUM] == bench_letter_sum(letter);
}

/* False: it came out of order. */
static inline bool bench_tally_add(struct bench_tally *tally, uint64_t number)
{
    bool in_order = number >= tally->next;

    tally->count++;
    tally->sum += number;
    tally->squares += number * number;
    tally->next = number + 1;
    return in_order;
}

#endif
