/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/intervals.h"

static struct intervals_publisher *find(struct intervals *intervals, uint64_t incarnation)
{
    for (size_t i = 0; i < INTERVALS_PUBLISHERS; i++)
        if (intervals->publishers[i].incarnation == incarnation)
            return &intervals->publishers[i];
    struct intervals_publisher *publisher = &intervals->publishers[intervals->next];
    intervals->next = (intervals->next + 1) % INTERVALS_PUBLISHERS;
    *publisher = (struct intervals_publisher){0};
    return publisher;
}

bool intervals_add(struct intervals *intervals, const struct peal_message *message,
                   uint64_t arrival_ns, uint64_t *interval_ns)
{
    struct intervals_publisher *publisher = find(intervals, message->publisher);
    const struct intervals_publisher now = {
        .incarnation = message->publisher,
        .number = message->number,
        .time_ns = message->timestamp_ns != 0 ? message->timestamp_ns : arrival_ns,
        .is_stamped = message->timestamp_ns != 0,
    };
    const bool follows = publisher->incarnation == now.incarnation && message->lost == 0 &&
                         now.number == publisher->number + 1 &&
                         now.is_stamped == publisher->is_stamped &&
                         now.time_ns >= publisher->time_ns;
    *interval_ns = follows ? now.time_ns - publisher->time_ns : 0;
    *publisher = now;
    return follows;
}
