/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One suite for all contenders: contenders_test PREFIX... runs it for those whose names begin so (in
 * small letters, "_" for all but letters and digits), and says with exit code 77 that there is none.
 * `contenders_test --cover PREFIX...` fails if one is left out.
 */
#include "tests/bench/course.h"

#include <peal/peal.h>

#include <ctype.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEPTH = 64, SKIPPED = 77 };

static const uint32_t sizes[] = {8, 64, 4096, 65536};

static const struct {
    enum bench_pattern pattern;
    const char *name;
    uint32_t senders, receivers;
} patterns[] = {
    {BENCH_PATTERN_PAIR, "pair", 1, 1},     {BENCH_PATTERN_FAN_OUT, "fan-out", 1, 3},
    {BENCH_PATTERN_FAN_IN, "fan-in", 3, 1}, {BENCH_PATTERN_MESH, "mesh", 2, 2},
    {BENCH_PATTERN_QUEUE, "queue", 2, 2},   {BENCH_PATTERN_LATEST, "latest", 1, 2},
};
enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

static const struct bench_contender *contender_of(void **state)
{
    return *state;
}

static bool can_take(const struct bench_contender *contender, uint32_t size_bytes)
{
    uint32_t limit_bytes = UINT32_MAX;

    if (contender->limit != NULL && contender->limit(&limit_bytes) != NULL &&
        size_bytes > limit_bytes)
        return false;
    return contender->size_bytes_max == 0 || size_bytes <= contender->size_bytes_max;
}

static void expect(bool holds, const struct course *course, const char *what)
{
    if (!holds)
        fail_msg("%s, pattern %#x, %u bytes: %s: %s", course->contender->name,
                 (unsigned)course->channel.pattern, course->channel.size_bytes, what,
                 course->arena->failure);
}

static void expect_nothing_left(const struct course *course)
{
    char litter[1024];

    course_litter(course, litter, sizeof(litter));
    if (litter[0] != '\0')
        fail_msg("%s has left: %s", course->contender->name, litter);
}

/* ---- streams ---- */

/* Each message came as often as it should. */
static void expect_all(const struct course *course)
{
    struct bench_tally wanted = bench_tally_of(course->messages);
    bool to_each = (course->channel.pattern & (BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH)) != 0;

    for (uint32_t sender = 0; sender < course->channel.senders; sender++) {
        struct bench_tally sum = {0};

        for (uint32_t i = 0; i < course->channel.receivers; i++) {
            const struct bench_tally *tally =
                &course->arena->workers[course->channel.senders + i].tallies[sender];
            sum.count += tally->count;
            sum.sum += tally->sum;
            sum.squares += tally->squares;
            if (to_each && (tally->count != wanted.count || tally->sum != wanted.sum))
                fail_msg("%s: receiver %u got %" PRIu64 " of %" PRIu64 " messages",
                         course->contender->name, i, tally->count, wanted.count);
        }
        if (!to_each &&
            (sum.count != wanted.count || sum.sum != wanted.sum || sum.squares != wanted.squares))
            fail_msg("%s: %" PRIu64 " of %" PRIu64 " messages of sender %u came, or not these",
                     course->contender->name, sum.count, wanted.count, sender);
    }
}

static void stream(const struct bench_contender *contender, unsigned pattern, uint32_t size_bytes,
                   uint32_t depth, bool waits)
{
    struct course course;

    if (!course_begin(&course, contender, patterns[pattern].pattern, patterns[pattern].senders,
                      patterns[pattern].receivers, size_bytes, depth, waits))
        fail_msg("%s: begin() has failed", contender->name);
    course.messages = waits ? 30000 : size_bytes <= 64 ? 3000 : size_bytes <= 4096 ? 1000 : 150;
    course_start(&course);
    expect(course_await(&course), &course, patterns[pattern].name);
    if (!contender->loses && course.channel.pattern != BENCH_PATTERN_LATEST)
        expect_all(&course);
    course_end(&course);
    expect_nothing_left(&course);
}

static void all_messages_come_whole_and_in_order(void **state)
{
    const struct bench_contender *contender = contender_of(state);

    for (unsigned pattern = 0; pattern < PATTERNS; pattern++) {
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            if ((contender->patterns & patterns[pattern].pattern) != 0 &&
                can_take(contender, sizes[i]))
                stream(contender, pattern, sizes[i], DEPTH, false);
        }
    }
}

/* Where somebody could wait, receivers that only look must not see a message before it is theirs: they
 * would see it again. */
static void who_could_wait_and_only_looks_gets_each_message_once(void **state)
{
    const struct bench_contender *contender = contender_of(state);

    if (contender->wait == NULL && contender->descriptor == NULL)
        skip();
    for (unsigned pattern = 0; pattern < PATTERNS; pattern++) {
        if ((contender->patterns & patterns[pattern].pattern) != 0)
            stream(contender, pattern, 64, DEPTH, true);
    }
}

/* As deep as the benchmarks have it at this size, which is little. */
static void long_messages_come_whole_and_in_order(void **state)
{
    enum { LONG_BYTES = 1 << 20, LONG_DEPTH = 4 };
    const struct bench_contender *contender = contender_of(state);

    if (!can_take(contender, LONG_BYTES))
        skip();
    for (unsigned pattern = 0; pattern < PATTERNS; pattern++) {
        if ((contender->patterns & patterns[pattern].pattern) != 0)
            stream(contender, pattern, LONG_BYTES, LONG_DEPTH, false);
    }
}

/* ---- full and empty ---- */

/* Sends until nothing goes any more for a while; prepared messages that do not go wait in `rest`. */
struct filling {
    void *end;
    uint64_t sent;
    size_t rest;
};

enum { FULL_LOOKS = 20000, FULL_MAX = 200000 };

static void fill(struct course *course, struct filling *filling)
{
    const struct bench_contender *contender = course->contender;
    unsigned looks = 0;

    while (looks < FULL_LOOKS) {
        void *place;
        size_t gone;

        if (filling->rest == 0) {
            filling->rest = contender->prepare(filling->end, &place, course->channel.size_bytes, 1);
            if (filling->rest == 1)
                bench_content_write(place, course->channel.size_bytes, 0, filling->sent);
        }
        gone = filling->rest > 0 ? contender->send(filling->end, 1) : 0;
        filling->rest -= gone;
        filling->sent += gone;
        looks = gone > 0 ? 0 : looks + 1;
        if (filling->sent > FULL_MAX)
            course_fail("never full: %" PRIu64 " messages of %u bytes went, where there is room "
                        "for %u",
                        filling->sent, course->channel.size_bytes, course->channel.depth);
        if (gone == 0)
            course_idle();
    }
}

static void drain(struct course *course, void *end, uint64_t until)
{
    struct course_worker *mine = &course->arena->workers[1];
    uint64_t deadline_ns = course_now_ns() + COURSE_TIMEOUT_NS;

    while (peal_u64_load_relaxed(&mine->received) < until) {
        if (course_receive(course, end, mine, 5) == 0 && course_now_ns() > deadline_ns)
            course_fail("%" PRIu64 " messages were sent and %" PRIu64 " came", until,
                        peal_u64_load_relaxed(&mine->received));
    }
}

static void expect_empty(struct course *course, void *end)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (course_receive(course, end, &course->arena->workers[1], 1) != 0)
            course_fail("a message came that nobody has sent");
    }
}

static void fill_and_drain(struct course *course)
{
    struct filling filling = {0};
    void *receiver;

    course_open_both(course, &filling.end, &receiver);
    expect_empty(course, receiver);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t before = filling.sent;

        fill(course, &filling);
        if (filling.sent - before + 1 < course->channel.depth)
            course_fail("full with %" PRIu64 " messages, where there is room for %u",
                        filling.sent - before, course->channel.depth);
        drain(course, receiver, filling.sent);
        while (filling.rest > 0) {
            filling.rest -= course->contender->send(filling.end, filling.rest);
            filling.sent += filling.rest == 0;
        }
        drain(course, receiver, filling.sent);
        expect_empty(course, receiver);
    }
    if (course->contender->close != NULL) {
        course->contender->close(filling.end);
        course->contender->close(receiver);
    }
}

static void a_full_one_takes_no_more_until_there_is_room(void **state)
{
    const struct bench_contender *contender = contender_of(state);
    unsigned done = 0;

    for (unsigned pattern = 0; pattern < PATTERNS && !contender->loses; pattern++) {
        struct course course;

        if ((contender->patterns & patterns[pattern].pattern & ~(unsigned)BENCH_PATTERN_LATEST) ==
            0)
            continue;
        if (!course_begin(&course, contender, patterns[pattern].pattern, 1, 1, 4096, 16, false))
            fail_msg("%s: begin() has failed", contender->name);
        expect(course_alone(&course, fill_and_drain), &course, "full and empty");
        course_end(&course);
        done++;
    }
    if (done == 0)
        skip(); /* it drops what there is no room for */
}

/* ---- waiting ---- */

enum { WAKES = 5, WAKE_TIMEOUT_MS = 10000, QUIET_MS = 20 };

static bool by_descriptor;

static void sleep_for_one(const struct course *course, void *end, int timeout_ms)
{
    const struct bench_contender *contender = course->contender;

    if (!by_descriptor) {
        contender->wait(end, (uint64_t)timeout_ms * 1000000u);
    } else if (contender->arm == NULL || !contender->arm(end)) {
        struct pollfd look = {.fd = contender->descriptor(end), .events = POLLIN};
        (void)poll(&look, 1, timeout_ms);
    }
}

/* Announces each time that it will sleep, and must be woken long before the time is over. */
static void be_woken(struct course *course, uint32_t worker, void *end)
{
    struct course_worker *mine = &course->arena->workers[worker];
    uint64_t began_ns = course_now_ns();

    sleep_for_one(course, end, QUIET_MS);
    if (course_now_ns() - began_ns > (uint64_t)WAKE_TIMEOUT_MS * 1000000u / 2)
        course_fail("wait() takes far longer than it was told");
    for (uint64_t wake = 1; wake <= WAKES; wake++) {
        began_ns = course_now_ns();
        peal_u64_store_release(&mine->state, wake);
        while (course_receive(course, end, mine, 1) == 0)
            sleep_for_one(course, end, WAKE_TIMEOUT_MS);
        if (course_now_ns() - began_ns > (uint64_t)WAKE_TIMEOUT_MS * 1000000u / 2)
            course_fail("message %" PRIu64 " did not wake who waited for it", wake);
    }
}

static void wake(struct course *course, uint32_t worker, void *end)
{
    struct course_worker *other = &course->arena->workers[1];

    for (uint64_t number = 0; number < WAKES; number++) {
        while (peal_u64_load_acquire(&other->state) <= number ||
               !course_is_asleep((pid_t)peal_u32_load_acquire(&other->tid)))
            course_idle();
        while (course_send(course, end, worker, number, 1) == 0)
            course_idle();
    }
}

static void wake_or_be_woken(struct course *course, uint32_t worker, void *end)
{
    if (course_is_sender(course, worker))
        wake(course, worker, end);
    else
        be_woken(course, worker, end);
}

static void expect_to_be_woken(const struct bench_contender *contender)
{
    for (unsigned pattern = 0; pattern < PATTERNS; pattern++) {
        struct course course;

        if ((contender->patterns & patterns[pattern].pattern) == 0)
            continue;
        if (!course_begin(&course, contender, patterns[pattern].pattern, 1, 1, 64, DEPTH, true))
            fail_msg("%s: begin() has failed", contender->name);
        course.work = wake_or_be_woken;
        course_start(&course);
        expect(course_await(&course), &course, by_descriptor ? "its descriptor" : "wait()");
        course_end(&course);
    }
}

static void who_waits_is_woken_by_a_message(void **state)
{
    if (contender_of(state)->wait == NULL)
        skip();
    by_descriptor = false;
    expect_to_be_woken(contender_of(state));
}

static void the_descriptor_tells_of_a_message(void **state)
{
    if (contender_of(state)->descriptor == NULL)
        skip();
    by_descriptor = true;
    expect_to_be_woken(contender_of(state));
}

/* ---- beginning, ending, dying ---- */

static unsigned first_pattern(const struct bench_contender *contender)
{
    unsigned pattern = 0;

    while ((contender->patterns & patterns[pattern].pattern) == 0)
        pattern++;
    return pattern;
}

static bool begin_first(struct course *course, const struct bench_contender *contender)
{
    unsigned pattern = first_pattern(contender);

    return course_begin(course, contender, patterns[pattern].pattern, 1, 1, 64, DEPTH, false);
}

static void a_channel_begins_again_under_its_name(void **state)
{
    struct course course;

    if (!begin_first(&course, contender_of(state)))
        fail_msg("begin() has failed");
    course_end(&course);
    for (unsigned round = 0; round < 2; round++) {
        memset(course.arena, 0, sizeof(*course.arena)); /* nobody is there */
        assert_true(course_begin_again(&course));
        course.messages = 200;
        course_start(&course);
        expect(course_await(&course), &course, "begun again");
        course_end(&course);
    }
    expect_nothing_left(&course);
}

static bool await_received(const struct course *course, uint64_t count)
{
    uint64_t until_ns = course_now_ns() + COURSE_TIMEOUT_NS;

    while (peal_u64_load_acquire(&course->arena->workers[1].received) < count) {
        if (course_now_ns() > until_ns || peal_u32_load_acquire(&course->arena->has_failed) != 0)
            return false;
        course_idle();
    }
    return true;
}

static void a_worker_killed_in_the_middle_leaves_nothing_behind(void **state)
{
    const struct bench_contender *contender = contender_of(state);
    uint32_t victims = contender->reach == BENCH_REACH_THREADS ? 1 : 2;

    for (uint32_t victim = 0; victim < victims; victim++) {
        struct course course;

        if (!begin_first(&course, contender))
            fail_msg("begin() has failed");
        course_start(&course);
        expect(await_received(&course, 100), &course, "before the kill");
        (void)kill(course.processes[victim], SIGKILL);
        course_kill(&course);
        course_end(&course);
        expect_nothing_left(&course);
    }
}

/* Kills whoever has become ours. */
static void kill_children(void)
{
    char path[64], text[1024] = "";
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    do {
        file = fopen(path, "r");
        assert_non_null(file);
        text[0] = '\0';
        char *next = fgets(text, sizeof(text), file);
        (void)fclose(file);
        for (long pid; next != NULL && (pid = strtol(next, &next, 10)) > 0;)
            (void)kill((pid_t)pid, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    } while (text[0] != '\0');
}

static void end_clears_away_what_a_killed_conductor_leaves(void **state)
{
    const struct bench_contender *contender = contender_of(state);
    struct course course = {0};
    unsigned pattern = first_pattern(contender);
    int fds[2];

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(fds), 0);
    (void)snprintf(course.name, sizeof(course.name), "peal-test-killed-%d", (int)getpid());
    pid_t conductor = fork();
    assert_true(conductor >= 0);
    if (conductor == 0) {
        if (!begin_first(&course, contender))
            _exit(1);
        course_start(&course);
        if (!await_received(&course, 100))
            _exit(1);
        (void)!write(fds[1], course.name, sizeof(course.name));
        for (;;)
            (void)pause();
    }
    (void)close(fds[1]);
    bool has_begun = read(fds[0], course.name, sizeof(course.name)) == sizeof(course.name);
    (void)close(fds[0]);
    (void)kill(conductor, SIGKILL);
    kill_children();
    assert_true(has_begun);
    course.contender = contender;
    course.channel = (struct bench_channel){.name = course.name,
                                            .size_bytes = 64,
                                            .depth = DEPTH,
                                            .senders = 1,
                                            .receivers = 1,
                                            .pattern = patterns[pattern].pattern};
    if (contender->end != NULL)
        contender->end(&course.channel);
    if (contender->rest != NULL)
        contender->rest();
    expect_nothing_left(&course);
}

static void rest_lets_go_what_was_kept(void **state)
{
    const struct bench_contender *contender = contender_of(state);
    struct course course;

    if (contender->rest == NULL)
        skip();
    for (unsigned round = 0; round < 2; round++) {
        if (!begin_first(&course, contender))
            fail_msg("begin() has failed");
        course.messages = 200;
        course_start(&course);
        expect(course_await(&course), &course, "after a rest");
        course_end(&course);
        contender->rest();
        if (course_has_children())
            fail_msg("%s: a process is still there after a rest", contender->name);
        expect_nothing_left(&course);
    }
}

/* ---- who is tested ---- */

static bool begins_with(const char *name, const char *prefix)
{
    for (; *prefix != '\0'; name++, prefix++) {
        char letter = isalnum((unsigned char)*name) ? (char)tolower((unsigned char)*name) : '_';
        if (letter != *prefix)
            return false;
    }
    return true;
}

static bool is_named(const struct bench_contender *contender, char *prefixes[], int count)
{
    for (int i = 0; i < count; i++) {
        if (begins_with(contender->name, prefixes[i]))
            return true;
    }
    return false;
}

static int cover(char *prefixes[], int count)
{
    int left_out = 0;

    for (unsigned i = 0; bench_contenders[i] != NULL; i++) {
        if (is_named(bench_contenders[i], prefixes, count))
            continue;
        (void)printf("no test names the contender '%s'\n", bench_contenders[i]->name);
        left_out++;
    }
    return left_out > 0;
}

#define CASE(function)                                                                             \
    {                                                                                              \
#function, function, NULL, NULL, (void *)(uintptr_t)contender                              \
    }

static int test_one(const struct bench_contender *contender)
{
    const struct CMUnitTest cases[] = {
        CASE(all_messages_come_whole_and_in_order),
        CASE(who_could_wait_and_only_looks_gets_each_message_once),
        CASE(long_messages_come_whole_and_in_order),
        CASE(a_full_one_takes_no_more_until_there_is_room),
        CASE(who_waits_is_woken_by_a_message),
        CASE(the_descriptor_tells_of_a_message),
        CASE(a_channel_begins_again_under_its_name),
        CASE(a_worker_killed_in_the_middle_leaves_nothing_behind),
        CASE(rest_lets_go_what_was_kept),
        CASE(end_clears_away_what_a_killed_conductor_leaves),
    };

    return cmocka_run_group_tests_name(contender->name, cases, NULL, NULL);
}

int main(int count, char *arguments[])
{
    char url[64];
    int failed = 0, found = 0;

    if (count > 1 && strcmp(arguments[1], "--cover") == 0)
        return cover(arguments + 2, count - 2);
    for (unsigned i = 0; bench_contenders[i] != NULL; i++) {
        if (!is_named(bench_contenders[i], arguments + 1, count - 1))
            continue;
        found++;
        failed += test_one(bench_contenders[i]);
    }
    (void)snprintf(url, sizeof(url), "posix:contenders-test-%d", (int)getpid());
    (void)peal_unlink(url);
    course_done();
    if (found == 0)
        (void)printf("there is no such contender in this build\n");
    return found == 0 ? SKIPPED : failed > 0;
}
