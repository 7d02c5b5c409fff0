/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type of a topic: set once by the first participant that names one, compared by all others.
 * A topic can't be removed while this runs, because the caller holds an entry in it.
 */
#include "core/cpu.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>
#include <string.h>

/* How long another client's setting of the type is waited for. A look at the authority may cost system
 * calls, so only some of the spins ask whether that client lives. */
#define SPINS 4096u
#define SPINS_PER_QUESTION (SPINS / 4u)

/* Compares with the type of a topic whose type word is READY. */
static enum peal_status compare(const struct peal_topic_shared *entry,
                                const struct peal_topic_type *type, const uint64_t *words)
{
    uint64_t found[PEAL_TOPIC_NAME_WORDS];
    peal_text_load(entry->type_name, found, PEAL_TOPIC_NAME_WORDS);
    uint64_t hash = peal_u64_load_relaxed(&entry->schema_hash); /* relaxed: behind type_owner */
    bool is_same_name = memcmp(found, words, sizeof(found)) == 0;
    if (is_same_name && hash == type->schema_hash)
        return PEAL_OK;
    char text[PEAL_TOPIC_NAME_BYTES];
    peal_text_unpack(found, PEAL_TOPIC_NAME_WORDS, text, sizeof(text));
    if (is_same_name)
        return peal_fail(PEAL_EMISMATCH,
                         "the topic's type '%s' has schema %016" PRIx64 " there and %016" PRIx64
                         " here; build all programs with the same definition of the type",
                         text, hash, type->schema_hash);
    return peal_fail(PEAL_EMISMATCH,
                     "the topic carries the type '%s', not '%s'; use another topic or that type",
                     text, type->name);
}

enum peal_status peal_topic_check_type(struct peal_region *region, uint32_t topic,
                                       const struct peal_topic_type *type)
{
    if (!type || !type->name || !type->name[0])
        return PEAL_OK;
    struct peal_topic_shared *entry = &region->topics[topic];
    uint64_t words[PEAL_TOPIC_NAME_WORDS];
    peal_text_pack(type->name, words, PEAL_TOPIC_NAME_WORDS);
    for (uint32_t spin = 0; spin < SPINS; spin++) {
        uint64_t word = peal_owner_load(&entry->type_owner);
        uint32_t state = peal_owner_state(word);
        if (state == PEAL_TOPIC_READY)
            return compare(entry, type, words);
        bool asks = spin % SPINS_PER_QUESTION == 0;
        if (state == PEAL_TOPIC_CLAIMED && !(asks && peal_region_is_dead(region, word))) {
            peal_cpu_relax();
            continue;
        }
        /* Untyped, or left half-written by the dead, or a state that is none. */
        uint64_t claimed =
            peal_owner_take(word, PEAL_TOPIC_CLAIMED, region->index, (uint32_t)region->incarnation);
        if (!peal_owner_swap(&entry->type_owner, word, claimed))
            continue;
        PEAL_FAULT("type.claimed");
        /* relaxed: published by READY */
        peal_u64_store_relaxed(&entry->schema_hash, type->schema_hash);
        peal_text_store(entry->type_name, words, PEAL_TOPIC_NAME_WORDS);
        PEAL_FAULT("type.named");
        (void)peal_owner_swap(&entry->type_owner, claimed,
                              peal_owner_next(claimed, PEAL_TOPIC_READY));
        PEAL_FAULT("type.ready");
        return PEAL_OK;
    }
    return peal_fail(PEAL_AGAIN, "another client is just setting the topic's type; try again");
}
