/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peal against its floors: what is measured, against what, and what is aimed at. docs/performance.md explains
 * each.
 */
#include "bench/case.h"
#include "bench/rounds.h"

#include <stddef.h>

/* Operations of one round: some tens of milliseconds each. */
enum {
    TRIPS = 40000,
    TRIPS_LARGE = 600,
    STORES = 400000,
    STREAM = 300000,
    STREAM_KIB = 40000,
    STREAM_LARGE = 2000,
    WAKES = 200,
    FUTEX_TRIPS = 1500,
    ELEMENTS = 1000000,
    READINGS = 200000,
};

#define SLOTS(size)                                                                                \
    {                                                                                              \
        &bench_slot_stream, {.size_bytes = (size)}, STREAM                                         \
    }
#define COPIES(what, size, count)                                                                  \
    {                                                                                              \
        what, {.size_bytes = (size)}, count                                                        \
    }
#define PING_PONG(size, place, count)                                                              \
    {                                                                                              \
        &bench_topic_ping_pong, {.size_bytes = (size), .in_place = (place)}, count                 \
    }
#define TOPIC(size, many, place, count)                                                            \
    {                                                                                              \
        &bench_topic_stream, {.size_bytes = (size), .batch = (many), .in_place = (place)}, count   \
    }
#define PUBLISH(many, place)                                                                       \
    {                                                                                              \
        &bench_topic_publish, {.batch = (many), .in_place = (place)}, STORES                       \
    }
#define SPSC(many, place)                                                                          \
    {                                                                                              \
        &bench_spsc_ring, {.batch = (many), .in_place = (place)}, ELEMENTS                         \
    }
#define CK                                                                                         \
    {                                                                                              \
        &bench_ck_ring, {.batch = 0}, ELEMENTS                                                     \
    }
#define STORE                                                                                      \
    {                                                                                              \
        &bench_slot_store, {.size_bytes = 48}, STORES                                              \
    }
#define RAW_SERIAL                                                                                 \
    {                                                                                              \
        &bench_raw_ping_pong, {.serial = true}, TRIPS                                              \
    }
#define AGAINST_RAW {NULL, {.size_bytes = 0}, 0}, NULL

/* The curve that a row is a point of. */
#define NO_CURVE NULL, NULL, 0
#define BY_SIZE(way, size) "ping-pong against the raw one, " way, "message size [B]", size

/* The group is the first word of the name. */
#define ROW(in_group, its_name, full_seconds, ...)                                                 \
    {                                                                                              \
        .name = its_name, .group = in_group, .seconds = full_seconds,                              \
        .run = bench_pair_scenario_run, .parameters = &(const struct bench_row)                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define FLOOR(name, seconds, ...) ROW(BENCH_GROUP_FLOORS, "floors/" name, seconds, __VA_ARGS__)
#define LATENCY(name, seconds, ...) ROW(BENCH_GROUP_LATENCY, "latency/" name, seconds, __VA_ARGS__)
#define RATE(name, seconds, ...)                                                                   \
    ROW(BENCH_GROUP_THROUGHPUT, "throughput/" name, seconds, __VA_ARGS__)
#define WAITING(name, seconds, ...) ROW(BENCH_GROUP_WAITING, "waiting/" name, seconds, __VA_ARGS__)

#define COPY "peal topic, copy", BENCH_PARTY_PEAL
#define LOAN "peal topic, loan", BENCH_PARTY_PEAL
#define RING "peal spsc", BENCH_PARTY_PEAL
#define BARE(name) name, BENCH_PARTY_FLOOR

/* clang-format off */
const struct bench_scenario bench_pair_scenarios[] = {
    FLOOR("check/raw_itself", 0.65, BARE("raw ping-pong"), BENCH_LATENCY, 0, {&bench_raw_ping_pong, {.delay_ns = 0}, TRIPS},
        AGAINST_RAW, NO_CURVE),
    FLOOR("check/raw_plus_100ns", 0.7, BARE("raw ping-pong, delayed"), BENCH_LATENCY, 0, {&bench_raw_ping_pong, {.delay_ns = 100}, TRIPS},
        AGAINST_RAW, NO_CURVE),
    FLOOR("check/slots_itself/48", 0.5, BARE("bare slots"), BENCH_RATE, 0, SLOTS(48),
        SLOTS(48), "bare slots", NO_CURVE),

    FLOOR("raw_serial", 0.65, BARE("raw ping-pong, fenced"), BENCH_LATENCY, 0, RAW_SERIAL,
        AGAINST_RAW, NO_CURVE),
    FLOOR("slots/64", 0.5, BARE("bare slots"), BENCH_RATE, 0, SLOTS(64),
        SLOTS(48), "bare slots", NO_CURVE),
    FLOOR("slot_store/48", 0.5, BARE("slot store"), BENCH_COST, 0, STORE,
        SLOTS(48), "bare slots", NO_CURVE),
    FLOOR("memcpy_stream/1024", 0.7, BARE("memcpy, two processes"), BENCH_RATE, 0, COPIES(&bench_memcpy_stream, 1024, STREAM_KIB),
        COPIES(&bench_memcpy_twice, 1024, STREAM_KIB), "memcpy twice", NO_CURVE),
    FLOOR("memcpy_stream/65536", 0.7, BARE("memcpy, two processes"), BENCH_RATE, 0, COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE),
        COPIES(&bench_memcpy_twice, 65536, STREAM_LARGE), "memcpy twice", NO_CURVE),
    FLOOR("futex_ping_pong", 1.4, BARE("futex"), BENCH_LATENCY, 0, {&bench_futex_ping_pong, {.delay_ns = 0}, FUTEX_TRIPS},
        AGAINST_RAW, NO_CURVE),
    FLOOR("futex_wake", 0.6, BARE("futex wake"), BENCH_LATENCY, 0, {&bench_futex_wake, {.delay_ns = 0}, WAKES},
        AGAINST_RAW, NO_CURVE),

    LATENCY("ping_pong/copy/8", 0.6, COPY, BENCH_LATENCY, 1.10, PING_PONG(8, false, TRIPS),
        AGAINST_RAW, BY_SIZE("copy", 8)),
    LATENCY("ping_pong/copy/48", 0.6, COPY, BENCH_LATENCY, 1.10, PING_PONG(48, false, TRIPS),
        AGAINST_RAW, BY_SIZE("copy", 48)),
    LATENCY("ping_pong/copy/64", 0.6, COPY, BENCH_LATENCY, 1.35, PING_PONG(64, false, TRIPS),
        AGAINST_RAW, BY_SIZE("copy", 64)),
    LATENCY("ping_pong/copy/1024", 1.1, COPY, BENCH_LATENCY, 0, PING_PONG(1024, false, TRIPS),
        AGAINST_RAW, BY_SIZE("copy", 1024)),
    LATENCY("ping_pong/copy/65536", 0.6, COPY, BENCH_LATENCY, 0, PING_PONG(65536, false, TRIPS_LARGE),
        AGAINST_RAW, BY_SIZE("copy", 65536)),
    LATENCY("ping_pong/in_place/8", 0.6, LOAN, BENCH_LATENCY, 1.10, PING_PONG(8, true, TRIPS),
        AGAINST_RAW, BY_SIZE("loan", 8)),
    LATENCY("ping_pong/in_place/48", 0.6, LOAN, BENCH_LATENCY, 1.10, PING_PONG(48, true, TRIPS),
        AGAINST_RAW, BY_SIZE("loan", 48)),
    LATENCY("ping_pong/in_place/64", 0.6, LOAN, BENCH_LATENCY, 1.35, PING_PONG(64, true, TRIPS),
        AGAINST_RAW, BY_SIZE("loan", 64)),
    LATENCY("ping_pong/in_place/1024", 1.1, LOAN, BENCH_LATENCY, 0, PING_PONG(1024, true, TRIPS),
        AGAINST_RAW, BY_SIZE("loan", 1024)),
    LATENCY("ping_pong/in_place/65536", 0.6, LOAN, BENCH_LATENCY, 0, PING_PONG(65536, true, TRIPS_LARGE),
        AGAINST_RAW, BY_SIZE("loan", 65536)),
    LATENCY("ping_pong/copy/8/serial", 1.1, COPY, BENCH_LATENCY, 0, PING_PONG(8, false, TRIPS),
        RAW_SERIAL, "raw ping-pong, fenced", NO_CURVE),
    LATENCY("ping_pong/copy/48/serial", 1.1, COPY, BENCH_LATENCY, 0, PING_PONG(48, false, TRIPS),
        RAW_SERIAL, "raw ping-pong, fenced", NO_CURVE),
    LATENCY("ping_pong/copy/64/serial", 1.1, COPY, BENCH_LATENCY, 0, PING_PONG(64, false, TRIPS),
        RAW_SERIAL, "raw ping-pong, fenced", NO_CURVE),
    LATENCY("ping_pong/in_place/48/serial", 1.1, LOAN, BENCH_LATENCY, 0, PING_PONG(48, true, TRIPS),
        RAW_SERIAL, "raw ping-pong, fenced", NO_CURVE),

    RATE("stream/copy/single/48", 0.6, COPY, BENCH_RATE, 0.35, TOPIC(48, 1, false, STREAM),
        SLOTS(48), "bare slots", NO_CURVE),
    RATE("stream/copy/single/64", 0.6, COPY, BENCH_RATE, 0.35, TOPIC(64, 1, false, STREAM),
        SLOTS(64), "bare slots", NO_CURVE),
    RATE("stream/copy/batch32/64", 0.6, COPY, BENCH_RATE, 0, TOPIC(64, 32, false, STREAM),
        SLOTS(64), "bare slots", NO_CURVE),
    RATE("stream/in_place/single/48", 0.6, LOAN, BENCH_RATE, 0.35, TOPIC(48, 1, true, STREAM),
        SLOTS(48), "bare slots", NO_CURVE),
    RATE("stream/in_place/single/64", 0.6, LOAN, BENCH_RATE, 0.35, TOPIC(64, 1, true, STREAM),
        SLOTS(64), "bare slots", NO_CURVE),
    RATE("stream/in_place/batch32/48", 0.6, LOAN, BENCH_RATE, 0.5, TOPIC(48, 32, true, STREAM),
        SLOTS(48), "bare slots", NO_CURVE),
    RATE("stream/in_place/batch32/64", 0.6, LOAN, BENCH_RATE, 0.5, TOPIC(64, 32, true, STREAM),
        SLOTS(64), "bare slots", NO_CURVE),
    RATE("stream/copy/single/1024", 0.6, COPY, BENCH_RATE, 0, TOPIC(1024, 1, false, STREAM_KIB),
        COPIES(&bench_memcpy_stream, 1024, STREAM_KIB), "memcpy, two processes", NO_CURVE),
    RATE("stream/in_place/single/1024", 0.6, LOAN, BENCH_RATE, 0, TOPIC(1024, 1, true, STREAM_KIB),
        COPIES(&bench_memcpy_stream, 1024, STREAM_KIB), "memcpy, two processes", NO_CURVE),
    RATE("stream/in_place/batch32/1024", 0.6, LOAN, BENCH_RATE, 0, TOPIC(1024, 32, true, STREAM_KIB),
        COPIES(&bench_memcpy_stream, 1024, STREAM_KIB), "memcpy, two processes", NO_CURVE),
    RATE("stream/copy/single/65536", 0.6, COPY, BENCH_RATE, 0.8, TOPIC(65536, 1, false, STREAM_LARGE),
        COPIES(&bench_memcpy_twice, 65536, STREAM_LARGE), "memcpy twice", NO_CURVE),
    RATE("stream/copy/single/65536/two_processes", 0.85, COPY, BENCH_RATE, 0.8, TOPIC(65536, 1, false, STREAM_LARGE),
        COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE), "memcpy, two processes", NO_CURVE),
    RATE("stream/in_place/single/65536", 0.85, LOAN, BENCH_RATE, 0, TOPIC(65536, 1, true, STREAM_LARGE),
        COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE), "memcpy, two processes", NO_CURVE),
    RATE("stream/in_place/batch4/65536", 0.85, LOAN, BENCH_RATE, 0, TOPIC(65536, 4, true, STREAM_LARGE),
        COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE), "memcpy, two processes", NO_CURVE),

    WAITING("wake/topic", 1.1, COPY, BENCH_LATENCY, 1.3, {&bench_topic_wake, {.delay_ns = 0}, WAKES},
        {&bench_futex_wake, {.delay_ns = 0}, WAKES}, "futex wake", NO_CURVE),

    RATE("spsc/single/8", 1.1, RING, BENCH_RATE, 1.2, SPSC(1, false),
        CK, "ck_ring", NO_CURVE),
    RATE("spsc/batch32/8", 1.1, RING, BENCH_RATE, 1.5, SPSC(32, false),
        CK, "ck_ring", NO_CURVE),
    RATE("spsc/in_place/batch32/8", 1.1, RING, BENCH_RATE, 1.5, SPSC(32, true),
        CK, "ck_ring", NO_CURVE),

    RATE("publish/alone/copy/single", 0.6, COPY, BENCH_COST, 0, PUBLISH(1, false),
        STORE, "slot store", NO_CURVE),
    RATE("publish/alone/in_place/single", 0.6, LOAN, BENCH_COST, 0, PUBLISH(1, true),
        STORE, "slot store", NO_CURVE),
    RATE("publish/alone/copy/batch32", 0.6, COPY, BENCH_COST, 0, PUBLISH(32, false),
        STORE, "slot store", NO_CURVE),
    RATE("publish/alone/in_place/batch32", 0.6, LOAN, BENCH_COST, 0, PUBLISH(32, true),
        STORE, "slot store", NO_CURVE),

    FLOOR("eventfd_ping_pong", 1.7, BARE("eventfd"), BENCH_LATENCY, 0, {&bench_event_ping_pong, {.delay_ns = 0}, FUTEX_TRIPS},
        AGAINST_RAW, NO_CURVE),
    FLOOR("clock", 0.5, BARE("one reading"), BENCH_COST, 0, {&bench_clock_reading, {.delay_ns = 0}, READINGS},
        AGAINST_RAW, NO_CURVE),
    FLOOR("memcpy/64", 0.5, BARE("memcpy twice"), BENCH_RATE, 0, COPIES(&bench_memcpy_twice, 64, STREAM_KIB),
        SLOTS(64), "bare slots", NO_CURVE),
    FLOOR("memcpy/1024", 0.5, BARE("memcpy twice"), BENCH_RATE, 0, COPIES(&bench_memcpy_twice, 1024, STREAM_KIB),
        AGAINST_RAW, NO_CURVE),
    FLOOR("memcpy/65536", 0.5, BARE("memcpy twice"), BENCH_RATE, 0, COPIES(&bench_memcpy_twice, 65536, STREAM_LARGE),
        AGAINST_RAW, NO_CURVE),

    {.name = NULL},
};
/* clang-format on */
