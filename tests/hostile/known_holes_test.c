/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes that other rings and buses in shared memory had, each as a test of its own: a peer that does this must get
 * nothing out of it.
 */
#include "core/audit.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/pages.h"
#include "core/recover.h"
#include "core/spsc.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_fixture.h"
#include "tests/support/region_rig.h"
#include "tests/support/topic_fixture.h"
#include "tests/support/word_change.h"

#include "bus/bus_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct lane_fixture lane;
static struct peal_lane_reader reader;

/* A lane of 8 slots with a payload ring of 1 KiB, and a reliable reader that has read 3 of 4 messages. */
static void open_lane(void)
{
    struct peal_message message;
    unsigned char bytes[1024];
    assert_int_equal(lane_fixture_open(&lane, 8, 1024, 1024, 0), PEAL_OK);
    assert_int_equal(lane_fixture_join(&lane, &reader, 0, LANE_RELIABLE), PEAL_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(lane_fixture_put(&lane, 8), PEAL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(peal_lane_take_copy(&reader, bytes, sizeof(bytes), &message), PEAL_OK);
}

/* What the reader says of message 3 with these words in its slot. */
static enum peal_status take_with(uint32_t length, uint32_t kind, uint64_t position)
{
    struct peal_message message;
    unsigned char *bytes = malloc(1024);
    assert_non_null(bytes);
    open_lane();
    struct peal_slot_shared *slot = lane_fixture_slot(&lane, 3);
    peal_u32_store_relaxed(&slot->length, length);
    peal_u32_store_relaxed(&slot->kind, kind);
    peal_u64_store_relaxed(&slot->body[0], position);
    enum peal_status status = peal_lane_take_copy(&reader, bytes, 1024, &message);
    lane_fixture_close(&lane);
    free(bytes);
    return status;
}

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;
static struct peal_lane_place place;

/* A region with a lane of `own` on the topic "a". */
static void open_region(void)
{
    struct peal_lane_shared *memory;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 1, &own);
    rig_join(&rig, 2, &other);
    assert_int_equal(peal_topic_claim_lane(&own, "a", NULL, &place.topic, &place.lane, &place.word),
                     PEAL_OK);
    assert_int_equal(peal_lane_allocate(&own, &place, 2 * PEAL_PAGE_BYTES, 1, &memory), PEAL_OK);
    assert_int_equal(peal_lane_open(&own, &place), PEAL_OK);
}

static enum peal_status join_lane(uint32_t index)
{
    uint32_t topic, entry;
    uint64_t word;
    struct peal_lane_found found;
    assert_int_equal(peal_topic_subscribe(&other, "a", NULL, 0, &topic, &entry, &word), PEAL_OK);
    enum peal_status status = peal_lane_join(&other, topic, index, entry, word, &found);
    if (status == PEAL_OK)
        peal_lane_leave(&other, topic, index, entry, word, found.memory);
    peal_topic_unsubscribe(&other, topic, entry, word);
    return status;
}

static enum peal_status join_with_pages(uint32_t first, uint32_t count)
{
    open_region();
    struct peal_lane_entry_shared *entry = &own.topics[place.topic].lanes[place.lane];
    peal_u32_store_relaxed(&entry->first_page, first);
    peal_u32_store_relaxed(&entry->page_count, count);
    enum peal_status status = join_lane(place.lane);
    (void)peal_recover(&other);
    rig_close(&rig);
    return status;
}

static void length_and_offset_whose_sum_overflows_32_bits_are_refused(void **state)
{
    (void)state;
    assert_int_equal(take_with(64, PEAL_SLOT_RING, 960), PEAL_OK);
    assert_int_equal(take_with(UINT32_MAX - 63, PEAL_SLOT_RING, 64), PEAL_ECORRUPT);
    assert_int_equal(take_with(UINT32_MAX - 959, PEAL_SLOT_RING, 960), PEAL_ECORRUPT);
    assert_int_equal(take_with(64, PEAL_SLOT_RING, (UINT64_C(1) << 32) - 64), PEAL_OK);
    assert_int_equal(take_with(65, PEAL_SLOT_RING, (UINT64_C(1) << 32) - 64), PEAL_ECORRUPT);
    assert_int_equal(take_with(1024, PEAL_SLOT_RING, UINT64_MAX - 63), PEAL_ECORRUPT);
    assert_int_equal(join_with_pages(UINT32_MAX, 2), PEAL_ECORRUPT);
    assert_int_equal(join_with_pages(20, UINT32_MAX - 19), PEAL_ECORRUPT);
    assert_int_equal(join_with_pages(20, UINT32_MAX), PEAL_ECORRUPT);
}

static void a_slot_count_larger_than_the_ring_is_refused(void **state)
{
    (void)state;
    struct peal_lane_reader again;
    const struct peal_lane_reader_wish wish = LANE_RELIABLE;
    for (uint32_t depth = 16; depth != 0; depth *= 2) {
        open_lane();
        peal_u32_store_relaxed(&lane.lane->geometry.depth, depth);
        assert_int_equal(
            peal_lane_reader_begin(&again, lane.lane, lane.geometry.size_bytes, 1, &wish),
            PEAL_ECORRUPT);
        lane_fixture_close(&lane);
    }
}

/* ---- an spsc ring of 8 elements ---- */

static _Alignas(128) unsigned char ring[1024];
static struct peal_spsc_shared *const ring_words = (struct peal_spsc_shared *)(void *)ring;
static struct peal_spsc_producer producer;
static struct peal_spsc_consumer consumer;

static void open_ring(void)
{
    assert_int_equal(peal_spsc_format(ring, sizeof(ring), 8, 8), PEAL_OK);
    assert_int_equal(peal_spsc_producer_join(&producer, ring, sizeof(ring), 8), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_join(&consumer, ring, sizeof(ring), 8), PEAL_OK);
}

static void push(uint32_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(peal_spsc_producer_push(&producer, &i), PEAL_OK);
}

static enum peal_status pop(uint32_t count)
{
    enum peal_status status = PEAL_OK;
    uint64_t element;
    for (uint32_t i = 0; i < count && status == PEAL_OK; i++)
        status = peal_spsc_consumer_pop(&consumer, &element);
    return status;
}

static void a_head_beyond_the_size_is_refused(void **state)
{
    (void)state;
    struct peal_spsc_consumer late;
    static const uint64_t tails[] = {9, 4096, UINT64_C(1) << 32, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        open_ring();
        peal_u64_store_relaxed(&ring_words->producer.tail, tails[i]);
        assert_int_equal(pop(1), PEAL_ECORRUPT);
        assert_int_equal(peal_spsc_consumer_join(&late, ring, sizeof(ring), 8), PEAL_ECORRUPT);
        /* A stamp of a message that the lane cannot have come to. */
        struct peal_message message;
        uint64_t bytes[128];
        open_lane();
        peal_u64_store_relaxed(&lane_fixture_slot(&lane, 3)->stamp, 2 * tails[i] + 2 + 7);
        enum peal_status status = peal_lane_take_copy(&reader, bytes, sizeof(bytes), &message);
        assert_true(status == PEAL_ECORRUPT || status == PEAL_EMPTY);
        lane_fixture_close(&lane);
    }
}

static void a_cursor_that_goes_backwards_overwrites_nothing(void **state)
{
    (void)state;
    open_ring();
    push(8);
    assert_int_equal(pop(8), PEAL_OK);
    push(8);
    assert_int_equal(pop(1), PEAL_OK); /* it has seen 16 */
    peal_u64_store_relaxed(&ring_words->producer.tail, 12);
    assert_int_equal(pop(16), PEAL_ECORRUPT);
    peal_u64_store_relaxed(&ring_words->consumer.head, 3);
    uint64_t element = 1;
    enum peal_status status = PEAL_OK;
    for (int i = 0; i < 16 && status == PEAL_OK; i++)
        status = peal_spsc_producer_push(&producer, &element);
    assert_int_equal(status, PEAL_ECORRUPT);
    /* In a lane a subscriber that takes its acknowledgement back shuts the gate, and that is all. */
    open_lane();
    (void)peal_lane_acknowledge(&reader, true);
    for (int i = 0; i < 5; i++)
        assert_int_equal(lane_fixture_put(&lane, 8), PEAL_OK);
    peal_u64_store_relaxed(&lane.lane->readers[0].cursor, 0);
    status = PEAL_OK;
    for (int i = 0; i < 8 && status == PEAL_OK; i++)
        status = lane_fixture_put(&lane, 8);
    assert_int_equal(status, PEAL_FULL);
    lane_fixture_close(&lane);
}

static void a_capacity_changed_after_the_attach_is_not_looked_at(void **state)
{
    (void)state;
    struct peal_message message;
    uint64_t bytes[128];
    open_ring();
    peal_u64_store_relaxed(&ring_words->initialiser.capacity, UINT64_C(1) << 31);
    peal_u32_store_relaxed(&ring_words->initialiser.element_bytes, 1u << 20);
    for (int turn = 0; turn < 20; turn++) {
        push(5);
        assert_int_equal(pop(5), PEAL_OK);
    }
    open_lane();
    peal_u32_store_relaxed(&lane.lane->geometry.depth, 1u << 20);
    peal_u32_store_relaxed(&lane.lane->geometry.stride_bytes, 4096);
    peal_u64_store_relaxed(&lane.lane->geometry.payload_bytes, UINT64_C(1) << 40);
    peal_u32_store_relaxed(&lane.lane->geometry.message_bytes_max, UINT32_MAX);
    for (uint64_t number = 3; number < 100; number++) {
        assert_int_equal(peal_lane_take_copy(&reader, bytes, sizeof(bytes), &message), PEAL_OK);
        assert_int_equal(message.number, number);
        (void)peal_lane_acknowledge(&reader, true);
        assert_int_equal(lane_fixture_put(&lane, number % 2 ? 8 : 900), PEAL_OK);
    }
    lane_fixture_close(&lane);
    /* The region's own header. */
    open_region();
    peal_u64_store_relaxed(&own.header->layout.size_bytes, UINT64_C(1) << 40);
    peal_u32_store_relaxed(&own.header->layout.topics_max, 1u << 17);
    assert_int_equal(join_lane(place.lane), PEAL_OK);
    (void)peal_recover(&own);
    rig_close(&rig);
}

/* ---- a length that changes after its check ---- */

#define BUFFER_BYTES 8192u
#define CAPACITY_BYTES 40u

/* In the child: takes message 3 once, between two signals. 0: nothing beyond the buffer was written. */
static int take_once(int plainly)
{
    static unsigned char bytes[BUFFER_BYTES];
    struct peal_message message = {0};
    memset(bytes, 0xaa, sizeof(bytes));
    (void)raise(SIGUSR1);
    enum peal_status status =
        plainly != 0 ? peal_lane_take_plain(&reader, bytes, CAPACITY_BYTES, true, &message)
                     : peal_lane_take_copy(&reader, bytes, CAPACITY_BYTES, &message);
    (void)raise(SIGUSR2);
    for (size_t i = CAPACITY_BYTES; i < sizeof(bytes); i++)
        if (bytes[i] != 0xaa)
            return 1;
    return status == PEAL_OK && message.size_bytes > CAPACITY_BYTES ? 2 : 0;
}

static void a_length_that_changes_between_check_and_use_is_not_used(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {CAPACITY_BYTES + 1, 4096, UINT32_MAX};
    open_lane();
    peal_u32_store_relaxed(&lane_fixture_slot(&lane, 3)->length, 8);
    for (size_t i = 0; i < 6; i++) {
        uint64_t n = 0;
        int code = 0;
        /* The kind beside it stays 0, that of a message in its slot. */
        while (word_change_after(take_once, (int)(i % 2), n, &lane_fixture_slot(&lane, 3)->length,
                                 lengths[i / 2], &code)) {
            if (code != 0)
                fail_msg("changed to %" PRIu32 " after %" PRIu64 " instructions: %d",
                         lengths[i / 2], n, code);
            n++;
        }
        assert_true(n > 20);
    }
    lane_fixture_close(&lane);
}

static void an_index_equal_to_the_size_is_refused(void **state)
{
    (void)state;
    open_region();
    uint32_t page_count = own.page_count;
    assert_int_equal(join_lane(PEAL_TOPIC_LANES_MAX), PEAL_EMPTY);
    struct peal_lane_found found;
    assert_int_equal(peal_lane_join(&other, other.topics_max, 0, 0, 1, &found), PEAL_EMPTY);
    assert_int_equal(peal_lane_join(&other, 0, 0, PEAL_TOPIC_SUBSCRIBERS_MAX, 1, &found),
                     PEAL_EMPTY);
    /* A page whose word names the topic after the last one. */
    uint32_t page = page_count - 1;
    peal_u64_store_relaxed(&own.page_map[page], peal_pages_word(&own, own.topics_max, 0));
    (void)peal_recover(&other);
    assert_int_equal(peal_u64_load_relaxed(&own.page_map[page]), PEAL_PAGE_FREE);
    assert_int_equal(peal_pages_give(&own, page_count, 1, 1), 0);
    assert_int_equal(peal_pages_give(&own, page_count - 1, 2, 1), 0);
    rig_close(&rig);
    assert_int_equal(join_with_pages(page_count, 1), PEAL_ECORRUPT);
    assert_int_equal(join_with_pages(page_count - 1, 2), PEAL_ECORRUPT);
    /* The slot after the last: its number is masked, so it is the first one's. */
    open_lane();
    assert_ptr_equal(lane_fixture_slot(&lane, 8), lane_fixture_slot(&lane, 0));
    lane_fixture_close(&lane);
}

/* There are no lists in a region; what can refer to itself are names, and pages and the lanes that they name. */
static void references_that_lead_to_themselves_end(void **state)
{
    (void)state;
    uint32_t topic, entry;
    uint64_t word;
    open_region();
    struct peal_topic_shared *first = &own.topics[place.topic];
    for (uint32_t i = 0; i < own.topics_max; i++) /* every topic is "a", and in the making */
        memcpy(&own.topics[i], first, sizeof(*first));
    for (uint32_t i = 0; i < own.topics_max; i++)
        for (uint32_t j = 0; j < PEAL_TOPIC_LANES_MAX; j++)
            memcpy(&own.topics[i].lanes[j], &first->lanes[place.lane], sizeof(first->lanes[0]));
    if (peal_topic_subscribe(&other, "a", NULL, 0, &topic, &entry, &word) == PEAL_OK)
        peal_topic_unsubscribe(&other, topic, entry, word);
    (void)peal_recover(&other);
    rig_kill(&rig, 1);
    (void)peal_recover(&other);
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    const struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_authority authority = rig_authority(&rig);
    assert_int_equal(peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit),
                     PEAL_OK);
    /* Offers of one name, all by the living, none of which goes on. */
    for (uint32_t i = 0; i < own.topics_max; i++)
        peal_u64_store_relaxed(&own.topics[i].owner,
                               peal_region_own_word(&other, PEAL_TOPIC_OFFERED));
    (void)peal_topic_subscribe(&other, "a", NULL, 0, &topic, &entry, &word);
    rig_close(&rig);
}

static peal_u32 stopped;

static void *move_epochs(void *context)
{
    struct peal_bus *bus = context;
    while (!peal_u32_load_relaxed(&stopped)) {
        for (uint32_t i = 0; i < bus->region.topics_max; i++) {
            (void)peal_u64_add_relaxed(&bus->region.topics[i].lane_epoch, 1);
            (void)peal_u64_add_relaxed(&bus->region.topics[i].subscriber_epoch, 1);
        }
        (void)peal_u64_add_relaxed(&bus->region.header->directory.epoch, 1);
        (void)peal_u64_or_acq_rel(&bus->region.header->sleepers.armed, UINT64_MAX);
        bus->transport->ops->wake_all(bus->transport);
    }
    return NULL;
}

static void a_storm_of_events_delays_no_message(void **state)
{
    (void)state;
    pthread_t mover;
    struct peal_bus *bus = topic_bus("local:storm");
    assert_non_null(bus);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_true(subscriber && publisher);
    peal_u32_store_relaxed(&stopped, 0);
    assert_int_equal(pthread_create(&mover, NULL, move_epochs, bus), 0);
    for (uint64_t number = 0; number < 20000; number++) {
        struct peal_message message;
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
        if (number % 64 == 0)
            assert_int_equal(peal_subscriber_wait(subscriber, EVENTUALLY_TIMEOUT_NS), PEAL_OK);
        assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
        assert_int_equal(message.number, number);
    }
    peal_u32_store_relaxed(&stopped, 1);
    assert_int_equal(pthread_join(mover, NULL), 0);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

static void another_format_or_type_is_refused(void **state)
{
    (void)state;
    const struct peal_topic_type wheel = {.name = "wheel", .schema_hash = 7};
    const struct peal_topic_type newer = {.name = "wheel", .schema_hash = 8};
    const struct peal_topic_type door = {.name = "door", .schema_hash = 7};
    uint32_t topic, entry;
    uint64_t word;
    struct peal_region late;
    open_region();
    assert_int_equal(peal_topic_subscribe(&own, "b", &wheel, 0, &topic, &entry, &word), PEAL_OK);
    uint32_t other_topic, other_entry;
    uint64_t other_word;
    assert_int_equal(
        peal_topic_subscribe(&other, "b", &newer, 0, &other_topic, &other_entry, &other_word),
        PEAL_EMISMATCH);
    assert_int_equal(
        peal_topic_subscribe(&other, "b", &door, 0, &other_topic, &other_entry, &other_word),
        PEAL_EMISMATCH);
    peal_u32_store_relaxed(&own.header->layout.format_version, PEAL_FORMAT_VERSION + 1);
    assert_int_equal(rig_attach(&rig, 3, &late), PEAL_EFORMAT);
    rig_close(&rig);
    open_ring();
    struct peal_spsc_consumer wide;
    assert_int_equal(peal_spsc_consumer_join(&wide, ring, sizeof(ring), 16), PEAL_EMISMATCH);
}

static void the_doorbell_of_an_unknown_client_is_nobodys(void **state)
{
    (void)state;
    char url[64];
    (void)snprintf(url, sizeof(url), "posix:unknown-%d", (int)getpid());
    struct peal_bus *bus = topic_bus(url);
    assert_non_null(bus);
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_EVICT);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_BEST_EFFORT);
    assert_true(publisher && subscriber);
    /* Subscribers of clients that are not there, all of them armed. */
    for (uint32_t entry = 1; entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++) {
        const struct peal_owner nobody = {.state = PEAL_SUBSCRIBER_ACTIVE,
                                          .client = 32 + entry,
                                          .version = 3,
                                          .incarnation = entry};
        for (uint32_t topic = 0; topic < bus->region.topics_max; topic++)
            peal_u64_store_relaxed(&bus->region.topics[topic].subscribers[entry],
                                   peal_owner_pack(nobody));
    }
    for (uint64_t number = 0; number < 100; number++) {
        (void)peal_u64_or_acq_rel(&bus->region.header->sleepers.armed, UINT64_MAX);
        (void)peal_u64_add_acq_rel(&bus->region.topics[0].subscriber_epoch, 1);
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
    }
    uint64_t sources = 0;
    bus->transport->ops->notify(bus->transport, UINT64_MAX);
    assert_int_equal(bus->transport->ops->wait(bus->transport, 0, 0, &sources), PEAL_OK);
    assert_true((sources & ~bus->transport->ops->members(bus->transport)) == 0);
    uint32_t recovered;
    assert_int_equal(peal_bus_recover(bus, &recovered), PEAL_OK);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    assert_int_equal(peal_unlink(url), PEAL_OK);
}

/* ---- an object that is cut short ---- */

static int touch_for_ever(struct child_link *link, void *context)
{
    uint64_t word;
    struct peal_bus *bus = topic_bus(context);
    (void)signal(SIGBUS, SIG_DFL); /* the test framework's handler would go on with the tests */
    if (!bus || !child_say(link, 1) || !child_hear(link, &word))
        return 1;
    const size_t last = (size_t)bus->transport->size_bytes - 8;
    return peal_u64_load_relaxed((peal_u64 *)(void *)(bus->transport->base + last)) == 1 ? 2 : 0;
}

/* Who has it mapped and touches what is gone is ended by the kernel: docs/security.md says so. Who comes is
 * told, and other regions know nothing of it. */
static void a_truncated_object_ends_only_who_touches_it(void **state)
{
    (void)state;
    char url[64], path[96];
    struct child child;
    uint64_t word = 0;
    (void)snprintf(url, sizeof(url), "posix:cut-%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.cut-%d", (int)getpid());
    struct peal_bus *beside = topic_bus("local:beside");
    assert_non_null(beside);
    assert_true(child_start(&child, touch_for_ever, url));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(truncate(path, 100000), 0);
    /* A newcomer reads the header through the file, not through a mapping. */
    struct peal_bus *late = NULL;
    enum peal_status status = peal_bus_open(&late, url, NULL);
    assert_int_equal(status, PEAL_ECORRUPT);
    assert_null(late);
    assert_true(child_say(&child.link, 1));
    int code = child_reap(&child);
    assert_int_equal(code, 128 + SIGBUS);
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_EVICT);
    struct peal_publisher *publisher = topic_publish(beside, "t", &options);
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    peal_publisher_close(publisher);
    peal_bus_close(beside);
    /* Nobody has it any more: it is made anew. */
    late = topic_bus(url);
    assert_non_null(late);
    peal_bus_close(late);
    assert_int_equal(peal_unlink(url), PEAL_OK);
    /* An image that is shorter than its header says is no region. */
    open_region();
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_region_audit(rig.base, rig.size_bytes / 2, NULL, &audit), PEAL_EFORMAT);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_and_offset_whose_sum_overflows_32_bits_are_refused),
        cmocka_unit_test(a_slot_count_larger_than_the_ring_is_refused),
        cmocka_unit_test(a_head_beyond_the_size_is_refused),
        cmocka_unit_test(a_cursor_that_goes_backwards_overwrites_nothing),
        cmocka_unit_test(a_capacity_changed_after_the_attach_is_not_looked_at),
        cmocka_unit_test(a_length_that_changes_between_check_and_use_is_not_used),
        cmocka_unit_test(an_index_equal_to_the_size_is_refused),
        cmocka_unit_test(references_that_lead_to_themselves_end),
        cmocka_unit_test(a_storm_of_events_delays_no_message),
        cmocka_unit_test(another_format_or_type_is_refused),
        cmocka_unit_test(the_doorbell_of_an_unknown_client_is_nobodys),
        cmocka_unit_test(a_truncated_object_ends_only_who_touches_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
