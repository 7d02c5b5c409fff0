/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured, against what, and what is aimed at. docs/performance.md explains each.
 */
#include "bench/case.h"

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
    FAN_OUT = 60000,
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
#define FAN(many, in_threads)                                                                      \
    {                                                                                              \
        &bench_topic_fan_out, {.subscribers = (many), .threads = (in_threads)}, FAN_OUT            \
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
#define AGAINST_RAW                                                                                \
    {                                                                                              \
        NULL, {.size_bytes = 0}, 0                                                                 \
    }

/* clang-format off */
const struct bench_row bench_rows[] = {
    /* The harness itself: a floor against itself must give 1, a planted delay must show. */
    {"check/raw_itself", BENCH_LATENCY, 0, {&bench_raw_ping_pong, {.delay_ns = 0}, TRIPS}, AGAINST_RAW},
    {"check/raw_plus_100ns", BENCH_LATENCY, 0, {&bench_raw_ping_pong, {.delay_ns = 100}, TRIPS}, AGAINST_RAW},
    {"check/slots_itself/48", BENCH_RATE, 0, SLOTS(48), SLOTS(48)},

    {"floor/raw_serial", BENCH_LATENCY, 0, RAW_SERIAL, AGAINST_RAW},
    {"floor/slots/64", BENCH_RATE, 0, SLOTS(64), SLOTS(48)},
    {"floor/slot_store/48", BENCH_COST, 0, STORE, SLOTS(48)},
    {"floor/memcpy_stream/1024", BENCH_RATE, 0, COPIES(&bench_memcpy_stream, 1024, STREAM_KIB),
     COPIES(&bench_memcpy_twice, 1024, STREAM_KIB)},
    {"floor/memcpy_stream/65536", BENCH_RATE, 0, COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE),
     COPIES(&bench_memcpy_twice, 65536, STREAM_LARGE)},
    {"floor/futex_ping_pong", BENCH_LATENCY, 0, {&bench_futex_ping_pong, {.delay_ns = 0}, FUTEX_TRIPS}, AGAINST_RAW},
    {"floor/futex_wake", BENCH_LATENCY, 0, {&bench_futex_wake, {.delay_ns = 0}, WAKES}, AGAINST_RAW},

    {"ping_pong/copy/8", BENCH_LATENCY, 1.10, PING_PONG(8, false, TRIPS), AGAINST_RAW},
    {"ping_pong/copy/48", BENCH_LATENCY, 1.10, PING_PONG(48, false, TRIPS), AGAINST_RAW},
    {"ping_pong/copy/64", BENCH_LATENCY, 1.35, PING_PONG(64, false, TRIPS), AGAINST_RAW},
    {"ping_pong/copy/1024", BENCH_LATENCY, 0, PING_PONG(1024, false, TRIPS), AGAINST_RAW},
    {"ping_pong/copy/65536", BENCH_LATENCY, 0, PING_PONG(65536, false, TRIPS_LARGE), AGAINST_RAW},
    {"ping_pong/in_place/8", BENCH_LATENCY, 1.10, PING_PONG(8, true, TRIPS), AGAINST_RAW},
    {"ping_pong/in_place/48", BENCH_LATENCY, 1.10, PING_PONG(48, true, TRIPS), AGAINST_RAW},
    {"ping_pong/in_place/64", BENCH_LATENCY, 1.35, PING_PONG(64, true, TRIPS), AGAINST_RAW},
    {"ping_pong/in_place/1024", BENCH_LATENCY, 0, PING_PONG(1024, true, TRIPS), AGAINST_RAW},
    {"ping_pong/in_place/65536", BENCH_LATENCY, 0, PING_PONG(65536, true, TRIPS_LARGE), AGAINST_RAW},

    {"ping_pong/copy/8/serial", BENCH_LATENCY, 0, PING_PONG(8, false, TRIPS), RAW_SERIAL},
    {"ping_pong/copy/48/serial", BENCH_LATENCY, 0, PING_PONG(48, false, TRIPS), RAW_SERIAL},
    {"ping_pong/copy/64/serial", BENCH_LATENCY, 0, PING_PONG(64, false, TRIPS), RAW_SERIAL},
    {"ping_pong/in_place/48/serial", BENCH_LATENCY, 0, PING_PONG(48, true, TRIPS), RAW_SERIAL},

    {"stream/copy/single/48", BENCH_RATE, 0.35, TOPIC(48, 1, false, STREAM), SLOTS(48)},
    {"stream/copy/single/64", BENCH_RATE, 0.35, TOPIC(64, 1, false, STREAM), SLOTS(64)},
    {"stream/copy/batch32/64", BENCH_RATE, 0, TOPIC(64, 32, false, STREAM), SLOTS(64)},
    {"stream/in_place/single/48", BENCH_RATE, 0.35, TOPIC(48, 1, true, STREAM), SLOTS(48)},
    {"stream/in_place/single/64", BENCH_RATE, 0.35, TOPIC(64, 1, true, STREAM), SLOTS(64)},
    {"stream/in_place/batch32/48", BENCH_RATE, 0.5, TOPIC(48, 32, true, STREAM), SLOTS(48)},
    {"stream/in_place/batch32/64", BENCH_RATE, 0.5, TOPIC(64, 32, true, STREAM), SLOTS(64)},
    {"stream/copy/single/1024", BENCH_RATE, 0, TOPIC(1024, 1, false, STREAM_KIB),
     COPIES(&bench_memcpy_stream, 1024, STREAM_KIB)},
    {"stream/in_place/single/1024", BENCH_RATE, 0, TOPIC(1024, 1, true, STREAM_KIB),
     COPIES(&bench_memcpy_stream, 1024, STREAM_KIB)},
    {"stream/in_place/batch32/1024", BENCH_RATE, 0, TOPIC(1024, 32, true, STREAM_KIB),
     COPIES(&bench_memcpy_stream, 1024, STREAM_KIB)},
    {"stream/copy/single/65536", BENCH_RATE, 0.8, TOPIC(65536, 1, false, STREAM_LARGE),
     COPIES(&bench_memcpy_twice, 65536, STREAM_LARGE)},
    {"stream/copy/single/65536/two_processes", BENCH_RATE, 0.8, TOPIC(65536, 1, false, STREAM_LARGE),
     COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE)},
    {"stream/in_place/single/65536", BENCH_RATE, 0, TOPIC(65536, 1, true, STREAM_LARGE),
     COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE)},
    {"stream/in_place/batch4/65536", BENCH_RATE, 0, TOPIC(65536, 4, true, STREAM_LARGE),
     COPIES(&bench_memcpy_stream, 65536, STREAM_LARGE)},

    {"wake/topic", BENCH_LATENCY, 1.3, {&bench_topic_wake, {.delay_ns = 0}, WAKES},
     {&bench_futex_wake, {.delay_ns = 0}, WAKES}},

    {"spsc/single/8", BENCH_RATE, 1.2, SPSC(1, false), CK},
    {"spsc/batch32/8", BENCH_RATE, 1.5, SPSC(32, false), CK},
    {"spsc/in_place/batch32/8", BENCH_RATE, 1.5, SPSC(32, true), CK},

    {"fan_out/0", BENCH_COST, 0, FAN(0, false), STORE},
    {"fan_out/1", BENCH_COST, 0, FAN(1, false), FAN(0, false)},
    {"fan_out/4", BENCH_COST, 0, FAN(4, false), FAN(1, false)},
    {"fan_out/16", BENCH_COST, 1.2, FAN(16, false), FAN(1, false)},
    {"fan_out/threads/4", BENCH_COST, 0, FAN(4, true), FAN(1, true)},
    {"fan_out/threads/16", BENCH_COST, 1.2, FAN(16, true), FAN(1, true)},

    {"publish/alone/copy/single", BENCH_COST, 0, PUBLISH(1, false), STORE},
    {"publish/alone/in_place/single", BENCH_COST, 0, PUBLISH(1, true), STORE},
    {"publish/alone/copy/batch32", BENCH_COST, 0, PUBLISH(32, false), STORE},
    {"publish/alone/in_place/batch32", BENCH_COST, 0, PUBLISH(32, true), STORE},

    {NULL, BENCH_COST, 0, {NULL, {.size_bytes = 0}, 0}, AGAINST_RAW},
};
/* clang-format on */
