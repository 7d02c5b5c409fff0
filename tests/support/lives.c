/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/lives.h"

#include "bus/publisher_internal.h"
#include "core/owner.h"
#include "core/spsc_shared.h"
#include "tests/support/fault_plan.h"
#include "tests/support/voice.h"

#include <stdio.h>
#include <string.h>

/* Leaves the role when something is not as it must be. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return failed(life, __LINE__, #condition);                                             \
    } while (0)

static int failed(struct life *life, int line, const char *condition)
{
    peal_u64_store_relaxed(&life->ledger->failed_line, (uint64_t)line);
    fprintf(stderr, "lives.c:%d: not so: %s (%s)\n", line, condition, peal_error_message());
    return 1;
}

struct peal_bus *life_bus(const char *url, uint64_t open_timeout_ns)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(768) << 10;
    options.topics_max = 8;
    options.spin_ns = 1;
    options.safety_net_ns = UINT64_C(20000000);
    options.open_timeout_ns = open_timeout_ns;
    return peal_bus_open(&bus, url, &options) == PEAL_OK ? bus : NULL;
}

static struct peal_bus *own_bus(const struct life *life)
{
    return life_bus(life->url, UINT64_C(20000000000));
}

/* ---- a publisher ---- */

static bool is_any_of(enum peal_status status, enum peal_status one, enum peal_status other)
{
    return status == one || status == other;
}

/* The witness may or may not make room meanwhile. */
int life_publisher(struct life *life)
{
    struct voice voice;
    struct peal_bus *bus = own_bus(life);
    MUST(bus);
    struct peal_publisher_options options = voice_options(8, PEAL_FULL_DROP_NEWEST);
    MUST(voice_open(life->ledger, bus, LIFE_TOPIC, &options, &voice));
    MUST(is_any_of(voice_speak_in_loans(&voice, 16, 4), PEAL_OK, PEAL_OK));
    for (uint32_t i = 0; i < 10; i++)
        MUST(is_any_of(voice_speak(&voice, 16), PEAL_OK, PEAL_DROPPED));
    peal_publisher_close(voice.publisher);

    options = voice_options(4, PEAL_FULL_WAIT);
    MUST(voice_open(life->ledger, bus, LIFE_TOPIC, &options, &voice));
    for (uint32_t i = 0; i < 5; i++)
        MUST(is_any_of(voice_speak(&voice, 8), PEAL_OK, PEAL_FULL));
    peal_publisher_close(voice.publisher);

    /* A topic of our own comes, is typed, and goes. */
    MUST(voice_open(life->ledger, bus, "own", &options, &voice));
    MUST(voice_speak(&voice, 8) == PEAL_OK);
    peal_publisher_close(voice.publisher);

    options = voice_options(8, PEAL_FULL_EVICT);
    options.message_bytes_max = VOICE_BYTES_MAX;
    options.payload_bytes = 3 * 2048;
    options.crc32c = true;
    MUST(voice_open(life->ledger, bus, LIFE_TOPIC_BIG, &options, &voice));
    for (uint32_t i = 0; i < 6; i++)
        MUST(voice_speak(&voice, VOICE_BYTES_MAX) == PEAL_OK);
    MUST(voice_speak_in_loans(&voice, 16, 3) == PEAL_OK);
    for (uint32_t i = 0; i < 6; i++)
        MUST(voice_speak_in_loans(&voice, 16, 3) == PEAL_OK);
    peal_publisher_close(voice.publisher);

    /* What fails must leave nothing either: another type, and a lane that does not fit. */
    struct peal_publisher *refused;
    options = voice_options(8, PEAL_FULL_EVICT);
    options.schema_hash++;
    MUST(peal_publisher_create(bus, LIFE_TOPIC, &options, &refused) == PEAL_EMISMATCH);
    options = voice_options(1u << 16, PEAL_FULL_EVICT);
    MUST(peal_publisher_create(bus, LIFE_TOPIC, &options, &refused) == PEAL_ENOSPC);
    peal_bus_close(bus);
    return 0;
}

/* ---- a subscriber ---- */

/* Takes up to `max`, by turns in place and by copy; each must be in order and be what was sent. */
static int hear(struct life *life, struct peal_subscriber *subscriber, uint32_t max)
{
    struct peal_message message;
    uint64_t publisher = 0;
    uint64_t last = 0;
    for (uint32_t i = 0; i < max; i++) {
        uint64_t word = 0;
        enum peal_status status =
            i % 2 ? peal_subscriber_take(subscriber, &message)
                  : peal_subscriber_take_copy(subscriber, &word, sizeof(word), &message);
        if (status == PEAL_EMPTY)
            return 0;
        MUST(status == PEAL_OK);
        if (i % 2) {
            memcpy(&word, message.data, sizeof(word));
            MUST(is_any_of(peal_subscriber_release(subscriber, &message), PEAL_OK, PEAL_OK));
        }
        MUST(word == life_word(message.publisher, message.number));
        MUST(publisher != message.publisher || message.number > last);
        publisher = message.publisher;
        last = message.number;
    }
    return 0;
}

static int life_of_listener(struct life *life, struct peal_bus *bus, const char *topic,
                            const struct peal_subscriber_options *options)
{
    struct peal_subscriber *subscriber;
    MUST(peal_subscriber_create(bus, topic, options, &subscriber) == PEAL_OK);
    MUST(hear(life, subscriber, 5) == 0);
    (void)peal_subscriber_wait(subscriber, 1000000);
    MUST(hear(life, subscriber, 64) == 0);
    (void)peal_subscriber_wait(subscriber, 1000000);
    peal_subscriber_close(subscriber);
    return 0;
}

int life_subscriber(struct life *life)
{
    struct peal_bus *bus = own_bus(life);
    MUST(bus);
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.history = 8;
    options.type_name = LIFE_TYPE;
    options.schema_hash = LIFE_SCHEMA;
    MUST(life_of_listener(life, bus, LIFE_TOPIC, &options) == 0);
    options.reliability = PEAL_BEST_EFFORT;
    MUST(life_of_listener(life, bus, LIFE_TOPIC, &options) == 0);
    options.history = 0;
    MUST(life_of_listener(life, bus, "own", &options) == 0);
    /* Invited by a lane that ends before it is read to its end. */
    struct peal_subscriber *subscriber;
    struct voice voice;
    struct peal_publisher_options voices = voice_options(8, PEAL_FULL_REFUSE);
    MUST(peal_subscriber_create(bus, "own", NULL, &subscriber) == PEAL_OK);
    MUST(voice_open(life->ledger, bus, "own", &voices, &voice));
    MUST(voice_speak(&voice, 8) == PEAL_OK && voice_speak(&voice, 8) == PEAL_OK);
    MUST(hear(life, subscriber, 1) == 0);
    peal_publisher_close(voice.publisher);
    MUST(hear(life, subscriber, 4) == 0);
    MUST(voice_open(life->ledger, bus, "own", &voices, &voice));
    MUST(voice_speak(&voice, 8) == PEAL_OK);
    peal_publisher_close(voice.publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    return 0;
}

/* ---- whoever comes, recovers, and goes ---- */

int life_recoverer(struct life *life)
{
    struct peal_bus *bus = own_bus(life);
    MUST(bus);
    uint32_t recovered;
    MUST(peal_bus_recover(bus, &recovered) == PEAL_OK);
    struct peal_subscriber *subscriber;
    enum peal_status status = peal_subscriber_create(bus, LIFE_TOPIC, NULL, &subscriber);
    MUST(status == PEAL_OK);
    peal_subscriber_close(subscriber);
    MUST(peal_bus_recover(bus, &recovered) == PEAL_OK);
    peal_bus_close(bus);
    return 0;
}

/* ---- two clients that meet in the middle of things ---- */

struct meeting {
    struct life *life;
    struct peal_bus *other;
    struct peal_subscriber
        *theirs; /* NULL: while we were stopped others were there, and we have not met */
};

static void they_subscribe(void *context)
{
    struct meeting *meeting = context;
    (void)peal_subscriber_create(meeting->other, "meeting", NULL, &meeting->theirs);
}

static int meet_subscribing(struct meeting *meeting, struct peal_bus *bus, const char *point)
{
    struct life *life = meeting->life;
    struct peal_subscriber *ours;
    meeting->theirs = NULL;
    fault_plan_call(point, they_subscribe, meeting);
    MUST(peal_subscriber_create(bus, "meeting", NULL, &ours) == PEAL_OK);
    fault_plan_call(NULL, NULL, NULL);
    peal_subscriber_close(meeting->theirs);
    peal_subscriber_close(ours);
    return 0;
}

static int meet_unsubscribing(struct meeting *meeting, struct peal_bus *bus, const char *point)
{
    struct life *life = meeting->life;
    struct peal_subscriber *ours;
    MUST(peal_subscriber_create(bus, "meeting", NULL, &ours) == PEAL_OK);
    meeting->theirs = NULL;
    fault_plan_call(point, they_subscribe, meeting);
    peal_subscriber_close(ours);
    fault_plan_call(NULL, NULL, NULL);
    peal_subscriber_close(meeting->theirs);
    return 0;
}

/* They look at a lane that is just opening. */
static int meet_opening(struct meeting *meeting, struct peal_bus *bus)
{
    struct life *life = meeting->life;
    struct voice voice;
    struct peal_publisher_options options = voice_options(8, PEAL_FULL_REFUSE);
    meeting->theirs = NULL;
    fault_plan_call("lane.opening", they_subscribe, meeting);
    MUST(voice_open(life->ledger, bus, "meeting", &options, &voice));
    fault_plan_call(NULL, NULL, NULL);
    MUST(voice_speak(&voice, 8) == PEAL_OK);
    MUST(!meeting->theirs || hear(life, meeting->theirs, 4) == 0);
    peal_publisher_close(voice.publisher);
    peal_subscriber_close(meeting->theirs);
    return 0;
}

/* A lane in the hands of a dead reclaimer, and yet it is read. No order of honest steps leads there from one
 * fault point to another, so the word is set by hand. */
static int meet_reclaiming(struct meeting *meeting, struct peal_bus *bus)
{
    struct life *life = meeting->life;
    struct voice voice;
    struct peal_publisher_options options = voice_options(8, PEAL_FULL_REFUSE);
    MUST(peal_subscriber_create(meeting->other, "meeting", NULL, &meeting->theirs) == PEAL_OK);
    MUST(voice_open(life->ledger, bus, "meeting", &options, &voice));
    MUST(voice_speak(&voice, 8) == PEAL_OK);
    MUST(hear(life, meeting->theirs, 1) == 0);
    uint32_t topic = voice.publisher->place.topic;
    peal_u64 *owner = &bus->region.topics[topic].lanes[voice.publisher->place.lane].owner;
    uint64_t word = peal_owner_load(owner);
    MUST(peal_owner_swap(owner, word, peal_owner_take(word, PEAL_LANE_RECLAIMING, 60, 1)));
    MUST(peal_bus_recover(bus, NULL) == PEAL_OK);
    MUST(peal_owner_state(peal_owner_load(owner)) == PEAL_LANE_ORPHAN);
    peal_publisher_close(voice.publisher);
    peal_subscriber_close(meeting->theirs);
    return 0;
}

/* First we are alone, and then not. */
static uint64_t members_who_come(void *context)
{
    uint32_t *questions = context;
    return (*questions)++ == 0 ? 1 : 3;
}

/* A region of another version, in memory of our own: it is nobody's when we look, and somebody's when we have
 * claimed it, so we give it back. */
static int meet_foreign(struct life *life)
{
    const size_t size_bytes = 64 * PEAL_PAGE_BYTES;
    struct peal_region_header *header = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    struct peal_region region;
    uint32_t questions = 0;
    struct peal_authority authority = {.members = members_who_come, .context = &questions};
    const struct peal_owner owner = {
        .state = PEAL_REGION_READY, .client = 9, .version = PEAL_REGION_TAG, .incarnation = 9};
    MUST(header);
    memset(header, 0, size_bytes);
    peal_u64_store_relaxed(&header->layout.magic, PEAL_REGION_MAGIC);
    peal_u32_store_relaxed(&header->layout.format_version, PEAL_FORMAT_VERSION + 1);
    peal_u64_store_relaxed(&header->layout.state, peal_owner_pack(owner));
    enum peal_status status =
        peal_region_attach(&region, header, size_bytes, 0, 1, NULL, &authority);
    MUST(peal_owner_load(&header->layout.state) == peal_owner_pack(owner));
    free(header);
    MUST(status == PEAL_EFORMAT);
    return 0;
}

int life_rivals(struct life *life)
{
    struct peal_bus *bus = own_bus(life);
    struct meeting meeting = {.life = life, .other = own_bus(life)};
    MUST(bus && meeting.other);
    MUST(meet_subscribing(&meeting, bus, "topic.offered") == 0);
    MUST(meet_subscribing(&meeting, bus, "topic.claimed") == 0);
    MUST(meet_unsubscribing(&meeting, bus, "topic.unused") == 0);
    MUST(meet_unsubscribing(&meeting, bus, "topic.closing") == 0);
    MUST(meet_opening(&meeting, bus) == 0);
    MUST(meet_reclaiming(&meeting, bus) == 0);
    MUST(meet_foreign(life) == 0);
    peal_bus_close(meeting.other);
    peal_bus_close(bus);
    return 0;
}

/* ---- the two sides of an spsc ring: element i has the value i ---- */

int life_producer(struct life *life)
{
    struct peal_spsc_producer *producer;
    struct life_ledger *ledger = life->ledger;
    const struct peal_spsc_shared *shared = life->ring;
    enum peal_status status =
        peal_spsc_producer_attach(&producer, life->ring, LIFE_RING_BYTES, sizeof(uint64_t));
    if (status == PEAL_AGAIN) {
        MUST(peal_spsc_init(life->ring, LIFE_RING_BYTES, sizeof(uint64_t), LIFE_RING_ELEMENTS) ==
             PEAL_OK);
        status =
            peal_spsc_producer_attach(&producer, life->ring, LIFE_RING_BYTES, sizeof(uint64_t));
    }
    MUST(status == PEAL_OK);
    uint64_t number = peal_u64_load_acquire(&shared->producer.tail);
    for (uint32_t i = 0; i < LIFE_RING_ELEMENTS + 4; i++) {
        uint64_t batch[2] = {number, number + 1};
        size_t pushed = 1;
        peal_u64_store_release(&ledger->pushed_begun, number + 1 + i % 2);
        status = i % 2 ? peal_spsc_push_batch(producer, batch, 2, &pushed)
                       : peal_spsc_push(producer, batch);
        if (status == PEAL_FULL)
            break;
        MUST(status == PEAL_OK);
        number += pushed;
        peal_u64_store_release(&ledger->pushed, number);
    }
    peal_spsc_producer_detach(producer);
    return 0;
}

int life_consumer(struct life *life)
{
    struct peal_spsc_consumer *consumer;
    const struct peal_spsc_shared *shared = life->ring;
    MUST(peal_spsc_consumer_attach(&consumer, life->ring, LIFE_RING_BYTES, sizeof(uint64_t)) ==
         PEAL_OK);
    uint64_t expected = peal_u64_load_acquire(&shared->consumer.head);
    for (uint32_t i = 0; i < 2 * LIFE_RING_ELEMENTS; i++) {
        uint64_t element;
        enum peal_status status = peal_spsc_pop(consumer, &element);
        if (status == PEAL_EMPTY)
            break;
        MUST(status == PEAL_OK && element == expected);
        expected++;
        peal_u64_store_release(&life->ledger->popped, expected);
    }
    peal_spsc_consumer_detach(consumer);
    return 0;
}
