/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* What the kernel says under /sys of a CPU's place, -1 if nothing. */
static int read_topology(int cpu, const char *item)
{
    char path[96];
    int value = -1;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, item);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%d", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

/* Two threads of one core share its caches: their line does not travel. */
static bool same_core(int left, int right)
{
    int core = read_topology(left, "core_id");

    return core >= 0 && core == read_topology(right, "core_id") &&
           read_topology(left, "physical_package_id") ==
               read_topology(right, "physical_package_id");
}

void bench_cpus_choose(int cpus[2])
{
    cpu_set_t allowed;
    int sibling = -1;

    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_SET(0, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus[1] < 0; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        if (cpus[0] < 0)
            cpus[0] = cpu;
        else if (cpu != cpus[0] && !same_core(cpu, cpus[0]))
            cpus[1] = cpu;
        else if (cpu != cpus[0] && sibling < 0)
            sibling = cpu;
    }
    if (cpus[1] < 0)
        cpus[1] = sibling >= 0 ? sibling : cpus[0];
}

bool bench_cpus_parse(const char *text, int cpus[2])
{
    char *end;
    long first = strtol(text, &end, 10);

    if (end == text || *end != ',')
        return false;
    const char *rest = end + 1;
    long second = strtol(rest, &end, 10);
    if (end == rest || *end != '\0' || first < 0 || second < 0 || first == second ||
        first >= CPU_SETSIZE || second >= CPU_SETSIZE)
        return false;
    cpus[0] = (int)first;
    cpus[1] = (int)second;
    return true;
}

bool bench_cpu_bind(int cpu)
{
    cpu_set_t only;

    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    return sched_setaffinity(0, sizeof only, &only) == 0;
}
