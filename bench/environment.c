/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/environment.h"

#include "bench/built.h"
#include "bench/cpus.h"
#include "bench/hardware.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum { TEXT_BYTES = 1024 };

static void fact(struct bench_results *results, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fact(struct bench_results *results, const char *key, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bench_results_fact(results, key, text);
}

/* The first line of a file of the kernel's; false if there is none, or it is empty. */
static bool read_line(const char *path, char text[TEXT_BYTES])
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    bool is_read = fgets(text, TEXT_BYTES, file) != NULL;
    fclose(file);
    if (!is_read)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return text[0] != '\0';
}

/* The file's line as it is, or what its absence means. */
static void line_fact(struct bench_results *results, const char *key, const char *path,
                      const char *otherwise)
{
    char text[TEXT_BYTES];

    bench_results_fact(results, key, read_line(path, text) ? text : otherwise);
}

static void record_cpus(struct bench_results *results, const struct bench_run *run)
{
    enum bench_distance distance = bench_cpus_distance(run->cpus);

    fact(results, "cpus", "%d and %d: %s", run->cpus[0], run->cpus[1],
         bench_distance_name(distance));
    bench_hardware_record(results, run->cpus[0]);
    line_fact(results, "isolated CPUs", "/sys/devices/system/cpu/isolated", "none");
}

/* Who decides how fast the CPUs run; in virtual machines the host does, and says nothing. */
static void record_frequency(struct bench_results *results, int cpu)
{
    char path[96], text[TEXT_BYTES];

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
    line_fact(results, "governor", path, "none to be seen");
    if (read_line("/sys/devices/system/cpu/intel_pstate/no_turbo", text))
        fact(results, "turbo", "%s", text[0] == '0' ? "on" : "off");
    else if (read_line("/sys/devices/system/cpu/cpufreq/boost", text))
        fact(results, "turbo", "%s", text[0] == '1' ? "on" : "off");
    else
        fact(results, "turbo", "unknown");
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* "meltdown: Mitigation: PTI; ..." of those that the CPU is affected by. */
static void record_mitigations(struct bench_results *results)
{
    static const char folder_path[] = "/sys/devices/system/cpu/vulnerabilities";
    enum { NAMES_MAX = 64 };
    char *names[NAMES_MAX], all[4 * TEXT_BYTES] = "", path[512], text[TEXT_BYTES];
    size_t count = 0, used = 0;
    DIR *folder = opendir(folder_path);
    struct dirent *entry;

    if (folder == NULL) {
        bench_results_fact(results, "mitigations", "unknown");
        return;
    }
    while ((entry = readdir(folder)) != NULL && count < NAMES_MAX) {
        if (entry->d_name[0] != '.' && (names[count] = strdup(entry->d_name)) != NULL)
            count++;
    }
    closedir(folder);
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder_path, names[i]);
        if (read_line(path, text) && strcmp(text, "Not affected") != 0 && used < sizeof(all))
            used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s: %s",
                                     used == 0 ? "" : "; ", names[i], text);
        free(names[i]);
    }
    bench_results_fact(results, "mitigations", used == 0 ? "none needed" : all);
}

static void record_memory(struct bench_results *results)
{
    char text[TEXT_BYTES], line[256];
    unsigned long total_kib = 0, pages = 0, page_kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "MemTotal: %lu", &total_kib);
        (void)sscanf(line, "HugePages_Total: %lu", &pages);
        (void)sscanf(line, "Hugepagesize: %lu", &page_kib);
    }
    if (file != NULL)
        fclose(file);
    fact(results, "memory", "%.1f GiB", (double)total_kib / (1u << 20));
    bool has_thp = read_line("/sys/kernel/mm/transparent_hugepage/enabled", text);
    fact(results, "huge pages", "%lu of %lu KiB; transparent: %s", pages, page_kib,
         has_thp ? text : "no");
}

static void record_system(struct bench_results *results)
{
    struct utsname name;
    char text[TEXT_BYTES], line[256];
    FILE *file = fopen("/etc/os-release", "re");

    if (uname(&name) == 0)
        fact(results, "kernel", "%s %s %s", name.sysname, name.release, name.machine);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "PRETTY_NAME=\"%1000[^\"\n]", text) == 1)
            fact(results, "system", "%s", text);
    }
    if (file != NULL)
        fclose(file);
    line_fact(results, "clock source",
              "/sys/devices/system/clocksource/clocksource0/current_clocksource", "unknown");
}

static void record_load(struct bench_results *results, const char *key)
{
    double load[3];

    if (getloadavg(load, 3) == 3)
        fact(results, key, "%.2f %.2f %.2f", load[0], load[1], load[2]);
}

static void record_date(struct bench_results *results, const char *key)
{
    char text[64];
    time_t now = time(NULL);
    struct tm parts;

    if (gmtime_r(&now, &parts) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) > 0)
        bench_results_fact(results, key, text);
}

void bench_environment_record(struct bench_results *results, const struct bench_run *run)
{
    record_date(results, "date");
    fact(results, "version", "%s", bench_built_version);
    fact(results, "commit", "%s", bench_built_commit);
    fact(results, "compiler", "%s", bench_built_compiler);
    fact(results, "flags", "%s", bench_built_flags);
    record_cpus(results, run);
    record_frequency(results, run->cpus[0]);
    record_mitigations(results);
    record_memory(results);
    bench_hypervisor_record(results);
    record_system(results);
    fact(results, "bus", "%s", run->url);
    if (run->also_url != NULL)
        fact(results, "also bus", "%s", run->also_url);
    fact(results, "workers", "%s", run->threads ? "threads" : "processes");
    fact(results, "rounds", "%u, of %.0f %% of the length of a full run", run->rounds,
         run->scale * 100);
    if (run->delay_ns > 0)
        fact(results, "planted delay", "%u ns in each publish and push of Peal", run->delay_ns);
    record_load(results, "load before");
}

void bench_environment_finish(struct bench_results *results)
{
    record_load(results, "load after");
    record_date(results, "end");
}
