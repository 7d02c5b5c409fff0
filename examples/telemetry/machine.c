/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW_NS UINT64_C(250000000)
#define NS_PER_S UINT64_C(1000000000)
#define SECTOR_BYTES 512 /* the unit of /proc/diskstats, whatever the disk has */

static uint64_t time_since_boot_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Calls line(text, to) for each line of a file; a line longer than the buffer comes cut. */
static void lines_read(const char *path, void (*line)(const char *text, void *to), void *to)
{
    char text[512];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fgets(text, sizeof text, file) != NULL) {
        line(text, to);
        while (strchr(text, '\n') == NULL && fgets(text, sizeof text, file) != NULL)
            ; /* the rest of a long line */
    }
    fclose(file);
}

static void cpu_ticks_parse(const char *text, struct machine_cpu_ticks *ticks)
{
    uint64_t t[8] = {0}; /* user nice system idle iowait irq softirq steal */
    sscanf(text,
           "%*s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
           " %" SCNu64,
           &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
    ticks->user = t[0] + t[1];
    ticks->system = t[2] + t[5] + t[6];
    ticks->iowait = t[4];
    ticks->steal = t[7];
    ticks->busy = ticks->user + ticks->system + ticks->steal;
    ticks->all = ticks->busy + t[3] + t[4];
}

static void stat_line(const char *text, void *to)
{
    struct machine_counters *counters = to;
    if (strncmp(text, "cpu ", 4) == 0) {
        cpu_ticks_parse(text, &counters->all_cpus);
    } else if (strncmp(text, "cpu", 3) == 0) {
        if (counters->cpu_count < TELEMETRY_CPUS_MAX)
            cpu_ticks_parse(text, &counters->cpus[counters->cpu_count++]);
    } else {
        sscanf(text, "ctxt %" SCNu64, &counters->context_switches);
        sscanf(text, "intr %" SCNu64, &counters->interrupts);
    }
}

static void net_line(const char *text, void *to)
{
    struct machine_counters *counters = to;
    char name[32];
    uint64_t received, sent;
    int fields = sscanf(text, " %31[^: ]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name,
                        &received, &sent);
    if (fields != 3 || strcmp(name, "lo") == 0)
        return;
    counters->net_received_bytes += received;
    counters->net_sent_bytes += sent;
}

/* Whole disks have a folder in /sys/block, partitions have not; what is stacked on disks counts
 * only once. */
static int is_disk(const char *name)
{
    static const char *const stacked[] = {"loop", "ram", "zram", "dm-", "md"};
    char path[64];
    for (size_t i = 0; i < sizeof stacked / sizeof stacked[0]; i++)
        if (strncmp(name, stacked[i], strlen(stacked[i])) == 0)
            return 0;
    snprintf(path, sizeof path, "/sys/block/%s/stat", name);
    FILE *file = fopen(path, "re");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static void disk_line(const char *text, void *to)
{
    struct machine_counters *counters = to;
    char name[32];
    uint64_t read, written;
    int fields = sscanf(text, " %*u %*u %31s %*u %*u %" SCNu64 " %*u %*u %*u %" SCNu64, name, &read,
                        &written);
    if (fields != 3 || read + written == 0 || !is_disk(name))
        return;
    counters->disk_read_bytes += read * SECTOR_BYTES;
    counters->disk_written_bytes += written * SECTOR_BYTES;
}

static void counters_read(struct machine_counters *counters)
{
    memset(counters, 0, sizeof *counters);
    counters->time_ns = time_since_boot_ns();
    lines_read("/proc/stat", stat_line, counters);
    lines_read("/proc/net/dev", net_line, counters);
    lines_read("/proc/diskstats", disk_line, counters);
}

void machine_init(struct machine *machine)
{
    memset(&machine->from, 0, sizeof machine->from);
    counters_read(&machine->to);
}

static uint32_t permille(uint64_t from, uint64_t to, uint64_t all_from, uint64_t all_to)
{
    if (to <= from || all_to <= all_from)
        return 0;
    uint64_t part = (to - from) * 1000 / (all_to - all_from);
    return part < 1000 ? (uint32_t)part : 1000;
}

/* A counter may step back when a device goes; that is no rate. */
static uint64_t rate_hz(uint64_t from, uint64_t to, uint64_t time_ns)
{
    return to > from && time_ns > 0 ? (uint64_t)((double)(to - from) * 1e9 / (double)time_ns) : 0;
}

static void cpu_fill(const struct machine *machine, struct telemetry_cpu *cpu)
{
    const struct machine_cpu_ticks *a = &machine->from.all_cpus, *b = &machine->to.all_cpus;
    cpu->busy_permille = permille(a->busy, b->busy, a->all, b->all);
    cpu->user_permille = permille(a->user, b->user, a->all, b->all);
    cpu->system_permille = permille(a->system, b->system, a->all, b->all);
    cpu->iowait_permille = permille(a->iowait, b->iowait, a->all, b->all);
    cpu->steal_permille = permille(a->steal, b->steal, a->all, b->all);
    cpu->cpu_count = machine->to.cpu_count;
    for (uint32_t i = 0; i < cpu->cpu_count; i++) {
        a = &machine->from.cpus[i];
        b = &machine->to.cpus[i];
        cpu->busy_permille_of[i] = (uint16_t)permille(a->busy, b->busy, a->all, b->all);
    }
}

static void memory_line(const char *text, void *to)
{
    struct telemetry_memory *memory = to;
    char name[32];
    uint64_t kib;
    if (sscanf(text, "%31[^:]: %" SCNu64, name, &kib) != 2)
        return;
    uint64_t bytes = kib * 1024;
    if (strcmp(name, "MemTotal") == 0)
        memory->total_bytes = bytes;
    else if (strcmp(name, "MemAvailable") == 0)
        memory->available_bytes = bytes;
    else if (strcmp(name, "Cached") == 0)
        memory->cached_bytes = bytes;
    else if (strcmp(name, "Dirty") == 0)
        memory->dirty_bytes = bytes;
    else if (strcmp(name, "SwapTotal") == 0)
        memory->swap_total_bytes = bytes;
    else if (strcmp(name, "SwapFree") == 0)
        memory->swap_free_bytes = bytes;
}

static void load_line(const char *text, void *to)
{
    struct telemetry_system *system = to;
    double load[3];
    uint32_t processes;
    if (sscanf(text, "%lf %lf %lf %*u/%" SCNu32, &load[0], &load[1], &load[2], &processes) != 4)
        return;
    for (size_t i = 0; i < 3; i++)
        system->load_permille[i] = (uint32_t)(load[i] * 1000.0);
    system->processes = processes;
}

static void system_fill(const struct machine *machine, struct telemetry_system *system)
{
    const struct machine_counters *a = &machine->from, *b = &machine->to;
    uint64_t time_ns = b->time_ns - a->time_ns;
    system->uptime_ms = time_since_boot_ns() / 1000000;
    system->context_switches_hz = rate_hz(a->context_switches, b->context_switches, time_ns);
    system->interrupts_hz = rate_hz(a->interrupts, b->interrupts, time_ns);
    system->net_received_bytes_hz = rate_hz(a->net_received_bytes, b->net_received_bytes, time_ns);
    system->net_sent_bytes_hz = rate_hz(a->net_sent_bytes, b->net_sent_bytes, time_ns);
    system->disk_read_bytes_hz = rate_hz(a->disk_read_bytes, b->disk_read_bytes, time_ns);
    system->disk_written_bytes_hz = rate_hz(a->disk_written_bytes, b->disk_written_bytes, time_ns);
    lines_read("/proc/loadavg", load_line, system);
}

void machine_read(struct machine *machine, struct telemetry_cpu *cpu,
                  struct telemetry_memory *memory, struct telemetry_system *system)
{
    if (time_since_boot_ns() - machine->to.time_ns >= WINDOW_NS) {
        machine->from = machine->to;
        counters_read(&machine->to);
    }
    cpu_fill(machine, cpu);
    lines_read("/proc/meminfo", memory_line, memory);
    system_fill(machine, system);
}
