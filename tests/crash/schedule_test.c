/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random interleavings at fault points, each repeatable by its seed: clients of one region come, publish, take, go and
 * recover, and one of them may stop for ever anywhere. What a subscriber takes is in order, and in the end, when the
 * stopped one counts as dead, nothing is left.
 *
 *      schedule_test                            four seconds
 *      PEAL_CAMPAIGN_SECONDS=N schedule_test    N seconds
 *      schedule_test SEED                       one interleaving again
 */
#include "core/audit.h"
#include "core/client.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "core/recover.h"
#include "tests/support/baton.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CLIENTS 3u
#define ACTS 4u
#define MESSAGES 5u
#define HEIR 9u

static struct region_rig rig;
static const char
    *wrong; /* the first thing that was not as it must be; only the holder of the baton writes */

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition) && !wrong)                                                                \
            wrong = #condition;                                                                    \
    } while (0)

struct client {
    struct peal_region region;
    uint64_t seed;
    uint64_t taken;
};

static const struct peal_topic_type type = {.name = "wheel", .schema_hash = 7};

/* ---- acts ---- */

static void publish(struct client *client)
{
    struct peal_region *region = &client->region;
    struct peal_lane_place place;
    struct peal_lane_geometry geometry;
    struct peal_lane_shared *memory;
    struct peal_lane_writer writer;
    enum peal_status status =
        peal_topic_claim_lane(region, "x", &type, &place.topic, &place.lane, &place.word);
    EXPECT(status == PEAL_OK || status == PEAL_AGAIN || status == PEAL_ELIMIT);
    if (status != PEAL_OK)
        return;
    (void)peal_lane_geometry_make(&geometry, 8, 48, 0, 0);
    status = peal_lane_allocate(region, &place, geometry.size_bytes, 1, &memory);
    EXPECT(status == PEAL_OK || status == PEAL_ENOSPC);
    if (status != PEAL_OK) {
        peal_lane_abandon(region, &place);
        return;
    }
    peal_lane_geometry_store(&geometry, random_next(&client->seed) | 1, "client", memory);
    peal_lane_writer_init(&writer, &geometry, memory, &region->topics[place.topic], NULL);
    EXPECT(peal_lane_open(region, &place) == PEAL_OK);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        uint64_t number = writer.next;
        status = peal_lane_put(&writer, &number, sizeof(number), 0);
        EXPECT(status == PEAL_OK || status == PEAL_FULL);
    }
    peal_lane_close(region, &place);
}

/* Reads one lane as far as it goes. */
static void read_lane(struct client *client, uint32_t topic, uint32_t lane, uint32_t entry,
                      uint64_t word)
{
    struct peal_lane_found found;
    struct peal_lane_reader reader;
    struct peal_lane_reader_wish wish = {.reliable = true};
    if (peal_lane_join(&client->region, topic, lane, entry, word, &found) != PEAL_OK)
        return;
    wish.invited = found.invited;
    EXPECT(peal_lane_reader_begin(&reader, found.memory, found.size_bytes, entry, &wish) ==
           PEAL_OK);
    uint64_t expected = found.invited ? 0 : UINT64_MAX;
    for (uint32_t i = 0; i < 2 * MESSAGES; i++) {
        uint64_t number;
        struct peal_message message;
        enum peal_status status = peal_lane_take_copy(&reader, &number, sizeof(number), &message);
        if (status != PEAL_OK) {
            EXPECT(status == PEAL_EMPTY);
            break;
        }
        EXPECT(number == message.number && message.lost == 0);
        EXPECT(expected == UINT64_MAX || number == expected);
        expected = number + 1;
        client->taken++;
        (void)peal_lane_acknowledge(&reader, true);
    }
    peal_lane_leave(&client->region, topic, lane, entry, word, found.memory);
}

static void subscribe(struct client *client, const char *name)
{
    uint32_t topic, entry;
    uint64_t word;
    enum peal_status status =
        peal_topic_subscribe(&client->region, name, random_below(&client->seed, 2) ? &type : NULL,
                             PEAL_SUBSCRIBER_IS_RELIABLE, &topic, &entry, &word);
    EXPECT(status == PEAL_OK || status == PEAL_AGAIN || status == PEAL_ELIMIT);
    if (status != PEAL_OK)
        return;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++)
            read_lane(client, topic, lane, entry, word);
    peal_topic_unsubscribe(&client->region, topic, entry, word);
}

/* Wherever the others just stand: nothing is lost and nothing contradicts itself. */
static void audit_amid(void)
{
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    static char first[256];
    EXPECT(peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit) ==
           PEAL_OK);
    if (audit.findings[PEAL_AUDIT_LOST] + audit.findings[PEAL_AUDIT_CORRUPT] == 0 || wrong)
        return;
    memcpy(first, audit.first, sizeof(first));
    wrong = first;
}

static void live(void *context)
{
    struct client *client = context;
    for (uint32_t act = 0; act < ACTS && !wrong; act++) {
        switch (random_below(&client->seed, 5)) {
        case 0:
        case 1:
            publish(client);
            break;
        case 2:
            subscribe(client, "x");
            break;
        case 3:
            subscribe(client, "y");
            break;
        default:
            (void)peal_recover(&client->region);
        }
        audit_amid();
    }
    peal_client_unregister(&client->region);
}

/* ---- one interleaving ---- */

static uint64_t points;
static uint64_t frozen;
static uint64_t taken;

static void assert_nothing_is_left(struct peal_region *heir)
{
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    static char first[256];
    (void)peal_recover(heir);
    EXPECT(peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit) ==
           PEAL_OK);
    memcpy(first, audit.first, sizeof(first));
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i] && !wrong)
            wrong = first;
    EXPECT(audit.clients == 1);
    EXPECT(audit.topics + audit.subscribers + audit.lanes == 0);
    EXPECT(audit.pages_free == audit.pages);
}

/* NULL: all was well. */
static const char *play(uint64_t seed)
{
    struct client clients[CLIENTS];
    struct baton_thread threads[CLIENTS] = {{0}};
    struct peal_region heir;
    uint64_t random = seed;
    wrong = NULL;
    rig_open(&rig, 40, 3, seed);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        rig_join(&rig, i + 1, &clients[i].region);
        clients[i].seed = random_next(&random);
        clients[i].taken = 0;
        threads[i] = (struct baton_thread){.body = live, .context = &clients[i]};
    }
    if (random_below(&random, 3))
        threads[random_below(&random, CLIENTS)].freezes_at = 1 + random_below(&random, 150);
    baton_run(threads, CLIENTS, random);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        rig_kill(&rig, i + 1);
        points += threads[i].passes;
        frozen += threads[i].is_frozen;
        taken += clients[i].taken;
    }
    rig_join(&rig, HEIR, &heir);
    assert_nothing_is_left(&heir);
    rig_close(&rig);
    return wrong;
}

static void random_interleavings_lose_nothing_and_leave_nothing(void **state)
{
    (void)state;
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t end_ns =
        test_now_ns() + (seconds ? strtoull(seconds, NULL, 10) : 4) * UINT64_C(1000000000);
    uint64_t seed = random_seed() * UINT64_C(1000003);
    uint64_t played = 0;
    for (; test_now_ns() < end_ns; played++, seed++) {
        const char *what = play(seed);
        if (what)
            fail_msg("schedule_test %" PRIu64 ": not so: %s", seed, what);
    }
    print_message("%" PRIu64 " interleavings of %" PRIu64 " points, %" PRIu64
                  " with one who stopped for ever, %" PRIu64 " messages taken\n",
                  played, points, frozen, taken);
    assert_true(played > 20 && frozen > 5 && taken > 100);
}

/* The same seed is the same run. */
static void a_seed_repeats_its_interleaving(void **state)
{
    (void)state;
    uint64_t before = points;
    assert_null(play(12345));
    uint64_t once = points - before;
    assert_null(play(12345));
    assert_int_equal(points - before, 2 * once);
    assert_true(once > 50);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_repeats_its_interleaving),
        cmocka_unit_test(random_interleavings_lose_nothing_and_leave_nothing),
    };
    if (count != 2)
        return cmocka_run_group_tests(tests, NULL, NULL);
    const char *what = play(strtoull(arguments[1], NULL, 10));
    printf("%s\n", what ? what : "all is well");
    return what != NULL;
}
