/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane whose memory a peer fills with lies, between calls and during them. Whatever is in it: no
 * access out of bounds (AddressSanitizer guards the ends of the lane), no endless loop, no abort.
 */
#include "tests/support/lane_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN(fixture, ...) assert_int_equal(lane_fixture_open(fixture, __VA_ARGS__), PEAL_OK)
#define JOIN(fixture, reader, entry, wish)                                                         \
    assert_int_equal(lane_fixture_join(fixture, reader, entry, wish), PEAL_OK)
#define PUT(fixture, size) assert_int_equal(lane_fixture_put(fixture, size), PEAL_OK)
#define BUFFER_BYTES 4096u

/* Looks at a slot's words from the front: what a peer may write and what must come of it. */
static enum peal_status take_from(uint64_t stamp, uint32_t length, uint32_t kind, uint64_t body,
                                  uint32_t payload)
{
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message = {0};
    unsigned char *buffer = malloc(BUFFER_BYTES);
    assert_non_null(buffer);
    OPEN(&fixture, 8, payload ? payload : 48, payload, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    for (unsigned i = 0; i < 3; i++) {
        PUT(&fixture, 8);
        assert_int_equal(peal_lane_take_copy(&reader, buffer, BUFFER_BYTES, &message), PEAL_OK);
    }
    struct peal_slot_shared *slot = lane_fixture_slot(&fixture, 3);
    peal_u32_store_relaxed(&slot->length, length);
    peal_u32_store_relaxed(&slot->kind, kind);
    peal_u64_store_relaxed(&slot->body[0], body);
    peal_u64_store_relaxed(&slot->stamp, stamp);
    enum peal_status status = peal_lane_take_copy(&reader, buffer, BUFFER_BYTES, &message);
    assert_int_equal(status == PEAL_ECORRUPT, reader.corrupt);
    free(buffer);
    lane_fixture_close(&fixture);
    return status;
}

static void impossible_slots_are_corrupt_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(take_from(8, 48, 0, 0, 0), PEAL_OK); /* message 3 as it should be */
    assert_int_equal(take_from(8, 49, 0, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, UINT32_MAX, 0, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 8, PEAL_SLOT_RING, 0, 0), PEAL_ECORRUPT); /* there is none */
    assert_int_equal(take_from(8, 8, 2, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 8, 0xff, 0, 0), PEAL_ECORRUPT);
    /* Stamps: of the past, of messages that belong in other slots, of the far future. */
    for (uint64_t stamp = 0; stamp < 8; stamp++)
        assert_int_equal(take_from(stamp, 8, 0, 0, 0), PEAL_EMPTY);
    for (uint64_t stamp = 9; stamp < 23; stamp++)
        assert_int_equal(take_from(stamp, 8, 0, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(UINT64_MAX, 8, 0, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(UINT64_MAX - 1, 8, 0, 0, 0), PEAL_ECORRUPT);
    assert_int_equal(take_from(1ull << 63, 8, 0, 0, 0), PEAL_ECORRUPT);
    /* One turn on: the message is lost, the ring holds nothing else that is new. */
    assert_int_equal(take_from(23, 8, 0, 0, 0), PEAL_EMPTY);
    assert_int_equal(take_from(24, 8, 0, 0, 0), PEAL_EMPTY);
}

static void positions_outside_the_payload_ring_are_corrupt(void **state)
{
    (void)state;
    const uint32_t ring = 1024;
    assert_int_equal(take_from(8, 1024, PEAL_SLOT_RING, 0, ring), PEAL_OK);
    assert_int_equal(take_from(8, 64, PEAL_SLOT_RING, 960, ring), PEAL_OK);
    assert_int_equal(take_from(8, 64, PEAL_SLOT_RING, 7 * 1024 + 960, ring), PEAL_OK);
    assert_int_equal(take_from(8, 65, PEAL_SLOT_RING, 960, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 1024, PEAL_SLOT_RING, 64, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 1025, PEAL_SLOT_RING, 0, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 8, PEAL_SLOT_RING, 1, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 8, PEAL_SLOT_RING, UINT64_MAX, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, UINT32_MAX, PEAL_SLOT_RING, 0, ring), PEAL_ECORRUPT);
    assert_int_equal(take_from(8, 49, PEAL_SLOT_INLINE, 0, ring), PEAL_ECORRUPT);
}

/* One of everything a reader can do; what it answers is not the point. */
static void read_somehow(struct peal_lane_reader *reader, uint64_t *seed, unsigned char *buffer)
{
    struct peal_message message = {0};
    switch (random_below(seed, 5)) {
    case 0:
        if (peal_lane_take(reader, &message) == PEAL_OK) {
            assert_true(message.size_bytes <= reader->geometry.message_bytes_max);
            /* Only inside the lane; a sanitizer looks at both ends. */
            const unsigned char *bytes = message.data;
            if (message.size_bytes)
                peal_copy_out(buffer, (const peal_u64 *)(const void *)bytes, message.size_bytes);
            if (random_below(seed, 4))
                (void)peal_lane_release(reader, message.token >> 1, message.token & 1);
        }
        break;
    case 1:
        (void)peal_lane_release(reader, random_next(seed) >> random_below(seed, 64),
                                random_below(seed, 2));
        break;
    case 2:
        (void)peal_lane_reader_ready(reader);
        (void)peal_lane_reader_lost(reader);
        (void)peal_lane_acknowledge(reader, true);
        break;
    default:
        if (peal_lane_take_copy(reader, buffer, BUFFER_BYTES, &message) == PEAL_OK)
            assert_true(message.size_bytes <= reader->geometry.message_bytes_max);
    }
}

/* Words that are likely to get far: small numbers, near the truth, near the ends. */
static uint64_t lie(uint64_t *seed, uint64_t truth)
{
    switch (random_below(seed, 6)) {
    case 0:
        return random_next(seed);
    case 1:
        return random_next(seed) >> random_below(seed, 64);
    case 2:
        return truth + random_below(seed, 9) - 4;
    case 3:
        return truth + (uint64_t)random_below(seed, 64) * 16;
    case 4:
        return (1ull << 63) + random_below(seed, 64) - 32;
    default:
        return 0 - (uint64_t)random_below(seed, 64);
    }
}

/* Overwrites some words of the lane. `from`: so that the geometry may be spared. */
static void spoil(struct lane_fixture *fixture, uint64_t *seed, size_t from, unsigned count)
{
    peal_u64 *words = (peal_u64 *)(void *)fixture->lane;
    size_t total = (size_t)fixture->geometry.size_bytes / 8;
    size_t slots = PEAL_LANE_SLOTS_OFFSET / 8;
    for (; count; count--) {
        size_t index = random_below(seed, 2)
                           ? from + (size_t)(random_next(seed) % (total - from))
                           : slots + (size_t)(random_next(seed) % (total - slots));
        peal_u64_store_relaxed(&words[index], lie(seed, peal_u64_load_relaxed(&words[index])));
    }
}

static void lane_of_run(struct lane_fixture *fixture, unsigned run)
{
    static const uint32_t sizes[][3] = {
        {2, 48, 0}, {8, 48, 0}, {16, 400, 0}, {4, 900, 1000}, {64, 300, 600}, {8, 4000, 4096},
    };
    const uint32_t *size = sizes[run % 6];
    OPEN(fixture, size[0], size[1], size[2], run / 6 % 4);
}

static void random_words_between_calls_harm_no_reader(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    unsigned char *buffer = malloc(BUFFER_BYTES);
    assert_non_null(buffer);
    for (unsigned run = 0; run < 4000; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        lane_of_run(&fixture, run);
        for (unsigned i = random_below(&seed, 40); i; i--)
            PUT(&fixture, random_below(&seed, fixture.geometry.message_bytes_max + 1));
        struct peal_lane_reader_wish wish = {
            .reliable = run % 2,
            .latest = run % 8 == 6,
            .invited = run % 4 == 1,
            .history = random_below(&seed, 20),
        };
        if (run % 3 == 0) /* what is there when we come is spoilt, too */
            spoil(&fixture, &seed, 256 / 8, 20);
        JOIN(&fixture, &reader, run % 32, wish);
        for (unsigned i = 0; i < 60; i++) {
            spoil(&fixture, &seed, 0, random_below(&seed, 6));
            read_somehow(&reader, &seed, buffer);
        }
        lane_fixture_close(&fixture);
    }
    free(buffer);
}

static void cursors_near_the_end_of_numbers_harm_nobody(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    unsigned char *buffer = malloc(BUFFER_BYTES);
    assert_non_null(buffer);
    for (unsigned run = 0; run < 4000; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        lane_of_run(&fixture, run);
        uint64_t base = (run % 2 ? 1ull << 63 : 1ull << 62) - 8 * fixture.geometry.depth;
        base += random_below(&seed, 16 * fixture.geometry.depth);
        for (uint64_t number = base; number < base + fixture.geometry.depth; number++)
            peal_u64_store_relaxed(&lane_fixture_slot(&fixture, number)->stamp, 2 * number + 2);
        JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.history = run % 5}));
        for (unsigned i = 0; i < 100; i++) {
            if (i % 7 == 0)
                spoil(&fixture, &seed, PEAL_LANE_SLOTS_OFFSET / 8, 1);
            read_somehow(&reader, &seed, buffer);
        }
        lane_fixture_close(&fixture);
    }
    free(buffer);
}

/* The publisher reads of the lane only acknowledgement lines, and of the topic its subscribers. */
static void lying_subscribers_harm_no_publisher(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    unsigned char *bytes = calloc(1, BUFFER_BYTES);
    assert_non_null(bytes);
    for (unsigned run = 0; run < 2000; run++) {
        struct lane_fixture fixture;
        lane_of_run(&fixture, run);
        uint64_t published = 0;
        for (unsigned i = 0; i < 200; i++) {
            spoil(&fixture, &seed, 0, random_below(&seed, 4));
            uint32_t entry = random_below(&seed, 32);
            uint64_t word = lane_fixture_word(entry, PEAL_SUBSCRIBER_ACTIVE);
            peal_u64_store_relaxed(&fixture.topic->subscribers[entry],
                                   random_below(&seed, 2) ? word : lie(&seed, word));
            peal_u64_store_relaxed(&fixture.topic->subscriber_flags[entry], lie(&seed, 1));
            peal_u64_store_relaxed(&fixture.lane->readers[entry].tag, word);
            peal_u64_store_relaxed(&fixture.lane->readers[entry].cursor, lie(&seed, published));
            peal_u64_store_relaxed(&fixture.topic->subscriber_epoch, random_next(&seed));
            size_t size = random_below(&seed, fixture.geometry.message_bytes_max + 1);
            void *data;
            enum peal_status status;
            if (random_below(&seed, 2)) {
                status = peal_lane_put(&fixture.writer, bytes, size, 1);
            } else {
                status = peal_lane_reserve(&fixture.writer, size, &data);
                if (status == PEAL_OK) {
                    memset(data, 1, size);
                    peal_lane_commit(&fixture.writer, size, 1);
                }
            }
            assert_true(status == PEAL_OK || status == PEAL_FULL);
            published += status == PEAL_OK;
            assert_true(fixture.writer.next == published);
            assert_true(fixture.writer.limit <= published + fixture.geometry.depth);
        }
        lane_fixture_close(&fixture);
    }
    free(bytes);
}

struct vandal {
    struct lane_fixture *fixture;
    uint64_t seed;
    peal_u32 stop;
};

static void *vandalise(void *argument)
{
    struct vandal *vandal = argument;
    while (!peal_u32_load_acquire(&vandal->stop))
        spoil(vandal->fixture, &vandal->seed, 0, 16);
    return NULL;
}

static void a_peer_that_writes_random_words_all_the_time_harms_nobody(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    unsigned char *buffer = malloc(BUFFER_BYTES);
    assert_non_null(buffer);
    for (unsigned run = 0; run < 12; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        lane_of_run(&fixture, run); /* timestamps only: a checksum in place would be a plain read */
        JOIN(&fixture, &reader, 0, (run % 2 ? LANE_RELIABLE : LANE_BEST_EFFORT));
        struct vandal vandal = {.fixture = &fixture, .seed = random_next(&seed)};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, vandalise, &vandal), 0);
        for (unsigned i = 0; i < 4000; i++) {
            (void)lane_fixture_put(&fixture,
                                   random_below(&seed, fixture.geometry.message_bytes_max + 1));
            read_somehow(&reader, &seed, buffer);
        }
        peal_u32_store_release(&vandal.stop, 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        lane_fixture_close(&fixture);
    }
    free(buffer);
}

static void what_a_call_may_cost_is_bounded(void **state)
{
    (void)state;
    /* The worst lie: each slot is always exactly one turn ahead of the reader. */
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message;
    OPEN(&fixture, 8, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    unsigned char buffer[64];
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t cursor = peal_u64_load_relaxed(&reader.cursor);
        for (uint64_t number = cursor; number < cursor + 8; number++)
            peal_u64_store_relaxed(&lane_fixture_slot(&fixture, number)->stamp,
                                   2 * (number + 8 * (100 + i)) + 1);
        uint64_t before = peal_u64_load_relaxed(&reader.cursor);
        (void)peal_lane_take_copy(&reader, buffer, sizeof(buffer), &message);
        assert_true(reader.delivered == 0);
        assert_true(reader.lost == peal_u64_load_relaxed(&reader.cursor));
        assert_true(peal_u64_load_relaxed(&reader.cursor) >= before);
    }
    lane_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_slots_are_corrupt_and_nothing_else),
        cmocka_unit_test(positions_outside_the_payload_ring_are_corrupt),
        cmocka_unit_test(random_words_between_calls_harm_no_reader),
        cmocka_unit_test(cursors_near_the_end_of_numbers_harm_nobody),
        cmocka_unit_test(lying_subscribers_harm_no_publisher),
        cmocka_unit_test(a_peer_that_writes_random_words_all_the_time_harms_nobody),
        cmocka_unit_test(what_a_call_may_cost_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
