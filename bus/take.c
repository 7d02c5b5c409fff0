/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking messages: the lane that gave the last one is asked first; what is rare stands in functions
 * of its own. This is the hot path of a subscriber.
 */
#include "bus/subscriber_internal.h"

/* After so many messages in a row from one lane the others get a turn. */
#define BURST_MAX 64u

/* Where a copy goes; NULL data: the message is taken in place. */
struct destination {
    void *data;
    size_t capacity_bytes;
    bool copies;
};

static inline enum peal_status take_from(struct peal_joined_lane *lane,
                                         const struct destination *to, struct peal_message *message)
{
    if (to->copies)
        return peal_lane_take_copy(&lane->reader, to->data, to->capacity_bytes, message);
    return peal_lane_take(&lane->reader, message);
}

/* What the bus adds to a message that the lane gave. */
static inline void complete(struct peal_joined_lane *lane, struct peal_message *message)
{
    message->lane = lane->lane;
    message->flags = 0;
    message->previous_number = 0;
}

static void flag_restart(struct peal_subscriber *subscriber, struct peal_joined_lane *lane,
                         struct peal_message *message)
{
    message->flags = PEAL_MESSAGE_RESTARTED;
    message->previous_number = lane->previous_number;
    lane->restarted = false;
    subscriber->past.restarts++;
}

/* A lane that continues a drained one: its messages may come now. */
static bool may_be_taken(struct peal_subscriber *subscriber, struct peal_joined_lane *lane)
{
    if (PEAL_LIKELY(!lane->waits))
        return true;
    struct peal_joined_lane *before = subscriber->by_entry[lane->predecessor];
    if (before && peal_lane_reader_ready(&before->reader))
        return false;
    if (before) {
        /* relaxed: only we write it */
        uint64_t next = peal_u64_load_relaxed(&before->reader.cursor);
        lane->previous_number = next ? next - 1 : 0;
    }
    lane->waits = false;
    return true;
}

/* Asks all lanes in turn, beginning after the current one. */
static enum peal_status take_from_any(struct peal_subscriber *subscriber,
                                      const struct destination *to, struct peal_message *message)
{
    enum peal_status answer = PEAL_EMPTY;
    uint32_t first = 0;
    for (uint32_t i = 0; i < subscriber->lane_count; i++)
        if (subscriber->lanes[i] == subscriber->current)
            first = i + 1;
    for (uint32_t i = 0; i < subscriber->lane_count; i++) {
        struct peal_joined_lane *lane = subscriber->lanes[(first + i) % subscriber->lane_count];
        if (!may_be_taken(subscriber, lane))
            continue;
        enum peal_status status = take_from(lane, to, message);
        if (status == PEAL_EMPTY)
            continue;
        if (status == PEAL_OK) {
            subscriber->current = lane;
            subscriber->burst = 0;
            complete(lane, message);
            if (PEAL_UNLIKELY(lane->restarted))
                flag_restart(subscriber, lane, message);
            return PEAL_OK;
        }
        message->lane = lane->lane;
        if (status == PEAL_ECORRUPT && lane->reader.corrupt) {
            message->publisher = lane->reader.incarnation;
            peal_subscriber_give_up(subscriber, lane);
            return status;
        }
        if (status != PEAL_ELIMIT)
            return status;
        answer = status; /* this one must be released from first; others may have something */
    }
    return answer;
}

/* The current lane has nothing, or has had its turn. */
static __attribute__((noinline)) enum peal_status take_slowly(struct peal_subscriber *subscriber,
                                                              const struct destination *to,
                                                              struct peal_message *message)
{
    enum peal_status status = take_from_any(subscriber, to, message);
    if (status != PEAL_EMPTY)
        return status;
    /* Idle: what can be put off was put off until now. */
    peal_subscriber_acknowledge_all(subscriber);
    if (peal_subscriber_refresh(subscriber, false))
        return take_from_any(subscriber, to, message);
    return PEAL_EMPTY;
}

/* The current lane can be asked directly. */
static inline bool is_plain(const struct peal_joined_lane *lane)
{
    return lane && !lane->restarted && !lane->waits;
}

static inline enum peal_status take_next(struct peal_subscriber *subscriber,
                                         const struct destination *to, struct peal_message *message)
{
    struct peal_joined_lane *lane = subscriber->current;
    if (PEAL_LIKELY(is_plain(lane) && subscriber->burst < BURST_MAX)) {
        enum peal_status status = take_from(lane, to, message);
        if (PEAL_LIKELY(status == PEAL_OK)) {
            subscriber->burst += subscriber->lane_count > 1;
            complete(lane, message);
            return PEAL_OK;
        }
        if (status == PEAL_EMPTY && subscriber->lane_count == 1 &&
            !peal_lane_owes(&lane->reader, true) && !subscriber->has_orphans &&
            !peal_subscriber_is_stale(subscriber))
            return PEAL_EMPTY;
    }
    return take_slowly(subscriber, to, message);
}

enum peal_status peal_subscriber_take(struct peal_subscriber *subscriber,
                                      struct peal_message *message)
{
    const struct destination in_place = {.copies = false};
    return take_next(subscriber, &in_place, message);
}

enum peal_status peal_subscriber_take_copy(struct peal_subscriber *subscriber, void *buffer,
                                           size_t capacity_bytes, struct peal_message *message)
{
    const struct destination copy = {buffer, capacity_bytes, true};
    enum peal_status status = take_next(subscriber, &copy, message);
    if (PEAL_LIKELY(status == PEAL_OK)) {
        struct peal_joined_lane *lane = subscriber->current;
        if (PEAL_UNLIKELY(peal_lane_owes(&lane->reader, false)))
            peal_subscriber_acknowledge(subscriber, lane);
    }
    return status;
}

enum peal_status peal_subscriber_take_batch(struct peal_subscriber *subscriber,
                                            struct peal_message *messages, size_t max,
                                            size_t *count)
{
    const struct destination in_place = {.copies = false};
    *count = 0;
    if (!max)
        return PEAL_EINVAL;
    enum peal_status status = take_next(subscriber, &in_place, &messages[0]);
    if (status != PEAL_OK)
        return status;
    struct peal_joined_lane *lane = subscriber->current;
    size_t taken = 1;
    while (taken < max && peal_lane_take(&lane->reader, &messages[taken]) == PEAL_OK) {
        complete(lane, &messages[taken]);
        taken++;
    }
    /* A batch is a turn. What ended it, if not the batch's size, is found again by the next call. */
    subscriber->burst = subscriber->lane_count > 1 ? BURST_MAX : 0;
    *count = taken;
    return PEAL_OK;
}

/* Gives one message back; whether it is time to acknowledge is the caller's business. */
static inline enum peal_status release_one(struct peal_subscriber *subscriber,
                                           const struct peal_message *message,
                                           struct peal_joined_lane **lane)
{
    if (PEAL_UNLIKELY(message->lane >= PEAL_TOPIC_LANES_MAX))
        return PEAL_EINVAL;
    *lane = subscriber->by_entry[message->lane];
    if (PEAL_UNLIKELY(!*lane || (*lane)->reader.incarnation != message->publisher))
        return PEAL_ELAPPED; /* the lane was given up meanwhile */
    return peal_lane_release(&(*lane)->reader, message->token >> 1, message->token & 1u);
}

enum peal_status peal_subscriber_release(struct peal_subscriber *subscriber,
                                         const struct peal_message *message)
{
    struct peal_joined_lane *lane = NULL;
    enum peal_status status = release_one(subscriber, message, &lane);
    if (PEAL_UNLIKELY(lane && peal_lane_owes(&lane->reader, false)))
        peal_subscriber_acknowledge(subscriber, lane);
    return status;
}

enum peal_status peal_subscriber_release_batch(struct peal_subscriber *subscriber,
                                               const struct peal_message *messages, size_t count,
                                               size_t *elapsed)
{
    size_t overwritten = 0;
    enum peal_status worst = PEAL_OK;
    for (size_t i = 0; i < count; i++) {
        struct peal_joined_lane *lane = NULL;
        enum peal_status status = release_one(subscriber, &messages[i], &lane);
        overwritten += status == PEAL_ELAPPED;
        if (PEAL_UNLIKELY(status != PEAL_OK))
            worst = status;
        if (PEAL_UNLIKELY(lane && peal_lane_owes(&lane->reader, false)))
            peal_subscriber_acknowledge(subscriber, lane);
    }
    if (elapsed)
        *elapsed = overwritten;
    return worst;
}
