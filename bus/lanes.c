/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lanes a subscriber reads: joining those of new publishers, leaving those of ended ones once
 * they are drained.
 */
#include "bus/subscriber_internal.h"

#include "core/owner.h"

#include <stdlib.h>
#include <string.h>

void peal_subscriber_acknowledge_all(struct peal_subscriber *subscriber)
{
    for (uint32_t i = 0; i < subscriber->lane_count; i++)
        if (peal_lane_owes(&subscriber->lanes[i]->reader, true))
            peal_subscriber_acknowledge(subscriber, subscriber->lanes[i]);
}

static void remember_ended(struct peal_subscriber *subscriber, const struct peal_joined_lane *lane)
{
    subscriber->ended[subscriber->ended_next % PEAL_TOPIC_LANES_MAX] =
        (struct peal_ended_publisher){lane->name_hash, peal_joined_lane_last_number(lane), true};
    subscriber->ended_next++;
}

/* Makes the lane invisible to waiting threads and forgets it. */
static void forget(struct peal_subscriber *subscriber, struct peal_joined_lane *lane)
{
    rcu_assign_pointer(subscriber->by_entry[lane->lane], NULL);
    for (uint32_t i = 0; i < subscriber->lane_count; i++)
        if (subscriber->lanes[i] == lane)
            subscriber->lanes[i] = subscriber->lanes[--subscriber->lane_count];
    for (uint32_t i = 0; i < subscriber->lane_count; i++) {
        struct peal_joined_lane *successor = subscriber->lanes[i];
        if (!successor->waits || successor->predecessor != lane->lane)
            continue;
        successor->previous_number = peal_joined_lane_last_number(lane);
        successor->waits = false;
    }
    subscriber->current = subscriber->lane_count ? subscriber->lanes[0] : NULL;
    subscriber->burst = 0;
}

void peal_subscriber_leave(struct peal_subscriber *subscriber, struct peal_joined_lane *lane)
{
    struct peal_region *region = &subscriber->endpoint.bus->region;
    if (!lane->succeeded)
        remember_ended(subscriber, lane);
    subscriber->past.delivered += lane->reader.delivered;
    subscriber->past.lost += peal_lane_reader_lost(&lane->reader);
    subscriber->past.corrupt += lane->reader.spoilt;
    forget(subscriber, lane);
    peal_lane_leave(region, subscriber->topic, lane->lane, subscriber->entry, subscriber->word,
                    lane->reader.shared);
    peal_rcu_synchronize(); /* a waiting thread may just be looking through `lane` */
    free(lane);
}

/* The lane in `entry` that `word` identifies is spoilt: counted, and not joined again. */
static void note_corrupt(struct peal_subscriber *subscriber, uint32_t entry, uint64_t word)
{
    subscriber->given_up[entry] = word;
    subscriber->past.corrupt++;
    peal_bus_note_corruption(subscriber->endpoint.bus);
}

void peal_subscriber_give_up(struct peal_subscriber *subscriber, struct peal_joined_lane *lane)
{
    note_corrupt(subscriber, lane->lane, lane->word);
    peal_subscriber_leave(subscriber, lane);
}

/* Is this lane the same publisher's life as the one in `word`? */
static bool same_life(uint64_t one, uint64_t other)
{
    struct peal_owner a = peal_owner_unpack(one);
    struct peal_owner b = peal_owner_unpack(other);
    return a.client == b.client && a.incarnation == b.incarnation;
}

/* Finds out whether the new lane's publisher takes the place of an ended one of the same name. */
static void recognise_restart(struct peal_subscriber *subscriber, struct peal_joined_lane *lane)
{
    struct peal_region *region = &subscriber->endpoint.bus->region;
    for (uint32_t i = 0; i < subscriber->lane_count; i++) {
        struct peal_joined_lane *other = subscriber->lanes[i];
        if (other == lane || other->name_hash != lane->name_hash || other->succeeded)
            continue;
        if (!other->orphan)
            other->orphan = !peal_lane_is_live(region, subscriber->topic, other->lane, other->word);
        if (!other->orphan)
            continue;
        subscriber->has_orphans = true;
        lane->restarted = true;
        lane->waits = true;
        lane->predecessor = other->lane;
        other->succeeded = true;
        return;
    }
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        struct peal_ended_publisher *ended = &subscriber->ended[i];
        if (!ended->known || ended->name_hash != lane->name_hash)
            continue;
        ended->known = false;
        lane->restarted = true;
        lane->previous_number = ended->last_number;
        return;
    }
}

/* Takes the lane into our lists; NULL when there is no memory. */
static struct peal_joined_lane *admit(struct peal_subscriber *subscriber, uint32_t entry,
                                      const struct peal_lane_found *found)
{
    struct peal_joined_lane *lane = aligned_alloc(PEAL_WRITER_BYTES, sizeof(*lane));
    if (!lane)
        return NULL;
    memset(lane, 0, sizeof(*lane));
    lane->lane = entry;
    lane->word = found->word;
    lane->name_hash = found->name_hash;
    lane->orphan = found->orphan;
    lane->publisher_client = peal_owner_unpack(found->page_word).client;
    struct peal_lane_reader_wish wish = subscriber->wish;
    wish.invited = found->invited;
    if (peal_lane_reader_begin(&lane->reader, found->memory, found->size_bytes, subscriber->entry,
                               &wish) != PEAL_OK) {
        lane->reader.corrupt = true;
        lane->reader.shared = found->memory;
    }
    return lane;
}

/* Joins the lane of entry `entry` if there is one that we do not read yet. */
static bool join(struct peal_subscriber *subscriber, uint32_t entry)
{
    struct peal_region *region = &subscriber->endpoint.bus->region;
    uint64_t word = peal_owner_load(&subscriber->topic_shared->lanes[entry].owner);
    if (word && same_life(word, subscriber->given_up[entry]))
        return false;
    struct peal_lane_found found;
    enum peal_status status = peal_lane_join(region, subscriber->topic, entry, subscriber->entry,
                                             subscriber->word, &found);
    if (status == PEAL_ECORRUPT)
        note_corrupt(subscriber, entry, word);
    if (status != PEAL_OK)
        return false;
    struct peal_joined_lane *lane = admit(subscriber, entry, &found);
    if (!lane || lane->reader.corrupt) {
        if (lane)
            note_corrupt(subscriber, entry, found.word);
        peal_lane_leave(region, subscriber->topic, entry, subscriber->entry, subscriber->word,
                        found.memory);
        free(lane);
        return false;
    }
    recognise_restart(subscriber, lane);
    subscriber->has_orphans |= lane->orphan; /* ended already: to be left when it is drained */
    subscriber->lanes[subscriber->lane_count++] = lane;
    if (!subscriber->current)
        subscriber->current = lane;
    PEAL_RCU_SHOWN(lane);
    rcu_assign_pointer(subscriber->by_entry[entry], lane);
    return true;
}

/* Notes which publishers have ended, and leaves those of their lanes that are drained. */
static void leave_ended(struct peal_subscriber *subscriber)
{
    struct peal_region *region = &subscriber->endpoint.bus->region;
    subscriber->has_orphans = false;
    for (uint32_t i = subscriber->lane_count; i-- > 0;) {
        struct peal_joined_lane *lane = subscriber->lanes[i];
        if (!lane->orphan)
            lane->orphan = !peal_lane_is_live(region, subscriber->topic, lane->lane, lane->word);
        /* Looked at after the orphan's state: its publisher can't have added anything since. */
        uint64_t cursor =
            peal_u64_load_relaxed(&lane->reader.cursor); /* relaxed: only we write it */
        if (lane->orphan && lane->reader.done == cursor && !peal_lane_reader_ready(&lane->reader))
            peal_subscriber_leave(subscriber, lane);
        else
            subscriber->has_orphans |= lane->orphan;
    }
}

bool peal_subscriber_refresh(struct peal_subscriber *subscriber, bool force)
{
    bool stale = force || peal_subscriber_is_stale(subscriber);
    /* The epoch first: what comes while we look moves it again. */
    uint64_t epoch = peal_epoch_read(&subscriber->topic_shared->lane_epoch);
    if (stale || subscriber->has_orphans)
        leave_ended(subscriber);
    if (!stale)
        return false;
    bool joined = false;
    for (uint32_t entry = 0; entry < PEAL_TOPIC_LANES_MAX; entry++)
        if (!subscriber->by_entry[entry])
            joined |= join(subscriber, entry);
    peal_u64_store_relaxed(&subscriber->lane_epoch_seen, epoch); /* relaxed: see is_stale() */
    return joined;
}
