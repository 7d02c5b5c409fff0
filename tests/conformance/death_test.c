/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance: clients that leave, that die, and what becomes of what they leave behind.
 */
#include "tests/conformance/backend.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static void a_peer_that_leaves_goes_from_the_members_and_rings(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer;
    uint64_t sources;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    peer_open(&peer, backend, name);
    assert_int_equal(t->ops->members(t), bit_of(t) | UINT64_C(1) << peer.index);
    (void)drain(t);
    const uint32_t epoch = t->ops->epoch(t);
    peer_close(&peer);
    assert_int_equal(t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources), PEAL_OK);
    assert_int_equal(sources, UINT64_C(1) << peer.index);
    assert_members(t, bit_of(t));
    close_one(t);
    remove_region(backend, name);
}

static void a_peer_that_is_killed_goes_from_the_members(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer, survivor;
    uint64_t sources;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    peer_open(&peer, backend, name);
    peer_open(&survivor, backend, name);
    const uint64_t rest = bit_of(t) | UINT64_C(1) << survivor.index;
    const uint32_t epoch = t->ops->epoch(t);
    peer_kill(&peer);
    assert_members(t, rest);
    if ((t->capabilities & PEAL_TRANSPORT_MEMBER_EVENTS) != 0)
        assert_true(has_moved(t, epoch, &sources));
    peer_bury(&peer);
    assert_members(t, rest);
    peer_close(&survivor);
    close_one(t);
    remove_region(backend, name);
}

static void a_dead_client_rings_nobody(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(!backend->processes);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    peer_open(&peer, backend, name);
    peer_kill(&peer);
    (void)drain(t);
    peer_do(&peer, PEER_RING, bit_of(t));
    assert_int_equal(drain(t), 0);
    peer_bury(&peer);
    close_one(t);
    remove_region(backend, name);
}

static void the_index_of_the_dead_is_used_again_and_its_new_owner_starts_clean(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    for (int i = 0; i < 10; i++) {
        peer_open(&peer, backend, name);
        peer_do(&peer, PEER_FD, 0);
        t->ops->notify(t, UINT64_C(1) << peer.index);
        peer_kill(&peer);
        assert_members(t, bit_of(t));
        struct peal_transport *heir = open_one(backend, name);
        assert_int_equal(heir->index, peer.index);
        assert_int_equal(drain(heir), 0);
        const int descriptor = heir->ops->fd(heir);
        struct pollfd polled = {.fd = descriptor, .events = POLLIN};
        assert_true(descriptor >= 0);
        assert_int_equal(poll(&polled, 1, 0), 0);
        ring_through(t, bit_of(heir));
        settle(heir);
        assert_int_equal(poll(&polled, 1, 0), 1);
        assert_int_equal(drain(heir), bit_of(t));
        peer_bury(&peer);
        assert_members(t, bit_of(t) | bit_of(heir));
        close_one(heir);
    }
    close_one(t);
    remove_region(backend, name);
}

static void the_heir_of_a_client_that_died_ringing_is_still_heard(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer;
    uint64_t sources;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    struct pollfd polled = {.fd = t->ops->fd(t), .events = POLLIN};
    peer_open(&peer, backend, name);
    peer_do(&peer, PEER_RING, bit_of(t)); /* the bit stays pending over its death */
    peer_kill(&peer);
    assert_members(t, bit_of(t));
    struct peal_transport *heir = open_one(backend, name);
    assert_int_equal(heir->index, peer.index);
    const uint32_t epoch = t->ops->epoch(t);
    ring_through(heir, bit_of(t));
    settle(t);
    assert_int_equal(poll(&polled, 1, 0), 1);
    assert_int_equal(t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources), PEAL_OK);
    assert_int_equal(sources, bit_of(heir));
    peer_bury(&peer);
    close_one(heir);
    close_one(t);
    remove_region(backend, name);
}

/* All clients die; then a region of `wanted_bytes` is opened. */
static struct peal_transport *open_after_the_dead(const struct backend *backend, const char *name,
                                                  uint64_t wanted_bytes, struct peer *peer)
{
    struct peal_transport *t = open_one(backend, name);
    peer_open(peer, backend, name);
    memset(t->base, 0x5a, (size_t)t->size_bytes);
    close_one(t);
    peer_kill(peer);
    return open_sized(backend, name, wanted_bytes);
}

static void what_the_dead_left_is_taken_over_as_it_is(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->named);
    static const uint64_t sizes[] = {REGION_BYTES, 0};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        char name[PEAL_TRANSPORT_NAME_MAX + 1];
        struct peer peer;
        unique_name(name);
        struct peal_transport *t = open_after_the_dead(backend, name, sizes[s], &peer);
        assert_int_equal(t->size_bytes, REGION_BYTES);
        assert_int_equal(t->index, 0);
        assert_int_equal(t->ops->members(t), 1);
        for (uint64_t i = 0; i < t->size_bytes; i++)
            assert_int_equal(t->base[i], 0x5a);
        peer_bury(&peer);
        close_one(t);
        remove_region(backend, name);
    }
}

static void what_the_dead_left_is_made_anew_when_another_size_is_wanted(void **state)
{
    const struct backend *backend = backend_of(state);
    static const uint64_t sizes[] = {2 * REGION_BYTES, REGION_BYTES / 2};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        char name[PEAL_TRANSPORT_NAME_MAX + 1];
        struct peer peer;
        unique_name(name);
        struct peal_transport *t = open_after_the_dead(backend, name, sizes[s], &peer);
        assert_int_equal(t->size_bytes, sizes[s]);
        for (uint64_t i = 0; i < t->size_bytes; i++)
            assert_int_equal(t->base[i], 0);
        peer_bury(&peer);
        close_one(t);
        remove_region(backend, name);
    }
}

static void a_killed_peer_shows_although_this_process_has_other_children(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->processes);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peers[3];
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    for (int i = 0; i < 3; i++)
        peer_open(&peers[i], backend, name);
    peer_kill(&peers[0]);
    assert_members(t, bit_of(t) | 1u << peers[1].index | 1u << peers[2].index);
    peer_kill(&peers[2]);
    assert_members(t, bit_of(t) | 1u << peers[1].index);
    peer_close(&peers[1]);
    close_one(t);
    remove_region(backend, name);
}

/* Opens, asks for a descriptor, forks a child that lives on, and waits to be killed. */
static int open_and_leave_a_child(struct child_link *link, void *context)
{
    struct peer *peer = context;
    struct peal_transport *t;
    uint64_t word;
    if (try_open(peer->backend, peer->name, REGION_BYTES, &t) != PEAL_OK || t->ops->fd(t) < 0)
        return 1;
    const pid_t grandchild = fork();
    if (grandchild == 0) {
        (void)alarm(60); /* for the case that the test fails before it ends this */
        (void)child_say(link, (uint64_t)getpid());
        (void)pause();
        _exit(0);
    }
    (void)child_hear(link, &word);
    return 2;
}

static void a_forked_child_does_not_keep_its_dead_parent_alive(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->processes);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer = {.backend = backend, .name = name};
    uint64_t grandchild = 0;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    assert_true(child_start(&peer.child, open_and_leave_a_child, &peer));
    assert_true(child_hear(&peer.child.link, &grandchild));
    assert_members(t, bit_of(t) | 2);
    child_kill(&peer.child);
    assert_members(t, bit_of(t));
    assert_int_equal(kill((pid_t)grandchild, 0), 0); /* it is there all the time */
    assert_int_equal(kill((pid_t)grandchild, SIGKILL), 0);
    close_one(t);
    remove_region(backend, name);
}

static int close_inherited(struct child_link *link, void *context)
{
    (void)link;
    close_one(context);
    return 0;
}

static void closing_in_a_forked_child_does_not_touch_the_parents_client(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->processes);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct child child;
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    struct peal_transport *other = open_one(backend, name);
    const int descriptor = t->ops->fd(t);
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    assert_true(child_start(&child, close_inherited, t));
    assert_int_equal(child_reap(&child), 0);
    assert_int_equal(other->ops->members(other), bit_of(t) | bit_of(other));
    (void)drain(t);
    (void)drain(other);
    ring_through(other, bit_of(t));
    settle(t);
    assert_int_equal(poll(&polled, 1, 0), 1);
    assert_int_equal(drain(t), bit_of(other));
    close_one(t);
    close_one(other);
    remove_region(backend, name);
}

static void a_client_killed_while_it_opens_spoils_nothing(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->processes);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    for (unsigned i = 0; i < 200; i++) {
        struct peer peer = {.backend = backend, .name = name, .size_bytes = REGION_BYTES};
        struct child child;
        assert_true(child_start(&child, peer_body, &peer));
        /* Somewhere between fork and the end of open(): later from round to round. */
        for (uint64_t until_ns = test_now_ns() + i * UINT64_C(8000); test_now_ns() < until_ns;)
            ;
        child_kill(&child);
        struct peal_transport *t = open_one(backend, name);
        assert_members(t, bit_of(t));
        assert_int_equal(t->size_bytes, REGION_BYTES);
        t->base[t->size_bytes - 1] = 1;
        close_one(t);
        if (i % 3 != 0)
            remove_region(backend, name);
    }
    remove_region(backend, name);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_peer_that_leaves_goes_from_the_members_and_rings),
        cmocka_unit_test(a_peer_that_is_killed_goes_from_the_members),
        cmocka_unit_test(a_dead_client_rings_nobody),
        cmocka_unit_test(the_index_of_the_dead_is_used_again_and_its_new_owner_starts_clean),
        cmocka_unit_test(the_heir_of_a_client_that_died_ringing_is_still_heard),
        cmocka_unit_test(what_the_dead_left_is_taken_over_as_it_is),
        cmocka_unit_test(what_the_dead_left_is_made_anew_when_another_size_is_wanted),
        cmocka_unit_test(a_killed_peer_shows_although_this_process_has_other_children),
        cmocka_unit_test(a_forked_child_does_not_keep_its_dead_parent_alive),
        cmocka_unit_test(closing_in_a_forked_child_does_not_touch_the_parents_client),
        cmocka_unit_test(a_client_killed_while_it_opens_spoils_nothing),
    };
    return run_over_backends("death", cases, COUNT(cases));
}
