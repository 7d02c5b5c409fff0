/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made-up results, as large and as odd as real ones, written as a report: what is drawn and compared can
 * then be looked at and tested without measuring for minutes.
 *
 *      peal-bench-fixture FOLDER [SEED [DELAY_NS]]
 *      peal-bench-fixture compare A B
 *
 * The same seed gives the same noise. DELAY_NS is added to each time of Peal's.
 */
#include "bench/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15, SAMPLES = 30000 };

static struct bench_results results;
static uint64_t state;
static double delay_ns;

/* Of a contender: its one-way latency for a small message, what a byte costs on top, and how its tail is. */
static const struct contender {
    const char *name;
    enum bench_party party;
    double base_ns, byte_ns, tail;
    uint32_t remarks;
} contenders[] = {
    {"peal topic, loan", BENCH_PARTY_PEAL, 150, 0.02, 1, 0},
    {"peal topic, copy", BENCH_PARTY_PEAL, 155, 0.05, 1, BENCH_REMARK_COPIES},
    {"peal spsc", BENCH_PARTY_PEAL, 142, 0.05, 1, 0},
    {"peal queue", BENCH_PARTY_PEAL, 190, 0.05, 1.2, 0},
    {"ck_ring", BENCH_PARTY_PEER, 148, 0.06, 1, BENCH_REMARK_COPIES},
    {"rte_ring", BENCH_PARTY_PEER, 175, 0.05, 1, BENCH_REMARK_WEDGEABLE},
    {"boost spsc_queue", BENCH_PARTY_PEER, 160, 0.06, 1.1, BENCH_REMARK_COPIES},
    {"boost queue", BENCH_PARTY_PEER, 420, 0.06, 1.6, BENCH_REMARK_COPIES},
    {"boost message_queue", BENCH_PARTY_PEER, 900, 0.08, 3,
     BENCH_REMARK_COPIES | BENCH_REMARK_WEDGEABLE},
    {"readerwriterqueue", BENCH_PARTY_PEER, 152, 0.05, 1, BENCH_REMARK_THREADS},
    {"concurrentqueue", BENCH_PARTY_PEER, 310, 0.06, 1.3, BENCH_REMARK_THREADS},
    {"iceoryx", BENCH_PARTY_PEER, 640, 0.02, 1.7, 0},
    {"zeromq ipc", BENCH_PARTY_PEER, 21000, 0.2, 4, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
    {"nng ipc", BENCH_PARTY_PEER, 26000, 0.2, 4, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
    {"nanomsg ipc", BENCH_PARTY_PEER, 24000, 0.2, 5, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
    {"posix mq", BENCH_PARTY_PEER, 7200, 0.15, 2, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
    {"pipe", BENCH_PARTY_PEER, 6100, 0.12, 2, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
    {"unix socket", BENCH_PARTY_PEER, 8300, 0.16, 2, BENCH_REMARK_COPIES | BENCH_REMARK_KERNEL},
};

enum { CONTENDERS = sizeof(contenders) / sizeof(contenders[0]) };

/* xorshift: evenly in [0, 1). */
static double chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double noisy(double value, double part)
{
    return value * (1 + part * (chance() + chance() + chance() - 1.5));
}

static double late(const struct contender *contender)
{
    return contender->party == BENCH_PARTY_PEAL ? delay_ns : 0;
}

static void fill(struct bench_record *record, const struct contender *contender, double time_ns)
{
    struct bench_histogram *latency = bench_record_latency(record);

    for (unsigned i = 0; i < SAMPLES; i++) {
        double ns = noisy(time_ns, 0.12), luck = chance();
        if (luck < 0.02)
            ns *= 1 + contender->tail * chance() * 2;
        if (luck < 0.0012)
            ns += 4000 * contender->tail / (0.02 + chance());
        bench_histogram_add(latency, (uint64_t)ns, 1);
    }
}

/* A value for each round; `floor`: NAN for none. The machine changes from round to round for all alike. */
static void rounds(struct bench_record *record, double value, double floor)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        double machine = noisy(1, 0.06);
        bool drifted = chance() < 0.01;
        bench_record_round(record, noisy(value, 0.02) * machine, noisy(floor, 0.01) * machine,
                           drifted);
    }
    record->operations = (uint64_t)ROUNDS * 100000;
}

static struct bench_record *add(enum bench_group group, const char *scenario,
                                const struct contender *contender, enum bench_unit unit)
{
    struct bench_record *record =
        bench_results_add(&results, group, scenario, contender->name, contender->party, unit);

    record->remarks = contender->remarks;
    return record;
}

static void add_latency(void)
{
    static const unsigned sizes[] = {8, 64, 1024, 65536};
    static const struct contender raw = {"raw ping-pong", BENCH_PARTY_FLOOR, 140, 0, 0.6, 0};
    char scenario[64];

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        snprintf(scenario, sizeof(scenario), "latency/%u", sizes[s]);
        double floor = 2 * (140 + 0.02 * sizes[s]);
        for (unsigned i = 0; i < CONTENDERS; i++) {
            const struct contender *contender = &contenders[i];
            double ns = 2 * (contender->base_ns + contender->byte_ns * sizes[s]) + late(contender);
            struct bench_record *record = add(BENCH_GROUP_LATENCY, scenario, contender, BENCH_NS);
            bench_record_floor(record, raw.name,
                               contender->party == BENCH_PARTY_PEAL && sizes[s] <= 64 ? 1.1 : 0);
            rounds(record, ns, floor);
            fill(record, contender, ns);
            bench_record_place(record, "ping-pong", "message size [B]", sizes[s]);
            if (strcmp(contender->name, "peal spsc") == 0 && sizes[s] == 65536)
                bench_record_note(record,
                                  "The queue's slot is copied whole; a topic's loan is not: "
                                  "<b>use topics</b> & loans for what is large.");
        }
        struct bench_record *record = add(BENCH_GROUP_LATENCY, scenario, &raw, BENCH_NS);
        rounds(record, floor, NAN);
        fill(record, &raw, floor);
    }
}

static void add_paced(void)
{
    static const unsigned rates[] = {1000, 10000, 100000, 500000};
    char scenario[64];

    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        snprintf(scenario, sizeof(scenario), "oneway/64/%u", rates[r]);
        for (unsigned i = 0; i < CONTENDERS; i += 2) {
            const struct contender *contender = &contenders[i];
            double load = contender->base_ns * rates[r] * 1e-9;
            double ns = contender->base_ns * (1 + (load < 0.9 ? load / (1 - load) : 400 * load)) +
                        late(contender);
            struct bench_record *record = add(BENCH_GROUP_PACED, scenario, contender, BENCH_NS);
            rounds(record, ns, NAN);
            fill(record, contender, ns);
            bench_record_place(record, "paced one-way, 64 B", "messages a second", rates[r]);
            record->cpu_ns = 2e9 / rates[r];
            if (load > 1) {
                record->remarks |= BENCH_REMARK_CUT;
                record->cut = 2;
            }
        }
    }
}

static void add_throughput(void)
{
    static const unsigned sizes[] = {8, 64, 1024, 65536};
    static const struct contender slots = {"bare slots", BENCH_PARTY_FLOOR, 9, 0.02, 1, 0};
    static const struct contender copy = {"memcpy twice", BENCH_PARTY_FLOOR, 4, 0.1, 1, 0};
    char scenario[64];

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        snprintf(scenario, sizeof(scenario), "stream/%u/single", sizes[s]);
        enum bench_unit unit = sizes[s] >= 65536 ? BENCH_BYTES_PER_S : BENCH_PER_S;
        double scale = unit == BENCH_PER_S ? 1 : sizes[s];
        double floor = 1e9 * scale / (9 + 0.02 * sizes[s]);
        for (unsigned i = 0; i < CONTENDERS; i++) {
            const struct contender *contender = &contenders[i];
            double ns = contender->base_ns / 8 + contender->byte_ns * sizes[s] + late(contender);
            struct bench_record *record = add(BENCH_GROUP_THROUGHPUT, scenario, contender, unit);
            bench_record_floor(record, slots.name, contender->party == BENCH_PARTY_PEAL ? 0.35 : 0);
            rounds(record, 1e9 * scale / ns, floor);
            bench_record_place(record, "stream, singles", "message size [B]", sizes[s]);
        }
        rounds(add(BENCH_GROUP_THROUGHPUT, scenario, &slots, unit), floor, NAN);
        rounds(add(BENCH_GROUP_THROUGHPUT, scenario, &copy, unit),
               1e9 * scale / (4 + 0.1 * sizes[s]), NAN);
    }
}

static void add_patterns(void)
{
    static const char *const scenarios[] = {"fan-out/1-4", "fan-in/4-1", "mesh/4-4", "queue/8-8"};

    for (size_t s = 0; s < sizeof(scenarios) / sizeof(scenarios[0]); s++) {
        for (unsigned i = (unsigned)s; i < CONTENDERS; i += 3) {
            const struct contender *contender = &contenders[i];
            struct bench_record *record =
                add(BENCH_GROUP_PATTERNS, scenarios[s], contender, BENCH_PER_S);
            rounds(record, 1e9 / (contender->base_ns / 4 + late(contender)), NAN);
            record->aim =
                contender->party == BENCH_PARTY_PEAL && s == 3 ? BENCH_AIM_MEDIAN : BENCH_AIM_NONE;
            if (contender->party == BENCH_PARTY_PEER)
                bench_record_reason(record, "It trusts its peers & is made up.");
        }
    }
}

/* Milliseconds for which nobody got a message, of a stop of 100. */
static void add_stopped(void)
{
    for (unsigned i = 3; i < 8; i++) {
        struct bench_record *record =
            add(BENCH_GROUP_PATTERNS, "stopped/producer", &contenders[i], BENCH_NS);
        bool can_be_wedged = (contenders[i].remarks & BENCH_REMARK_WEDGEABLE) != 0;
        for (unsigned round = 0; round < ROUNDS; round++)
            bench_record_round(record, can_be_wedged && chance() < 0.6 ? 1e8 : 1e5 * chance(), NAN,
                               false);
        record->wedged_ns = 5e7;
    }
}

static void add_waiting(void)
{
    static const char *const scenarios[] = {"spin", "spin-sleep", "block", "epoll"};
    static const double extra_ns[] = {0, 4000, 28000, 31000};

    for (size_t s = 0; s < sizeof(scenarios) / sizeof(scenarios[0]); s++) {
        for (unsigned i = 0; i < CONTENDERS; i += 3) {
            const struct contender *contender = &contenders[i];
            double ns = contender->base_ns + extra_ns[s] + late(contender);
            struct bench_record *record =
                add(BENCH_GROUP_WAITING, scenarios[s], contender, BENCH_NS);
            rounds(record, ns, NAN);
            fill(record, contender, ns);
            record->cpu_ns = s == 0 ? 200000 : contender->base_ns + 3000 + extra_ns[s] / 3;
        }
    }
}

static void add_growth(void)
{
    static const unsigned subscribers[] = {0, 1, 2, 4, 8, 16, 32};
    static const unsigned topics[] = {1, 10, 100, 1000};
    static const char *const states[] = {"awake", "asleep"};
    char scenario[64], series[64];

    for (unsigned state_of = 0; state_of < 2; state_of++) {
        for (size_t i = 0; i < sizeof(subscribers) / sizeof(subscribers[0]); i++) {
            snprintf(scenario, sizeof(scenario), "publish/%s/%u", states[state_of], subscribers[i]);
            snprintf(series, sizeof(series), "publish, subscribers %s", states[state_of]);
            struct bench_record *record =
                add(BENCH_GROUP_GROWTH, scenario, &contenders[0], BENCH_NS);
            rounds(record, 14 + subscribers[i] * (state_of == 0 ? 0.4 : 90) + delay_ns, NAN);
            bench_record_place(record, series, "subscribers", subscribers[i]);
        }
    }
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        snprintf(scenario, sizeof(scenario), "waitset/%u", topics[i]);
        struct bench_record *record = add(BENCH_GROUP_GROWTH, scenario, &contenders[0], BENCH_NS);
        rounds(record, 40 + 0.05 * topics[i] + delay_ns, NAN);
        bench_record_place(record, "waitset", "topics", topics[i]);
        snprintf(scenario, sizeof(scenario), "memory/topics/%u", topics[i]);
        record = add(BENCH_GROUP_GROWTH, scenario, &contenders[0], BENCH_BYTES);
        for (unsigned round = 0; round < ROUNDS; round++)
            bench_record_round(record, 65536 + 8192.0 * topics[i], NAN, false);
        bench_record_place(record, "memory", "topics", topics[i]);
    }
}

static void add_floors(void)
{
    static const struct contender floors[] = {
        {"raw ping-pong", BENCH_PARTY_FLOOR, 281, 0, 0, 0},
        {"futex wake", BENCH_PARTY_FLOOR, 29000, 0, 0, 0},
        {"eventfd", BENCH_PARTY_FLOOR, 31000, 0, 0, 0},
        {"clock", BENCH_PARTY_FLOOR, 18, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++)
        rounds(add(BENCH_GROUP_FLOORS, floors[i].name, &floors[i], BENCH_NS), floors[i].base_ns,
               NAN);
}

static void add_facts(void)
{
    bench_results_fact(&results, "command", "peal-bench --report report --rounds 15 --cpus 0,1");
    bench_results_fact(&results, "date", "2000-01-01 12:00");
    bench_results_fact(&results, "commit", "made up");
    bench_results_fact(&results, "cpu", "Made-up CPU <7> \"of\" 2 & no more");
    bench_results_fact(&results, "cpus", "0 and 1: other cores, same LLC");
    bench_results_fact(&results, "governor", "performance");
    bench_results_fact(&results, "mitigations", "spectre_v2: Mitigation: Enhanced IBRS");
    bench_results_fact(&results, "kernel", "6.1");
    bench_results_fact(&results, "load", "0.12");
    results.clock_cost_ns = 18.2;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "compare") == 0)
        return bench_compare_main(argc - 1, argv + 1);
    if (argc < 2 || argc > 4) {
        fputs("usage: peal-bench-fixture FOLDER [SEED [DELAY_NS]]\n", stderr);
        return 2;
    }
    state = 0x9E3779B97F4A7C15u * (argc > 2 ? strtoull(argv[2], NULL, 10) + 1 : 1);
    delay_ns = argc > 3 ? strtod(argv[3], NULL) : 0;
    add_facts();
    add_floors();
    add_latency();
    add_paced();
    add_throughput();
    add_patterns();
    add_stopped();
    add_waiting();
    add_growth();
    bench_text_head(stdout, &results);
    for (unsigned group = 0; group < BENCH_GROUPS; group++)
        bench_text_group(stdout, &results, (enum bench_group)group);
    bench_text_foot(stdout, &results);
    bool is_written = bench_report_write(&results, argv[1]);
    bench_results_free(&results);
    return is_written ? 0 : 1;
}
