/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and rates, over figures that are honest and over such as only a hostile peer writes. */
#include "tools/peal/look/rates.h"

#include "tests/support/random.h"
#include "tools/peal/kit/stop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PEOPLE_MAX 8

/* A snapshot of one topic, in place. */
struct scene {
    struct snapshot snapshot;
    struct snapshot_topic topic;
    struct snapshot_publisher publishers[PEOPLE_MAX];
    struct snapshot_subscriber subscribers[PEOPLE_MAX];
};

static void begin(struct scene *scene, uint64_t taken_ns, bool is_queue)
{
    memset(scene, 0, sizeof(*scene));
    scene->snapshot = (struct snapshot){.taken_ns = taken_ns,
                                        .region = {.generation = 1},
                                        .topics = &scene->topic,
                                        .topic_count = 1};
    scene->topic.publishers = scene->publishers;
    scene->topic.subscribers = scene->subscribers;
    scene->topic.seen.is_queue = is_queue;
    (void)snprintf(scene->topic.name, sizeof(scene->topic.name), "wheel");
}

static struct peal_observer_publisher *publisher(struct scene *scene, uint32_t lane,
                                                 uint64_t published)
{
    struct peal_observer_publisher *seen = &scene->publishers[scene->topic.publisher_count++].seen;
    *seen = (struct peal_observer_publisher){.lane = lane,
                                             .incarnation = 100 + lane,
                                             .published = published,
                                             .depth = 16,
                                             .bytes_per_message = 10,
                                             .lane_bytes = 4096};
    return seen;
}

static struct peal_observer_subscriber *subscriber(struct scene *scene, uint32_t entry,
                                                   uint32_t lane, uint64_t taken)
{
    struct peal_observer_subscriber *seen =
        &scene->subscribers[scene->topic.subscriber_count++].seen;
    *seen = (struct peal_observer_subscriber){.entry = entry, .lane = lane, .taken = taken};
    return seen;
}

static struct topic_rates rates_of(const struct scene *before, const struct scene *now)
{
    return topic_rates(before ? &before->snapshot : NULL, &now->snapshot, &now->topic);
}

/* ---- sums ---- */

static void a_topic_sums_up_its_people(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, false);
    publisher(&scene, 0, 100)->dropped = 3;
    publisher(&scene, 1, 50)->newest_ns = 77;
    scene.publishers[1].seen.has_ended = true;
    scene.publishers[1].seen.depth = 64;
    subscriber(&scene, 0, 0, 90)->lag = 5;
    subscriber(&scene, 0, 1, 30)->lag = 20;
    subscriber(&scene, 4, 0, 10)->lost = 9;
    const struct topic_sums sums = topic_sums(&scene.topic);
    assert_int_equal(sums.publishers, 1);
    assert_int_equal(sums.subscribers, 2);
    assert_int_equal(sums.published, 150);
    assert_int_equal(sums.dropped, 3);
    assert_int_equal(sums.taken, 130);
    assert_int_equal(sums.lost, 9);
    assert_int_equal(sums.lag_max, 20);
    assert_int_equal(sums.lag_depth, 64);
    assert_int_equal(sums.depth, 80);
    assert_int_equal(sums.lane_bytes, 8192);
    assert_int_equal(sums.newest_ns, 77);
}

static void a_queue_has_what_ended_lanes_left_and_no_remains_among_its_people(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, true);
    scene.topic.seen.ended_pushed = 1000;
    scene.topic.seen.ended_dropped_oldest = 1;
    scene.topic.seen.ended_dropped_newest = 2;
    scene.topic.seen.ended_lost = 4;
    struct peal_observer_publisher *one = publisher(&scene, 0, 100);
    one->pending = 7;
    one->lost = 8;
    one->dropped = 16;
    one->dropped_oldest = 32;
    publisher(&scene, 1, 0)->pending = 2;
    subscriber(&scene, 0, 0, 90)->lost = 500; /* counted by its lane */
    subscriber(&scene, 1, 0, 3)->is_remains = true;
    const struct topic_sums sums = topic_sums(&scene.topic);
    assert_int_equal(sums.published, 1100);
    assert_int_equal(sums.dropped, 1 + 2 + 16 + 32);
    assert_int_equal(sums.lost, 4 + 8);
    assert_int_equal(sums.pending, 9);
    assert_int_equal(sums.lag_max, 9);
    assert_int_equal(sums.lag_depth, 32);
    assert_int_equal(sums.subscribers, 1);
}

static void the_mean_length_is_weighed_by_messages(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, false);
    publisher(&scene, 0, 30)->bytes_per_message = 10;
    publisher(&scene, 1, 10)->bytes_per_message = 50;
    publisher(&scene, 2, 1000)->bytes_per_message = 0; /* holds none: not known */
    assert_true(fabs(topic_sums(&scene.topic).bytes_per_message - 20) < 1e-9);
}

static void sums_stay_at_the_end_of_the_scale(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, false);
    for (uint32_t i = 0; i < 3; i++) {
        publisher(&scene, i, UINT64_MAX)->dropped = UINT64_MAX - 1;
        subscriber(&scene, i, i, UINT64_MAX)->lost = UINT64_MAX / 2 + 1;
    }
    const struct topic_sums sums = topic_sums(&scene.topic);
    assert_true(sums.published == UINT64_MAX && sums.dropped == UINT64_MAX);
    assert_true(sums.taken == UINT64_MAX && sums.lost == UINT64_MAX);
}

static void a_lag_is_near_from_three_quarters_on(void **state)
{
    (void)state;
    assert_false(lag_is_near(11, 16));
    assert_true(lag_is_near(12, 16));
    assert_true(lag_is_near(UINT64_MAX, 16));
    assert_false(lag_is_near(UINT64_MAX, 0));
    assert_true(lag_is_near(UINT64_MAX, UINT64_MAX));
    assert_false(lag_is_near(0, UINT64_MAX));
}

/* ---- rates ---- */

static void rates_are_what_was_added_between_the_looks(void **state)
{
    struct scene before, now;
    (void)state;
    begin(&before, NS_PER_S, false);
    publisher(&before, 0, 100)->dropped = 1;
    subscriber(&before, 0, 0, 50)->lost = 2;
    begin(&now, 3 * NS_PER_S, false);
    publisher(&now, 0, 300)->dropped = 5;
    subscriber(&now, 0, 0, 150)->lost = 12;
    const struct topic_rates rates = rates_of(&before, &now);
    assert_true(fabs(rates.published_hz - 100) < 1e-9);
    assert_true(fabs(rates.bytes_per_s - 1000) < 1e-9);
    assert_true(fabs(rates.dropped_hz - 2) < 1e-9);
    assert_true(fabs(rates.taken_hz - 50) < 1e-9);
    assert_true(fabs(rates.lost_hz - 5) < 1e-9);
    assert_true(
        fabs(publisher_rate_hz(&before.snapshot, &now.snapshot, &now.topic, &now.publishers[0]) -
             100) < 1e-9);
    assert_true(
        fabs(subscriber_rate_hz(&before.snapshot, &now.snapshot, &now.topic, &now.subscribers[0]) -
             50) < 1e-9);
}

static void who_came_in_between_counts_from_zero_and_who_went_not_at_all(void **state)
{
    struct scene before, now;
    (void)state;
    begin(&before, 0 + 1, false);
    publisher(&before, 0, 1000000);
    begin(&now, NS_PER_S + 1, false);
    publisher(&now, 1, 40);
    assert_true(fabs(rates_of(&before, &now).published_hz - 40) < 1e-6);
    /* The lane is another's by now. */
    begin(&now, NS_PER_S + 1, false);
    publisher(&now, 0, 60)->incarnation = 7;
    assert_true(fabs(rates_of(&before, &now).published_hz - 60) < 1e-6);
}

static void without_two_looks_at_one_region_there_are_no_rates(void **state)
{
    struct scene before, now;
    (void)state;
    begin(&before, NS_PER_S, false);
    publisher(&before, 0, 100);
    begin(&now, 2 * NS_PER_S, false);
    publisher(&now, 0, 300);
    assert_true(rates_of(&before, &now).published_hz > 0);
    assert_true(rates_of(NULL, &now).published_hz == 0);
    now.snapshot.taken_ns = NS_PER_S;
    assert_true(rates_of(&before, &now).published_hz == 0);
    now.snapshot.taken_ns = 2 * NS_PER_S;
    now.snapshot.region.generation = 2;
    assert_true(rates_of(&before, &now).published_hz == 0);
    now.snapshot.region.generation = 1;
    before.snapshot.taken_ns = 0;
    assert_true(rates_of(&before, &now).published_hz == 0);
}

static void a_counter_that_steps_back_is_no_rate(void **state)
{
    struct scene before, now;
    (void)state;
    begin(&before, NS_PER_S, true);
    publisher(&before, 0, 500)->lost = 10;
    subscriber(&before, 0, 0, 500);
    begin(&now, 2 * NS_PER_S, true);
    publisher(&now, 0, 300)->lost = 5;
    subscriber(&now, 0, 0, 300);
    const struct topic_rates rates = rates_of(&before, &now);
    assert_true(rates.published_hz == 0 && rates.bytes_per_s == 0 && rates.lost_hz == 0 &&
                rates.taken_hz == 0);
}

static void a_lane_that_made_no_sense_before_makes_no_rate(void **state)
{
    struct scene before, now;
    (void)state;
    begin(&before, NS_PER_S, false);
    *publisher(&before, 0, 0) =
        (struct peal_observer_publisher){.is_spoilt = true, .incarnation = 100};
    begin(&now, 2 * NS_PER_S, false);
    publisher(&now, 0, 1000000000);
    assert_true(rates_of(&before, &now).published_hz == 0);
    assert_true(
        publisher_rate_hz(&before.snapshot, &now.snapshot, &now.topic, &now.publishers[0]) == 0);
}

static void any(void *bytes, size_t count, uint64_t *seed)
{
    static const uint64_t edges[] = {0, 1, UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 2 + 1};
    uint64_t *words = bytes;
    for (size_t i = 0; i < count / sizeof(*words); i++)
        words[i] = random_below(seed, 2) ? edges[random_below(seed, 5)] : random_next(seed);
}

static double sane(uint64_t word)
{
    return (double)(word % 1000000); /* the observer reckons this one itself */
}

static void make_hostile(struct scene *scene, uint64_t *seed)
{
    begin(scene, 1 + random_below(seed, 1000), random_below(seed, 2) != 0);
    for (uint32_t i = 0; i < PEOPLE_MAX; i++) {
        struct peal_observer_publisher *from = publisher(scene, i / 2, 0);
        uint64_t words[8];
        any(words, sizeof(words), seed);
        from->published = words[0];
        from->dropped = words[1];
        from->dropped_oldest = words[2];
        from->lost = words[3];
        from->pending = words[4];
        from->newest_ns = words[5];
        from->depth = (uint32_t)words[6];
        from->bytes_per_message = sane(words[7]);
        struct peal_observer_subscriber *to = subscriber(scene, i / 3, i, 0);
        any(words, sizeof(words), seed);
        to->taken = words[0];
        to->lost = words[1];
        to->lag = words[2];
        to->redelivered = words[3];
        to->lane = (uint32_t)words[4];
    }
}

static void whatever_the_figures_are_rates_are_numbers_from_zero_on(void **state)
{
    uint64_t seed = random_seed();
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct scene before, now;
        make_hostile(&before, &seed);
        make_hostile(&now, &seed);
        const struct topic_rates rates = rates_of(&before, &now);
        const double all[] = {rates.published_hz, rates.bytes_per_s,
                              rates.taken_hz,     rates.lost_hz,
                              rates.dropped_hz,   topic_sums(&now.topic).bytes_per_message};
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
            assert_true(isfinite(all[i]) && all[i] >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_sums_up_its_people),
        cmocka_unit_test(a_queue_has_what_ended_lanes_left_and_no_remains_among_its_people),
        cmocka_unit_test(the_mean_length_is_weighed_by_messages),
        cmocka_unit_test(sums_stay_at_the_end_of_the_scale),
        cmocka_unit_test(a_lag_is_near_from_three_quarters_on),
        cmocka_unit_test(rates_are_what_was_added_between_the_looks),
        cmocka_unit_test(who_came_in_between_counts_from_zero_and_who_went_not_at_all),
        cmocka_unit_test(without_two_looks_at_one_region_there_are_no_rates),
        cmocka_unit_test(a_counter_that_steps_back_is_no_rate),
        cmocka_unit_test(a_lane_that_made_no_sense_before_makes_no_rate),
        cmocka_unit_test(whatever_the_figures_are_rates_are_numbers_from_zero_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
