/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/rows.h"

const struct bench_queue_row bench_queue_rows[] = {
    {"throughput/1:1/single", "1:1", BENCH_THROUGHPUT, 1, 1, BENCH_NOBODY, false},
    {"throughput/1:1/batch32", "1:1 ×32", BENCH_THROUGHPUT, 1, 32, BENCH_NOBODY, false},
    {"throughput/2:2/single", "2:2", BENCH_THROUGHPUT, 2, 1, BENCH_NOBODY, false},
    {"throughput/2:2/batch32", "2:2 ×32", BENCH_THROUGHPUT, 2, 32, BENCH_NOBODY, false},
    {"throughput/4:4/single", "4:4", BENCH_THROUGHPUT, 4, 1, BENCH_NOBODY, false},
    {"throughput/4:4/batch32", "4:4 ×32", BENCH_THROUGHPUT, 4, 32, BENCH_NOBODY, false},
    {"latency/4:4", "4:4", BENCH_PUSH_TO_POP, 4, 1, BENCH_NOBODY, false},
    {"latency/8:8", "8:8", BENCH_PUSH_TO_POP, 8, 1, BENCH_NOBODY, false},
    {"latency/busy/4:4", "4:4 busy", BENCH_PUSH_TO_POP, 4, 1, BENCH_NOBODY, true},
    {"latency/busy/8:8", "8:8 busy", BENCH_PUSH_TO_POP, 8, 1, BENCH_NOBODY, true},
    {"latency/stops/4:4", "4:4 stops", BENCH_PUSH_TO_POP, 4, 1, BENCH_ANYBODY, false},
    {"stopped/producer", "a producer", BENCH_STOPPED, 2, 1, BENCH_A_PRODUCER, false},
    {"stopped/consumer", "a consumer", BENCH_STOPPED, 2, 1, BENCH_A_CONSUMER, false},
    {.name = 0},
};
