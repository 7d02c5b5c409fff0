/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A contender put to work by the test of contenders: a channel, and senders and receivers in processes of
 * their own, or in threads of one process where the contender cannot do otherwise. Each message is
 * written whole and read whole. Whatever a contender does, a course ends.
 */
#ifndef PEAL_TESTS_BENCH_COURSE_H
#define PEAL_TESTS_BENCH_COURSE_H

#include "bench/contest/contender.h"
#include "bench/contest/content.h"
#include "core/atomic.h"

#include <sys/types.h>

#define COURSE_TIMEOUT_NS UINT64_C(30000000000)

/* Of one worker, in memory that all share; senders come first. */
struct course_worker {
    peal_u32 tid;
    peal_u32 is_open;
    peal_u32 is_ready;
    peal_u32 is_done; /* a sender: all have gone */
    peal_u64 received;
    peal_u64 state; /* of a test's own workers */
    struct bench_tally tallies[BENCH_WORKERS_MAX];
};

struct course_arena {
    char failure[256]; /* of the first who failed; empty: none */
    peal_u32 has_failed;
    struct course_worker workers[BENCH_WORKERS_MAX];
};

struct course {
    const struct bench_contender *contender;
    struct bench_channel channel;
    char name[64];
    uint64_t messages; /* of each sender; 0: without end */
    struct course_arena *arena;
    size_t memory_bytes;
    pid_t processes[BENCH_WORKERS_MAX];
    uint32_t processes_count;
    /* NULL: stream the messages, check what comes. */
    void (*work)(struct course *course, uint32_t worker, void *end);
};

/* Sets up and begins a channel of this many ends. False: the contender cannot here. */
bool course_begin(struct course *course, const struct bench_contender *contender,
                  enum bench_pattern pattern, uint32_t senders, uint32_t receivers,
                  uint32_t size_bytes, uint32_t depth, bool waits);
bool course_begin_again(struct course *course);
void course_end(struct course *course);
/* After the last one. */
void course_done(void);

/* Starts the workers; each opens its end, connects, works, and closes it. */
void course_start(struct course *course);
/* All have ended well; else arena->failure says why, and all are killed. */
bool course_await(struct course *course);
void course_kill(struct course *course);

/* By a worker: ends its process and fails the course. */
_Noreturn void course_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Both ends in this process, connected. For a process of its own. */
void course_open_both(struct course *course, void **sender, void **receiver);

/* Runs body() in a process of its own, which course_fail() ends. True: it did not fail. */
bool course_alone(struct course *course, void (*body)(struct course *course));

bool course_is_sender(const struct course *course, uint32_t worker);
/* By a sender: tries once. By a receiver: what came, checked. `batch`: at most. */
size_t course_send(struct course *course, void *end, uint32_t sender, uint64_t number,
                   size_t batch);
size_t course_receive(struct course *course, void *end, struct course_worker *mine, size_t batch);

/* Names of files with the channel's name, or of a daemon of the contender's; empty: nothing is left. */
void course_litter(const struct course *course, char *text, size_t size);

/* Processes that a contender has started and not ended. */
bool course_has_children(void);

void course_idle(void);
uint64_t course_now_ns(void);
bool course_is_asleep(pid_t tid);

#endif
