/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked into every test: what a test opened and mapped must be gone when it returns from main.
 *
 * Counts open descriptors and shared mappings before main and at exit. Valgrind and LeakSanitizer see neither: to them
 * a mapping that is never unmapped is not a leak. Children that leave through _exit() or a signal are not judged.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAK_EXIT_CODE = 97 };

struct leak_census {
    unsigned descriptors;
    unsigned mappings;
};

static struct leak_census leak_before;
static pid_t leak_owner;

static unsigned leak_count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* A shared mapping has an 's' as the fourth letter of its rights. */
static unsigned leak_count_mappings(int print)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned count = 0;

    if (maps == NULL)
        return 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *rights = strchr(line, ' ');

        if (rights == NULL || strlen(rights) < 5 || rights[4] != 's')
            continue;
        /* The C library maps it once a program that has set its locale uses it, and keeps it. */
        if (strstr(line, "/gconv-modules.cache"))
            continue;
        count++;
        if (print)
            fprintf(stderr, "  %s", line);
    }
    fclose(maps);
    return count;
}

static void leak_print_descriptors(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        char link[64], target[256];
        ssize_t length;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        length = readlink(link, target, sizeof target - 1);
        if (length > 0)
            fprintf(stderr, "  %d -> %.*s\n", fd, (int)length, target);
    }
}

__attribute__((constructor)) static void leak_census_take(void)
{
    leak_owner = getpid();
    leak_before.descriptors = leak_count_descriptors();
    leak_before.mappings = leak_count_mappings(0);
}

__attribute__((destructor)) static void leak_census_compare(void)
{
    struct leak_census after;

    if (getpid() != leak_owner)
        return;
    after.descriptors = leak_count_descriptors();
    after.mappings = leak_count_mappings(0);
    if (after.descriptors <= leak_before.descriptors && after.mappings <= leak_before.mappings)
        return;
    fflush(NULL);
    fprintf(stderr, "leak: descriptors %u -> %u, shared mappings %u -> %u; open at exit:\n",
            leak_before.descriptors, after.descriptors, leak_before.mappings, after.mappings);
    leak_print_descriptors();
    leak_count_mappings(1);
    _exit(LEAK_EXIT_CODE);
}
