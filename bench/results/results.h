/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run has found: the one thing that measuring fills and that tables, JSON, CSV, histograms and
 * the report are made of.
 *
 * A record is one contender in one scenario: a value for each round. Contenders of one scenario were
 * measured in the same rounds, one after the other, so values with the same index belong together, and
 * ratios are taken index by index, never between medians.
 *
 * Threads: one. Strings are copied. Nothing here fails but for want of memory, which ends the program.
 */
#ifndef PEAL_BENCH_RESULTS_RESULTS_H
#define PEAL_BENCH_RESULTS_RESULTS_H

#include "bench/results/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The chapters of the report, in their order. */
enum bench_group {
    BENCH_GROUP_FLOORS = 0, /* what the machine can do */
    BENCH_GROUP_LATENCY,    /* ping-pong: a message there and back, as fast as it goes */
    BENCH_GROUP_PACED,      /* at fixed rates, counted from the intended time */
    BENCH_GROUP_THROUGHPUT, /* one-way streams by size */
    BENCH_GROUP_PATTERNS,   /* 1:N, N:1, N:N, latest value */
    BENCH_GROUP_WAITING,    /* spin, sleep, block, epoll; CPU time */
    BENCH_GROUP_GROWTH,     /* cost over the number of subscribers, topics, ... */
    BENCH_GROUPS
};

enum bench_party {
    BENCH_PARTY_PEAL = 0,
    BENCH_PARTY_PEER,
    BENCH_PARTY_FLOOR, /* not a bus at all: the physical floor */
};

enum bench_unit {
    BENCH_NS = 0,      /* nanoseconds an operation; small is good */
    BENCH_PER_S,       /* messages a second; large is good */
    BENCH_BYTES_PER_S, /* large is good */
    BENCH_BYTES,       /* memory; small is good */
};

enum { BENCH_RECORD_ROUNDS_MAX = 999 };

/* Bits of `remarks`. */
enum bench_remark {
    BENCH_REMARK_THREADS = 1u << 0,   /* ran as threads of one process: cannot do otherwise */
    BENCH_REMARK_WEDGEABLE = 1u << 1, /* by design: who is stopped may stop the others */
    BENCH_REMARK_CUT = 1u << 2,       /* `cut` rounds did not come to an end and were killed */
    BENCH_REMARK_COPIES = 1u << 3,    /* has no loan: payload is copied in, or out, or both */
    BENCH_REMARK_KERNEL = 1u << 4,    /* each message is a system call or more */
    BENCH_REMARK_PARTIAL = 1u << 5,   /* interrupted: fewer rounds than planned */
};

/* What Peal's best way shall reach in a scenario, beside its peers (bench/report/ranking.h). */
enum bench_aim {
    BENCH_AIM_NONE = 0,
    BENCH_AIM_MEDIAN,    /* at least the median of the peers, round by round */
    BENCH_AIM_BEST,      /* at least the best of them */
    BENCH_AIM_WEDGEABLE, /* better than each of them that can be wedged */
};

struct bench_record {
    /* Set by bench_results_add(); name is "<group>/<scenario>/<contender>", unique, and stays the same
     * from run to run: what two runs are compared by. */
    char *name;
    enum bench_group group;
    char *scenario;  /* one line of a table: "stream/64/single", without spaces */
    char *contender; /* "peal topic, loan", "iceoryx", "memcpy twice" */

    enum bench_party party;
    enum bench_unit unit;
    uint32_t remarks;
    char *note;   /* NULL, or a sentence for the report */
    char *reason; /* of a peer: why Peal may be behind it here; NULL: none has been noted */

    double
        wedged_ns; /* of a stop: a round with at least this was wedged; 0: it is not about that */
    enum bench_aim aim; /* of Peal's records */

    /* Where it stands on the axis of a curve: size in bytes, number of subscribers, rate. NAN: none. */
    double x;
    char *series; /* the curve it belongs to, "publish, subscribers asleep"; NULL: none */
    char *x_name; /* "subscribers", "message size [B]" */

    /* values[i] of round i; floors[i] what the record's floor got in the same round, in the same unit,
     * NAN where there is none; drifted[i]: the raw ping-pong around this round moved by more than 20 %. */
    unsigned rounds;
    double *values;
    double *floors;
    bool *drifted;
    char *floor; /* its name; NULL: none */
    unsigned cut;

    double target; /* of the ratio to the floor; 0: none */
    double cpu_ns; /* CPU time of both sides a message, median of the rounds; NAN: not taken */
    uint64_t operations;             /* measured, over all rounds */
    struct bench_histogram *latency; /* ns, over all rounds; NULL: none. Owned by the record */
};

/* One line of the environment: "cpu", "Intel ...". */
struct bench_fact {
    char *key;
    char *value;
};

struct bench_results {
    struct bench_record **records; /* in order of arrival; pointers stay valid */
    size_t count;
    struct bench_fact *facts;
    size_t facts_count;
    double clock_cost_ns; /* the measuring overhead: of one reading of the clock */
    bool is_interrupted;
    /* private */
    size_t capacity, facts_capacity;
};

/* Zeroed memory is an empty one. */
void bench_results_free(struct bench_results *results);

/* A new record without rounds; the caller fills in the rest. The strings are copied. */
struct bench_record *bench_results_add(struct bench_results *results, enum bench_group group,
                                       const char *scenario, const char *contender,
                                       enum bench_party party, enum bench_unit unit);

/* Adds a round. `floor`: NAN for none. */
void bench_record_round(struct bench_record *record, double value, double floor, bool drifted);

/* Copies of the strings; NULL is allowed and takes the old one away. */
void bench_record_note(struct bench_record *record, const char *note);
void bench_record_reason(struct bench_record *record, const char *reason);
void bench_record_place(struct bench_record *record, const char *series, const char *x_name,
                        double x);
void bench_record_floor(struct bench_record *record, const char *floor, double target);

/* The record's histogram, made at the first call. */
struct bench_histogram *bench_record_latency(struct bench_record *record);

/* NULL if there is none. */
const struct bench_record *bench_results_find(const struct bench_results *results,
                                              const char *name);

void bench_results_fact(struct bench_results *results, const char *key, const char *value);

/*
 * Takes over all that `part` has found and leaves it empty: rounds, cut ones, operations, latencies and losses
 * of records that are in `whole` already come after theirs, other records after the others. CPU time is
 * the mean, by rounds; notes, remarks and facts are those of `part`.
 */
void bench_results_take(struct bench_results *whole, struct bench_results *part);

/* ---- figures ---- */

/* Median, least, most over the rounds; all NAN without rounds. */
struct bench_spread {
    double median;
    double min;
    double max;
};

bool bench_unit_small_is_good(enum bench_unit unit);
const char *bench_unit_name(enum bench_unit unit);
const char *bench_group_name(enum bench_group group); /* "latency": also the first part of names */

struct bench_spread bench_record_values(const struct bench_record *record);

/* Of value / floor (small is good: 1.05 is 5 % slower; large is good: 0.6 is 60 % of the rate), round by
 * round; drifted rounds count too. NAN without a floor. */
struct bench_spread bench_record_ratio(const struct bench_record *record);

/* How many times better `left` is than `right`, round by round over the rounds that both have; above 1:
 * left is better, whatever the unit. NAN if they share none. */
struct bench_spread bench_record_against(const struct bench_record *left,
                                         const struct bench_record *right);

unsigned bench_record_drifted(const struct bench_record *record); /* how many rounds */

bool bench_record_was_wedged(const struct bench_record *record, unsigned round);
unsigned bench_record_wedged(const struct bench_record *record); /* how many rounds */

/* ---- pairs of rounds (pairs.c) ---- */

/* More probable than this: chance. */
#define BENCH_CHANCE 0.05

/* Two that were measured in the same rounds. */
struct bench_pairs {
    struct bench_spread
        times;        /* how many times better the left one is; NAN where it is of wedges */
    unsigned rounds;  /* in which both have a value */
    unsigned better;  /* in which the left one is better ... */
    unsigned decided; /* ... of those in which one of them is */
    double chance;    /* of so uneven a count if both are alike: bench_sign_test() */
};

/* The sign test, two-sided: how probable it is that of `fewer` + `more` tosses of a coin at most `fewer`
 * fall on one side, or on the other. */
double bench_sign_test(unsigned fewer, unsigned more);

struct bench_pairs bench_pairs_of(const double *left, const double *right, unsigned rounds,
                                  bool small_is_good);

/* Of a stop: rounds in which one was wedged and the other not; else by the values. Of different units:
 * no rounds. */
struct bench_pairs bench_record_pairs(const struct bench_record *left,
                                      const struct bench_record *right);

#endif
