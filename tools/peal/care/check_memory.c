/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that regions are made of, and the limits on it. */
#include "tools/peal/care/doctor.h"
#include "tools/peal/kit/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define DEFAULT_OBJECT_BYTES ((UINT64_C(64) << 20) + 65536) /* a region of the default size */
#define DESCRIPTORS_OF_A_BUS 70u /* lock, FIFO, the FIFOs of 63 peers, and some more */

/* ---- the mount ---- */

struct mount {
    char type[32];
    char options[512];
};

/* The last line of /proc/self/mounts that is of /dev/shm. */
static bool find_mount(const struct host *host, struct mount *mount)
{
    const char *text = host_read(host, "/proc/self/mounts");
    bool found = false;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        char place[256], type[32], options[512];
        line += *line == '\n';
        if (sscanf(line, "%*s %255s %31s %511s", place, type, options) != 3 ||
            strcmp(place, "/dev/shm") != 0)
            continue;
        (void)snprintf(mount->type, sizeof(mount->type), "%s", type);
        (void)snprintf(mount->options, sizeof(mount->options), "%s", options);
        found = true;
    }
    return found;
}

/* The value of NAME=VALUE among options, or "" for a bare NAME; NULL: it is not there. */
static const char *option_of(const char *options, const char *name, char *value, size_t bytes)
{
    const size_t length = strlen(name);
    for (const char *at = options; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) != 0 || !strchr("=,", at[length]))
            continue;
        const char *begin = at + length + (at[length] == '=');
        (void)snprintf(value, bytes, "%.*s", (int)strcspn(begin, ","), begin);
        return value;
    }
    return NULL;
}

void check_shm(struct doctor *doctor)
{
    struct mount mount;
    struct stat folder;
    char value[64];
    if (!host_stat(&doctor->host, &folder, "/dev/shm") || !S_ISDIR(folder.st_mode)) {
        doctor_bad(doctor,
                   "sudo mkdir -m 1777 /dev/shm && sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm",
                   "there is no /dev/shm: posix: does not work");
        return;
    }
    if (!find_mount(&doctor->host, &mount))
        doctor_bad(doctor, "sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm",
                   "nothing is mounted at /dev/shm: regions would lie on a disk");
    else if (strcmp(mount.type, "tmpfs") != 0)
        doctor_bad(doctor, "sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm",
                   "/dev/shm is a %s and no tmpfs", mount.type);
    else if (option_of(mount.options, "ro", value, sizeof(value)))
        doctor_bad(doctor, "sudo mount -o remount,rw /dev/shm",
                   "/dev/shm is read-only: no region can be made");
    else if ((folder.st_mode & 0777) != 0777)
        doctor_bad(doctor, "sudo chmod 1777 /dev/shm",
                   "/dev/shm has mode %04o: not all users can make regions",
                   (unsigned)folder.st_mode & 07777u);
    else if ((folder.st_mode & S_ISVTX) == 0)
        doctor_bad(doctor, "sudo chmod 1777 /dev/shm",
                   "/dev/shm has mode %04o: each user can remove the regions of all others",
                   (unsigned)folder.st_mode & 07777u);
    else
        doctor_ok(doctor, "/dev/shm is a tmpfs that all may use");
}

/* ---- room ---- */

struct used {
    const struct host *host;
    uint64_t memory_bytes;   /* that all files there take */
    uint64_t promised_bytes; /* that regions may yet take */
    unsigned regions;
};

static void on_file(void *context, const char *name)
{
    struct used *used = context;
    struct stat file;
    char path[HOST_PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/dev/shm/%s", name);
    if (!host_stat(used->host, &file, path) || !S_ISREG(file.st_mode))
        return;
    const uint64_t memory_bytes = (uint64_t)file.st_blocks * 512u;
    used->memory_bytes += memory_bytes;
    if (strncmp(name, "peal.", 5) != 0)
        return;
    used->regions++;
    if ((uint64_t)file.st_size > memory_bytes)
        used->promised_bytes += (uint64_t)file.st_size - memory_bytes;
}

/* Of this machine the kernel says it; of a folder, mount options and files do. False: there is no limit. */
static bool space(const struct host *host, const struct used *used, uint64_t *total_bytes,
                  uint64_t *free_bytes)
{
    struct statvfs fs;
    struct mount mount;
    char value[64];
    if (host->root[0] == '\0') {
        if (statvfs("/dev/shm", &fs) != 0 || fs.f_blocks == 0)
            return false;
        *total_bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_frsize;
        *free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize;
        return true;
    }
    if (!find_mount(host, &mount) || !option_of(mount.options, "size", value, sizeof(value)) ||
        !units_read_bytes(value, total_bytes))
        return false;
    *free_bytes = *total_bytes > used->memory_bytes ? *total_bytes - used->memory_bytes : 0;
    return true;
}

void check_space(struct doctor *doctor)
{
    static const char remedy[] =
        "sudo mount -o remount,size=1G /dev/shm, in a container docker run --shm-size=1g; or make "
        "regions smaller (?size=4M), or see what peal clean finds";
    struct used used = {.host = &doctor->host};
    uint64_t total_bytes, free_bytes;
    struct units_text total, left, promised;
    (void)host_list(&doctor->host, "/dev/shm", on_file, &used);
    if (!space(&doctor->host, &used, &total_bytes, &free_bytes)) {
        doctor_ok(doctor, "/dev/shm has no limit of its own");
        return;
    }
    (void)units_bytes(&total, total_bytes);
    (void)units_bytes(&left, free_bytes);
    (void)units_bytes(&promised, used.promised_bytes);
    if (used.promised_bytes > free_bytes)
        doctor_bad(
            doctor, remedy,
            "the %u regions here may yet take %s, and /dev/shm has %s left of %s: who touches "
            "memory that is not there gets SIGBUS (prefault=1 reserves it)",
            used.regions, promised.text, left.text, total.text);
    else if (free_bytes < DEFAULT_OBJECT_BYTES)
        doctor_bad(doctor, remedy,
                   "/dev/shm has %s left of %s: a region of the default size, 64 MiB, does not fit",
                   left.text, total.text);
    else
        doctor_ok(doctor, "/dev/shm has %s left of %s; regions that are there may yet take %s",
                  left.text, total.text, promised.text);
}

/* ---- huge pages ---- */

void check_hugepages(struct doctor *doctor)
{
    struct mount mount = {.options = ""};
    char value[32] = "";
    const char *enabled =
        host_read(&doctor->host, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    if (!enabled) {
        doctor_ok(doctor, "this kernel has no huge pages for shared memory: huge=1 does nothing");
        return;
    }
    const bool is_denied = strstr(enabled, "[deny]") != NULL;
    const bool is_forced = strstr(enabled, "[force]") != NULL;
    (void)find_mount(&doctor->host, &mount);
    (void)option_of(mount.options, "huge", value, sizeof(value));
    const bool is_mounted = value[0] != '\0' && strcmp(value, "never") != 0;
    if (is_forced || (is_mounted && !is_denied))
        doctor_ok(doctor, "/dev/shm gives huge pages (%s)", is_forced ? "forced" : value);
    else if (is_denied)
        doctor_warn(doctor,
                    "echo never | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled && "
                    "sudo mount -o remount,huge=advise /dev/shm",
                    "huge pages are denied to shared memory: huge=1 does nothing");
    else
        doctor_warn(
            doctor, "sudo mount -o remount,huge=advise /dev/shm",
            "/dev/shm gives no huge pages: huge=1 does nothing. Large regions are slower to "
            "touch for it, and nothing else is amiss");
}

/* ---- limits ---- */

/* The soft limit of a line of /proc/self/limits; UINT64_MAX: none. */
static bool limit_of(const struct host *host, const char *name, uint64_t *limit)
{
    const char *text = host_read(host, "/proc/self/limits");
    const char *line = text ? strstr(text, name) : NULL;
    if (!line)
        return false;
    line += strlen(name) + strspn(line + strlen(name), " ");
    *limit = strncmp(line, "unlimited", 9) == 0 ? UINT64_MAX : strtoull(line, NULL, 10);
    return true;
}

#define CAP_IPC_LOCK_BIT 14

static bool may_lock_all(const struct host *host)
{
    char value[32];
    const char *status = host_read(host, "/proc/self/status");
    return status && host_field(status, "CapEff", value, sizeof(value)) &&
           (strtoull(value, NULL, 16) >> CAP_IPC_LOCK_BIT & 1u) != 0;
}

void check_memlock(struct doctor *doctor)
{
    uint64_t limit;
    struct units_text text;
    if (!limit_of(&doctor->host, "Max locked memory", &limit))
        doctor_ok(doctor, "how much memory may be locked cannot be read");
    else if (limit == UINT64_MAX || limit >= DEFAULT_OBJECT_BYTES)
        doctor_ok(doctor, "%s of memory may be locked (mlock=1)",
                  limit == UINT64_MAX ? "any amount" : units_bytes(&text, limit));
    else if (may_lock_all(&doctor->host))
        doctor_ok(doctor, "memory may be locked (mlock=1), by CAP_IPC_LOCK");
    else
        doctor_warn(
            doctor,
            "ulimit -l unlimited, where that is allowed: LimitMEMLOCK=infinity in a unit, or "
            "memlock in /etc/security/limits.conf",
            "only %s of memory may be locked: mlock=1 fails for a region of the default "
            "size, 64 MiB",
            units_bytes(&text, limit));
}

void check_nofile(struct doctor *doctor)
{
    uint64_t limit;
    if (!limit_of(&doctor->host, "Max open files", &limit))
        doctor_ok(doctor, "how many files may be open cannot be read");
    else if (limit < DESCRIPTORS_OF_A_BUS)
        doctor_bad(doctor, "ulimit -n 1024",
                   "only %" PRIu64 " files may be open: a bus may need %u", limit,
                   DESCRIPTORS_OF_A_BUS);
    else if (limit < 4 * DESCRIPTORS_OF_A_BUS)
        doctor_warn(doctor, "ulimit -n 1024",
                    "only %" PRIu64 " files may be open, and a bus with many clients that wait by "
                    "descriptors needs %u",
                    limit, DESCRIPTORS_OF_A_BUS);
    else if (limit == UINT64_MAX)
        doctor_ok(doctor, "any number of files may be open");
    else
        doctor_ok(doctor, "%" PRIu64 " files may be open", limit);
}
