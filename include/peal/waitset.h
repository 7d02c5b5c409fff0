/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A waitset: waits for any number of subscribers of one bus at once.
 *
 * Threads: add, remove, wait, dispatch, interrupt and the closing of subscribers may all run at once
 * in any threads. A subscriber that is closed leaves its waitsets by itself.
 */
#ifndef PEAL_WAITSET_H
#define PEAL_WAITSET_H

#include <peal/subscriber.h>

PEAL_BEGIN_DECLS

struct peal_waitset;

/*
 * Called by peal_waitset_dispatch() in its caller's thread for a subscriber that has something to
 * take. It may take, close this or other subscribers, add and remove. It is never called for one
 * subscriber by two dispatching threads at once, and it never begins after the subscriber was closed
 * or removed. One that has begun in another thread may still be running when close() or remove()
 * returns, so keep what `context` points to until that thread has come back from dispatch.
 */
typedef void (*peal_waitset_callback)(struct peal_subscriber *subscriber, void *context);

/* Creates an empty waitset. *waitset is the caller's until close. EINVAL, ENOMEM, CLOSED. */
PEAL_API enum peal_status peal_waitset_create(struct peal_bus *bus, struct peal_waitset **waitset);

/*
 * Threads that wait in it return PEAL_CLOSED; a callback that runs just now goes on to its end, which
 * is not waited for. NULL is allowed. Must be called once. May be called from a callback.
 *
 * As with any handle, no thread may begin a call on it after that. Threads that wait in a loop are
 * ended by peal_bus_close(): whoever waits, now or later, gets PEAL_CLOSED and the waitset stays valid;
 * join them, then close it.
 */
PEAL_API void peal_waitset_close(struct peal_waitset *waitset);

/*
 * Adds a subscriber of the same bus. `callback` may be NULL if only peal_waitset_wait() is used;
 * `context` is handed back. A subscriber may be in several waitsets. EEXIST if it is in this one.
 */
PEAL_API enum peal_status peal_waitset_add(struct peal_waitset *waitset,
                                           struct peal_subscriber *subscriber,
                                           peal_waitset_callback callback, void *context);

/* Removes it; PEAL_ENOENT if it is not there. Does not wait for a callback that runs just now. */
PEAL_API enum peal_status peal_waitset_remove(struct peal_waitset *waitset,
                                              struct peal_subscriber *subscriber);

/*
 * Waits until at least one member has something to take. contexts[0..*count) get the contexts of up
 * to `max` such members (contexts, not subscribers: what another thread may close meanwhile is the
 * caller's own bookkeeping). OK, TIMEDOUT, CLOSED; AGAIN after peal_waitset_interrupt(); ESYSTEM as
 * peal_subscriber_wait().
 * Spins for the bus's spin_ns, then sleeps.
 */
PEAL_API enum peal_status peal_waitset_wait(struct peal_waitset *waitset, uint64_t timeout_ns,
                                            void **contexts, size_t max, size_t *count);

/*
 * Waits likewise and calls the callback of each member that has something to take; *dispatched (may
 * be NULL) gets how many were called. OK with at least one, else as wait.
 */
PEAL_API enum peal_status peal_waitset_dispatch(struct peal_waitset *waitset, uint64_t timeout_ns,
                                                size_t *dispatched);

/*
 * Brings the threads that wait in it now out with PEAL_AGAIN; if there are none, the next one that
 * comes. Interrupts that nobody has answered yet count as one. Async-signal-safe: no.
 */
PEAL_API enum peal_status peal_waitset_interrupt(struct peal_waitset *waitset);

PEAL_END_DECLS

#endif
