/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/footprint.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count_entries(const char *path, const char *prefix)
{
    uint64_t count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    (void)closedir(folder);
    return count;
}

struct footprint footprint_now(const char *url)
{
    struct footprint now = {.descriptors = count_entries("/proc/self/fd", "")};
    char object[80];
    (void)snprintf(object, sizeof(object), "peal.%s", strchr(url, ':') + 1);
    now.objects = count_entries("/dev/shm", object);
    char line[256];
    FILE *file = fopen("/proc/self/maps", "re");
    while (file && fgets(line, sizeof(line), file))
        now.mappings++;
    if (file)
        (void)fclose(file);
    file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            now.resident_kb = strtoull(line + 6, NULL, 10);
    if (file)
        (void)fclose(file);
    return now;
}

void footprint_print(const char *when, const struct footprint *footprint)
{
    printf("%s: %" PRIu64 " descriptors, %" PRIu64 " mappings, %" PRIu64 " KiB resident, %" PRIu64
           " objects\n",
           when, footprint->descriptors, footprint->mappings, footprint->resident_kb,
           footprint->objects);
}
