/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long ago was that? Times in a region are of the clock of whoever wrote them: of another machine's, of one that has been
 * started anew since, or invented. Each answers false where the age cannot be told, and nothing is to be shown then.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_AGE_H
#define PEAL_TOOLS_PEAL_LOOK_AGE_H

#include "tools/peal/look/snapshot.h"

/* `then_ns` and `now_ns` of one clock; 0 is "never". */
bool age_since(uint64_t then_ns, uint64_t now_ns, uint64_t *age_ns);

/*
 * Of a client's heartbeat, which is of the CLOCK_MONOTONIC of its machine. Believed if that is this machine by all that can be
 * told: the region's members are known here, and the heartbeat is not from before the client came.
 * Now by CLOCK_MONOTONIC and since 1970.
 */
bool age_of_heartbeat(const struct snapshot *snapshot, const struct snapshot_client *client,
                      uint64_t monotonic_now_ns, uint64_t now_since_1970_ns, uint64_t *age_ns);

/* Of a message's timestamp, likewise; believed if it is not of the future. */
bool age_of_message(const struct snapshot *snapshot, uint64_t timestamp_ns,
                    uint64_t monotonic_now_ns, uint64_t *age_ns);

/* CLOCK_REALTIME. */
uint64_t clock_since_1970_ns(void);

#endif
