/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as its files show it. All paths are looked up below `root`, which is "" for this machine: so a folder can stand
 * for a machine, in tests and for looking at what was copied from another.
 */
#ifndef PEAL_TOOLS_PEAL_CARE_HOST_H
#define PEAL_TOOLS_PEAL_CARE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define HOST_PATH_BYTES 1024
#define HOST_TEXT_BYTES 65536
#define HOST_ENTRIES_MAX 4096u

struct host {
    const char *root; /* without a slash at the end; "": this machine */
};

/* Where a path of the host really is. Answers `path`. */
const char *host_path(const struct host *host, char path[HOST_PATH_BYTES], const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads a file, at most HOST_TEXT_BYTES - 1 of it, without the last line end. The text stays valid until the next call. NULL:
 * there is none, or it may not be read. */
const char *host_read(const struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool host_exists(const struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool host_stat(const struct host *host, struct stat *status, const char *path);

/* Calls `found` with each entry's name, in order of names. False: there is no such folder. */
bool host_list(const struct host *host, const char *folder,
               void (*found)(void *context, const char *name), void *context);

/* The value of a line "KEY: value" or "KEY value", as /proc has them, cut out into `value`. */
bool host_field(const char *text, const char *key, char *value, size_t bytes);

/* ---- who asks ---- */

struct host_user {
    uint32_t id;
    uint32_t group;
    char name[64]; /* "" if he has none */
};

/* By /proc/self/status and /etc/passwd. */
struct host_user host_user(const struct host *host);

/* Is he in that group, by /proc/self/status? */
bool host_in_group(const struct host *host, uint32_t group);

/* Of a file with these rights: may he read and write it? */
bool host_may_use(const struct host *host, const struct stat *file);

/* How many CPUs a list such as "0-3,8" names; 0: it is none. */
unsigned host_cpus(const char *list);

/* Is this CPU in it? */
bool host_has_cpu(const char *list, unsigned cpu);

#endif
