/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What costs grow with. Most are points of a curve.
 */
#include "bench/case.h"
#include "bench/rounds.h"

#include <stddef.h>

/* Operations of one round. */
enum {
    PUBLISHES = 60000,
    SLEEPS = 40,
    LOOKS = 2000,
    ATTACHES = 40,
};

#define GROWTH(title, full_seconds, ...)                                                           \
    {                                                                                              \
        .name = "growth/" title, .group = BENCH_GROUP_GROWTH, .seconds = full_seconds,             \
        .run = bench_pair_scenario_run, .parameters = &(const struct bench_row)                    \
        {                                                                                          \
            .contender = "peal", .party = BENCH_PARTY_PEAL, __VA_ARGS__                            \
        }                                                                                          \
    }

#define FAN(many, in_threads)                                                                      \
    {                                                                                              \
        &bench_topic_fan_out, {.subscribers = (many), .threads = (in_threads)}, PUBLISHES          \
    }
#define AWAKE(many, aim)                                                                           \
    GROWTH("fan_out/" #many, 0.6, .kind = BENCH_COST, .target = (aim),                             \
           .subject = FAN(many, false), .floor = FAN(1, false), .floor_name = "one subscriber",    \
           .series = "publish, subscribers awake", .x_name = "subscribers", .x = (many))
#define AWAKE_THREADS(many, aim)                                                                   \
    GROWTH("fan_out/threads/" #many, 0.6, .kind = BENCH_COST, .target = (aim),                     \
           .subject = FAN(many, true), .floor = FAN(1, true), .floor_name = "one subscriber",      \
           .series = "publish, subscribers awake in threads", .x_name = "subscribers",             \
           .x = (many))
#define ASLEEP(many, seconds)                                                                      \
    GROWTH("asleep/" #many, seconds, .kind = BENCH_COST,                                           \
           .subject = {&bench_topic_asleep, {.subscribers = (many)}, SLEEPS},                      \
           .series = "publish, subscribers asleep", .x_name = "subscribers", .x = (many))
#define WAITSET(way, many, nothing, words)                                                         \
    GROWTH("waitset/" way "/" #many, 0.5, .kind = BENCH_COST,                                      \
           .subject = {&bench_waitset, {.topics = (many), .idle = (nothing)}, LOOKS},              \
           .series = "waitset, " words, .x_name = "topics", .x = (many))
#define MEMORY(name, what, ...)                                                                    \
    GROWTH("memory/" name, 0.05, .kind = BENCH_MEMORY, .subject = {what, {__VA_ARGS__}, 1})
#define EMPTY(many)                                                                                \
    GROWTH("memory/empty_region/" #many, 0.05, .kind = BENCH_MEMORY,                               \
           .subject = {&bench_empty_bytes, {.topics = (many)}, 1},                                 \
           .series = "memory of an empty region", .x_name = "topics, at most", .x = (many))
#define PUBLISHER(size)                                                                            \
    GROWTH("memory/publisher/" #size, 0.05, .kind = BENCH_MEMORY,                                  \
           .subject = {&bench_publisher_bytes, {.size_bytes = (size), .topics = 16}, 1},           \
           .series = "memory of a publisher, 1024 deep", .x_name = "message size [B]",             \
           .x = (size))

const struct bench_scenario bench_growth_scenarios[] = {
    AWAKE(0, 0),
    AWAKE(1, 0),
    AWAKE(2, 0),
    AWAKE(4, 0),
    AWAKE(8, 0),
    AWAKE(16, 1.2),
    AWAKE(32, 0),
    AWAKE_THREADS(4, 0),
    AWAKE_THREADS(16, 1.2),

    ASLEEP(1, 0.6),
    ASLEEP(2, 0.6),
    ASLEEP(4, 0.6),
    ASLEEP(8, 0.7),
    ASLEEP(16, 0.8),
    ASLEEP(32, 1.1),

    WAITSET("finds_one", 1, false, "finds one message"),
    WAITSET("finds_one", 10, false, "finds one message"),
    WAITSET("finds_one", 100, false, "finds one message"),
    WAITSET("finds_one", 1000, false, "finds one message"),
    WAITSET("finds_nothing", 1, true, "finds nothing"),
    WAITSET("finds_nothing", 10, true, "finds nothing"),
    WAITSET("finds_nothing", 100, true, "finds nothing"),
    WAITSET("finds_nothing", 1000, true, "finds nothing"),

    GROWTH("attach", 0.8, .kind = BENCH_LATENCY,
           .subject = {&bench_attach, {.size_bytes = 0}, ATTACHES}),
    GROWTH("first_message", 0.9, .kind = BENCH_LATENCY,
           .subject = {&bench_first_message, {.size_bytes = 0}, ATTACHES}),

    MEMORY("region", &bench_region_bytes, .topics = 0),
    EMPTY(16),
    EMPTY(256),
    EMPTY(4096),
    MEMORY("topic", &bench_topic_bytes, .topics = 0),
    MEMORY("subscriber", &bench_subscriber_bytes, .topics = 16),
    PUBLISHER(48),
    PUBLISHER(1024),
    PUBLISHER(65536),

    {.name = NULL},
};
