/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An observer over bytes that no honest client has written: it reads inside the region only, writes
 * nothing, hands out texts that end, and comes to an end itself, within a time that the region's size
 * bounds. Run it under AddressSanitizer, too: the copy has exactly the region's size.
 *
 *      observer_test                            five seconds
 *      PEAL_CAMPAIGN_SECONDS=N observer_test    N seconds
 */
#include "bus/bus_internal.h"
#include "core/observe.h"
#include "tests/support/sight.h"
#include "tests/support/topic_fixture.h"

#include <peal/peal.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define REGION_BYTES ((size_t)512 << 10)
#define WORDS (REGION_BYTES / 8)
#define TOPICS 8u
#define SECONDS_SHORT 5u

/* CPU time of one visit, under a sanitizer and beside others. One that goes round for ever is far beyond. */
#define VISIT_NS_MAX UINT64_C(1000000000)

static unsigned char *sound;
static unsigned char *spoilt;
static struct sight sight;
static struct {
    uint64_t visits, shown, peeks, peeked, longest_ns;
} told;

static uint64_t seconds(void)
{
    const char *wish = getenv("PEAL_CAMPAIGN_SECONDS");
    return wish ? strtoull(wish, NULL, 0) : SECONDS_SHORT;
}

static uint64_t cpu_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* ---- a sound region with something of everything, and a copy of it ---- */

static void use_topic(struct peal_bus *bus, const char *name, uint32_t bytes_max, bool has_options)
{
    static unsigned char bytes[8192];
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_EVICT);
    struct peal_message message;
    options.message_bytes_max = bytes_max;
    options.timestamp = has_options;
    options.crc32c = has_options;
    options.type_name = has_options ? "type" : NULL;
    struct peal_publisher *publisher = topic_publish(bus, name, &options);
    struct peal_subscriber *subscriber = topic_subscribe(bus, name, PEAL_RELIABLE);
    assert_true(publisher && subscriber);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(peal_publisher_publish(publisher, bytes, i % bytes_max), PEAL_OK);
    for (uint32_t i = 0; i < 3; i++)
        (void)peal_subscriber_take_copy(subscriber, bytes, sizeof(bytes), &message);
}

static void use_queue(struct peal_bus *bus, const char *name, bool strict)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue_message messages[2];
    struct peal_queue *queue;
    size_t count;
    options.depth = 16;
    options.strict = strict;
    options.drops_held = strict;
    assert_int_equal(peal_queue_create(bus, name, &options, &queue), PEAL_OK);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(peal_queue_push(queue, &i, sizeof(i)), PEAL_OK);
    assert_int_equal(peal_queue_take(queue, messages, 2, &count), PEAL_OK);
}

static int set_up(void **state)
{
    (void)state;
    static struct peal_bus *bus; /* what is opened here stays open */
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    options.size_bytes = REGION_BYTES;
    options.topics_max = TOPICS;
    if (peal_bus_open(&bus, "local:observer-hostile", &options) != PEAL_OK)
        return -1;
    use_topic(bus, "small", 40, false);
    use_topic(bus, "long", 6000, true);
    use_topic(bus, "long", 100, true);
    use_queue(bus, "jobs", false);
    use_queue(bus, "ordered", true);
    sound = aligned_alloc(4096, REGION_BYTES);
    spoilt = aligned_alloc(4096, REGION_BYTES);
    if (!sound || !spoilt || bus->region.size_bytes != REGION_BYTES)
        return -1;
    memcpy(sound, bus->region.base, REGION_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(sound);
    free(spoilt);
    return 0;
}

/* ---- looking ---- */

static uint64_t some_members(void *context)
{
    return random_next(context);
}

static void look(uint64_t *seed)
{
    unsigned char buffer[512];
    struct peal_message message;
    const struct peal_observer_visitor visitor = sight_visitor(&sight);
    const struct peal_authority authority = {.members = some_members, .context = seed};
    const uint64_t begin_ns = cpu_ns();
    if (peal_observe_region(spoilt, REGION_BYTES, &visitor,
                            random_below(seed, 2) ? &authority : NULL) == PEAL_OK) {
        told.shown++;
        assert_true(sight.topics <= TOPICS && sight.clients <= PEAL_CLIENTS_MAX);
        assert_true(sight.publishers <= TOPICS * PEAL_TOPIC_LANES_MAX);
        assert_true(sight.subscribers <=
                    TOPICS * PEAL_TOPIC_SUBSCRIBERS_MAX * PEAL_TOPIC_LANES_MAX);
    }
    const uint64_t took_ns = cpu_ns() - begin_ns;
    told.longest_ns = took_ns > told.longest_ns ? took_ns : told.longest_ns;
    told.visits++;
    for (uint32_t i = 0; i < sight.topics && i < SIGHT_MAX; i++)
        assert_true(sight.topic_names[i][0] != '\n' && sight.type_names[i][0] != '\n');
    for (uint32_t i = 0; i < sight.publishers && i < SIGHT_MAX; i++)
        assert_true(sight.publisher_names[i][0] != '\n');
    for (uint32_t i = 0; i < sight.clients && i < SIGHT_MAX; i++)
        assert_true(sight.client_names[i][0] != '\n');
    for (uint32_t i = 0; i < 8; i++) {
        uint64_t number = random_below(seed, 8) ? random_below(seed, 34) : random_next(seed);
        size_t capacity = random_below(seed, sizeof(buffer) + 1);
        enum peal_status status =
            peal_observe_message(spoilt, REGION_BYTES, random_below(seed, TOPICS + 1),
                                 random_below(seed, 3), number, buffer, capacity, &message);
        told.peeks++;
        if (status != PEAL_OK)
            continue;
        told.peeked++;
        assert_true(message.size_bytes <= capacity);
        assert_int_equal(message.number, number);
    }
}

/* ---- spoiling ---- */

/* The first word and the number of words of a part of the region. */
static void choose_part(uint64_t *seed, size_t *first, size_t *count)
{
    const size_t directory = 20480 / 8;
    const size_t map = directory + TOPICS * 2048 / 8;
    const size_t data = map + 512;
    switch (random_below(seed, 8)) {
    case 0:
        *first = 512, *count = directory - 512;
        break;
    case 1: /* a topic */
        *first = directory + random_below(seed, TOPICS) * 256, *count = 256;
        break;
    case 2: /* lanes of a topic */
        *first = directory + random_below(seed, TOPICS) * 256 + 128, *count = 128;
        break;
    case 3:
        *first = map, *count = WORDS / 512;
        break;
    case 4: /* the header; rarely what makes it one */
        *first = random_below(seed, 16) ? 6 : 0, *count = 512 - *first;
        break;
    case 5: /* the head of some page */
        *first = data + random_below(seed, (uint32_t)((WORDS - data) / 512)) * 512, *count = 64;
        break;
    default:
        *first = data, *count = WORDS - data;
    }
}

static uint64_t lie(uint64_t *seed, uint64_t truth)
{
    switch (random_below(seed, 8)) {
    case 0:
        return truth + random_below(seed, 9) - 4;
    case 1:
        return truth ^ UINT64_C(1) << random_below(seed, 64);
    case 2:
        return random_below(seed, 256);
    case 3:
        return UINT64_MAX - random_below(seed, 4);
    case 4:
        return (truth & UINT32_MAX) | (uint64_t)random_below(seed, UINT32_MAX) << 32;
    case 5: /* another word of the region */
        return peal_u64_load_relaxed((peal_u64 *)(void *)sound + random_below(seed, WORDS));
    case 6:
        return truth;
    default:
        return random_next(seed);
    }
}

static void spoil(uint64_t *seed, uint32_t words)
{
    peal_u64 *memory = (peal_u64 *)(void *)spoilt;
    size_t first, count;
    for (uint32_t i = 0; i < words; i++) {
        choose_part(seed, &first, &count);
        peal_u64 *word = &memory[first + random_below(seed, (uint32_t)count)];
        peal_u64_store_relaxed(word, lie(seed, peal_u64_load_relaxed(word)));
    }
}

/* A whole part of random bytes. */
static void drown(uint64_t *seed)
{
    size_t first, count;
    choose_part(seed, &first, &count);
    for (size_t i = 0; i < count; i++)
        peal_u64_store_relaxed((peal_u64 *)(void *)spoilt + first + i, random_next(seed));
}

static void any_bytes_are_looked_at_without_harm(void **state)
{
    (void)state;
    static unsigned char before[REGION_BYTES];
    uint64_t seed = random_seed();
    const uint64_t end_ns = peal_clock_ns() + seconds() * UINT64_C(500000000);
    memset(&told, 0, sizeof(told));
    while (peal_clock_ns() < end_ns) {
        memcpy(spoilt, sound, REGION_BYTES);
        if (random_below(&seed, 4))
            spoil(&seed, 1 + random_below(&seed, 64));
        else
            drown(&seed);
        memcpy(before, spoilt, REGION_BYTES);
        look(&seed);
        assert_memory_equal(before, spoilt, REGION_BYTES);
    }
    printf("%" PRIu64 " regions, %" PRIu64 " looked into, %" PRIu64 " of %" PRIu64
           " messages; longest %" PRIu64 " us\n",
           told.visits, told.shown, told.peeked, told.peeks, told.longest_ns / 1000);
    assert_true(told.shown > told.visits / 2 && told.peeked > 0);
    assert_true(told.longest_ns < VISIT_NS_MAX);
}

static peal_u32 is_over;

static void *scribble(void *context)
{
    uint64_t seed = *(const uint64_t *)context + 1;
    while (!peal_u32_load_relaxed(&is_over)) {
        spoil(&seed, 8);
        for (size_t i = 0; i < 6; i++) /* with a spoilt header nobody looks further */
            peal_u64_store_relaxed((peal_u64 *)(void *)spoilt + i,
                                   peal_u64_load_relaxed((peal_u64 *)(void *)sound + i));
        if (random_below(&seed, 64) == 0) { /* make some of it sound again */
            size_t first, count;
            choose_part(&seed, &first, &count);
            for (size_t i = 0; i < count; i++)
                peal_u64_store_relaxed(
                    (peal_u64 *)(void *)spoilt + first + i,
                    peal_u64_load_relaxed((peal_u64 *)(void *)sound + first + i));
        }
    }
    return NULL;
}

static void bytes_that_change_meanwhile_do_no_harm(void **state)
{
    (void)state;
    pthread_t thread;
    uint64_t seed = random_seed();
    const uint64_t end_ns = peal_clock_ns() + seconds() * UINT64_C(500000000);
    memset(&told, 0, sizeof(told));
    memcpy(spoilt, sound, REGION_BYTES);
    peal_u32_store_relaxed(&is_over, 0);
    assert_int_equal(pthread_create(&thread, NULL, scribble, &seed), 0);
    while (peal_clock_ns() < end_ns)
        look(&seed);
    peal_u32_store_relaxed(&is_over, 1);
    (void)pthread_join(thread, NULL);
    printf("%" PRIu64 " visits, %" PRIu64 " of %" PRIu64 " messages; longest %" PRIu64 " us\n",
           told.visits, told.peeked, told.peeks, told.longest_ns / 1000);
    assert_true(told.shown > 0 && told.peeked > 0);
    assert_true(told.longest_ns < VISIT_NS_MAX);
}

/* Every lane of every topic claims all pages: each look at one costs a look at the whole page map. */
static void overlapping_lanes_do_not_multiply_the_steps(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    memset(&told, 0, sizeof(told));
    memcpy(spoilt, sound, REGION_BYTES);
    struct peal_region region;
    assert_int_equal(peal_region_look(&region, spoilt, REGION_BYTES), PEAL_OK);
    for (uint32_t t = 0; t < TOPICS; t++) {
        const struct peal_lane_entry_shared pattern = region.topics[0].lanes[0];
        peal_u64_store_relaxed(&region.topics[t].owner,
                               peal_u64_load_relaxed(&region.topics[0].owner));
        for (uint32_t l = 0; l < PEAL_TOPIC_LANES_MAX; l++) {
            region.topics[t].lanes[l] = pattern;
            peal_u32_store_relaxed(&region.topics[t].lanes[l].first_page, region.first_data_page);
            peal_u32_store_relaxed(&region.topics[t].lanes[l].page_count,
                                   region.page_count - region.first_data_page);
        }
    }
    const struct peal_observer_visitor visitor = sight_visitor(&sight);
    assert_int_equal(peal_observe_region(spoilt, REGION_BYTES, &visitor, NULL), PEAL_OK);
    assert_int_equal(sight.publishers, TOPICS * PEAL_TOPIC_LANES_MAX);
    uint32_t spoilt_ones = 0;
    for (uint32_t i = 0; i < SIGHT_MAX; i++)
        spoilt_ones += sight.publisher[i].is_spoilt;
    assert_int_equal(spoilt_ones, SIGHT_MAX);
    look(&seed);
    assert_true(told.longest_ns < VISIT_NS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_are_looked_at_without_harm),
        cmocka_unit_test(bytes_that_change_meanwhile_do_no_harm),
        cmocka_unit_test(overlapping_lanes_do_not_multiply_the_steps),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
