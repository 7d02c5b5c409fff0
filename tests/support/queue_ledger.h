/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of a queue's messages, in memory that outlives who writes it: each actor notes beforehand what it is about to
 * push or to get, and afterwards what it has pushed and got. What was got is judged at once, the sums in the end.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_LEDGER_H
#define PEAL_TESTS_SUPPORT_QUEUE_LEDGER_H

#include "core/atomic.h"

#include <peal/peal.h>

#define QUEUE_ACCOUNTS_MAX 64u
#define QUEUE_NUMBERS_MAX 64u
#define QUEUE_ACTORS_MAX 8u
#define QUEUE_WORDS_MAX 3u
#define QUEUE_LEDGER_NAME "jobs" /* the queue whose sums are compared */

/* Of a message; they are or'ed. */
enum queue_entry_state {
    QUEUE_BEGUN = 1u << 0,     /* somebody is about to push it */
    QUEUE_PUSHED = 1u << 1,    /* its push said so */
    QUEUE_REFUSED = 1u << 2,   /* its push said no */
    QUEUE_DROPPED = 1u << 3,   /* its push said that it was dropped and counted */
    QUEUE_HELD = 1u << 4,      /* somebody took it and has not said that he is done */
    QUEUE_FINISHING = 1u << 5, /* he is about to say so */
};

struct queue_entry {
    peal_u64 state;
    peal_u64 words;     /* its size, in words of 8 bytes */
    peal_u64 delivered; /* how often somebody was done with it */
    peal_u64 begun_at;  /* on the ledger's clock */
    peal_u64 pushed_at; /* 0: not known to be pushed */
};

/* Of one handle that pushes. */
struct queue_account {
    peal_u64 next;
    peal_u64 is_elsewhere; /* in another queue than QUEUE_LEDGER_NAME: its sums go with it */
    struct queue_entry entries[QUEUE_NUMBERS_MAX];
};

/* Whoever calls, one call at a time. */
struct queue_actor {
    peal_u64 in_flight; /* so many messages may have become its own, and it has not noted which */
    peal_u64 is_dead;
    peal_u64 next[QUEUE_ACCOUNTS_MAX]; /* the lowest number that may come, of each account */
    peal_u64 latest[2]; /* here and elsewhere: the last that any message it got was begun at */
};

struct queue_ledger {
    struct queue_account accounts[QUEUE_ACCOUNTS_MAX];
    struct queue_actor actors[QUEUE_ACTORS_MAX];
    peal_u64 account_count;
    peal_u64 clock;
    peal_u64 unforeseen; /* redelivered, and nobody had noted that he holds it */
    peal_u64 gone;       /* may have been had by who died before he could note it */
    peal_u64 is_doubled; /* somebody died where a lane's figures may be summed twice */
    peal_u64 may_drop;   /* pushes elsewhere that may have dropped one */
    peal_u64 is_strict;
    peal_u64 failed_line; /* where a life found something wrong; 0: nowhere */
    peal_u64 unmet;       /* meetings that did not come about */
    peal_u64 has_complaint;
    char complaint[200]; /* the first thing that was wrong; "": all is well */
};

/* What a queue has counted when all its lanes have ended. */
struct queue_sums {
    uint64_t published;
    uint64_t dropped_oldest;
    uint64_t dropped_newest;
    uint64_t lost;
};

void queue_ledger_complain(struct queue_ledger *ledger, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A new account, for a handle of queue `name`. UINT32_MAX: the ledger is full. */
uint32_t queue_ledger_open(struct queue_ledger *ledger, const char *name);

/* Begins `count` messages of the account, all of queue_ledger_words() of the first one's number, which is returned;
 * writes them to `words`, one after the other. */
uint64_t queue_ledger_begin(struct queue_ledger *ledger, uint32_t account, size_t count,
                            uint64_t *words);

/* What became of `count` of them. */
void queue_ledger_push(struct queue_ledger *ledger, uint32_t account, uint64_t first, size_t count,
                       enum queue_entry_state outcome);

/* The size of a message, in words of 8 bytes. */
size_t queue_ledger_words(uint64_t number);

/* The actor got a message: is it one, whole, in order, and his? It is held until it is delivered. NULL: no. */
struct queue_entry *queue_ledger_receive(struct queue_ledger *ledger, struct queue_actor *actor,
                                         const struct peal_queue_message *message);

void queue_ledger_deliver(struct queue_ledger *ledger, struct queue_entry *entry);

/* The actor has died at a fault point. */
void queue_ledger_bury(struct queue_ledger *ledger, struct queue_actor *actor, const char *point);

/* When everybody has ended and the queue is empty: is each message accounted for? */
void queue_ledger_compare(struct queue_ledger *ledger, const struct queue_sums *sums);

#endif
