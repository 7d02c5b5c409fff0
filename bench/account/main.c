/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/account/account.h"

#include "bus/bus_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t account_counted = UINT32_MAX;
peal_u64 account_marker;

/* Whole turns of a ring, so that what is done once a turn counts with its share. */
enum { WARM = ACCOUNT_DEPTH + 64, COUNT = 2 * ACCOUNT_DEPTH };

_Noreturn void account_die(const char *what)
{
    fprintf(stderr, "peal-bench-account: %s: %s\n", what, peal_error_message());
    exit(1);
}

void *account_allocate(size_t size_bytes)
{
    void *memory = aligned_alloc(128, (size_bytes + 127) / 128 * 128);
    if (!memory)
        account_die("memory");
    return memset(memory, 0, (size_bytes + 127) / 128 * 128);
}

/* Where the memory that is shared lies, for who sees addresses. */
static void account_tell_memory(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof(line), maps)) {
        if (strstr(line, "peal-account-"))
            printf("shared %.*s\n", (int)strcspn(line, " "), line);
    }
    if (maps)
        fclose(maps);
}

/* One call of the scenario is one row: counts it and leaves the counts under its name. */
static void account_row(const struct account_scenario *scenario, struct peal_bus *bus,
                        uint32_t call)
{
    char name[128];
    uint32_t count = COUNT / scenario->messages;
    void *state = scenario->open(bus, scenario->value);
    account_tell_memory();
    account_counted = UINT32_MAX;
    for (uint32_t i = 0; i < WARM / scenario->messages; i++)
        scenario->step(state);
    snprintf(name, sizeof(name), "%s:%s %" PRIu32, scenario->name, scenario->calls[call],
             count * scenario->messages);
    CALLGRIND_ZERO_STATS;
    account_counted = call;
    for (uint32_t i = 0; i < count; i++)
        scenario->step(state);
    account_counted = UINT32_MAX;
    CALLGRIND_DUMP_STATS_AT(name);
    printf("row %s\n", name);
    scenario->close(state);
}

static void account_all(const struct account_scenario *scenario, struct peal_bus *bus,
                        const char *wanted)
{
    for (; scenario->name; scenario++) {
        if (wanted && !strstr(scenario->name, wanted))
            continue;
        for (uint32_t call = 0; scenario->calls[call]; call++)
            account_row(scenario, bus, call);
    }
}

int main(int argc, char **argv)
{
    char name[32], url[96];
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: peal-bench-account [PART-OF-A-SCENARIO'S-NAME], under "
                        "bench/account/account.pl\n");
        return 2;
    }
    snprintf(name, sizeof(name), "peal-account-%d", (int)getpid());
    snprintf(url, sizeof(url), "posix:%s?size=16M&topics=64", name);
    /* No looks for the dead, which would come by the clock. */
    options.safety_net_ns = UINT64_C(3600) * 1000000000u;
    if (peal_bus_open(&bus, url, &options) != PEAL_OK)
        account_die(url);
    (void)peal_unlink(url);
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    printf("counts %d\n", ACCOUNT_CAN_COUNT);
    printf("fences %d\n", bus->fences);
    printf("marker %p\n", (const void *)&account_marker);
    const char *wanted = argc == 2 ? argv[1] : NULL;
    account_all(account_topics, bus, wanted);
    account_all(account_rings, bus, wanted);
    account_all(account_queues, bus, wanted);
    account_all(account_waitsets, bus, wanted);
    peal_bus_close(bus);
    return 0;
}
