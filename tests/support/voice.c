/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/voice.h"

#include <string.h>

uint64_t life_word(uint64_t incarnation, uint64_t number)
{
    return (incarnation + number) * UINT64_C(0x9e3779b97f4a7c15);
}

static void add(peal_u64 *count, uint64_t more)
{
    (void)peal_u64_add_acq_rel(count, more);
}

bool voice_open(struct life_ledger *ledger, struct peal_bus *bus, const char *topic,
                const struct peal_publisher_options *options, struct voice *voice)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    *voice = (struct voice){0};
    uint64_t place = peal_u64_add_acq_rel(&ledger->publisher_count, 1);
    if (place >= LIFE_PUBLISHERS_MAX ||
        peal_publisher_create(bus, topic, options, &voice->publisher) != PEAL_OK)
        return false;
    (void)peal_publisher_stats(voice->publisher, &stats);
    voice->incarnation = stats.incarnation;
    voice->account = &ledger->publishers[place];
    uint64_t watched = strcmp(topic, LIFE_TOPIC) == 0       ? 1
                       : strcmp(topic, LIFE_TOPIC_BIG) == 0 ? 2
                                                            : 0;
    peal_u64_store_release(&voice->account->topic, watched);
    peal_u64_store_release(&voice->account->incarnation, stats.incarnation);
    return true;
}

enum peal_status voice_speak(struct voice *voice, size_t size_bytes)
{
    uint64_t words[VOICE_BYTES_MAX / 8];
    for (size_t i = 0; i < size_bytes / 8; i++)
        words[i] = life_word(voice->incarnation, voice->next);
    add(&voice->account->begun, 1);
    add(&voice->account->drops_begun, 1);
    enum peal_status status = peal_publisher_publish(voice->publisher, words, size_bytes);
    if (status == PEAL_OK) {
        voice->next++;
        add(&voice->account->done, 1);
    } else {
        add(&voice->account->begun, UINT64_MAX);
    }
    if (status == PEAL_DROPPED)
        add(&voice->account->drops, 1);
    else
        add(&voice->account->drops_begun, UINT64_MAX);
    return status;
}

enum peal_status voice_speak_in_loans(struct voice *voice, size_t size_bytes, size_t count)
{
    void *data[8];
    size_t loaned = 0;
    enum peal_status status =
        peal_publisher_loan_batch(voice->publisher, size_bytes, count, data, &loaned);
    if (status != PEAL_OK)
        return status;
    for (size_t i = 0; i < loaned; i++) {
        uint64_t word = life_word(voice->incarnation, voice->next + i);
        for (size_t byte = 0; byte < size_bytes; byte += 8)
            memcpy((unsigned char *)data[i] + byte, &word, sizeof(word));
    }
    size_t committed = loaned > 1 ? loaned - 1 : loaned;
    add(&voice->account->begun, committed);
    status = peal_publisher_commit_batch(voice->publisher, committed);
    voice->next += committed;
    add(&voice->account->done, committed);
    return status;
}

struct peal_publisher_options voice_options(uint32_t depth, enum peal_full_policy policy)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.depth = depth;
    options.full_policy = policy;
    options.full_timeout_ns = 1000000;
    options.type_name = LIFE_TYPE;
    options.schema_hash = LIFE_SCHEMA;
    return options;
}
