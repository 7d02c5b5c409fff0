/* SPDX-License-Identifier: Apache-2.0 */
#include "core/directory.h"

#include "core/epoch.h"
#include "core/lane_life.h"
#include "core/owner.h"
#include "core/recover.h"
#include "core/topic.h"
#include "tests/support/region_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;
static const struct peal_topic_type wheel = {.name = "wheel", .schema_hash = 7};

struct held {
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
};

static enum peal_status subscribe(struct peal_region *region, const char *name,
                                  const struct peal_topic_type *type, struct held *held)
{
    return peal_topic_subscribe(region, name, type, 0, &held->topic, &held->entry, &held->word);
}

static enum peal_status claim(struct peal_region *region, const char *name,
                              struct peal_lane_place *place)
{
    return peal_topic_claim_lane(region, name, NULL, &place->topic, &place->lane, &place->word);
}

static void leave(struct peal_region *region, const struct held *held)
{
    peal_topic_unsubscribe(region, held->topic, held->entry, held->word);
}

static void open_two(void)
{
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 1, &own);
    rig_join(&rig, 2, &other);
}

static uint32_t topic_state(uint32_t topic)
{
    return peal_owner_state(peal_owner_load(&own.topics[topic].owner));
}

static void names_are_checked(void **state)
{
    (void)state;
    char longest[65];
    memset(longest, 'x', sizeof(longest));
    longest[64] = '\0';
    assert_int_equal(peal_topic_check_name(longest), PEAL_EINVAL);
    longest[63] = '\0';
    assert_int_equal(peal_topic_check_name(longest), PEAL_OK);
    assert_int_equal(peal_topic_check_name("a b/c"), PEAL_OK);
    assert_int_equal(peal_topic_check_name("\xc3\xbc"), PEAL_OK);
    assert_int_equal(peal_topic_check_name(NULL), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name(""), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name(" a"), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name("a "), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name(" "), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name("a\tb"), PEAL_EINVAL);
    assert_int_equal(peal_topic_check_name("a\x7f"), PEAL_EINVAL);
}

static void subscribers_of_one_name_meet_in_one_topic(void **state)
{
    (void)state;
    struct held one;
    struct held two;
    struct held three;
    open_two();
    uint64_t made = peal_epoch_read(&own.header->directory.epoch);
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    assert_true(peal_epoch_read(&own.header->directory.epoch) != made);
    uint64_t epoch = peal_epoch_read(&own.topics[one.topic].subscriber_epoch);
    assert_int_equal(subscribe(&other, "speed", NULL, &two), PEAL_OK);
    assert_true(peal_epoch_read(&own.topics[one.topic].subscriber_epoch) != epoch);
    assert_int_equal(subscribe(&other, "speed2", NULL, &three), PEAL_OK);
    assert_int_equal(one.topic, two.topic);
    assert_int_not_equal(one.entry, two.entry);
    assert_int_not_equal(one.topic, three.topic);
    assert_int_equal(peal_owner_load(&own.topics[one.topic].subscribers[one.entry]), one.word);
    assert_int_equal(peal_owner_state(one.word), PEAL_SUBSCRIBER_ACTIVE);
    leave(&own, &one);
    assert_int_equal(topic_state(two.topic), PEAL_TOPIC_READY);
    leave(&other, &two);
    assert_int_equal(topic_state(two.topic), PEAL_TOPIC_FREE);
    leave(&other, &three);
    rig_assert_empty(&own, 2);
    rig_close(&rig);
}

static void leaving_twice_or_with_another_word_changes_nothing(void **state)
{
    (void)state;
    struct held one;
    struct held two;
    open_two();
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    struct held wrong = one;
    wrong.word ^= 1u << 10;
    leave(&own, &wrong);
    wrong.topic = UINT32_MAX;
    leave(&own, &wrong);
    wrong = one;
    wrong.entry = 32;
    leave(&own, &wrong);
    assert_int_equal(rig_count(&own).subscribers, 1);
    leave(&own, &one);
    assert_int_equal(subscribe(&other, "else", NULL, &two), PEAL_OK);
    assert_int_equal(two.entry, one.entry);
    leave(&own, &one);
    assert_int_equal(rig_count(&own).subscribers, 1);
    rig_close(&rig);
}

static void flags_keep_only_what_is_known(void **state)
{
    (void)state;
    struct held one;
    open_two();
    assert_int_equal(
        peal_topic_subscribe(&own, "speed", NULL, UINT32_MAX, &one.topic, &one.entry, &one.word),
        PEAL_OK);
    assert_int_equal(peal_u64_load_relaxed(&own.topics[one.topic].subscriber_flags[one.entry]),
                     PEAL_SUBSCRIBER_IS_RELIABLE);
    rig_close(&rig);
}

static void the_first_type_counts_and_others_are_told_which(void **state)
{
    (void)state;
    struct held untyped;
    struct held typed;
    struct held wrong;
    const struct peal_topic_type door = {.name = "door", .schema_hash = 7};
    const struct peal_topic_type newer = {.name = "wheel", .schema_hash = 8};
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
    open_two();
    assert_int_equal(subscribe(&own, "speed", NULL, &untyped), PEAL_OK);
    assert_true(peal_topic_names(&own, untyped.topic, name, type_name));
    assert_string_equal(type_name, "");
    assert_int_equal(subscribe(&other, "speed", &wheel, &typed), PEAL_OK);
    assert_true(peal_topic_names(&own, untyped.topic, name, type_name));
    assert_string_equal(name, "speed");
    assert_string_equal(type_name, "wheel");
    assert_int_equal(subscribe(&own, "speed", &door, &wrong), PEAL_EMISMATCH);
    assert_non_null(strstr(peal_error_message(), "'wheel', not 'door'"));
    assert_int_equal(subscribe(&own, "speed", &newer, &wrong), PEAL_EMISMATCH);
    assert_non_null(
        strstr(peal_error_message(), "schema 0000000000000007 there and 0000000000000008"));
    assert_int_equal(rig_count(&own).subscribers, 2);
    leave(&own, &untyped);
    leave(&other, &typed);
    /* The type goes with the topic. */
    assert_int_equal(subscribe(&own, "speed", &door, &typed), PEAL_OK);
    leave(&own, &typed);
    rig_assert_empty(&own, 2);
    rig_close(&rig);
}

static void a_type_half_written_by_the_dead_is_written_anew(void **state)
{
    (void)state;
    struct held one;
    struct held two;
    open_two();
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    peal_u64_store_relaxed(&own.topics[one.topic].type_owner,
                           peal_region_own_word(&other, PEAL_TOPIC_CLAIMED));
    assert_int_equal(subscribe(&own, "speed", &wheel, &two), PEAL_AGAIN);
    rig_kill(&rig, 2);
    assert_int_equal(subscribe(&own, "speed", &wheel, &two), PEAL_OK);
    rig_close(&rig);
}

static void the_limits_of_topics_and_subscribers_are_told(void **state)
{
    (void)state;
    struct held held[40];
    open_two();
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        assert_int_equal(subscribe(&own, "many", NULL, &held[i]), PEAL_OK);
    assert_int_equal(subscribe(&other, "many", NULL, &held[32]), PEAL_ELIMIT);
    assert_non_null(strstr(peal_error_message(), "32 subscribers"));
    for (uint32_t i = 33; i < 36; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "t%u", (unsigned)i);
        assert_int_equal(subscribe(&own, name, NULL, &held[i]), PEAL_OK);
    }
    assert_int_equal(subscribe(&other, "one too many", NULL, &held[36]), PEAL_ELIMIT);
    assert_non_null(strstr(peal_error_message(), "all 4 topics"));
    /* Entries of the dead count for nothing. */
    rig_kill(&rig, 1);
    assert_int_equal(subscribe(&other, "many", NULL, &held[32]), PEAL_OK);
    rig_close(&rig);
}

static void a_closing_topic_is_taken_back_by_who_joins(void **state)
{
    (void)state;
    struct held one;
    struct held two;
    open_two();
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    peal_u64 *owner = &own.topics[one.topic].owner;
    uint64_t closing =
        peal_owner_take(peal_owner_load(owner), PEAL_TOPIC_CLOSING, 2, (uint32_t)other.incarnation);
    peal_u64_store_relaxed(owner, closing);
    assert_int_equal(subscribe(&own, "speed", NULL, &two), PEAL_OK);
    assert_int_equal(two.topic, one.topic);
    assert_int_equal(topic_state(one.topic), PEAL_TOPIC_READY);
    assert_false(peal_owner_swap(owner, closing, peal_owner_next(closing, PEAL_TOPIC_FREE)));
    rig_close(&rig);
}

static void a_topic_being_closed_is_left_to_its_closer_while_that_lives(void **state)
{
    (void)state;
    struct held one;
    open_two();
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    peal_u64 *owner = &own.topics[one.topic].owner;
    uint64_t closing =
        peal_owner_take(peal_owner_load(owner), PEAL_TOPIC_CLOSING, 2, (uint32_t)other.incarnation);
    peal_u64_store_relaxed(owner, closing);
    leave(&own, &one);
    assert_int_equal(peal_owner_load(owner), closing);
    rig_kill(&rig, 2);
    peal_topic_remove_if_unused(&own, one.topic);
    assert_int_equal(topic_state(one.topic), PEAL_TOPIC_FREE);
    rig_close(&rig);
}

/* A rival's entry for "speed" at index `topic`, in `state`. */
static void plant_rival(uint32_t topic, uint32_t state)
{
    uint64_t words[PEAL_TOPIC_NAME_WORDS] = {0};
    memcpy(words, "speed", 5);
    for (uint32_t i = 0; i < PEAL_TOPIC_NAME_WORDS; i++)
        peal_u64_store_relaxed(&own.topics[topic].name[i], words[i]);
    peal_u64_store_relaxed(&own.topics[topic].owner, peal_region_own_word(&other, state));
}

static void a_better_offer_of_a_stalled_rival_does_not_block_us(void **state)
{
    (void)state;
    struct held one;
    open_two();
    plant_rival(0, PEAL_TOPIC_OFFERED);
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    assert_int_equal(rig_count(&own).topics, 1);
    rig_close(&rig);
}

static void a_worse_offer_is_withdrawn_by_who_has_the_better_one(void **state)
{
    (void)state;
    struct held one;
    open_two();
    plant_rival(3, PEAL_TOPIC_OFFERED);
    uint64_t offer = peal_owner_load(&own.topics[3].owner);
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    assert_int_equal(one.topic, 0);
    assert_int_equal(rig_count(&own).topics, 1);
    assert_false(
        peal_owner_swap(&own.topics[3].owner, offer, peal_owner_next(offer, PEAL_TOPIC_READY)));
    rig_close(&rig);
}

static void a_claim_that_is_not_offered_yet_is_no_rival(void **state)
{
    (void)state;
    struct held one;
    open_two();
    plant_rival(0, PEAL_TOPIC_CLAIMED);
    assert_int_equal(subscribe(&own, "speed", NULL, &one), PEAL_OK);
    assert_int_equal(one.topic, 1);
    assert_int_equal(topic_state(0), PEAL_TOPIC_CLAIMED);
    rig_close(&rig);
}

static void sixteen_publishers_may_live_and_the_next_is_refused(void **state)
{
    (void)state;
    struct peal_lane_place places[PEAL_TOPIC_PUBLISHERS_MAX + 1];
    open_two();
    for (uint32_t i = 0; i < PEAL_TOPIC_PUBLISHERS_MAX; i++) {
        assert_int_equal(claim(i % 2 ? &own : &other, "speed", &places[i]), PEAL_OK);
        assert_int_equal(peal_owner_state(places[i].word), PEAL_LANE_CLAIMED);
    }
    assert_int_equal(claim(&own, "speed", &places[16]), PEAL_ELIMIT);
    assert_non_null(strstr(peal_error_message(), "16 publishers"));
    rig_kill(&rig, 2);
    assert_int_equal(claim(&own, "speed", &places[16]), PEAL_OK);
    assert_int_equal(rig_count(&own).lanes, 9);
    rig_close(&rig);
}

static void observers_read_no_names_of_free_topics(void **state)
{
    (void)state;
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
    open_two();
    assert_false(peal_topic_names(&own, 0, name, type_name));
    assert_false(peal_topic_names(&own, 4, name, type_name));
    plant_rival(0, PEAL_TOPIC_OFFERED);
    assert_false(peal_topic_names(&own, 0, name, type_name));
    plant_rival(0, PEAL_TOPIC_READY);
    for (uint32_t i = 0; i < PEAL_TOPIC_NAME_WORDS; i++)
        peal_u64_store_relaxed(&own.topics[0].name[i], UINT64_MAX);
    assert_true(peal_topic_names(&own, 0, name, type_name));
    assert_int_equal(strlen(name), PEAL_TOPIC_NAME_BYTES - 1);
    rig_close(&rig);
}

#define RACERS 8u
#define RACES 300u

struct racer {
    struct peal_region region;
    struct held held[RACES];
    pthread_barrier_t *start;
    uint32_t failures;
    bool publishes;
    struct peal_lane_place places[RACES];
};

static void *race(void *context)
{
    struct racer *racer = context;
    for (uint32_t i = 0; i < RACES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "r%u", (unsigned)i % 8);
        (void)pthread_barrier_wait(racer->start);
        enum peal_status status = PEAL_AGAIN;
        for (uint32_t attempt = 0; attempt < 1000 && status == PEAL_AGAIN; attempt++)
            status = racer->publishes ? claim(&racer->region, name, &racer->places[i])
                                      : subscribe(&racer->region, name, &wheel, &racer->held[i]);
        if (racer->publishes)
            racer->held[i].topic = racer->places[i].topic;
        racer->failures += status != PEAL_OK;
        (void)pthread_barrier_wait(racer->start);
        if (racer->publishes)
            peal_lane_abandon(&racer->region, &racer->places[i]);
        else
            leave(&racer->region, &racer->held[i]);
    }
    return NULL;
}

static void eight_makers_of_one_name_get_one_topic(void **state)
{
    (void)state;
    static struct racer racers[RACERS];
    pthread_t threads[RACERS];
    pthread_barrier_t start;
    rig_open(&rig, 128, 16, 1);
    rig_join(&rig, 60, &own);
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (uint32_t i = 0; i < RACERS; i++) {
        rig_join(&rig, i, &racers[i].region);
        racers[i].start = &start;
        racers[i].failures = 0;
        racers[i].publishes = i % 3 == 2;
    }
    for (uint32_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    for (uint32_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uint32_t i = 0; i < RACERS; i++) {
        assert_int_equal(racers[i].failures, 0);
        for (uint32_t k = 0; k < RACES; k++)
            assert_int_equal(racers[i].held[k].topic, racers[0].held[k].topic);
    }
    rig_assert_empty(&own, RACERS + 1);
    (void)pthread_barrier_destroy(&start);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(subscribers_of_one_name_meet_in_one_topic),
        cmocka_unit_test(leaving_twice_or_with_another_word_changes_nothing),
        cmocka_unit_test(flags_keep_only_what_is_known),
        cmocka_unit_test(the_first_type_counts_and_others_are_told_which),
        cmocka_unit_test(a_type_half_written_by_the_dead_is_written_anew),
        cmocka_unit_test(the_limits_of_topics_and_subscribers_are_told),
        cmocka_unit_test(a_closing_topic_is_taken_back_by_who_joins),
        cmocka_unit_test(a_topic_being_closed_is_left_to_its_closer_while_that_lives),
        cmocka_unit_test(a_better_offer_of_a_stalled_rival_does_not_block_us),
        cmocka_unit_test(a_worse_offer_is_withdrawn_by_who_has_the_better_one),
        cmocka_unit_test(a_claim_that_is_not_offered_yet_is_no_rival),
        cmocka_unit_test(sixteen_publishers_may_live_and_the_next_is_refused),
        cmocka_unit_test(observers_read_no_names_of_free_topics),
        cmocka_unit_test(eight_makers_of_one_name_get_one_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
