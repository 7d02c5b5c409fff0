/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book of a soak of queues: what was pushed by whom and what became of it, in memory that outlives who writes there.
 *
 * A handle that pushes has an account, which ends with it. Everybody writes down what he is about to push, what he has pushed,
 * and what he is done with; when all are dead and the queues are drained each message that was pushed must have been popped,
 * once, or be among those counted as dropped.
 *
 * One thing nobody can write down: somebody dies between being done with a message and saying so. Who pops has a hand, therefore:
 * the messages that he is just getting done with, which count as popped, perhaps, if he dies.
 */
#ifndef PEAL_TESTS_SUPPORT_SOAK_BOOK_H
#define PEAL_TESTS_SUPPORT_SOAK_BOOK_H

#include "core/atomic.h"

#include <stdbool.h>
#include <stdint.h>

#define SOAK_QUEUES 4u      /* by enum soak_queue_kind */
#define SOAK_ACCOUNTS 4096u /* of a round */
#define SOAK_MESSAGES 256u  /* of an account */
#define SOAK_HANDS 9u
#define SOAK_BATCH 8u

enum soak_queue_kind {
    SOAK_STRICT = 1u << 0,
    SOAK_DROPS_HELD = 1u << 1,
};

/* A message. */
struct soak_job {
    uint32_t account;
    uint32_t number;
    uint64_t began; /* by the book's clock, before its push */
    uint64_t check;
};

enum soak_mark {
    SOAK_SEEN = 1u << 0,   /* somebody has got it */
    SOAK_DONE = 1u << 1,   /* somebody was done with it */
    SOAK_UNSURE = 1u << 2, /* in the hand of one who died */
};

struct soak_account {
    peal_u32 queue;    /* its kind + 1; 0: not used */
    peal_u32 begun;    /* messages that may have been pushed */
    peal_u32 pushed;   /* ... that have been */
    peal_u32 dropped;  /* the oldest of them, to make room */
    peal_u32 dropping; /* as many more may be dropped by the push that is going on */
    peal_u32 pad;
    peal_u32 marks[SOAK_MESSAGES]; /* enum soak_mark */
    peal_u32 ended[SOAK_MESSAGES]; /* by the clock, after its push; 0: not known */
};

struct soak_hand {
    peal_u32 is_unsure;
    uint32_t count;
    struct soak_job jobs[SOAK_BATCH];
};

/* Figures of all rounds. */
struct soak_figures {
    uint64_t rounds;
    uint64_t accounts;
    uint64_t pushed;
    uint64_t done;
    uint64_t unsure;  /* in the hand of the dead, and nobody else got them */
    uint64_t dropped; /* oldest, by who pushed them */
    uint64_t lost;    /* held by the dead, in queues that drop that */
    uint64_t redelivered;
};

struct soak_book {
    peal_u64
        wrong; /* line in soak_book.c or soak_queue.c of the first thing that was not as it must be */
    peal_u64 redelivered;
    peal_u32 clock;
    peal_u32 account_count; /* taken; more than there are: refused */
    struct soak_hand hands[SOAK_HANDS];
    struct soak_figures figures;
    struct soak_account accounts[SOAK_ACCOUNTS];
};

/* A fresh account for a handle that pushes to queues of that kind, or NULL: the round is over soon. */
struct soak_account *soak_account_open(struct soak_book *book, uint32_t kind);

/* What this moment is, in one order over all who ask. Never 0. */
uint32_t soak_book_clock(struct soak_book *book);

uint64_t soak_job_check(const struct soak_job *job);

/* The marks of the message, or NULL: there can be no such one in a queue of that kind. */
peal_u32 *soak_book_marks(struct soak_book *book, const struct soak_job *job, uint32_t kind);

/* Its owner has died. */
void soak_book_reap(struct soak_book *book, struct soak_hand *hand);

/* Is it time for a new round? */
bool soak_book_is_full(const struct soak_book *book);

/*
 * All who took part are dead or have left, and all queues are empty. lost[kind]: how many held messages were dropped since the
 * last time. Compares, adds to the figures, and is empty again. False: it does not agree, which is told on stderr.
 */
bool soak_book_settle(struct soak_book *book, const uint64_t lost[SOAK_QUEUES]);

#endif
