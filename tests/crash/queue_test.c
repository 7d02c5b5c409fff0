/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer, a consumer or a recoverer of a queue dies at every single fault point; before that, at
 * any earlier one of its points, the others took their turn. Afterwards each message is accounted for:
 * delivered once, or redelivered with a flag, or counted as dropped; and nothing is left of the dead.
 * Death is a longjmp out of the fault point, never to come back.
 */
#include "core/queue_consumer.h"

#include "core/audit.h"
#include "core/client.h"
#include "core/fault.h"
#include "core/recover.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NUMBERS_MAX 512u
#define NAMES_MAX 128u
#define DEPTH 4u

enum { WITNESS = 2, MORTAL = 1, SECOND = 4 };

/* ---- death ---- */

static struct {
    unsigned death; /* countdowns in fault points; 0: never */
    unsigned turn;
    bool is_others_turn;
    jmp_buf grave;
    const char *where;
    unsigned number; /* for messages */
    unsigned turn_number;
    const char *seen[NAMES_MAX];
    unsigned seen_count;
} fate;

static void others_turn(void);

static void meet_fate(const char *point)
{
    if (fate.is_others_turn)
        return;
    if (fate.turn && --fate.turn == 0) {
        fate.is_others_turn = true;
        others_turn();
        fate.is_others_turn = false;
    }
    if (fate.death == 0 || --fate.death != 0)
        return;
    bool is_known = false;
    for (unsigned i = 0; i < fate.seen_count && !is_known; i++)
        is_known = strcmp(fate.seen[i], point) == 0;
    if (!is_known && fate.seen_count < NAMES_MAX)
        fate.seen[fate.seen_count++] = point;
    fate.where = point;
    longjmp(fate.grave, 1);
}

/* ---- the book of messages ---- */

static struct {
    uint64_t next;    /* number of the next message, of whoever pushes */
    uint64_t attempt; /* first and end of the numbers of a push that has not returned */
    uint64_t attempt_end;
    bool pushed[NUMBERS_MAX];       /* a push of it returned OK */
    unsigned char got[NUMBERS_MAX]; /* how often somebody was done with it */
    unsigned char again[NUMBERS_MAX];
    uint64_t held[8]; /* what the mortal has claimed and is not done with, as far as it knows */
    unsigned held_count;

} book;

static uint64_t number_of(const struct peal_queue_batch *batch, uint32_t i)
{
    const void *data = NULL;
    size_t size_bytes = 0;
    uint64_t number = 0;
    assert_true(peal_queue_batch_message(batch, i, &data, &size_bytes));
    assert_int_equal(size_bytes, sizeof(number));
    memcpy(&number, data, sizeof(number));
    assert_true(number < book.next);
    return number;
}

static enum peal_status push(struct peal_queue_producer *producer, size_t count)
{
    uint64_t numbers[4];
    size_t pushed = 0;
    book.attempt = book.next;
    for (size_t i = 0; i < count; i++)
        numbers[i] = book.next++;
    book.attempt_end = book.next;
    enum peal_status status;
    if (count == 1) {
        status = peal_queue_producer_push(producer, numbers, sizeof(numbers[0]));
        pushed = status == PEAL_OK;
    } else {
        status =
            peal_queue_producer_push_batch(producer, numbers, sizeof(numbers[0]), count, &pushed);
    }
    for (size_t i = 0; i < (status == PEAL_OK ? count : pushed); i++)
        book.pushed[numbers[i]] = true;
    book.attempt = book.attempt_end = 0;
    return status;
}

static void note(uint64_t number, bool is_redelivered)
{
    assert_true(is_redelivered || book.got[number] == 0);
    book.got[number]++;
    book.again[number] += is_redelivered;
}

static enum peal_status pop(struct peal_queue_consumer *consumer, uint32_t wanted)
{
    struct peal_queue_batch batch;
    enum peal_status status = peal_queue_consumer_take(consumer, wanted, &batch);
    if (status != PEAL_OK)
        return status;
    for (uint32_t i = 0; i < batch.range.count; i++)
        note(number_of(&batch, i), batch.is_redelivered);
    peal_queue_consumer_finish(consumer, &batch);
    return PEAL_OK;
}

/* ---- who lives on ---- */

static struct region_rig rig;
static struct peal_queue_wish wish;
static const struct peal_topic_type jobs = {.queue = &wish};

static struct {
    struct peal_region region;
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    struct peal_queue_consumer consumer;
    struct peal_queue_batch held; /* count 0: none */
} witness;

static struct peal_region mortal;
static struct peal_region second;

static void witness_push(size_t count)
{
    uint64_t attempt = book.attempt;
    uint64_t attempt_end = book.attempt_end;
    (void)push(&witness.producer, count);
    book.attempt = attempt;
    book.attempt_end = attempt_end;
}

/* Takes a message, and is done with it only after the death. */
static void others_turn(void)
{
    if (peal_queue_consumer_take(&witness.consumer, 1, &witness.held) != PEAL_OK)
        witness.held.range.count = 0;
    witness_push(1);
}

static void witness_finish(void)
{
    if (witness.held.range.count == 0)
        return;
    note(number_of(&witness.held, 0), witness.held.is_redelivered);
    peal_queue_consumer_finish(&witness.consumer, &witness.held);
    witness.held.range.count = 0;
}

static void witness_begin(void)
{
    memset(&book, 0, sizeof(book));
    witness.held.range.count = 0;
    rig_join(&rig, WITNESS, &witness.region);
    assert_int_equal(peal_queue_consumer_open(&witness.consumer, &witness.region, "jobs", &jobs),
                     PEAL_OK);
    assert_int_equal(peal_queue_producer_open(&witness.producer, &witness.place, &witness.region,
                                              "jobs", &jobs, DEPTH, PEAL_QUEUE_REFUSE),
                     PEAL_OK);
    witness_push(3);
}

/* ---- who dies ---- */

static void die_as_producer(enum peal_queue_full_action action)
{
    static struct peal_queue_producer producer;
    static struct peal_lane_place place;
    if (peal_queue_producer_open(&producer, &place, &mortal, "jobs", &jobs, DEPTH, action) !=
        PEAL_OK)
        return;
    for (unsigned i = 0; i < 6; i++)
        (void)push(&producer, 1);
    (void)push(&producer, 3);

    peal_queue_producer_close(&mortal, &place);
}

static void refuse_and_die(void)
{
    die_as_producer(PEAL_QUEUE_REFUSE);
}

static void drop_newest_and_die(void)
{
    die_as_producer(PEAL_QUEUE_DROP_NEWEST);
}

static void drop_oldest_and_die(void)
{
    die_as_producer(PEAL_QUEUE_DROP_OLDEST);
}

static void consume_and_die(void)
{
    static struct peal_queue_consumer consumer;
    if (peal_queue_consumer_open(&consumer, &mortal, "jobs", &jobs) != PEAL_OK)
        return;
    for (unsigned i = 0; i < 4; i++) {
        struct peal_queue_batch batch;
        if (peal_queue_consumer_take(&consumer, 2, &batch) == PEAL_OK) {
            book.held_count = 0;
            for (uint32_t k = 0; k < batch.range.count; k++)
                book.held[book.held_count++] = number_of(&batch, k);
            if (i < 3)
                peal_queue_consumer_finish(&consumer, &batch);
            for (uint32_t k = 0; i < 3 && k < book.held_count; k++)
                note(book.held[k], batch.is_redelivered);
            if (i < 3)
                book.held_count = 0;
        }
        fate.is_others_turn = true;
        witness_push(1);
        fate.is_others_turn = false;
    }
    peal_queue_consumer_close(&consumer); /* with a batch that it is not done with */
    book.held_count = 0;
}

/* Another consumer has died with messages in its hands; the mortal clears up behind it. */
static void recover_and_die(void)
{
    (void)peal_recover(&mortal);
    struct peal_queue_consumer consumer;
    if (peal_queue_consumer_open(&consumer, &mortal, "jobs", &jobs) != PEAL_OK)
        return;
    for (unsigned i = 0; i < 12; i++) {
        struct peal_queue_batch batch;
        if (peal_queue_consumer_take(&consumer, 1, &batch) != PEAL_OK)
            continue;
        book.held[0] = number_of(&batch, 0);
        book.held_count = 1;
        peal_queue_consumer_finish(&consumer, &batch);
        note(book.held[0], batch.is_redelivered);
        book.held_count = 0;
    }
    peal_queue_consumer_close(&consumer);
}

static void leave_something_for_recovery(void)
{
    static struct peal_queue_consumer consumer;
    static struct peal_queue_producer producer;
    static struct peal_lane_place place;
    struct peal_queue_batch batch;
    rig_join(&rig, SECOND, &second);
    assert_int_equal(peal_queue_consumer_open(&consumer, &second, "jobs", &jobs), PEAL_OK);
    assert_int_equal(peal_queue_producer_open(&producer, &place, &second, "jobs", &jobs, DEPTH,
                                              PEAL_QUEUE_REFUSE),
                     PEAL_OK);
    (void)push(&producer, 2);
    assert_int_equal(peal_queue_consumer_take(&consumer, 2, &batch), PEAL_OK);
    assert_int_equal(batch.range.count, 2);
    rig_kill(&rig, SECOND);
}

static bool live_until(void (*life)(void), unsigned death, unsigned turn)
{
    fate.death = death;
    fate.turn = turn;
    fate.number = death;
    fate.turn_number = turn;
    fate.where = "nowhere";
    fate.is_others_turn = false;
    bool has_died = true;
    if (setjmp(fate.grave) == 0) {
        life();
        has_died = false;
    }
    fate.death = fate.turn = 0;
    fate.is_others_turn = false;
    return has_died;
}

/* ---- the account ---- */

static uint64_t lost_in_lanes(void)
{
    /* The figures of lanes that have ended are in the queue's entry, those of others in the lanes. */
    const struct peal_topic_shared *topic = &witness.region.topics[witness.place.topic];
    uint64_t lost = peal_u64_load_relaxed(&topic->queue.lost);
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        lost += peal_u64_load_relaxed(&witness.producer.lane->readers[i].lost);
    return lost;
}

/* Everything that was pushed has been had, as often as it may; `lost` messages may lack. */
static void settle_the_account(void)
{
    const struct peal_topic_shared *topic = &witness.region.topics[witness.place.topic];
    (void)peal_recover(&witness.region);
    witness_finish();
    for (unsigned i = 0; i < 64; i++)
        (void)pop(&witness.consumer, 3);
    assert_int_equal(pop(&witness.consumer, 1), PEAL_EMPTY);
    uint64_t lacking = 0;
    for (uint64_t i = 0; i < book.next; i++) {
        bool is_attempt = i >= book.attempt && i < book.attempt_end;
        assert_true(book.got[i] - book.again[i] <= 1);
        if (book.pushed[i] && book.got[i] == 0) {
            bool is_held = false;
            for (unsigned k = 0; k < book.held_count; k++)
                is_held = is_held || book.held[k] == i;
            /* Its consumer died just after it was done. */
            if (is_held && strcmp(fate.where, "queue.finished") == 0)
                continue;
            if (is_held && strcmp(fate.where, "queue.redelivered") == 0)
                continue;
            lacking++;
        }
        if (!book.pushed[i] && !is_attempt)
            assert_int_equal(book.got[i], 0);
    }
    uint64_t counted = lost_in_lanes() + peal_u64_load_relaxed(&topic->queue.dropped_oldest) +
                       peal_u64_load_relaxed(&topic->queue.dropped_newest);
    uint64_t unsure = book.attempt_end - book.attempt;
    /* A message that was dropped while its push had not returned is counted and not lacking. */
    if (lacking > counted || counted > lacking + unsure)
        fail_msg(
            "%u messages lack and %u are counted, after death %u at %s, the others' turn at %u",
            (unsigned)lacking, (unsigned)counted, fate.number, fate.where, fate.turn_number);
}

/* The region's own account finds nothing that does not fit. */
static void assert_audit_is_clean(void)
{
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    assert_int_equal(peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit),
                     PEAL_OK);
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++) {
        if (audit.findings[i])
            fail_msg("%s, after a death at %s", audit.first, fate.where);
    }
}

/* The witness goes on as if nothing had been; then it ends too. */
static void witness_end(void)
{
    for (unsigned i = 0; i < 3 * DEPTH; i++) {
        assert_int_equal(push(&witness.producer, 1), PEAL_OK);
        assert_int_equal(pop(&witness.consumer, 1), PEAL_OK);
    }
    assert_int_equal(rig_count(&witness.region).subscribers, 1);
    assert_int_equal(rig_count(&witness.region).lanes, 1);
    peal_queue_producer_close(&witness.region, &witness.place);
    peal_queue_consumer_close(&witness.consumer);
    rig_assert_empty(&witness.region, 1);
}

/* All deaths of one life, each with the others' turn at several points before it. */
static void all_deaths(void (*prologue)(void), void (*life)(void), uint32_t options,
                       unsigned deaths_least)
{
    wish = (struct peal_queue_wish){
        .kind = PEAL_TOPIC_IS_QUEUE, .options = options, .message_bytes_max = 8};
    bool may_die = true;
    unsigned death = 1;
    for (; may_die; death++) {
        may_die = false;
        for (unsigned turn = 0; turn <= death; turn++) {
            rig_open(&rig, 64, 2, death);
            witness_begin();
            if (prologue)
                prologue();
            rig_join(&rig, MORTAL, &mortal);
            may_die |= live_until(life, death, turn);
            rig_kill(&rig, MORTAL);
            settle_the_account();
            assert_audit_is_clean();
            witness_end();
            rig_close(&rig);
        }
    }
    if (death <= deaths_least)
        fail_msg("only %u deaths", death);
}

static void no_message_is_lost_when_a_producer_dies(void **state)
{
    (void)state;
    all_deaths(NULL, refuse_and_die, 0, 20);
    all_deaths(NULL, drop_newest_and_die, 0, 20);
    all_deaths(NULL, refuse_and_die, PEAL_QUEUE_STRICT, 20);
}

static void what_a_dead_producer_dropped_is_counted(void **state)
{
    (void)state;
    all_deaths(NULL, drop_oldest_and_die, 0, 40);
    all_deaths(NULL, drop_oldest_and_die, PEAL_QUEUE_STRICT, 40);
}

static void no_message_is_lost_when_a_consumer_dies(void **state)
{
    (void)state;
    all_deaths(NULL, consume_and_die, 0, 20);
    all_deaths(NULL, consume_and_die, PEAL_QUEUE_STRICT, 20);
}

static void what_a_dead_consumer_held_is_counted_once_where_it_is_dropped(void **state)
{
    (void)state;
    all_deaths(NULL, consume_and_die, PEAL_QUEUE_DROPS_HELD, 20);
}

static void no_message_is_lost_when_a_recoverer_dies(void **state)
{
    (void)state;
    all_deaths(leave_something_for_recovery, recover_and_die, 0, 50);
    all_deaths(leave_something_for_recovery, recover_and_die, PEAL_QUEUE_DROPS_HELD, 30);
}

/* ---- what comes between two steps of a strict queue's consumer ---- */

static struct {
    struct peal_region region;
    struct peal_queue_producer producers[2];
    struct peal_lane_place places[2];
    unsigned countdown; /* looks at heads before the others push */
    bool opens;         /* the first of the two is opened only then */
} race;

static void race_open(uint32_t which)
{
    assert_int_equal(peal_queue_producer_open(&race.producers[which], &race.places[which],
                                              &race.region, "jobs", &jobs, DEPTH,
                                              PEAL_QUEUE_REFUSE),
                     PEAL_OK);
}

/* Before the given look at a head: 1 is pushed to the one lane, then 2 to the other. */
static void push_in_between(const char *point)
{
    if (strcmp(point, "queue.looking") != 0 || race.countdown == 0 || --race.countdown != 0)
        return;
    if (race.opens)
        race_open(0);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t number = i + 1;
        assert_int_equal(peal_queue_producer_push(&race.producers[i], &number, sizeof(number)),
                         PEAL_OK);
    }
}

/* Whatever the consumer sees of it, it takes 1 before 2. */
static void race_once(unsigned countdown, bool opens)
{
    static struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    uint64_t expected = 1;
    wish = (struct peal_queue_wish){
        .kind = PEAL_TOPIC_IS_QUEUE, .options = PEAL_QUEUE_STRICT, .message_bytes_max = 8};
    race.opens = opens;
    rig_open(&rig, 64, 2, countdown);
    rig_join(&rig, WITNESS, &race.region);
    rig_join(&rig, MORTAL, &mortal);
    if (!opens)
        race_open(0);
    race_open(1);
    assert_int_equal(peal_queue_consumer_open(&consumer, &mortal, "jobs", &jobs), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_EMPTY);
    race.countdown = countdown;
    peal_fault_hook = push_in_between;
    for (unsigned i = 0; i < 8; i++) {
        if (peal_queue_consumer_take(&consumer, 1, &batch) != PEAL_OK)
            continue;
        const void *data = NULL;
        size_t size_bytes = 0;
        uint64_t number = 0;
        assert_true(peal_queue_batch_message(&batch, 0, &data, &size_bytes));
        memcpy(&number, data, sizeof(number));
        assert_int_equal(number, expected++);
        peal_queue_consumer_finish(&consumer, &batch);
    }
    peal_fault_hook = meet_fate;
    assert_int_equal(expected, 3);
    rig_close(&rig);
}

static void what_is_pushed_between_two_looks_comes_in_order(void **state)
{
    (void)state;
    for (unsigned countdown = 1; countdown <= 6; countdown++) {
        race_once(countdown, false);
        race_once(countdown, true);
    }
}

static void the_deaths_covered_every_step(void **state)
{
    (void)state;
    static const char *const points[] = {
        "queue.laid_out",
        "queue.ordered",
        "queue.filled",
        "queue.published",
        "queue.batch_filled",
        "queue.claiming",
        "queue.won",
        "queue.helped",
        "queue.finished",
        "queue.drop_noted",
        "queue.drop_claiming",
        "queue.drop_tried",
        "queue.drop_counted",
        "queue.drop_done",
        "queue.adopted",
        "queue.settled",
        "queue.released",
        "queue.lost_noted",
        "queue.lost_claim",
        "queue.lost",
        "queue.dropped",
        "queue.redelivered",
        "join.pinned",
        "join.unpinned",
        "queue.joined",
        "queue.retired",
        "queue.newest_counted",
        "queue.batch_published",
    };
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        bool is_covered = false;
        for (unsigned k = 0; k < fate.seen_count; k++)
            is_covered = is_covered || strcmp(fate.seen[k], points[i]) == 0;
        if (!is_covered)
            fail_msg("no death at %s", points[i]);
    }
}

int main(void)
{
    peal_fault_hook = meet_fate;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_is_lost_when_a_producer_dies),
        cmocka_unit_test(what_a_dead_producer_dropped_is_counted),
        cmocka_unit_test(no_message_is_lost_when_a_consumer_dies),
        cmocka_unit_test(what_a_dead_consumer_held_is_counted_once_where_it_is_dropped),
        cmocka_unit_test(no_message_is_lost_when_a_recoverer_dies),
        cmocka_unit_test(what_is_pushed_between_two_looks_comes_in_order),
        cmocka_unit_test(the_deaths_covered_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
