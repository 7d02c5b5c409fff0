/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance: the descriptor that makes a bell visible to epoll.
 */
#include "tests/conformance/backend.h"

#include "core/atomic.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>

struct pair {
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *owner, *ringer;
};

static void pair_open(struct pair *pair, const struct backend *backend)
{
    unique_name(pair->name);
    pair->owner = open_one(backend, pair->name);
    pair->ringer = open_one(backend, pair->name);
    (void)drain(pair->owner);
}

static void pair_close(struct pair *pair, const struct backend *backend)
{
    close_one(pair->ringer);
    close_one(pair->owner);
    remove_region(backend, pair->name);
}

static int fd_of(struct peal_transport *t)
{
    const int descriptor = t->ops->fd(t);
    if (descriptor < 0)
        fail_msg("%s", peal_error_message());
    return descriptor;
}

static bool is_readable(int descriptor)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    return poll(&polled, 1, 0) == 1 && (polled.revents & POLLIN) != 0;
}

static void ring(struct peal_transport *from, struct peal_transport *to)
{
    ring_through(from, bit_of(to));
    settle(to);
}

static void it_is_readable_from_the_ring_until_the_drain(void **state)
{
    struct pair p;
    pair_open(&p, backend_of(state));
    const int descriptor = fd_of(p.owner);
    assert_int_equal(fd_of(p.owner), descriptor);
    assert_true((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    for (int i = 0; i < 100; i++) {
        assert_false(is_readable(descriptor));
        ring(p.ringer, p.owner);
        assert_true(is_readable(descriptor));
        ring(p.ringer, p.owner);
        assert_true(is_readable(descriptor));
        assert_int_equal(drain(p.owner), bit_of(p.ringer));
    }
    assert_false(is_readable(descriptor));
    pair_close(&p, backend_of(state));
}

static void epoll_reports_it_level_triggered(void **state)
{
    struct pair p;
    struct epoll_event event = {.events = EPOLLIN};
    pair_open(&p, backend_of(state));
    const int set = epoll_create1(EPOLL_CLOEXEC);
    assert_true(set >= 0);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd_of(p.owner), &event), 0);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 0);
    ring(p.ringer, p.owner);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 1);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 1);
    (void)drain(p.owner);
    assert_int_equal(epoll_wait(set, &event, 1, 0), 0);
    (void)close(set);
    pair_close(&p, backend_of(state));
}

static void a_ring_from_before_it_was_made_shows(void **state)
{
    struct pair p;
    pair_open(&p, backend_of(state));
    ring(p.ringer, p.owner);
    const int descriptor = fd_of(p.owner);
    assert_true(is_readable(descriptor));
    ring(p.ringer, p.owner);
    assert_int_equal(drain(p.owner), bit_of(p.ringer));
    assert_false(is_readable(descriptor));
    pair_close(&p, backend_of(state));
}

static void a_waiting_drain_with_time_empties_it_too(void **state)
{
    struct pair p;
    uint64_t sources = 0;
    pair_open(&p, backend_of(state));
    const int descriptor = fd_of(p.owner);
    const uint32_t epoch = p.owner->ops->epoch(p.owner);
    ring(p.ringer, p.owner);
    assert_int_equal(p.owner->ops->wait(p.owner, epoch, PEAL_TRANSPORT_FOREVER, &sources), PEAL_OK);
    assert_int_equal(sources, bit_of(p.ringer));
    assert_false(is_readable(descriptor));
    pair_close(&p, backend_of(state));
}

static void who_rings_itself_and_who_joins_and_leaves_shows_there(void **state)
{
    const struct backend *backend = backend_of(state);
    struct pair p;
    pair_open(&p, backend);
    const int descriptor = fd_of(p.owner);
    ring(p.owner, p.owner);
    assert_true(is_readable(descriptor));
    (void)drain(p.owner);
    struct peal_transport *third = open_one(backend, p.name);
    settle(p.owner);
    assert_true(is_readable(descriptor));
    (void)drain(p.owner);
    close_one(third);
    settle(p.owner);
    assert_true(is_readable(descriptor));
    pair_close(&p, backend);
}

static void a_peer_rings_the_descriptor_of_an_owner_that_came_later_at_the_same_index(void **state)
{
    const struct backend *backend = backend_of(state);
    struct pair p;
    pair_open(&p, backend);
    for (int i = 0; i < 10; i++) {
        const uint32_t index = p.owner->index;
        const int descriptor = fd_of(p.owner);
        ring(p.ringer, p.owner);
        assert_true(is_readable(descriptor));
        close_one(p.owner);
        p.owner = open_one(backend, p.name);
        assert_int_equal(p.owner->index, index);
        (void)drain(p.owner);
    }
    pair_close(&p, backend);
}

static void more_rings_than_any_buffer_holds_neither_block_nor_stay(void **state)
{
    struct pair p;
    pair_open(&p, backend_of(state));
    const int descriptor = fd_of(p.owner);
    for (int i = 0; i < 100000; i++)
        p.ringer->ops->notify(p.ringer, bit_of(p.owner));
    ring(p.ringer, p.owner);
    assert_true(is_readable(descriptor));
    (void)drain(p.owner);
    assert_false(is_readable(descriptor));
    pair_close(&p, backend_of(state));
}

#define RINGERS 3
#define RINGS 20000u

struct ringer {
    struct peal_transport *transport;
    peal_u32 *posted; /* in the region: how many it has published */
    uint64_t target;
};

static void *publish_and_ring(void *context)
{
    struct ringer *ringer = context;
    for (uint32_t i = 1; i <= RINGS; i++) {
        peal_u32_store_seq_cst(ringer->posted, i);
        ringer->transport->ops->notify(ringer->transport, ringer->target);
    }
    return NULL;
}

struct stepper {
    struct ringer ringer;
    peal_u32 *seen; /* in the region: how many the owner has seen */
};

static void *ring_in_step(void *context)
{
    struct stepper *stepper = context;
    struct peal_transport *t = stepper->ringer.transport;
    for (uint32_t i = 1; i <= RINGS; i++) {
        peal_u32_store_seq_cst(stepper->ringer.posted, i);
        t->ops->notify(t, stepper->ringer.target);
        while (peal_u32_load_seq_cst(stepper->seen) != i)
            (void)sched_yield();
    }
    return NULL;
}

/* The owner answers before it drains, so that the next ring comes in the middle of draining. */
static void no_ring_is_lost_that_comes_while_the_owner_drains(void **state)
{
    const struct backend *backend = backend_of(state);
    struct pair p;
    pthread_t thread;
    pair_open(&p, backend);
    struct pollfd polled = {.fd = fd_of(p.owner), .events = POLLIN};
    struct stepper stepper = {{p.ringer, (peal_u32 *)(void *)p.owner->base, bit_of(p.owner)},
                              (peal_u32 *)(void *)(p.owner->base + 128)};
    assert_int_equal(pthread_create(&thread, NULL, ring_in_step, &stepper), 0);
    for (uint32_t seen = 0; seen < RINGS;) {
        assert_int_equal(poll(&polled, 1, 20000), 1);
        seen = peal_u32_load_seq_cst(stepper.ringer.posted);
        peal_u32_store_seq_cst(stepper.seen, seen);
        (void)drain(p.owner);
        seen = peal_u32_load_seq_cst(stepper.ringer.posted);
        peal_u32_store_seq_cst(stepper.seen, seen);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    pair_close(&p, backend);
}

static void no_ring_is_lost_between_drain_and_poll(void **state)
{
    const struct backend *backend = backend_of(state);
    struct pair p;
    pthread_t threads[RINGERS];
    struct ringer ringers[RINGERS];
    uint32_t seen[RINGERS] = {0};
    bool all = false;
    pair_open(&p, backend);
    struct pollfd polled = {.fd = fd_of(p.owner), .events = POLLIN};
    for (uint32_t i = 0; i < RINGERS; i++) {
        ringers[i].transport = i < 2 ? open_one(backend, p.name) : p.ringer;
        ringers[i].posted = (peal_u32 *)(void *)(p.owner->base + 128u * i);
        ringers[i].target = bit_of(p.owner);
    }
    for (uint32_t i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_and_ring, &ringers[i]), 0);
    while (!all) {
        /* Nothing new and nothing rung within the deadline: a ring was lost. */
        assert_int_equal(poll(&polled, 1, 20000), 1);
        (void)drain(p.owner);
        all = true;
        for (uint32_t i = 0; i < RINGERS; i++) {
            seen[i] = peal_u32_load_seq_cst(ringers[i].posted);
            all = all && seen[i] == RINGS;
        }
    }
    for (uint32_t i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    close_one(ringers[0].transport);
    close_one(ringers[1].transport);
    pair_close(&p, backend);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(it_is_readable_from_the_ring_until_the_drain),
        cmocka_unit_test(epoll_reports_it_level_triggered),
        cmocka_unit_test(a_ring_from_before_it_was_made_shows),
        cmocka_unit_test(a_waiting_drain_with_time_empties_it_too),
        cmocka_unit_test(who_rings_itself_and_who_joins_and_leaves_shows_there),
        cmocka_unit_test(a_peer_rings_the_descriptor_of_an_owner_that_came_later_at_the_same_index),
        cmocka_unit_test(more_rings_than_any_buffer_holds_neither_block_nor_stay),
        cmocka_unit_test(no_ring_is_lost_that_comes_while_the_owner_drains),
        cmocka_unit_test(no_ring_is_lost_between_drain_and_poll),
    };
    return run_over_backends("descriptor", cases, COUNT(cases));
}
