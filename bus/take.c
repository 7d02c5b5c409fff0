/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking messages: the lane that gave the last one is asked first; what is rare stands in functions
 * of its own. This is the hot path of a subscriber.
 */
#include "bus/subscriber_internal.h"

/* After so many messages in a row from one lane the others get a turn. */
#define BURST_MAX 64u

/*
 * A reader that has just drained a run of messages is faster than the publisher. If it went on
 * polling at once it would take every line away in the middle of being written, and both would go at
 * the pace of the line's travels. So it lets go for about a third of a microsecond. Single messages,
 * as in request and response, are not affected.
 */
#define RUN_PAUSE_HINTS 32u
#define RUN_MIN 2u

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
    if (before)
        lane->previous_number = peal_joined_lane_last_number(before);
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

/* Nothing in the only lane, and nothing that was put off: the answer of a polling loop. */
static inline bool is_idle(const struct peal_subscriber *subscriber,
                           const struct peal_joined_lane *lane)
{
    return subscriber->lane_count == 1 && !subscriber->has_orphans &&
           !peal_lane_owes(&lane->reader, true) && !peal_subscriber_is_stale(subscriber);
}

static __attribute__((noinline)) void let_go(void)
{
    for (uint32_t i = 0; i < RUN_PAUSE_HINTS; i++)
        peal_cpu_relax();
}

/* The current lane, if it can be asked directly and has not had its turn. */
static inline struct peal_joined_lane *plain_lane(const struct peal_subscriber *subscriber)
{
    struct peal_joined_lane *lane = subscriber->current;
    if (PEAL_UNLIKELY(!lane || lane->restarted || lane->waits || subscriber->burst >= BURST_MAX))
        return NULL;
    return lane;
}

/* The hot path of both kinds of take; everything else is take_slowly(). */
static inline __attribute__((always_inline)) enum peal_status
take_next(struct peal_subscriber *subscriber, void *buffer, size_t capacity_bytes, bool copies,
          struct peal_message *message)
{
    struct peal_joined_lane *lane = plain_lane(subscriber);
    if (PEAL_LIKELY(lane != NULL)) {
        enum peal_status status =
            peal_lane_take_plain(&lane->reader, buffer, capacity_bytes, copies, message);
        if (PEAL_LIKELY(status == PEAL_OK)) {
            complete(lane, message);
            subscriber->burst += subscriber->lane_count > 1;
            subscriber->run++;
            return PEAL_OK;
        }
        if (status == PEAL_EMPTY && PEAL_LIKELY(is_idle(subscriber, lane))) {
            if (subscriber->run >= RUN_MIN)
                let_go();
            subscriber->run = 0;
            return PEAL_EMPTY;
        }
    }
    const struct destination to = {buffer, capacity_bytes, copies};
    return take_slowly(subscriber, &to, message);
}

enum peal_status peal_subscriber_take(struct peal_subscriber *subscriber,
                                      struct peal_message *message)
{
    return take_next(subscriber, NULL, 0, false, message);
}

enum peal_status peal_subscriber_take_copy(struct peal_subscriber *subscriber, void *buffer,
                                           size_t capacity_bytes, struct peal_message *message)
{
    enum peal_status status = take_next(subscriber, buffer, capacity_bytes, true, message);
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
    *count = 0;
    if (!max)
        return PEAL_EINVAL;
    enum peal_status status = take_next(subscriber, NULL, 0, false, &messages[0]);
    if (status != PEAL_OK)
        return status;
    struct peal_joined_lane *lane = subscriber->current;
    /* What is not plain ends the batch and is found again by the next call. */
    size_t taken = 1 + peal_lane_take_plain_batch(&lane->reader, &messages[1], max - 1);
    for (size_t i = 1; i < taken; i++)
        complete(lane, &messages[i]);
    subscriber->run += (uint32_t)taken;
    /* A batch is a turn. */
    subscriber->burst = subscriber->lane_count > 1 ? BURST_MAX : 0;
    *count = taken;
    return PEAL_OK;
}

/* The lane that a held message lies in; NULL if it was given up meanwhile. */
static inline struct peal_joined_lane *lane_of(struct peal_subscriber *subscriber,
                                               const struct peal_message *message)
{
    if (PEAL_UNLIKELY(message->lane >= PEAL_TOPIC_LANES_MAX))
        return NULL;
    struct peal_joined_lane *lane = subscriber->by_entry[message->lane];
    if (PEAL_UNLIKELY(!lane || lane->reader.incarnation != message->publisher))
        return NULL;
    return lane;
}

enum peal_status peal_subscriber_release(struct peal_subscriber *subscriber,
                                         const struct peal_message *message)
{
    struct peal_joined_lane *lane = lane_of(subscriber, message);
    if (PEAL_UNLIKELY(!lane))
        return PEAL_ELAPPED;
    enum peal_status status =
        peal_lane_release(&lane->reader, message->token >> 1, message->token & 1u);
    if (PEAL_UNLIKELY(peal_lane_owes(&lane->reader, false)))
        peal_subscriber_acknowledge(subscriber, lane);
    return status;
}

enum peal_status peal_subscriber_release_batch(struct peal_subscriber *subscriber,
                                               const struct peal_message *messages, size_t count,
                                               size_t *elapsed)
{
    size_t overwritten = 0;
    for (size_t i = 0; i < count;) {
        struct peal_joined_lane *lane = lane_of(subscriber, &messages[i]);
        size_t run = 1;
        while (i + run < count && messages[i + run].lane == messages[i].lane &&
               messages[i + run].publisher == messages[i].publisher)
            run++;
        if (PEAL_LIKELY(lane != NULL)) {
            overwritten += peal_lane_release_batch(&lane->reader, &messages[i], run);
            if (PEAL_UNLIKELY(peal_lane_owes(&lane->reader, false)))
                peal_subscriber_acknowledge(subscriber, lane);
        } else {
            overwritten += run;
        }
        i += run;
    }
    if (elapsed)
        *elapsed = overwritten;
    return overwritten ? PEAL_ELAPPED : PEAL_OK;
}
