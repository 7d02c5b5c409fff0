/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/host.h"

#include "tools/peal/kit/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

static void place(const struct host *host, char path[HOST_PATH_BYTES], const char *format,
                  va_list arguments)
{
    const int used = snprintf(path, HOST_PATH_BYTES, "%s", host->root);
    if (used >= 0 && used < HOST_PATH_BYTES)
        (void)vsnprintf(path + used, HOST_PATH_BYTES - (size_t)used, format, arguments);
}

const char *host_path(const struct host *host, char path[HOST_PATH_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    place(host, path, format, arguments);
    va_end(arguments);
    return path;
}

static const char *read_path(const char *path)
{
    static char text[HOST_TEXT_BYTES];
    size_t used = 0;
    ssize_t got = 0;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return NULL;
    while (used < sizeof(text) - 1 &&
           (got = read(descriptor, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)got;
    (void)close(descriptor);
    if (got < 0)
        return NULL;
    for (size_t i = 0; i < used; i++) /* the device tree has texts with zeros between */
        if (text[i] == '\0')
            text[i] = ' ';
    while (used > 0 && isspace((unsigned char)text[used - 1]))
        used--;
    text[used] = '\0';
    return text;
}

const char *host_read(const struct host *host, const char *format, ...)
{
    char path[HOST_PATH_BYTES];
    va_list arguments;
    va_start(arguments, format);
    place(host, path, format, arguments);
    va_end(arguments);
    return read_path(path);
}

bool host_exists(const struct host *host, const char *format, ...)
{
    char path[HOST_PATH_BYTES];
    struct stat status;
    va_list arguments;
    va_start(arguments, format);
    place(host, path, format, arguments);
    va_end(arguments);
    return lstat(path, &status) == 0;
}

bool host_stat(const struct host *host, struct stat *status, const char *path)
{
    char real[HOST_PATH_BYTES];
    return stat(host_path(host, real, "%s", path), status) == 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool host_list(const struct host *host, const char *folder,
               void (*found)(void *context, const char *name), void *context)
{
    char path[HOST_PATH_BYTES];
    char **names = NULL;
    size_t count = 0, room = 0;
    DIR *directory = opendir(host_path(host, path, "%s", folder));
    const struct dirent *entry;
    if (!directory)
        return false;
    while (count < HOST_ENTRIES_MAX && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        names = memory_room(names, count, &room, sizeof(*names));
        names[count++] = memory_text("%s", entry->d_name);
    }
    (void)closedir(directory);
    if (count > 0)
        qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 0; i < count; i++) {
        found(context, names[i]);
        free(names[i]);
    }
    free(names);
    return true;
}

bool host_field(const char *text, const char *key, char *value, size_t bytes)
{
    const size_t length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 ||
            (line[length] != ':' && !isspace((unsigned char)line[length])))
            continue;
        const char *begin = line + length + (line[length] == ':');
        begin += strspn(begin, " \t");
        const size_t count = strcspn(begin, "\n");
        if (bytes == 0 || count >= bytes)
            return false;
        memcpy(value, begin, count);
        value[count] = '\0';
        return true;
    }
    return false;
}

/* ---- who asks ---- */

static uint32_t second_number(const char *text)
{
    char *rest;
    (void)strtoul(text, &rest, 10);
    return (uint32_t)strtoul(rest, NULL, 10);
}

/* NAME:x:ID:... */
static void find_name(const struct host *host, uint32_t id, char *name, size_t bytes)
{
    const char *text = host_read(host, "/etc/passwd");
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const size_t length = strcspn(line, ":\n");
        const char *number = line + length + (line[length] == ':');
        number += strcspn(number, ":\n");
        if (*number != ':' || (uint32_t)strtoul(number + 1, NULL, 10) != id || length >= bytes)
            continue;
        memcpy(name, line, length);
        name[length] = '\0';
        return;
    }
}

/* "Uid: real effective saved file" */
struct host_user host_user(const struct host *host)
{
    struct host_user user = {.id = UINT32_MAX, .group = UINT32_MAX};
    char value[128];
    const char *status = host_read(host, "/proc/self/status");
    if (status && host_field(status, "Uid", value, sizeof(value)))
        user.id = second_number(value);
    if (status && host_field(status, "Gid", value, sizeof(value)))
        user.group = second_number(value);
    find_name(host, user.id, user.name, sizeof(user.name));
    return user;
}

bool host_in_group(const struct host *host, uint32_t group)
{
    char value[4096];
    const char *status = host_read(host, "/proc/self/status");
    if (!status)
        return false;
    if (host_field(status, "Gid", value, sizeof(value)) && second_number(value) == group)
        return true;
    if (!host_field(status, "Groups", value, sizeof(value)))
        return false;
    for (char *at = value; *at != '\0';) {
        char *rest;
        const unsigned long number = strtoul(at, &rest, 10);
        if (rest == at)
            return false;
        if (number == group)
            return true;
        at = rest + strspn(rest, " \t");
    }
    return false;
}

bool host_may_use(const struct host *host, const struct stat *file)
{
    const struct host_user user = host_user(host);
    const mode_t wanted = 6;
    if (user.id == 0)
        return true;
    if (user.id == file->st_uid)
        return (file->st_mode >> 6 & wanted) == wanted;
    if (host_in_group(host, (uint32_t)file->st_gid))
        return (file->st_mode >> 3 & wanted) == wanted;
    return (file->st_mode & wanted) == wanted;
}

/* ---- lists of CPUs ---- */

/* The next run of a list. False: it ends. */
static bool next_run(const char **list, unsigned long *first, unsigned long *last)
{
    char *rest;
    if (!isdigit((unsigned char)**list))
        return false;
    *first = *last = strtoul(*list, &rest, 10);
    if (*rest == '-' && isdigit((unsigned char)rest[1]))
        *last = strtoul(rest + 1, &rest, 10);
    *list = *rest == ',' ? rest + 1 : rest;
    return *last >= *first && *last < 65536;
}

unsigned host_cpus(const char *list)
{
    unsigned long first, last;
    unsigned count = 0;
    while (next_run(&list, &first, &last))
        count += (unsigned)(last - first + 1);
    return count;
}

bool host_has_cpu(const char *list, unsigned cpu)
{
    unsigned long first, last;
    while (next_run(&list, &first, &last))
        if (cpu >= first && cpu <= last)
            return true;
    return false;
}
