/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshakes of the directory and of the lanes in the very interleavings for which they exist: at a
 * named point of one client's call, another client does something.
 */
#include "core/directory.h"
#include "core/fault.h"
#include "core/lane_life.h"
#include "core/owner.h"
#include "core/pages.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LANE_BYTES (2u * PEAL_PAGE_BYTES)

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;
static struct peal_lane_place lane;
static struct peal_lane_shared *memory;
static struct peal_lane_found found;

struct held {
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
};

static struct held mine;
static struct held theirs;

/* What happens at which point, the first time that it is passed. */
static struct {
    const char *point;
    void (*happens)(void);
    uint32_t times;
} event;

static void pass(const char *point)
{
    if (!event.point || strcmp(event.point, point) != 0)
        return;
    event.point = NULL; /* once; what happens passes points itself */
    event.times++;
    event.happens();
}

static void at(const char *point, void (*happens)(void))
{
    event.point = point;
    event.happens = happens;
    event.times = 0;
}

static void open_two(void)
{
    event.point = NULL;
    rig_open(&rig, 96, 4, 1);
    rig_join(&rig, 1, &own);
    rig_join(&rig, 2, &other);
}

static enum peal_status subscribe(struct peal_region *region, const char *name, struct held *held)
{
    return peal_topic_subscribe(region, name, NULL, 0, &held->topic, &held->entry, &held->word);
}

static void unsubscribe(struct peal_region *region, const struct held *held)
{
    peal_topic_unsubscribe(region, held->topic, held->entry, held->word);
}

static enum peal_status claim_lane(void)
{
    enum peal_status status =
        peal_topic_claim_lane(&own, "a", NULL, &lane.topic, &lane.lane, &lane.word);
    return status == PEAL_OK ? peal_lane_allocate(&own, &lane, LANE_BYTES, 1, &memory) : status;
}

static peal_u64 *lane_owner(void)
{
    return &own.topics[lane.topic].lanes[lane.lane].owner;
}

static void they_join(void)
{
    assert_int_equal(subscribe(&other, "a", &theirs), PEAL_OK);
}

static void assert_they_are_in(void)
{
    assert_int_equal(event.times, 1);
    assert_int_equal(peal_owner_state(peal_owner_load(&own.topics[theirs.topic].owner)),
                     PEAL_TOPIC_READY);
    assert_int_equal(peal_owner_load(&own.topics[theirs.topic].subscribers[theirs.entry]),
                     theirs.word);
    assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
    assert_int_equal(mine.topic, theirs.topic);
    unsubscribe(&own, &mine);
    unsubscribe(&other, &theirs);
    rig_assert_empty(&own, 2);
    rig_close(&rig);
}

static void who_joins_between_the_closers_look_and_its_swap_is_seen(void **state)
{
    (void)state;
    open_two();
    assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
    at("topic.unused", they_join);
    unsubscribe(&own, &mine);
    assert_they_are_in();
}

static void who_joins_a_closing_topic_keeps_it(void **state)
{
    (void)state;
    open_two();
    assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
    at("topic.closing", they_join);
    unsubscribe(&own, &mine);
    assert_they_are_in();
}

static void they_come_and_go(void)
{
    they_join();
    unsubscribe(&other, &theirs);
}

static void who_comes_and_goes_beside_a_closer_leaves_nothing(void **state)
{
    (void)state;
    static const char *const points[] = {"topic.unused", "topic.closing", "topic.closed"};
    for (size_t i = 0; i < 3; i++) {
        open_two();
        assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
        at(points[i], they_come_and_go);
        unsubscribe(&own, &mine);
        assert_int_equal(event.times, 1);
        rig_assert_empty(&own, 2);
        rig_close(&rig);
    }
}

/* "a" goes and "b" comes at the same place in the directory. */
static void a_becomes_b(void)
{
    uint32_t topic = theirs.topic;
    unsubscribe(&other, &theirs);
    assert_int_equal(subscribe(&other, "b", &theirs), PEAL_OK);
    assert_int_equal(theirs.topic, topic);
}

static void who_found_a_topic_that_has_become_another_does_not_join_that(void **state)
{
    (void)state;
    open_two();
    they_join();
    at("topic.found", a_becomes_b);
    assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
    assert_int_equal(event.times, 1);
    assert_int_not_equal(mine.topic, theirs.topic);
    unsubscribe(&own, &mine);
    unsubscribe(&other, &theirs);
    rig_assert_empty(&own, 2);
    rig_close(&rig);
}

static void two_makers_of_one_name_agree_wherever_the_second_starts(void **state)
{
    (void)state;
    static const char *const points[] = {"topic.claimed", "topic.named", "topic.offered",
                                         "topic.ready"};
    for (size_t i = 0; i < 4; i++) {
        open_two();
        at(points[i], they_join);
        assert_int_equal(subscribe(&own, "a", &mine), PEAL_OK);
        assert_int_equal(event.times, 1);
        assert_int_equal(mine.topic, theirs.topic);
        unsubscribe(&own, &mine);
        unsubscribe(&other, &theirs);
        rig_assert_empty(&own, 2);
        rig_close(&rig);
    }
}

static void they_take_a_page_ahead(void)
{
    uint32_t page = own.first_data_page + 3;
    assert_true(
        peal_owner_swap(&other.page_map[page], PEAL_PAGE_FREE, peal_pages_word(&other, 0, 0)));
}

static void who_meets_a_rival_among_the_pages_gives_back_what_it_had(void **state)
{
    (void)state;
    uint32_t first;
    open_two();
    at("pages.claimed", they_take_a_page_ahead);
    assert_int_equal(peal_pages_take(&own, 6, peal_pages_word(&own, 1, 1), &first), PEAL_OK);
    assert_int_equal(first, own.first_data_page + 4);
    assert_int_equal(rig_count(&own).pages, 7);
    rig_close(&rig);
}

static void the_publisher_passes_us_by(void)
{
    assert_true(
        peal_owner_swap(lane_owner(), lane.word, peal_owner_next(lane.word, PEAL_LANE_ACTIVE)));
}

static void who_tags_an_opening_lane_too_late_is_not_taken_for_invited(void **state)
{
    (void)state;
    open_two();
    assert_int_equal(claim_lane(), PEAL_OK);
    they_join();
    uint64_t opening = peal_owner_next(lane.word, PEAL_LANE_OPENING);
    assert_true(peal_owner_swap(lane_owner(), lane.word, opening));
    lane.word = opening;
    at("join.tagged_early", the_publisher_passes_us_by);
    assert_int_equal(
        peal_lane_join(&other, theirs.topic, lane.lane, theirs.entry, theirs.word, &found),
        PEAL_OK);
    assert_int_equal(event.times, 1);
    assert_false(found.invited);
    assert_int_equal(peal_u64_load_relaxed(&memory->readers[theirs.entry].cursor),
                     PEAL_LANE_NOT_GATING);
    assert_int_equal(peal_owner_load(&memory->readers[theirs.entry].tag), theirs.word);
    rig_close(&rig);
}

static void they_join_the_lane(void)
{
    assert_int_equal(
        peal_lane_join(&other, theirs.topic, lane.lane, theirs.entry, theirs.word, &found),
        PEAL_OK);
    assert_true(found.invited);
}

static void who_joins_beside_the_invitations_has_the_lane_from_its_beginning(void **state)
{
    (void)state;
    static const char *const points[] = {"lane.opening", "lane.tagged", "lane.invited",
                                         "lane.active"};
    for (size_t i = 0; i < 4; i++) {
        open_two();
        they_join();
        assert_int_equal(claim_lane(), PEAL_OK);
        at(points[i], they_join_the_lane);
        assert_int_equal(peal_lane_open(&own, &lane), PEAL_OK);
        assert_int_equal(event.times, 1);
        assert_true(peal_lane_is_live(&other, theirs.topic, lane.lane, found.word));
        assert_int_equal(peal_owner_load(&memory->readers[theirs.entry].invited), theirs.word);
        assert_int_equal(peal_u64_load_relaxed(&memory->readers[theirs.entry].cursor), 0);
        rig_close(&rig);
    }
}

static void the_lane_ends(void)
{
    peal_lane_close(&own, &lane);
}

static void a_lane_that_ends_while_we_join_stays_until_we_are_done(void **state)
{
    (void)state;
    static const char *const points[] = {"join.pinned", "join.line_cleared", "join.cursor",
                                         "join.tagged", "join.unpinned"};
    for (size_t i = 0; i < 5; i++) {
        open_two();
        assert_int_equal(claim_lane(), PEAL_OK);
        assert_int_equal(peal_lane_open(&own, &lane), PEAL_OK);
        they_join();
        at(points[i], the_lane_ends);
        enum peal_status status =
            peal_lane_join(&other, theirs.topic, lane.lane, theirs.entry, theirs.word, &found);
        assert_int_equal(event.times, 1);
        if (status == PEAL_OK) {
            assert_int_equal(rig_count(&other).pages, 2);
            assert_int_equal(peal_owner_load(&memory->readers[theirs.entry].tag), theirs.word);
            peal_lane_leave(&other, theirs.topic, lane.lane, theirs.entry, theirs.word,
                            found.memory);
        } else {
            assert_int_equal(i, 0); /* an orphan by then that we were not invited to */
            assert_int_equal(status, PEAL_EMPTY);
        }
        assert_int_equal(rig_count(&other).pages, 0);
        unsubscribe(&other, &theirs);
        rig_assert_empty(&own, 2);
        rig_close(&rig);
    }
}

/* An authority in whose answer the reader leaves: between the reclaimer's look and its putting back. */
static uint64_t members_while_they_leave(void *context)
{
    unsigned *countdown = context;
    if (*countdown > 0 && --*countdown == 0)
        peal_lane_leave(&other, theirs.topic, lane.lane, theirs.entry, theirs.word, memory);
    return 1u << 1 | 1u << 2;
}

static void who_leaves_while_the_lane_is_reclaimed_is_noticed(void **state)
{
    (void)state;
    open_two();
    they_join();
    assert_int_equal(claim_lane(), PEAL_OK);
    assert_int_equal(peal_lane_open(&own, &lane), PEAL_OK);
    /* Left in RECLAIMING by one who is dead: the first answer says so, the second is about the reader. */
    peal_u64_store_relaxed(lane_owner(), peal_owner_take(lane.word, PEAL_LANE_RECLAIMING, 9, 1));
    unsigned countdown = 2;
    own.authority =
        (struct peal_authority){.members = members_while_they_leave, .context = &countdown};
    assert_true(peal_lane_reclaim(&own, lane.topic, lane.lane));
    assert_int_equal(countdown, 0);
    assert_int_equal(rig_count(&own).pages, 0);
    rig_close(&rig);
}

int main(void)
{
    peal_fault_hook = pass;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_joins_between_the_closers_look_and_its_swap_is_seen),
        cmocka_unit_test(who_joins_a_closing_topic_keeps_it),
        cmocka_unit_test(who_comes_and_goes_beside_a_closer_leaves_nothing),
        cmocka_unit_test(who_found_a_topic_that_has_become_another_does_not_join_that),
        cmocka_unit_test(two_makers_of_one_name_agree_wherever_the_second_starts),
        cmocka_unit_test(who_meets_a_rival_among_the_pages_gives_back_what_it_had),
        cmocka_unit_test(who_tags_an_opening_lane_too_late_is_not_taken_for_invited),
        cmocka_unit_test(who_joins_beside_the_invitations_has_the_lane_from_its_beginning),
        cmocka_unit_test(a_lane_that_ends_while_we_join_stays_until_we_are_done),
        cmocka_unit_test(who_leaves_while_the_lane_is_reclaimed_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
