/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics that are made, joined, left and removed by several clients at once, with lanes opened, joined,
 * orphaned and reclaimed, while one client recovers all the time and some die and come again. At the end
 * everybody leaves, and the region must be empty.
 */
#include "core/client.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/owner.h"
#include "core/recover.h"
#include "tests/support/eventually.h"
#include "tests/support/region_rig.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS 6u
#define TOPICS 3u
#define RUN_NS UINT64_C(4000000000)
#define LANE_BYTES (2u * PEAL_PAGE_BYTES)

struct worker {
    struct region_rig *rig;
    struct peal_region region;
    uint32_t index;
    uint64_t random;
    uint64_t deaths;
    uint64_t subscribed;
    uint64_t opened;
    uint64_t joined;
    uint64_t foreign; /* bytes found in our lane that are not ours */
};

static struct region_rig rig;
static struct worker workers[WORKERS];
static peal_u64 stop;

static bool chance(struct worker *worker, uint32_t one_in)
{
    return rig_random(&worker->random) % one_in == 0;
}

static const char *topic_name(struct worker *worker)
{
    static const char *const names[TOPICS] = {"a", "b", "c"};
    return names[rig_random(&worker->random) % TOPICS];
}

/* Dies, and comes again at the same index with another incarnation. */
static bool die(struct worker *worker)
{
    struct peal_authority authority = rig_authority(worker->rig);
    rig_kill(worker->rig, worker->index);
    for (uint32_t spin = (uint32_t)(rig_random(&worker->random) % 2000); spin > 0; spin--)
        (void)peal_u64_load_seq_cst(&stop);
    (void)peal_u64_or_seq_cst(&worker->rig->members, UINT64_C(1) << worker->index);
    worker->deaths++;
    uint64_t incarnation = rig_random(&worker->random) | 1;
    return peal_region_attach(&worker->region, worker->rig->base, worker->rig->size_bytes,
                              worker->index, incarnation, &worker->rig->wish,
                              &authority) == PEAL_OK &&
           peal_client_register(&worker->region, "worker", 1) == PEAL_OK;
}

/* A publisher's life: its memory is its own until it closes. */
static void publish(struct worker *worker)
{
    struct peal_region *region = &worker->region;
    struct peal_lane_place place;
    struct peal_lane_shared *memory;
    if (peal_topic_claim_lane(region, topic_name(worker), NULL, &place.topic, &place.lane,
                              &place.word) != PEAL_OK)
        return;
    if (chance(worker, 16)) {
        (void)die(worker);
        return;
    }
    if (peal_lane_allocate(region, &place, LANE_BYTES, 1, &memory) != PEAL_OK ||
        chance(worker, 16)) {
        peal_lane_abandon(region, &place);
        return;
    }
    uint64_t mark = rig_random(&worker->random);
    peal_u64_store_relaxed(&memory->geometry.incarnation, mark);
    worker->foreign += peal_lane_open(region, &place) != PEAL_OK;
    worker->opened++;
    for (uint32_t i = 0; i < 64; i++)
        worker->foreign += peal_u64_load_relaxed(&memory->geometry.incarnation) != mark;
    if (chance(worker, 16))
        (void)die(worker);
    else
        peal_lane_close(region, &place);
}

/* A subscriber's life: joins what there is, and what it joined stays what it was until it leaves. */
static void subscribe(struct worker *worker)
{
    struct peal_region *region = &worker->region;
    struct peal_lane_found found[PEAL_TOPIC_LANES_MAX];
    uint64_t marks[PEAL_TOPIC_LANES_MAX];
    uint32_t joined = 0;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    if (peal_topic_subscribe(region, topic_name(worker), NULL, 1, &topic, &entry, &word) != PEAL_OK)
        return;
    worker->subscribed++;
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        memset(&found[i], 0, sizeof(found[i]));
        if (peal_lane_join(region, topic, i, entry, word, &found[i]) == PEAL_OK)
            marks[i] = peal_u64_load_relaxed(&found[i].memory->geometry.incarnation);
        else
            found[i].memory = NULL;
    }
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        if (!found[i].memory)
            continue;
        joined++;
        worker->foreign +=
            peal_u64_load_relaxed(&found[i].memory->geometry.incarnation) != marks[i];
        worker->foreign += peal_owner_load(&found[i].memory->readers[entry].tag) != word;
        (void)peal_lane_is_live(region, topic, i, found[i].word);
    }
    worker->joined += joined;
    if (chance(worker, 16)) {
        (void)die(worker);
        return;
    }
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        if (found[i].memory)
            peal_lane_leave(region, topic, i, entry, word, found[i].memory);
    }
    peal_topic_unsubscribe(region, topic, entry, word);
}

static void *work(void *context)
{
    struct worker *worker = context;
    while (!peal_u64_load_seq_cst(&stop)) {
        if (worker->index == 0)
            (void)peal_recover(&worker->region);
        if (chance(worker, 2))
            publish(worker);
        else
            subscribe(worker);
    }
    return NULL;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static uint64_t seed_from_environment(void)
{
    const char *text = getenv("PEAL_TEST_SEED");
    return text ? strtoull(text, NULL, 0) : test_now_ns();
}

static void topics_and_lanes_come_and_go_and_nothing_is_left(void **state)
{
    (void)state;
    pthread_t threads[WORKERS];
    uint64_t seed = seed_from_environment();
    print_message("seed %" PRIu64 " (set PEAL_TEST_SEED to repeat)\n", seed);
    rig_open(&rig, 64, 4, seed);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i].rig = &rig;
        workers[i].index = i;
        workers[i].random = seed + i;
        rig_join(&rig, i, &workers[i].region);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    (void)eventually(never, NULL, RUN_NS);
    peal_u64_store_seq_cst(&stop, 1);
    uint64_t deaths = 0;
    uint64_t joined = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].foreign, 0);
        assert_true(workers[i].subscribed > 0);
        assert_true(workers[i].opened > 0);
        deaths += workers[i].deaths;
        joined += workers[i].joined;
    }
    print_message("%" PRIu64 " deaths, %" PRIu64 " lanes joined\n", deaths, joined);
    assert_true(deaths > 0 && joined > 0);
    (void)peal_recover(&workers[0].region);
    rig_assert_empty(&workers[0].region, WORKERS);
    rig_close(&rig);
}

/*
 * A subscriber whose subscription was made before a lane opened is owed it from its first message; here,
 * to have been invited. One thread opens lanes beside a subscriber that comes and goes.
 */
struct opening {
    struct peal_region *region;
    peal_u64 turn;
    peal_u64 lane;
};

static struct opening opening;

#define TURNS_NS UINT64_C(3000000000)
#define TURN_LAST UINT64_MAX

static void *open_beside(void *context)
{
    struct opening *at = context;
    struct peal_lane_place place;
    struct peal_lane_shared *memory;
    for (uint64_t turn = 1;; turn++) {
        uint64_t now;
        while ((now = peal_u64_load_seq_cst(&at->turn)) != 2 * turn - 1) {
            if (now == TURN_LAST)
                return NULL;
            (void)sched_yield();
        }
        if (peal_topic_claim_lane(at->region, "a", NULL, &place.topic, &place.lane, &place.word) !=
                PEAL_OK ||
            peal_lane_allocate(at->region, &place, LANE_BYTES, 1, &memory) != PEAL_OK ||
            peal_lane_open(at->region, &place) != PEAL_OK)
            abort();
        peal_u64_store_seq_cst(&at->lane, place.lane);
        peal_u64_store_seq_cst(&at->turn, 2 * turn);
        while (peal_u64_load_seq_cst(&at->turn) == 2 * turn)
            (void)sched_yield();
        peal_lane_close(at->region, &place);
    }
}

/* Subscribes while the lane opens and looks once; if that look misses the lane, it must be invited. */
static void a_subscriber_beside_an_opening_lane_never_misses_its_beginning(void **state)
{
    (void)state;
    pthread_t thread;
    uint32_t missed_first = 0;
    uint64_t random = 1;
    rig_open(&rig, 64, 4, 7);
    rig_join(&rig, 0, &workers[0].region);
    rig_join(&rig, 1, &workers[1].region);
    struct peal_region *region = &workers[0].region;
    opening.region = &workers[1].region;
    assert_int_equal(pthread_create(&thread, NULL, open_beside, &opening), 0);
    uint64_t end = test_now_ns() + TURNS_NS;
    uint64_t turn = 1;
    peal_u64_store_seq_cst(&opening.turn, 1);
    for (; test_now_ns() < end; turn++) {
        uint32_t topic;
        uint32_t entry;
        uint64_t word;
        bool has_joined = false;
        struct peal_lane_found found;
        struct peal_lane_shared *joined[PEAL_TOPIC_LANES_MAX] = {0};
        for (uint64_t spin = rig_random(&random) % 400; spin > 0; spin--)
            (void)peal_u64_load_seq_cst(&opening.turn);
        assert_int_equal(peal_topic_subscribe(region, "a", NULL, 1, &topic, &entry, &word),
                         PEAL_OK);
        for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
            if (peal_lane_join(region, topic, i, entry, word, &found) == PEAL_OK) {
                joined[i] = found.memory;
                has_joined = true;
            }
        }
        while (peal_u64_load_seq_cst(&opening.turn) != 2 * turn)
            (void)sched_yield();
        uint32_t lane = (uint32_t)peal_u64_load_seq_cst(&opening.lane);
        if (!has_joined) {
            missed_first++;
            assert_int_equal(peal_lane_join(region, topic, lane, entry, word, &found), PEAL_OK);
            assert_true(found.invited);
            assert_int_equal(peal_u64_load_relaxed(&found.memory->readers[entry].cursor), 0);
            joined[lane] = found.memory;
        }
        for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
            if (joined[i])
                peal_lane_leave(region, topic, i, entry, word, joined[i]);
        }
        peal_topic_unsubscribe(region, topic, entry, word);
        peal_u64_store_seq_cst(&opening.turn, 2 * turn + 1);
    }
    peal_u64_store_seq_cst(&opening.turn, TURN_LAST);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("%" PRIu32 " of %" PRIu64 " looks were too early\n", missed_first, turn);
    assert_true(turn > 1);
    (void)peal_recover(region);
    rig_assert_empty(region, 2);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_and_lanes_come_and_go_and_nothing_is_left),
        cmocka_unit_test(a_subscriber_beside_an_opening_lane_never_misses_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
