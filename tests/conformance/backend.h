/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the conformance tests share: every case runs over every backend. A backend joins by a line in
 * the table, and by saying in peer_*() how one of its clients lives on its own and dies.
 *
 * A peer is a client that a test can kill. On posix it is a process, on local a handle that
 * peal_local_kill() ends. The vdev is there twice: over the device model in this process, where a peer is a
 * guest that ends, and over the socket of a peal-vdev, where it is a process.
 *
 * With PEAL_CONFORMANCE_DEVICE in the environment all runs over that device alone: in a virtual machine, over the node of
 * its driver.
 */
#ifndef PEAL_TESTS_CONFORMANCE_BACKEND_H
#define PEAL_TESTS_CONFORMANCE_BACKEND_H

#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/vdev_model_access.h"
#include "tests/support/vdev_program.h"
#include "transport/local/local.h"
#include "transport/transport.h"

/* cmocka needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define REGION_BYTES (UINT64_C(64) << 10)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct backend {
    const char *label;
    const char *scheme;
    uint32_t capacity;
    bool processes; /* clients may be other processes */
    bool named;     /* memory outlives its clients, until its name is removed */
    bool counting;  /* a ring moves the epoch by itself, not only when a wait drains it */
    bool one_place; /* all clients of this process have the region at one address */
    bool posted;    /* a ring may arrive after notify() has returned */
    bool (*start)(void);
    void (*stop)(void);
    const char *(*device)(void);
};

static struct vdev_program the_server;

static inline bool start_model(void)
{
    return model_access_start(NULL);
}

static inline const char *model_device(void)
{
    return MODEL_DEVICE;
}

static inline bool start_server(void)
{
    return vdev_program_start(&the_server);
}

static inline void stop_server(void)
{
    vdev_program_stop(&the_server);
}

static inline const char *server_device(void)
{
    return the_server.socket;
}

static const struct backend backends[] = {
    {.label = "posix",
     .scheme = "posix",
     .capacity = 64,
     .processes = true,
     .named = true,
     .counting = true},
    {.label = "local",
     .scheme = "local",
     .capacity = 16,
     .named = true,
     .counting = true,
     .one_place = true},
    {.label = "vdev-model",
     .scheme = "vdev",
     .capacity = 16,
     .start = start_model,
     .stop = model_access_stop,
     .device = model_device},
    {.label = "vdev-socket",
     .scheme = "vdev",
     .capacity = 16,
     .processes = true,
     .posted = true,
     .start = start_server,
     .stop = stop_server,
     .device = server_device},
};

static inline const char *given_device(void)
{
    return getenv("PEAL_CONFORMANCE_DEVICE");
}

static const struct backend backend_given = {
    .label = "vdev-device",
    .scheme = "vdev",
    .capacity = 16,
    .processes = true,
    .posted = true,
    .device = given_device,
};

/* A case that this backend has no use for. */
#define ONLY_IF(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            skip();                                                                                \
    } while (0)

static inline const struct backend *backend_of(void **state)
{
    return *state;
}

/* A name that no other test uses, also none that runs beside this one. */
static inline void unique_name(char name[PEAL_TRANSPORT_NAME_MAX + 1])
{
    static unsigned counter;
    (void)snprintf(name, PEAL_TRANSPORT_NAME_MAX + 1, "test-%d.%u", (int)getpid(), counter++);
}

static inline struct peal_transport_options options_of(const struct backend *backend,
                                                       uint64_t size_bytes)
{
    return (struct peal_transport_options){.struct_bytes = sizeof(struct peal_transport_options),
                                           .size_bytes = size_bytes,
                                           .device =
                                               backend->device != NULL ? backend->device() : NULL};
}

static inline enum peal_status try_open(const struct backend *backend, const char *name,
                                        uint64_t size_bytes, struct peal_transport **transport)
{
    const struct peal_transport_options options = options_of(backend, size_bytes);
    return peal_transport_open(backend->scheme, name, &options, transport);
}

static inline struct peal_transport *open_sized(const struct backend *backend, const char *name,
                                                uint64_t size_bytes)
{
    struct peal_transport *transport = NULL;
    const enum peal_status status = try_open(backend, name, size_bytes, &transport);
    if (status != PEAL_OK)
        fail_msg("%s: %s", peal_status_name(status), peal_error_message());
    assert_non_null(transport);
    return transport;
}

static inline struct peal_transport *open_one(const struct backend *backend, const char *name)
{
    return open_sized(backend, name, REGION_BYTES);
}

static inline void close_one(struct peal_transport *transport)
{
    transport->ops->close(transport);
}

static inline uint64_t bit_of(const struct peal_transport *transport)
{
    return UINT64_C(1) << transport->index;
}

/* An interrupt comes when it comes; but who asks the device is told all that has happened at it. */
static inline void settle(struct peal_transport *transport)
{
    if (strcmp(transport->ops->scheme, "vdev") == 0)
        (void)transport->ops->members(transport);
}

/* Drains and forgets, so that the rings of those who joined do not disturb. */
static inline uint64_t drain(struct peal_transport *transport)
{
    uint64_t sources = 0;
    settle(transport);
    (void)transport->ops->wait(transport, transport->ops->epoch(transport), 0, &sources);
    return sources;
}

/* Whether the epoch has moved since, which a ring and a change of members do; drains. */
static inline bool has_moved(struct peal_transport *transport, uint32_t epoch, uint64_t *sources)
{
    settle(transport);
    return transport->ops->wait(transport, epoch, 0, sources) == PEAL_OK;
}

/* Rings, and returns when that has arrived. */
static inline void ring_through(struct peal_transport *transport, uint64_t targets)
{
    transport->ops->notify(transport, targets);
    settle(transport); /* what goes over a socket goes in order, and this has an answer */
}

static inline void remove_region(const struct backend *backend, const char *name)
{
    (void)peal_transport_unlink(backend->scheme, name);
}

static inline void assert_refused(enum peal_status status, enum peal_status expected,
                                  const char *word)
{
    if (status != expected)
        fail_msg("%s instead of %s: %s", peal_status_name(status), peal_status_name(expected),
                 peal_error_message());
    if (strstr(peal_error_message(), word) == NULL)
        fail_msg("the message has no '%s': %s", word, peal_error_message());
}

/* There is no region of that name (any more). */
static inline bool is_absent(const struct backend *backend, const char *name)
{
    struct peal_transport *transport = NULL;
    struct peal_transport_options options = options_of(backend, REGION_BYTES);
    options.must_exist = true;
    const enum peal_status status =
        peal_transport_open(backend->scheme, name, &options, &transport);
    if (transport != NULL)
        close_one(transport);
    return status == PEAL_ENOENT;
}

struct members_wanted {
    struct peal_transport *transport;
    uint64_t members;
};

static inline bool has_members(void *context)
{
    const struct members_wanted *wanted = context;
    return wanted->transport->ops->members(wanted->transport) == wanted->members;
}

static inline void assert_members(struct peal_transport *transport, uint64_t members)
{
    struct members_wanted wanted = {transport, members};
    if (!eventually(has_members, &wanted, EVENTUALLY_TIMEOUT_NS))
        fail_msg("members are %llx, not %llx",
                 (unsigned long long)transport->ops->members(transport),
                 (unsigned long long)members);
}

struct peer {
    const struct backend *backend;
    const char *name;
    uint64_t size_bytes;
    uint32_t index;
    struct child child;               /* where clients are processes */
    struct peal_transport *transport; /* where they are not */
};

enum peer_command { PEER_CLOSE, PEER_RING, PEER_FD };

/* Opens, says its index, then does as told: word = command | targets << 8. */
static inline int peer_body(struct child_link *link, void *context)
{
    struct peer *peer = context;
    struct peal_transport *transport;
    uint64_t word;
    if (try_open(peer->backend, peer->name, peer->size_bytes, &transport) != PEAL_OK)
        return 1;
    (void)child_say(link, transport->index);
    while (child_hear(link, &word)) {
        if ((word & 0xff) == PEER_RING)
            ring_through(transport, word >> 8);
        if ((word & 0xff) == PEER_FD && transport->ops->fd(transport) < 0)
            return 2;
        if ((word & 0xff) == PEER_CLOSE)
            transport->ops->close(transport);
        if ((word & 0xff) == PEER_CLOSE)
            return 0;
        (void)child_say(link, 0);
    }
    return 3;
}

static inline void peer_open(struct peer *peer, const struct backend *backend, const char *name)
{
    uint64_t word = 0;
    *peer = (struct peer){.backend = backend, .name = name, .size_bytes = REGION_BYTES};
    if (!backend->processes) {
        peer->transport = open_one(backend, name);
        peer->index = peer->transport->index;
        return;
    }
    assert_true(child_start(&peer->child, peer_body, peer));
    assert_true(child_hear(&peer->child.link, &word));
    peer->index = (uint32_t)word;
}

/* `targets` below 2^56. */
static inline void peer_do(struct peer *peer, enum peer_command command, uint64_t targets)
{
    uint64_t word;
    if (peer->transport == NULL) {
        assert_true(child_say(&peer->child.link, (uint64_t)command | targets << 8));
        assert_true(child_hear(&peer->child.link, &word));
    } else if (command == PEER_RING) {
        ring_through(peer->transport, targets);
    } else {
        assert_true(peer->transport->ops->fd(peer->transport) >= 0);
    }
}

static inline void peer_close(struct peer *peer)
{
    if (peer->transport != NULL) {
        close_one(peer->transport);
        return;
    }
    assert_true(child_say(&peer->child.link, PEER_CLOSE));
    assert_int_equal(child_reap(&peer->child), 0);
}

/* Dead when this returns. */
static inline void peer_kill(struct peer *peer)
{
    if (peer->transport != NULL && strcmp(peer->backend->scheme, "vdev") == 0)
        model_access_kill(peer->transport);
    else if (peer->transport != NULL)
        peal_local_kill(peer->transport);
    else
        child_kill(&peer->child);
}

/* What is left of a killed peer in this process. */
static inline void peer_bury(struct peer *peer)
{
    if (peer->transport != NULL)
        close_one(peer->transport);
}

/* What backends need besides this process; false, with a line on stderr: it cannot be had, and the tests fail. */
static inline bool backends_start(void)
{
    for (size_t b = 0; b < COUNT(backends); b++) {
        if (backends[b].start != NULL && !backends[b].start()) {
            fprintf(stderr, "%s: cannot be started\n", backends[b].label);
            return false;
        }
    }
    return true;
}

static inline void backends_stop(void)
{
    for (size_t b = 0; b < COUNT(backends); b++)
        if (backends[b].stop != NULL)
            backends[b].stop();
}

/* Runs `cases` over every backend, named "posix: a case". */
static inline int run_over_backends(const char *group, const struct CMUnitTest *cases, size_t count)
{
    const bool given = given_device() != NULL;
    const struct backend *table = given ? &backend_given : backends;
    const size_t kinds = given ? 1 : COUNT(backends);
    struct CMUnitTest *tests = calloc(count * kinds, sizeof(*tests));
    char(*names)[160] = calloc(count * kinds, sizeof(*names));
    int failed = 1;
    if (tests != NULL && names != NULL) {
        size_t n = 0;
        for (size_t b = 0; b < kinds; b++) {
            for (size_t c = 0; c < count; c++, n++) {
                tests[n] = cases[c];
                (void)snprintf(names[n], sizeof(names[n]), "%s: %s", table[b].label, cases[c].name);
                tests[n].name = names[n];
                tests[n].initial_state = (void *)(uintptr_t)&table[b];
            }
        }
        peal_local_set_capacity(16);
        if (given || backends_start())
            failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
        if (!given)
            backends_stop();
    }
    free(names);
    free(tests);
    return failed;
}

#endif
