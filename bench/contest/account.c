/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/account.h"

#include "bench/clock.h"

#include <stddef.h>
#include <string.h>

enum { CONTENDERS_MAX = 64 };

struct entry {
    const char *contender;
    uint64_t trials;
    uint64_t ns[BENCH_STEPS];
};

static struct {
    struct entry entries[CONTENDERS_MAX];
    size_t count;
    uint64_t since_ns;
} account;

static struct entry *find_entry(const char *contender)
{
    for (size_t i = 0; i < account.count; i++) {
        if (strcmp(account.entries[i].contender, contender) == 0)
            return &account.entries[i];
    }
    if (account.count == CONTENDERS_MAX)
        return NULL;
    account.entries[account.count].contender = contender;
    return &account.entries[account.count++];
}

void bench_account_step(const char *contender, enum bench_step step)
{
    uint64_t now_ns = bench_clock_ns();
    struct entry *entry = contender != NULL ? find_entry(contender) : NULL;

    if (entry != NULL) {
        entry->ns[step] += now_ns - account.since_ns;
        entry->trials += step == BENCH_STEP_END;
    }
    account.since_ns = now_ns;
}

void bench_account_print(FILE *file)
{
    static const char *const names[BENCH_STEPS] = {"begin", "open",  "connect", "run",
                                                   "drain", "close", "end"};

    fprintf(file, "%-22s %6s", "an average turn [ms]", "turns");
    for (unsigned step = 0; step < BENCH_STEPS; step++)
        fprintf(file, " %8s", names[step]);
    fprintf(file, " %8s\n", "all [s]");
    for (size_t i = 0; i < account.count; i++) {
        const struct entry *entry = &account.entries[i];
        uint64_t sum_ns = 0;
        fprintf(file, "%-22s %6llu", entry->contender, (unsigned long long)entry->trials);
        for (unsigned step = 0; step < BENCH_STEPS; step++) {
            sum_ns += entry->ns[step];
            fprintf(file, " %8.2f",
                    (double)entry->ns[step] * 1e-6 /
                        (double)(entry->trials > 0 ? entry->trials : 1));
        }
        fprintf(file, " %8.2f\n", (double)sum_ns * 1e-9);
    }
}
