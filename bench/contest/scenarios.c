/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is contested. A full run of all of it takes some minutes with all peers, so each turn is short: what
 * a round has too few of, rounds make up for. How long one takes: plan.h.
 */
#include "bench/contest/contest.h"

#include "bench/contest/floor_slots.h"

#define SCENARIO(scenario_name, scenario_group, turn_ms, ...)                                      \
    SCENARIOS(scenario_name, NULL, scenario_group, turn_ms, __VA_ARGS__)

/* Two by the same turns. */
#define SCENARIOS(scenario_name, also_name, scenario_group, turn_ms, ...)                          \
    {                                                                                              \
        .name = scenario_name, .also = also_name, .group = scenario_group,                         \
        .run = bench_contest_run,                                                                  \
        .parameters = &(const struct bench_contest){.measure_ms = turn_ms, __VA_ARGS__},           \
    }

/* Turns that must be longer than others, of which there are fewer: of the longest messages most of a turn
 * is making memory, and seldom ones take their time. */
#define IS_LONG(bytes) ((bytes) >= 4194304)
#define IS_SELDOM(hz) ((hz) <= 1000)

/* ---- latency ---- */

#define LATENCY(title, bytes, turn_ms, ...)                                                        \
    SCENARIO("latency/" title, BENCH_GROUP_LATENCY, turn_ms, .mode = BENCH_PING_PONG,              \
             .pattern = BENCH_PATTERN_PAIR, .size_bytes = bytes, .half_rounds = IS_LONG(bytes),    \
             .warm_ms = IS_LONG(bytes) ? 8 : 0, .quantile = 0.5, .series = "round trip",           \
             .x_name = "message size [B]", .x = bytes, .floors = {__VA_ARGS__})

/* ---- by schedule ---- */

#define PACED_NOTE "from when each was due; p50 of a round"
#define PACED(title, paced_mode, hz, turn_ms, way)                                                 \
    SCENARIO("paced/" title, BENCH_GROUP_PACED, turn_ms, .mode = paced_mode,                       \
             .pattern = BENCH_PATTERN_PAIR, .size_bytes = 64, .rate_hz = hz, .is_busy = true,      \
             .quantile = 0.5, .series = "at a fixed rate, " way, .x_name = "messages/s", .x = hz,  \
             .floors = {&bench_floor_slots})

/* ---- throughput ---- */

#define STREAM(title, bytes, turn_ms, a_batch, lot, bytes_count, ...)                              \
    SCENARIO("throughput/" title, BENCH_GROUP_THROUGHPUT, turn_ms, .mode = BENCH_STREAM,           \
             .pattern = BENCH_PATTERN_PAIR, .size_bytes = bytes, .batch = a_batch,                 \
             .half_rounds = IS_LONG(bytes), .warm_ms = IS_LONG(bytes) ? 8 : 0,                     \
             .in_bytes = bytes_count, .series = "stream, " lot, .x_name = "message size [B]",      \
             .x = bytes, .floors = {__VA_ARGS__})

#define MESSAGES(title, bytes, turn_ms, a_batch, lot)                                              \
    STREAM(title, bytes, turn_ms, a_batch, lot, false, &bench_floor_slots, &bench_floor_copy)
#define VOLUME(title, bytes, turn_ms, a_batch, lot)                                                \
    STREAM(title, bytes, turn_ms, a_batch, lot, true, &bench_floor_copy, &bench_floor_slots)

/* ---- patterns ---- */

#define PATTERN(title, what, many_senders, many_receivers, said)                                   \
    SCENARIO("patterns/" title, BENCH_GROUP_PATTERNS, 20, .mode = BENCH_STREAM, .pattern = what,   \
             .size_bytes = 64, .senders = many_senders, .receivers = many_receivers, .note = said)

#define QUEUE(title, ends, a_batch, turn_ms, lot)                                                  \
    SCENARIO("patterns/queue/" title, BENCH_GROUP_PATTERNS, turn_ms, .mode = BENCH_STREAM,         \
             .pattern = BENCH_PATTERN_QUEUE, .size_bytes = 64, .senders = ends, .receivers = ends, \
             .batch = a_batch, .aim = (a_batch) == 1 ? BENCH_AIM_MEDIAN : BENCH_AIM_BEST,          \
             .series = "queue, " lot, .x_name = "senders, and as many receivers", .x = ends)

#define IN_QUEUE_NOTE                                                                              \
    "p99.9 of each round, without what senders lose between their sends, which is the scheduler's"

/* 500 000 messages a second by all together, with more processes than cores. */
#define TAIL(title, ends, busy, said)                                                              \
    SCENARIOS("patterns/tail/" title, "patterns/tail_in_queue/" title, BENCH_GROUP_PATTERNS, 28,   \
              .mode = BENCH_PACED, .pattern = BENCH_PATTERN_QUEUE, .size_bytes = 64,               \
              .senders = ends, .receivers = ends, .rate_hz = 500000, .is_busy = busy,              \
              .quantile = 0.999, .warm_ms = 6, .aim = BENCH_AIM_WEDGEABLE,                         \
              .note = "p99.9 of each round, from when each was due" said,                          \
              .note_in_queue = IN_QUEUE_NOTE said)

/* The same rate; one after the other is stopped. */
#define STOPS(title, ends)                                                                         \
    SCENARIOS("patterns/tail/" title, "patterns/tail_in_queue/" title, BENCH_GROUP_PATTERNS, 66,   \
              .mode = BENCH_PACED, .pattern = BENCH_PATTERN_QUEUE, .size_bytes = 64,               \
              .senders = ends, .receivers = ends, .rate_hz = 500000, .victim = BENCH_ANYBODY,      \
              .stop_ms = 5, .lead_ms = 15, .quantile = 0.999, .warm_ms = 6,                        \
              .aim = BENCH_AIM_WEDGEABLE,                                                          \
              .note = "p99.9 of each round, of messages of those who are not stopped",             \
              .note_in_queue = IN_QUEUE_NOTE "; of messages of those who are not stopped")

#define STOPPED(title, who, said)                                                                  \
    SCENARIO("patterns/stopped/" title, BENCH_GROUP_PATTERNS, 84, .mode = BENCH_STREAM,            \
             .pattern = BENCH_PATTERN_QUEUE, .size_bytes = 64, .senders = 2, .receivers = 2,       \
             .victim = who, .half_rounds = true, .stop_ms = 60, .lead_ms = 12, .warm_ms = 6,       \
             .note = said)

/* ---- waiting ---- */

#define WAITING(title, how, hz, turn_ms, ...)                                                      \
    SCENARIO("waiting/" title, BENCH_GROUP_WAITING, turn_ms, .mode = BENCH_PACED,                  \
             .pattern = BENCH_PATTERN_PAIR, .size_bytes = 64, .waiting = how, .rate_hz = hz,       \
             .is_busy = true, .quantile = 0.5, .half_rounds = IS_SELDOM(hz),                       \
             .note = "CPU time without the sender's waiting for when each is due",                 \
             .floors = {__VA_ARGS__})

const struct bench_scenario bench_contest_scenarios[] = {
    LATENCY("8", 8, 10, &bench_floor_line, &bench_floor_slots, &bench_floor_copy),
    LATENCY("64", 64, 10, &bench_floor_slots, &bench_floor_copy),
    LATENCY("1024", 1024, 10, &bench_floor_slots, &bench_floor_copy),
    LATENCY("65536", 65536, 10, &bench_floor_slots, &bench_floor_copy),
    LATENCY("1048576", 1048576, 15, &bench_floor_slots, &bench_floor_copy),
    LATENCY("4194304", 4194304, 30, &bench_floor_slots, &bench_floor_copy),

    PACED("oneway/10k", BENCH_PACED, 10000, 20, "one way"),
    PACED("oneway/100k", BENCH_PACED, 100000, 16, "one way"),
    PACED("oneway/1M", BENCH_PACED, 1000000, 16, "one way"),
    PACED("echo/10k", BENCH_ECHO, 10000, 20, "there and back"),
    PACED("echo/100k", BENCH_ECHO, 100000, 16, "there and back"),

    MESSAGES("8/single", 8, 8, 1, "singles"),
    MESSAGES("8/batch32", 8, 8, 32, "batches of 32"),
    MESSAGES("64/single", 64, 8, 1, "singles"),
    MESSAGES("64/batch32", 64, 8, 32, "batches of 32"),
    MESSAGES("512/single", 512, 8, 1, "singles"),
    MESSAGES("512/batch32", 512, 8, 32, "batches of 32"),
    VOLUME("4096/single", 4096, 8, 1, "singles"),
    VOLUME("4096/batch32", 4096, 8, 32, "batches of 32"),
    VOLUME("65536/single", 65536, 12, 1, "singles"),
    VOLUME("1048576/single", 1048576, 16, 1, "singles"),
    VOLUME("4194304/single", 4194304, 32, 1, "singles"),

    PATTERN("1to4", BENCH_PATTERN_FAN_OUT, 1, 4, "what all four receivers get together"),
    PATTERN("4to1", BENCH_PATTERN_FAN_IN, 4, 1, "what all four senders send together"),
    PATTERN("4to4", BENCH_PATTERN_MESH, 4, 4, "what all four receivers get together"),
    PATTERN("latest", BENCH_PATTERN_LATEST, 1, 1,
            "how many different values the receiver sees, of a sender that never waits"),

    QUEUE("1:1/single", 1, 1, 12, "singles"),
    QUEUE("1:1/batch32", 1, 32, 12, "batches of 32"),
    QUEUE("2:2/single", 2, 1, 16, "singles"),
    QUEUE("2:2/batch32", 2, 32, 16, "batches of 32"),
    QUEUE("4:4/single", 4, 1, 16, "singles"),
    QUEUE("4:4/batch32", 4, 32, 16, "batches of 32"),
    QUEUE("8:8/single", 8, 1, 16, "singles"),
    QUEUE("8:8/batch32", 8, 32, 16, "batches of 32"),
    TAIL("4:4", 4, false, ""),
    TAIL("8:8", 8, false, ""),
    TAIL("busy/4:4", 4, true, "; senders keep the CPU while they wait"),
    TAIL("busy/8:8", 8, true, "; senders keep the CPU while they wait"),
    STOPS("stops/4:4", 4),
    STOPPED("producer", BENCH_A_SENDER,
            "how long nobody got a message of the others, while one of two senders was stopped"),
    STOPPED("consumer", BENCH_A_RECEIVER,
            "how long nobody got a message, while one of two receivers was stopped"),

    WAITING("spin/1k", BENCH_SPIN, 1000, 36, &bench_floor_slots),
    WAITING("spin/50k", BENCH_SPIN, 50000, 15, &bench_floor_slots),
    WAITING("spin_sleep/1k", BENCH_SPIN_SLEEP, 1000, 36, &bench_floor_futex),
    WAITING("spin_sleep/50k", BENCH_SPIN_SLEEP, 50000, 15, &bench_floor_futex),
    WAITING("block/1k", BENCH_BLOCK, 1000, 36, &bench_floor_futex),
    WAITING("block/50k", BENCH_BLOCK, 50000, 15, &bench_floor_futex),
    WAITING("epoll/1k", BENCH_EPOLL, 1000, 36, &bench_floor_eventfd),
    WAITING("epoll/50k", BENCH_EPOLL, 50000, 15, &bench_floor_eventfd),
    {.name = NULL},
};
