/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/witness.h"

#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 2, 3))) void complain(struct witness *witness,
                                                           const char *format, ...)
{
    if (witness->complaint[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(witness->complaint, sizeof(witness->complaint), format, arguments);
    va_end(arguments);
}

const char *witness_call_text(enum witness_call call)
{
    static const char *const texts[] = {
        "open", "recover", "publish", "take", "create publisher", "create subscriber", "close"};
    return texts[call];
}

static void note_time(struct witness *witness, enum witness_call call, uint64_t begin_ns)
{
    uint64_t took_ns = test_now_ns() - begin_ns;
    struct witness_times *times = witness->times;
    times->calls[call]++;
    if (took_ns > times->longest_ns[call])
        times->longest_ns[call] = took_ns;
}

static enum peal_status publish(struct witness *witness)
{
    uint64_t word = life_word(witness->incarnation, witness->published);
    uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_publisher_publish(witness->publisher, &word, sizeof(word));
    note_time(witness, WITNESS_PUBLISH, begin_ns);
    witness->published += status == PEAL_OK;
    return status;
}

static struct peal_publisher_options publisher_options(const char *name)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.depth = 16;
    options.full_policy = PEAL_FULL_REFUSE;
    options.type_name = LIFE_TYPE;
    options.schema_hash = LIFE_SCHEMA;
    options.name = name;
    return options;
}

bool witness_begin(struct witness *witness, const char *url, struct witness_times *times)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    struct peal_publisher_options options = publisher_options(LIFE_WITNESS_NAME);
    struct peal_subscriber_options best_effort = PEAL_SUBSCRIBER_OPTIONS_INIT;
    int descriptor;
    *witness = (struct witness){.times = times};
    uint64_t begin_ns = test_now_ns();
    witness->bus = life_bus(url, EVENTUALLY_TIMEOUT_NS);
    note_time(witness, WITNESS_OPEN, begin_ns);
    best_effort.reliability = PEAL_BEST_EFFORT;
    if (!witness->bus ||
        peal_subscriber_create(witness->bus, LIFE_TOPIC, NULL, &witness->reliable) != PEAL_OK ||
        peal_subscriber_create(witness->bus, LIFE_TOPIC_BIG, &best_effort, &witness->best_effort) !=
            PEAL_OK ||
        peal_publisher_create(witness->bus, LIFE_TOPIC, &options, &witness->publisher) != PEAL_OK)
        return false;
    (void)peal_publisher_stats(witness->publisher, &stats);
    witness->incarnation = stats.incarnation;
    for (uint32_t i = 0; i < 8; i++)
        (void)publish(witness);
    return peal_bus_fd(witness->bus, &descriptor) == PEAL_OK &&
           peal_bus_arm(witness->bus) == PEAL_OK;
}

static struct witness_voice *voice_of(struct witness *witness, uint64_t incarnation)
{
    for (uint32_t i = 0; i < witness->voice_count; i++)
        if (witness->voices[i].incarnation == incarnation)
            return &witness->voices[i];
    if (witness->voice_count == WITNESS_VOICES_MAX)
        return NULL;
    struct witness_voice *voice = &witness->voices[witness->voice_count++];
    *voice = (struct witness_voice){.incarnation = incarnation};
    return voice;
}

/* One message; false if there is none. */
static bool hear(struct witness *witness, struct peal_subscriber *subscriber, bool is_reliable)
{
    uint64_t words[512];
    struct peal_message message;
    uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_subscriber_take_copy(subscriber, words, sizeof(words), &message);
    note_time(witness, WITNESS_TAKE, begin_ns);
    if (status == PEAL_EMPTY)
        return false;
    struct witness_voice *voice = status == PEAL_OK ? voice_of(witness, message.publisher) : NULL;
    if (!voice) {
        complain(witness, "take: %s", peal_status_name(status));
        return false;
    }
    uint64_t number = message.number;
    for (size_t i = 0; i < message.size_bytes / 8; i++)
        if (words[i] != life_word(message.publisher, number))
            complain(witness, "word %zu of message %" PRIu64 " is wrong", i, number);
    if (number < voice->next || (is_reliable && number != voice->next))
        complain(witness, "message %" PRIu64 " came where %" PRIu64 " was due", number,
                 voice->next);
    if (message.lost < number - voice->next)
        complain(witness, "%" PRIu64 " lost were not told before %" PRIu64, number - voice->next,
                 number);
    voice->next = number + 1;
    voice->delivered++;
    voice->lost += message.lost;
    return true;
}

void witness_listen(struct witness *witness)
{
    for (uint32_t i = 0; i < 1000 && hear(witness, witness->reliable, true); i++) {
    }
    for (uint32_t i = 0; i < 1000 && hear(witness, witness->best_effort, false); i++) {
    }
}

void witness_recover(struct witness *witness, uint32_t *recovered)
{
    uint64_t begin_ns = test_now_ns();
    if (peal_bus_recover(witness->bus, recovered) != PEAL_OK)
        complain(witness, "recover: %s", peal_error_message());
    note_time(witness, WITNESS_RECOVER, begin_ns);
}

/* Makes and ends a publisher and a subscriber of the topic. */
static void come_and_go(struct witness *witness, const char *topic, enum witness_company company)
{
    struct peal_publisher *publisher = NULL;
    struct peal_subscriber *subscriber = NULL;
    struct peal_publisher_options options = publisher_options("guest");
    uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_publisher_create(witness->bus, topic, &options, &publisher);
    note_time(witness, WITNESS_CREATE_PUBLISHER, begin_ns);
    if (status != PEAL_OK && !(company == WITNESS_WITH_STOPPED && status == PEAL_AGAIN))
        complain(witness, "a publisher of %s: %s", topic, peal_error_message());
    begin_ns = test_now_ns();
    status = peal_subscriber_create(witness->bus, topic, NULL, &subscriber);
    note_time(witness, WITNESS_CREATE_SUBSCRIBER, begin_ns);
    if (status != PEAL_OK && !(company == WITNESS_WITH_STOPPED && status == PEAL_AGAIN))
        complain(witness, "a subscriber of %s: %s", topic, peal_error_message());
    begin_ns = test_now_ns();
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    note_time(witness, WITNESS_CLOSE, begin_ns);
}

void witness_work(struct witness *witness, enum witness_company company)
{
    witness_listen(witness);
    for (uint32_t i = 0; i < 4; i++) {
        enum peal_status status = publish(witness);
        if (status != PEAL_OK && !(company != WITNESS_ALONE && status == PEAL_FULL))
            complain(witness, "publish: %s", peal_status_name(status));
    }
    come_and_go(witness, LIFE_TOPIC, company);
    come_and_go(witness, "own", company);
    come_and_go(witness, "meeting", company);
    witness_listen(witness);
}

void witness_audit(struct witness *witness, enum peal_audit_severity allowed)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    if (peal_bus_audit(witness->bus, NULL, &audit) != PEAL_OK)
        complain(witness, "audit: %s", peal_error_message());
    for (unsigned worse = (unsigned)allowed + 1; worse < PEAL_AUDIT_SEVERITIES; worse++)
        if (audit.findings[worse])
            complain(witness, "audit: %s", audit.first);
    if (audit.pages != audit.pages_free + audit.pages_used + audit.pages_moving +
                           audit.pages_remains + audit.pages_lost)
        complain(witness, "audit: its pages do not add up");
}

/* Only its own lane is left of the topic. */
static bool have_ended(void *context)
{
    struct witness *witness = context;
    struct peal_subscriber_stats reliable = {.struct_bytes = sizeof(reliable)};
    struct peal_subscriber_stats best_effort = {.struct_bytes = sizeof(best_effort)};
    witness_listen(witness);
    (void)peal_subscriber_stats(witness->reliable, &reliable);
    (void)peal_subscriber_stats(witness->best_effort, &best_effort);
    return (reliable.publishers == 1 && best_effort.publishers == 0) || witness->complaint[0];
}

static void compare_voice(struct witness *witness, struct life_account *account, uint64_t done,
                          uint64_t begun)
{
    const struct witness_voice *voice =
        voice_of(witness, peal_u64_load_acquire(&account->incarnation));
    uint64_t drops = peal_u64_load_acquire(&account->drops_begun);
    if (!voice || voice->next < done || voice->next > begun)
        complain(witness,
                 "of %" PRIu64 " to %" PRIu64 " messages published, %" PRIu64 " were accounted for",
                 done, begun, voice ? voice->next : 0);
    else if (voice->lost > drops)
        complain(witness, "%" PRIu64 " losses were told, but %" PRIu64 " were dropped", voice->lost,
                 drops);
}

void witness_compare(struct witness *witness, struct life_ledger *ledger, bool has_died)
{
    struct peal_subscriber_stats big = {.struct_bytes = sizeof(big)};
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    uint64_t big_done = 0, big_begun = 0, drops = 0, drops_begun = 0;
    if (!eventually(have_ended, witness, EVENTUALLY_TIMEOUT_NS))
        complain(witness, "lanes of publishers that have ended are still there");
    for (uint32_t i = 0; i < LIFE_PUBLISHERS_MAX; i++) {
        struct life_account *account = &ledger->publishers[i];
        uint64_t topic = peal_u64_load_acquire(&account->topic);
        uint64_t done = peal_u64_load_acquire(&account->done);
        uint64_t begun = peal_u64_load_acquire(&account->begun);
        if (!has_died && done != begun)
            complain(witness, "the ledger of a process that has not died is not closed");
        if (topic == 2) {
            big_done += done;
            big_begun += begun;
        } else if (topic == 1) {
            drops += peal_u64_load_acquire(&account->drops);
            drops_begun += peal_u64_load_acquire(&account->drops_begun);
            compare_voice(witness, account, done, begun);
        }
    }
    (void)peal_subscriber_stats(witness->best_effort, &big);
    (void)peal_subscriber_stats(witness->reliable, &stats);
    if (big.delivered + big.lost < big_done || big.delivered + big.lost > big_begun)
        complain(witness,
                 "big: delivered %" PRIu64 " and lost %" PRIu64 " of %" PRIu64 " to %" PRIu64,
                 big.delivered, big.lost, big_done, big_begun);
    if (stats.lost < drops || stats.lost > drops_begun)
        complain(witness, "lost %" PRIu64 " of %" PRIu64 " to %" PRIu64 " drops", stats.lost, drops,
                 drops_begun);
    const struct witness_voice *own = voice_of(witness, witness->incarnation);
    if (!own || own->next != witness->published)
        complain(witness, "of %" PRIu64 " own messages, %" PRIu64 " came back", witness->published,
                 own ? own->next : 0);
}

void witness_end(struct witness *witness)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    peal_publisher_close(witness->publisher);
    peal_subscriber_close(witness->reliable);
    peal_subscriber_close(witness->best_effort);
    if (witness->bus && peal_bus_audit(witness->bus, NULL, &audit) != PEAL_OK)
        complain(witness, "audit: %s", peal_error_message());
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            complain(witness, "in the end: %s", audit.first);
    if (audit.clients != 1 || audit.topics || audit.subscribers || audit.lanes ||
        audit.pages_free != audit.pages)
        complain(witness,
                 "in the end there are %u clients, %u topics, %u subscribers, %u lanes, and %u of "
                 "%u pages are free",
                 audit.clients, audit.topics, audit.subscribers, audit.lanes, audit.pages_free,
                 audit.pages);
    peal_bus_close(witness->bus);
    witness->bus = NULL;
}
