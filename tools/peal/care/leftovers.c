/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/leftovers.h"

#include "tools/peal/kit/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "peal."
#define NAME_MAX_CHARACTERS 31u
#define ID_CHARACTERS 16u

static bool is_of(const char *text, size_t length, const char *characters)
{
    return strspn(text, characters) >= length;
}

bool leftovers_region_of(const char *file, char *name)
{
    if (strncmp(file, PREFIX, strlen(PREFIX)) != 0)
        return false;
    const char *begin = file + strlen(PREFIX);
    const size_t length = strcspn(begin, "~");
    if (length == 0 || length > NAME_MAX_CHARACTERS || begin[0] == '.' || begin[0] == '-' ||
        !is_of(begin, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"))
        return false;
    if (begin[length] == '~' && (strlen(begin + length + 1) != ID_CHARACTERS ||
                                 !is_of(begin + length + 1, ID_CHARACTERS, "0123456789abcdef")))
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void add(struct leftovers *leftovers, const char *name)
{
    leftovers->urls =
        memory_room(leftovers->urls, leftovers->count, &leftovers->room, sizeof(*leftovers->urls));
    (void)snprintf(leftovers->urls[leftovers->count++], LEFTOVERS_URL_BYTES, "posix:%s", name);
}

/* Many FIFOs may stand beside one region. */
static void sort_out(struct leftovers *leftovers)
{
    if (leftovers->count == 0)
        return;
    qsort(leftovers->urls, leftovers->count, sizeof(*leftovers->urls), by_text);
    size_t kept = 1;
    for (size_t i = 1; i < leftovers->count; i++)
        if (strcmp(leftovers->urls[i], leftovers->urls[kept - 1]) != 0)
            memmove(leftovers->urls[kept++], leftovers->urls[i], sizeof(*leftovers->urls));
    leftovers->count = kept;
}

bool leftovers_list(struct leftovers *leftovers, const char *folder)
{
    DIR *directory = opendir(folder);
    if (!directory)
        return false;
    const struct dirent *entry;
    while (leftovers->count < LEFTOVERS_MAX && (entry = readdir(directory)) != NULL) {
        char name[NAME_MAX_CHARACTERS + 1];
        if (leftovers_region_of(entry->d_name, name)) {
            add(leftovers, name);
        } else if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0) {
            if (leftovers->strange++ == 0)
                (void)snprintf(leftovers->first_strange, sizeof(leftovers->first_strange), "%.63s",
                               entry->d_name);
        }
    }
    (void)closedir(directory);
    sort_out(leftovers);
    return true;
}

void leftovers_free(struct leftovers *leftovers)
{
    free(leftovers->urls);
    *leftovers = (struct leftovers){0};
}
