/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over a whole region: its bytes, and what a client does in it while a peer goes on writing.
 *
 * The first byte says where the region comes from: odd, the rest of the input is its image, byte by byte; even, it
 * is a sound one with a publisher, a subscriber and messages, and the rest is a list of commands that spoil words and
 * call the core by turns. There are a topic, and queues (region_queue.h). After an image the same calls are made in a fixed order. The memory has exactly the
 * region's size, so that AddressSanitizer guards its ends; libFuzzer's time limit guards against loops.
 */
#include "core/audit.h"
#include "core/client.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "core/observe.h"
#include "core/recover.h"
#include "core/spsc.h"
#include "tests/fuzz/region_queue.h"

#include <stdlib.h>
#include <string.h>

#define PAGES 32u
#define REGION_BYTES ((size_t)PAGES * PEAL_PAGE_BYTES)
#define WORDS (REGION_BYTES / 8)
#define PUBLISHER 1u
#define SUBSCRIBER 2u
#define NEWCOMER 3u
#define DEAD 4u

struct scene {
    struct peal_region publisher;
    struct peal_region subscriber;
    struct peal_region dead;
    struct peal_lane_place place;
    struct peal_lane_writer writer;
    struct peal_lane_reader reader;
    bool reads;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    uint64_t starts[16];
};

static unsigned char *memory;
static uint64_t members;
static struct scene scene;
static struct scene sound_scene;
static unsigned char sound[REGION_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t members_now(void *context)
{
    (void)context;
    return members;
}

static const struct peal_authority authority = {.members = members_now};
static const struct peal_region_wish wish = {.topics_max = 4, .generation = 5};

/* ---- the input, as a stream ---- */

struct stream {
    const uint8_t *at;
    const uint8_t *end;
};

static uint64_t read_number(struct stream *stream, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && stream->at < stream->end; i++)
        number |= (uint64_t)*stream->at++ << 8 * i;
    return number;
}

/* ---- a sound region ---- */

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void join(struct peal_region *region, uint32_t index)
{
    members |= UINT64_C(1) << index;
    must(peal_region_attach(region, memory, REGION_BYTES, index, 0x100 + index, &wish,
                            &authority) == PEAL_OK);
    must(peal_client_register(region, "fuzz", 1) == PEAL_OK);
}

static void make_sound(void)
{
    static const struct peal_topic_type type = {.name = "wheel", .schema_hash = 7};
    struct peal_lane_geometry geometry;
    struct peal_lane_shared *lane;
    struct peal_lane_found found;
    join(&scene.publisher, PUBLISHER);
    join(&scene.subscriber, SUBSCRIBER);
    must(peal_topic_subscribe(&scene.subscriber, "t", &type, PEAL_SUBSCRIBER_IS_RELIABLE,
                              &scene.topic, &scene.entry, &scene.word) == PEAL_OK);
    must(peal_topic_claim_lane(&scene.publisher, "t", &type, &scene.place.topic, &scene.place.lane,
                               &scene.place.word) == PEAL_OK);
    must(peal_lane_geometry_make(&geometry, 16, 400, 2048, PEAL_LANE_CRC32C) == PEAL_OK);
    must(peal_lane_allocate(&scene.publisher, &scene.place, geometry.size_bytes, 1, &lane) ==
         PEAL_OK);
    peal_lane_geometry_store(&geometry, 77, "wheel", lane);
    peal_lane_writer_init(&scene.writer, &geometry, lane,
                          &scene.publisher.topics[scene.place.topic], scene.starts);
    must(peal_lane_open(&scene.publisher, &scene.place) == PEAL_OK);
    must(peal_lane_join(&scene.subscriber, scene.topic, scene.place.lane, scene.entry, scene.word,
                        &found) == PEAL_OK);
    const struct peal_lane_reader_wish invited = {.reliable = true, .invited = true};
    must(peal_lane_reader_begin(&scene.reader, found.memory, found.size_bytes, scene.entry,
                                &invited) == PEAL_OK);
    scene.reads = true;
    for (uint32_t i = 0; i < 6; i++)
        must(peal_lane_put(&scene.writer, sound, i % 2 ? 8 : 300, 0) == PEAL_OK);
    join(&scene.dead, DEAD);
    for (uint32_t i = 0; i < QUEUES; i++)
        queue_open(i, &scene.publisher, &scene.subscriber, &scene.dead);
    memcpy(sound, memory, REGION_BYTES);
    sound_scene = scene;
    memcpy(sound_queues, queues, sizeof(queues));
}

static void begin(void)
{
    if (!memory) {
        memory = aligned_alloc(PEAL_PAGE_BYTES, REGION_BYTES);
        must(memory != NULL);
        memset(memory, 0, REGION_BYTES);
        make_sound();
    }
    memcpy(memory, sound, REGION_BYTES);
    scene = sound_scene;
    memcpy(queues, sound_queues, sizeof(queues));
    members = UINT64_C(1) << PUBLISHER | UINT64_C(1) << SUBSCRIBER;
}

/* ---- the commands ---- */

static void poke(struct stream *stream)
{
    peal_u64 *word = (peal_u64 *)(void *)memory + read_number(stream, 2) % WORDS;
    uint64_t truth = peal_u64_load_relaxed(word);
    switch (read_number(stream, 1) % 5) {
    case 0:
        truth = read_number(stream, 8);
        break;
    case 1:
        truth += read_number(stream, 1) - 128;
        break;
    case 2:
        truth ^= UINT64_C(1) << read_number(stream, 1) % 64;
        break;
    case 3:
        truth = read_number(stream, 1);
        break;
    default:
        truth = (truth & UINT32_MAX) | read_number(stream, 4) << 32;
    }
    peal_u64_store_relaxed(word, truth);
}

/* Bytes that are said to be a message's lie in the region. */
static void look_at(const struct peal_message *message)
{
    const unsigned char *from = message->data;
    must(from >= memory && message->size_bytes <= REGION_BYTES &&
         (size_t)(from - memory) <= REGION_BYTES - message->size_bytes);
}

static void take(struct stream *stream)
{
    unsigned char bytes[512];
    struct peal_message message = {0};
    if (!scene.reads)
        return;
    uint64_t how = read_number(stream, 1);
    if (how % 3 == 0) {
        if (peal_lane_take_copy(&scene.reader, bytes, sizeof(bytes), &message) == PEAL_OK)
            must(message.size_bytes <= sizeof(bytes));
    } else if (how % 3 == 1) {
        if (peal_lane_take_plain(&scene.reader, bytes, sizeof(bytes), true, &message) == PEAL_OK)
            must(message.size_bytes <= sizeof(bytes));
    } else if (peal_lane_take(&scene.reader, &message) == PEAL_OK) {
        look_at(&message);
        if (how % 2)
            (void)peal_lane_release(&scene.reader, message.token >> 1, message.token & 1);
    }
    (void)peal_lane_reader_ready(&scene.reader);
    (void)peal_lane_reader_lost(&scene.reader);
    if (peal_lane_owes(&scene.reader, how % 5 == 0))
        (void)peal_lane_acknowledge(&scene.reader, true);
}

static void put(struct stream *stream)
{
    void *rooms[8];
    size_t size_bytes = read_number(stream, 2) % 512;
    if (scene.writer.loaned)
        peal_lane_discard(&scene.writer);
    if (size_bytes % 3) {
        (void)peal_lane_put(&scene.writer, sound, size_bytes, 0);
        return;
    }
    if (!peal_lane_fits_slot(&scene.writer, size_bytes))
        return;
    size_t count = peal_lane_reserve_batch(&scene.writer, size_bytes, 1 + size_bytes % 8, rooms);
    for (size_t i = 0; i < count; i++)
        memset(rooms[i], 1, size_bytes);
    peal_lane_commit_batch(&scene.writer, count, 0);
}

static void rejoin(struct stream *stream)
{
    struct peal_lane_found found;
    struct peal_lane_reader_wish choice = {.reliable = read_number(stream, 1) % 2};
    uint32_t lane = (uint32_t)read_number(stream, 1) % 40;
    scene.reads = false;
    if (peal_lane_join(&scene.subscriber, scene.topic, lane, scene.entry, scene.word, &found) !=
        PEAL_OK)
        return;
    choice.invited = found.invited;
    choice.history = lane;
    scene.reads = peal_lane_reader_begin(&scene.reader, found.memory, found.size_bytes, scene.entry,
                                         &choice) == PEAL_OK;
    if (!scene.reads)
        peal_lane_leave(&scene.subscriber, scene.topic, lane, scene.entry, scene.word,
                        found.memory);
}

static void publish_anew(struct peal_region *region)
{
    struct peal_lane_place place;
    struct peal_lane_shared *lane;
    struct peal_lane_geometry geometry;
    if (peal_topic_claim_lane(region, "u", NULL, &place.topic, &place.lane, &place.word) != PEAL_OK)
        return;
    must(peal_lane_geometry_make(&geometry, 4, 48, 0, 0) == PEAL_OK);
    if (peal_lane_allocate(region, &place, geometry.size_bytes, 1, &lane) != PEAL_OK) {
        peal_lane_abandon(region, &place);
        return;
    }
    peal_lane_geometry_store(&geometry, 78, "other", lane);
    if (peal_lane_open(region, &place) == PEAL_OK)
        peal_lane_close(region, &place);
    else
        peal_lane_abandon(region, &place);
}

static void subscribe_anew(struct peal_region *region)
{
    uint32_t topic, entry;
    uint64_t word;
    if (peal_topic_subscribe(region, "u", NULL, 0, &topic, &entry, &word) == PEAL_OK)
        peal_topic_unsubscribe(region, topic, entry, word);
}

static void walk_names(const struct peal_region *region)
{
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
    struct peal_client_view view;
    for (uint32_t i = 0; i <= region->topics_max; i++)
        if (peal_topic_names(region, i, name, type_name))
            must(strnlen(name, sizeof(name)) < sizeof(name) &&
                 strnlen(type_name, sizeof(type_name)) < sizeof(type_name));
    for (uint32_t i = 0; i <= PEAL_CLIENTS_MAX; i++)
        peal_client_view(region, i, &view);
}

static void audit(void)
{
    const struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit found = {.struct_bytes = sizeof(found)};
    if (peal_audit_walk_region(memory, REGION_BYTES, &options, &authority, &found) == PEAL_OK)
        must(found.pages == found.pages_free + found.pages_used + found.pages_moving +
                                found.pages_remains + found.pages_lost);
}

static void seen_topic(void *context, const struct peal_observer_topic *topic)
{
    (void)context;
    must(topic->index < 4 && strlen(topic->name) < PEAL_TOPIC_NAME_BYTES &&
         strlen(topic->type_name) < PEAL_TOPIC_NAME_BYTES);
}

static void seen_client(void *context, const struct peal_observer_client *client)
{
    (void)context;
    must(client->index < PEAL_CLIENTS_MAX && strlen(client->name) <= PEAL_CLIENT_NAME_BYTES);
}

/* Looks at some messages as well. */
static void seen_publisher(void *context, const struct peal_observer_publisher *publisher)
{
    unsigned char bytes[64];
    struct peal_message message;
    (void)context;
    must(publisher->lane < PEAL_TOPIC_LANES_MAX && strlen(publisher->name) <= 32 &&
         publisher->lane_bytes <= REGION_BYTES);
    for (uint64_t back = 0; back < 4; back++)
        if (peal_observe_message(memory, REGION_BYTES, publisher->topic, publisher->lane,
                                 publisher->published - back, bytes, sizeof(bytes),
                                 &message) == PEAL_OK)
            must(message.size_bytes <= sizeof(bytes));
}

static void seen_subscriber(void *context, const struct peal_observer_subscriber *subscriber)
{
    (void)context;
    must(subscriber->entry < PEAL_TOPIC_SUBSCRIBERS_MAX);
}

static void observe(void)
{
    static unsigned char before[REGION_BYTES];
    const struct peal_observer_visitor visitor = {
        .struct_bytes = sizeof(visitor),
        .topic = seen_topic,
        .client = seen_client,
        .publisher = seen_publisher,
        .subscriber = seen_subscriber,
    };
    memcpy(before, memory, REGION_BYTES);
    (void)peal_observe_region(memory, REGION_BYTES, &visitor, &authority);
    (void)peal_observe_region(memory, REGION_BYTES, &visitor, NULL);
    must(memcmp(before, memory, REGION_BYTES) == 0);
}

/* Attaches as whoever comes new, and does what such a one does. */
static void come_new(struct stream *stream)
{
    struct peal_region region;
    members = read_number(stream, 1) | UINT64_C(1) << NEWCOMER;
    if (peal_region_attach(&region, memory, REGION_BYTES, NEWCOMER, 0x103, &wish, &authority) !=
        PEAL_OK)
        return;
    must(region.size_bytes <= REGION_BYTES && region.page_count <= PAGES);
    if (peal_client_register(&region, "new", 1) != PEAL_OK)
        return;
    subscribe_anew(&region);
    publish_anew(&region);
    walk_names(&region);
    (void)peal_recover(&region);
    peal_client_unregister(&region);
}

static void join_ring(void)
{
    struct peal_spsc_producer producer;
    struct peal_spsc_consumer consumer;
    uint64_t element = 1;
    if (peal_spsc_producer_join(&producer, memory, REGION_BYTES, 8) == PEAL_OK)
        for (int i = 0; i < 3; i++)
            (void)peal_spsc_producer_push(&producer, &element);
    if (peal_spsc_consumer_join(&consumer, memory, REGION_BYTES, 8) == PEAL_OK)
        for (int i = 0; i < 3; i++)
            (void)peal_spsc_consumer_pop(&consumer, &element);
}

static void run_command(struct stream *stream)
{
    uint64_t command = read_number(stream, 1);
    if (command >= 144) {
        poke(stream);
        return;
    }
    if (command >= 80) {
        queue_command(command - 80, read_number(stream, 1), &scene.publisher, &scene.subscriber,
                      memory, REGION_BYTES);
        return;
    }
    switch (command % 12) {
    case 0:
    case 1:
        take(stream);
        break;
    case 2:
        put(stream);
        break;
    case 3:
        members = read_number(stream, 1);
        (void)peal_recover(&scene.subscriber);
        break;
    case 4:
        audit();
        observe();
        break;
    case 5:
        rejoin(stream);
        break;
    case 6:
        subscribe_anew(&scene.publisher);
        break;
    case 7:
        publish_anew(&scene.subscriber);
        break;
    case 8:
        come_new(stream);
        break;
    case 9:
        (void)peal_lane_is_live(&scene.subscriber, scene.topic, scene.place.lane, scene.place.word);
        (void)peal_lane_reclaim(&scene.publisher, scene.topic,
                                (uint32_t)read_number(stream, 1) % 40);
        break;
    case 10:
        walk_names(&scene.publisher);
        peal_topic_remove_if_unused(&scene.publisher, (uint32_t)read_number(stream, 1));
        break;
    default:
        join_ring();
    }
}

/* Everything once over an image that came from outside. */
static void visit_image(struct stream *stream)
{
    size_t given = (size_t)(stream->end - stream->at);
    memset(memory, 0, REGION_BYTES);
    memcpy(memory, stream->at, given < REGION_BYTES ? given : REGION_BYTES);
    stream->at = stream->end;
    audit();
    observe();
    take(stream);
    rejoin(stream);
    take(stream);
    for (uint32_t i = 0; i < 24; i++)
        queue_command(i, i, &scene.publisher, &scene.subscriber, memory, REGION_BYTES);
    (void)peal_recover(&scene.subscriber);
    for (uint32_t i = 0; i < 24; i++)
        queue_command(i, 8 * i, &scene.publisher, &scene.subscriber, memory, REGION_BYTES);
    join_ring();
    come_new(stream);
    audit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream stream = {data, data + size};
    begin();
    if (read_number(&stream, 1) % 2) {
        visit_image(&stream);
        return 0;
    }
    for (uint32_t i = 0; i < 400 && stream.at < stream.end; i++)
        run_command(&stream);
    return 0;
}
