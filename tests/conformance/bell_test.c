/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance: ringing and waiting.
 */
#include "tests/conformance/backend.h"

#include "core/atomic.h"

#include <pthread.h>

#define MS UINT64_C(1000000)

#ifdef PEAL_SANITIZE_THREAD
#define THREAD_SANITIZER true
#else
#define THREAD_SANITIZER false
#endif

/*
 * Whether ThreadSanitizer, if it is there, can follow what a ring orders. It goes by addresses, and
 * two clients of posix or of the vdev in one process have the shared words at two addresses.
 */
static bool is_order_visible(const struct backend *backend)
{
    return !THREAD_SANITIZER || backend->one_place;
}

/* Four clients of one region, with what their joining rang forgotten. */
struct quartet {
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t[4];
};

static void quartet_open(struct quartet *quartet, const struct backend *backend)
{
    unique_name(quartet->name);
    for (int i = 0; i < 4; i++)
        quartet->t[i] = open_one(backend, quartet->name);
    for (int i = 0; i < 4; i++)
        (void)drain(quartet->t[i]);
}

static void quartet_close(struct quartet *quartet, const struct backend *backend)
{
    for (int i = 0; i < 4; i++)
        close_one(quartet->t[i]);
    remove_region(backend, quartet->name);
}

static uint32_t epoch_of(struct peal_transport *t)
{
    return t->ops->epoch(t);
}

static void ring(struct peal_transport *t, uint64_t targets)
{
    ring_through(t, targets);
}

static void a_ring_reaches_one_client_and_no_other(void **state)
{
    struct quartet q;
    uint32_t before[4];
    quartet_open(&q, backend_of(state));
    for (int i = 0; i < 4; i++)
        before[i] = epoch_of(q.t[i]);
    ring(q.t[0], bit_of(q.t[2]));
    for (int i = 0; i < 4; i++) {
        uint64_t sources = 0;
        assert_int_equal(has_moved(q.t[i], before[i], &sources), i == 2);
        assert_int_equal(sources, i == 2 ? bit_of(q.t[0]) : 0);
    }
    quartet_close(&q, backend_of(state));
}

static void one_call_rings_many_and_each_learns_who_rang(void **state)
{
    struct quartet q;
    quartet_open(&q, backend_of(state));
    ring(q.t[0], bit_of(q.t[1]) | bit_of(q.t[3]));
    ring(q.t[2], bit_of(q.t[1]));
    assert_int_equal(drain(q.t[1]), bit_of(q.t[0]) | bit_of(q.t[2]));
    assert_int_equal(drain(q.t[3]), bit_of(q.t[0]));
    assert_int_equal(drain(q.t[0]) | drain(q.t[2]), 0);
    quartet_close(&q, backend_of(state));
}

static void a_client_may_ring_itself(void **state)
{
    struct quartet q;
    quartet_open(&q, backend_of(state));
    const uint32_t epoch = epoch_of(q.t[1]);
    uint64_t sources = 0;
    ring(q.t[1], bit_of(q.t[1]));
    assert_int_equal(q.t[1]->ops->wait(q.t[1], epoch, PEAL_TRANSPORT_FOREVER, &sources), PEAL_OK);
    assert_int_equal(sources, bit_of(q.t[1]));
    quartet_close(&q, backend_of(state));
}

static void ringing_the_absent_does_nothing_and_they_hear_nothing_when_they_come(void **state)
{
    const struct backend *backend = backend_of(state);
    struct quartet q;
    quartet_open(&q, backend);
    ring(q.t[0], UINT64_MAX & ~UINT64_C(0xf));
    for (int i = 0; i < 4; i++)
        assert_int_equal(drain(q.t[i]), 0);
    struct peal_transport *late = open_one(backend, q.name);
    assert_int_equal(late->index, 4);
    assert_int_equal(drain(late), 0);
    close_one(late);
    quartet_close(&q, backend);
}

static void rings_coalesce_into_one_bit_but_each_moves_the_epoch(void **state)
{
    struct quartet q;
    quartet_open(&q, backend_of(state));
    for (int i = 0; i < 1000; i++) {
        const uint32_t before = epoch_of(q.t[1]);
        ring(q.t[0], bit_of(q.t[1]));
        if (backend_of(state)->counting)
            assert_int_not_equal(epoch_of(q.t[1]), before);
    }
    assert_int_equal(drain(q.t[1]), bit_of(q.t[0]));
    assert_int_equal(drain(q.t[1]), 0);
    ring(q.t[0], bit_of(q.t[1]));
    assert_int_equal(drain(q.t[1]), bit_of(q.t[0]));
    quartet_close(&q, backend_of(state));
}

static void a_ring_over_one_that_is_not_drained_still_ends_a_wait(void **state)
{
    struct quartet q;
    uint64_t sources = 0;
    quartet_open(&q, backend_of(state));
    struct peal_transport *t = q.t[1];
    for (int i = 0; i < 100; i++) {
        ring(q.t[0], bit_of(t));
        const uint32_t epoch = epoch_of(t);
        ring(q.t[0], bit_of(t));
        assert_int_equal(t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources), PEAL_OK);
        assert_int_equal(sources, bit_of(q.t[0]));
    }
    quartet_close(&q, backend_of(state));
}

/* Who asks for the members reads the very register that tells the rings, on the vdev. */
static void asking_for_members_takes_no_ring_away(void **state)
{
    struct quartet q;
    uint64_t sources = 0;
    quartet_open(&q, backend_of(state));
    struct peal_transport *t = q.t[1];
    for (int i = 0; i < 100; i++) {
        const uint32_t epoch = epoch_of(t);
        ring(q.t[0], bit_of(t));
        assert_int_equal(t->ops->members(t), 0xf);
        ring(q.t[2], bit_of(t));
        assert_int_equal(t->ops->members(t), 0xf);
        assert_int_equal(t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources), PEAL_OK);
        assert_int_equal(sources, bit_of(q.t[0]) | bit_of(q.t[2]));
        assert_int_equal(drain(t), 0);
    }
    quartet_close(&q, backend_of(state));
}

static void who_joins_and_who_leaves_rings_the_members(void **state)
{
    const struct backend *backend = backend_of(state);
    struct quartet q;
    quartet_open(&q, backend);
    uint32_t epoch = epoch_of(q.t[0]);
    struct peal_transport *late = open_one(backend, q.name);
    uint64_t sources = 0;
    assert_true(has_moved(q.t[0], epoch, &sources));
    assert_int_equal(sources, bit_of(late));
    for (int i = 1; i < 4; i++)
        assert_int_equal(drain(q.t[i]), bit_of(late));
    const uint64_t bit = bit_of(late);
    epoch = epoch_of(q.t[0]);
    close_one(late);
    assert_true(has_moved(q.t[0], epoch, &sources));
    assert_int_equal(sources, bit);
    for (int i = 1; i < 4; i++)
        assert_int_equal(drain(q.t[i]), bit);
    quartet_close(&q, backend);
}

static void waiting_without_time_only_drains(void **state)
{
    struct quartet q;
    uint64_t sources = 99;
    quartet_open(&q, backend_of(state));
    struct peal_transport *t = q.t[1];
    const uint32_t epoch = epoch_of(t);
    assert_int_equal(t->ops->wait(t, epoch, 0, &sources), PEAL_TIMEDOUT);
    assert_int_equal(sources, 0);
    ring(q.t[0], bit_of(t));
    assert_int_equal(t->ops->wait(t, epoch, 0, &sources), PEAL_OK);
    assert_int_equal(sources, bit_of(q.t[0]));
    quartet_close(&q, backend_of(state));
}

/* Waits for nothing; how long beyond the timeout. */
static uint64_t wait_in_vain(struct peal_transport *t, uint64_t timeout_ns)
{
    uint64_t sources = 99;
    const uint64_t begin_ns = test_now_ns();
    assert_int_equal(t->ops->wait(t, epoch_of(t), timeout_ns, &sources), PEAL_TIMEDOUT);
    const uint64_t waited_ns = test_now_ns() - begin_ns;
    assert_true(waited_ns >= timeout_ns);
    assert_int_equal(sources, 0);
    return waited_ns - timeout_ns;
}

static void waiting_ends_at_its_deadline_and_not_before(void **state)
{
    struct quartet q;
    quartet_open(&q, backend_of(state));
    for (uint64_t timeout_ns = MS / 4; timeout_ns < 60 * MS; timeout_ns *= 3) {
        /* A busy machine may be late, not each time. */
        uint32_t tries = 1;
        while (wait_in_vain(q.t[1], timeout_ns) > 50 * MS)
            assert_true(tries++ < 20);
    }
    quartet_close(&q, backend_of(state));
}

struct sleeper {
    struct peal_transport *transport;
    pthread_t thread;
    peal_u32 tid; /* 0 until it is about to wait */
    enum peal_status status;
    uint64_t sources;
    const uint32_t *plain; /* looked at after the wait, if there is one */
    uint32_t seen;
};

static void *sleep_for_ever(void *context)
{
    struct sleeper *sleeper = context;
    struct peal_transport *t = sleeper->transport;
    const uint32_t epoch = epoch_of(t);
    peal_u32_store_seq_cst(&sleeper->tid, (uint32_t)gettid());
    sleeper->status = t->ops->wait(t, epoch, PEAL_TRANSPORT_FOREVER, &sleeper->sources);
    if (sleeper->plain != NULL)
        sleeper->seen = *sleeper->plain;
    return NULL;
}

static bool has_tid(void *context)
{
    return peal_u32_load_seq_cst(&((struct sleeper *)context)->tid) != 0;
}

/* Returns when the thread sleeps in the kernel. */
static void sleeper_start_reading(struct sleeper *sleeper, struct peal_transport *transport,
                                  const uint32_t *plain)
{
    *sleeper = (struct sleeper){.transport = transport, .sources = 99, .plain = plain};
    assert_int_equal(pthread_create(&sleeper->thread, NULL, sleep_for_ever, sleeper), 0);
    assert_true(eventually(has_tid, sleeper, EVENTUALLY_TIMEOUT_NS));
    assert_true(eventually_asleep((pid_t)peal_u32_load_seq_cst(&sleeper->tid)));
}

static void sleeper_start(struct sleeper *sleeper, struct peal_transport *transport)
{
    sleeper_start_reading(sleeper, transport, NULL);
}

static void a_ring_wakes_a_sleeper(void **state)
{
    struct quartet q;
    struct sleeper sleeper;
    quartet_open(&q, backend_of(state));
    for (int i = 0; i < 20; i++) {
        sleeper_start(&sleeper, q.t[1]);
        ring(q.t[3], bit_of(q.t[1]));
        assert_int_equal(pthread_join(sleeper.thread, NULL), 0);
        assert_int_equal(sleeper.status, PEAL_OK);
        assert_int_equal(sleeper.sources, bit_of(q.t[3]));
    }
    quartet_close(&q, backend_of(state));
}

static void one_ring_wakes_all_sleepers_of_a_client_and_one_of_them_drains(void **state)
{
    struct quartet q;
    struct sleeper sleepers[5];
    uint64_t fastest_ns = UINT64_MAX;
    quartet_open(&q, backend_of(state));
    for (int round = 0; round < 5; round++) {
        unsigned drained = 0;
        for (int i = 0; i < 5; i++)
            sleeper_start(&sleepers[i], q.t[1]);
        const uint64_t begin_ns = test_now_ns();
        ring(q.t[3], bit_of(q.t[1]));
        for (int i = 0; i < 5; i++) {
            assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
            assert_int_equal(sleepers[i].status, PEAL_OK);
            drained += sleepers[i].sources != 0;
        }
        assert_int_equal(drained, 1);
        if (test_now_ns() - begin_ns < fastest_ns)
            fastest_ns = test_now_ns() - begin_ns;
    }
    /* ck_ec looks again by itself after a second: that must not be what woke them. */
    assert_true(fastest_ns < 500 * MS);
    quartet_close(&q, backend_of(state));
}

static void wake_all_brings_out_every_sleeper_so_that_a_client_can_close(void **state)
{
    struct quartet q;
    struct sleeper sleepers[3], other;
    quartet_open(&q, backend_of(state));
    for (int i = 0; i < 3; i++)
        sleeper_start(&sleepers[i], q.t[1]);
    sleeper_start(&other, q.t[2]);
    q.t[1]->ops->wake_all(q.t[1]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
        assert_int_equal(sleepers[i].status, PEAL_OK);
        assert_int_equal(sleepers[i].sources, 0);
    }
    const uint64_t bit = bit_of(q.t[1]);
    close_one(q.t[1]); /* while another client waits: that one is rung, and goes on */
    assert_int_equal(pthread_join(other.thread, NULL), 0);
    assert_int_equal(other.sources, bit);
    q.t[1] = open_one(backend_of(state), q.name);
    quartet_close(&q, backend_of(state));
}

#define ROUNDS 20000u

struct player {
    struct peal_transport *transport;
    uint64_t other;
    uint32_t parity; /* whose turn it is: rounds of this parity are ours */
    uint32_t *plain; /* or NULL; written without atomics: a ring must carry it */
    uint32_t lost;
};

/* The pattern of transport.h: epoch, look, wait. The word is in the region, as a ring would be. */
static void *play(void *context)
{
    struct player *player = context;
    struct peal_transport *t = player->transport;
    peal_u32 *turn = (peal_u32 *)(void *)t->base;
    for (uint32_t round = player->parity; round < ROUNDS; round += 2) {
        for (;;) {
            uint64_t sources;
            const uint32_t epoch = epoch_of(t);
            if (peal_u32_load_seq_cst(turn) == round)
                break;
            if (t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources) != PEAL_OK) {
                player->lost++;
                return NULL;
            }
        }
        if (player->plain != NULL && *player->plain != round)
            player->lost++;
        if (player->plain != NULL)
            *player->plain = round + 1;
        peal_u32_store_seq_cst(turn, round + 1);
        t->ops->notify(t, player->other);
    }
    return NULL;
}

static void two_clients_that_play_ping_pong_never_lose_a_ring(void **state)
{
    struct quartet q;
    pthread_t thread;
    uint32_t plain = 0;
    quartet_open(&q, backend_of(state));
    uint32_t *carried = is_order_visible(backend_of(state)) ? &plain : NULL;
    struct player even = {q.t[0], bit_of(q.t[1]), 0, carried, 0};
    struct player odd = {q.t[1], bit_of(q.t[0]), 1, carried, 0};
    assert_int_equal(pthread_create(&thread, NULL, play, &odd), 0);
    (void)play(&even);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(even.lost, 0);
    assert_int_equal(odd.lost, 0);
    assert_int_equal(plain, carried != NULL ? ROUNDS : 0);
    quartet_close(&q, backend_of(state));
}

static void a_ring_carries_what_was_stored_before_it(void **state)
{
    ONLY_IF(is_order_visible(backend_of(state)));
    struct quartet q;
    struct sleeper sleeper;
    uint32_t plain = 0;
    quartet_open(&q, backend_of(state));
    for (uint32_t i = 1; i <= 50; i++) {
        sleeper_start_reading(&sleeper, q.t[1], &plain);
        plain = i; /* no atomics: under ThreadSanitizer this is the test */
        ring(q.t[0], bit_of(q.t[1]));
        assert_int_equal(pthread_join(sleeper.thread, NULL), 0);
        assert_int_equal(sleeper.seen, i);
    }
    quartet_close(&q, backend_of(state));
}

static void the_barrier_works_where_the_capability_says_so(void **state)
{
    struct quartet q;
    quartet_open(&q, backend_of(state));
    const bool capable = (q.t[0]->capabilities & PEAL_TRANSPORT_BARRIER) != 0;
    assert_int_equal(q.t[0]->ops->barrier(q.t[0]), capable ? PEAL_OK : PEAL_ENOTSUP);
    quartet_close(&q, backend_of(state));
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_ring_reaches_one_client_and_no_other),
        cmocka_unit_test(one_call_rings_many_and_each_learns_who_rang),
        cmocka_unit_test(a_client_may_ring_itself),
        cmocka_unit_test(ringing_the_absent_does_nothing_and_they_hear_nothing_when_they_come),
        cmocka_unit_test(rings_coalesce_into_one_bit_but_each_moves_the_epoch),
        cmocka_unit_test(a_ring_over_one_that_is_not_drained_still_ends_a_wait),
        cmocka_unit_test(asking_for_members_takes_no_ring_away),
        cmocka_unit_test(who_joins_and_who_leaves_rings_the_members),
        cmocka_unit_test(waiting_without_time_only_drains),
        cmocka_unit_test(waiting_ends_at_its_deadline_and_not_before),
        cmocka_unit_test(a_ring_wakes_a_sleeper),
        cmocka_unit_test(one_ring_wakes_all_sleepers_of_a_client_and_one_of_them_drains),
        cmocka_unit_test(wake_all_brings_out_every_sleeper_so_that_a_client_can_close),
        cmocka_unit_test(two_clients_that_play_ping_pong_never_lose_a_ring),
        cmocka_unit_test(a_ring_carries_what_was_stored_before_it),
        cmocka_unit_test(the_barrier_works_where_the_capability_says_so),
    };
    return run_over_backends("bell", cases, COUNT(cases));
}
