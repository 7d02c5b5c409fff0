/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/footprint.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
/* Of <sanitizer/allocator_interface.h>, which not every compiler brings. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

uint64_t footprint_entries(const char *path, const char *prefix)
{
    uint64_t count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return UINT64_MAX;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    (void)closedir(folder);
    return count;
}

/* An allocator that keeps what was freed for a while maps more and more; what is shared is ours all the same. */
static bool counts(const char *mapping)
{
#ifdef __SANITIZE_ADDRESS__
    const char *rights = strchr(mapping, ' ');
    return rights && strlen(rights) > 4 && rights[4] == 's';
#else
    (void)mapping;
    return true;
#endif
}

/* Page by page: the sum in /proc/self/status may be off by some megabytes where there are many processors. */
static uint64_t memory_kb(void)
{
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes() / 1024;
#else
    uint64_t kb = 0;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "Rss:", 4) == 0 || strncmp(line, "Swap:", 5) == 0)
            kb += strtoull(strchr(line, ':') + 1, NULL, 10);
    if (file)
        (void)fclose(file);
    return kb;
#endif
}

struct footprint footprint_now(const char *url)
{
    struct footprint now = {.descriptors = footprint_entries("/proc/self/fd", "")};
    char object[80];
    (void)snprintf(object, sizeof(object), "peal.%s", strchr(url, ':') + 1);
    now.objects = footprint_entries("/dev/shm", object);
    char line[256];
    FILE *file = fopen("/proc/self/maps", "re");
    while (file && fgets(line, sizeof(line), file))
        now.mappings += counts(line);
    if (file)
        (void)fclose(file);
    now.memory_kb = memory_kb();
    return now;
}

void footprint_print(const char *when, const struct footprint *footprint)
{
    printf("%s: %" PRIu64 " descriptors, %" PRIu64 " mappings, %" PRIu64 " KiB of memory, %" PRIu64
           " objects\n",
           when, footprint->descriptors, footprint->mappings, footprint->memory_kb,
           footprint->objects);
}
