/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/tests/wrong.h"

#include "bench/clock.h"
#include "bench/contest/floor_slots.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { WHEN = 50 };

#define MILLISECOND UINT64_C(1000000)

/* When the one stall comes: after all warming up of the tests. */
#define STALL_AFTER_NS (60 * MILLISECOND)

/* Each worker is a process with its own of these. */
static uint64_t calls;
static uint64_t first_ns;
static bool has_stalled;
static volatile sig_atomic_t is_sending;

static size_t drop_some(void *end, size_t count)
{
    return ++calls % 100 == 0 ? count : bench_slots_send(end, count);
}

/* Not given back, it comes again. */
static void release_not(void *end)
{
    struct bench_slots *slots = end;

    if (++calls == WHEN)
        slots->held = 0;
    bench_slots_release(end);
}

static size_t receive_swapped(void *end, struct bench_view views[], size_t max)
{
    size_t count = bench_slots_receive(end, views, max);

    if (count > 1) {
        struct bench_view first = views[0];
        views[0] = views[1];
        views[1] = first;
    }
    return count;
}

static size_t receive_spoilt(void *end, struct bench_view views[], size_t max)
{
    struct bench_slots *slots = end;
    size_t count = bench_slots_receive(end, views, max);

    /* Of each word it is seen within eight messages. */
    if (count > 0 && slots->number >= WHEN)
        ((unsigned char *)bench_slots_payload(slots, slots->number))[slots->size_bytes - 1] ^= 1;
    return count;
}

static size_t receive_short(void *end, struct bench_view views[], size_t max)
{
    size_t count = bench_slots_receive(end, views, max);

    if (count > 0 && ++calls == WHEN)
        views[0].size_bytes -= 8;
    return count;
}

static size_t receive_missing(void *end, struct bench_view views[], size_t max)
{
    struct bench_slots *slots = end;
    size_t count = bench_slots_receive(end, views, max);

    if (count > 0 && slots->copies != NULL && ++calls % WHEN == 0) {
        bench_slots_release(end);
        return bench_slots_receive(end, views, max);
    }
    return count;
}

/* So few that no receiver is lapped, though the sender sees the cursor of the fastest only. */
static size_t prepare_few(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct bench_slots *slots = end;

    return slots->number >= slots->depth / 2 ? 0
                                             : bench_slots_prepare(end, places, size_bytes, count);
}

static void *open_numbered(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct bench_slots *slots = bench_slots_open(channel, sends, index);

    if (!sends && index > 0)
        slots->copies = bench_slots_open(channel, sends, index); /* a mark: the second receiver */
    return slots;
}

static size_t receive_never(void *end, struct bench_view views[], size_t max)
{
    size_t count = bench_slots_receive(end, views, max);

    if (count > 0 && ++calls == WHEN) {
        for (;;)
            (void)usleep(1000);
    }
    return count;
}

static size_t receive_dying(void *end, struct bench_view views[], size_t max)
{
    size_t count = bench_slots_receive(end, views, max);

    if (count > 0 && ++calls == WHEN)
        bench_contender_die("a call has failed");
    return count;
}

static void *open_not(const struct bench_channel *channel, bool sends, uint32_t index)
{
    (void)channel;
    (void)sends;
    (void)index;
    bench_contender_die("no end is to be had");
}

static bool begin_not(struct bench_channel *channel)
{
    (void)channel;
    return false;
}

static size_t prepare_nothing(void *end, void *places[], size_t size_bytes, size_t count)
{
    (void)end;
    (void)places;
    (void)size_bytes;
    (void)count;
    return 0;
}

static size_t send_stalling(void *end, size_t count)
{
    uint64_t now_ns = bench_clock_ns();

    if (first_ns == 0)
        first_ns = now_ns;
    if (!has_stalled && now_ns - first_ns > STALL_AFTER_NS) {
        has_stalled = true;
        bench_clock_spin(BENCH_WRONG_STALL_MS * MILLISECOND);
    }
    return bench_slots_send(end, count);
}

/* Between two sends, as the scheduler would: if it comes within one, a little later. */
static void hold_up(int signal_number)
{
    struct itimerval again = {.it_value = {.tv_usec = 200}};

    (void)signal_number;
    if (is_sending)
        (void)setitimer(ITIMER_REAL, &again, NULL);
    else
        bench_clock_spin(BENCH_WRONG_STALL_MS * MILLISECOND);
}

static void *open_held_up(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct itimerval once = {.it_value = {.tv_usec = (suseconds_t)(STALL_AFTER_NS / 1000)}};

    if (sends) {
        (void)signal(SIGALRM, hold_up);
        (void)setitimer(ITIMER_REAL, &once, NULL);
    }
    return bench_slots_open(channel, sends, index);
}

static size_t prepare_marked(void *end, void *places[], size_t size_bytes, size_t count)
{
    is_sending = 1;
    return bench_slots_prepare(end, places, size_bytes, count);
}

static size_t send_marked(void *end, size_t count)
{
    size_t sent = bench_slots_send(end, count);

    is_sending = 0;
    return sent;
}

#define SLOTS(a_name, ...)                                                                         \
    {                                                                                              \
        .name = a_name, .has_batches = true, .memory_bytes = bench_slots_memory_bytes,             \
        .close = bench_slots_close, __VA_ARGS__                                                    \
    }
#define ENDS                                                                                       \
    .patterns = BENCH_PATTERN_PAIR, .open = bench_slots_open, .release = bench_slots_release
#define SENDS .prepare = bench_slots_prepare, .send = bench_slots_send

const struct bench_contender bench_wrong_drops =
    SLOTS("drops", ENDS, .prepare = bench_slots_prepare, .send = drop_some,
          .receive = bench_slots_receive);
const struct bench_contender bench_wrong_lossy =
    SLOTS("lossy", ENDS, .prepare = bench_slots_prepare, .send = drop_some,
          .receive = bench_slots_receive, .loses = true);
const struct bench_contender bench_wrong_repeats =
    SLOTS("repeats", SENDS, .patterns = BENCH_PATTERN_PAIR, .open = bench_slots_open,
          .receive = bench_slots_receive, .release = release_not);
const struct bench_contender bench_wrong_reorders =
    SLOTS("reorders", ENDS, SENDS, .receive = receive_swapped);
const struct bench_contender bench_wrong_spoils =
    SLOTS("spoils", ENDS, SENDS, .receive = receive_spoilt);
const struct bench_contender bench_wrong_shortens =
    SLOTS("shortens", ENDS, SENDS, .receive = receive_short);
const struct bench_contender bench_wrong_copies = SLOTS(
    "copies", .patterns = BENCH_PATTERN_QUEUE, .open = bench_slots_open, .prepare = prepare_few,
    .send = bench_slots_send, .receive = bench_slots_receive, .release = bench_slots_release);
const struct bench_contender bench_wrong_misses = SLOTS(
    "misses", .patterns = BENCH_PATTERN_FAN_OUT, .open = open_numbered, .prepare = prepare_few,
    .send = bench_slots_send, .receive = receive_missing, .release = bench_slots_release);
const struct bench_contender bench_wrong_hangs =
    SLOTS("hangs", ENDS, SENDS, .receive = receive_never, .can_be_wedged = true);
const struct bench_contender bench_wrong_dies =
    SLOTS("dies", ENDS, SENDS, .receive = receive_dying);
const struct bench_contender bench_wrong_opens =
    SLOTS("opens", SENDS, .patterns = BENCH_PATTERN_PAIR, .open = open_not,
          .receive = bench_slots_receive);
const struct bench_contender bench_wrong_begins =
    SLOTS("begins", ENDS, SENDS, .receive = bench_slots_receive, .begin = begin_not);
const struct bench_contender bench_wrong_silent =
    SLOTS("silent", ENDS, .prepare = prepare_nothing, .send = bench_slots_send,
          .receive = bench_slots_receive);
const struct bench_contender bench_slow_once =
    SLOTS("stalls", ENDS, .prepare = bench_slots_prepare, .send = send_stalling,
          .receive = bench_slots_receive);
const struct bench_contender bench_slow_between = SLOTS(
    "held up", .patterns = BENCH_PATTERN_PAIR, .open = open_held_up, .prepare = prepare_marked,
    .send = send_marked, .receive = bench_slots_receive, .release = bench_slots_release);
