/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G3 and G5 under load: four publishers, each of several lives one after the other, and four
 * subscribers, reliable and best effort mixed, under a seeded random schedule of sizes, singles,
 * batches, loans, copies and pauses, while a fifth subscriber comes and goes. For each publisher's
 * life and each subscriber: published + dropped = delivered + reported lost, in order, and every
 * message is known by (publisher, number, content). As threads over local: and as processes over
 * posix: and over vdev:, by a device server. PEAL_TEST_SEED repeats a run.
 */
#include "core/atomic.h"
#include "core/copy.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/random.h"

#include <peal/peal.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PUBLISHERS 4u
#define SUBSCRIBERS 4u
#define ACTORS (PUBLISHERS + SUBSCRIBERS + 1u)
#define LIVES 3u
#define LIVES_ALL (PUBLISHERS * LIVES)
#define LIFE_NS UINT64_C(150000000)
#define DEADLINE_NS UINT64_C(90000000000)
#define MESSAGE_BYTES_MAX 2000u
#define BATCH_MAX 16u

/* What all sides know of one life of a publisher. */
struct life {
    peal_u64 incarnation; /* how subscribers know it; 0: not begun */
    peal_u64 ended;       /* 1: the next two are final */
    peal_u64 published;
    peal_u64 dropped;
};

struct shared_run {
    peal_u64 ready; /* subscribers that exist */
    peal_u64 failed;
    struct life lives[LIVES_ALL];
};

struct actor {
    struct shared_run *shared;
    const char *url;
    const char *what;
    uint64_t seed;
    uint32_t index; /* publishers, subscribers, visitor */
    bool checksums;
};

static bool fails(struct actor *actor, const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "actor %u: %s (%" PRIu64 ", %" PRIu64 ")\n", actor->index, what, a, b);
    peal_u64_store_release(&actor->shared->failed, 1);
    return false;
}

static bool has_failed(const struct actor *actor)
{
    return peal_u64_load_acquire(&actor->shared->failed) != 0;
}

/* ---- publishers ---- */

static const struct peal_publisher_options kinds[PUBLISHERS] = {
    {.struct_bytes = sizeof(struct peal_publisher_options),
     .depth = 64,
     .full_policy = PEAL_FULL_WAIT},
    {.struct_bytes = sizeof(struct peal_publisher_options),
     .depth = 16,
     .message_bytes_max = 700,
     .full_policy = PEAL_FULL_REFUSE,
     .timestamp = true},
    {.struct_bytes = sizeof(struct peal_publisher_options),
     .depth = 256,
     .message_bytes_max = MESSAGE_BYTES_MAX,
     .payload_bytes = 10000,
     .full_policy = PEAL_FULL_DROP_NEWEST},
    {.struct_bytes = sizeof(struct peal_publisher_options),
     .depth = 32,
     .message_bytes_max = 100,
     .full_policy = PEAL_FULL_EVICT},
};

static uint32_t longest_of(const struct peal_publisher_options *kind)
{
    return kind->message_bytes_max ? kind->message_bytes_max : 32;
}

/* Through relaxed words: a best-effort subscriber may be copying the same bytes. */
static void fill_loan(void *data, size_t size_bytes, uint64_t sender, uint64_t number)
{
    unsigned char bytes[MESSAGE_BYTES_MAX];
    content_fill(bytes, size_bytes, sender, number);
    peal_copy_in(data, bytes, size_bytes);
}

/* One call of some kind. *number moves by what was published, *dropped by what was dropped. */
static enum peal_status publish_some(struct peal_publisher *publisher, uint32_t longest,
                                     uint64_t sender, uint64_t *seed, uint64_t *number,
                                     uint64_t *dropped)
{
    static _Thread_local unsigned char bytes[BATCH_MAX][MESSAGE_BYTES_MAX];
    struct peal_slice slices[BATCH_MAX];
    void *loans[BATCH_MAX];
    size_t size = random_below(seed, longest + 1), count = 1 + random_below(seed, BATCH_MAX);
    size_t done = 0;
    enum peal_status status;
    switch (random_below(seed, 6)) {
    case 0: /* Whether the batch drops depends on the gate: content by number fits only without. */
        if (*dropped != UINT64_MAX) {
            status = peal_publisher_loan_batch(publisher, size, count, loans, &done);
            break;
        }
        for (size_t i = 0; i < count; i++) {
            slices[i] = (struct peal_slice){bytes[i], random_below(seed, longest + 1)};
            content_fill(bytes[i], slices[i].size_bytes, sender, *number + i);
        }
        status = peal_publisher_publish_batch(publisher, slices, count, &done);
        *number += done;
        return status;
    case 1:
        status = peal_publisher_loan_batch(publisher, size, count, loans, &done);
        break;
    case 2:
        status = peal_publisher_loan(publisher, size, &loans[0]);
        if (status != PEAL_OK)
            return status;
        size = random_below(seed, (uint32_t)size + 1);
        fill_loan(loans[0], size, sender, *number);
        if (random_below(seed, 4) == 0)
            return peal_publisher_discard(publisher);
        status = peal_publisher_commit(publisher, size);
        *number += status == PEAL_OK;
        return status;
    default:
        content_fill(bytes[0], size, sender, *number);
        status = peal_publisher_publish(publisher, bytes[0], size);
        *number += status == PEAL_OK;
        return status;
    }
    if (status != PEAL_OK)
        return status;
    for (size_t i = 0; i < done; i++)
        fill_loan(loans[i], size, sender, *number + i);
    count = random_below(seed, (uint32_t)done + 1);
    status = peal_publisher_commit_batch(publisher, count);
    *number += status == PEAL_OK ? count : 0;
    return status;
}

static bool live(struct actor *actor, struct peal_bus *bus, struct life *life, uint64_t *seed)
{
    struct peal_publisher_options options = kinds[actor->index];
    options.crc32c = actor->checksums && random_below(seed, 2);
    struct peal_publisher *publisher;
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    if (peal_publisher_create(bus, "load", &options, &publisher) != PEAL_OK) {
        fprintf(stderr, "%s\n", peal_error_message());
        return fails(actor, "cannot publish", 0, 0);
    }
    (void)peal_publisher_stats(publisher, &stats);
    const uint64_t sender = stats.incarnation;
    peal_u64_store_release(&life->incarnation, sender);
    uint64_t number = 0;
    /* Not waited for, not dropped: batches of copies know their numbers. */
    uint64_t batches = options.full_policy == PEAL_FULL_DROP_NEWEST ? 0 : UINT64_MAX;
    const uint64_t begin_ns = test_now_ns(), life_ns = LIFE_NS / 2 + random_next(seed) % LIFE_NS;
    while (test_now_ns() - begin_ns < life_ns && !has_failed(actor)) {
        enum peal_status status =
            publish_some(publisher, longest_of(&options), sender, seed, &number, &batches);
        if (status != PEAL_OK && status != PEAL_FULL && status != PEAL_DROPPED)
            return fails(actor, "publish answered", status, number);
        if (status != PEAL_OK || random_below(seed, 32) == 0)
            (void)sched_yield();
    }
    /* The last message tells all losses before it. */
    unsigned char last[8];
    content_fill(last, sizeof(last), sender, number);
    while (peal_publisher_publish(publisher, last, sizeof(last)) != PEAL_OK) {
        if (test_now_ns() - begin_ns > DEADLINE_NS || has_failed(actor))
            return fails(actor, "no room for the last message", number, 0);
        (void)sched_yield();
    }
    (void)peal_publisher_stats(publisher, &stats);
    if (stats.published != number + 1)
        return fails(actor, "published is counted wrongly", stats.published, number + 1);
    peal_u64_store_relaxed(&life->published, stats.published);
    peal_u64_store_relaxed(&life->dropped, stats.dropped);
    peal_u64_store_release(&life->ended, 1);
    peal_publisher_close(publisher);
    return true;
}

static bool publish(struct actor *actor, struct peal_bus *bus)
{
    uint64_t seed = actor->seed;
    while (peal_u64_load_acquire(&actor->shared->ready) < SUBSCRIBERS) {
        if (has_failed(actor))
            return false;
        (void)sched_yield();
    }
    for (uint32_t i = 0; i < LIVES; i++) {
        if (!live(actor, bus, &actor->shared->lives[actor->index * LIVES + i], &seed))
            return false;
    }
    return true;
}

/* ---- subscribers ---- */

/* What one subscriber knows of one life of a publisher. */
struct account {
    uint64_t expected; /* next number if nothing is lost */
    uint64_t delivered;
    uint64_t lost;
};

struct ledger {
    struct account accounts[LIVES_ALL];
    bool whole;    /* was there before all of them: every message counts */
    bool reliable; /* loses nothing but drops, and to eviction */
};

/* Which life a message is of; its publisher may be just about to say who it is. */
static uint32_t life_of(struct actor *actor, uint64_t publisher)
{
    uint64_t deadline_ns = test_now_ns() + DEADLINE_NS;
    do {
        for (uint32_t i = 0; i < LIVES_ALL; i++) {
            if (peal_u64_load_acquire(&actor->shared->lives[i].incarnation) == publisher)
                return i;
        }
        (void)sched_yield();
    } while (test_now_ns() < deadline_ns);
    return LIVES_ALL;
}

/* Checks a message; `content` is NULL if it was overwritten while it was read. */
static bool enter(struct actor *actor, struct ledger *ledger, const struct peal_message *message,
                  const unsigned char *content)
{
    uint32_t index = life_of(actor, message->publisher);
    if (index == LIVES_ALL)
        return fails(actor, "a message of nobody", message->publisher, message->number);
    struct account *account = &ledger->accounts[index];
    bool first = account->delivered + account->lost == 0;
    if (ledger->whole || !first) {
        if (message->number < account->expected)
            return fails(actor, "out of order", message->number, account->expected);
        uint64_t skipped = message->number - account->expected;
        if (message->lost < skipped)
            return fails(actor, "lost silently before", message->number, skipped);
        if (skipped && ledger->reliable && kinds[index / LIVES].full_policy != PEAL_FULL_EVICT)
            return fails(actor, "a reliable subscriber lost", message->number, skipped);
    }
    if (content && !content_is(content, message->size_bytes, message->publisher, message->number))
        return fails(actor, "wrong content", message->number, message->size_bytes);
    account->expected = message->number + 1;
    account->lost += message->lost + (content ? 0 : 1);
    account->delivered += content ? 1 : 0;
    return true;
}

static bool take_batch(struct actor *actor, struct peal_subscriber *subscriber,
                       struct ledger *ledger, uint64_t *seed, enum peal_status *status)
{
    static _Thread_local unsigned char bytes[BATCH_MAX][MESSAGE_BYTES_MAX];
    struct peal_message messages[BATCH_MAX];
    size_t count = 0;
    *status =
        peal_subscriber_take_batch(subscriber, messages, 1 + random_below(seed, BATCH_MAX), &count);
    if (*status != PEAL_OK)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].size_bytes > MESSAGE_BYTES_MAX)
            return fails(actor, "too long", messages[i].number, messages[i].size_bytes);
        peal_copy_out(bytes[i], messages[i].data, messages[i].size_bytes);
    }
    /* One by one: which of them elapsed matters here. */
    for (size_t i = 0; i < count; i++) {
        enum peal_status released = peal_subscriber_release(subscriber, &messages[i]);
        if (released != PEAL_OK && released != PEAL_ELAPPED)
            return fails(actor, "release answered", released, messages[i].number);
        if (!enter(actor, ledger, &messages[i], released == PEAL_OK ? bytes[i] : NULL))
            return false;
    }
    return true;
}

static bool take_some(struct actor *actor, struct peal_subscriber *subscriber,
                      struct ledger *ledger, uint64_t *seed, enum peal_status *status)
{
    unsigned char bytes[MESSAGE_BYTES_MAX];
    struct peal_message message;
    switch (random_below(seed, 4)) {
    case 0:
        return take_batch(actor, subscriber, ledger, seed, status);
    case 1:
        *status = peal_subscriber_take(subscriber, &message);
        if (*status != PEAL_OK)
            return true;
        if (message.size_bytes > sizeof(bytes))
            return fails(actor, "too long", message.number, message.size_bytes);
        peal_copy_out(bytes, message.data, message.size_bytes);
        if (peal_subscriber_release(subscriber, &message) != PEAL_OK)
            return enter(actor, ledger, &message, NULL);
        return enter(actor, ledger, &message, bytes);
    default:
        *status = peal_subscriber_take_copy(subscriber, bytes, sizeof(bytes), &message);
        return *status != PEAL_OK || enter(actor, ledger, &message, bytes);
    }
}

static bool has_all(const struct actor *actor, const struct ledger *ledger)
{
    for (uint32_t i = 0; i < LIVES_ALL; i++) {
        const struct life *life = &actor->shared->lives[i];
        if (!peal_u64_load_acquire(&life->ended) ||
            ledger->accounts[i].expected != peal_u64_load_relaxed(&life->published))
            return false;
    }
    return true;
}

/* Takes until everything has come, or `most` calls found something. */
static bool take_on(struct actor *actor, struct peal_subscriber *subscriber, struct ledger *ledger,
                    uint64_t *seed, uint64_t most)
{
    uint64_t idle_since_ns = test_now_ns();
    for (uint64_t taken = 0; taken < most && !has_failed(actor);) {
        enum peal_status status = PEAL_EMPTY;
        if (!take_some(actor, subscriber, ledger, seed, &status))
            return false;
        if (status == PEAL_OK) {
            taken++;
            idle_since_ns = test_now_ns();
            if (random_below(seed, 64) == 0)
                (void)sched_yield();
            continue;
        }
        if (status != PEAL_EMPTY)
            return fails(actor, "take answered", status, 0);
        if (has_all(actor, ledger))
            return true;
        if (test_now_ns() - idle_since_ns > DEADLINE_NS / 3)
            return fails(actor, "nothing comes any more", taken, 0);
        if (random_below(seed, 2))
            (void)peal_subscriber_wait(subscriber, 1000000);
        else
            (void)sched_yield();
        if (most != UINT64_MAX)
            taken++; /* a visitor leaves for boredom, too */
    }
    return !has_failed(actor);
}

static bool settle(struct actor *actor, struct peal_subscriber *subscriber,
                   const struct ledger *ledger)
{
    uint64_t delivered = 0, lost = 0;
    for (uint32_t i = 0; i < LIVES_ALL; i++) {
        const struct account *account = &ledger->accounts[i];
        const struct life *life = &actor->shared->lives[i];
        uint64_t published =
            peal_u64_load_relaxed(&life->published) + peal_u64_load_relaxed(&life->dropped);
        if (account->delivered + account->lost != published)
            return fails(actor, "published is not delivered + lost in life", i,
                         published - account->delivered - account->lost);
        delivered += account->delivered;
        lost += account->lost;
    }
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_subscriber_stats(subscriber, &stats);
    if (stats.delivered != delivered || stats.lost != lost)
        return fails(actor, "statistics say otherwise", stats.delivered, stats.lost);
    if (stats.corrupt != 0)
        return fails(actor, "corrupt", stats.corrupt, 0);
    return true;
}

static bool subscribe(struct actor *actor, struct peal_bus *bus)
{
    uint64_t seed = actor->seed;
    struct ledger ledger = {.whole = true, .reliable = actor->index % 2 == 0};
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.reliability = ledger.reliable ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    struct peal_subscriber *subscriber;
    if (peal_subscriber_create(bus, "load", &options, &subscriber) != PEAL_OK)
        return fails(actor, peal_error_message(), 0, 0);
    (void)peal_u64_add_acq_rel(&actor->shared->ready, 1);
    bool good = take_on(actor, subscriber, &ledger, &seed, UINT64_MAX) &&
                settle(actor, subscriber, &ledger);
    peal_subscriber_close(subscriber);
    return good;
}

static bool visit(struct actor *actor, struct peal_bus *bus)
{
    uint64_t seed = actor->seed;
    bool good = true;
    for (bool last = false; good && !last && !has_failed(actor);) {
        last = true;
        for (uint32_t i = 0; i < LIVES_ALL; i++)
            last = last && peal_u64_load_acquire(&actor->shared->lives[i].ended);
        struct ledger ledger = {.reliable = random_below(&seed, 2)};
        struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
        options.reliability = ledger.reliable ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
        if (!ledger.reliable)
            options.history = random_below(&seed, 20);
        struct peal_subscriber *subscriber;
        if (peal_subscriber_create(bus, "load", &options, &subscriber) != PEAL_OK)
            return fails(actor, peal_error_message(), 0, 0);
        good = take_on(actor, subscriber, &ledger, &seed, random_below(&seed, 300));
        peal_subscriber_close(subscriber);
    }
    return good;
}

/* ---- the play ---- */

static bool play(struct actor *actor)
{
    struct peal_bus *bus;
    if (peal_bus_open(&bus, actor->url, NULL) != PEAL_OK)
        return fails(actor, peal_error_message(), 0, 0);
    bool good;
    if (actor->index < PUBLISHERS)
        good = publish(actor, bus);
    else if (actor->index < PUBLISHERS + SUBSCRIBERS)
        good = subscribe(actor, bus);
    else
        good = visit(actor, bus);
    peal_bus_close(bus);
    return good;
}

static void *play_in_thread(void *argument)
{
    return play(argument) ? argument : NULL;
}

static int play_in_child(struct child_link *link, void *argument)
{
    (void)link;
    return play(argument) ? 0 : 1;
}

static void cast(struct actor *actors, const char *url, uint64_t seed, bool checksums)
{
    struct shared_run *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    for (uint32_t i = 0; i < ACTORS; i++)
        actors[i] = (struct actor){.shared = shared,
                                   .url = url,
                                   .seed = random_next(&seed),
                                   .index = i,
                                   .checksums = checksums};
}

static void assert_played(const struct actor *actors)
{
    for (uint32_t i = 0; i < LIVES_ALL; i++)
        assert_true(peal_u64_load_relaxed(&actors[0].shared->lives[i].published) > 1);
    assert_false(has_failed(actors));
    assert_int_equal(munmap(actors[0].shared, sizeof(*actors[0].shared)), 0);
}

static void four_by_four_threads_account_for_every_message(void **state)
{
    (void)state;
    struct actor actors[ACTORS];
    pthread_t threads[ACTORS];
    void *results[ACTORS];
    /* A checksum in place is a plain read, which ThreadSanitizer would rightly call a race. */
    cast(actors, "local:topic-load?size=8M", random_seed(), false);
    struct peal_bus *keeper; /* the region must outlive each single actor */
    assert_int_equal(peal_bus_open(&keeper, actors[0].url, NULL), PEAL_OK);
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, play_in_thread, &actors[i]), 0);
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_int_equal(pthread_join(threads[i], &results[i]), 0);
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_ptr_equal(results[i], &actors[i]);
    assert_played(actors);
    peal_bus_close(keeper);
}

static void run_processes(const char *scheme)
{
    struct actor actors[ACTORS];
    struct child children[ACTORS];
    struct place place;
    assert_true(place_make(&place, scheme, "topic-load", "size=8M"));
    struct peal_bus *keeper; /* a region of the vdev must outlive each single actor */
    cast(actors, place.url, random_seed() + 1, true);
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_true(child_start(&children[i], play_in_child, &actors[i]));
    assert_int_equal(peal_bus_open(&keeper, place.url, NULL), PEAL_OK);
    int codes[ACTORS];
    for (uint32_t i = 0; i < ACTORS; i++)
        codes[i] = child_reap(&children[i]);
    peal_bus_close(keeper);
    place_remove(&place);
    for (uint32_t i = 0; i < ACTORS; i++)
        assert_int_equal(codes[i], 0);
    assert_played(actors);
}

static void four_by_four_processes_account_for_every_message(void **state)
{
    (void)state;
    run_processes("posix");
}

static void four_by_four_guests_account_for_every_message(void **state)
{
    (void)state;
    run_processes("vdev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Processes first: children of a process without threads. */
        cmocka_unit_test(four_by_four_processes_account_for_every_message),
        cmocka_unit_test(four_by_four_guests_account_for_every_message),
        cmocka_unit_test(four_by_four_threads_account_for_every_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
