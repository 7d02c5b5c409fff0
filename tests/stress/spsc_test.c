/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spsc ring under load: two threads (for ThreadSanitizer), two processes, and processes that
 * are killed in mid-stream. The seed is printed; PEAL_TEST_SEED repeats a run.
 */
#include "core/spsc.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_S 60
#define ELEMENT_BYTES_MAX 128u
#define BATCH_MAX 40u

/* One ring, and what both sides know of the run. `delivered` is shared by processes. */
struct run {
    void *memory;
    size_t size_bytes;
    size_t element_bytes;
    uint64_t total;
    uint64_t seed;
    peal_u64 *delivered;
};

static uint64_t start_seed;

static uint64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t mixed = *seed ^ (*seed >> 33);
    return mixed * UINT64_C(0xff51afd7ed558ccd) >> 16;
}

static void fill(unsigned char *element, uint64_t number, size_t element_bytes)
{
    uint64_t hash = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < element_bytes; i++)
        element[i] = (unsigned char)((hash >> (8 * (i % 8))) + i);
}

static bool is_element(const unsigned char *element, uint64_t number, size_t element_bytes)
{
    unsigned char wanted[ELEMENT_BYTES_MAX];
    fill(wanted, number, element_bytes);
    return memcmp(element, wanted, element_bytes) == 0;
}

/* One call of a random kind that puts elements from `number` on; how many, or -1 if it failed. */
static int put_some(struct peal_spsc_producer *producer, uint64_t *seed, uint64_t number,
                    uint64_t end)
{
    unsigned char buffer[BATCH_MAX * ELEMENT_BYTES_MAX];
    size_t element_bytes = producer->element_bytes;
    size_t wanted = peal_spsc_min(1 + random_next(seed) % BATCH_MAX, end - number);
    size_t done = 0;
    void *span = NULL;
    enum peal_status status = PEAL_OK;
    switch (random_next(seed) % 3) {
    case 0:
        fill(buffer, number, element_bytes);
        status = peal_spsc_producer_push(producer, buffer);
        done = status == PEAL_OK;
        break;
    case 1:
        for (size_t i = 0; i < wanted; i++)
            fill(buffer + i * element_bytes, number + i, element_bytes);
        status = peal_spsc_producer_push_batch(producer, buffer, wanted, &done);
        break;
    default:
        status = peal_spsc_producer_reserve(producer, wanted, &span, &done);
        for (size_t i = 0; i < done; i++)
            fill((unsigned char *)span + i * element_bytes, number + i, element_bytes);
        if (peal_spsc_producer_commit(producer, done) != PEAL_OK)
            return -1;
    }
    return status == PEAL_OK || status == PEAL_FULL ? (int)done : -1;
}

/* The like on the other side; the content is checked. */
static int get_some(struct peal_spsc_consumer *consumer, uint64_t *seed, uint64_t number)
{
    unsigned char buffer[BATCH_MAX * ELEMENT_BYTES_MAX];
    size_t element_bytes = consumer->element_bytes;
    size_t wanted = (size_t)(1 + random_next(seed) % BATCH_MAX);
    size_t done = 0;
    const void *span = buffer;
    enum peal_status status = PEAL_OK;
    uint64_t kind = random_next(seed) % 3;
    if (kind == 0) {
        status = peal_spsc_consumer_pop(consumer, buffer);
        done = status == PEAL_OK;
    } else if (kind == 1) {
        status = peal_spsc_consumer_pop_batch(consumer, buffer, wanted, &done);
    } else {
        status = peal_spsc_consumer_peek(consumer, wanted, &span, &done);
    }
    for (size_t i = 0; i < done; i++)
        if (!is_element((const unsigned char *)span + i * element_bytes, number + i, element_bytes))
            return -1;
    if (kind == 2 && peal_spsc_consumer_release(consumer, done) != PEAL_OK)
        return -1;
    return status == PEAL_OK || status == PEAL_EMPTY ? (int)done : -1;
}

/* Produces from where the ring stands up to run->total. */
static bool produce(const struct run *run, uint64_t seed)
{
    struct peal_spsc_producer producer;
    if (peal_spsc_producer_join(&producer, run->memory, run->size_bytes, run->element_bytes) !=
        PEAL_OK)
        return false;
    uint64_t deadline_s = now_s() + DEADLINE_S;
    for (uint64_t number = producer.tail; number < run->total;) {
        int done = put_some(&producer, &seed, number, run->total);
        if (done < 0)
            return false;
        if (done == 0) {
            sched_yield();
            if (now_s() > deadline_s)
                return false;
        }
        number += (uint64_t)done;
    }
    return true;
}

/* Consumes from where the ring stands up to run->total; says how far it is in run->delivered. */
static bool consume(const struct run *run, uint64_t seed)
{
    struct peal_spsc_consumer consumer;
    if (peal_spsc_consumer_join(&consumer, run->memory, run->size_bytes, run->element_bytes) !=
        PEAL_OK)
        return false;
    uint64_t deadline_s = now_s() + DEADLINE_S;
    for (uint64_t number = consumer.head; number < run->total;) {
        int done = get_some(&consumer, &seed, number);
        if (done < 0)
            return false;
        if (done == 0) {
            sched_yield();
            if (now_s() > deadline_s)
                return false;
        }
        number += (uint64_t)done;
        /* relaxed: progress for the test to look at, it orders nothing */
        peal_u64_store_relaxed(run->delivered, number);
    }
    return true;
}

static void run_open(struct run *run, uint64_t element_bytes, uint64_t capacity, uint64_t total)
{
    size_t page_bytes = 4096;
    assert_int_equal(peal_spsc_layout(element_bytes, capacity, &run->size_bytes), PEAL_OK);
    unsigned char *memory = mmap(NULL, page_bytes + run->size_bytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    run->delivered = (void *)memory;
    run->memory = memory + page_bytes;
    run->element_bytes = (size_t)element_bytes;
    run->total = total;
    run->seed = start_seed ^ (element_bytes << 20) ^ capacity;
    assert_int_equal(peal_spsc_format(run->memory, run->size_bytes, element_bytes, capacity),
                     PEAL_OK);
}

static void run_close(struct run *run)
{
    munmap((void *)run->delivered, 4096 + run->size_bytes);
}

static uint64_t delivered(const struct run *run)
{
    /* relaxed: as in consume() */
    return peal_u64_load_relaxed(run->delivered);
}

static pid_t start(bool (*side)(const struct run *, uint64_t), const struct run *run, uint64_t seed)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(2 * DEADLINE_S);
        _exit(side(run, seed) ? 0 : 1);
    }
    return child;
}

static int exit_code(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const uint64_t geometries[][2] = {{8, 1},   {8, 16},   {1, 64},   {12, 64},
                                         {8, 256}, {100, 32}, {64, 1024}};
#define GEOMETRY_COUNT (sizeof(geometries) / sizeof(geometries[0]))

static void two_processes_exchange_every_element_once_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < GEOMETRY_COUNT; i++) {
        struct run run;
        run_open(&run, geometries[i][0], geometries[i][1], i == 0 ? 5000 : 200000);
        pid_t child = start(produce, &run, run.seed);
        assert_true(consume(&run, run.seed + 1));
        assert_int_equal(exit_code(child), 0);
        run_close(&run);
    }
}

static void a_producer_killed_at_any_time_loses_nothing_published(void **state)
{
    (void)state;
    struct run run;
    run_open(&run, 8, 64, 400000);
    uint64_t seed = run.seed;
    struct peal_spsc_consumer consumer;
    assert_int_equal(peal_spsc_consumer_join(&consumer, run.memory, run.size_bytes, 8), PEAL_OK);
    pid_t child = start(produce, &run, random_next(&seed));
    uint64_t deadline_s = now_s() + DEADLINE_S;
    uint64_t kill_at = 0;
    unsigned kills = 0;
    for (uint64_t number = 0; number < run.total;) {
        int done = get_some(&consumer, &seed, number);
        assert_true(done >= 0);
        number += (uint64_t)done;
        if (done == 0) {
            assert_true(now_s() <= deadline_s);
            sched_yield();
        }
        if (number >= kill_at && number < run.total) {
            kill(child, SIGKILL);
            (void)exit_code(child);
            child = start(produce, &run, random_next(&seed));
            kill_at = number + 200 + random_next(&seed) % 4000;
            kills++;
        }
    }
    assert_int_equal(exit_code(child), 0);
    assert_true(kills > 50);
    run_close(&run);
}

static void a_consumer_killed_at_any_time_loses_nothing_unread(void **state)
{
    (void)state;
    struct run run;
    run_open(&run, 8, 64, 300000);
    uint64_t seed = run.seed;
    struct peal_spsc_producer producer;
    assert_int_equal(peal_spsc_producer_join(&producer, run.memory, run.size_bytes, 8), PEAL_OK);
    pid_t child = start(consume, &run, random_next(&seed));
    uint64_t deadline_s = now_s() + DEADLINE_S;
    uint64_t kill_at = 100;
    unsigned kills = 0;
    for (uint64_t number = 0; number < run.total;) {
        int done = put_some(&producer, &seed, number, run.total);
        assert_true(done >= 0);
        number += (uint64_t)done;
        if (done == 0) {
            assert_true(now_s() <= deadline_s);
            sched_yield();
        }
        if (number >= kill_at) {
            kill(child, SIGKILL);
            (void)exit_code(child);
            struct peal_spsc_consumer successor;
            assert_int_equal(peal_spsc_consumer_join(&successor, run.memory, run.size_bytes, 8),
                             PEAL_OK);
            /* Again: less than an eighth of 64. Missed by the test's own count: one batch. */
            assert_true(successor.head + 8 > delivered(&run));
            assert_true(successor.head <= delivered(&run) + BATCH_MAX);
            child = start(consume, &run, random_next(&seed));
            kill_at = number + 200 + random_next(&seed) % 4000;
            kills++;
        }
    }
    assert_int_equal(exit_code(child), 0);
    assert_int_equal(delivered(&run), run.total);
    assert_true(kills > 50);
    run_close(&run);
}

static void *produce_in_thread(void *argument)
{
    const struct run *run = argument;
    return produce(run, run->seed) ? argument : NULL;
}

static void two_threads_exchange_every_element_once_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < GEOMETRY_COUNT; i++) {
        struct run run;
        run_open(&run, geometries[i][0], geometries[i][1], i == 0 ? 5000 : 100000);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, produce_in_thread, &run), 0);
        bool consumed = consume(&run, run.seed + 1);
        void *produced = NULL;
        assert_int_equal(pthread_join(thread, &produced), 0);
        assert_true(consumed);
        assert_ptr_equal(produced, &run);
        run_close(&run);
    }
}

int main(void)
{
    const char *wish = getenv("PEAL_TEST_SEED");
    start_seed = wish != NULL ? strtoull(wish, NULL, 0) : (uint64_t)time(NULL);
    printf("seed: PEAL_TEST_SEED=%" PRIu64 "\n", start_seed);
    fflush(stdout);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_processes_exchange_every_element_once_in_order),
        cmocka_unit_test(a_producer_killed_at_any_time_loses_nothing_published),
        cmocka_unit_test(a_consumer_killed_at_any_time_loses_nothing_unread),
        cmocka_unit_test(two_threads_exchange_every_element_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
