/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lives on beside the mortal processes of tests/support/lives.h: listens to what they publish, publishes to
 * them, goes on working while they are dead or stopped, and holds the accounts against what it heard.
 */
#ifndef PEAL_TESTS_SUPPORT_WITNESS_H
#define PEAL_TESTS_SUPPORT_WITNESS_H

#include "tests/support/lives.h"

#define WITNESS_VOICES_MAX 64u

/* The longest that one call of a survivor took, of each kind. */
enum witness_call {
    WITNESS_OPEN,
    WITNESS_RECOVER,
    WITNESS_PUBLISH,
    WITNESS_TAKE,
    WITNESS_CREATE_PUBLISHER,
    WITNESS_CREATE_SUBSCRIBER,
    WITNESS_CLOSE,
    WITNESS_CALLS
};
struct witness_times {
    uint64_t longest_ns[WITNESS_CALLS];
    uint64_t calls[WITNESS_CALLS];
};
const char *witness_call_text(enum witness_call call);

/* What was heard of one publisher. */
struct witness_voice {
    uint64_t incarnation;
    uint64_t next; /* the number that comes next */
    uint64_t delivered;
    uint64_t lost;
};

struct witness {
    struct peal_bus *bus;
    struct peal_subscriber *reliable;    /* of LIFE_TOPIC */
    struct peal_subscriber *best_effort; /* of LIFE_TOPIC_BIG */
    struct peal_publisher *publisher;    /* of LIFE_TOPIC */
    uint64_t incarnation;                /* the publisher's */
    uint64_t published;
    struct witness_voice voices[WITNESS_VOICES_MAX];
    uint32_t voice_count;
    struct witness_times *times; /* those for now */
    char complaint[320];         /* the first thing that was wrong; "" as long as all is well */
};

/* Opens its bus and endpoints, publishes a few messages, and asks to be rung. */
bool witness_begin(struct witness *witness, const char *url, struct witness_times *times);

/* Beside whom a survivor works, and what it may therefore be told. */
enum witness_company {
    WITNESS_ALONE,       /* all dead ones are recovered: nothing is refused */
    WITNESS_WITH_DEAD,   /* not recovered yet: FULL, for the dead may shut the gate */
    WITNESS_WITH_STOPPED /* FULL; and AGAIN, where a type is being set */
};

/* Everything that a survivor does. */
void witness_work(struct witness *witness, enum witness_company company);

/* Recovers; *recovered: how many dead clients it found. */
void witness_recover(struct witness *witness, uint32_t *recovered);

/* Takes what there is. */
void witness_listen(struct witness *witness);

/* No finding of an audit beyond `allowed`, and all pages accounted for. */
void witness_audit(struct witness *witness, enum peal_audit_severity allowed);

/* After all mortals have ended and were recovered: listens to the end of their lanes, and compares. */
void witness_compare(struct witness *witness, struct life_ledger *ledger, bool has_died);

/* Closes all endpoints; asserts by audit that nothing but the own client entry is left; closes the bus. */
void witness_end(struct witness *witness);

#endif
