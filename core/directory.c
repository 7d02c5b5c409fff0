/* SPDX-License-Identifier: Apache-2.0 */
#include "core/directory.h"

#include "core/cpu.h"
#include "core/epoch.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>
#include <string.h>

/* How often one word is looked at again because it moved under us. */
#define LOOKS 16u

/* How long a maker waits for a rival before it looks again. */
#define RIVAL_SPINS 256u

enum peal_status peal_topic_check_name(const char *name)
{
    size_t length = name ? strnlen(name, PEAL_TOPIC_NAME_BYTES) : 0;
    if (length == 0 || length >= PEAL_TOPIC_NAME_BYTES)
        return peal_fail(PEAL_EINVAL, "a topic's name has 1..%u characters",
                         PEAL_TOPIC_NAME_BYTES - 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        bool is_inner_space = byte == ' ' && i > 0 && i + 1 < length;
        if ((byte < 0x21 || byte == 0x7f) && !is_inner_space)
            return peal_fail(
                PEAL_EINVAL,
                "a topic's name has no control characters and no spaces at its ends, but "
                "character %zu is 0x%02x",
                i, (unsigned)byte);
    }
    return PEAL_OK;
}

/* Is it a topic's word, one that has a name for good? */
static bool is_named(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_TOPIC_READY || state == PEAL_TOPIC_CLOSING || state == PEAL_TOPIC_OFFERED;
}

static bool has_name(const struct peal_topic_shared *topic, const struct peal_topic_name *name)
{
    return peal_text_equals(topic->name, name->words, PEAL_TOPIC_NAME_WORDS);
}

bool peal_topic_is_used(const struct peal_topic_shared *topic)
{
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        if (peal_subscriber_is_held(peal_owner_load(&topic->subscribers[i])))
            return true;
    }
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        if (peal_lane_is_held(peal_owner_load(&topic->lanes[i].owner)))
            return true;
    }
    return false;
}

/* The name is not read twice: a match is confirmed by peal_topic_hold(), and where a match was
 * missed because the entry just changed, its new maker sees ours and yields. */
static bool find(const struct peal_region *region, const struct peal_topic_name *name,
                 uint32_t *topic, uint64_t *word)
{
    for (uint32_t i = 0; i < region->topics_max; i++) {
        uint64_t seen = peal_owner_load(&region->topics[i].owner);
        if (!is_named(seen) || peal_owner_state(seen) == PEAL_TOPIC_OFFERED)
            continue;
        if (has_name(&region->topics[i], name)) {
            *topic = i;
            *word = seen;
            return true;
        }
    }
    return false;
}

static uint64_t own_topic_word(const struct peal_region *region, uint64_t from, uint32_t state)
{
    return peal_owner_take(from, state, region->index, (uint32_t)region->incarnation);
}

static void store_queue(struct peal_topic_queue_shared *queue, const struct peal_queue_wish *wish)
{
    uint32_t bytes = wish->message_bytes_max ? wish->message_bytes_max : 64;
    /* relaxed: published by OFFERED */
    peal_u32_store_relaxed(&queue->kind, wish->kind);
    peal_u32_store_relaxed(&queue->options, wish->options);
    peal_u32_store_relaxed(&queue->message_bytes_max, wish->kind ? bytes : 0);
    peal_u64_store_relaxed(&queue->published, 0);
    peal_u64_store_relaxed(&queue->dropped_oldest, 0);
    peal_u64_store_relaxed(&queue->dropped_newest, 0);
    peal_u64_store_relaxed(&queue->lost, 0);
    peal_u64_store_relaxed(&queue->ticket, 0); /* relaxed: as above */
    PEAL_FAULT("topic.queue_noted");
}

/* Claims the lowest free entry, names it and offers it. False: none is free. */
static bool offer(struct peal_region *region, const struct peal_topic_name *name, uint32_t *topic,
                  uint64_t *word)
{
    for (uint32_t i = 0; i < region->topics_max; i++) {
        struct peal_topic_shared *entry = &region->topics[i];
        uint64_t seen = peal_owner_load(&entry->owner);
        if (peal_owner_state(seen) != PEAL_TOPIC_FREE)
            continue;
        uint64_t claimed = own_topic_word(region, seen, PEAL_TOPIC_CLAIMED);
        if (!peal_owner_swap(&entry->owner, seen, claimed))
            continue;
        PEAL_FAULT("topic.claimed");
        /* Who sees the new name sees that the entry is not the old topic's any more.
         * DIR-R3: pairs with DIR-A1 and DIR-F2, in peal_topic_names() and peal_topic_hold() */
        peal_fence_release();
        /* relaxed: a free topic has no participants, so nobody but us touches its type or name */
        uint64_t type_word = peal_u64_load_relaxed(&entry->type_owner);
        peal_u64_store_relaxed(&entry->type_owner, peal_owner_next(type_word, PEAL_TOPIC_FREE));
        peal_text_store(entry->name, name->words, PEAL_TOPIC_NAME_WORDS);
        store_queue(&entry->queue, &name->queue);
        PEAL_FAULT("topic.named");
        *topic = i;
        *word = peal_owner_next(claimed, PEAL_TOPIC_OFFERED);
        /* If this fails somebody took a claim from us that is ours alone: a peer misbehaves. The offer
         * then is never seen, the caller's next swap fails and it starts over. */
        (void)peal_owner_swap(&entry->owner, claimed, *word);
        PEAL_FAULT("topic.offered");
        return true;
    }
    return false;
}

/*
 * Meets a rival's entry of our name. True: the rival has it, or shall have it. Of two offers the lower
 * entry is the better one; the other is withdrawn, by its maker or by us. An offer is only a word
 * yet, so withdrawing it takes nothing from its maker but the race.
 */
static bool rival_wins(struct peal_region *region, uint32_t rival,
                       const struct peal_topic_name *name, uint32_t own, bool is_patient)
{
    struct peal_topic_shared *entry = &region->topics[rival];
    for (uint32_t look = 0; look < LOOKS; look++) {
        uint64_t word = peal_owner_load(&entry->owner);
        if (!is_named(word) || !has_name(entry, name))
            return false;
        if (peal_owner_state(word) != PEAL_TOPIC_OFFERED)
            return true;
        if (rival < own && is_patient && !peal_region_is_dead(region, word))
            return true;
        bool is_withdrawn =
            peal_owner_swap(&entry->owner, word, peal_owner_next(word, PEAL_TOPIC_FREE));
        PEAL_FAULT("topic.rival_withdrawn");
        if (is_withdrawn)
            return false;
    }
    return true;
}

enum peal_status peal_topic_find_or_make(struct peal_region *region,
                                         const struct peal_topic_name *name, uint32_t attempt,
                                         uint32_t *topic, uint64_t *word)
{
    if (find(region, name, topic, word)) {
        PEAL_FAULT("topic.found");
        return PEAL_OK;
    }
    uint64_t offered;
    if (!offer(region, name, topic, &offered))
        return peal_fail(PEAL_ELIMIT,
                         "all %" PRIu32
                         " topics of the region are in use; make the region with more topics",
                         region->topics_max);
    struct peal_topic_shared *entry = &region->topics[*topic];
    /* Two makers of one name: at least one of them sees the other's offer.
     * DIR-F1: pairs with DIR-F1 of the other maker */
    peal_fence_seq_cst();
    for (uint32_t i = 0; i < region->topics_max; i++) {
        bool is_patient = attempt < PEAL_TOPIC_ATTEMPTS / 2;
        if (i == *topic || !rival_wins(region, i, name, *topic, is_patient))
            continue;
        (void)peal_owner_swap(&entry->owner, offered, peal_owner_next(offered, PEAL_TOPIC_FREE));
        PEAL_FAULT("topic.yielded");
        for (uint32_t spin = 0; spin < RIVAL_SPINS; spin++)
            peal_cpu_relax();
        return PEAL_AGAIN;
    }
    *word = peal_owner_next(offered, PEAL_TOPIC_READY);
    if (!peal_owner_swap(&entry->owner, offered, *word))
        return PEAL_AGAIN;
    PEAL_FAULT("topic.ready");
    peal_epoch_move(&region->header->directory.epoch);
    PEAL_FAULT("topic.announced");
    return PEAL_OK;
}

bool peal_topic_hold(struct peal_region *region, uint32_t topic, const struct peal_topic_name *name,
                     uint64_t word)
{
    struct peal_topic_shared *entry = &region->topics[topic];
    /* Our entry first, then the topic's word; a closer does it the other way round.
     * DIR-F2: pairs with DIR-F3 and DIR-R3, in peal_topic_remove_if_unused() and offer() */
    peal_fence_seq_cst();
    for (uint32_t look = 0; look < LOOKS; look++) {
        uint64_t seen = peal_owner_load(&entry->owner);
        uint32_t state = peal_owner_state(seen);
        if (seen == word && state == PEAL_TOPIC_READY)
            return true;
        if ((state != PEAL_TOPIC_READY && state != PEAL_TOPIC_CLOSING) || !has_name(entry, name))
            return false;
        /* A swap even from READY: it proves that the name which we read is this life's. */
        if (peal_owner_swap(&entry->owner, seen, own_topic_word(region, seen, PEAL_TOPIC_READY))) {
            PEAL_FAULT("topic.held");
            return true;
        }
    }
    return false;
}

/* READY, or left in CLOSING by a dead closer? Then ours to close; *closing is our word for it. */
static bool may_close(const struct peal_region *region, uint64_t word, uint64_t *closing)
{
    uint32_t state = peal_owner_state(word);
    if (state != PEAL_TOPIC_READY && state != PEAL_TOPIC_CLOSING)
        return false;
    if (state == PEAL_TOPIC_CLOSING && !peal_region_is_dead(region, word))
        return false;
    *closing = own_topic_word(region, word, PEAL_TOPIC_CLOSING);
    return true;
}

void peal_topic_remove_if_unused(struct peal_region *region, uint32_t topic)
{
    if (topic >= region->topics_max)
        return;
    struct peal_topic_shared *entry = &region->topics[topic];
    /* A participant's going precedes its look at the topic's word. If it meets our CLOSING there it
     * relies on us; we look again after we have put READY back.
     * DIR-F4: pairs with DIR-F3 and DIR-F5 below */
    peal_fence_seq_cst();
    for (uint32_t attempt = 0; attempt < PEAL_TOPIC_ATTEMPTS; attempt++) {
        uint64_t word = peal_owner_load(&entry->owner);
        uint64_t closing;
        if (!may_close(region, word, &closing))
            return;
        if (peal_owner_state(word) == PEAL_TOPIC_READY && peal_topic_is_used(entry))
            return;
        PEAL_FAULT("topic.unused");
        if (!peal_owner_swap(&entry->owner, word, closing))
            continue;
        PEAL_FAULT("topic.closing");
        /* DIR-F3: pairs with DIR-F2 and DIR-F4, in peal_topic_hold() and above */
        peal_fence_seq_cst();
        bool is_used = peal_topic_is_used(entry);
        uint32_t state = is_used ? PEAL_TOPIC_READY : PEAL_TOPIC_FREE;
        if (!peal_owner_swap(&entry->owner, closing, peal_owner_next(closing, state)))
            return; /* a participant took it back */
        PEAL_FAULT("topic.closed");
        if (!is_used) {
            peal_epoch_move(&region->header->directory.epoch);
            PEAL_FAULT("topic.closing_announced");
            return;
        }
        /* DIR-F5: pairs with DIR-F4 above, in the one who left meanwhile */
        peal_fence_seq_cst();
    }
}

bool peal_topic_names(const struct peal_region *region, uint32_t topic, char *name, char *type_name)
{
    if (topic >= region->topics_max)
        return false;
    const struct peal_topic_shared *entry = &region->topics[topic];
    uint64_t word = peal_owner_load(&entry->owner);
    uint32_t state = peal_owner_state(word);
    if (state != PEAL_TOPIC_READY && state != PEAL_TOPIC_CLOSING)
        return false;
    uint64_t words[PEAL_TOPIC_NAME_WORDS];
    peal_text_load(entry->name, words, PEAL_TOPIC_NAME_WORDS);
    peal_text_unpack(words, PEAL_TOPIC_NAME_WORDS, name, PEAL_TOPIC_NAME_BYTES);
    type_name[0] = '\0';
    if (peal_owner_state(peal_owner_load(&entry->type_owner)) == PEAL_TOPIC_READY) {
        peal_text_load(entry->type_name, words, PEAL_TOPIC_NAME_WORDS);
        peal_text_unpack(words, PEAL_TOPIC_NAME_WORDS, type_name, PEAL_TOPIC_NAME_BYTES);
    }
    /* The names are of one life if the topic has not moved while they were read.
     * DIR-A1: pairs with DIR-R3 in offer() */
    peal_fence_acquire();
    uint64_t after = peal_u64_load_relaxed(&entry->owner); /* relaxed: behind the fence */
    return after == word;
}
