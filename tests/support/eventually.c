/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/eventually.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t test_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool eventually(bool (*condition)(void *context), void *context, uint64_t timeout_ns)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 200000};
    const uint64_t begin_ns = test_now_ns();
    for (;;) {
        if (condition(context))
            return true;
        if (test_now_ns() - begin_ns >= timeout_ns)
            return condition(context);
        (void)nanosleep(&pause, NULL);
    }
}

/* "pid (comm) S ...": comm may hold anything, so the last parenthesis counts. */
static bool is_asleep(void *context)
{
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)*(pid_t *)context);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && strncmp(end, ") S", 3) == 0;
}

bool eventually_asleep(pid_t tid)
{
    return eventually(is_asleep, &tid, EVENTUALLY_TIMEOUT_NS);
}
