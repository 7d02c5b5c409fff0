/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One publisher and three readers of a lane at full speed, in threads (for ThreadSanitizer) and in
 * processes: a reliable one, a best-effort one that is lapped again and again, and one that comes and
 * goes. The seed is printed; PEAL_TEST_SEED repeats a run.
 */
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define RUN_NS UINT64_C(120000000)
#define MESSAGES_MIN 500u
#define DEADLINE_NS UINT64_C(60000000000)
#define BATCH_MAX 16u
#define BUFFER_BYTES 4096u

enum role { PUBLISHER, RELIABLE, BEST_EFFORT, VISITOR, ROLES };

/* In memory that all sides share. */
struct shared_run {
    peal_u64 ready;    /* readers that have begun */
    peal_u64 finished; /* 1: published and dropped are final */
    peal_u64 published;
    peal_u64 dropped;
    peal_u64 delivered[ROLES];
};

struct run {
    struct lane_fixture fixture;
    struct shared_run *shared;
    size_t lane_bytes;
    uint64_t seed;
    enum role role; /* of this copy */
};

/* What a failing check says; the sides run outside of the test framework's reach. */
static bool fails(const struct run *run, const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "role %d: %s (%" PRIu64 ", %" PRIu64 ")\n", (int)run->role, what, a, b);
    return false;
}

/* The size of a message follows from its number, so that a reader can tell. */
static size_t size_of(const struct run *run, uint64_t number)
{
    uint64_t hash = number + run->seed;
    return (size_t)(random_next(&hash) % (run->fixture.geometry.message_bytes_max + 1));
}

/* Loans are written by words: a best-effort reader may be copying the same bytes. */
static void fill(const struct run *run, void *data, size_t size_bytes, uint64_t number)
{
    unsigned char bytes[BUFFER_BYTES];
    content_fill(bytes, size_bytes, run->seed, number);
    peal_copy_in(data, bytes, size_bytes);
}

static bool publish_batch(struct run *run, uint64_t *seed)
{
    struct peal_lane_writer *writer = &run->fixture.writer;
    void *data[BATCH_MAX];
    size_t longest = writer->geometry.inline_bytes_max < writer->geometry.message_bytes_max
                         ? writer->geometry.inline_bytes_max
                         : writer->geometry.message_bytes_max;
    size_t count =
        peal_lane_reserve_batch(writer, longest, 1 + random_below(seed, BATCH_MAX), data);
    size_t kept = 0;
    /* Committed one by one: each message has a size of its own. */
    while (kept < count && size_of(run, writer->next) <= longest) {
        size_t size = size_of(run, writer->next);
        fill(run, data[kept++], size, writer->next);
        peal_lane_commit(writer, size, 1);
    }
    peal_lane_discard(writer);
    return kept != 0;
}

static bool publish_some(struct run *run, uint64_t *seed)
{
    struct peal_lane_writer *writer = &run->fixture.writer;
    uint64_t number = writer->next;
    size_t size = size_of(run, number);
    unsigned char bytes[BUFFER_BYTES];
    void *data;
    switch (random_below(seed, 8)) {
    case 0:
        if (peal_lane_reserve(writer, size, &data) != PEAL_OK)
            return false;
        fill(run, data, size, number);
        if (random_below(seed, 3) == 0)
            peal_lane_discard(writer);
        else
            peal_lane_commit(writer, size, 1);
        return true;
    case 1:
        return publish_batch(run, seed);
    default:
        content_fill(bytes, size, run->seed, number);
        return peal_lane_put(writer, bytes, size, 1) == PEAL_OK;
    }
}

static bool publish(struct run *run)
{
    uint64_t seed = run->seed + PUBLISHER;
    struct peal_lane_writer *writer = &run->fixture.writer;
    while (peal_u64_load_acquire(&run->shared->ready) < 2)
        (void)sched_yield();
    const uint64_t begin_ns = test_now_ns();
    for (;;) {
        uint64_t age_ns = test_now_ns() - begin_ns;
        if (age_ns > DEADLINE_NS)
            return fails(run, "no room any more", writer->next, writer->limit);
        /* On a busy machine time alone does not say that there was much to see. */
        if (age_ns > RUN_NS && writer->next >= MESSAGES_MIN)
            break;
        if (publish_some(run, &seed))
            continue;
        if (random_below(&seed, 4) == 0)
            peal_lane_drop(writer);
        (void)sched_yield();
    }
    peal_u64_store_relaxed(&run->shared->published, writer->next);
    peal_u64_store_relaxed(&run->shared->dropped, writer->dropped);
    peal_u64_store_release(&run->shared->finished, 1);
    return true;
}

/* Takes one message in any way. EMPTY, OK, ELAPPED, or CLOSED if something is wrong. */
static enum peal_status take_one(struct run *run, struct peal_lane_reader *reader, uint64_t *seed,
                                 struct peal_message *message)
{
    unsigned char bytes[BUFFER_BYTES];
    enum peal_status status = PEAL_AGAIN;
    bool plain = random_below(seed, 2);
    /* A checksum in place is a plain read, which only a protected message can bear. */
    bool copies = random_below(seed, 2) ||
                  (reader->safe_from == UINT64_MAX && reader->geometry.options & PEAL_LANE_CRC32C);
    if (plain)
        status = peal_lane_take_plain(reader, bytes, sizeof(bytes), copies, message);
    if (status == PEAL_AGAIN)
        status = copies ? peal_lane_take_copy(reader, bytes, sizeof(bytes), message)
                        : peal_lane_take(reader, message);
    if (status == PEAL_EMPTY)
        return status;
    if (status != PEAL_OK) {
        fails(run, "take answered", status, message->number);
        return PEAL_CLOSED;
    }
    size_t size = message->size_bytes;
    if (!copies) {
        if (size > sizeof(bytes))
            return PEAL_CLOSED;
        peal_copy_out(bytes, message->data, size);
        if (peal_lane_release(reader, message->token >> 1, message->token & 1) != PEAL_OK)
            return PEAL_ELAPPED;
    }
    if (size != size_of(run, message->number) ||
        !content_is(bytes, size, run->seed, message->number)) {
        fails(run, "wrong content of message", message->number, size);
        return PEAL_CLOSED;
    }
    return PEAL_OK;
}

static bool ends(const struct run *run, const struct peal_lane_reader *reader)
{
    return peal_u64_load_acquire(&run->shared->finished) &&
           peal_u64_load_relaxed(&reader->cursor) == peal_u64_load_relaxed(&run->shared->published);
}

/* Reads on until `most` messages were taken or the publisher has ended. */
static bool read_on(struct run *run, struct peal_lane_reader *reader, uint64_t *seed, uint64_t most)
{
    uint64_t deadline_ns = test_now_ns() + DEADLINE_NS;
    uint64_t expected = peal_u64_load_relaxed(&reader->cursor);
    uint64_t delivered = 0, lost = 0, elapsed = 0;
    bool protected_now = reader->safe_from != UINT64_MAX;
    while (!ends(run, reader) && delivered < most) {
        struct peal_message message = {0};
        enum peal_status status = take_one(run, reader, seed, &message);
        if (peal_lane_owes(reader, status == PEAL_EMPTY))
            (void)peal_lane_acknowledge(reader, true);
        if (status == PEAL_EMPTY) {
            if (test_now_ns() > deadline_ns)
                return fails(run, "nothing comes after", expected, delivered);
            (void)sched_yield();
            continue;
        }
        if (status == PEAL_CLOSED)
            return false;
        if (status == PEAL_ELAPPED && protected_now)
            return fails(run, "a protected message elapsed", message.number, 0);
        if (message.number < expected || message.lost < message.number - expected)
            return fails(run, "order or loss of message", message.number, expected);
        if (protected_now && message.number != expected)
            return fails(run, "a reliable reader lost", message.number, expected);
        expected = message.number + 1;
        delivered += status == PEAL_OK;
        elapsed += status == PEAL_ELAPPED;
        lost += message.lost;
        if (run->role == BEST_EFFORT && random_below(seed, 256) == 0)
            (void)sched_yield(); /* to be lapped */
    }
    (void)peal_lane_acknowledge(reader, true);
    if (delivered != reader->delivered || lost + reader->lost_pending + elapsed != reader->lost)
        return fails(run, "counters differ", reader->delivered, reader->lost);
    (void)peal_u64_add_relaxed(&run->shared->delivered[run->role], delivered);
    return true;
}

/* A reader that was there from the start: published = delivered + lost. */
static bool read_all(struct run *run)
{
    uint64_t seed = run->seed + run->role;
    struct peal_lane_reader reader;
    struct peal_lane_reader_wish wish = {.reliable = run->role == RELIABLE, .invited = true};
    if (lane_fixture_join(&run->fixture, &reader, (uint32_t)run->role, wish) != PEAL_OK)
        return false;
    (void)peal_u64_add_acq_rel(&run->shared->ready, 1);
    if (!read_on(run, &reader, &seed, UINT64_MAX))
        return false;
    uint64_t published = peal_u64_load_relaxed(&run->shared->published) +
                         peal_u64_load_relaxed(&run->shared->dropped);
    uint64_t told = reader.delivered + peal_lane_reader_lost(&reader);
    return told == published || fails(run, "published is not delivered + lost", published, told);
}

static bool visit(struct run *run)
{
    uint64_t seed = run->seed + run->role;
    while (!peal_u64_load_acquire(&run->shared->finished)) {
        struct peal_lane_reader reader;
        struct peal_lane_reader_wish wish = {.reliable = random_below(&seed, 2)};
        if (!wish.reliable)
            wish.history = random_below(&seed, 8);
        if (lane_fixture_join(&run->fixture, &reader, (uint32_t)run->role, wish) != PEAL_OK)
            return fails(run, "join", 0, 0);
        if (!read_on(run, &reader, &seed, random_below(&seed, 2000)))
            return false;
        lane_fixture_leave(&run->fixture, (uint32_t)run->role);
    }
    return true;
}

static bool play(struct run *run)
{
    switch (run->role) {
    case PUBLISHER:
        return publish(run);
    case VISITOR:
        return visit(run);
    default:
        return read_all(run);
    }
}

static void *play_in_thread(void *argument)
{
    return play(argument) ? argument : NULL;
}

static int play_in_child(struct child_link *link, void *argument)
{
    (void)link;
    return play(argument) ? 0 : 1;
}

static void *map_shared(size_t size_bytes)
{
    void *memory =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

struct shape {
    uint32_t depth;
    uint32_t message_bytes_max;
    uint32_t payload_bytes;
    uint32_t options;
};

static const struct shape shapes[] = {
    {1024, 48, 0, 0},
    {16, 48, 0, PEAL_LANE_TIMESTAMP},
    {4, 200, 0, PEAL_LANE_CRC32C},
    {64, 2000, 0, 0},
    {64, 1000, 4000, PEAL_LANE_CRC32C},
    {8, 3000, 3000, 0},
    {256, 100, 1000, PEAL_LANE_EVICT},
    {8, 48, 0, PEAL_LANE_EVICT},
};

static void run_open(struct run *run, const struct shape *shape, uint64_t seed)
{
    memset(run, 0, sizeof(*run));
    struct lane_fixture *fixture = &run->fixture;
    assert_int_equal(peal_lane_geometry_make(&fixture->geometry, shape->depth,
                                             shape->message_bytes_max, shape->payload_bytes,
                                             shape->options),
                     PEAL_OK);
    run->seed = seed;
    run->lane_bytes = (size_t)fixture->geometry.size_bytes;
    fixture->topic = map_shared(sizeof(*fixture->topic));
    fixture->lane = map_shared(run->lane_bytes);
    run->shared = map_shared(sizeof(*run->shared));
    size_t starts_bytes = peal_lane_writer_starts_bytes(&fixture->geometry);
    fixture->starts = starts_bytes ? lane_fixture_zeroed(starts_bytes) : NULL;
    peal_lane_geometry_store(&fixture->geometry, LANE_FIXTURE_INCARNATION, "stress", fixture->lane);
    peal_lane_writer_init(&fixture->writer, &fixture->geometry, fixture->lane, fixture->topic,
                          fixture->starts);
}

static void run_close(struct run *run)
{
    (void)munmap(run->fixture.topic, sizeof(*run->fixture.topic));
    (void)munmap(run->fixture.lane, run->lane_bytes);
    (void)munmap(run->shared, sizeof(*run->shared));
    free(run->fixture.starts);
}

static void assert_all_read(const struct run *run)
{
    assert_true(peal_u64_load_relaxed(&run->shared->published) >= MESSAGES_MIN);
    for (enum role role = RELIABLE; role < ROLES; role++)
        assert_true(peal_u64_load_relaxed(&run->shared->delivered[role]) > 0);
}

static void threads_lose_nothing_silently(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (size_t shape = 0; shape < sizeof(shapes) / sizeof(shapes[0]); shape++) {
        struct run run, copies[ROLES];
        pthread_t threads[ROLES];
        run_open(&run, &shapes[shape], random_next(&seed));
        for (enum role role = PUBLISHER; role < ROLES; role++) {
            copies[role] = run;
            copies[role].role = role;
            assert_int_equal(pthread_create(&threads[role], NULL, play_in_thread, &copies[role]),
                             0);
        }
        for (enum role role = PUBLISHER; role < ROLES; role++) {
            void *result = NULL;
            assert_int_equal(pthread_join(threads[role], &result), 0);
            assert_ptr_equal(result, &copies[role]);
        }
        assert_all_read(&run);
        run_close(&run);
    }
}

static void processes_lose_nothing_silently(void **state)
{
    (void)state;
    uint64_t seed = random_seed() + 1;
    for (size_t shape = 0; shape < sizeof(shapes) / sizeof(shapes[0]); shape++) {
        struct run run, copies[ROLES];
        struct child children[ROLES];
        run_open(&run, &shapes[shape], random_next(&seed));
        for (enum role role = PUBLISHER; role < ROLES; role++) {
            copies[role] = run;
            copies[role].role = role;
            assert_true(child_start(&children[role], play_in_child, &copies[role]));
        }
        for (enum role role = PUBLISHER; role < ROLES; role++)
            assert_int_equal(child_reap(&children[role]), 0);
        assert_all_read(&run);
        run_close(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_lose_nothing_silently),
        cmocka_unit_test(processes_lose_nothing_silently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
