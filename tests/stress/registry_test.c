/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscribers are made, added, removed and closed by some threads and by callbacks, while other
 * threads wait and dispatch, and one publishes all the time. For two seconds, by a seeded schedule.
 *
 * Held to: never two callbacks of one subscriber at once; after close() at most the one callback that
 * had begun already; no message out of order; all threads come out; nothing is left attached.
 * The sanitizers hold it to the rest: nothing is used after it was freed, nothing races.
 */
#include "bus/bus_internal.h"
#include "tests/support/bus_fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <peal/peal.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RUN_NS UINT64_C(2000000000)
#define WAITSETS 2
#define CHURNERS 2
#define HELD 6 /* subscribers of one churner at a time; 32 is the most a topic takes */
#define DISPATCHERS 2

/* One subscriber's story. Kept to the end, for callbacks may begin while close() runs. */
struct subject {
    struct subject *next;
    struct peal_subscriber *subscriber;
    peal_u32 inside;
    peal_u32 closed;
    peal_u32 late; /* callbacks that began after close() had returned */
    bool closes_itself;
    uint32_t callbacks;
    uint64_t next_number;
};

static struct peal_bus *bus;
static struct peal_waitset *waitsets[WAITSETS];
static peal_u32 stop;
static peal_u32 violations;
static peal_u64 delivered;
static peal_u64 dispatches;
static peal_u64 made;

static bool is_over(void)
{
    return peal_u32_load_acquire(&stop) != 0;
}

static void expect(bool holds)
{
    if (!holds)
        (void)peal_u32_add_relaxed(&violations, 1);
}

static void take_all(struct subject *subject)
{
    unsigned char bytes[64];
    struct peal_message message;
    for (int taken = 0; taken < 64; taken++) {
        if (peal_subscriber_take_copy(subject->subscriber, bytes, sizeof(bytes), &message) !=
            PEAL_OK)
            return;
        expect(message.number >= subject->next_number);
        subject->next_number = message.number + 1;
        (void)peal_u64_add_relaxed(&delivered, 1);
    }
}

static void on_ready(struct peal_subscriber *subscriber, void *context)
{
    struct subject *subject = context;
    expect(peal_u32_add_acq_rel(&subject->inside, 1) == 0);
    expect(subscriber == subject->subscriber);
    if (peal_u32_load_acquire(&subject->closed) != 0)
        expect(peal_u32_add_acq_rel(&subject->late, 1) == 0);
    take_all(subject);
    if (subject->closes_itself && ++subject->callbacks == 5) {
        peal_subscriber_close(subscriber);
        peal_u32_store_release(&subject->closed, 1);
        (void)peal_u32_add_acq_rel(&subject->late, 1); /* none may come any more */
    }
    (void)peal_u32_add_acq_rel(&subject->inside, UINT32_MAX);
}

struct churner {
    uint64_t seed;
    struct subject *all;
    struct subject *held[HELD]; /* open, or closing themselves */
    uint32_t adds;
    uint32_t removes;
    uint32_t closes;
};

static void create(struct churner *churner, uint32_t place)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct subject *subject = calloc(1, sizeof(*subject));
    if (subject == NULL)
        return;
    options.reliability = random_below(&churner->seed, 2) ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    options.history = random_below(&churner->seed, 4);
    subject->closes_itself = random_below(&churner->seed, 4) == 0;
    if (peal_subscriber_create(bus, "churn", &options, &subject->subscriber) != PEAL_OK) {
        expect(false);
        free(subject);
        return;
    }
    (void)peal_u64_add_relaxed(&made, 1);
    subject->next = churner->all;
    churner->all = subject;
    churner->held[place] = subject;
    struct peal_waitset *waitset = waitsets[random_below(&churner->seed, WAITSETS)];
    churner->adds += peal_waitset_add(waitset, subject->subscriber, on_ready, subject) == PEAL_OK;
}

/* One that closes itself is in one waitset only, and is not touched any more. */
static void change(struct churner *churner, uint32_t place)
{
    struct subject *subject = churner->held[place];
    struct peal_waitset *waitset = waitsets[random_below(&churner->seed, WAITSETS)];
    if (subject->closes_itself) {
        if (peal_u32_load_acquire(&subject->closed) != 0)
            churner->held[place] = NULL;
        return;
    }
    switch (random_below(&churner->seed, 4)) {
    case 0:
        churner->adds +=
            peal_waitset_add(waitset, subject->subscriber, on_ready, subject) == PEAL_OK;
        break;
    case 1:
        churner->removes += peal_waitset_remove(waitset, subject->subscriber) == PEAL_OK;
        break;
    case 2:
        peal_subscriber_close(subject->subscriber);
        peal_u32_store_release(&subject->closed, 1);
        churner->held[place] = NULL;
        churner->closes++;
        break;
    default:
        (void)sched_yield();
        break;
    }
}

static void *churn(void *context)
{
    struct churner *churner = context;
    while (!is_over()) {
        uint32_t place = random_below(&churner->seed, HELD);
        if (churner->held[place] == NULL)
            create(churner, place);
        else
            change(churner, place);
    }
    return NULL;
}

static void *dispatch(void *context)
{
    struct peal_waitset *waitset = context;
    enum peal_status status = PEAL_OK;
    while (status != PEAL_CLOSED) {
        size_t count = 0;
        status = peal_waitset_dispatch(waitset, 50000000, &count);
        expect((status == PEAL_OK) == (count != 0));
        (void)peal_u64_add_relaxed(&dispatches, count);
    }
    return NULL;
}

static void *wait_only(void *context)
{
    struct peal_waitset *waitset = context;
    void *contexts[4];
    size_t count;
    enum peal_status status = PEAL_OK;
    while (status != PEAL_CLOSED) {
        status = peal_waitset_wait(waitset, 50000000, contexts, 4, &count);
        expect(count <= 4 && (status == PEAL_OK) == (count != 0));
        (void)sched_yield(); /* they stay ready until another thread has taken */
    }
    return NULL;
}

static void *publish(void *context)
{
    struct peal_publisher *publisher = context;
    uint64_t seed = random_seed() + 99;
    unsigned char bytes[32] = {0};
    while (!is_over()) {
        (void)peal_publisher_publish(publisher, bytes, 1 + random_below(&seed, sizeof(bytes)));
        if (random_below(&seed, 8) == 0)
            (void)sched_yield();
    }
    return NULL;
}

static void finish(struct churner *churner)
{
    for (uint32_t place = 0; place < HELD; place++) {
        struct subject *subject = churner->held[place];
        if (subject != NULL && peal_u32_load_acquire(&subject->closed) == 0)
            peal_subscriber_close(subject->subscriber);
    }
    while (churner->all != NULL) {
        struct subject *subject = churner->all;
        churner->all = subject->next;
        expect(peal_u32_load_acquire(&subject->inside) == 0);
        free(subject);
    }
}

static bool time_is_up(void *start_ns)
{
    return test_now_ns() - *(uint64_t *)start_ns > RUN_NS;
}

static void endpoints_come_and_go_while_others_wait_and_dispatch(void **state)
{
    (void)state;
    uint64_t start_ns = test_now_ns();
    struct churner churners[CHURNERS];
    pthread_t churning[CHURNERS], dispatching[DISPATCHERS], waiting, publishing;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher *publisher;
    struct peal_bus *watcher = bus_fixture_open("local:registry", NULL);
    bus = bus_fixture_open("local:registry", NULL);
    options.full_policy = PEAL_FULL_DROP_NEWEST;
    options.depth = 64;
    assert_int_equal(peal_publisher_create(bus, "churn", &options, &publisher), PEAL_OK);
    for (int i = 0; i < WAITSETS; i++)
        assert_int_equal(peal_waitset_create(bus, &waitsets[i]), PEAL_OK);
    for (int i = 0; i < CHURNERS; i++) {
        churners[i] = (struct churner){.seed = random_seed() + (uint64_t)i};
        assert_int_equal(pthread_create(&churning[i], NULL, churn, &churners[i]), 0);
    }
    for (int i = 0; i < DISPATCHERS; i++)
        assert_int_equal(pthread_create(&dispatching[i], NULL, dispatch, waitsets[i % WAITSETS]),
                         0);
    assert_int_equal(pthread_create(&waiting, NULL, wait_only, waitsets[0]), 0);
    assert_int_equal(pthread_create(&publishing, NULL, publish, publisher), 0);

    (void)eventually(time_is_up, &start_ns, EVENTUALLY_TIMEOUT_NS);
    peal_u32_store_release(&stop, 1);
    (void)pthread_join(publishing, NULL);
    for (int i = 0; i < CHURNERS; i++)
        (void)pthread_join(churning[i], NULL);
    peal_bus_close(bus);
    for (int i = 0; i < DISPATCHERS; i++)
        (void)pthread_join(dispatching[i], NULL);
    (void)pthread_join(waiting, NULL);
    for (int i = 0; i < WAITSETS; i++)
        peal_waitset_close(waitsets[i]);

    printf("made %" PRIu64 ", dispatched %" PRIu64 ", delivered %" PRIu64 "\n",
           peal_u64_load_relaxed(&made), peal_u64_load_relaxed(&dispatches),
           peal_u64_load_relaxed(&delivered));
    for (int i = 0; i < CHURNERS; i++) {
        assert_true(churners[i].adds > 0 && churners[i].removes > 0 && churners[i].closes > 0);
        finish(&churners[i]);
    }
    peal_publisher_close(publisher); /* the last thing that keeps the bus attached */
    assert_true(watcher->transport->ops->members(watcher->transport) ==
                UINT64_C(1) << watcher->region.index);
    peal_bus_close(watcher);
    assert_int_equal(peal_u32_load_relaxed(&violations), 0);
    assert_true(peal_u64_load_relaxed(&delivered) > 0 && peal_u64_load_relaxed(&dispatches) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_come_and_go_while_others_wait_and_dispatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
