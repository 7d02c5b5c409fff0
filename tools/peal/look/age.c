/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/age.h"

#include "tools/peal/kit/stop.h"

#include <time.h>

/* Clocks that are set step, and those that are read one after the other differ. */
#define SLACK_NS NS_PER_S

bool age_since(uint64_t then_ns, uint64_t now_ns, uint64_t *age_ns)
{
    if (then_ns == 0 || then_ns > now_ns)
        return false;
    *age_ns = now_ns - then_ns;
    return true;
}

bool age_of_heartbeat(const struct snapshot *snapshot, const struct snapshot_client *client,
                      uint64_t monotonic_now_ns, uint64_t now_since_1970_ns, uint64_t *age_ns)
{
    uint64_t attached_ago_ns;
    return snapshot->region.members_known &&
           age_since(client->seen.heartbeat_ns, monotonic_now_ns, age_ns) &&
           age_since(client->seen.attached_ns, now_since_1970_ns, &attached_ago_ns) &&
           *age_ns <= attached_ago_ns + SLACK_NS;
}

bool age_of_message(const struct snapshot *snapshot, uint64_t timestamp_ns,
                    uint64_t monotonic_now_ns, uint64_t *age_ns)
{
    return snapshot->region.members_known && age_since(timestamp_ns, monotonic_now_ns, age_ns);
}

uint64_t clock_since_1970_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
