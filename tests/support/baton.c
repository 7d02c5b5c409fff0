/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/baton.h"

#include "tests/support/random.h"

#include <pthread.h>

/* Weak: this file is linked with programs that have no fault points, too. */
extern void (*peal_fault_hook)(const char *point) __attribute__((weak));

#define NOBODY UINT32_MAX

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turns[BATON_THREADS_MAX];
static struct baton_thread *threads;
static uint32_t thread_count;
static uint32_t holder; /* NOBODY: all have ended or are frozen */
static bool has_ended[BATON_THREADS_MAX];
static uint64_t random_state;
static _Thread_local uint32_t own = NOBODY;

/* Under the mutex. */
static void hand_on(void)
{
    uint32_t runnable[BATON_THREADS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < thread_count; i++)
        if (!has_ended[i])
            runnable[count++] = i;
    holder = count ? runnable[random_below(&random_state, count)] : NOBODY;
    if (holder != NOBODY)
        (void)pthread_cond_signal(&turns[holder]);
}

/* Under the mutex. */
static void wait_for_turn(void)
{
    while (holder != own)
        (void)pthread_cond_wait(&turns[own], &mutex);
}

static void pass(const char *point)
{
    (void)point;
    if (own == NOBODY)
        return; /* a thread that takes no part */
    struct baton_thread *thread = &threads[own];
    (void)pthread_mutex_lock(&mutex);
    thread->passes++;
    if (thread->passes == thread->freezes_at) {
        thread->is_frozen = true;
        has_ended[own] = true;
        hand_on();
        (void)pthread_mutex_unlock(&mutex);
        pthread_exit(NULL);
    }
    hand_on();
    wait_for_turn();
    (void)pthread_mutex_unlock(&mutex);
}

static void *run(void *context)
{
    own = (uint32_t)((struct baton_thread *)context - threads);
    (void)pthread_mutex_lock(&mutex);
    wait_for_turn();
    (void)pthread_mutex_unlock(&mutex);
    threads[own].body(threads[own].context);
    (void)pthread_mutex_lock(&mutex);
    has_ended[own] = true;
    hand_on();
    (void)pthread_mutex_unlock(&mutex);
    return NULL;
}

void baton_run(struct baton_thread *wanted, uint32_t count, uint64_t seed)
{
    pthread_t ids[BATON_THREADS_MAX];
    if (!&peal_fault_hook || count > BATON_THREADS_MAX)
        abort();
    threads = wanted;
    thread_count = count;
    random_state = seed;
    holder = NOBODY;
    peal_fault_hook = pass;
    for (uint32_t i = 0; i < count; i++) {
        has_ended[i] = false;
        (void)pthread_cond_init(&turns[i], NULL);
        if (pthread_create(&ids[i], NULL, run, &threads[i]) != 0)
            abort();
    }
    (void)pthread_mutex_lock(&mutex);
    hand_on();
    (void)pthread_mutex_unlock(&mutex);
    for (uint32_t i = 0; i < count; i++) {
        (void)pthread_join(ids[i], NULL);
        (void)pthread_cond_destroy(&turns[i]);
    }
    peal_fault_hook = NULL;
}
