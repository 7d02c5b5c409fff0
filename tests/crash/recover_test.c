/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client dies at every single fault point of everything that it can do; the others go on, recover, and
 * nothing is left of it. Death is a longjmp out of the fault point, never to come back.
 */
#include "core/recover.h"

#include "core/client.h"
#include "core/directory.h"
#include "core/fault.h"
#include "core/lane_life.h"
#include "core/owner.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LANE_BYTES (4u * PEAL_PAGE_BYTES)
#define NAMES_MAX 128u

/* Death after `countdown` more fault points. */
static struct {
    unsigned countdown;
    jmp_buf grave;
    const char *where;
    const char *seen[NAMES_MAX];
    unsigned seen_count;
} fate;

static void meet_fate(const char *point)
{
    bool is_known = false;
    for (unsigned i = 0; i < fate.seen_count && !is_known; i++)
        is_known = strcmp(fate.seen[i], point) == 0;
    if (!is_known && fate.seen_count < NAMES_MAX)
        fate.seen[fate.seen_count++] = point;
    if (fate.countdown && --fate.countdown == 0) {
        fate.where = point;
        longjmp(fate.grave, 1);
    }
}

static enum peal_status open_lane(struct peal_region *region, const char *name,
                                  const struct peal_topic_type *type, struct peal_lane_place *place)
{
    struct peal_lane_shared *memory;
    enum peal_status status =
        peal_topic_claim_lane(region, name, type, &place->topic, &place->lane, &place->word);
    if (status == PEAL_OK)
        status = peal_lane_allocate(region, place, LANE_BYTES, 1, &memory);
    return status == PEAL_OK ? peal_lane_open(region, place) : status;
}

/* Everything that a client does in its life, beside a witness on the topic "shared". */
static void live(struct region_rig *rig, struct peal_region *region, uint32_t index)
{
    static const struct peal_topic_type type = {.name = "wheel", .schema_hash = 7};
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    struct peal_lane_place lane;
    struct peal_lane_place other;
    struct peal_lane_found found;
    struct peal_lane_shared *memory;
    rig_join(rig, index, region);
    (void)peal_topic_subscribe(region, "own", &type, 0, &topic, &entry, &word);
    (void)open_lane(region, "own", &type, &lane);
    (void)open_lane(region, "own", NULL, &other);
    (void)peal_lane_join(region, topic, lane.lane, entry, word, &found);
    peal_lane_close(region, &lane);
    peal_lane_leave(region, topic, lane.lane, entry, word, found.memory);
    peal_lane_close(region, &other);
    peal_topic_unsubscribe(region, topic, entry, word);

    (void)peal_topic_subscribe(region, "shared", NULL, PEAL_SUBSCRIBER_IS_RELIABLE, &topic, &entry,
                               &word);
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        if (peal_lane_join(region, topic, i, entry, word, &found) == PEAL_OK)
            peal_lane_leave(region, topic, i, entry, word, found.memory);
    }
    (void)open_lane(region, "shared", NULL, &lane);
    (void)peal_topic_claim_lane(region, "shared", NULL, &other.topic, &other.lane, &other.word);
    (void)peal_lane_allocate(region, &other, LANE_BYTES, 1, &memory);
    peal_lane_abandon(region, &other);
    peal_lane_close(region, &lane);
    peal_topic_unsubscribe(region, topic, entry, word);
    (void)peal_recover(region);
    peal_client_unregister(region);
}

/* A client whose lane, subscription and type stand while the other one dies. */
struct witness {
    struct peal_region region;
    struct peal_lane_place lane;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
};

static void witness_begin(struct region_rig *rig, struct witness *witness)
{
    rig_join(rig, 2, &witness->region);
    assert_int_equal(peal_topic_subscribe(&witness->region, "shared", NULL, 0, &witness->topic,
                                          &witness->entry, &witness->word),
                     PEAL_OK);
    assert_int_equal(open_lane(&witness->region, "shared", NULL, &witness->lane), PEAL_OK);
}

/* Nothing of the witness was touched; then it goes too. */
static void witness_end(struct witness *witness)
{
    struct peal_topic_shared *topic = &witness->region.topics[witness->topic];
    assert_int_equal(peal_owner_load(&topic->subscribers[witness->entry]), witness->word);
    assert_true(peal_lane_is_live(&witness->region, witness->topic, witness->lane.lane,
                                  witness->lane.word));
    /* What the dead one published to it is still owed to it; it takes its leave of that. */
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        struct peal_lane_found found;
        if (peal_lane_join(&witness->region, witness->topic, i, witness->entry, witness->word,
                           &found) == PEAL_OK)
            peal_lane_leave(&witness->region, witness->topic, i, witness->entry, witness->word,
                            found.memory);
    }
    peal_lane_close(&witness->region, &witness->lane);
    peal_topic_unsubscribe(&witness->region, witness->topic, witness->entry, witness->word);
    peal_client_unregister(&witness->region);
}

/* Lives until the given fault point. False if it lived on to its natural end. */
static bool live_until(struct region_rig *rig, struct peal_region *region, uint32_t index,
                       unsigned point)
{
    fate.countdown = point;
    fate.where = "nowhere";
    if (setjmp(fate.grave) == 0) {
        live(rig, region, index);
        fate.countdown = 0;
        return false;
    }
    return true;
}

static struct region_rig rig;
static struct witness witness;
static struct peal_region mortal;
static struct peal_region second;
static struct peal_region heir;

static void whoever_dies_wherever_is_cleared_away_by_a_fresh_client(void **state)
{
    (void)state;
    unsigned point = 1;
    for (bool died = true; died; point++) {
        rig_open(&rig, 128, 4, point);
        witness_begin(&rig, &witness);
        died = live_until(&rig, &mortal, 1, point);
        rig_kill(&rig, 1);
        rig_join(&rig, 3, &heir);
        witness_end(&witness);
        rig_kill(&rig, 2);
        (void)peal_recover(&heir);
        rig_assert_empty(&heir, 1);
        rig_close(&rig);
    }
    assert_true(point > 100);
}

static void whoever_dies_wherever_is_cleared_away_by_its_successor_at_the_same_index(void **state)
{
    (void)state;
    unsigned point = 1;
    for (bool died = true; died; point++) {
        rig_open(&rig, 128, 4, point);
        witness_begin(&rig, &witness);
        died = live_until(&rig, &mortal, 1, point);
        rig_join(&rig, 1, &heir);
        witness_end(&witness);
        rig_kill(&rig, 2);
        (void)peal_recover(&heir);
        rig_assert_empty(&heir, 1);
        rig_close(&rig);
    }
    assert_true(point > 100);
}

/* The first dies at each point, and the one that recovers from that dies at each of its points. */
static void the_death_of_a_recoverer_is_recovered_from(void **state)
{
    (void)state;
    unsigned pairs = 0;
    bool first_died = true;
    for (unsigned first = 1; first_died; first++) {
        bool second_died = true;
        for (unsigned at = 1; second_died; at += 1 + at / 8) {
            rig_open(&rig, 96, 4, first * 1000 + at);
            witness_begin(&rig, &witness);
            first_died = live_until(&rig, &mortal, 1, first);
            rig_kill(&rig, 1);
            second_died = live_until(&rig, &second, 4, at);
            rig_kill(&rig, 4);
            rig_join(&rig, 3, &heir);
            witness_end(&witness);
            rig_kill(&rig, 2);
            (void)peal_recover(&heir);
            rig_assert_empty(&heir, 1);
            rig_close(&rig);
            pairs++;
        }
    }
    assert_true(pairs > 1000);
}

static void a_region_laid_out_halfway_is_laid_out_by_the_next(void **state)
{
    (void)state;
    unsigned point = 1;
    for (bool died = true; died; point++) {
        rig_open(&rig, 64, 4, point);
        died = live_until(&rig, &mortal, 1, point);
        rig_kill(&rig, 1);
        rig_join(&rig, 3, &heir);
        assert_int_equal(heir.topics_max, 4);
        rig_assert_empty(&heir, 1);
        rig_close(&rig);
    }
    assert_true(point > 100);
}

static void the_deaths_covered_every_kind_of_step(void **state)
{
    (void)state;
    static const char *const kinds[] = {"format.", "client.", "topic.", "type.",  "subscriber.",
                                        "lane.",   "pages.",  "join.",  "leave.", "recover."};
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        bool is_covered = false;
        for (unsigned i = 0; i < fate.seen_count; i++)
            is_covered = is_covered || strncmp(fate.seen[i], kinds[kind], strlen(kinds[kind])) == 0;
        if (!is_covered)
            fail_msg("no death at any point of kind %s", kinds[kind]);
    }
    assert_true(fate.seen_count >= 40);
}

int main(void)
{
    peal_fault_hook = meet_fate;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_dies_wherever_is_cleared_away_by_a_fresh_client),
        cmocka_unit_test(whoever_dies_wherever_is_cleared_away_by_its_successor_at_the_same_index),
        cmocka_unit_test(the_death_of_a_recoverer_is_recovered_from),
        cmocka_unit_test(a_region_laid_out_halfway_is_laid_out_by_the_next),
        cmocka_unit_test(the_deaths_covered_every_kind_of_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
