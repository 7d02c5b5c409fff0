/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_CHARACTERS 20
#define CPUS_SHOWN 8

/* 1536 -> "1.5 KiB" */
static const char *size_format(uint64_t bytes, char text[16])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(text, 16, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

static void bar_format(uint32_t permille, char bar[BAR_CHARACTERS + 1])
{
    uint32_t filled = (permille < 1000 ? permille : 1000) * BAR_CHARACTERS / 1000;
    memset(bar, '-', BAR_CHARACTERS);
    memset(bar, '#', filled);
    bar[BAR_CHARACTERS] = '\0';
}

static void cpu_format(const struct telemetry_cpu *cpu, char *text, size_t text_bytes)
{
    char bar[BAR_CHARACTERS + 1], each[CPUS_SHOWN * 16] = "";
    uint32_t shown = cpu->cpu_count < CPUS_SHOWN ? cpu->cpu_count : CPUS_SHOWN;
    size_t length = 0;
    for (uint32_t i = 0; i < shown; i++)
        length += (size_t)snprintf(each + length, sizeof each - length, " %3u%%",
                                   cpu->busy_permille_of[i] / 10u);
    bar_format(cpu->busy_permille, bar);
    snprintf(text, text_bytes, "[%s] %4.1f%% busy, per CPU%s%s", bar,
             (double)cpu->busy_permille / 10.0, each, cpu->cpu_count > shown ? " ..." : "");
}

static void memory_format(const struct telemetry_memory *memory, char *text, size_t text_bytes)
{
    char bar[BAR_CHARACTERS + 1], used[16], total[16], cached[16];
    uint64_t used_bytes = memory->available_bytes < memory->total_bytes
                              ? memory->total_bytes - memory->available_bytes
                              : 0;
    double part = memory->total_bytes > 0 ? (double)used_bytes / (double)memory->total_bytes : 0;
    bar_format((uint32_t)(part * 1000), bar);
    snprintf(text, text_bytes, "[%s] %s of %s used, %s cached", bar, size_format(used_bytes, used),
             size_format(memory->total_bytes, total), size_format(memory->cached_bytes, cached));
}

static void system_format(const struct telemetry_system *system, char *text, size_t text_bytes)
{
    char received[16], sent[16], read[16], written[16];
    uint64_t uptime_s = system->uptime_ms / 1000;
    snprintf(
        text, text_bytes,
        "load %.2f, %" PRIu64 " switches/s, net %s/s in %s/s out, disk %s/s read %s/s written, "
        "%" PRIu32 " tasks, up %" PRIu64 ":%02u:%02u",
        (double)system->load_permille[0] / 1000.0, system->context_switches_hz,
        size_format(system->net_received_bytes_hz, received),
        size_format(system->net_sent_bytes_hz, sent), size_format(system->disk_read_bytes_hz, read),
        size_format(system->disk_written_bytes_hz, written), system->processes, uptime_s / 3600,
        (unsigned)(uptime_s / 60 % 60), (unsigned)(uptime_s % 60));
}

void values_format(enum telemetry_kind kind, const union telemetry_message *message, char *text,
                   size_t text_bytes)
{
    switch (kind) {
    case TELEMETRY_CPU:
        cpu_format(&message->cpu, text, text_bytes);
        break;
    case TELEMETRY_MEMORY:
        memory_format(&message->memory, text, text_bytes);
        break;
    case TELEMETRY_SYSTEM:
        system_format(&message->system, text, text_bytes);
        break;
    case TELEMETRY_KINDS:
        text[0] = '\0';
        break;
    }
}
