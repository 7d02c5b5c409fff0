/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/asleep.h"

#include "bench/clock.h"
#include "bench/pair.h"

#include <stdio.h>
#include <string.h>

enum { ASLEEP_WITHIN_NS = 1000000000 };

/* 'S' while it sleeps; the name before it, in parentheses, may hold anything. */
static char state_of(pid_t thread)
{
    char path[32], line[256];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)thread);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        bench_die("cannot read %s", path);
    fclose(file);
    const char *name_end = strrchr(line, ')');
    return name_end != NULL && name_end[1] == ' ' ? name_end[2] : '?';
}

void bench_asleep_await(pid_t thread)
{
    uint64_t begin_ns = bench_clock_ns();

    while (state_of(thread) != 'S') {
        if (bench_clock_ns() - begin_ns > ASLEEP_WITHIN_NS)
            bench_die("thread %d does not go to sleep", (int)thread);
        bench_poll();
    }
}
