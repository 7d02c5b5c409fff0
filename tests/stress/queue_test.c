/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many producers and consumers of one queue at once: threads, for the sanitizers' sake, and processes
 * that are killed. The oracle: each message once, in its producer's order; after a death at least once,
 * and twice only with a flag.
 */
#include "core/queue_consumer.h"

#include "core/recover.h"
#include "tests/support/random.h"
#include "tests/support/region_rig.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PRODUCERS = 4, CONSUMERS = 4, MESSAGES = 40000, KILLS = 200, JOBS = 400000 };

static struct peal_queue_wish wish = {.kind = PEAL_TOPIC_IS_QUEUE, .message_bytes_max = 64};
static const struct peal_topic_type jobs = {.queue = &wish};

struct message {
    uint32_t producer;
    uint32_t number;
    unsigned char content[56];
};

static void fill(struct message *message, uint32_t producer, uint32_t number)
{
    message->producer = producer;
    message->number = number;
    content_fill(message->content, sizeof(message->content), producer, number);
}

static bool is_whole(const struct message *message)
{
    return content_is(message->content, sizeof(message->content), message->producer,
                      message->number);
}

/* ---- threads ---- */

static struct region_rig rig;
static struct peal_region regions[PRODUCERS + CONSUMERS];
static peal_u32 got[PRODUCERS][MESSAGES];
static peal_u64 total;
static peal_u64 faults;

static void *produce(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    uint64_t seed = random_seed() + self;
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    if (peal_queue_producer_open(&producer, &place, &regions[self], "jobs", &jobs, 64,
                                 PEAL_QUEUE_REFUSE) != PEAL_OK) {
        (void)peal_u64_add_relaxed(&faults, 1);
        return NULL;
    }
    for (uint32_t next = 0; next < MESSAGES;) {
        struct message messages[16];
        uint32_t count = 1 + random_below(&seed, 16);
        count = count < MESSAGES - next ? count : MESSAGES - next;
        for (uint32_t i = 0; i < count; i++)
            fill(&messages[i], self, next + i);
        size_t pushed = 0;
        (void)peal_queue_producer_push_batch(&producer, messages, sizeof(messages[0]), count,
                                             &pushed);
        next += (uint32_t)pushed;
        if (pushed < count)
            (void)sched_yield();
    }
    peal_queue_producer_close(&regions[self], &place);
    return NULL;
}

static void *consume(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    uint64_t seed = random_seed() + 100 + self;
    int64_t last[PRODUCERS] = {-1, -1, -1, -1};
    static struct peal_queue_consumer consumers[CONSUMERS];
    struct peal_queue_consumer *consumer = &consumers[self];
    uint64_t wrong =
        peal_queue_consumer_open(consumer, &regions[PRODUCERS + self], "jobs", &jobs) != PEAL_OK;
    while (!wrong && peal_u64_load_relaxed(&total) < PRODUCERS * MESSAGES) {
        struct peal_queue_batch batch;
        enum peal_status status =
            peal_queue_consumer_take(consumer, 1 + random_below(&seed, 16), &batch);
        if (status != PEAL_OK) {
            wrong += status == PEAL_ECORRUPT;
            (void)sched_yield();
            continue;
        }
        for (uint32_t i = 0; i < batch.range.count; i++) {
            const void *data = NULL;
            size_t size_bytes = 0;
            struct message message = {0};
            if (!peal_queue_batch_message(&batch, i, &data, &size_bytes) ||
                size_bytes != sizeof(message)) {
                wrong++;
                break;
            }
            memcpy(&message, data, sizeof(message));
            bool is_sound = message.producer < PRODUCERS && message.number < MESSAGES &&
                            is_whole(&message) && !batch.is_redelivered;
            wrong += !is_sound;
            if (!is_sound)
                continue;
            wrong += last[message.producer] >= (int64_t)message.number;
            last[message.producer] = message.number;
            (void)peal_u32_add_relaxed(&got[message.producer][message.number], 1);
        }
        peal_queue_consumer_finish(consumer, &batch);
        (void)peal_u64_add_relaxed(&total, batch.range.count);
    }
    (void)peal_u64_add_relaxed(&faults, wrong);
    peal_queue_consumer_close(consumer);
    return NULL;
}

static void every_message_comes_once_and_in_its_producers_order(void **state)
{
    (void)state;
    pthread_t threads[PRODUCERS + CONSUMERS];
    rig_open(&rig, 256, 4, random_seed());
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        rig_join(&rig, i, &regions[i]);
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, (void *)i), 0);
    for (uintptr_t i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&threads[PRODUCERS + i], NULL, consume, (void *)i), 0);
    for (size_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(peal_u64_load_relaxed(&faults), 0);
    for (size_t p = 0; p < PRODUCERS; p++) {
        for (size_t i = 0; i < MESSAGES; i++)
            assert_int_equal(peal_u32_load_relaxed(&got[p][i]), 1);
    }
    (void)peal_recover(&regions[0]);
    rig_assert_empty(&regions[0], PRODUCERS + CONSUMERS);
    rig_close(&rig);
}

/* ---- one order ---- */

/* When a push began and ended, by one clock that counts these events. */
static peal_u64 event;
static peal_u64 ended[PRODUCERS][MESSAGES];

static void *produce_in_order(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    if (peal_queue_producer_open(&producer, &place, &regions[self], "order", &jobs, 64,
                                 PEAL_QUEUE_REFUSE) != PEAL_OK)
        return (void *)&faults;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        uint64_t message[3] = {self, i, peal_u64_add_seq_cst(&event, 1)};
        while (peal_queue_producer_push(&producer, message, sizeof(message)) != PEAL_OK)
            (void)sched_yield();
        peal_u64_store_relaxed(&ended[self][i], peal_u64_add_seq_cst(&event, 1));
    }
    peal_queue_producer_close(&regions[self], &place);
    return NULL;
}

static void a_strict_queue_gives_first_what_was_pushed_before_the_other_began(void **state)
{
    (void)state;
    enum { ALL = PRODUCERS * MESSAGES };
    static uint64_t order[ALL][3];
    static struct peal_queue_consumer consumer;
    pthread_t threads[PRODUCERS];
    wish.options = PEAL_QUEUE_STRICT;
    rig_open(&rig, 256, 4, random_seed());
    for (uint32_t i = 0; i <= PRODUCERS; i++)
        rig_join(&rig, i, &regions[i]);
    assert_int_equal(peal_queue_consumer_open(&consumer, &regions[PRODUCERS], "order", &jobs),
                     PEAL_OK);
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce_in_order, (void *)i), 0);
    for (size_t got_count = 0; got_count < ALL;) {
        struct peal_queue_batch batch;
        if (peal_queue_consumer_take(&consumer, 4, &batch) != PEAL_OK) {
            (void)sched_yield();
            continue;
        }
        for (uint32_t i = 0; i < batch.range.count; i++) {
            const void *data = NULL;
            size_t size_bytes = 0;
            assert_true(peal_queue_batch_message(&batch, i, &data, &size_bytes));
            memcpy(order[got_count++], data, sizeof(order[0]));
        }
        peal_queue_consumer_finish(&consumer, &batch);
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    uint64_t latest_begin = 0;
    for (size_t i = 0; i < ALL; i++) {
        uint64_t end = peal_u64_load_relaxed(&ended[order[i][0]][order[i][1]]);
        assert_true(end > latest_begin);
        latest_begin = order[i][2] > latest_begin ? order[i][2] : latest_begin;
    }
    peal_queue_consumer_close(&consumer);
    rig_assert_empty(&regions[0], PRODUCERS + 1);
    rig_close(&rig);
    wish.options = 0;
}

/* ---- processes ---- */

/* Shared by all of them. Member bits stand for the kernel's knowledge: cleared by the parent after it
 * has reaped the process. */
struct shared {
    struct region_rig rig;
    peal_u64 next;              /* jobs that the producers have taken on */
    peal_u64 allowed;           /* ... and may have by now: there are some left for each kill */
    peal_u32 state[JOBS];       /* 1: its push may have begun, 2: it returned */
    peal_u32 done[JOBS];        /* how often a worker was done with it */
    peal_u32 redelivered[JOBS]; /* how often of these with the flag */
    peal_u64 faults;
    peal_u64 ends; /* 1: producers push no more; 2: workers end when idle */
};

static struct shared *shared;

static void run_producer(struct peal_region *region)
{
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    if (peal_queue_producer_open(&producer, &place, region, "jobs", &jobs, 32, PEAL_QUEUE_REFUSE) !=
        PEAL_OK)
        return;
    while (!peal_u64_load_acquire(&shared->ends)) {
        if (peal_u64_load_relaxed(&shared->next) >= peal_u64_load_relaxed(&shared->allowed)) {
            (void)sched_yield();
            continue;
        }
        uint64_t job = peal_u64_add_acq_rel(&shared->next, 1);
        if (job >= JOBS)
            break;
        struct message message;
        fill(&message, 0, (uint32_t)job);
        peal_u32_store_release(&shared->state[job], 1);
        while (peal_queue_producer_push(&producer, &message, sizeof(message)) != PEAL_OK)
            (void)sched_yield();
        peal_u32_store_release(&shared->state[job], 2);
    }
    peal_queue_producer_close(region, &place);
}

static void run_worker(struct peal_region *region, uint64_t seed)
{
    static struct peal_queue_consumer consumer;
    if (peal_queue_consumer_open(&consumer, region, "jobs", &jobs) != PEAL_OK)
        return;
    for (unsigned idle = 0; idle < 64;) {
        struct peal_queue_batch batch;
        bool may_end = peal_u64_load_acquire(&shared->ends) == 2;
        if (peal_queue_consumer_take(&consumer, 1 + random_below(&seed, 8), &batch) != PEAL_OK) {
            idle += may_end;
            (void)sched_yield();
            continue;
        }
        idle = 0;
        uint32_t numbers[32];
        for (uint32_t i = 0; i < batch.range.count && i < 32; i++) {
            const void *data = NULL;
            size_t size_bytes = 0;
            struct message message = {0};
            if (peal_queue_batch_message(&batch, i, &data, &size_bytes) &&
                size_bytes == sizeof(message))
                memcpy(&message, data, sizeof(message));
            numbers[i] = message.number;
            if (!is_whole(&message) || message.number >= JOBS)
                (void)peal_u64_add_relaxed(&shared->faults, 1);
        }
        (void)sched_yield(); /* the longer it works the more often it dies meanwhile */
        /* Done is what is counted before the claim is given back; a death in between shows as a second
         * delivery with the flag. */
        for (uint32_t i = 0; i < batch.range.count && i < 32; i++) {
            if (numbers[i] >= JOBS)
                continue;
            (void)peal_u32_add_relaxed(&shared->done[numbers[i]], 1);
            if (batch.is_redelivered)
                (void)peal_u32_add_relaxed(&shared->redelivered[numbers[i]], 1);
        }
        peal_queue_consumer_finish(&consumer, &batch);
    }
    peal_queue_consumer_close(&consumer);
}

static pid_t start(uint32_t index, uint64_t seed)
{
    pid_t parent = getpid();
    (void)peal_u64_or_seq_cst(&shared->rig.members, UINT64_C(1) << index);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct peal_region region;
    struct peal_authority authority = rig_authority(&shared->rig);
    if (getppid() != parent ||
        peal_region_attach(&region, shared->rig.base, shared->rig.size_bytes, index, seed | 1,
                           &shared->rig.wish, &authority) != PEAL_OK)
        _exit(1);
    (void)peal_recover(&region);
    if (index % 2)
        run_worker(&region, seed);
    else
        run_producer(&region);
    _exit(0);
}

static void reap(pid_t pid, uint32_t index)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    rig_kill(&shared->rig, index);
}

static void every_job_is_done_though_its_workers_and_producers_are_killed(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    enum { PROCESSES = 6, PAGES = 128 };
    pid_t pids[PROCESSES];
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    rig_open(&shared->rig, PAGES, 4, seed);
    free(shared->rig.base);
    shared->rig.base =
        mmap(NULL, PAGES * 4096u, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared->rig.base, MAP_FAILED);
    struct peal_region region;
    rig_join(&shared->rig, 63, &region);
    for (uint32_t i = 0; i < PROCESSES; i++)
        pids[i] = start(i, random_next(&seed));
    for (unsigned kill_number = 0; kill_number < KILLS; kill_number++) {
        for (uint32_t spin = random_below(&seed, 3000); spin > 0; spin--)
            (void)sched_yield();
        peal_u64_store_relaxed(&shared->allowed, (uint64_t)(kill_number + 1) * JOBS / KILLS);
        uint32_t victim = random_below(&seed, PROCESSES);
        (void)kill(pids[victim], SIGKILL);
        reap(pids[victim], victim);
        if (kill_number % 2)
            (void)peal_recover(&region);
        pids[victim] = start(victim, random_next(&seed));
    }
    peal_u64_store_release(&shared->ends, 1);
    for (uint32_t i = 0; i < PROCESSES; i += 2)
        reap(pids[i], i);
    (void)peal_recover(&region);
    peal_u64_store_release(&shared->ends, 2);
    for (uint32_t i = 1; i < PROCESSES; i += 2)
        reap(pids[i], i);
    (void)peal_recover(&region);

    assert_int_equal(peal_u64_load_relaxed(&shared->faults), 0);
    uint64_t jobs_done = 0;
    uint64_t redelivered = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        uint32_t done = peal_u32_load_relaxed(&shared->done[i]);
        uint32_t again = peal_u32_load_relaxed(&shared->redelivered[i]);
        uint32_t pushed = peal_u32_load_relaxed(&shared->state[i]);
        if (pushed == 2)
            assert_true(done >= 1);
        if (pushed == 0)
            assert_int_equal(done, 0);
        assert_true(done - again <= 1);
        jobs_done += done > 0;
        redelivered += again;
    }
    print_message("%u kills, %u jobs done, %u redeliveries\n", (unsigned)KILLS, (unsigned)jobs_done,
                  (unsigned)redelivered);
    assert_true(jobs_done > 1000);
    assert_true(redelivered > 0);
    rig_assert_empty(&region, 1);
    (void)munmap(shared->rig.base, PAGES * 4096u);
    (void)munmap(shared, sizeof(*shared));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_once_and_in_its_producers_order),
        cmocka_unit_test(a_strict_queue_gives_first_what_was_pushed_before_the_other_began),
        cmocka_unit_test(every_job_is_done_though_its_workers_and_producers_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
