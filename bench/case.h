/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be measured, and which of it is set against which.
 *
 * A case is one thing that two processes do: the measuring side takes the times, the serving side is
 * its counterpart. A part is a case with its parameters and its number of operations. A row of the
 * report sets one part, the subject, against another, its floor, in the same rounds.
 */
#ifndef PEAL_BENCH_CASE_H
#define PEAL_BENCH_CASE_H

#include "bench/results/results.h"
#include "bench/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_pair;

enum bench_side {
    BENCH_MEASURING = 0,
    BENCH_SERVING = 1,
};

enum bench_place {
    BENCH_RAW = 0, /* the raw cache-line ping-pong around every round */
    BENCH_FLOOR = 1,
    BENCH_SUBJECT = 2,
    BENCH_PLACES = 3,
};

/* A case reads what concerns it. */
struct bench_setup {
    uint32_t size_bytes;  /* of a message; a multiple of 8 */
    uint32_t batch;       /* messages at a time; 0 and 1: singles */
    uint32_t subscribers; /* of the topic */
    uint32_t topics;      /* in a waitset; of a region */
    bool in_place;        /* loan and take, instead of publish and take_copy */
    bool threads;         /* each subscriber in a thread of its own */
    bool idle;            /* waitset: there is nothing to be found */
    bool serial;          /* raw: nothing is speculated past the poll */
    uint32_t delay_ns;    /* planted into each operation, to see the harness notice */
};

/* What a side gets to open its end of a case; stays valid until close. */
struct bench_context {
    struct bench_pair *pair;
    enum bench_side side;
    struct bench_setup setup;
    void *scratch;     /* BENCH_SCRATCH_BYTES of zeros, the same memory on both sides */
    char topic[64];    /* a name for this part alone */
    uint64_t fault_at; /* the message that the sender spoils (bench/payload.h); UINT64_MAX: none */
};

/*
 * Opened and closed in every round; the serving side opens first. A measure() sets the sample's `untimed`
 * to what it does beside `count`. Whatever goes wrong in a case ends the program through bench_die():
 * a benchmark that did not do what it says has no result.
 */
struct bench_case {
    void *(*open)(const struct bench_context *context);
    void (*measure)(void *state, uint64_t count, struct bench_sample *sample);
    void (*serve)(void *state,
                  uint64_t count); /* NULL: nobody is needed, and the other side sleeps */
    void (*close)(void *state);
    bool polls_proc; /* to see who sleeps: CPU time would be of that, and is not taken */
};

struct bench_part {
    const struct bench_case *what; /* NULL: none */
    struct bench_setup setup;
    uint64_t count; /* operations in one round of a full run */
};

enum bench_kind {
    BENCH_LATENCY, /* of single operations; ratio: time / floor's time, small is good */
    BENCH_RATE,    /* of streams; ratio: rate / floor's rate, large is good */
    BENCH_COST,    /* to one side; ratio: time / floor's time, small is good */
    BENCH_MEMORY,  /* bytes; measured once, without any floor */
};

/* The parameters of a scenario that is run by bench_pair_scenario_run(). */
struct bench_row {
    const char *contender;
    enum bench_party party;
    enum bench_kind kind;
    double target; /* of the ratio; 0: none */
    struct bench_part subject;
    struct bench_part floor; /* none: the raw probes of the round */
    const char *floor_name;  /* NULL: of the raw probes */
    /* Its place on a curve; NULL: none. */
    const char *series;
    const char *x_name;
    double x;
};

extern const struct bench_case bench_raw_ping_pong;   /* floors.c */
extern const struct bench_case bench_futex_ping_pong; /* floors.c */
extern const struct bench_case bench_event_ping_pong; /* floors.c */
extern const struct bench_case bench_clock_reading;   /* floors.c */
extern const struct bench_case bench_slot_store;      /* floor_stream.c */
extern const struct bench_case bench_slot_stream;     /* floor_stream.c */
extern const struct bench_case bench_memcpy_twice;    /* floor_copy.c */
extern const struct bench_case bench_memcpy_stream;   /* floor_copy.c */
extern const struct bench_case bench_futex_wake;      /* wake.c */
extern const struct bench_case bench_topic_wake;      /* wake.c */
extern const struct bench_case bench_topic_ping_pong; /* ping_pong.c */
extern const struct bench_case bench_topic_stream;    /* stream.c */
extern const struct bench_case bench_topic_publish;   /* publish.c */
extern const struct bench_case bench_spsc_ring;       /* spsc.c */
extern const struct bench_case bench_ck_ring;         /* spsc.c */

extern const struct bench_case bench_topic_fan_out;    /* growth/awake.c */
extern const struct bench_case bench_topic_asleep;     /* growth/asleep.c */
extern const struct bench_case bench_waitset;          /* growth/waitset.c */
extern const struct bench_case bench_attach;           /* growth/attach.c */
extern const struct bench_case bench_first_message;    /* growth/attach.c */
extern const struct bench_case bench_region_bytes;     /* growth/memory.c */
extern const struct bench_case bench_empty_bytes;      /* growth/memory.c */
extern const struct bench_case bench_topic_bytes;      /* growth/memory.c */
extern const struct bench_case bench_publisher_bytes;  /* growth/memory.c */
extern const struct bench_case bench_subscriber_bytes; /* growth/memory.c */

/* Operations that are done before any is timed. */
static inline uint64_t bench_warm_up(uint64_t count)
{
    return count / 8 + 16;
}

#endif
