/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process does in its life, for campaigns that end it somewhere in the middle: each role goes
 * through everything that it can do with a region, and writes down beforehand what it is about to do and
 * afterwards what it has done, in a ledger that outlives it.
 */
#ifndef PEAL_TESTS_SUPPORT_LIVES_H
#define PEAL_TESTS_SUPPORT_LIVES_H

#include "core/atomic.h"

#include <peal/peal.h>

#define LIFE_PUBLISHERS_MAX 8u
#define LIFE_TOPIC "t"       /* where the witness listens, reliably, and publishes */
#define LIFE_TOPIC_BIG "big" /* where it listens at its best effort */
#define LIFE_TYPE "wheel"
#define LIFE_SCHEMA 7u
#define LIFE_WITNESS_NAME "witness"

/* Of one publisher of the mortal process. */
struct life_account {
    peal_u64 incarnation;
    peal_u64 topic; /* 1: LIFE_TOPIC, 2: LIFE_TOPIC_BIG, 0: another */
    peal_u64 begun; /* messages that it was about to publish */
    peal_u64 done;  /* ... of which it knows that they are published */
    peal_u64 drops_begun;
    peal_u64 drops;
};

/* In memory that is shared with the parent. */
struct life_ledger {
    struct life_account publishers[LIFE_PUBLISHERS_MAX];
    peal_u64 publisher_count;
    peal_u64 pushed_begun; /* spsc */
    peal_u64 pushed;
    peal_u64 popped_begun;
    peal_u64 popped;
    peal_u64 failed_line; /* where a role found something wrong; 0: nowhere */
};

struct life {
    const char *url;
    struct life_ledger *ledger;
    void *ring; /* spsc memory of LIFE_RING_BYTES */
};

#define LIFE_RING_ELEMENTS 16u
#define LIFE_RING_BYTES 4096u

/* A bus as all the roles open it: small region, short sleeps. NULL: refused. */
struct peal_bus *life_bus(const char *url, uint64_t open_timeout_ns);

/* The roles. 0, or 1 with ledger->failed_line. */
int life_publisher(struct life *life);
int life_subscriber(struct life *life);
int life_recoverer(struct life *life); /* also: whoever attaches and leaves */
int life_rivals(struct life *life); /* two clients that meet each other in the middle of things */
int life_producer(struct life *life);
int life_consumer(struct life *life);

/* The content of message `number` of any publisher on LIFE_TOPIC: 8 bytes. */
uint64_t life_word(uint64_t incarnation, uint64_t number);

#endif
