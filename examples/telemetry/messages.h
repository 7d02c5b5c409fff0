/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over the bus: one message type a topic.
 *
 * Rules that keep such messages readable for programs built at other times, by other compilers, as
 * 32 or 64 bits: fixed-width integers only, in SI or permille, no pointers, no padding (asserted),
 * text in arrays. Whoever changes a struct changes its schema text with it; the hash of the text
 * travels with the type name, and a subscriber built for another schema is refused at the start
 * instead of reading nonsense.
 */
#ifndef EXAMPLES_TELEMETRY_MESSAGES_H
#define EXAMPLES_TELEMETRY_MESSAGES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define TELEMETRY_VERSION 1
#define TELEMETRY_NAME_BYTES 32
#define TELEMETRY_CPUS_MAX 64

/* Each message begins with it. */
struct telemetry_origin {
    uint32_t version;
    uint32_t bytes; /* of the whole message */
    char name[TELEMETRY_NAME_BYTES];
};

struct telemetry_cpu {
    struct telemetry_origin origin;
    uint32_t cpu_count; /* entries of busy_permille_of */
    uint32_t busy_permille;
    uint32_t user_permille;
    uint32_t system_permille;
    uint32_t iowait_permille;
    uint32_t steal_permille;
    uint16_t busy_permille_of[TELEMETRY_CPUS_MAX];
};

struct telemetry_memory {
    struct telemetry_origin origin;
    uint64_t total_bytes;
    uint64_t available_bytes;
    uint64_t cached_bytes;
    uint64_t dirty_bytes;
    uint64_t swap_total_bytes;
    uint64_t swap_free_bytes;
};

struct telemetry_system {
    struct telemetry_origin origin;
    uint64_t uptime_ms;
    uint32_t load_permille[3]; /* over 1, 5 and 15 minutes */
    uint32_t processes;        /* threads among them */
    uint64_t context_switches_hz;
    uint64_t interrupts_hz;
    uint64_t net_received_bytes_hz;
    uint64_t net_sent_bytes_hz;
    uint64_t disk_read_bytes_hz;
    uint64_t disk_written_bytes_hz;
};

static_assert(sizeof(struct telemetry_origin) == 40, "message layout");
static_assert(sizeof(struct telemetry_cpu) == 192, "message layout");
static_assert(sizeof(struct telemetry_memory) == 88, "message layout");
static_assert(sizeof(struct telemetry_system) == 112, "message layout");

union telemetry_message {
    struct telemetry_origin origin;
    struct telemetry_cpu cpu;
    struct telemetry_memory memory;
    struct telemetry_system system;
};

enum telemetry_kind { TELEMETRY_CPU, TELEMETRY_MEMORY, TELEMETRY_SYSTEM, TELEMETRY_KINDS };

struct telemetry_type {
    const char *topic;
    const char *label; /* the topic in a table */
    const char *type_name;
    const char *schema;
    size_t bytes;
};

extern const struct telemetry_type telemetry_types[TELEMETRY_KINDS];

/* FNV-1a of the type's schema text. */
uint64_t telemetry_schema_hash(const struct telemetry_type *type);

#endif
