/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publisher that writes down in a ledger what it is about to publish and what it has published.
 */
#ifndef PEAL_TESTS_SUPPORT_VOICE_H
#define PEAL_TESTS_SUPPORT_VOICE_H

#include "tests/support/lives.h"

#define VOICE_BYTES_MAX 2000u

struct voice {
    struct peal_publisher *publisher;
    struct life_account *account;
    uint64_t incarnation;
    uint64_t next;
};

/* Opens it and takes the next account of the ledger. False: refused, or the ledger is full. */
bool voice_open(struct life_ledger *ledger, struct peal_bus *bus, const char *topic,
                const struct peal_publisher_options *options, struct voice *voice);

/* Of the type that all lives use, with short patience. */
struct peal_publisher_options voice_options(uint32_t depth, enum peal_full_policy policy);

/* One message of size_bytes (8 at least), whose words all tell its number. */
enum peal_status voice_speak(struct voice *voice, size_t size_bytes);

/* Loans `count` messages at once (8 at most) and commits all but the last. */
enum peal_status voice_speak_in_loans(struct voice *voice, size_t size_bytes, size_t count);

#endif
