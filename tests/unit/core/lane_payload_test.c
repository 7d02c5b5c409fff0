/* SPDX-License-Identifier: Apache-2.0 */
/* Messages beyond a slot: the payload ring. */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN(fixture, ...) assert_int_equal(lane_fixture_open(fixture, __VA_ARGS__), PEAL_OK)
#define JOIN(fixture, reader, entry, wish)                                                         \
    assert_int_equal(lane_fixture_join(fixture, reader, entry, wish), PEAL_OK)
#define PUT(fixture, size) assert_int_equal(lane_fixture_put(fixture, size), PEAL_OK)

static enum peal_status take_copy(struct peal_lane_reader *reader, struct peal_message *message)
{
    static unsigned char buffer[1u << 16];
    return peal_lane_take_copy(reader, buffer, sizeof(buffer), message);
}

static uint64_t drain(struct peal_lane_reader *reader, uint64_t from)
{
    struct peal_message message;
    uint64_t taken = 0;
    while (take_copy(reader, &message) == PEAL_OK) {
        assert_true(message.number == from + message.lost);
        assert_true(content_is(message.data, message.size_bytes, 0, message.number));
        from = message.number + 1;
        taken++;
    }
    return taken;
}

static void every_size_up_to_the_whole_ring_comes_through(void **state)
{
    (void)state;
    for (uint32_t options = 0; options < 4; options++) {
        struct lane_fixture fixture;
        struct peal_lane_reader copying, in_place;
        OPEN(&fixture, 4, 1000, 1000, options);
        assert_true(fixture.geometry.payload_bytes == 1024);
        JOIN(&fixture, &copying, 0, LANE_RELIABLE);
        JOIN(&fixture, &in_place, 1, LANE_RELIABLE);
        for (uint32_t size = 0; size <= 1000; size++) {
            PUT(&fixture, size);
            struct peal_message message;
            assert_int_equal(take_copy(&copying, &message), PEAL_OK);
            assert_int_equal(message.size_bytes, size);
            assert_true(message.lost == 0 && message.number == size);
            assert_true(content_is(message.data, size, 0, size));
            assert_int_equal(peal_lane_take(&in_place, &message), PEAL_OK);
            assert_int_equal(message.size_bytes, size);
            assert_true(message.timestamp_ns ==
                        (options & PEAL_LANE_TIMESTAMP ? size * 10 + 1 : 0));
            assert_int_equal(message.token & 1, size > fixture.geometry.inline_bytes_max);
            if (message.token & 1)
                assert_int_equal((uintptr_t)message.data % 64, 0);
            assert_true(content_is(message.data, size, 0, size));
            assert_int_equal(peal_lane_release(&in_place, message.token >> 1, message.token & 1),
                             PEAL_OK);
            (void)peal_lane_acknowledge(&copying, true);
            (void)peal_lane_acknowledge(&in_place, true);
        }
        assert_int_equal(lane_fixture_put(&fixture, 1001), PEAL_EMSGSIZE);
        lane_fixture_close(&fixture);
    }
}

static void a_message_as_long_as_the_ring_waits_until_all_others_are_read(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 1024, 1024, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    for (uint64_t round = 0; round < 50; round++) {
        PUT(&fixture, 100);
        assert_int_equal(lane_fixture_put(&fixture, 1024), PEAL_FULL);
        assert_true(drain(&reader, 2 * round) == 1);
        (void)peal_lane_acknowledge(&reader, true);
        PUT(&fixture, 1024);
        assert_int_equal(lane_fixture_put(&fixture, 100), PEAL_FULL);
        assert_true(drain(&reader, 2 * round + 1) == 1);
        (void)peal_lane_acknowledge(&reader, true);
    }
    assert_true(reader.lost == 0);
    lane_fixture_close(&fixture);
}

/* Nothing unread is overwritten however little of the ring of slots is used. */
static void the_payload_ring_gates_before_the_slots_do(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 64, 256, 1024, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    for (uint64_t round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 4; i++)
            PUT(&fixture, 256);
        assert_int_equal(lane_fixture_put(&fixture, 256), PEAL_FULL);
        assert_int_equal(lane_fixture_put(&fixture, 49), PEAL_FULL);
        PUT(&fixture, 48); /* fits in its slot */
        assert_true(drain(&reader, 5 * round) == 5);
        assert_true(reader.lost == 0);
        (void)peal_lane_acknowledge(&reader, true);
    }
    lane_fixture_close(&fixture);
}

static void a_gate_computed_when_all_was_read_still_shuts(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 64, 256, 512, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    unsigned accepted = 0;
    while (accepted < 10 && lane_fixture_put(&fixture, 256) == PEAL_OK)
        accepted++;
    assert_int_equal(accepted, 2);
    assert_true(drain(&reader, 0) == 2);
    assert_true(reader.lost == 0);
    lane_fixture_close(&fixture);
}

static void a_message_does_not_wrap_but_skips_to_the_start(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 640, 1024, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    PUT(&fixture, 640); /* 0..639 */
    assert_true(drain(&reader, 0) == 1);
    (void)peal_lane_acknowledge(&reader, true);
    PUT(&fixture, 640); /* 1024..1663, that is again 0..639 */
    assert_true(fixture.writer.payload_next == 1664);
    struct peal_message message;
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
    assert_ptr_equal(message.data, fixture.writer.payload);
    PUT(&fixture, 384); /* just fits behind */
    assert_true(fixture.writer.payload_next == 2048);
    assert_int_equal(lane_fixture_put(&fixture, 64), PEAL_FULL);
    assert_int_equal(peal_lane_release(&reader, 1, true), PEAL_OK);
    (void)peal_lane_acknowledge(&reader, true);
    PUT(&fixture, 640);
    assert_int_equal(lane_fixture_put(&fixture, 64), PEAL_FULL);
    assert_true(drain(&reader, 2) == 2);
    lane_fixture_close(&fixture);
}

/* Where in the payload ring the next message of 20000 bytes comes to lie. */
static size_t put_where(struct lane_fixture *fixture)
{
    uint64_t number = fixture->writer.next;
    PUT(fixture, 20000);
    return (size_t)(fixture->starts[number & fixture->writer.mask] %
                    fixture->geometry.payload_bytes);
}

static void read_all(struct peal_lane_reader *reader, uint64_t from, uint64_t count)
{
    assert_true(drain(reader, from) == count);
    (void)peal_lane_acknowledge(reader, true);
}

static void a_warm_ring_begins_anew_as_soon_as_its_beginning_is_free(void **state)
{
    (void)state;
    const size_t room = 20032;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 20000, 10 * room, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    fixture.writer.payload_warm_bytes = 1;
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(put_where(&fixture), 0);
        read_all(&reader, i, 1);
    }
    /* One unread: beside it. That one read: back, though the next is unread; now there is no more. */
    assert_int_equal(put_where(&fixture), 0);
    assert_int_equal(put_where(&fixture), room);
    struct peal_message message;
    assert_int_equal(take_copy(&reader, &message), PEAL_OK);
    (void)peal_lane_acknowledge(&reader, true);
    assert_int_equal(put_where(&fixture), 0);
    assert_int_equal(lane_fixture_put(&fixture, 20000), PEAL_FULL);
    read_all(&reader, 21, 2);
    assert_int_equal(put_where(&fixture), 0);
    read_all(&reader, 23, 1);
    assert_true(reader.lost == 0);
    lane_fixture_close(&fixture);
}

static void a_warm_ring_uses_as_much_of_itself_as_it_was_given(void **state)
{
    (void)state;
    const size_t room = 20032;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 20000, 10 * room, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    fixture.writer.payload_warm_bytes = 3 * room;
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(put_where(&fixture), i % 3 * room);
        read_all(&reader, i, 1);
    }
    /* It is not begun anew before as much is free: who falls behind has that. */
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(put_where(&fixture), (i + 2) % 10 * room);
    struct peal_message message;
    assert_int_equal(take_copy(&reader, &message), PEAL_OK);
    (void)peal_lane_acknowledge(&reader, true);
    assert_int_equal(put_where(&fixture), 0);
    for (uint64_t i = 1; i < 3; i++)
        assert_int_equal(put_where(&fixture), i * room);
    assert_int_equal(lane_fixture_put(&fixture, 20000), PEAL_FULL);
    lane_fixture_close(&fixture);
}

static void a_warm_ring_is_used_in_full_while_somebody_reads_unprotected(void **state)
{
    (void)state;
    const size_t room = 20032;
    struct lane_fixture fixture;
    struct peal_lane_reader reader, other;
    OPEN(&fixture, 16, 20000, 10 * room, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    JOIN(&fixture, &other, 1, LANE_BEST_EFFORT);
    fixture.writer.payload_warm_bytes = 1;
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(put_where(&fixture), i % 10 * room);
        read_all(&reader, i, 1);
    }
    lane_fixture_leave(&fixture, 1);
    assert_int_equal(put_where(&fixture), 0);
    read_all(&reader, 20, 1);
    assert_int_equal(put_where(&fixture), 0);
    lane_fixture_close(&fixture);
}

/* Two loans at once: the second does not come to lie on the first. */
static void loans_in_a_warm_ring_do_not_overlap(void **state)
{
    (void)state;
    const size_t room = 20032;
    struct lane_fixture fixture;
    void *data[3];
    OPEN(&fixture, 16, 20000, 10 * room, 0);
    fixture.writer.payload_warm_bytes = 1;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(peal_lane_reserve(&fixture.writer, 20000, &data[i]), PEAL_OK);
        assert_ptr_equal(data[i], fixture.writer.payload + i * room);
    }
    lane_fixture_close(&fixture);
}

static void random_sizes_reach_a_reliable_reader_of_a_warm_ring_whole(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned run = 0; run < 40; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        uint32_t depth = 2u << random_below(&seed, 6);
        uint32_t longest = 65 + random_below(&seed, 40000);
        OPEN(&fixture, depth, longest, longest + random_below(&seed, 200000), run % 4);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        fixture.writer.payload_warm_bytes = 1 + random_below(&seed, 100000);
        uint64_t from = 0;
        for (unsigned i = 0; i < 1000; i++) {
            size_t size = random_below(&seed, longest + 1);
            enum peal_status status = lane_fixture_put(&fixture, size);
            struct peal_message message;
            if (status == PEAL_OK && random_below(&seed, 2))
                continue;
            assert_true(status == PEAL_OK || status == PEAL_FULL);
            if (random_below(&seed, 2) == 0 && take_copy(&reader, &message) == PEAL_OK) {
                assert_true(message.number == from && message.lost == 0);
                assert_true(content_is(message.data, message.size_bytes, 0, message.number));
                from++;
            } else {
                from += drain(&reader, from);
                assert_true(from == fixture.writer.next);
            }
            (void)peal_lane_acknowledge(&reader, true);
        }
        from += drain(&reader, from);
        assert_true(from == fixture.writer.next && reader.lost == 0);
        lane_fixture_close(&fixture);
    }
}

static void random_sizes_reach_a_reliable_reader_whole(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned run = 0; run < 40; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        uint32_t depth = 2u << random_below(&seed, 6);
        uint32_t longest = 65 + random_below(&seed, 2000);
        OPEN(&fixture, depth, longest, longest + random_below(&seed, 4000), run % 4);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        uint64_t from = 0;
        for (unsigned i = 0; i < 2000; i++) {
            size_t size = random_below(&seed, longest + 1);
            enum peal_status status = lane_fixture_put(&fixture, size);
            if (status == PEAL_OK && random_below(&seed, 3))
                continue;
            assert_true(status == PEAL_OK || status == PEAL_FULL);
            from += drain(&reader, from);
            assert_true(from == fixture.writer.next && reader.lost == 0);
            (void)peal_lane_acknowledge(&reader, true);
            if (status == PEAL_FULL)
                PUT(&fixture, size); /* all is read: there is room for anything */
        }
        lane_fixture_close(&fixture);
    }
}

static void best_effort_loses_exactly_what_was_overwritten(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned run = 0; run < 100; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        uint32_t depth = 2u << random_below(&seed, 6);
        OPEN(&fixture, depth, 500, 500 + random_below(&seed, 4000), run % 4);
        JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
        uint64_t taken = 0, lost = 0;
        for (unsigned i = 0; i < 300; i++) {
            unsigned burst = random_below(&seed, 3 * depth);
            for (unsigned put = 0; put < burst; put++)
                PUT(&fixture, random_below(&seed, 501));
            struct peal_message message;
            while (take_copy(&reader, &message) == PEAL_OK) {
                assert_true(message.number == taken + lost + message.lost);
                assert_true(content_is(message.data, message.size_bytes, 0, message.number));
                lost += message.lost;
                taken++;
            }
            assert_true(taken + lost + reader.lost_pending == fixture.writer.next);
        }
        assert_true(taken > 100 && lost > 0);
        lane_fixture_close(&fixture);
    }
}

static void a_message_whose_payload_was_overwritten_in_place_elapses(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message held[4];
    OPEN(&fixture, 64, 256, 1024, 0); /* many slots, room for four payloads */
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    for (unsigned i = 0; i < 4; i++) {
        PUT(&fixture, 256);
        assert_int_equal(peal_lane_take(&reader, &held[i]), PEAL_OK);
    }
    PUT(&fixture, 256); /* over the first */
    PUT(&fixture, 8);   /* over none */
    assert_int_equal(peal_lane_release(&reader, held[0].number, true), PEAL_ELAPPED);
    for (unsigned i = 1; i < 4; i++) {
        assert_true(content_is(held[i].data, 256, 0, i));
        assert_int_equal(peal_lane_release(&reader, held[i].number, true), PEAL_OK);
    }
    assert_true(drain(&reader, 4) == 2);
    assert_true(reader.delivered == 5 && reader.lost == 1);
    lane_fixture_close(&fixture);
}

static void a_loan_in_the_ring_may_shrink_and_be_given_back(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 1024, 2048, PEAL_LANE_CRC32C);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    uint64_t seed = random_seed(), from = 0;
    for (unsigned i = 0; i < 2000; i++) {
        void *data;
        size_t loaned = random_below(&seed, 1025);
        enum peal_status status = peal_lane_reserve(&fixture.writer, loaned, &data);
        if (status == PEAL_FULL) {
            from += drain(&reader, from);
            (void)peal_lane_acknowledge(&reader, true);
            continue;
        }
        assert_int_equal(status, PEAL_OK);
        uint64_t after = fixture.writer.payload_next;
        if (random_below(&seed, 4) == 0) {
            memset(data, 0xdd, loaned);
            peal_lane_discard(&fixture.writer);
            size_t room = loaned > fixture.geometry.inline_bytes_max ? (loaned + 63) / 64 * 64 : 0;
            assert_true(fixture.writer.payload_next == after - room);
            continue;
        }
        size_t size = random_below(&seed, (uint32_t)loaned + 1);
        content_fill(data, size, 0, fixture.writer.next);
        peal_lane_commit(&fixture.writer, size, 0);
    }
    from += drain(&reader, from);
    assert_true(from == fixture.writer.next && reader.lost == 0 && reader.spoilt == 0);
    lane_fixture_close(&fixture);
}

static void a_batch_of_loans_never_overlaps_itself(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned run = 0; run < 300; run++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, 32, 512, 512 + random_below(&seed, 3000), 0);
        bool evict = run % 2;
        JOIN(&fixture, &reader, 0, evict ? LANE_BEST_EFFORT : LANE_RELIABLE);
        uint64_t from = 0;
        for (unsigned round = 0; round < 20; round++) {
            void *data[32];
            unsigned count = 0, wanted = 1 + random_below(&seed, 32);
            size_t size = 49 + random_below(&seed, 464);
            while (count < wanted &&
                   peal_lane_reserve(&fixture.writer, size, &data[count]) == PEAL_OK) {
                content_fill(data[count], size, 0, fixture.writer.next + count);
                count++;
            }
            assert_true(count > 0 || !evict);
            unsigned kept = random_below(&seed, count + 1);
            for (unsigned i = 0; i < kept; i++)
                peal_lane_commit(&fixture.writer, size, 0);
            peal_lane_discard(&fixture.writer);
            uint64_t taken = drain(&reader, from);
            assert_true(taken == kept && reader.lost == 0);
            from += taken;
            (void)peal_lane_acknowledge(&reader, true);
        }
        lane_fixture_close(&fixture);
    }
}

/* The late one asks for a message whose slot, and place in the ring, were on loan meanwhile. */
static void a_late_reader_of_lost_messages_does_not_open_the_gate(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader, late;
    OPEN(&fixture, 16, 128, 1024, 0); /* room for eight */
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    uint64_t from = 0;
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned put = 0; put < 8; put++)
            PUT(&fixture, 128);
        from += drain(&reader, from);
        (void)peal_lane_acknowledge(&reader, true);
    }
    for (unsigned put = 0; put < 6; put++)
        PUT(&fixture, 128);
    void *data;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(peal_lane_reserve(&fixture.writer, 30, &data), PEAL_OK);
    peal_lane_discard(&fixture.writer);
    JOIN(&fixture, &late, 1, ((struct peal_lane_reader_wish){.reliable = true, .history = 13}));
    while (lane_fixture_put(&fixture, 128) == PEAL_OK)
        assert_true(fixture.writer.next < 100);
    assert_true(drain(&reader, from) == fixture.writer.next - from);
    assert_true(reader.lost == 0);
    lane_fixture_close(&fixture);
}

static void with_nobody_gating_a_publisher_is_never_refused(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned run = 0; run < 100; run++) {
        struct lane_fixture fixture;
        uint32_t options = run % 2 ? PEAL_LANE_EVICT : 0;
        OPEN(&fixture, 16, 900, 900 + random_below(&seed, 1000), options);
        if (options) {
            lane_fixture_subscribe(&fixture, 0, true);
            lane_fixture_tag(&fixture, 0, 0);
        }
        for (unsigned i = 0; i < 200; i++)
            PUT(&fixture, random_below(&seed, 901));
        lane_fixture_close(&fixture);
    }
}

static void a_frame_of_16_mebibytes_comes_through(void **state)
{
    (void)state;
    const size_t size = 16u << 20;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 4, (uint32_t)size, 2 * (uint64_t)size, PEAL_LANE_CRC32C);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    for (unsigned i = 0; i < 3; i++) {
        void *data;
        struct peal_message message;
        assert_int_equal(peal_lane_reserve(&fixture.writer, size, &data), PEAL_OK);
        memset(data, (int)i + 1, size);
        peal_lane_commit(&fixture.writer, size, 0);
        assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
        assert_int_equal(message.size_bytes, size);
        const unsigned char *bytes = message.data;
        assert_int_equal(bytes[0], i + 1);
        assert_int_equal(memcmp(bytes, bytes + 1, size - 1), 0);
        assert_int_equal(peal_lane_release(&reader, message.number, true), PEAL_OK);
        (void)peal_lane_acknowledge(&reader, true);
    }
    lane_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_up_to_the_whole_ring_comes_through),
        cmocka_unit_test(a_message_as_long_as_the_ring_waits_until_all_others_are_read),
        cmocka_unit_test(the_payload_ring_gates_before_the_slots_do),
        cmocka_unit_test(a_gate_computed_when_all_was_read_still_shuts),
        cmocka_unit_test(a_message_does_not_wrap_but_skips_to_the_start),
        cmocka_unit_test(a_warm_ring_begins_anew_as_soon_as_its_beginning_is_free),
        cmocka_unit_test(a_warm_ring_uses_as_much_of_itself_as_it_was_given),
        cmocka_unit_test(a_warm_ring_is_used_in_full_while_somebody_reads_unprotected),
        cmocka_unit_test(loans_in_a_warm_ring_do_not_overlap),
        cmocka_unit_test(random_sizes_reach_a_reliable_reader_of_a_warm_ring_whole),
        cmocka_unit_test(random_sizes_reach_a_reliable_reader_whole),
        cmocka_unit_test(best_effort_loses_exactly_what_was_overwritten),
        cmocka_unit_test(a_message_whose_payload_was_overwritten_in_place_elapses),
        cmocka_unit_test(a_loan_in_the_ring_may_shrink_and_be_given_back),
        cmocka_unit_test(a_batch_of_loans_never_overlaps_itself),
        cmocka_unit_test(a_late_reader_of_lost_messages_does_not_open_the_gate),
        cmocka_unit_test(with_nobody_gating_a_publisher_is_never_refused),
        cmocka_unit_test(a_frame_of_16_mebibytes_comes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
