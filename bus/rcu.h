/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seam to liburcu (the "bp" flavour: threads need not register).
 *
 * Used for what waiting threads walk through while others add and remove: the bus's endpoints, a
 * waitset's members. Readers never block and run no user code inside; removal waits for a grace
 * period before memory goes. Tables never resize by themselves, so liburcu starts no thread.
 *
 * ThreadSanitizer cannot look into liburcu, so the two orders that it gives are told here: what was
 * done before an object was published is visible to who finds it, and what readers did is visible
 * after a grace period.
 */
#ifndef PEAL_BUS_RCU_H
#define PEAL_BUS_RCU_H

/* Small functions of liburcu are compiled in, which its licence allows to everybody (README of liburcu,
 * "Usage of all urcu libraries"). Out of line a look at an idle subscriber is 32 calls. */
#define URCU_INLINE_SMALL_FUNCTIONS 1
#include <urcu-bp.h>
#include <urcu/list.h>
#include <urcu/rculfhash.h>

#if defined(PEAL_SANITIZE_THREAD)
#include <sanitizer/tsan_interface.h>
#define PEAL_RCU_SEEN(object) __tsan_acquire((void *)(object))
#define PEAL_RCU_SHOWN(object) __tsan_release((void *)(object))
#else
#define PEAL_RCU_SEEN(object) ((void)(object))
#define PEAL_RCU_SHOWN(object) ((void)(object))
#endif

/* Stands for "some reader has left". */
#define PEAL_RCU_READERS (&rcu_flavor)

static inline void peal_rcu_enter(void)
{
    rcu_read_lock();
}

static inline void peal_rcu_leave(void)
{
    PEAL_RCU_SHOWN(PEAL_RCU_READERS);
    rcu_read_unlock();
}

/* Waits until every thread that was inside has left. Not from inside. */
static inline void peal_rcu_synchronize(void)
{
    synchronize_rcu();
    PEAL_RCU_SEEN(PEAL_RCU_READERS);
}

/* Spreads keys that count up; the table uses the low bits. */
static inline unsigned long peal_rcu_hash(uint64_t key)
{
    return (unsigned long)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* A table of fixed width; NULL when there is no memory. `buckets` is a power of two. */
static inline struct cds_lfht *peal_rcu_table(unsigned long buckets)
{
    return cds_lfht_new(buckets, buckets, buckets, 0, NULL);
}

/* The table must be empty, and nobody inside. */
static inline void peal_rcu_table_free(struct cds_lfht *table)
{
    (void)cds_lfht_destroy(table, NULL);
}

/* Walks a table from inside; `node` is a struct cds_lfht_node *. */
#define PEAL_RCU_FOR_EACH(table, iterator, node)                                                   \
    for (cds_lfht_first(table, iterator), node = cds_lfht_iter_get_node(iterator); node != NULL;   \
         cds_lfht_next(table, iterator), node = cds_lfht_iter_get_node(iterator))

#endif
