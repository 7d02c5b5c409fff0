/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local: several clients within one process share memory of that process. For programs whose threads
 * talk to each other, and for tests, which can make memory start with stale bytes, choose the number
 * of indexes, and let a client die without ending a process.
 *
 * A region lives as long as a client is attached, and after that if its last client was killed: the
 * dead leave things behind, as they do elsewhere. A child of fork() has a private copy; it must not
 * use its parent's transports.
 */
#ifndef PEAL_TRANSPORT_LOCAL_LOCAL_H
#define PEAL_TRANSPORT_LOCAL_LOCAL_H

#include "transport/transport.h"

extern const struct peal_transport_ops peal_transport_local_ops;

/*
 * For tests. All thread-safe.
 */

/*
 * The client dies as by SIGKILL: its bit goes from members(), its index may be used again, the memory
 * stays as it is, and all its notify() calls do nothing from now on. The others' epochs move; its own
 * threads come out of wait() once. close() then only frees; the memory stays mapped until then.
 */
void peal_local_kill(struct peal_transport *transport);

/* The bytes with which regions made later begin: 0 means zeros, else pseudo-random from this seed. */
void peal_local_set_fill(uint64_t seed);

/* How many indexes regions made later have: 1..PEAL_TRANSPORT_CLIENTS_MAX; 0 means the maximum. */
void peal_local_set_capacity(uint32_t capacity);

#endif
