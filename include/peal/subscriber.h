/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber of a topic: takes the messages of all its publishers, in order for each publisher.
 *
 * Nothing is lost silently: for every publisher, published = delivered + lost, where losses are
 * reported in peal_message.lost of the next message of that publisher, and in the statistics.
 *
 * Threads: one subscriber is used by one thread at a time. Waiting in a waitset, adding to and
 * removing from waitsets may go on beside it.
 * Blocking: only peal_subscriber_wait() blocks. System calls: none in take and release, except a ring
 * toward a publisher that sleeps because of us.
 */
#ifndef PEAL_SUBSCRIBER_H
#define PEAL_SUBSCRIBER_H

#include <peal/bus.h>
#include <peal/message.h>

PEAL_BEGIN_DECLS

struct peal_subscriber;

enum peal_reliability {
    PEAL_RELIABLE = 0,    /* publishers wait for us, as their full policy says */
    PEAL_BEST_EFFORT = 1, /* publishers never look at us; overrun means a reported loss */
};

/* Zero means "the default" in every field; start from PEAL_SUBSCRIBER_OPTIONS_INIT. */
struct peal_subscriber_options {
    size_t struct_bytes;
    enum peal_reliability reliability;
    uint32_t history;      /* messages back that a late subscriber starts at, per publisher; as many
                              as the lane still holds; default 0 */
    bool latest;           /* take() gives the newest message of a publisher and skips (and reports
                              as lost) what is older; implies best effort */
    const char *type_name; /* as in peal_publisher_options */
    uint64_t schema_hash;
};

#ifdef __cplusplus
#define PEAL_SUBSCRIBER_OPTIONS_INIT                                                               \
    {                                                                                              \
        sizeof(struct peal_subscriber_options)                                                     \
    }
#else
#define PEAL_SUBSCRIBER_OPTIONS_INIT                                                               \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_subscriber_options)                                     \
    }
#endif

struct peal_subscriber_stats {
    size_t struct_bytes;
    uint64_t delivered;  /* messages taken (a take that elapsed counts as lost instead) */
    uint64_t lost;       /* all reported losses, and drops after the last taken message */
    uint64_t corrupt;    /* lanes given up, messages with a wrong CRC (these are in lost as well) */
    uint64_t restarts;   /* PEAL_MESSAGE_RESTARTED seen */
    uint32_t publishers; /* lanes attached now */
};

/*
 * Subscribes to `topic` (made if it does not exist). `options` may be NULL. Existing publishers are
 * joined at their next message, or `history` messages back; publishers that come later are heard
 * from their first message. On success *subscriber is the caller's until peal_subscriber_close(); on
 * failure it is NULL and nothing is left behind. Thread-safe; does not block on peers.
 * Errors: EINVAL, ELIMIT (too many subscribers or topics), EMISMATCH (type), ENOMEM, CLOSED, ECORRUPT.
 */
PEAL_API enum peal_status peal_subscriber_create(struct peal_bus *bus, const char *topic,
                                                 const struct peal_subscriber_options *options,
                                                 struct peal_subscriber **subscriber);

/*
 * Unsubscribes; publishers no longer wait for it. Messages held in place are invalid from now on.
 * May be called while other threads wait in a waitset that contains it, and from within a dispatch
 * callback; memory goes when the last of them has let go. NULL is allowed.
 */
PEAL_API void peal_subscriber_close(struct peal_subscriber *subscriber);

/*
 * Takes the next message in place: message->data points into the lane and stays readable until
 * peal_subscriber_release(), which must follow. A reliable subscriber's message cannot be overwritten
 * before that (unless the publisher's policy is PEAL_FULL_EVICT, or the publisher lies); for a best-
 * effort one it may be at any time, and release() then says PEAL_ELAPPED: discard what was
 * computed from it; its size and its timestamp too were perhaps another's (the size never leads out
 * of the lane). Where publishers are not trusted use take_copy. At most 64 messages of one
 * publisher may be held (PEAL_ELIMIT).
 * OK; EMPTY; ELIMIT; ECORRUPT (the lane of message->publisher was spoilt and is given up; or the CRC
 * of message->number is wrong: lost and counted); CLOSED.
 */
PEAL_API enum peal_status peal_subscriber_take(struct peal_subscriber *subscriber,
                                               struct peal_message *message);

/* Gives back a message of take(), in any order. OK, or ELAPPED (it now counts as lost). */
PEAL_API enum peal_status peal_subscriber_release(struct peal_subscriber *subscriber,
                                                  const struct peal_message *message);

/*
 * Takes the next message into buffer[0..capacity_bytes): a checked copy that is never torn. No
 * release follows. ETRUNC: the buffer is too small; message->size_bytes says how much is needed,
 * nothing was consumed. Otherwise as take().
 */
PEAL_API enum peal_status peal_subscriber_take_copy(struct peal_subscriber *subscriber,
                                                    void *buffer, size_t capacity_bytes,
                                                    struct peal_message *message);

/*
 * Batch forms: up to `max` messages in place; *count gets how many (OK with at least 1, or the
 * status of the first). release_batch: *elapsed (may be NULL) gets how many were overwritten.
 */
PEAL_API enum peal_status peal_subscriber_take_batch(struct peal_subscriber *subscriber,
                                                     struct peal_message *messages, size_t max,
                                                     size_t *count);
PEAL_API enum peal_status peal_subscriber_release_batch(struct peal_subscriber *subscriber,
                                                        const struct peal_message *messages,
                                                        size_t count, size_t *elapsed);

/*
 * Waits until there is something to take: OK, TIMEDOUT, CLOSED; ESYSTEM with a message when the device
 * of a vdev: bus is gone, for then nobody would ring. Spins for the bus's spin_ns, then sleeps. By the
 * subscriber's thread.
 */
PEAL_API enum peal_status peal_subscriber_wait(struct peal_subscriber *subscriber,
                                               uint64_t timeout_ns);

/* Reads the counters. By the subscriber's thread. EINVAL if struct_bytes is not set. */
PEAL_API enum peal_status peal_subscriber_stats(struct peal_subscriber *subscriber,
                                                struct peal_subscriber_stats *stats);

PEAL_END_DECLS

#endif
