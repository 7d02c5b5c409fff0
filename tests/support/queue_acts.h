/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts with a queue, for a process that is stepped through them and may end at each instruction, and the book by which it is
 * judged what has become of each message.
 *
 * The queue is JOBS, in which the judge has pushed QUEUE_ACT_JUDGES messages before the process comes.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_ACTS_H
#define PEAL_TESTS_SUPPORT_QUEUE_ACTS_H

#include <peal/peal.h>

#define QUEUE_ACT_NAME "jobs"
#define QUEUE_ACT_DEPTH 8u
#define QUEUE_ACT_JUDGES 6u /* and QUEUE_ACT_LEFT of them somebody took and left undone */
#define QUEUE_ACT_LEFT 2u
#define QUEUE_ACT_HELD 8u
#define QUEUE_ACT_MORTALS 24u

/* A message. */
struct queue_act_job {
    uint32_t is_mortals; /* pushed by the process, not by the judge */
    uint32_t number;
    uint64_t check;
};

struct queue_act_job queue_act_job(bool is_mortals, uint32_t number);
bool queue_act_job_is_sound(const struct queue_act_job *job);

/* Written by the process, in memory that outlives it. */
struct queue_act_book {
    uint32_t begun;   /* messages that may have been pushed */
    uint32_t pushed;  /* ... that have been */
    uint32_t refused; /* DROPPED: the newest were; of as many at most */
    uint32_t popped;  /* of those in its hands: for certain */
    struct queue_act_job
        hands[QUEUE_ACT_HELD]; /* what it has popped; the last perhaps not to its end */
};

enum queue_act_setting {
    QUEUE_ACT_STRICT = 1u << 0,
    QUEUE_ACT_DROPS_HELD = 1u << 1,
    QUEUE_ACT_HAS_LEFT = 1u << 2,  /* before it comes, somebody has left with messages undone */
    QUEUE_ACT_RELEASES = 1u << 3,  /* the process gets done with messages */
    QUEUE_ACT_TAKES_ALL = 1u << 4, /* ... all that there are */
};

struct queue_act_life {
    const struct queue_act *act;
    const char *url;
    struct queue_act_book *book;
};

struct queue_act {
    const char *name;
    unsigned setting; /* enum queue_act_setting */
    bool (*prepare)(const struct queue_act_life *life);
    bool (*perform)(const struct queue_act_life *life);
};
extern const struct queue_act queue_acts[];
extern const size_t queue_act_count;

/* As all of them open the bus and the queue. */
struct peal_bus *queue_act_bus(const char *url);
struct peal_queue_options queue_act_options(unsigned setting, uint32_t uses);

/* Of stepper_life: the whole life of the process; `context` is its struct queue_act_life. */
bool queue_act_live(void *context);

#endif
