/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit: it accounts for everything in an honest region and says nothing of it, it finds whatever is
 * wrong, it reads only, and it ends whatever the bytes are.
 */
#include "core/audit.h"

#include "core/directory.h"
#include "core/lane_life.h"
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "core/owner.h"
#include "core/pages.h"
#include "core/recover.h"
#include "core/text.h"
#include "tests/support/random.h"
#include "tests/support/region_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGES 96u
#define TOPICS 4u

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;

/* One lane of `own` with a writer and a reader of `other`, on the topic "a". */
static struct {
    struct peal_lane_place place;
    struct peal_lane_shared *memory;
    struct peal_lane_geometry geometry;
    struct peal_lane_writer writer;
    struct peal_lane_reader reader;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
} scene;

static struct peal_audit audit_now(const struct peal_audit_options *options)
{
    struct peal_audit_options none = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    assert_int_equal(peal_audit_walk_region(rig.base, rig.size_bytes, options ? options : &none,
                                            &authority, &audit),
                     PEAL_OK);
    assert_int_equal(audit.pages, audit.pages_free + audit.pages_used + audit.pages_moving +
                                      audit.pages_remains + audit.pages_lost);
    return audit;
}

static void assert_clean(const struct peal_audit *audit)
{
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++) {
        if (audit->findings[i])
            fail_msg("%" PRIu64 " findings of severity %d: %s", audit->findings[i], i,
                     audit->first);
    }
    assert_string_equal(audit->first, "");
}

/* Exactly this severity is found, and the text speaks of `about`. */
static void assert_found(enum peal_audit_severity severity, const char *about)
{
    struct peal_audit audit = audit_now(NULL);
    if (!audit.findings[severity] || !strstr(audit.first, about))
        fail_msg("not found: '%s', but '%s'", about, audit.first);
    for (unsigned worse = (unsigned)severity + 1; worse < PEAL_AUDIT_SEVERITIES; worse++)
        assert_int_equal(audit.findings[worse], 0);
}

static int open_scene(void **state)
{
    (void)state;
    rig_open(&rig, PAGES, TOPICS, 1);
    rig_join(&rig, 1, &own);
    rig_join(&rig, 2, &other);
    assert_int_equal(peal_topic_subscribe(&other, "a", NULL, PEAL_SUBSCRIBER_IS_RELIABLE,
                                          &scene.topic, &scene.entry, &scene.word),
                     PEAL_OK);
    assert_int_equal(peal_topic_claim_lane(&own, "a", NULL, &scene.place.topic, &scene.place.lane,
                                           &scene.place.word),
                     PEAL_OK);
    assert_int_equal(peal_lane_geometry_make(&scene.geometry, 16, 48, 0, 0), PEAL_OK);
    assert_int_equal(
        peal_lane_allocate(&own, &scene.place, scene.geometry.size_bytes, 1, &scene.memory),
        PEAL_OK);
    peal_lane_geometry_store(&scene.geometry, 77, "wheel", scene.memory);
    peal_lane_writer_init(&scene.writer, &scene.geometry, scene.memory,
                          &own.topics[scene.place.topic], NULL);
    assert_int_equal(peal_lane_open(&own, &scene.place), PEAL_OK);
    struct peal_lane_found found;
    assert_int_equal(
        peal_lane_join(&other, scene.topic, scene.place.lane, scene.entry, scene.word, &found),
        PEAL_OK);
    struct peal_lane_reader_wish wish = {.reliable = true, .invited = found.invited};
    assert_int_equal(
        peal_lane_reader_begin(&scene.reader, found.memory, found.size_bytes, scene.entry, &wish),
        PEAL_OK);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void put(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(peal_lane_put(&scene.writer, "message", 8, 0), PEAL_OK);
}

static void take(uint32_t count)
{
    struct peal_message message;
    char bytes[48];
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(peal_lane_take_copy(&scene.reader, bytes, sizeof(bytes), &message),
                         PEAL_OK);
    (void)peal_lane_acknowledge(&scene.reader, true);
}

/* ---- an honest region ---- */

struct seen {
    struct peal_audit_item last[8];
    uint32_t count[8];
    char lane_name[64];
    char topic_name[64];
};

static void see(void *context, const struct peal_audit_item *item)
{
    struct seen *seen = context;
    assert_true(item->kind < 8);
    assert_int_equal(item->struct_bytes, sizeof(*item));
    seen->count[item->kind]++;
    seen->last[item->kind] = *item;
    if (item->kind == PEAL_AUDIT_LANE)
        strcpy(seen->lane_name, item->name);
    if (item->kind == PEAL_AUDIT_TOPIC)
        strcpy(seen->topic_name, item->name);
}

static void everything_is_accounted_for(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    options.item = see;
    options.context = &seen;
    put(20 - 4);
    take(9);
    put(4);
    struct peal_audit audit = audit_now(&options);
    assert_clean(&audit);
    assert_int_equal(audit.clients, 2);
    assert_int_equal(audit.topics, 1);
    assert_int_equal(audit.subscribers, 1);
    assert_int_equal(audit.lanes, 1);
    assert_int_equal(audit.lanes_ended, 0);
    assert_int_equal(audit.slots, 16);
    assert_int_equal(audit.slots_complete, 16);
    assert_int_equal(audit.pages_used, 2);
    assert_int_equal(audit.pages_free, audit.pages - 2);
    assert_int_equal(audit.generation, own.generation);
    assert_int_equal(seen.count[PEAL_AUDIT_REGION], 1);
    assert_int_equal(seen.count[PEAL_AUDIT_CLIENT], 2);
    assert_int_equal(seen.count[PEAL_AUDIT_READER], 1);
    assert_int_equal(seen.count[PEAL_AUDIT_PAGES], 1);
    assert_string_equal(seen.topic_name, "a");
    assert_string_equal(seen.lane_name, "wheel");
    const struct peal_audit_item *lane = &seen.last[PEAL_AUDIT_LANE];
    assert_int_equal(lane->client, 1);
    assert_int_equal(lane->life, PEAL_AUDIT_ALIVE);
    assert_int_equal(lane->incarnation, (uint32_t)own.incarnation);
    assert_int_equal(lane->span.count, 2);
    assert_int_equal(lane->messages.first, 4);
    assert_int_equal(lane->messages.count, 16);
    const struct peal_audit_item *reader = &seen.last[PEAL_AUDIT_READER];
    assert_int_equal(reader->client, 2);
    assert_int_equal(reader->messages.first, 9);
    assert_int_equal(reader->messages.count, 11);
}

static void loans_and_what_is_being_written_are_no_findings(void **state)
{
    (void)state;
    void *room;
    put(16);
    take(16);
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(peal_lane_reserve(&scene.writer, 8, &room), PEAL_OK);
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
    assert_int_equal(audit.slots_writing, 16);
    peal_lane_discard(&scene.writer);
    audit = audit_now(NULL);
    assert_clean(&audit);
}

static void bodies_that_a_batch_of_loans_overwrites_are_no_findings(void **state)
{
    (void)state;
    void *rooms[4];
    put(16);
    take(16);
    assert_int_equal(peal_lane_reserve_batch(&scene.writer, 8, 4, rooms), 4);
    struct peal_slot_shared *slot = peal_lane_slot(scene.writer.slots, 15, 64, 3);
    peal_u32_store_relaxed(&slot->length, 4000); /* as the body of a longer message may leave it */
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
    slot = peal_lane_slot(scene.writer.slots, 15, 64, 4);
    peal_u32_store_relaxed(&slot->length, 4000);
    assert_found(PEAL_AUDIT_CORRUPT, "message 4 lies outside");
}

static void a_region_is_audited_from_a_copy_that_cannot_be_written(void **state)
{
    (void)state;
    put(3);
    unsigned char *copy = mmap(NULL, (size_t)rig.size_bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(copy != MAP_FAILED);
    memcpy(copy, rig.base, (size_t)rig.size_bytes);
    assert_int_equal(mprotect(copy, (size_t)rig.size_bytes, PROT_READ), 0);
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_region_audit(copy, rig.size_bytes, &options, &audit), PEAL_OK);
    assert_clean(&audit);
    assert_int_equal(audit.slots_complete, 3);
    /* As it is when all are dead. */
    options.members_known = true;
    assert_int_equal(peal_region_audit(copy, rig.size_bytes, &options, &audit), PEAL_OK);
    assert_int_equal(audit.findings[PEAL_AUDIT_REMAINS], 4);
    assert_int_equal(audit.findings[PEAL_AUDIT_LOST] + audit.findings[PEAL_AUDIT_CORRUPT], 0);
    assert_int_equal(munmap(copy, (size_t)rig.size_bytes), 0);
}

static void what_the_dead_leave_is_remains_until_it_is_recovered(void **state)
{
    (void)state;
    put(3);
    rig_kill(&rig, 1);
    assert_found(PEAL_AUDIT_REMAINS, "of dead client 1");
    (void)peal_recover(&other);
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit); /* the lane is an orphan that its subscriber has still to read */
    assert_int_equal(audit.lanes_ended, 1);
    rig_kill(&rig, 2);
    rig_join(&rig, 3, &own);
    (void)peal_recover(&own);
    audit = audit_now(NULL);
    assert_clean(&audit);
    assert_int_equal(audit.clients, 1);
    assert_int_equal(audit.topics + audit.lanes + audit.subscribers + audit.pages_used, 0);
}

/* ---- what is no region ---- */

static void what_is_no_region_is_refused(void **state)
{
    (void)state;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_region_audit(NULL, 4096, NULL, &audit), PEAL_EINVAL);
    assert_int_equal(peal_region_audit(rig.base + 1, 1 << 20, NULL, &audit), PEAL_EINVAL);
    assert_int_equal(peal_region_audit(rig.base, rig.size_bytes, NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_audit(NULL, NULL, &audit), PEAL_EINVAL);
    assert_int_equal(peal_region_audit(rig.base, 4096, NULL, &audit), PEAL_EFORMAT);
    assert_int_equal(peal_region_audit(rig.base, rig.size_bytes - 4096, NULL, &audit),
                     PEAL_EFORMAT);
    for (uint64_t seed = 1; seed < 20; seed++) {
        rig_scramble(&rig);
        assert_int_equal(peal_region_audit(rig.base, rig.size_bytes, NULL, &audit), PEAL_EFORMAT);
    }
}

/* ---- what is wrong ---- */

static peal_u64 *lane_owner(void)
{
    return &own.topics[scene.place.topic].lanes[scene.place.lane].owner;
}

static void store(peal_u64 *shared, uint64_t word)
{
    peal_u64_store_relaxed(shared, word);
}

static uint64_t load(const peal_u64 *shared)
{
    return peal_u64_load_relaxed(shared);
}

static void a_page_that_nothing_refers_to_is_lost(void **state)
{
    (void)state;
    uint32_t page = own.page_count - 1;
    store(&own.page_map[page], peal_pages_word(&own, scene.place.topic, 9));
    assert_found(PEAL_AUDIT_LOST, "no object refers to them");
    assert_int_equal(audit_now(NULL).pages_lost, 1);
    /* Behind a lane's last page, with its own word. */
    store(&own.page_map[page], peal_pages_word(&own, scene.place.topic, scene.place.lane));
    assert_found(PEAL_AUDIT_LOST, "no object refers to them");
    rig_kill(&rig, 1);
    assert_found(PEAL_AUDIT_REMAINS, "");
    assert_int_equal(audit_now(NULL).pages_remains, 1);
    store(&own.page_map[page], 15);
    assert_found(PEAL_AUDIT_CORRUPT, "impossible");
}

static void pages_of_a_lane_in_the_making_are_neither_lost_nor_used(void **state)
{
    (void)state;
    struct peal_lane_place place;
    uint32_t first;
    assert_int_equal(peal_topic_claim_lane(&own, "a", NULL, &place.topic, &place.lane, &place.word),
                     PEAL_OK);
    uint64_t word = peal_pages_word(&own, place.topic, place.lane);
    assert_int_equal(peal_pages_take(&own, 3, word, &first), PEAL_OK);
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
    assert_int_equal(audit.pages_moving, 3);
    /* Noted, but not all of them. */
    struct peal_lane_entry_shared *entry = &own.topics[place.topic].lanes[place.lane];
    peal_u32_store_relaxed(&entry->first_page, first);
    peal_u32_store_relaxed(&entry->page_count, 2);
    store(&entry->page_word, word);
    assert_found(PEAL_AUDIT_LOST, "no object refers to them");
    assert_int_equal(audit_now(NULL).pages_lost, 1);
}

static void spoilt_owner_words_are_found(void **state)
{
    (void)state;
    struct peal_topic_shared *topic = &own.topics[scene.place.topic];
    peal_u64 *const words[] = {&own.clients[5].owner,  &topic->owner,
                               &topic->type_owner,     &topic->subscribers[7],
                               &topic->lanes[7].owner, &own.topics[3].lanes[1].owner};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint64_t before = load(words[i]);
        store(words[i], peal_region_own_word(&own, 11));
        assert_found(PEAL_AUDIT_CORRUPT, "impossible");
        store(words[i], before);
    }
    /* A client entry under another's index, and one whose incarnation is another's. */
    store(&own.clients[5].owner, load(&own.clients[1].owner));
    assert_found(PEAL_AUDIT_CORRUPT, "impossible");
    store(&own.clients[5].owner, 0);
    store(&own.clients[1].incarnation, 1);
    assert_found(PEAL_AUDIT_CORRUPT, "contradicts");
    store(&own.clients[1].incarnation, own.incarnation);
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
}

static void spoilt_topics_and_subscribers_are_found(void **state)
{
    (void)state;
    struct peal_topic_shared *topic = &own.topics[scene.place.topic];
    uint64_t name = load(&topic->name[0]);
    store(&topic->name[0], 0);
    assert_found(PEAL_AUDIT_CORRUPT, "without an end");
    store(&topic->name[0], name);
    store(&topic->subscriber_flags[scene.entry], 1u << 5);
    assert_found(PEAL_AUDIT_CORRUPT, "flags");
    store(&topic->subscriber_flags[scene.entry], 1);
    /* A second topic of the same name. */
    struct peal_topic_shared *twin = &own.topics[scene.place.topic + 1];
    store(&twin->name[0], name);
    store(&twin->owner, load(&topic->owner));
    assert_found(PEAL_AUDIT_CORRUPT, "same name");
    store(&twin->owner, 0);
    uint64_t word = load(&topic->owner);
    store(&topic->owner, peal_owner_next(word, PEAL_TOPIC_FREE));
    assert_found(PEAL_AUDIT_CORRUPT, "its topic is gone");
}

static void spoilt_lanes_are_found(void **state)
{
    (void)state;
    struct peal_lane_entry_shared *entry = &own.topics[scene.place.topic].lanes[scene.place.lane];
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    put(5);
    peal_u32_store_relaxed(&entry->page_count, count + 1);
    assert_found(PEAL_AUDIT_CORRUPT, "not its own");
    peal_u32_store_relaxed(&entry->page_count, UINT32_MAX);
    assert_found(PEAL_AUDIT_CORRUPT, "overlaps");
    peal_u32_store_relaxed(&entry->page_count, count);
    peal_u32_store_relaxed(&scene.memory->geometry.depth, 32);
    assert_found(PEAL_AUDIT_CORRUPT, "of another");
}

static void spoilt_slots_and_cursors_are_found(void **state)
{
    (void)state;
    put(5);
    struct peal_slot_shared *slot = peal_lane_slot(scene.writer.slots, 15, 64, 2);
    store(&slot->stamp, peal_stamp_complete(3));
    assert_found(PEAL_AUDIT_CORRUPT, "of another");
    store(&slot->stamp, peal_stamp_complete(2 + 160));
    assert_found(PEAL_AUDIT_CORRUPT, "at once");
    store(&slot->stamp, peal_stamp_complete(2));
    peal_u32_store_relaxed(&slot->length, 49);
    assert_found(PEAL_AUDIT_CORRUPT, "outside of the lane");
    peal_u32_store_relaxed(&slot->length, 8);
    store(&scene.memory->readers[scene.entry].cursor, 6);
    assert_found(PEAL_AUDIT_CORRUPT, "only 5 were published");
    store(&scene.memory->readers[scene.entry].cursor, 5);
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
}

static void an_ended_lane_that_nobody_reads_is_told(void **state)
{
    (void)state;
    store(lane_owner(), peal_owner_next(load(lane_owner()), PEAL_LANE_ORPHAN));
    struct peal_audit audit = audit_now(NULL);
    assert_clean(&audit);
    store(&scene.memory->readers[scene.entry].tag, 0);
    assert_found(PEAL_AUDIT_UNSETTLED, "nobody reads it");
    rig_kill(&rig, 1);
    assert_found(PEAL_AUDIT_REMAINS, "of dead client 1");
}

/* Whatever the words are: the walk stays inside (a sanitizer sees to it) and ends. */
static void random_words_anywhere_are_walked_over(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    const size_t fixed = PEAL_PAGE_BYTES; /* the header stays, or nothing is walked */
    unsigned char *whole = malloc((size_t)rig.size_bytes);
    assert_non_null(whole);
    memcpy(whole, rig.base, (size_t)rig.size_bytes);
    uint64_t found = 0;
    for (uint32_t run = 0; run < 400; run++) {
        uint32_t words = 1u << random_below(&seed, 12);
        for (uint32_t i = 0; i < words; i++) {
            size_t count = ((size_t)rig.size_bytes - fixed) / 8;
            size_t place = fixed + (size_t)(random_next(&seed) % count) * 8;
            uint64_t word = random_next(&seed) >> random_below(&seed, 64);
            memcpy(rig.base + place, &word, sizeof(word));
        }
        struct peal_audit audit = audit_now(NULL);
        for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
            found += audit.findings[i];
        if (run % 8 == 7)
            memcpy(rig.base, whole, (size_t)rig.size_bytes);
    }
    assert_true(found > 1000);
    free(whole);
}

static void assert_text(const char *text)
{
    char clean[512];
    assert_true(strlen(text) < sizeof(clean));
    strcpy(clean, text);
    peal_text_clean(clean);
    assert_string_equal(text, clean);
}

static void see_text(void *context, const struct peal_audit_item *item)
{
    uint32_t *count = context;
    assert_text(item->name);
    assert_text(item->type_name);
    *count += item->name[0] != '\0';
}

static void find_text(void *context, const struct peal_audit_finding *finding)
{
    (void)context;
    assert_text(finding->text);
}

/* Also where a finding has no room for the whole name: the cut falls into each byte of a character. */
static void names_are_text_whatever_a_peer_calls_itself(void **state)
{
    (void)state;
    uint32_t named = 0;
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    options.item = see_text;
    options.finding = find_text;
    options.context = &named;
    for (uint32_t cut = 0; cut < 4; cut++) {
        unsigned char bytes[PEAL_TOPIC_NAME_BYTES] = {0};
        unsigned char lane[] = {0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x7f, 0};
        memset(bytes, 0xff, sizeof(bytes)); /* without an end, which is a finding */
        for (uint32_t i = cut; i + 4 < sizeof(bytes); i += 4)
            memcpy(&bytes[i], "\xf0\x9f\x94\x94", 4);
        memcpy((void *)own.topics[scene.topic].name, bytes, sizeof(bytes));
        memset((void *)own.topics[scene.topic].type_name, 0xc2, PEAL_TOPIC_NAME_BYTES - 1);
        memset((void *)own.clients[1].name, 0x80 + (int)cut, 8);
        memcpy((void *)scene.memory->geometry.name, lane, sizeof(lane));
        peal_u64 *type_owner = &own.topics[scene.topic].type_owner;
        peal_u64_store_relaxed(type_owner,
                               peal_owner_next(peal_owner_load(type_owner), PEAL_TOPIC_READY));
        struct peal_audit audit = audit_now(&options);
        assert_true(audit.findings[PEAL_AUDIT_CORRUPT] > 0);
        assert_non_null(strstr(audit.first, "topic"));
        assert_text(audit.first);
    }
    assert_true(named >= 4 * 4);
}

/* ---- a region at work ---- */

static peal_u32 stopped;

static void *come_and_go(void *context)
{
    struct peal_region *region = context;
    while (!peal_u32_load_acquire(&stopped)) {
        struct peal_lane_place place;
        struct peal_lane_shared *memory;
        uint32_t topic, entry;
        uint64_t word;
        if (peal_topic_subscribe(region, "b", NULL, 0, &topic, &entry, &word) == PEAL_OK)
            peal_topic_unsubscribe(region, topic, entry, word);
        if (peal_topic_claim_lane(region, "a", NULL, &place.topic, &place.lane, &place.word) !=
            PEAL_OK)
            continue;
        struct peal_lane_geometry geometry;
        (void)peal_lane_geometry_make(&geometry, 64, 48, 0, 0);
        if (peal_lane_allocate(region, &place, geometry.size_bytes, 1, &memory) != PEAL_OK) {
            peal_lane_abandon(region, &place);
            continue;
        }
        peal_lane_geometry_store(&geometry, 5, "guest", memory);
        if (peal_lane_open(region, &place) == PEAL_OK)
            peal_lane_close(region, &place);
    }
    return NULL;
}

static void *publish_and_take(void *context)
{
    (void)context;
    struct peal_message message;
    char bytes[48];
    while (!peal_u32_load_acquire(&stopped)) {
        (void)peal_lane_put(&scene.writer, "message", 8, 0);
        (void)peal_lane_take_copy(&scene.reader, bytes, sizeof(bytes), &message);
        (void)peal_lane_acknowledge(&scene.reader, true);
    }
    return NULL;
}

static void honest_clients_at_work_are_no_findings(void **state)
{
    (void)state;
    struct peal_region third;
    pthread_t threads[3];
    /* Nobody reads the guests' lanes, so they are given back at once. */
    rig_join(&rig, 3, &third);
    peal_u32_store_release(&stopped, 0);
    assert_int_equal(pthread_create(&threads[0], NULL, come_and_go, &own), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, come_and_go, &third), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, publish_and_take, NULL), 0);
    uint64_t unsettled = 0;
    char first[256] = "";
    uint64_t bad = 0;
    for (uint32_t i = 0; i < 20000 && !bad; i++) {
        struct peal_audit audit = audit_now(NULL);
        unsettled += audit.findings[PEAL_AUDIT_UNSETTLED];
        bad = audit.findings[PEAL_AUDIT_REMAINS] + audit.findings[PEAL_AUDIT_LOST] +
              audit.findings[PEAL_AUDIT_CORRUPT];
        memcpy(first, audit.first, sizeof(first));
    }
    peal_u32_store_release(&stopped, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    if (bad)
        fail_msg("%s", first);
    print_message("%" PRIu64 " things would not rest in 20000 audits\n", unsettled);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        SCENE(everything_is_accounted_for),
        SCENE(loans_and_what_is_being_written_are_no_findings),
        SCENE(bodies_that_a_batch_of_loans_overwrites_are_no_findings),
        SCENE(a_region_is_audited_from_a_copy_that_cannot_be_written),
        SCENE(what_the_dead_leave_is_remains_until_it_is_recovered),
        SCENE(what_is_no_region_is_refused),
        SCENE(a_page_that_nothing_refers_to_is_lost),
        SCENE(pages_of_a_lane_in_the_making_are_neither_lost_nor_used),
        SCENE(spoilt_owner_words_are_found),
        SCENE(spoilt_topics_and_subscribers_are_found),
        SCENE(spoilt_lanes_are_found),
        SCENE(spoilt_slots_and_cursors_are_found),
        SCENE(an_ended_lane_that_nobody_reads_is_told),
        SCENE(random_words_anywhere_are_walked_over),
        SCENE(names_are_text_whatever_a_peer_calls_itself),
        SCENE(honest_clients_at_work_are_no_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
