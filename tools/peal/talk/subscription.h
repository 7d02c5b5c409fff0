/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listens to one topic or several, and waits: for messages, for a time to come, for Ctrl-C. Queues are popped, where that is
 * allowed.
 *
 *      struct subscription subscription;
 *      int code = subscription_open(&subscription, &options, operands, count);
 *      while (code == EXIT_DONE)
 *          switch (subscription_next(&subscription, deadline_ns)) { ... }
 *      subscription_close(&subscription);
 */
#ifndef PEAL_TOOLS_PEAL_TALK_SUBSCRIPTION_H
#define PEAL_TOOLS_PEAL_TALK_SUBSCRIPTION_H

#include "tools/peal/look/watch.h"

#include <peal/queue.h>
#include <peal/subscriber.h>

struct subscription_options {
    bool reliable;
    bool latest;
    uint32_t history;
    bool headers_only;   /* messages come without their bytes, which are not copied */
    bool pop;            /* queues are popped; otherwise they are refused */
    const char *instead; /* where they are refused: what the user may do */
    bool wait;           /* what is not there yet is waited for */
    bool spin;           /* wait by looking again and again */
    uint64_t timeout_ns; /* of that */
};

struct subscription_topic {
    const char *name;
    struct peal_subscriber *subscriber; /* or else */
    struct peal_queue *queue;
    uint64_t count;   /* messages had; the following do not count */
    uint64_t elapsed; /* headers only: overwritten while we read them */
    uint64_t spoilt;  /* with a wrong CRC, or lanes given up */
};

struct subscription {
    struct subscription_options options;
    const char *url;
    struct peal_bus *bus; /* NULL: stop was requested before it was there */
    struct watch watch;   /* for who wants to know more */
    struct subscription_topic *topics;
    size_t topic_count;
    size_t turn; /* whose it is */
    unsigned turn_left;
    bool is_idle;
    int fd;
    char *buffer;
    size_t buffer_bytes;
    uint64_t now_ns; /* when it was last looked at the clock */

    /* The message, until the next call. */
    struct subscription_topic *topic;
    struct peal_message message; /* of a queue: data, size, number, lane */
    bool is_redelivered;
};

/* Answers EXIT_DONE, or the exit code, why having been told. */
int subscription_open(struct subscription *subscription, const struct subscription_options *options,
                      char **topics, size_t count);

enum subscription_event {
    SUBSCRIPTION_MESSAGE = 0, /* `topic` and `message`; now_ns is when it was taken */
    SUBSCRIPTION_SPOILT,   /* `topic`: a message with a wrong CRC, or a publisher's lane given up */
    SUBSCRIPTION_IDLE,     /* there is nothing more: print what is buffered; the next call waits */
    SUBSCRIPTION_DEADLINE, /* it has passed; the caller's next call names another */
    SUBSCRIPTION_STOPPED,  /* Ctrl-C */
    SUBSCRIPTION_GONE,     /* the device of a vdev: bus; told */
};

enum subscription_event subscription_next(struct subscription *subscription, uint64_t deadline_ns);

/* All that topic's publishers were said to have lost. */
uint64_t subscription_lost(const struct subscription_topic *topic);

/* Do timestamps of all who take part compare with our clock? */
bool subscription_has_one_clock(const struct subscription *subscription);

void subscription_close(struct subscription *subscription);

/* clock_now_ns() + duration, or never. */
uint64_t deadline_after(uint64_t duration_ns);

#endif
