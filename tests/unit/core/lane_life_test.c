/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_life.h"

#include "core/directory.h"
#include "core/epoch.h"
#include "core/lane_reclaim.h"
#include "core/owner.h"
#include "core/pages.h"
#include "core/recover.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LANE_BYTES (3u * PEAL_PAGE_BYTES)
#define NAME_HASH 99u

static struct region_rig rig;
static struct peal_region publisher;
static struct peal_region reader;
static struct peal_lane_found found;

struct subscription {
    struct peal_region *region;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
};

static void open_rig(void)
{
    rig_open(&rig, 128, 2, 1);
    rig_join(&rig, 1, &publisher);
    rig_join(&rig, 2, &reader);
}

static struct subscription subscribe(struct peal_region *region)
{
    struct subscription is = {.region = region};
    assert_int_equal(peal_topic_subscribe(region, "t", NULL, 0, &is.topic, &is.entry, &is.word),
                     PEAL_OK);
    return is;
}

static void unsubscribe(const struct subscription *is)
{
    peal_topic_unsubscribe(is->region, is->topic, is->entry, is->word);
}

static enum peal_status join(const struct subscription *is, uint32_t lane)
{
    return peal_lane_join(is->region, is->topic, lane, is->entry, is->word, &found);
}

static void leave(const struct subscription *is, uint32_t lane, struct peal_lane_shared *memory)
{
    peal_lane_leave(is->region, is->topic, lane, is->entry, is->word, memory);
}

static struct peal_lane_place claim_lane(struct peal_lane_shared **memory)
{
    struct peal_lane_place place;
    assert_int_equal(
        peal_topic_claim_lane(&publisher, "t", NULL, &place.topic, &place.lane, &place.word),
        PEAL_OK);
    assert_int_equal(peal_lane_allocate(&publisher, &place, LANE_BYTES, NAME_HASH, memory),
                     PEAL_OK);
    return place;
}

static struct peal_lane_place open_lane(struct peal_lane_shared **memory)
{
    struct peal_lane_place place = claim_lane(memory);
    assert_int_equal(peal_lane_open(&publisher, &place), PEAL_OK);
    return place;
}

static peal_u64 *owner_of(const struct peal_lane_place *place)
{
    return &publisher.topics[place->topic].lanes[place->lane].owner;
}

static uint32_t state_of(const struct peal_lane_place *place)
{
    return peal_owner_state(peal_owner_load(owner_of(place)));
}

static void set_state(const struct peal_lane_place *place, uint32_t state)
{
    peal_u64_store_relaxed(owner_of(place),
                           peal_owner_next(peal_owner_load(owner_of(place)), state));
}

static void a_lane_comes_with_a_zeroed_head_and_goes_without_trace(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place place = claim_lane(&memory);
    assert_int_equal((uintptr_t)memory % PEAL_PAGE_BYTES, 0);
    for (size_t i = 0; i < sizeof(*memory); i++)
        assert_int_equal(((unsigned char *)memory)[i], 0);
    assert_int_equal(rig_count(&publisher).pages, 3);
    uint64_t epoch = peal_epoch_read(&publisher.topics[place.topic].lane_epoch);
    assert_int_equal(peal_lane_open(&publisher, &place), PEAL_OK);
    assert_true(peal_epoch_read(&publisher.topics[place.topic].lane_epoch) != epoch);
    assert_int_equal(state_of(&place), PEAL_LANE_ACTIVE);
    assert_int_equal(peal_owner_load(owner_of(&place)), place.word);
    peal_lane_close(&publisher, &place);
    rig_assert_empty(&publisher, 2);
    rig_close(&rig);
}

static void an_abandoned_lane_gives_its_pages_back(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    struct peal_lane_place bare;
    open_rig();
    struct peal_lane_place place = claim_lane(&memory);
    peal_lane_abandon(&publisher, &place);
    rig_assert_empty(&publisher, 2);
    assert_int_equal(
        peal_topic_claim_lane(&publisher, "t", NULL, &bare.topic, &bare.lane, &bare.word), PEAL_OK);
    peal_lane_abandon(&publisher, &bare);
    rig_assert_empty(&publisher, 2);
    rig_close(&rig);
}

static void too_large_a_lane_is_refused_with_figures(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    struct peal_lane_place place;
    open_rig();
    assert_int_equal(
        peal_topic_claim_lane(&publisher, "t", NULL, &place.topic, &place.lane, &place.word),
        PEAL_OK);
    assert_int_equal(peal_lane_allocate(&publisher, &place, UINT64_MAX, 0, &memory), PEAL_ENOSPC);
    assert_int_equal(peal_lane_allocate(&publisher, &place, 1 << 20, 0, &memory), PEAL_ENOSPC);
    assert_non_null(strstr(peal_error_message(), "needs 1048576 bytes"));
    assert_int_equal(peal_lane_allocate(&publisher, &place, 4607, 0, &memory), PEAL_EINVAL);
    peal_lane_abandon(&publisher, &place);
    rig_assert_empty(&publisher, 2);
    rig_close(&rig);
}

static void a_subscriber_that_is_there_is_invited(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    assert_int_equal(peal_owner_load(&memory->readers[is.entry].tag), is.word);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    assert_true(found.invited);
    assert_false(found.orphan);
    assert_ptr_equal(found.memory, memory);
    assert_int_equal(found.size_bytes, LANE_BYTES);
    assert_int_equal(found.name_hash, NAME_HASH);
    assert_int_equal(found.word, place.word);
    assert_int_equal(peal_u64_load_relaxed(&memory->readers[is.entry].cursor), 0);
    assert_true(peal_lane_is_live(&reader, is.topic, place.lane, found.word));
    assert_int_equal(peal_u64_load_relaxed(&reader.topics[is.topic].subscriber_flags[is.entry]), 0);
    rig_close(&rig);
}

static void a_late_subscriber_joins_uninvited_and_gates_nobody_yet(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place place = open_lane(&memory);
    struct subscription is = subscribe(&reader);
    /* A predecessor at this entry has left its cursor, and its tag too. */
    peal_u64_store_relaxed(&memory->readers[is.entry].cursor, 17);
    peal_u64_store_relaxed(&memory->readers[is.entry].tag, is.word ^ 1u << 12);
    peal_u64_store_relaxed(&memory->readers[is.entry].invited, is.word ^ 1u << 12);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    assert_false(found.invited);
    assert_int_equal(peal_owner_load(&memory->readers[is.entry].tag), is.word);
    assert_int_equal(peal_u64_load_relaxed(&memory->readers[is.entry].cursor),
                     PEAL_LANE_NOT_GATING);
    rig_close(&rig);
}

static void a_lane_in_the_making_is_not_joined(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = claim_lane(&memory);
    assert_int_equal(join(&is, place.lane), PEAL_EMPTY);
    assert_int_equal(join(&is, place.lane + 1), PEAL_EMPTY);
    assert_int_equal(join(&is, 32), PEAL_EMPTY);
    assert_int_equal(peal_lane_join(&reader, is.topic, place.lane, 32, is.word, &found),
                     PEAL_EMPTY);
    assert_int_equal(peal_lane_join(&reader, 2, place.lane, is.entry, is.word, &found), PEAL_EMPTY);
    rig_close(&rig);
}

static void who_meets_an_opening_lane_has_it_from_its_beginning(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place place = claim_lane(&memory);
    struct subscription is = subscribe(&reader);
    set_state(&place, PEAL_LANE_OPENING);
    place.word = peal_owner_load(owner_of(&place));
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    assert_true(found.invited);
    assert_int_equal(peal_u64_load_relaxed(&memory->readers[is.entry].cursor), 0);
    assert_true(peal_lane_is_live(&reader, is.topic, place.lane, found.word));
    set_state(&place, PEAL_LANE_ACTIVE);
    assert_int_equal(found.word, peal_owner_load(owner_of(&place)));
    assert_true(peal_lane_is_live(&reader, is.topic, place.lane, found.word));
    rig_close(&rig);
}

static void who_was_passed_by_while_the_lane_opened_starts_late(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place place = open_lane(&memory);
    struct subscription is = subscribe(&reader);
    /* As if we had seen OPENING, set our tag, and the lane had become ACTIVE without a note of us. */
    peal_u64_store_relaxed(&memory->readers[is.entry].tag, is.word);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    assert_false(found.invited);
    assert_int_equal(peal_u64_load_relaxed(&memory->readers[is.entry].cursor),
                     PEAL_LANE_NOT_GATING);
    assert_int_equal(peal_owner_load(&memory->readers[is.entry].tag), is.word);
    rig_close(&rig);
}

static void an_orphan_is_kept_for_the_invited_and_no_other(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription invited = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    peal_lane_close(&publisher, &place);
    assert_int_equal(state_of(&place), PEAL_LANE_ORPHAN);
    struct subscription late = subscribe(&reader);
    assert_int_equal(join(&late, place.lane), PEAL_EMPTY);
    assert_int_equal(join(&invited, place.lane), PEAL_OK);
    assert_true(found.orphan);
    assert_true(found.invited);
    assert_false(peal_lane_is_live(&reader, invited.topic, place.lane, found.word));
    assert_false(peal_lane_reclaim(&publisher, place.topic, place.lane));
    leave(&invited, place.lane, found.memory);
    assert_int_equal(state_of(&place), PEAL_LANE_FREE);
    assert_int_equal(rig_count(&reader).pages, 0);
    unsubscribe(&invited);
    unsubscribe(&late);
    rig_assert_empty(&reader, 2);
    rig_close(&rig);
}

static void orphans_that_a_subscriber_never_looked_at_go_with_it(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    peal_lane_close(&publisher, &place);
    unsubscribe(&is);
    rig_assert_empty(&reader, 2);
    rig_close(&rig);
}

static void the_orphan_of_a_dead_publisher_is_found_out_and_read_to_its_end(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    rig_kill(&rig, 1);
    uint64_t epoch = peal_epoch_read(&reader.topics[is.topic].lane_epoch);
    assert_false(peal_lane_is_live(&reader, is.topic, place.lane, found.word));
    assert_int_equal(state_of(&place), PEAL_LANE_ORPHAN);
    assert_true(peal_epoch_read(&reader.topics[is.topic].lane_epoch) != epoch);
    (void)peal_recover(&reader);
    assert_int_equal(rig_count(&reader).pages, 3);
    leave(&is, place.lane, found.memory);
    assert_int_equal(rig_count(&reader).pages, 0);
    rig_close(&rig);
}

static void a_pin_keeps_the_pages(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    peal_u64_store_relaxed(&memory->readers[is.entry].tag, 0);
    peal_u64 *flags = &reader.topics[is.topic].subscriber_flags[is.entry];
    uint64_t pin = UINT64_C(1) << (PEAL_SUBSCRIBER_PIN_SHIFT + place.lane);
    (void)peal_u64_or_seq_cst(flags, pin);
    peal_lane_close(&publisher, &place);
    assert_int_equal(state_of(&place), PEAL_LANE_ORPHAN);
    (void)peal_u64_and_seq_cst(flags, ~pin);
    (void)peal_u64_or_seq_cst(flags, pin << 1);
    assert_true(peal_lane_reclaim(&publisher, place.topic, place.lane));
    rig_close(&rig);
}

static void readers_that_are_dead_or_gone_keep_nothing(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    rig_kill(&rig, 2);
    peal_lane_close(&publisher, &place);
    assert_int_equal(rig_count(&publisher).pages, 0);
    (void)is;
    rig_close(&rig);
}

static void a_half_reclaimed_lane_of_a_dead_reclaimer_is_finished(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    uint64_t word = peal_owner_take(peal_owner_load(owner_of(&place)), PEAL_LANE_RECLAIMING, 2,
                                    (uint32_t)reader.incarnation);
    peal_u64_store_relaxed(owner_of(&place), word);
    assert_int_equal(join(&is, place.lane), PEAL_AGAIN);
    assert_false(peal_lane_reclaim(&publisher, place.topic, place.lane));
    /* Its first page went, and somebody else has it now: what lies there is not the lane's. */
    uint64_t page_word = peal_pages_word(&publisher, place.topic, place.lane);
    uint32_t first =
        peal_u32_load_relaxed(&publisher.topics[place.topic].lanes[place.lane].first_page);
    assert_int_equal(peal_pages_give(&publisher, first, 1, page_word), 1);
    uint64_t foreign = peal_pages_word(&publisher, 1, 1);
    peal_u64_store_relaxed(&publisher.page_map[first], foreign);
    rig_kill(&rig, 2);
    assert_true(peal_lane_reclaim(&publisher, place.topic, place.lane));
    assert_int_equal(peal_owner_load(&publisher.page_map[first]), foreign);
    assert_int_equal(rig_count(&publisher).pages, 1);
    rig_close(&rig);
}

static void a_spared_orphan_names_its_publisher_again(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    uint64_t word = peal_owner_take(peal_owner_load(owner_of(&place)), PEAL_LANE_RECLAIMING, 9, 1);
    peal_u64_store_relaxed(owner_of(&place), word);
    assert_false(peal_lane_reclaim(&reader, place.topic, place.lane));
    struct peal_owner owner = peal_owner_unpack(peal_owner_load(owner_of(&place)));
    assert_int_equal(owner.state, PEAL_LANE_ORPHAN);
    assert_int_equal(owner.client, 1);
    assert_int_equal(owner.incarnation, (uint32_t)publisher.incarnation);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    rig_close(&rig);
}

static void an_entry_that_lies_about_its_pages_is_corrupt(void **state)
{
    (void)state;
    static const uint32_t lies[][2] = {{0, 3}, {UINT32_MAX, 3}, {100, UINT32_MAX}, {127, 2},
                                       {0, 0}, {20, 1},         {60, 3},           {128, 0}};
    struct peal_lane_shared *memory;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    struct peal_lane_entry_shared *entry = &publisher.topics[place.topic].lanes[place.lane];
    uint32_t first = peal_u32_load_relaxed(&entry->first_page);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        peal_u32_store_relaxed(&entry->first_page, lies[i][0]);
        peal_u32_store_relaxed(&entry->page_count, lies[i][1]);
        assert_int_equal(join(&is, place.lane), PEAL_ECORRUPT);
    }
    peal_u32_store_relaxed(&entry->first_page, first);
    peal_u32_store_relaxed(&entry->page_count, 3);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    uint64_t word = peal_u64_load_relaxed(&entry->page_word);
    peal_u64_store_relaxed(&publisher.page_map[first + 1], word + 16);
    assert_int_equal(join(&is, place.lane), PEAL_ECORRUPT);
    peal_u64_store_relaxed(&publisher.page_map[first + 1], word);
    peal_u64_store_relaxed(&entry->page_word, word ^ 1u << 10);
    assert_int_equal(join(&is, place.lane), PEAL_ECORRUPT);
    rig_close(&rig);
}

static void a_reclaimer_gives_no_pages_of_another_lane_away(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place victim = open_lane(&memory);
    struct peal_lane_place liar = open_lane(&memory);
    const struct peal_lane_entry_shared *target = &publisher.topics[0].lanes[victim.lane];
    struct peal_lane_entry_shared *entry = &publisher.topics[0].lanes[liar.lane];
    peal_u32_store_relaxed(&entry->first_page, peal_u32_load_relaxed(&target->first_page));
    peal_u64_store_relaxed(&entry->page_word, peal_u64_load_relaxed(&target->page_word));
    struct subscription is = subscribe(&reader);
    assert_int_equal(join(&is, liar.lane), PEAL_ECORRUPT);
    unsubscribe(&is);
    peal_lane_close(&publisher, &liar);
    assert_int_equal(rig_count(&publisher).pages, 6);
    assert_int_equal(state_of(&victim), PEAL_LANE_ACTIVE);
    rig_close(&rig);
}

static void undrained_lanes_are_told_by_the_clients_that_keep_them(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    struct peal_lane_place place;
    open_rig();
    struct subscription is = subscribe(&reader);
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        place = open_lane(&memory);
        peal_lane_close(&publisher, &place);
    }
    assert_int_equal(
        peal_topic_claim_lane(&publisher, "t", NULL, &place.topic, &place.lane, &place.word),
        PEAL_ELIMIT);
    assert_non_null(strstr(peal_error_message(), "2 ('rig')"));
    assert_int_equal(join(&is, 5), PEAL_OK);
    leave(&is, 5, found.memory);
    place = open_lane(&memory);
    assert_int_equal(place.lane, 5);
    /* Those of a dead subscriber are reclaimed on the way. */
    peal_lane_close(&publisher, &place);
    rig_kill(&rig, 2);
    place = open_lane(&memory);
    rig_close(&rig);
}

static void a_lane_that_was_taken_from_its_publisher_is_corrupt(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    open_rig();
    struct peal_lane_place place = claim_lane(&memory);
    uint64_t mine = peal_owner_load(owner_of(&place));
    peal_u64_store_relaxed(owner_of(&place), mine + (1u << 10));
    assert_int_equal(peal_lane_open(&publisher, &place), PEAL_ECORRUPT);
    assert_int_equal(peal_lane_allocate(&publisher, &place, LANE_BYTES, 0, &memory), PEAL_ECORRUPT);
    peal_lane_close(&publisher, &place);
    peal_lane_abandon(&publisher, &place);
    assert_int_equal(peal_owner_load(owner_of(&place)), mine + (1u << 10));
    rig_close(&rig);
}

/* Dead by the first answer; by the second one its index has a new holder, who has not registered yet. */
static uint64_t members_with_a_successor(void *context)
{
    uint32_t *questions = context;
    return (*questions)++ == 0 ? 1u << 2 : 1u << 1 | 1u << 2;
}

static void a_lane_that_is_found_dead_once_is_an_orphan(void **state)
{
    (void)state;
    struct peal_lane_shared *memory;
    uint32_t questions = 0;
    open_rig();
    struct subscription is = subscribe(&reader);
    struct peal_lane_place place = open_lane(&memory);
    assert_int_equal(join(&is, place.lane), PEAL_OK);
    reader.authority =
        (struct peal_authority){.members = members_with_a_successor, .context = &questions};
    assert_false(peal_lane_is_live(&reader, is.topic, place.lane, found.word));
    const peal_u64 *owner = &reader.topics[is.topic].lanes[place.lane].owner;
    assert_int_equal(peal_owner_state(peal_owner_load(owner)), PEAL_LANE_ORPHAN);
    /* Who has left it then does not come to it again. */
    leave(&is, place.lane, found.memory);
    assert_int_equal(join(&is, place.lane), PEAL_EMPTY);
    unsubscribe(&is);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_comes_with_a_zeroed_head_and_goes_without_trace),
        cmocka_unit_test(an_abandoned_lane_gives_its_pages_back),
        cmocka_unit_test(too_large_a_lane_is_refused_with_figures),
        cmocka_unit_test(a_subscriber_that_is_there_is_invited),
        cmocka_unit_test(a_late_subscriber_joins_uninvited_and_gates_nobody_yet),
        cmocka_unit_test(a_lane_in_the_making_is_not_joined),
        cmocka_unit_test(who_meets_an_opening_lane_has_it_from_its_beginning),
        cmocka_unit_test(who_was_passed_by_while_the_lane_opened_starts_late),
        cmocka_unit_test(an_orphan_is_kept_for_the_invited_and_no_other),
        cmocka_unit_test(orphans_that_a_subscriber_never_looked_at_go_with_it),
        cmocka_unit_test(the_orphan_of_a_dead_publisher_is_found_out_and_read_to_its_end),
        cmocka_unit_test(a_pin_keeps_the_pages),
        cmocka_unit_test(readers_that_are_dead_or_gone_keep_nothing),
        cmocka_unit_test(a_half_reclaimed_lane_of_a_dead_reclaimer_is_finished),
        cmocka_unit_test(a_spared_orphan_names_its_publisher_again),
        cmocka_unit_test(an_entry_that_lies_about_its_pages_is_corrupt),
        cmocka_unit_test(a_reclaimer_gives_no_pages_of_another_lane_away),
        cmocka_unit_test(undrained_lanes_are_told_by_the_clients_that_keep_them),
        cmocka_unit_test(a_lane_that_was_taken_from_its_publisher_is_corrupt),
        cmocka_unit_test(a_lane_that_is_found_dead_once_is_an_orphan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
