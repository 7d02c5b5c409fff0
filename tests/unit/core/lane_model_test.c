/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sequences of everything that a publisher and its readers can do, beside a model that knows
 * nothing of rings: a list of sizes, and for each reader where it began and what it has been told.
 */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MESSAGES_MAX 4096u
#define READERS 4u
#define BUFFER_BYTES 8192u

struct held {
    uint64_t number;
    const unsigned char *data;
    size_t size_bytes;
    bool in_ring;
};

struct model_reader {
    struct peal_lane_reader reader;
    struct peal_lane_reader_wish wish;
    bool joined;
    uint64_t expected;      /* the message that comes if nothing is lost */
    uint64_t delivered;     /* taken, and not elapsed */
    uint64_t lost;          /* as told: with messages, at release, and by checksums */
    uint64_t start;         /* its first message */
    uint64_t dropped_start; /* the publisher's drops when it came */
    struct held held[PEAL_LANE_HELD_MAX];
    unsigned held_count;
};

struct model {
    struct lane_fixture fixture;
    uint64_t seed;
    uint32_t sizes[MESSAGES_MAX];
    uint64_t dropped;
    struct model_reader readers[READERS];
    unsigned char *buffer;
};

static void take_all_once(struct model *model);

static void publish(struct model *model, size_t size)
{
    struct lane_fixture *fixture = &model->fixture;
    uint64_t number = fixture->writer.next;
    enum peal_status status;
    if (random_below(&model->seed, 2)) {
        status = lane_fixture_put(fixture, size);
    } else {
        void *data;
        status = peal_lane_reserve(&fixture->writer, size, &data);
        if (status == PEAL_OK && random_below(&model->seed, 8) == 0) {
            peal_lane_discard(&fixture->writer);
            return;
        }
        if (status == PEAL_OK) {
            size = random_below(&model->seed, (uint32_t)size + 1);
            content_fill(data, size, 0, number);
            peal_lane_commit(&fixture->writer, size, number * 10 + 1);
        }
    }
    if (status == PEAL_OK) {
        model->sizes[number] = (uint32_t)size;
        return;
    }
    assert_int_equal(status, PEAL_FULL);
    if (random_below(&model->seed, 2)) {
        peal_lane_drop(&fixture->writer);
        model->dropped++;
    }
}

static void publish_loans(struct model *model)
{
    struct lane_fixture *fixture = &model->fixture;
    void *data[8];
    unsigned count = 0, wanted = 1 + random_below(&model->seed, 8);
    size_t size = random_below(&model->seed, fixture->geometry.message_bytes_max + 1);
    uint64_t number = fixture->writer.next;
    bool at_once = peal_lane_fits_slot(&fixture->writer, size) && random_below(&model->seed, 2);
    if (at_once)
        count = (unsigned)peal_lane_reserve_batch(&fixture->writer, size, wanted, data);
    else
        while (count < wanted && peal_lane_reserve(&fixture->writer, size, &data[count]) == PEAL_OK)
            count++;
    for (unsigned i = 0; i < count; i++)
        content_fill(data[i], size, 0, number + i);
    if (random_below(&model->seed, 8) == 0) /* readers meet open loans, too */
        take_all_once(model);
    unsigned kept = random_below(&model->seed, count + 1);
    bool same_time = at_once && !(fixture->geometry.options & PEAL_LANE_TIMESTAMP);
    if (same_time)
        peal_lane_commit_batch(&fixture->writer, kept, 0);
    for (unsigned i = 0; i < kept; i++) {
        if (!same_time)
            peal_lane_commit(&fixture->writer, size, (number + i) * 10 + 1);
        model->sizes[number + i] = (uint32_t)size;
    }
    peal_lane_discard(&fixture->writer);
}

static void assert_message(struct model *model, struct model_reader *reader,
                           const struct peal_message *message)
{
    assert_true(message->number < model->fixture.writer.next);
    assert_int_equal(message->size_bytes, model->sizes[message->number]);
    assert_true(content_is(message->data, message->size_bytes, 0, message->number));
    assert_true(message->number >= reader->expected);
    uint64_t skipped = message->number - reader->expected;
    assert_true(message->lost >= skipped); /* the rest of it was dropped */
    if (reader->wish.latest)
        assert_true(message->number == model->fixture.writer.next - 1);
    if (reader->wish.reliable && !(model->fixture.geometry.options & PEAL_LANE_EVICT) &&
        reader->wish.history == 0)
        assert_true(skipped == 0);
    if (model->fixture.geometry.options & PEAL_LANE_TIMESTAMP)
        assert_true(message->timestamp_ns == message->number * 10 + 1);
    reader->lost += message->lost;
    reader->delivered++;
    reader->expected = message->number + 1;
}

static void take(struct model *model, struct model_reader *reader)
{
    struct peal_message message = {0};
    bool copies = random_below(&model->seed, 2);
    if (copies || reader->held_count == PEAL_LANE_HELD_MAX) {
        enum peal_status status = PEAL_AGAIN;
        if (random_below(&model->seed, 2))
            status =
                peal_lane_take_plain(&reader->reader, model->buffer, BUFFER_BYTES, true, &message);
        if (status == PEAL_AGAIN)
            status = peal_lane_take_copy(&reader->reader, model->buffer, BUFFER_BYTES, &message);
        if (status == PEAL_OK)
            assert_message(model, reader, &message);
        else
            assert_true(status == PEAL_EMPTY || status == PEAL_ELIMIT);
        return;
    }
    enum peal_status status = PEAL_AGAIN;
    if (random_below(&model->seed, 2))
        status = peal_lane_take_plain(&reader->reader, NULL, 0, false, &message);
    if (status == PEAL_AGAIN)
        status = peal_lane_take(&reader->reader, &message);
    if (status != PEAL_OK)
        return;
    assert_message(model, reader, &message);
    reader->held[reader->held_count++] = (struct held){
        .number = message.number,
        .data = message.data,
        .size_bytes = message.size_bytes,
        .in_ring = message.token & 1,
    };
}

static void take_all_once(struct model *model)
{
    for (unsigned i = 0; i < READERS; i++) {
        if (model->readers[i].joined)
            take(model, &model->readers[i]);
    }
}

static void release(struct model *model, struct model_reader *reader)
{
    if (!reader->held_count)
        return;
    unsigned pick = random_below(&model->seed, reader->held_count);
    struct held held = reader->held[pick];
    reader->held[pick] = reader->held[--reader->held_count];
    bool whole = content_is(held.data, held.size_bytes, 0, held.number);
    enum peal_status status = peal_lane_release(&reader->reader, held.number, held.in_ring);
    if (status == PEAL_OK) {
        assert_true(whole);
        return;
    }
    assert_int_equal(status, PEAL_ELAPPED);
    assert_false(reader->wish.reliable && reader->wish.history == 0 &&
                 !(model->fixture.geometry.options & PEAL_LANE_EVICT));
    reader->delivered--;
    reader->lost++;
}

static void join(struct model *model, struct model_reader *reader)
{
    uint32_t entry = (uint32_t)(reader - model->readers) * 5;
    uint64_t next = model->fixture.writer.next;
    *reader = (struct model_reader){.joined = true};
    reader->wish.reliable = random_below(&model->seed, 2);
    reader->wish.latest = !reader->wish.reliable && random_below(&model->seed, 3) == 0;
    reader->wish.history = random_below(&model->seed, 3) ? 0 : random_below(&model->seed, 20);
    assert_int_equal(lane_fixture_join(&model->fixture, &reader->reader, entry, reader->wish),
                     PEAL_OK);
    reader->start = peal_u64_load_relaxed(&reader->reader.cursor);
    assert_true(reader->start <= next && next - reader->start <= reader->wish.history);
    reader->expected = reader->start;
    reader->dropped_start = model->dropped;
}

/* Everything that was published since it came is delivered or reported. */
static void settle(struct model *model, struct model_reader *reader)
{
    if (!reader->joined)
        return;
    while (reader->held_count)
        release(model, reader);
    for (unsigned i = 0; i < 2 * model->fixture.geometry.depth + 2; i++) {
        take(model, reader);
        release(model, reader);
    }
    uint64_t known = peal_lane_reader_lost(&reader->reader);
    assert_true(peal_u64_load_relaxed(&reader->reader.cursor) == model->fixture.writer.next);
    uint64_t drops = model->dropped - reader->dropped_start;
    uint64_t published = model->fixture.writer.next - reader->start + drops;
    uint64_t told = reader->delivered + known;
    if (reader->wish.history == 0) {
        assert_true(told == published);
    } else { /* drops between messages of the history are told, too */
        assert_true(told >= published && told <= published + reader->dropped_start);
    }
    /* What is known and was not yet told: what was overrun or dropped after the last message. */
    uint64_t untold = known - reader->lost - (model->fixture.writer.next - reader->expected);
    assert_true(reader->lost + (model->fixture.writer.next - reader->expected) <= known);
    assert_true(untold <= drops + (reader->wish.history ? reader->dropped_start : 0));
    lane_fixture_leave(&model->fixture, (uint32_t)(reader - model->readers) * 5);
    reader->joined = false;
}

static void step(struct model *model)
{
    struct model_reader *reader = &model->readers[random_below(&model->seed, READERS)];
    switch (random_below(&model->seed, 16)) {
    case 0:
        if (reader->joined)
            settle(model, reader);
        else
            join(model, reader);
        break;
    case 1:
        publish_loans(model);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        publish(model, random_below(&model->seed, model->fixture.geometry.message_bytes_max + 1));
        break;
    case 6:
    case 7:
        if (reader->joined)
            (void)peal_lane_acknowledge(&reader->reader, true);
        break;
    case 8:
    case 9:
    case 10:
        if (reader->joined)
            release(model, reader);
        break;
    default:
        if (reader->joined)
            take(model, reader);
    }
}

static void run(uint64_t seed, uint32_t depth, uint32_t longest, uint64_t payload, uint32_t options)
{
    struct model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    model->seed = seed;
    model->buffer = malloc(BUFFER_BYTES);
    assert_non_null(model->buffer);
    assert_int_equal(lane_fixture_open(&model->fixture, depth, longest, payload, options), PEAL_OK);
    while (model->fixture.writer.next < MESSAGES_MAX - 64 && model->dropped < 100000)
        step(model);
    for (unsigned i = 0; i < READERS; i++)
        settle(model, &model->readers[i]);
    lane_fixture_close(&model->fixture);
    free(model->buffer);
    free(model);
}

static void messages_in_slots_agree_with_the_model(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (uint32_t depth = 2; depth <= 128; depth *= 2) {
        for (uint32_t options = 0; options < 8; options++)
            run(random_next(&seed), depth, 1 + random_below(&seed, 300), 0, options);
    }
}

static void messages_in_the_payload_ring_agree_with_the_model(void **state)
{
    (void)state;
    uint64_t seed = random_seed() + 1;
    for (uint32_t depth = 2; depth <= 128; depth *= 2) {
        for (uint32_t options = 0; options < 8; options++) {
            uint32_t longest = 65 + random_below(&seed, 1000);
            run(random_next(&seed), depth, longest, longest + random_below(&seed, 6000), options);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_slots_agree_with_the_model),
        cmocka_unit_test(messages_in_the_payload_ring_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
