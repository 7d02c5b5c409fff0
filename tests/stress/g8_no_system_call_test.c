/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G8: no system call on the path of publish and take while the reader is awake. A process publishes
 * and takes under a filter that kills it at any system call but write (to say how far it came) and
 * exit.
 */
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/topic_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define MESSAGES 10000u
#define NO_FILTER 77

static bool is_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

/* From now on: write, exit, and nothing else. */
static bool forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Every way of publishing and taking, once round. */
static bool exchange(struct peal_publisher *publisher, struct peal_subscriber *subscriber,
                     uint64_t *number)
{
    unsigned char bytes[2][8];
    struct peal_slice slices[2] = {{bytes[0], 8}, {bytes[1], 8}};
    struct peal_message messages[8];
    void *loans[4];
    size_t count = 0;
    if (topic_put(publisher, (*number)++) != PEAL_OK)
        return false;
    content_fill(bytes[0], 8, 0, *number);
    content_fill(bytes[1], 8, 0, *number + 1);
    if (peal_publisher_publish_batch(publisher, slices, 2, NULL) != PEAL_OK)
        return false;
    *number += 2;
    if (peal_publisher_loan(publisher, 8, &loans[0]) != PEAL_OK)
        return false;
    content_fill(loans[0], 8, 0, (*number)++);
    if (peal_publisher_commit(publisher, 8) != PEAL_OK ||
        peal_publisher_loan_batch(publisher, 8, 4, loans, &count) != PEAL_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        content_fill(loans[i], 8, 0, (*number)++);
    if (peal_publisher_commit_batch(publisher, count) != PEAL_OK)
        return false;

    uint64_t taken = 0, published = 4 + count;
    if (topic_take(subscriber, &messages[0]) != PEAL_OK ||
        peal_subscriber_take(subscriber, &messages[0]) != PEAL_OK ||
        peal_subscriber_release(subscriber, &messages[0]) != PEAL_OK)
        return false;
    taken = 2;
    while (peal_subscriber_take_batch(subscriber, messages, 8, &count) == PEAL_OK) {
        taken += count;
        if (peal_subscriber_release_batch(subscriber, messages, count, NULL) != PEAL_OK)
            return false;
    }
    return taken == published;
}

struct play {
    const char *scheme;
    const char *url; /* set by assert_silent() */
    enum peal_reliability reliability;
    uint32_t message_bytes_max;
    uint64_t payload_bytes;
    bool timestamp;
    bool crc32c;
};

static int exchange_without_system_calls(struct child_link *link, void *context)
{
    const struct play *play = context;
    struct peal_bus *bus = topic_bus(play->url);
    struct peal_publisher_options options = topic_publisher_options(64, PEAL_FULL_REFUSE);
    options.message_bytes_max = play->message_bytes_max;
    options.payload_bytes = play->payload_bytes;
    options.timestamp = play->timestamp;
    options.crc32c = play->crc32c;
    struct peal_subscriber *subscriber = bus ? topic_subscribe(bus, "t", play->reliability) : NULL;
    struct peal_publisher *publisher = subscriber ? topic_publish(bus, "t", &options) : NULL;
    uint64_t number = 0;
    /* The first message finds the lane, and binds symbols. */
    if (!publisher || !exchange(publisher, subscriber, &number))
        return 1;
    if (!forbid_system_calls())
        return NO_FILTER;
    while (number < MESSAGES)
        if (!exchange(publisher, subscriber, &number))
            (void)syscall(SYS_exit_group, 2);
    (void)child_say(link, number);
    (void)syscall(SYS_exit_group,
                  0); /* not even closing is allowed, nor what a sanitizer does at exit */
    return 3;
}

static int call_the_system(struct child_link *link, void *context)
{
    (void)link;
    (void)context;
    if (!forbid_system_calls())
        return NO_FILTER;
    (void)syscall(SYS_getppid);
    (void)syscall(SYS_exit_group, 0);
    return 3;
}

/* The filter itself, and whether this machine has it (an emulator may not). */
static bool filter_works(void)
{
    struct child child;
    if (is_under_valgrind())
        return false; /* makes system calls of its own */
    assert_true(child_start(&child, call_the_system, NULL));
    int code = child_reap(&child);
    assert_true(code == 128 + SIGSYS || code == NO_FILTER);
    return code != NO_FILTER;
}

static void assert_silent(const struct play *play)
{
    struct child child;
    struct play copy = *play;
    struct place place;
    uint64_t number = 0;
    if (!filter_works())
        skip();
    assert_true(place_make(&place, play->scheme, "g8", NULL));
    copy.url = place.url;
    assert_true(child_start(&child, exchange_without_system_calls, &copy));
    bool heard = child_hear(&child.link, &number);
    const int code = child_reap(&child);
    place_remove(&place);
    assert_int_equal(code, 0);
    assert_true(heard && number >= MESSAGES);
}

static void small_messages_need_no_system_call(void **state)
{
    (void)state;
    assert_silent(&(struct play){.scheme = "posix", .reliability = PEAL_RELIABLE});
    assert_silent(&(struct play){.scheme = "posix", .reliability = PEAL_BEST_EFFORT});
    assert_silent(&(struct play){.scheme = "local", .reliability = PEAL_RELIABLE});
    assert_silent(&(struct play){.scheme = "vdev", .reliability = PEAL_RELIABLE});
    assert_silent(&(struct play){.scheme = "vdev", .reliability = PEAL_BEST_EFFORT});
}

static void messages_in_the_payload_ring_need_no_system_call(void **state)
{
    (void)state;
    assert_silent(&(struct play){.scheme = "posix",
                                 .reliability = PEAL_RELIABLE,
                                 .message_bytes_max = 1000,
                                 .payload_bytes = 100000});
}

static void checksums_and_timestamps_need_no_system_call(void **state)
{
    (void)state;
    assert_silent(&(struct play){
        .scheme = "posix", .reliability = PEAL_RELIABLE, .timestamp = true, .crc32c = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages_need_no_system_call),
        cmocka_unit_test(messages_in_the_payload_ring_need_no_system_call),
        cmocka_unit_test(checksums_and_timestamps_need_no_system_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
