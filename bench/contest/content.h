/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of messages in the contest, in words of 64 bits:
 *
 *      word 0     check (16 bits) | sender (8 bits) | number (40 bits)
 *      word i     word 0 + i * PRIME
 *
 * so that each message differs from every other in every word. The sender writes all of it. The
 * receiver reads one word of each cache line, another one from message to message, so that within eight
 * messages every word has been looked at; and word 0 always.
 *
 * Numbers count from 0 for each sender. What a receiver got of a sender is told by a tally; from the
 * tallies of all it can be seen whether each message came as often as it should (verdict.h).
 */
#ifndef PEAL_BENCH_CONTEST_CONTENT_H
#define PEAL_BENCH_CONTEST_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BENCH_CONTENT_PRIME UINT64_C(0x9e3779b97f4a7c15)
#define BENCH_CONTENT_NUMBERS (UINT64_C(1) << 40)
#define BENCH_CONTENT_LINE_WORDS 8u

/* Of the messages of one sender that one receiver got. */
struct bench_tally {
    uint64_t count;
    uint64_t sum;     /* of their numbers */
    uint64_t squares; /* of their numbers; all modulo 2^64 */
    uint64_t next;    /* the lowest number that may come now */
};

/* Word 0; never zero. */
static inline uint64_t bench_content_head(uint64_t sender, uint64_t number)
{
    uint64_t rest = sender << 40 | number;
    uint64_t check = ((rest + 1) * BENCH_CONTENT_PRIME) >> 48;

    return check << 48 | rest;
}

static inline uint64_t bench_content_number(uint64_t head)
{
    return head % BENCH_CONTENT_NUMBERS;
}

static inline uint64_t bench_content_sender(uint64_t head)
{
    return head >> 40 & 0xff;
}

/* `data` is aligned to 8, `size_bytes` a multiple of 8. */
static inline void bench_content_write(void *data, size_t size_bytes, uint64_t sender,
                                       uint64_t number)
{
    uint64_t *words = data;
    uint64_t head = bench_content_head(sender, number), word = head;

    for (size_t i = 0; i < size_bytes / 8; i++, word += BENCH_CONTENT_PRIME)
        words[i] = word;
}

static inline uint64_t bench_content_word(const void *data, size_t index)
{
    uint64_t word;

    memcpy(&word, (const unsigned char *)data + index * 8, sizeof word);
    return word;
}

/* Which word of a line is looked at; at most `last`. */
static inline size_t bench_content_place(uint64_t number, size_t line, size_t last)
{
    size_t place =
        line * BENCH_CONTENT_LINE_WORDS + (size_t)((number + line) % BENCH_CONTENT_LINE_WORDS);

    return place < last ? place : last;
}

/* Spoils a word that is looked at. */
static inline void bench_content_spoil(void *data, size_t size_bytes, uint64_t number)
{
    uint64_t *words = data;

    words[bench_content_place(number, 0, size_bytes / 8 - 1)] ^= 256;
}

/* Reads a word of each line. True: it is a whole message, of *sender and with *number. */
static inline bool bench_content_read(const void *data, size_t size_bytes, uint64_t *sender,
                                      uint64_t *number)
{
    uint64_t head = bench_content_word(data, 0), wrong = 0;
    size_t words = size_bytes / 8;

    *sender = bench_content_sender(head);
    *number = bench_content_number(head);
    wrong |= head ^ bench_content_head(*sender, *number);
    for (size_t line = 0; line * BENCH_CONTENT_LINE_WORDS < words; line++) {
        size_t place = bench_content_place(*number, line, words - 1);
        wrong |= bench_content_word(data, place) ^ (head + place * BENCH_CONTENT_PRIME);
    }
    return wrong == 0;
}

/* False: it came out of order, or twice. */
static inline bool bench_tally_add(struct bench_tally *tally, uint64_t number)
{
    bool in_order = number >= tally->next;

    tally->count++;
    tally->sum += number;
    tally->squares += number * number;
    tally->next = number + 1;
    return in_order;
}

/* What the tally of the numbers 0 to count - 1 is. */
static inline struct bench_tally bench_tally_of(uint64_t count)
{
    struct bench_tally tally = {.count = count, .next = count};

    if (count == 0)
        return tally;
    /* (n - 1) n / 2 and (n - 1) n (2 n - 1) / 6, divided before they are multiplied */
    uint64_t left = count - 1, right = count, third = 2 * count - 1;
    if (left % 2 == 0)
        left /= 2;
    else
        right /= 2;
    tally.sum = left * right;
    if (left % 3 == 0)
        left /= 3;
    else if (right % 3 == 0)
        right /= 3;
    else
        third /= 3;
    tally.squares = left * right * third;
    return tally;
}

#endif
