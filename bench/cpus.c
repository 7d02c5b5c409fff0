/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/cpus.h"

#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* NULL if hwloc finds nothing. */
static hwloc_topology_t load(void)
{
    hwloc_topology_t topology;

    if (hwloc_topology_init(&topology) != 0)
        return NULL;
    if (hwloc_topology_load(topology) != 0) {
        hwloc_topology_destroy(topology);
        return NULL;
    }
    return topology;
}

static bool share(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t left,
                  hwloc_obj_t right)
{
    hwloc_obj_t of_left = hwloc_get_ancestor_obj_by_type(topology, type, left);

    return of_left != NULL && of_left == hwloc_get_ancestor_obj_by_type(topology, type, right);
}

/* The outermost cache of a CPU. */
static hwloc_obj_t last_cache(hwloc_obj_t cpu)
{
    hwloc_obj_t last = NULL;

    for (hwloc_obj_t above = cpu->parent; above != NULL; above = above->parent) {
        if (hwloc_obj_type_is_cache(above->type))
            last = above;
    }
    return last;
}

/* A cache that only one core has is no common one. */
static enum bench_distance distance_of(hwloc_topology_t topology, hwloc_obj_t left,
                                       hwloc_obj_t right)
{
    if (left == right)
        return BENCH_SAME_CPU;
    if (share(topology, HWLOC_OBJ_CORE, left, right))
        return BENCH_SMT_SIBLINGS;
    hwloc_obj_t cache = last_cache(left);
    if (cache != NULL && cache == last_cache(right))
        return BENCH_SAME_LLC;
    return hwloc_bitmap_isequal(left->nodeset, right->nodeset) ? BENCH_OTHER_LLC : BENCH_OTHER_NODE;
}

enum bench_distance bench_cpus_distance(const int cpus[2])
{
    hwloc_topology_t topology = load();
    enum bench_distance distance = cpus[0] == cpus[1] ? BENCH_SAME_CPU : BENCH_OTHER_LLC;

    if (topology == NULL)
        return distance;
    hwloc_obj_t left = hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpus[0]);
    hwloc_obj_t right = hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpus[1]);
    if (left != NULL && right != NULL)
        distance = distance_of(topology, left, right);
    hwloc_topology_destroy(topology);
    return distance;
}

const char *bench_distance_name(enum bench_distance distance)
{
    switch (distance) {
    case BENCH_SAME_CPU:
        return "one CPU: they take turns, the figures say little";
    case BENCH_SMT_SIBLINGS:
        return "SMT siblings";
    case BENCH_SAME_LLC:
        return "same LLC, two cores";
    case BENCH_OTHER_LLC:
        return "other LLC";
    case BENCH_OTHER_NODE:
        return "other NUMA node";
    }
    return "unknown";
}

/* Small is better. */
static int rank(enum bench_distance distance)
{
    switch (distance) {
    case BENCH_SAME_LLC:
        return 0;
    case BENCH_OTHER_LLC:
        return 1;
    case BENCH_OTHER_NODE:
        return 2;
    case BENCH_SMT_SIBLINGS:
        return 3;
    case BENCH_SAME_CPU:
        break;
    }
    return 4;
}

static bool is_allowed(const cpu_set_t *allowed, int cpu)
{
    return cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET((size_t)cpu, allowed);
}

/* Of all pairs that may be used, the first of the best rank. */
static void choose_pair(hwloc_topology_t topology, const cpu_set_t *allowed, int cpus[2])
{
    int count = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU), best = 5;

    for (int i = 0; i < count && best > 0; i++) {
        hwloc_obj_t left = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned)i);
        if (!is_allowed(allowed, (int)left->os_index))
            continue;
        for (int j = i; j < count && best > 0; j++) {
            hwloc_obj_t right = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned)j);
            if (!is_allowed(allowed, (int)right->os_index))
                continue;
            int found = rank(distance_of(topology, left, right));
            if (found < best) {
                best = found;
                cpus[0] = (int)left->os_index;
                cpus[1] = (int)right->os_index;
            }
        }
    }
}

/* Without hwloc's help: the first two. */
static void choose_first(const cpu_set_t *allowed, int cpus[2])
{
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus[1] < 0; cpu++) {
        if (is_allowed(allowed, cpu))
            cpus[cpus[0] < 0 ? 0 : 1] = cpu;
    }
    if (cpus[0] < 0)
        cpus[0] = 0;
    if (cpus[1] < 0)
        cpus[1] = cpus[0];
}

void bench_cpus_choose(int cpus[2])
{
    cpu_set_t allowed;

    if (cpus[0] >= 0 && cpus[1] >= 0)
        return;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_SET(0, &allowed);
    hwloc_topology_t topology = load();
    if (topology != NULL) {
        choose_pair(topology, &allowed, cpus);
        hwloc_topology_destroy(topology);
    }
    if (cpus[0] < 0 || cpus[1] < 0)
        choose_first(&allowed, cpus);
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
