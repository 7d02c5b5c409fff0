/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random interleavings of queues at fault points, each repeatable by its seed: clients push to and pop from a queue, come, go,
 * close with messages in hand and recover, and one of them may stop for ever anywhere. When the stopped one counts as dead
 * an heir takes what is left. Then each message that was pushed has been taken, none twice but those that are flagged,
 * each producer's in order; in a strict queue what was pushed before another push began came first; and nothing is left in
 * the region.
 *
 *      queue_schedule_test                            four seconds
 *      PEAL_CAMPAIGN_SECONDS=N queue_schedule_test    N seconds
 *      queue_schedule_test SEED                       one interleaving again
 */
#include "core/audit.h"
#include "core/client.h"
#include "core/queue_consumer.h"
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
#define ACTS 3u
#define PUSHES 6u
#define MESSAGES_MAX 64u
#define HEIR 9u

static struct region_rig rig;
static const char *wrong; /* the first; only the holder of the baton writes */
static uint32_t options;  /* of the queue */
static struct peal_queue_wish wish;
static const struct peal_topic_type jobs = {.queue = &wish};

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition) && !wrong)                                                                \
            wrong = #condition;                                                                    \
    } while (0)

/* What became of each message; times are of one clock that ticks at each entry. */
struct message {
    uint32_t handle;
    bool is_dropped; /* may have been, by its own producer, to make room */
    bool is_redelivered;
    bool is_done; /* or its taker was just about to say so */
    uint32_t taken;
    uint64_t push_begin, push_end; /* 0: not pushed for certain */
    uint64_t take_begin, take_end;
};

static struct message ledger[MESSAGES_MAX];
static uint32_t message_count;
static uint32_t handle_count;
static uint64_t now;

enum role { ANY, PRODUCER, CONSUMER };

struct client {
    struct peal_region region;
    enum role role;
    uint64_t seed;
};

/* ---- acts ---- */

static void produce(struct client *client)
{
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    const enum peal_queue_full_action action =
        random_below(&client->seed, 4) ? PEAL_QUEUE_REFUSE : PEAL_QUEUE_DROP_OLDEST;
    enum peal_status status =
        peal_queue_producer_open(&producer, &place, &client->region, "jobs", &jobs, 4, action);
    EXPECT(status == PEAL_OK || status == PEAL_AGAIN || status == PEAL_ELIMIT ||
           status == PEAL_ENOSPC);
    if (status != PEAL_OK)
        return;
    const uint32_t handle = handle_count++;
    for (uint32_t i = 0; i < PUSHES && message_count + 2 < MESSAGES_MAX; i++) {
        uint64_t numbers[2] = {message_count, message_count + 1};
        const uint32_t count = 1 + random_below(&client->seed, 2);
        size_t pushed = 0;
        message_count += count;
        const uint64_t begin = ++now;
        for (uint32_t j = 0; j < count; j++)
            ledger[numbers[j]] = (struct message){.handle = handle,
                                                  .is_dropped = action == PEAL_QUEUE_DROP_OLDEST,
                                                  .push_begin = begin};
        status = peal_queue_producer_push_batch(&producer, numbers, 8, count, &pushed);
        EXPECT(status == PEAL_OK || status == PEAL_FULL);
        const uint64_t end = ++now;
        for (size_t j = 0; j < pushed; j++)
            ledger[numbers[j]].push_end = end;
    }
    peal_queue_producer_close(&client->region, &place);
}

/* Looks at a batch that was just taken. */
static void note(const struct peal_queue_batch *batch, uint64_t begin, uint64_t *last)
{
    const uint64_t end = ++now;
    for (uint32_t i = 0; i < batch->range.count; i++) {
        const void *data = NULL;
        size_t size_bytes = 0;
        uint64_t number;
        bool is_sound = peal_queue_batch_message(batch, i, &data, &size_bytes);
        EXPECT(is_sound && size_bytes == 8);
        if (!is_sound)
            return;
        memcpy(&number, data, 8);
        EXPECT(number < message_count);
        if (number >= message_count)
            return;
        struct message *message = &ledger[number];
        EXPECT(message->taken == 0 || batch->is_redelivered);
        message->taken++;
        message->is_redelivered = message->is_redelivered || batch->is_redelivered;
        message->take_begin = begin;
        message->take_end = end;
        if (batch->is_redelivered)
            continue;
        EXPECT(last[message->handle] <= number);
        last[message->handle] = number + 1;
    }
}

static void note_done(const struct peal_queue_batch *batch)
{
    for (uint32_t i = 0; i < batch->range.count; i++) {
        const void *data = NULL;
        size_t size_bytes = 0;
        uint64_t number = MESSAGES_MAX;
        if (peal_queue_batch_message(batch, i, &data, &size_bytes))
            memcpy(&number, data, 8);
        if (number < message_count)
            ledger[number].is_done = true;
    }
}

static void consume(struct peal_region *region, uint64_t *seed, uint32_t takes, bool closes_busy)
{
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    uint64_t last[MESSAGES_MAX] = {0};
    enum peal_status status = peal_queue_consumer_open(&consumer, region, "jobs", &jobs);
    EXPECT(status == PEAL_OK || status == PEAL_AGAIN || status == PEAL_ELIMIT);
    if (status != PEAL_OK)
        return;
    for (uint32_t i = 0; i < takes; i++) {
        const uint64_t begin = ++now;
        status = peal_queue_consumer_take(&consumer, 1 + random_below(seed, 3), &batch);
        EXPECT(status == PEAL_OK || status == PEAL_EMPTY);
        if (status != PEAL_OK)
            continue;
        note(&batch, begin, last);
        if (closes_busy && random_below(seed, 4) == 0)
            break;
        note_done(&batch);
        peal_queue_consumer_finish(&consumer, &batch);
    }
    peal_queue_consumer_close(&consumer);
}

/* Wherever the others just stand: nothing is lost and nothing contradicts itself. */
static void audit_amid(void)
{
    struct peal_audit_options wanted = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    static char first[256];
    EXPECT(peal_audit_walk_region(rig.base, rig.size_bytes, &wanted, &authority, &audit) ==
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
        const uint32_t chosen = random_below(&client->seed, 5);
        switch (client->role == PRODUCER ? 0 : client->role == CONSUMER ? 2 : chosen) {
        case 0:
        case 1:
            produce(client);
            break;
        case 2:
        case 3:
            consume(&client->region, &client->seed, 12, true);
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
static uint64_t redelivered;

static void judge_messages(void)
{
    const bool drops = options & PEAL_QUEUE_DROPS_HELD;
    for (uint32_t i = 0; i < message_count; i++) {
        const struct message *message = &ledger[i];
        taken += message->taken;
        redelivered += message->is_redelivered;
        EXPECT(message->push_end == 0 || message->is_done || message->is_dropped || drops);
        EXPECT(message->taken < 2 || message->is_redelivered);
    }
    if (!(options & PEAL_QUEUE_STRICT))
        return;
    for (uint32_t i = 0; i < message_count; i++)
        for (uint32_t j = 0; j < message_count; j++) {
            const struct message *a = &ledger[i];
            const struct message *b = &ledger[j];
            if (a->taken == 1 && b->taken == 1 && !a->is_redelivered && !b->is_redelivered &&
                a->push_end && a->push_end < b->push_begin)
                EXPECT(a->take_begin < b->take_end);
        }
}

static void judge_region(void)
{
    struct peal_audit_options wanted = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    static char first[256];
    EXPECT(peal_audit_walk_region(rig.base, rig.size_bytes, &wanted, &authority, &audit) ==
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
    static struct client clients[CLIENTS];
    struct baton_thread threads[CLIENTS] = {{0}};
    struct peal_region heir;
    uint64_t random = seed;
    wrong = NULL;
    message_count = handle_count = 0;
    now = 0;
    options = random_below(&random, 4);
    wish = (struct peal_queue_wish){
        .kind = PEAL_TOPIC_IS_QUEUE, .options = options, .message_bytes_max = 8};
    rig_open(&rig, 64, 3, seed);
    /* Two who push beside one who pops is where an order may go wrong. */
    const bool is_cast = random_below(&random, 2);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i].role = !is_cast ? ANY : i ? PRODUCER : CONSUMER;
        rig_join(&rig, i + 1, &clients[i].region);
        clients[i].seed = random_next(&random);
        threads[i] = (struct baton_thread){.body = live, .context = &clients[i]};
    }
    if (random_below(&random, 3))
        threads[random_below(&random, CLIENTS)].freezes_at = 1 + random_below(&random, 120);
    baton_run(threads, CLIENTS, random);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        rig_kill(&rig, i + 1);
        points += threads[i].passes;
        frozen += threads[i].is_frozen;
    }
    rig_join(&rig, HEIR, &heir);
    (void)peal_recover(&heir);
    consume(&heir, &random, 2 * MESSAGES_MAX, false);
    (void)peal_recover(&heir);
    judge_messages();
    judge_region();
    rig_close(&rig);
    return wrong;
}

static void random_interleavings_of_queues_account_for_all_messages(void **state)
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
            fail_msg("queue_schedule_test %" PRIu64 ": not so: %s", seed, what);
    }
    print_message("%" PRIu64 " interleavings of %" PRIu64 " points, %" PRIu64
                  " with one who stopped for ever, %" PRIu64 " messages taken, %" PRIu64
                  " redelivered\n",
                  played, points, frozen, taken, redelivered);
    assert_true(played > 20 && frozen > 5 && taken > 100 && redelivered > 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_interleavings_of_queues_account_for_all_messages),
    };
    if (count != 2)
        return cmocka_run_group_tests(tests, NULL, NULL);
    const char *what = play(strtoull(arguments[1], NULL, 10));
    printf("%s\n", what ? what : "all is well");
    return what != NULL;
}
