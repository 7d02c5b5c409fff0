/* SPDX-License-Identifier: Apache-2.0 */
/* What `peal pub` publishes with: a publisher of a topic, or one who pushes into a queue. Which of them a name is the region
 * says, if it has it already. */
#ifndef PEAL_TOOLS_PEAL_TALK_SENDER_H
#define PEAL_TOOLS_PEAL_TALK_SENDER_H

#include <peal/publisher.h>
#include <peal/queue.h>

/* When there is no room: in the order of the words of --policy. */
enum sender_policy { SENDER_WAIT = 0, SENDER_REFUSE, SENDER_DROP, SENDER_EVICT };

struct sender_options {
    const char *topic;
    bool queue; /* make a queue, if the name is not known yet */
    unsigned policy;
    uint64_t timeout_ns;        /* of SENDER_WAIT */
    uint64_t count;             /* how many will be sent at most */
    uint64_t depth;             /* 0: the default */
    uint64_t message_bytes_max; /* needed */
    bool bytes_max_asked;       /* by the user: a queue that is there must agree */
    uint64_t payload_bytes;
    bool no_timestamp;
    bool crc;
    const char *type;
    const char *name; /* or NULL: made from the process's number */
};

struct sender {
    const char *topic; /* the options' */
    struct peal_bus *bus;
    struct peal_publisher *publisher; /* or else */
    struct peal_queue *queue;
    unsigned policy;
    uint64_t timeout_ns;
    uint64_t published;
    uint64_t published_bytes;
    uint64_t dropped; /* not published, for want of room */
    uint64_t refused; /* likewise */
    bool was_heard;   /* somebody subscribed, when we looked */
};

/* Opens the bus, making the region and the topic if need be. Answers EXIT_DONE, or the exit code, why having been told. */
int sender_open(struct sender *sender, const struct sender_options *options);

/* Publishes, and counts. OK also for what is dropped or refused by policy; TIMEDOUT if stop was requested while it waited. */
enum peal_status sender_send(struct sender *sender, const void *data, size_t size_bytes);

/* Waits until so many subscribers hear us, `deadline_ns`, or stop. Answers EXIT_DONE also for stop. */
int sender_wait_subscribers(struct sender *sender, uint64_t count, uint64_t deadline_ns);

/* How many subscribe now; 0 of a queue. */
uint32_t sender_subscribers(struct sender *sender);

void sender_close(struct sender *sender);

#endif
