/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of this machine, from /proc. */
#ifndef EXAMPLES_TELEMETRY_MACHINE_H
#define EXAMPLES_TELEMETRY_MACHINE_H

#include "telemetry/messages.h"

/* Ticks of the clock since boot, as /proc/stat counts them. */
struct machine_cpu_ticks {
    uint64_t all;
    uint64_t user;
    uint64_t system;
    uint64_t iowait;
    uint64_t steal;
    uint64_t busy;
};

/* Everything that only grows; rates come from the difference of two of these. */
struct machine_counters {
    uint64_t time_ns; /* since boot */
    uint32_t cpu_count;
    struct machine_cpu_ticks all_cpus;
    struct machine_cpu_ticks cpus[TELEMETRY_CPUS_MAX];
    uint64_t context_switches;
    uint64_t interrupts;
    uint64_t net_received_bytes;
    uint64_t net_sent_bytes;
    uint64_t disk_read_bytes;
    uint64_t disk_written_bytes;
};

/*
 * Rates are taken over a quarter of a second at least, however often one asks: /proc counts CPU time
 * in ticks of 10 ms. Until the first window is over they are averages since boot.
 */
struct machine {
    struct machine_counters from;
    struct machine_counters to;
};

/* Starts the first window. */
void machine_init(struct machine *machine);

/* Fills everything of the messages but their origin. A file that /proc does not have reads as 0. */
void machine_read(struct machine *machine, struct telemetry_cpu *cpu,
                  struct telemetry_memory *memory, struct telemetry_system *system);

#endif
