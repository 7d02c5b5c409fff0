/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/soak_queue.h"

#include "tests/support/eventually.h"
#include "tests/support/first_wrong.h"
#include "tests/support/random.h"

#include <sched.h>
#include <string.h>

/* More than all lanes can hold. */
#define POPS_MAX 100000u

#define EXPECT(condition) EXPECT_OR_NOTE(&part->book->wrong, condition)

static void note_time(struct soak_queue *part, enum soak_queue_call call, uint64_t begin_ns)
{
    uint64_t took_ns = test_now_ns() - begin_ns;
    if (took_ns > part->longest_ns[call])
        part->longest_ns[call] = took_ns;
}

/* ---- coming and going ---- */

static enum peal_status open_queue(struct soak_queue *part, struct peal_bus *bus)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    char name[] = "queue-0";
    name[sizeof(name) - 2] = (char)('0' + part->kind);
    options.uses = part->uses;
    options.message_bytes_max = sizeof(struct soak_job);
    options.depth = part->depth;
    options.full_policy = part->policy;
    options.full_timeout_ns = 500000;
    options.strict = part->kind & SOAK_STRICT;
    options.drops_held = part->kind & SOAK_DROPS_HELD;
    return peal_queue_create(bus, name, &options, &part->queue);
}

void soak_queue_begin(struct soak_queue *part, struct peal_bus *bus, struct soak_book *book,
                      struct soak_hand *hand, uint64_t *seed)
{
    uint64_t longest_ns[SOAK_QUEUE_CALLS]; /* of all handles that there were here */
    memcpy(longest_ns, part->longest_ns, sizeof(longest_ns));
    memset(part, 0, sizeof(*part));
    memcpy(part->longest_ns, longest_ns, sizeof(longest_ns));
    part->book = book;
    part->hand = hand;
    part->kind = random_below(seed, SOAK_QUEUES);
    part->uses = 1 + random_below(seed, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP);
    part->policy = (enum peal_queue_full_policy)random_below(seed, 4);
    part->depth = 4u << random_below(seed, 4);
    enum peal_status status = open_queue(part, bus);
    /* Stopped ones may withhold what fills the lanes of many who have died. */
    EXPECT(status == PEAL_OK || status == PEAL_ELIMIT || status == PEAL_AGAIN ||
           status == PEAL_ENOSPC);
    if (part->queue && (part->uses & PEAL_QUEUE_PUSH))
        part->account = soak_account_open(book, part->kind);
}

void soak_queue_end(struct soak_queue *part)
{
    peal_queue_close(part->queue);
    part->queue = NULL;
}

/* ---- pushing ---- */

static void fill(struct soak_queue *part, struct soak_job *jobs, uint32_t count)
{
    uint32_t began = soak_book_clock(part->book);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = (struct soak_job){
            .account = (uint32_t)(part->account - part->book->accounts),
            .number = part->next + i,
            .began = began,
        };
        jobs[i].check = soak_job_check(&jobs[i]);
    }
}

static enum peal_status push_jobs(struct soak_queue *part, const struct soak_job *jobs,
                                  uint32_t count, size_t *pushed)
{
    struct peal_slice slices[SOAK_BATCH];
    if (count == 1) {
        enum peal_status status = peal_queue_push(part->queue, jobs, sizeof(jobs[0]));
        *pushed = status == PEAL_OK;
        return status;
    }
    if (part->next % 2)
        return peal_queue_push_batch(part->queue, jobs, sizeof(jobs[0]), count, pushed);
    for (uint32_t i = 0; i < count; i++)
        slices[i] = (struct peal_slice){&jobs[i], sizeof(jobs[i])};
    return peal_queue_push_slices(part->queue, slices, count, pushed);
}

static bool push(struct soak_queue *part, uint32_t count)
{
    struct soak_job jobs[SOAK_BATCH];
    struct soak_account *account = part->account;
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    size_t pushed = 0;
    if (!account || part->next + count > SOAK_MESSAGES)
        return false;
    fill(part, jobs, count);
    peal_u32_store_release(&account->begun, part->next + count);
    if (part->policy == PEAL_QUEUE_FULL_DROP_OLDEST)
        peal_u32_store_release(&account->dropping, part->depth + count);
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status = push_jobs(part, jobs, count, &pushed);
    note_time(part, SOAK_PUSH, begin_ns);
    EXPECT(status == PEAL_OK ? pushed == count : pushed < count);
    EXPECT(status == PEAL_OK || (status == PEAL_FULL && part->policy <= PEAL_QUEUE_FULL_REFUSE) ||
           (status == PEAL_DROPPED && part->policy >= PEAL_QUEUE_FULL_DROP_OLDEST));
    uint32_t ended = soak_book_clock(part->book);
    for (uint32_t i = 0; i < pushed; i++)
        peal_u32_store_release(&account->ended[part->next + i], ended);
    part->next += (uint32_t)pushed;
    peal_u32_store_release(&account->pushed, part->next);
    peal_u32_store_release(&account->begun, part->next);
    EXPECT(peal_queue_stats(part->queue, &stats) == PEAL_OK && stats.pushed == part->next);
    peal_u32_store_release(&account->dropped, (uint32_t)stats.dropped_oldest);
    peal_u32_store_release(&account->dropping, 0);
    return status == PEAL_OK;
}

/* ---- popping ---- */

/* What comes unflagged comes in its pusher's order, and in a strict queue in the order of the pushes. */
static void check_order(struct soak_queue *part, const struct soak_job *job)
{
    EXPECT(job->number >= part->last[job->account]);
    part->last[job->account] = (uint16_t)(job->number + 1);
    if (!(part->kind & SOAK_STRICT))
        return;
    uint32_t ended = peal_u32_load_acquire(&part->book->accounts[job->account].ended[job->number]);
    EXPECT(ended == 0 || ended > part->latest_began);
    if (job->began > part->latest_began)
        part->latest_began = (uint32_t)job->began;
}

/* False: it is none of those that were pushed. */
static bool see(struct soak_queue *part, const struct soak_job *job,
                const struct peal_queue_message *message)
{
    peal_u32 *marks = soak_book_marks(part->book, job, part->kind);
    EXPECT(marks && message->size_bytes == sizeof(*job));
    if (!marks)
        return false;
    uint32_t before = peal_u32_or_acq_rel(marks, SOAK_SEEN);
    EXPECT(!(before & SOAK_DONE));
    EXPECT(!(before & SOAK_SEEN) || message->is_redelivered);
    if (message->is_redelivered) {
        EXPECT(!(part->kind & SOAK_DROPS_HELD));
        (void)peal_u64_add_relaxed(&part->book->redelivered, 1); /* relaxed: a figure */
    } else {
        check_order(part, job);
    }
    return true;
}

/* Writes down that those in the hand are done with. */
static void note_done(struct soak_queue *part, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        peal_u32 *marks = soak_book_marks(part->book, &part->hand->jobs[i], part->kind);
        EXPECT(marks);
        if (marks)
            EXPECT(!(peal_u32_or_acq_rel(marks, SOAK_DONE) & SOAK_DONE));
    }
    peal_u32_store_release(&part->hand->is_unsure, 0);
}

static bool is_popped(struct soak_queue *part, enum peal_status status, uint64_t begin_ns)
{
    note_time(part, SOAK_POP, begin_ns);
    EXPECT(status == PEAL_OK || status == PEAL_EMPTY);
    return status == PEAL_OK;
}

static bool pop(struct soak_queue *part, uint32_t max)
{
    struct peal_queue_message messages[SOAK_BATCH];
    size_t count = 0;
    memset(part->hand->jobs, 0, sizeof(part->hand->jobs));
    peal_u32_store_release(&part->hand->is_unsure, 1);
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_queue_pop_batch(part->queue, part->hand->jobs,
                                                   sizeof(struct soak_job), messages, max, &count);
    bool is_there = is_popped(part, status, begin_ns);
    for (uint32_t i = 0; i < count; i++)
        (void)see(part, &part->hand->jobs[i], &messages[i]);
    note_done(part, (uint32_t)count);
    return is_there;
}

/* In place; and works on them for a while, or leaves before it is done: false. */
static bool take(struct soak_queue *part, uint32_t max, uint64_t *seed)
{
    struct peal_queue_message messages[SOAK_BATCH];
    size_t count = 0;
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_queue_take(part->queue, messages, max, &count);
    if (!is_popped(part, status, begin_ns))
        return true;
    memset(part->hand->jobs, 0, sizeof(part->hand->jobs));
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&part->hand->jobs[i], messages[i].data, sizeof(struct soak_job));
        (void)see(part, &part->hand->jobs[i], &messages[i]);
    }
    for (uint32_t i = random_below(seed, 4); i > 0; i--)
        (void)sched_yield(); /* the longer it works the more often it dies meanwhile */
    if (random_below(seed, 64) == 0)
        return false;
    peal_u32_store_release(&part->hand->is_unsure, 1);
    EXPECT(peal_queue_done(part->queue) == PEAL_OK);
    note_done(part, (uint32_t)count);
    return true;
}

static bool take_or_pop(struct soak_queue *part, uint64_t *seed)
{
    uint32_t max = 1 + random_below(seed, SOAK_BATCH);
    if (random_below(seed, 2))
        return take(part, max, seed);
    (void)pop(part, max);
    return true;
}

bool soak_queue_work(struct soak_queue *part, uint64_t *seed)
{
    bool stays = true;
    if (!part->queue)
        return false;
    for (uint32_t i = random_below(seed, 8); i > 0; i--)
        (void)push(part, 1 + random_below(seed, 2) * random_below(seed, SOAK_BATCH));
    if (part->uses & PEAL_QUEUE_POP) {
        for (uint32_t i = random_below(seed, 12); i > 0 && stays; i--)
            stays = take_or_pop(part, seed);
    }
    if (stays && (part->uses & PEAL_QUEUE_POP) && random_below(seed, 16) == 0) {
        const uint64_t begin_ns = test_now_ns();
        (void)peal_queue_wait(part->queue, 1 + random_below(seed, 500000));
        note_time(part, SOAK_QUEUE_WAIT, begin_ns);
    }
    return stays && (part->uses == PEAL_QUEUE_POP || (part->account && part->next < SOAK_MESSAGES));
}

/* ---- the keeper ---- */

bool soak_keeper_begin(struct soak_keeper *keeper, struct peal_bus *bus, struct soak_book *book,
                       struct soak_hand *hand)
{
    memset(keeper, 0, sizeof(*keeper));
    for (uint32_t kind = 0; kind < SOAK_QUEUES; kind++) {
        struct soak_queue *part = &keeper->parts[kind];
        part->book = book;
        part->hand = hand;
        part->kind = kind;
        part->uses = PEAL_QUEUE_POP;
        if (open_queue(part, bus) != PEAL_OK)
            return false;
    }
    return true;
}

void soak_keeper_end(struct soak_keeper *keeper)
{
    for (uint32_t kind = 0; kind < SOAK_QUEUES; kind++)
        soak_queue_end(&keeper->parts[kind]);
}

void soak_keeper_work(struct soak_keeper *keeper, uint64_t *seed)
{
    struct soak_queue *part = &keeper->parts[random_below(seed, SOAK_QUEUES)];
    for (uint32_t i = random_below(seed, 16); i > 0 && pop(part, SOAK_BATCH); i--)
        continue;
}

/* Nobody pushes any more, and all has been popped. */
static void expect_empty(struct soak_queue *part, const struct peal_queue_stats *stats)
{
    if (stats->pending || stats->lanes || stats->corrupt)
        fprintf(stderr,
                "queue %" PRIu32 " is not empty: %" PRIu64 " pending, %" PRIu32 " lanes, %" PRIu64
                " corrupt\n",
                part->kind, stats->pending, stats->lanes, stats->corrupt);
    EXPECT(stats->pending == 0 && stats->lanes == 0 && stats->corrupt == 0);
}

bool soak_keeper_settle(struct soak_keeper *keeper)
{
    struct soak_book *book = keeper->parts[0].book;
    uint64_t lost[SOAK_QUEUES];
    for (uint32_t kind = 0; kind < SOAK_QUEUES; kind++) {
        struct soak_queue *part = &keeper->parts[kind];
        struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
        /* Three times nothing: a lane is left when it has been found empty after it has ended. */
        uint32_t pops = 0;
        for (uint32_t idle = 0; idle < 3 && pops < POPS_MAX; pops++)
            idle += !pop(part, SOAK_BATCH);
        EXPECT(pops < POPS_MAX);
        EXPECT(peal_queue_stats(part->queue, &stats) == PEAL_OK);
        expect_empty(part, &stats);
        EXPECT(stats.lost >= keeper->lost[kind]);
        lost[kind] = stats.lost - keeper->lost[kind];
        keeper->lost[kind] = stats.lost;
        part->latest_began = 0;
        memset(part->last, 0, sizeof(part->last));
    }
    return soak_book_settle(book, lost);
}
