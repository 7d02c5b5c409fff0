/* SPDX-License-Identifier: Apache-2.0 */
/* Is there a CPU for each end of a bus, and does it run as fast as it could? */
#include "tools/peal/care/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU "/sys/devices/system/cpu"
#define CPUS_MAX 4096u

/* ---- cores ---- */

/* "Cpus_allowed_list" of this process, or all that are online. */
static bool allowed_cpus(const struct host *host, char *list, size_t bytes)
{
    const char *text = host_read(host, "/proc/self/status");
    if (text && host_field(text, "Cpus_allowed_list", list, bytes))
        return true;
    text = host_read(host, CPU "/online");
    return text && snprintf(list, bytes, "%s", text) < (int)bytes;
}

/* How many cores the CPUs are of: each counts by the first of its siblings that is allowed. */
static unsigned count_cores(const struct host *host, const char *list)
{
    unsigned cores = 0;
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!host_has_cpu(list, cpu))
            continue;
        const char *siblings = host_read(host, CPU "/cpu%u/topology/thread_siblings_list", cpu);
        bool is_first = true;
        for (unsigned other = 0; siblings && other < cpu; other++)
            if (host_has_cpu(list, other) && host_has_cpu(siblings, other))
                is_first = false;
        cores += is_first;
    }
    return cores;
}

void check_cores(struct doctor *doctor)
{
    char list[4096];
    if (!allowed_cpus(&doctor->host, list, sizeof(list)) || host_cpus(list) == 0) {
        doctor_ok(doctor, "the CPUs of this process cannot be read");
        return;
    }
    const char *online = host_read(&doctor->host, CPU "/online");
    const unsigned all = online ? host_cpus(online) : 0;
    const unsigned cpus = host_cpus(list);
    const unsigned cores = count_cores(&doctor->host, list);
    if (cpus == 1)
        doctor_warn(doctor,
                    all > 1 ? "taskset -a -c -p 0-$(($(nproc --all) - 1)) $$, or AllowedCPUs= of "
                              "the unit; else set spin_ns to 1"
                            : "set spin_ns to 1 in the options of your buses; or give this machine "
                              "another CPU",
                    "one CPU of %u is ours: a waiter that polls takes the time of the one whom it "
                    "waits for",
                    all > 0 ? all : 1);
    else if (cores == 1)
        doctor_warn(doctor, "give this machine a second core, or set spin_ns to 1",
                    "the %u CPUs that are ours are of one core: two that poll slow each other down",
                    cpus);
    else
        doctor_ok(doctor, "%u CPUs of %u are ours, of %u cores", cpus, all > 0 ? all : cpus, cores);
}

/* ---- quota ---- */

/* The path of a controller in /proc/self/cgroup; "" is that of version 2. */
static bool cgroup_of(const struct host *host, const char *controller, char *path, size_t bytes)
{
    const char *text = host_read(host, "/proc/self/cgroup");
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *names = strchr(line, ':');
        const char *end = names ? strchr(names + 1, ':') : NULL;
        if (!end)
            continue;
        const size_t length = (size_t)(end - names - 1);
        const size_t wanted = strlen(controller);
        bool is_it = length == wanted && strncmp(names + 1, controller, length) == 0;
        if (!is_it && wanted > 0 && length > wanted) /* "cpu,cpuacct" */
            is_it = strncmp(names + 1, controller, wanted) == 0 && names[1 + wanted] == ',';
        if (!is_it)
            continue;
        (void)snprintf(path, bytes, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
        return true;
    }
    return false;
}

/* CPUs by "QUOTA PERIOD" of a group; negative: no limit. */
static double quota_here(const struct host *host, const char *folder)
{
    long long quota, period;
    const char *text = host_read(host, "%s/cpu.max", folder);
    if (text)
        return sscanf(text, "%lld %lld", &quota, &period) == 2 && period > 0 && quota > 0
                   ? (double)quota / (double)period
                   : -1;
    text = host_read(host, "%s/cpu.cfs_quota_us", folder);
    if (!text || (quota = strtoll(text, NULL, 10)) <= 0)
        return -1;
    text = host_read(host, "%s/cpu.cfs_period_us", folder);
    period = text ? strtoll(text, NULL, 10) : 0;
    return period > 0 ? (double)quota / (double)period : -1;
}

/* The tightest of a group and those above it. */
static double quota_of(const struct host *host, const char *mount, const char *group)
{
    char folder[HOST_PATH_BYTES];
    double least = -1;
    (void)snprintf(folder, sizeof(folder), "%s%s", mount, group);
    for (unsigned depth = 0; depth < 64; depth++) {
        const double quota = quota_here(host, folder);
        if (quota > 0 && (least < 0 || quota < least))
            least = quota;
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < strlen(mount))
            break;
        *slash = '\0';
    }
    return least;
}

void check_quota(struct doctor *doctor)
{
    char group[512];
    double quota = -1;
    if (cgroup_of(&doctor->host, "", group, sizeof(group)))
        quota = quota_of(&doctor->host, "/sys/fs/cgroup", group);
    if (quota < 0 && cgroup_of(&doctor->host, "cpu", group, sizeof(group)))
        quota = quota_of(&doctor->host, "/sys/fs/cgroup/cpu", group);
    if (quota < 0)
        doctor_ok(doctor, "no control group limits our time");
    else if (quota < 2)
        doctor_warn(
            doctor,
            "systemctl set-property UNIT CPUQuota=, or docker update --cpus=2 CONTAINER; "
            "else set spin_ns to 1",
            "a control group gives us the time of %.2f CPUs: who polls uses it up, and then "
            "all of us stand still until the period ends",
            quota);
    else
        doctor_ok(doctor, "a control group gives us the time of %.2f CPUs", quota);
}

/* ---- clock rate ---- */

struct governors {
    const struct host *host;
    unsigned slow;
    char first[64];
};

static void on_cpu(void *context, const char *name)
{
    struct governors *governors = context;
    if (strncmp(name, "cpu", 3) != 0 || name[3] < '0' || name[3] > '9')
        return;
    const char *text = host_read(governors->host, CPU "/%.64s/cpufreq/scaling_governor", name);
    if (!text || strcmp(text, "performance") == 0)
        return;
    if (governors->slow++ == 0)
        (void)snprintf(governors->first, sizeof(governors->first), "%.63s", text);
}

void check_governor(struct doctor *doctor)
{
    struct governors governors = {.host = &doctor->host};
    (void)host_list(&doctor->host, CPU, on_cpu, &governors);
    if (governors.slow == 0)
        doctor_ok(doctor, "no CPU is slowed down by its governor, as far as can be seen");
    else
        doctor_warn(doctor, "sudo cpupower frequency-set -g performance",
                    "%u CPU%s under the governor %s: a wake-up may meet a CPU that has slowed down",
                    governors.slow, governors.slow == 1 ? " is" : "s are", governors.first);
}

/* ---- the clock ---- */

#define CLOCK "/sys/devices/system/clocksource/clocksource0"

void check_clocksource(struct doctor *doctor)
{
    static const char *const fast[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
                                       "arch_sys_counter"};
    char current[64];
    const char *text = host_read(&doctor->host, CLOCK "/current_clocksource");
    if (!text) {
        doctor_ok(doctor, "which clock the kernel uses cannot be read");
        return;
    }
    (void)snprintf(current, sizeof(current), "%.63s", text);
    for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++) {
        if (strcmp(current, fast[i]) == 0) {
            doctor_ok(doctor, "the clock is %s, which is read without a system call", current);
            return;
        }
    }
    text = host_read(&doctor->host, CLOCK "/available_clocksource");
    doctor_warn(doctor,
                text && strstr(text, "tsc")
                    ? "echo tsc | sudo tee " CLOCK "/current_clocksource"
                    : "boot with clocksource=tsc tsc=reliable, if the machine's counter is sound",
                "the clock is %s: each timestamp, and each look at a deadline, is a system call",
                current);
}

/* ---- isolated CPUs ---- */

void check_isolated(struct doctor *doctor)
{
    const char *text = host_read(&doctor->host, CPU "/isolated");
    if (!text || host_cpus(text) == 0)
        doctor_ok(doctor, "no CPU is isolated");
    else
        doctor_warn(doctor, "set always_fence in the options of all buses of the threads there",
                    "CPUs %.64s are isolated: publishers that run there are interrupted each time "
                    "that a waiter falls asleep (membarrier)",
                    text);
}
