/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publisher: the one writer of a lane of a topic.
 *
 * Each publisher of a topic has a lane of its own: a ring of `depth` slots, and a payload ring for
 * messages that do not fit in a slot. Messages of one publisher reach each subscriber in order;
 * there is no order between publishers.
 *
 * Threads: one publisher is used by one thread at a time (its functions share private state without
 * a lock). Different publishers are independent.
 * Blocking: only publish and loan with PEAL_FULL_WAIT block, and at most full_timeout_ns.
 * System calls: none while the subscribers are awake; one ring when some of them sleep.
 */
#ifndef PEAL_PUBLISHER_H
#define PEAL_PUBLISHER_H

#include <peal/bus.h>

PEAL_BEGIN_DECLS

struct peal_publisher;

/* What happens to a message for which a reliable subscriber has not made room. */
enum peal_full_policy {
    PEAL_FULL_WAIT = 0,        /* wait up to full_timeout_ns, then PEAL_FULL: not published */
    PEAL_FULL_REFUSE = 1,      /* PEAL_FULL at once: not published, not counted */
    PEAL_FULL_DROP_NEWEST = 2, /* PEAL_DROPPED: counted, each subscriber is told the loss */
    PEAL_FULL_EVICT = 3,       /* published; the slowest is overrun and told its exact loss */
};

/* Zero means "the default" in every field; start from PEAL_PUBLISHER_OPTIONS_INIT. */
struct peal_publisher_options {
    size_t struct_bytes;
    uint32_t message_bytes_max; /* longest message; default 48, which makes one cache line a message
                                   (40 with timestamp or crc32c, 32 with both) */
    uint32_t depth;             /* messages the lane holds; a power of two; default 1024;
                                   4 to 16 for a latest-value topic */
    uint64_t payload_bytes;     /* payload ring for messages beyond a slot; default: room for
                                   min(depth, 8) longest messages; 0 if all fit in slots */
    enum peal_full_policy full_policy;
    uint64_t full_timeout_ns;    /* for PEAL_FULL_WAIT; default PEAL_FOREVER */
    bool timestamp;              /* stamp each message with CLOCK_MONOTONIC at publish */
    bool crc32c;                 /* CRC-32C over each message, checked by take */
    const char *type_name;       /* at most 63 characters; NULL or "": untyped, fits all */
    uint64_t schema_hash;        /* must be equal too where both sides name the type */
    const char *name;            /* who publishes, at most 31 characters, so that a restart is
                                   recognised; default: the client's name */
    uint64_t payload_warm_bytes; /* while subscribers keep up, begin the payload ring anew once so
                                   much of it has been used and as much (at least the next message)
                                   is free at its beginning, so that long messages stay in the
                                   caches; a quarter of the L2 cache is a good value. A subscriber
                                   that falls behind then finds this much room, not the whole ring;
                                   who joins late finds less history. Without effect while there is
                                   a best-effort subscriber. Default 0: go round all of it. Not with
                                   PEAL_FULL_EVICT */
};

#ifdef __cplusplus
#define PEAL_PUBLISHER_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(struct peal_publisher_options)                                                      \
    }
#else
#define PEAL_PUBLISHER_OPTIONS_INIT                                                                \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_publisher_options)                                      \
    }
#endif

struct peal_publisher_stats {
    size_t struct_bytes;
    uint64_t published;   /* messages made visible */
    uint64_t dropped;     /* by PEAL_FULL_DROP_NEWEST */
    uint64_t refused;     /* PEAL_FULL answers */
    uint64_t waits;       /* times that the gate was shut and we waited */
    uint64_t incarnation; /* how subscribers see this publisher in peal_message.publisher */
    uint32_t subscribers; /* now, of the topic */
    uint32_t reliable;    /* ... that gate this publisher */
};

/* One message of a batch. */
struct peal_slice {
    const void *data;
    size_t size_bytes;
};

/*
 * Creates a publisher of `topic` (1 to 63 characters, no control characters), and the topic if it
 * does not exist. `options` may be NULL. On success *publisher is the caller's until
 * peal_publisher_close(); on failure it is NULL and nothing is left behind. Every subscriber that
 * exists now gets every message from the first on. Thread-safe; does not block on peers.
 * Errors: EINVAL, ENOSPC (no room for the lane: make the region larger or the lane smaller),
 * ELIMIT (too many publishers or topics), EMISMATCH (type), ENOMEM, CLOSED, ECORRUPT.
 */
PEAL_API enum peal_status peal_publisher_create(struct peal_bus *bus, const char *topic,
                                                const struct peal_publisher_options *options,
                                                struct peal_publisher **publisher);

/*
 * Ends the lane. What was published stays readable for the subscribers of now until they have taken
 * it; then its memory is given back. A loan is discarded. NULL is allowed.
 */
PEAL_API void peal_publisher_close(struct peal_publisher *publisher);

/*
 * Publishes a copy of data[0..size_bytes). Wait-free unless the policy is to wait.
 * OK; FULL or DROPPED by policy; EMSGSIZE (nothing published); EINVAL (a loan is open);
 * CLOSED. `data` may be NULL when size_bytes is 0 and is not used after return.
 */
PEAL_API enum peal_status peal_publisher_publish(struct peal_publisher *publisher, const void *data,
                                                 size_t size_bytes);

/*
 * Publishes `count` messages in order with one fence and at most one ring for all of them.
 * *published (may be NULL) gets how many were published or dropped by policy; less than `count`
 * only with a status other than OK and DROPPED, which then is about message [*published].
 */
PEAL_API enum peal_status peal_publisher_publish_batch(struct peal_publisher *publisher,
                                                       const struct peal_slice *messages,
                                                       size_t count, size_t *published);

/*
 * Zero copy: *data gets size_bytes writable bytes in the lane itself, 8-byte aligned (64-byte where
 * the message lies in the payload ring). The caller fills them and calls
 * peal_publisher_commit(), or peal_publisher_discard(). One loan (or one batch of loans) at a time.
 * The bytes are not zeroed. Errors as publish. The memory is shared: read it back only with care.
 */
PEAL_API enum peal_status peal_publisher_loan(struct peal_publisher *publisher, size_t size_bytes,
                                              void **data);

/* Publishes the loan with its final size, at most what was loaned. EINVAL without a loan. */
PEAL_API enum peal_status peal_publisher_commit(struct peal_publisher *publisher,
                                                size_t size_bytes);

/*
 * Loans up to `count` messages of size_bytes each at once; *loaned gets how many, at least 1 on OK.
 * commit_batch publishes the first `count` of them in order, each with the size it was loaned, and
 * gives the others back.
 */
PEAL_API enum peal_status peal_publisher_loan_batch(struct peal_publisher *publisher,
                                                    size_t size_bytes, size_t count, void **data,
                                                    size_t *loaned);
PEAL_API enum peal_status peal_publisher_commit_batch(struct peal_publisher *publisher,
                                                      size_t count);

/* Gives all loans back unpublished. OK also without a loan. */
PEAL_API enum peal_status peal_publisher_discard(struct peal_publisher *publisher);

/* Reads the counters. By the publisher's thread. EINVAL if struct_bytes is not set. */
PEAL_API enum peal_status peal_publisher_stats(struct peal_publisher *publisher,
                                               struct peal_publisher_stats *stats);

PEAL_END_DECLS

#endif
