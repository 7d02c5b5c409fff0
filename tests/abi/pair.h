/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test's side: two peers, one of 32 and one of 64 bits, in a region of their own. Every case
 * runs twice, so that each width plays each part; `a` opens the region first.
 */
#ifndef PEAL_TESTS_ABI_PAIR_H
#define PEAL_TESTS_ABI_PAIR_H

#include "tests/abi/protocol.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"

/* cmocka needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <peal/peal.h>
#include <poll.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ABI_SKIPPED 77
#define PEER_NOT_STARTED 126

#define MS UINT64_C(1000000)
#define SAFETY_NET_NS (10000 * MS)
#define REGION_BYTES (UINT64_C(16) << 20)
#define TOPICS_MAX 32

struct peer {
    struct child child;
    unsigned width;
    uint64_t opened[ABI_VALUES]; /* enum abi_open_value */
};

struct pair {
    char url[64];
    struct peer a;
    struct peer b;
};

static inline const char *peer_program(unsigned width)
{
    return getenv(width == 32 ? "PEAL_ABI_PEER_32" : "PEAL_ABI_PEER_64");
}

/* Which program a child becomes, and with what. */
struct peer_start {
    const char *program;
    const char *task;
    const char *url;
};

static inline int peer_become(struct child_link *link, void *context)
{
    const struct peer_start *start = context;
    if (dup2(link->in, STDIN_FILENO) >= 0 && dup2(link->out, STDOUT_FILENO) >= 0)
        (void)execl(start->program, start->program, start->task, start->url, (char *)NULL);
    return PEER_NOT_STARTED;
}

static inline void peer_start(struct peer *peer, unsigned width, const char *url)
{
    struct peer_start start = {peer_program(width), "serve", url};
    peer->width = width;
    assert_true(child_start(&peer->child, peer_become, &start));
}

static inline void peer_tell(struct peer *peer, const struct abi_request *request)
{
    assert_int_equal(write(peer->child.link.out, request, sizeof(*request)), sizeof(*request));
}

static inline bool peer_has_answered(struct peer *peer)
{
    struct pollfd polled = {.fd = peer->child.link.in, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

/* Whatever the answer is. */
static inline void peer_hear(struct peer *peer, struct abi_answer *answer)
{
    struct pollfd polled = {.fd = peer->child.link.in, .events = POLLIN};
    if (poll(&polled, 1, (int)(2 * ABI_TIMEOUT_NS / MS)) != 1)
        fail_msg("the %u-bit peer says nothing", peer->width);
    if (read(polled.fd, answer, sizeof(*answer)) != (ssize_t)sizeof(*answer))
        fail_msg("the %u-bit peer has ended", peer->width);
}

static inline void peer_hear_ok(struct peer *peer, struct abi_answer *answer)
{
    peer_hear(peer, answer);
    if (answer->status != PEAL_OK)
        fail_msg("the %u-bit peer: %s: %.*s", peer->width,
                 peal_status_name((enum peal_status)answer->status), ABI_TEXT_BYTES, answer->text);
}

#define REQUEST(operation, ...) (&(const struct abi_request){(operation), {__VA_ARGS__}})
#define TELL(peer, ...) peer_tell((peer), REQUEST(__VA_ARGS__))

static inline struct abi_answer peer_ask(struct peer *peer, const struct abi_request *request)
{
    struct abi_answer answer;
    peer_tell(peer, request);
    peer_hear_ok(peer, &answer);
    return answer;
}

/* Asks, expects success, and gives the answer. */
#define ASK(peer, ...) peer_ask((peer), REQUEST(__VA_ARGS__))

static inline void peer_expect(struct peer *peer, enum peal_status expected,
                               const struct abi_request *request)
{
    struct abi_answer answer;
    peer_tell(peer, request);
    peer_hear(peer, &answer);
    if (answer.status != (uint64_t)expected)
        fail_msg("the %u-bit peer: %s instead of %s: %.*s", peer->width,
                 peal_status_name((enum peal_status)answer.status), peal_status_name(expected),
                 ABI_TEXT_BYTES, answer.text);
}

static inline struct abi_answer peer_hear_value(struct peer *peer)
{
    struct abi_answer answer;
    peer_hear_ok(peer, &answer);
    return answer;
}

static inline uint64_t peer_bus_value(struct peer *peer, enum abi_bus_value which)
{
    return ASK(peer, ABI_BUS_STATS).value[which];
}

static inline void peer_open(struct peer *peer, uint64_t safety_net_ns, bool always_fence)
{
    const struct abi_answer answer =
        ASK(peer, ABI_OPEN, REGION_BYTES, TOPICS_MAX, safety_net_ns, always_fence);
    memcpy(peer->opened, answer.value, sizeof(peer->opened));
}

/* Both, with the safety net out of the way: whoever sleeps must be rung. */
static inline void pair_open(struct pair *pair)
{
    peer_open(&pair->a, SAFETY_NET_NS, false);
    peer_open(&pair->b, SAFETY_NET_NS, false);
}

static inline void peer_kill(struct peer *peer)
{
    child_kill(&peer->child);
}

/* Ends of itself, and well. */
static inline void peer_end(struct peer *peer)
{
    (void)close(peer->child.link.out);
    peer->child.link.out = -1;
    assert_int_equal(child_reap(&peer->child), 0);
}

/* Sleeps in the kernel: the third field of "pid (comm) S ...". */
static inline bool peer_is_asleep(void *context)
{
    const struct peer *peer = context;
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)peer->child.pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && strncmp(end, ") S", 3) == 0;
}

/* Until `sleeper` has asked for its bell and sleeps in the kernel; `other` looks. */
static inline void peer_await_sleep(struct peer *sleeper, struct peer *other)
{
    (void)ASK(other, ABI_AWAIT_ARMED, sleeper->opened[ABI_INDEX]);
    assert_true(eventually(peer_is_asleep, sleeper, EVENTUALLY_TIMEOUT_NS));
    assert_false(peer_has_answered(sleeper));
}

static inline void pair_setup_as(void **state, unsigned width_a)
{
    static unsigned counter;
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    (void)snprintf(pair->url, sizeof(pair->url), "posix:abi-%d.%u", (int)getpid(), counter++);
    *state = pair;
    peer_start(&pair->a, width_a, pair->url);
    peer_start(&pair->b, 96 - width_a, pair->url);
}

static inline int pair_setup_32(void **state)
{
    pair_setup_as(state, 32);
    return 0;
}

static inline int pair_setup_64(void **state)
{
    pair_setup_as(state, 64);
    return 0;
}

/* Whoever is still there ends now, and well, unless the test has failed and it cannot. */
static inline int pair_teardown(void **state)
{
    struct pair *pair = *state;
    struct peer *peers[] = {&pair->a, &pair->b};
    int failed = 0;
    for (size_t i = 0; i < COUNT(peers); i++) {
        if (peers[i]->child.pid <= 0)
            continue;
        (void)close(peers[i]->child.link.out);
        peers[i]->child.link.out = -1;
        failed |= child_reap(&peers[i]->child) != 0;
    }
    (void)peal_unlink(pair->url);
    free(pair);
    return failed;
}

#define BOTH_WAYS(test)                                                                            \
    {#test " (32 and 64 bits)", (test), pair_setup_32, pair_teardown, NULL},                       \
    {                                                                                              \
#test " (64 and 32 bits)", (test), pair_setup_64, pair_teardown, NULL                      \
    }

/* Not every kernel runs programs of 32 bits. One that starts and then fails is a failure. */
static inline bool peer_can_start(const char *program)
{
    struct peer_start start = {program, "serve", "posix:none"};
    struct child child;
    if (!child_start(&child, peer_become, &start))
        return false;
    (void)close(child.link.out);
    child.link.out = -1;
    return child_reap(&child) != PEER_NOT_STARTED;
}

/* Says so, loudly, where there is no 32-bit program. True: end with ABI_SKIPPED. */
static inline bool abi_is_skipped(void)
{
    const char *peer32 = peer_program(32);
    const char *peer64 = peer_program(64);
    if (peer64 == NULL || access(peer64, X_OK) != 0) {
        printf("PEAL_ABI_PEER_64 does not name the 64-bit peer: run this test by ctest\n");
        exit(1);
    }
    if (peer32 == NULL || access(peer32, X_OK) != 0) {
        printf("SKIPPED: there is no 32-bit peer at %s, so nobody to share a region with; "
               "scripts/setup.sh gets its compiler, scripts/suite.sh i386-peer builds it\n",
               peer32 != NULL ? peer32 : "PEAL_ABI_PEER_32");
        return true;
    }
    if (!peer_can_start(peer32)) {
        printf("SKIPPED: this machine does not run %s, a program of 32 bits\n", peer32);
        return true;
    }
    return false;
}

#define ABI_MAIN(cases)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return abi_is_skipped() ? ABI_SKIPPED : cmocka_run_group_tests(cases, NULL, NULL);         \
    }

#endif
