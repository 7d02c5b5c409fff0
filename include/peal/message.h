/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subscriber gets: a message and what is known of it.
 */
#ifndef PEAL_MESSAGE_H
#define PEAL_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum peal_message_flag {
    /* First message of a publisher that took the place of an ended one of the same name;
     * `previous_number` is the last number seen of the ended one. */
    PEAL_MESSAGE_RESTARTED = 1u << 0,
};

/* A taken message. */
struct peal_message {
    const void *data; /* in the lane (take) or in the caller's buffer (take_copy) */
    size_t size_bytes;
    uint64_t number;          /* in its publisher's sequence, from 0; dropped messages have none */
    uint64_t lost;            /* messages of this publisher lost right before this one */
    uint64_t timestamp_ns;    /* CLOCK_MONOTONIC at publish; 0 when the publisher does not stamp */
    uint64_t publisher;       /* incarnation of the publisher: random, never 0 */
    uint64_t previous_number; /* with PEAL_MESSAGE_RESTARTED */
    uint32_t flags;           /* enum peal_message_flag */
    uint32_t lane;            /* private: for release */
    uint64_t token;           /* private: for release */
};

#endif
