/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test and its peers say to each other through two pipes: a request, then its answer. The
 * words are 64 bits wide in programs of both widths.
 */
#ifndef PEAL_TESTS_ABI_PROTOCOL_H
#define PEAL_TESTS_ABI_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#define ABI_ARGUMENTS 10
#define ABI_VALUES 8
#define ABI_TEXT_BYTES 200
#define ABI_HANDLES 4

/* Longer than anything here takes, shorter than the test waits for an answer. */
#define ABI_TIMEOUT_NS UINT64_C(20000000000)

/* In parentheses: the arguments; after the arrow: the values of the answer. */
enum abi_operation {
    /* (size_bytes, topics_max, safety_net_ns, always_fence) -> enum abi_open_value */
    ABI_OPEN = 1,
    ABI_CLOSE,
    ABI_BUS_STATS, /* -> enum abi_bus_value */
    ABI_RECOVER,   /* -> dead clients found */
    /* (client index): until that client is about to sleep and wants its bell rung */
    ABI_AWAIT_ARMED,
    ABI_POLL, /* (handle of a subscriber): sleeps in poll(2) on the bus's descriptor */

    /* (handle, topic, message_bytes_max, depth, options, full_policy, schema_hash, payload_bytes) */
    ABI_PUBLISHER_CREATE,
    ABI_PUBLISHER_CLOSE, /* (handle) */
    ABI_PUBLISHER_STATS, /* (handle) -> published, waits, subscribers, reliable */
    ABI_PUBLISH,         /* (handle, enum abi_publish_way, from, end, size least, most) */

    /* (handle, topic, reliability, history, schema_hash) */
    ABI_SUBSCRIBER_CREATE,
    ABI_SUBSCRIBER_CLOSE, /* (handle) */
    ABI_SUBSCRIBER_STATS, /* (handle) -> delivered, lost, corrupt, restarts */
    ABI_SUBSCRIBER_WAIT,  /* (handle) -> 0 */
    /* (handle, enum abi_take_way, total, size least, most, options): until that many are accounted
     * for -> enum abi_take_value */
    ABI_TAKE,

    ABI_SPSC_INIT, /* (descriptor, element_bytes, capacity) */
    ABI_SPSC_PUSH, /* (descriptor, element_bytes, from, end) */
    ABI_SPSC_POP,  /* (descriptor, element_bytes, from, end) */
};

enum abi_open_value { ABI_INDEX, ABI_INCARNATION, ABI_GENERATION, ABI_TOPICS_MAX };

enum abi_bus_value {
    ABI_BELLS_RUNG,
    ABI_SLEEPS,
    ABI_WAKES,
    ABI_SAFETY_NET_FINDS,
    ABI_RECOVERED,
    ABI_MEMBERS,
    ABI_REGION_BYTES,
    ABI_FREE_BYTES,
};

enum abi_take_value {
    ABI_DELIVERED,
    ABI_LOST,
    ABI_ELAPSED,
    ABI_RESTARTED,
    ABI_PREVIOUS_NUMBER,
};

/* Options of a publisher; a taker given the same ones expects their effect. */
enum abi_option {
    ABI_TIMESTAMP = 1u << 0,
    ABI_CRC32C = 1u << 1,
};

enum abi_publish_way {
    ABI_PUBLISH_COPY,
    ABI_PUBLISH_LOAN,
    ABI_PUBLISH_BATCH,
    ABI_PUBLISH_LOAN_BATCH, /* all of one size */
    ABI_PUBLISH_WAYS,
};

enum abi_take_way {
    ABI_TAKE_COPY,
    ABI_TAKE_IN_PLACE,
    ABI_TAKE_BATCH,
    ABI_TAKE_WAYS,
};

struct abi_request {
    uint64_t operation;
    uint64_t argument[ABI_ARGUMENTS];
};

struct abi_answer {
    uint64_t status; /* enum peal_status */
    uint64_t value[ABI_VALUES];
    char text[ABI_TEXT_BYTES]; /* what was wrong */
};

static_assert(sizeof(struct abi_request) == 8 + 8 * ABI_ARGUMENTS, "no padding");
static_assert(sizeof(struct abi_answer) == 8 + 8 * ABI_VALUES + ABI_TEXT_BYTES, "no padding");

/* Message `number` has this many bytes: all sizes from least to most come, in no simple order. */
static inline uint64_t abi_size(uint64_t number, uint64_t least, uint64_t most)
{
    return least + number * 7919 % (most - least + 1);
}

#endif
