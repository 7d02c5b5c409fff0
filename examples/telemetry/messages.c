/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/messages.h"

#define ORIGIN "version u32, bytes u32, name c32, "

const struct telemetry_type telemetry_types[TELEMETRY_KINDS] = {
    [TELEMETRY_CPU] =
        {
            .topic = "telemetry.cpu",
            .label = "cpu",
            .type_name = "telemetry_cpu",
            .schema = ORIGIN "cpu_count u32, busy_permille u32, user_permille u32, "
                             "system_permille u32, iowait_permille u32, steal_permille u32, "
                             "busy_permille_of u16[64]",
            .bytes = sizeof(struct telemetry_cpu),
        },
    [TELEMETRY_MEMORY] =
        {
            .topic = "telemetry.memory",
            .label = "memory",
            .type_name = "telemetry_memory",
            .schema = ORIGIN "total_bytes u64, available_bytes u64, cached_bytes u64, "
                             "dirty_bytes u64, swap_total_bytes u64, swap_free_bytes u64",
            .bytes = sizeof(struct telemetry_memory),
        },
    [TELEMETRY_SYSTEM] =
        {
            .topic = "telemetry.system",
            .label = "system",
            .type_name = "telemetry_system",
            .schema = ORIGIN "uptime_ms u64, load_permille u32[3], processes u32, "
                             "context_switches_hz u64, interrupts_hz u64, "
                             "net_received_bytes_hz u64, net_sent_bytes_hz u64, "
                             "disk_read_bytes_hz u64, disk_written_bytes_hz u64",
            .bytes = sizeof(struct telemetry_system),
        },
};

uint64_t telemetry_schema_hash(const struct telemetry_type *type)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = type->schema; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return hash;
}
