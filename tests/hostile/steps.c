/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step bound of each call (docs/reliability.md): how often it looks at, or writes, a word that may be shared. This program is
 * linked with a Peal of its own (counted.h), in which a peer may act before each single access: so it changes words between any
 * check and any use, and no two reads of a word need agree. Same seed, same run.
 *
 * In the first test the peer lies about lanes: cursors, claims, counts, tickets, lengths, stamps, tags, shapes. In the second
 * about the directory and the page map as well, so that each call may have to look after the region, too.
 */
#include "bus/queue_internal.h"
#include "core/lane_shared.h"
#include "core/queue_shared.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <peal/peal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

uint64_t hostile_steps;
void (*hostile_peer)(void);

#define REGION_BYTES (UINT64_C(512) << 10)
#define BATCH 8u
#define MESSAGE_BYTES 48u

enum call {
    PUSH,
    PUSH_BATCH,
    POP,
    POP_BATCH,
    TAKE,
    DONE,
    STATS,
    QUEUE_WAIT,
    QUEUE_CREATE,
    QUEUE_CLOSE,
    PUBLISH,
    TOPIC_TAKE,
    TAKE_COPY,
    RELEASE,
    TOPIC_WAIT,
    TOPIC_CREATE,
    TOPIC_CLOSE,
    RECOVER,
    AUDIT,
    CALLS
};
static const char *const texts[CALLS] = {
    "push",           "push_batch",    "pop",       "pop_batch", "take",
    "done",           "stats",         "wait",      "create",    "close",
    "publish",        "take_batch",    "take_copy", "release",   "wait (topic)",
    "create (topic)", "close (topic)", "recover",   "audit"};

static uint64_t counts[CALLS];
static uint64_t longest[CALLS];
static uint64_t bounds[CALLS];
static uint64_t lies;

/* ---- the peer ---- */

static struct peal_bus *victim; /* whose region it writes */
static uint64_t peer_seed;
static uint32_t one_in; /* steps */
static bool spares_directory;
static unsigned char *data_pages;
static size_t data_words;

static uint64_t lie(uint64_t truth)
{
    switch (random_below(&peer_seed, 7)) {
    case 0:
        return truth + random_below(&peer_seed, 9) - 4;
    case 1:
        return truth ^ UINT64_C(1) << random_below(&peer_seed, 64);
    case 2:
        return random_next(&peer_seed) >> random_below(&peer_seed, 64);
    case 3: /* a claim, or a cursor */
        return (uint64_t)random_below(&peer_seed, 40) << 48 | random_below(&peer_seed, 40) |
               (uint64_t)random_below(&peer_seed, 4) << 62;
    case 4:
        return 0 - (uint64_t)random_below(&peer_seed, 64);
    case 5: /* what stands in a word beside it */
        return truth << 32 | truth >> 32;
    default:
        return 0;
    }
}

/* A word of a page in which a lane may begin: shape, drops, count, cursor, readers, lengths and slots. */
static size_t aim_at_lane(void)
{
    static const uint32_t heads[] = {0, 2, 4, 16, 17, 18, 32, 48, 49};
    const size_t page = random_below(&peer_seed, (uint32_t)(data_words / 512)) * 512u;
    switch (random_below(&peer_seed, 4)) {
    case 0:
        return page + heads[random_below(&peer_seed, sizeof(heads) / sizeof(heads[0]))];
    case 1:
        return page + 64 + random_below(&peer_seed, 4) * 16u + random_below(&peer_seed, 7);
    case 2: /* the page after the head's first: lengths, tickets, slots */
        return page + 64 + random_below(&peer_seed, 64);
    default:
        return page + random_below(&peer_seed, 512);
    }
}

static void act(void)
{
    if (random_below(&peer_seed, one_in))
        return;
    peal_u64 *word = (peal_u64 *)(void *)data_pages + aim_at_lane() % data_words;
    if (!spares_directory && random_below(&peer_seed, 2)) {
        peal_u64 *base = (peal_u64 *)(void *)victim->transport->base;
        const size_t before = (size_t)(data_pages - victim->transport->base) / 8;
        /* The header is left to others: without it nobody does anything. */
        word = &base[512 + random_next(&peer_seed) % (before - 512)];
    }
    peal_u64_store_relaxed(word, lie(peal_u64_load_relaxed(word)));
    lies++;
}

/* ---- calls ---- */

static void count_from(enum call call, uint64_t before)
{
    uint64_t took = hostile_steps - before;
    counts[call]++;
    if (took > longest[call])
        longest[call] = took;
    if (took > bounds[call])
        fail_msg("%s took %" PRIu64 " steps, and its bound is %" PRIu64, texts[call], took,
                 bounds[call]);
}

#define COUNT(call, expression)                                                                    \
    do {                                                                                           \
        uint64_t steps_before = hostile_steps;                                                     \
        (void)(expression);                                                                        \
        count_from(call, steps_before);                                                            \
    } while (0)

struct part {
    struct peal_bus *bus;
    struct peal_queue *queue;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
};

static void read_all(const struct peal_queue_message *messages, size_t count)
{
    static unsigned char bytes[MESSAGE_BYTES];
    for (size_t i = 0; i < count; i++) {
        assert_true(messages[i].size_bytes <= MESSAGE_BYTES);
        memcpy(bytes, messages[i].data, messages[i].size_bytes);
    }
}

static void use_queue(struct part *part, uint64_t *seed)
{
    static unsigned char bytes[BATCH * MESSAGE_BYTES];
    struct peal_queue_message messages[BATCH];
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    size_t count = 0;
    switch (random_below(seed, 8)) {
    case 0:
    case 1:
        COUNT(PUSH, peal_queue_push(part->queue, bytes, random_below(seed, MESSAGE_BYTES + 1)));
        break;
    case 2: {
        struct peal_slice slices[BATCH];
        const size_t most = 1 + random_below(seed, BATCH);
        for (size_t i = 0; i < most; i++)
            slices[i] = (struct peal_slice){bytes, random_below(seed, MESSAGE_BYTES + 1)};
        if (random_below(seed, 2))
            COUNT(PUSH_BATCH, peal_queue_push_slices(part->queue, slices, most, &count));
        else
            COUNT(PUSH_BATCH,
                  peal_queue_push_batch(part->queue, bytes, MESSAGE_BYTES, most, &count));
        assert_true(count <= most);
        break;
    }
    case 3:
        COUNT(POP, peal_queue_pop(part->queue, bytes, MESSAGE_BYTES, messages));
        break;
    case 4:
        COUNT(POP_BATCH,
              peal_queue_pop_batch(part->queue, bytes, MESSAGE_BYTES, messages, BATCH, &count));
        assert_true(count <= BATCH);
        break;
    case 5: {
        enum peal_status status;
        COUNT(TAKE, status = peal_queue_take(part->queue, messages, BATCH, &count));
        if (status == PEAL_OK)
            read_all(messages, count);
        COUNT(DONE, peal_queue_done(part->queue));
        break;
    }
    case 6:
        COUNT(STATS, peal_queue_stats(part->queue, &stats));
        break;
    default:
        COUNT(QUEUE_WAIT, peal_queue_wait(part->queue, 0));
    }
}

static void use_topic(struct part *part, uint64_t *seed)
{
    static unsigned char bytes[4096];
    struct peal_message messages[BATCH];
    size_t count = 0;
    switch (random_below(seed, 4)) {
    case 0:
        if (part->publisher)
            COUNT(PUBLISH, peal_publisher_publish(part->publisher, bytes,
                                                  random_below(seed, MESSAGE_BYTES + 1)));
        break;
    case 1:
        if (!part->subscriber)
            break;
        COUNT(TOPIC_TAKE, peal_subscriber_take_batch(part->subscriber, messages, BATCH, &count));
        COUNT(RELEASE, peal_subscriber_release_batch(part->subscriber, messages, count, NULL));
        break;
    case 2:
        if (part->subscriber)
            COUNT(TAKE_COPY,
                  peal_subscriber_take_copy(part->subscriber, bytes, sizeof(bytes), &messages[0]));
        break;
    default:
        if (part->subscriber)
            COUNT(TOPIC_WAIT, peal_subscriber_wait(part->subscriber, 0));
    }
}

static void look_after(struct part *part)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    COUNT(RECOVER, peal_bus_recover(part->bus, NULL));
    COUNT(AUDIT, peal_bus_audit(part->bus, NULL, &audit));
}

static void begin(struct part *part, bool strict, uint64_t *seed)
{
    struct peal_publisher_options publishing = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_queue_options queueing = PEAL_QUEUE_OPTIONS_INIT;
    publishing.depth = 8;
    publishing.message_bytes_max = MESSAGE_BYTES;
    publishing.full_policy = random_below(seed, 2) ? PEAL_FULL_EVICT : PEAL_FULL_REFUSE;
    queueing.depth = 8;
    queueing.message_bytes_max = MESSAGE_BYTES;
    queueing.strict = strict;
    queueing.full_policy = (enum peal_queue_full_policy)(1 + random_below(seed, 3));
    COUNT(QUEUE_CREATE, peal_queue_create(part->bus, "q", &queueing, &part->queue));
    COUNT(TOPIC_CREATE, peal_subscriber_create(part->bus, "t", NULL, &part->subscriber));
    COUNT(TOPIC_CREATE, peal_publisher_create(part->bus, "t", &publishing, &part->publisher));
}

static void end(struct part *part)
{
    COUNT(QUEUE_CLOSE, peal_queue_close(part->queue));
    COUNT(TOPIC_CLOSE, peal_publisher_close(part->publisher));
    COUNT(TOPIC_CLOSE, peal_subscriber_close(part->subscriber));
}

static struct peal_bus *open_bus(const char *url)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = REGION_BYTES;
    options.topics_max = 4;
    options.spin_ns = 1;
    options.safety_net_ns = UINT64_C(1) << 62; /* recovery is counted for itself */
    assert_int_equal(peal_bus_open(&bus, url, &options), PEAL_OK);
    return bus;
}

/* Three clients of one region that is sound in the beginning, and a peer that acts in each call of theirs. */
static void live(uint64_t seed)
{
    struct part parts[3] = {{0}};
    const bool strict = random_below(&seed, 2);
    hostile_peer = NULL;
    for (uint32_t i = 0; i < 3; i++)
        parts[i].bus = open_bus("local:steps");
    victim = parts[0].bus;
    data_pages = victim->region.base + (size_t)victim->region.first_data_page * PEAL_PAGE_BYTES;
    data_words = (size_t)(victim->region.page_count - victim->region.first_data_page) * 512;
    peer_seed = random_next(&seed);
    one_in = 4u << random_below(&seed, 8);
    if (random_below(&seed, 4) == 0)
        hostile_peer = act;
    for (uint32_t i = 0; i < 3; i++)
        begin(&parts[i], strict, &seed);
    hostile_peer = act;
    for (uint32_t step = 0; step < 300; step++) {
        struct part *part = &parts[random_below(&seed, 3)];
        if (part->queue)
            use_queue(part, &seed);
        use_topic(part, &seed);
        if (!spares_directory && random_below(&seed, 64) == 0)
            look_after(part);
        if (random_below(&seed, 32) == 0) {
            end(part);
            begin(part, strict, &seed);
        }
    }
    for (uint32_t i = 0; i < 3; i++)
        end(&parts[i]);
    hostile_peer = NULL;
    for (uint32_t i = 0; i < 3; i++)
        peal_bus_close(parts[i].bus);
    (void)peal_unlink("local:steps");
}

static void live_for(uint64_t duration_ns)
{
    uint64_t seed = random_seed();
    const uint64_t end_ns = test_now_ns() + duration_ns;
    uint32_t rounds = 0;
    memset(counts, 0, sizeof(counts));
    memset(longest, 0, sizeof(longest));
    lies = 0;
    for (; test_now_ns() < end_ns; rounds++)
        live(seed++);
    print_message("%" PRIu32 " regions, %" PRIu64 " lies\n", rounds, lies);
    for (int i = 0; i < CALLS; i++)
        if (counts[i])
            print_message("%-15s %9" PRIu64 " calls, at most %8" PRIu64 " steps of %" PRIu64 "\n",
                          texts[i], counts[i], longest[i], bounds[i]);
    assert_true(lies > 1000 && rounds > 3);
    for (int i = 0; i <= TOPIC_CLOSE; i++)
        assert_true(counts[i] > 0);
}

/* ---- the bounds: docs/reliability.md derives them ---- */

enum { L = PEAL_TOPIC_LANES_MAX, S = PEAL_TOPIC_SUBSCRIBERS_MAX, T = 4, ATTEMPTS = 64, SHOWN = 17 };

static void set_bounds(bool with_directory)
{
    const uint64_t pages = REGION_BYTES / PEAL_PAGE_BYTES;
    /* To judge a lane that may be given back, and to give it back. */
    const uint64_t reclaim = ATTEMPTS * (4 * pages + 1000) + 2 * pages;
    const uint64_t look = with_directory ? L * (reclaim + pages + 100) : 0;
    const uint64_t tidy = L * reclaim + 1000;
    const uint64_t adopt = with_directory ? (S + 1) * (look + tidy + L * 32) : 0;
    const uint64_t gate = S + 2;
    const uint64_t drop = ATTEMPTS * 5 + 2;
    /* A bucket for each client that is rung, and our counters shown, twice. */
    const uint64_t bell = 1 + S + 64 * 24 + 2 * SHOWN;
    bounds[PUSH] = 2 * gate + drop + 8 + bell;
    bounds[PUSH_BATCH] = BATCH * (2 * gate + drop + 8) + bell;
    const uint64_t lanes = with_directory ? L : 3;
    const uint64_t in_turn = lanes * (ATTEMPTS * 8 + 3 + reclaim);
    const uint64_t in_order =
        ATTEMPTS * (2 * lanes * (ATTEMPTS * 4 + 1) + look + BATCH + 8) + lanes * (reclaim + 4);
    bounds[POP] = adopt + in_turn + in_order + BATCH + 40 + SHOWN;
    bounds[POP_BATCH] = bounds[POP];
    bounds[TAKE] = bounds[POP];
    bounds[DONE] = 8 + 64 * 24 + 2 * SHOWN;
    bounds[STATS] = 1 + L * (S + 2);
    bounds[QUEUE_WAIT] = 64 * (S + L * 6 + 16);
    bounds[PUBLISH] = 8 * (S * 8 + MESSAGE_BYTES / 8 + 40);
    bounds[TOPIC_TAKE] = 2 * L * (reclaim + pages + 100) + BATCH * 64 + L * ATTEMPTS;
    bounds[TAKE_COPY] = bounds[TOPIC_TAKE] + 4096 / 8;
    bounds[RELEASE] = BATCH * 64;
    bounds[TOPIC_WAIT] = 64 * (2 * L * (reclaim + pages + 100) + 200);
    bounds[QUEUE_CREATE] = bounds[TOPIC_CREATE] =
        ATTEMPTS * (4096 + T * 400 + 2 * S * (L * (pages + 50) + tidy) + 4 * tidy) + adopt +
        4 * L * reclaim;
    bounds[QUEUE_CLOSE] = bounds[TOPIC_CLOSE] = L * reclaim + 4 * tidy + S * (L * 64);
    bounds[RECOVER] = T * (S * (L * (pages + 50) + tidy) + 2 * tidy) + 4 * pages + 400;
    bounds[AUDIT] = 2 * (UINT64_C(1) << 21) + 64 * pages + T * L * (S * 64 + pages);
}

static uint64_t duration_ns(void)
{
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    return (seconds ? strtoull(seconds, NULL, 10) : 4) * UINT64_C(1000000000);
}

static void no_call_goes_beyond_its_steps_while_a_peer_lies_about_lanes(void **state)
{
    (void)state;
    spares_directory = true;
    set_bounds(false);
    live_for(duration_ns());
}

static void no_call_goes_beyond_its_steps_while_a_peer_lies_about_everything(void **state)
{
    (void)state;
    spares_directory = false;
    set_bounds(true);
    live_for(duration_ns());
    assert_true(counts[RECOVER] > 0 && counts[AUDIT] > 0);
}

/* ---- two reads of what was agreed ---- */

/* Another size for each queue before each access to anything. */
static void change_sizes(void)
{
    static uint32_t turn;
    turn++;
    for (uint32_t i = 0; i < victim->region.topics_max; i++)
        peal_u32_store_relaxed(&victim->region.topics[i].queue.message_bytes_max,
                               turn % 3 ? 16 : 4096);
}

/* What pop() measures the caller's buffer by is what the lanes were judged by, not the word read again. */
static void a_message_size_that_changes_while_a_handle_is_made_is_read_once(void **state)
{
    (void)state;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *keeper;
    uint32_t sizes = 0;
    victim = open_bus("local:sizes");
    options.message_bytes_max = 16;
    options.uses = PEAL_QUEUE_POP;
    assert_int_equal(peal_queue_create(victim, "q", &options, &keeper), PEAL_OK);
    options.message_bytes_max = 0;
    options.depth = 2;
    for (uint32_t i = 0; i < 60; i++) {
        struct peal_queue *queue;
        options.uses = i % 2 ? PEAL_QUEUE_POP : PEAL_QUEUE_POP | PEAL_QUEUE_PUSH;
        hostile_peer = change_sizes;
        (void)peal_queue_create(victim, "q", &options, &queue);
        hostile_peer = NULL;
        if (!queue)
            continue;
        assert_int_equal(peal_queue_message_bytes_max(queue), queue->consumer.message_bytes_max);
        sizes |= queue->consumer.message_bytes_max == 16 ? 1u : 2u;
        for (uint32_t j = 0; j < queue->consumer.joined_count; j++)
            assert_int_equal(queue->consumer.joined[j].source.message_bytes_max,
                             queue->consumer.message_bytes_max);
        peal_queue_close(queue);
        change_sizes(); /* or each handle might meet the same turn */
    }
    assert_int_equal(sizes, 3); /* both were seen, or this has shown nothing */
    peal_queue_close(keeper);
    peal_bus_close(victim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_goes_beyond_its_steps_while_a_peer_lies_about_lanes),
        cmocka_unit_test(no_call_goes_beyond_its_steps_while_a_peer_lies_about_everything),
        cmocka_unit_test(a_message_size_that_changes_while_a_handle_is_made_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
