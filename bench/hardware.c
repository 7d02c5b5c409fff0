/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hardware.h"

#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { TEXT_BYTES = 512 };

/* The value behind "key\t: " in /proc/cpuinfo. */
static bool cpuinfo(const char *key, char value[TEXT_BYTES])
{
    char line[4096];
    bool is_found = false;
    FILE *file = fopen("/proc/cpuinfo", "re");

    while (file != NULL && !is_found && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');
        size_t length = strlen(key);
        if (colon == NULL || strncmp(line, key, length) != 0 ||
            (line[length] != '\t' && line[length] != ' ' && line[length] != ':'))
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(value, TEXT_BYTES, "%.*s", TEXT_BYTES - 1,
                 colon[1] == ' ' ? colon + 2 : colon + 1);
        is_found = true;
    }
    if (file != NULL)
        fclose(file);
    return is_found;
}

static void record_model(struct bench_results *results)
{
    char model[TEXT_BYTES] = "unknown", family[TEXT_BYTES], number[TEXT_BYTES],
         stepping[TEXT_BYTES], microcode[TEXT_BYTES], text[5 * TEXT_BYTES];

    (void)(cpuinfo("model name", model) || cpuinfo("Processor", model) ||
           cpuinfo("CPU part", model));
    if (cpuinfo("cpu family", family) && cpuinfo("model", number) && cpuinfo("stepping", stepping))
        snprintf(text, sizeof(text), "%s (family %s, model %s, stepping %s)", model, family, number,
                 stepping);
    else
        snprintf(text, sizeof(text), "%s", model);
    bench_results_fact(results, "cpu", text);
    if (cpuinfo("microcode", microcode))
        bench_results_fact(results, "microcode", microcode);
}

/* "L1d 48 KiB of 1 CPU, L2 2048 KiB of 1, L3 32 MiB of 2". */
static void record_caches(struct bench_results *results, hwloc_topology_t topology, hwloc_obj_t cpu)
{
    char text[TEXT_BYTES] = "";
    size_t used = 0;

    for (hwloc_obj_t above = cpu->parent; above != NULL; above = above->parent) {
        if (!hwloc_obj_type_is_cache(above->type) || used >= sizeof(text))
            continue;
        int sharers = hwloc_bitmap_weight(above->cpuset);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%sL%u%s %llu KiB for %d CPU%s",
                                 used == 0 ? "" : ", ", above->attr->cache.depth,
                                 above->attr->cache.type == HWLOC_OBJ_CACHE_DATA ? "d" : "",
                                 (unsigned long long)above->attr->cache.size / 1024, sharers,
                                 sharers == 1 ? "" : "s");
    }
    int icache_depth = hwloc_get_type_depth(topology, HWLOC_OBJ_L1ICACHE);
    hwloc_obj_t icache =
        icache_depth >= 0 ? hwloc_get_ancestor_obj_by_depth(topology, icache_depth, cpu) : NULL;
    if (icache != NULL && used < sizeof(text))
        snprintf(text + used, sizeof(text) - used, ", L1i %llu KiB",
                 (unsigned long long)icache->attr->cache.size / 1024);
    bench_results_fact(results, "caches", text[0] != '\0' ? text : "unknown");
}

static void record_topology(struct bench_results *results, int cpu)
{
    hwloc_topology_t topology;
    char text[TEXT_BYTES];

    if (hwloc_topology_init(&topology) != 0)
        return;
    (void)hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(topology) == 0) {
        snprintf(text, sizeof(text), "%d CPUs, %d cores, %d packages, %d NUMA nodes",
                 hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU),
                 hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE),
                 hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE),
                 hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE));
        bench_results_fact(results, "topology", text);
        hwloc_obj_t here = hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpu);
        if (here != NULL)
            record_caches(results, topology, here);
    }
    hwloc_topology_destroy(topology);
}

void bench_hardware_record(struct bench_results *results, int cpu)
{
    record_model(results);
    record_topology(results, cpu);
}

static bool read_word(const char *path, char *text, size_t size_bytes)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    bool is_read = fgets(text, (int)size_bytes, file) != NULL;
    fclose(file);
    if (is_read)
        text[strcspn(text, "\n")] = '\0';
    return is_read;
}

/* What the hypervisor calls itself: "KVMKVMKVM", "VMwareVMware"; false on bare metal. */
static bool cpuid_signature(char signature[13])
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned eax, ebx, ecx, edx;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & 1u << 31) == 0)
        return false;
    __cpuid(0x40000000, eax, ebx, ecx, edx);
    memcpy(signature, &ebx, 4);
    memcpy(signature + 4, &ecx, 4);
    memcpy(signature + 8, &edx, 4);
    signature[12] = '\0';
    if (signature[0] == '\0')
        memcpy(signature, "unnamed", 8);
    return true;
#else
    (void)signature;
    return false;
#endif
}

void bench_hypervisor_record(struct bench_results *results)
{
    char signature[13], text[TEXT_BYTES], word[128];
    size_t used;

    if (cpuid_signature(signature))
        used = (size_t)snprintf(text, sizeof(text), "%s (cpuid)", signature);
    else
        used = (size_t)snprintf(text, sizeof(text), "none to be seen");
    if (read_word("/sys/hypervisor/type", word, sizeof(word)))
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", %s (/sys/hypervisor)", word);
    if (read_word("/sys/class/dmi/id/sys_vendor", word, sizeof(word)))
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", machine of %s", word);
    if (read_word("/sys/class/dmi/id/product_name", word, sizeof(word)))
        (void)snprintf(text + used, sizeof(text) - used, " %s", word);
    bench_results_fact(results, "hypervisor", text);
    if (access("/.dockerenv", F_OK) == 0)
        bench_results_fact(results, "container", "docker");
    else if (read_word("/run/systemd/container", word, sizeof(word)))
        bench_results_fact(results, "container", word);
}
