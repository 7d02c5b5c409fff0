/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue: many push, many pop, and each message goes to one of those who pop.
 *
 * Each handle that pushes has a lane of its own, a ring of `depth` messages. Messages of one handle are
 * popped in order; there is no order between handles, unless the queue is strict. (What is redelivered
 * comes when it comes.) Any process may die at any instruction: what it
 * had pushed stays, what it had taken and was not done with is given to another (flagged), or is
 * dropped and counted, as the queue was made. Nobody is robbed who is only slow or stopped.
 *
 * Messages stay until they are popped, also when all who used the queue have gone. A name belongs to a
 * queue or to a topic.
 *
 * Threads: one handle is used by one thread at a time; different handles are independent. Waiting in a
 * waitset, adding to and removing from waitsets may go on beside it.
 * Blocking: push with PEAL_QUEUE_FULL_WAIT, at most full_timeout_ns, and peal_queue_wait().
 * System calls: none while the others are awake; one ring when some of them sleep; now and then, in
 * push at a full lane and in pop at an empty queue, a look for the dead.
 */
#ifndef PEAL_QUEUE_H
#define PEAL_QUEUE_H

#include <peal/bus.h>
#include <peal/publisher.h>
#include <peal/waitset.h>

PEAL_BEGIN_DECLS

struct peal_queue;

enum peal_queue_use {
    PEAL_QUEUE_PUSH = 1u << 0,
    PEAL_QUEUE_POP = 1u << 1,
};

/* What happens to a message for which the pusher's lane has no room. */
enum peal_queue_full_policy {
    PEAL_QUEUE_FULL_WAIT = 0,        /* wait up to full_timeout_ns, then PEAL_FULL: not pushed */
    PEAL_QUEUE_FULL_REFUSE = 1,      /* PEAL_FULL at once: not pushed */
    PEAL_QUEUE_FULL_DROP_OLDEST = 2, /* the oldest of this handle's are dropped and counted; if
                                        somebody has taken them and is not done, this one is */
    PEAL_QUEUE_FULL_DROP_NEWEST = 3, /* PEAL_DROPPED: this one is dropped and counted */
};

/* Zero means "the default" in every field; start from PEAL_QUEUE_OPTIONS_INIT. */
struct peal_queue_options {
    size_t struct_bytes;
    uint32_t uses;              /* enum peal_queue_use, or'ed; default: both */
    uint32_t message_bytes_max; /* of the queue: longest message, at most 1 MiB; the maker's counts,
                                   others name the same or 0; default 64 */
    uint32_t depth;             /* messages in our lane; a power of two; default 1024 */
    enum peal_queue_full_policy full_policy;
    uint64_t full_timeout_ns; /* for PEAL_QUEUE_FULL_WAIT; default PEAL_FOREVER */
    bool drops_held;          /* of the queue, all users must agree: what somebody had taken when he
                                 died is dropped and counted, not given to another */
    bool strict;           /* of the queue, all users must agree: one order over all who push: what
                                 was pushed before another push began is taken before it. Costs a
                                 shared counter at each push, and a look at all lanes at each take */
    const char *type_name; /* as in peal_publisher_options */
    uint64_t schema_hash;
};

#ifdef __cplusplus
#define PEAL_QUEUE_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(struct peal_queue_options)                                                          \
    }
#else
#define PEAL_QUEUE_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_queue_options)                                          \
    }
#endif

/* A message that was taken. */
struct peal_queue_message {
    const void *data; /* in the lane (take) or in the caller's buffer (pop) */
    size_t size_bytes;
    uint64_t number;     /* in its pusher's sequence, modulo 2^48 */
    uint32_t lane;       /* tells pushers apart while they live */
    bool is_redelivered; /* somebody had taken it and died, or closed, before he was done */
};

struct peal_queue_stats {
    size_t struct_bytes;
    uint64_t pushed;         /* by this handle */
    uint64_t refused;        /* PEAL_FULL answers */
    uint64_t waits;          /* times that the lane was full and we waited */
    uint64_t dropped_oldest; /* by this handle */
    uint64_t dropped_newest;
    uint64_t popped; /* by this handle, the following two included */
    uint64_t redelivered;
    uint64_t corrupt; /* messages of impossible length, lanes given up */
    uint64_t lost;    /* of the whole queue: taken by the dead and dropped */
    uint64_t pending; /* of the whole queue, now: pushed and not yet taken; for handles that pop */
    uint32_t lanes;   /* pushers, ended ones with messages included; for handles that pop */
};

/*
 * Joins the queue `name` (1 to 63 characters, no control characters), and makes it if it does not
 * exist. `options` may be NULL. On success *queue is the caller's until peal_queue_close(); on failure
 * it is NULL and nothing is left behind. Thread-safe; does not block on peers.
 * Errors: EINVAL, ENOSPC (no room for the lane), ELIMIT (32 handles that push, 32 that pop, or too
 * many names; an ended one's lane counts until its messages are popped), EMISMATCH (a topic, other
 * sizes, options or type), ENOMEM, CLOSED, ECORRUPT.
 */
PEAL_API enum peal_status peal_queue_create(struct peal_bus *bus, const char *name,
                                            const struct peal_queue_options *options,
                                            struct peal_queue **queue);

/*
 * Ends our part. What we pushed stays until it is popped; what we had taken and were not done with is
 * treated like that of the dead. May be called while other threads wait in a waitset that contains it,
 * and from within a callback. NULL is allowed.
 */
PEAL_API void peal_queue_close(struct peal_queue *queue);

/* The longest message of this queue. */
PEAL_API size_t peal_queue_message_bytes_max(const struct peal_queue *queue);

/*
 * Pushes a copy of data[0..size_bytes). Wait-free but for PEAL_QUEUE_FULL_WAIT and _DROP_OLDEST.
 * OK; FULL, DROPPED by policy; EMSGSIZE (nothing pushed); EINVAL (the handle does not push); CLOSED;
 * ECORRUPT (a peer has spoilt our lane: close the handle and make a new one).
 */
PEAL_API enum peal_status peal_queue_push(struct peal_queue *queue, const void *data,
                                          size_t size_bytes);

/*
 * Pushes `count` messages of size_bytes each, which lie one after the other in `data`, and makes them
 * visible as they find room, at once if there is room for all; rings at most once when it is done.
 * *pushed (may be NULL) gets how many; less than `count` only with a status other than OK. DROPPED:
 * the others were dropped.
 */
PEAL_API enum peal_status peal_queue_push_batch(struct peal_queue *queue, const void *data,
                                                size_t size_bytes, size_t count, size_t *pushed);

/* Likewise `count` messages, each where and as long as its slice says. EMSGSIZE (one of them is too
 * long): nothing pushed. The slices and what they point to are not used after return. */
PEAL_API enum peal_status peal_queue_push_slices(struct peal_queue *queue,
                                                 const struct peal_slice *messages, size_t count,
                                                 size_t *pushed);

/*
 * Takes the next message into buffer[0..capacity_bytes) and is done with it: from now on it is the
 * caller's affair alone. `capacity_bytes` must have room for the queue's longest message.
 * OK; EMPTY; ETRUNC (the buffer is smaller than that; nothing was taken); EINVAL (the handle does not
 * pop, or a take is not done); ECORRUPT (a peer has spoilt a message, which is lost and counted, or a
 * lane, which is given up; the others go on); CLOSED.
 */
PEAL_API enum peal_status peal_queue_pop(struct peal_queue *queue, void *buffer,
                                         size_t capacity_bytes, struct peal_queue_message *message);

/* Likewise up to `max` messages of one pusher, message i to buffer + i * stride_bytes; *count gets how
 * many. The stride must have room for the longest message. */
PEAL_API enum peal_status peal_queue_pop_batch(struct peal_queue *queue, void *buffer,
                                               size_t stride_bytes,
                                               struct peal_queue_message *messages, size_t max,
                                               size_t *count);

/*
 * Takes up to `max` messages of one pusher in place, to work on them: they are ours until
 * peal_queue_done(), which must follow. If we die before that another gets them, flagged. A pusher may
 * push at most its depth beyond a message that is not done. The bytes are shared: where peers are not
 * trusted copy them before looking, or pop. Otherwise as pop_batch.
 */
PEAL_API enum peal_status peal_queue_take(struct peal_queue *queue,
                                          struct peal_queue_message *messages, size_t max,
                                          size_t *count);

/* Done with all that take() gave. EINVAL if there is nothing. */
PEAL_API enum peal_status peal_queue_done(struct peal_queue *queue);

/*
 * Waits until there is something to take: OK, TIMEDOUT, CLOSED, EINVAL (the handle does not pop).
 * Another may be faster, so EMPTY may follow. Spins for the bus's spin_ns, then sleeps.
 */
PEAL_API enum peal_status peal_queue_wait(struct peal_queue *queue, uint64_t timeout_ns);

/* Reads the counters. By the handle's thread. EINVAL if struct_bytes is not set. */
PEAL_API enum peal_status peal_queue_stats(struct peal_queue *queue,
                                           struct peal_queue_stats *stats);

/* A queue in a waitset, beside subscribers: see peal_waitset_add() and peal_waitset_remove(). */
typedef void (*peal_waitset_queue_callback)(struct peal_queue *queue, void *context);
PEAL_API enum peal_status peal_waitset_add_queue(struct peal_waitset *waitset,
                                                 struct peal_queue *queue,
                                                 peal_waitset_queue_callback callback,
                                                 void *context);
PEAL_API enum peal_status peal_waitset_remove_queue(struct peal_waitset *waitset,
                                                    struct peal_queue *queue);

PEAL_END_DECLS

#endif
