/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal-bench-queues [ROUNDS]: throughput of queues between processes, in interleaved rounds, so that
 * what else the machine does meets all of them. n:n are producers and consumers, spread over the first
 * two CPUs; each run lasts a set time and counts what came out, for some of them all but stop when
 * there are more processes than CPUs.
 */
#include "bench/peers/queues.h"

#include "core/atomic.h"
#include "core/cpu.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENDS_MAX = 4, SHAPES = 6, ROUNDS_MAX = 99, SETTLE_US = 20000, RUN_US = 150000 };

static const struct queues_peer *const peers[QUEUES_PEERS] = {
    &queues_peal, &queues_rte, &queues_rte_rts, &queues_ck, &queues_vyukov, &queues_boost};

static const struct shape {
    const char *name;
    unsigned ends;
    size_t batch;
} shapes[SHAPES] = {{"1:1", 1, 1},      {"1:1 x32", 1, 32}, {"2:2", 2, 1},
                    {"2:2 x32", 2, 32}, {"4:4", 4, 1},      {"4:4 x32", 4, 32}};

struct control {
    _Alignas(PEAL_WRITER_BYTES) peal_u32 ready;
    _Alignas(PEAL_WRITER_BYTES) peal_u32 go;
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u64 count;
    } popped[ENDS_MAX];
};

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *share(size_t size_bytes)
{
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

static void pause_a_little(unsigned *times)
{
    if (++*times % 64 == 0)
        (void)sched_yield();
    else
        peal_cpu_relax();
}

/* A process of a run, until it is killed. */
static void be_end(const struct queues_peer *peer, void *memory, struct control *control,
                   const struct shape *shape, unsigned self)
{
    struct queues_message messages[QUEUES_BATCH_MAX] = {0};
    bool pushes = self < shape->ends;
    unsigned pauses = 0;
    uint64_t count = 0;
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET((pushes ? self : self - shape->ends + 1) % 2, &cpu);
    (void)sched_setaffinity(0, sizeof(cpu), &cpu);
    void *end = peer->open(memory, pushes);
    /* relaxed: it says when to begin and nothing else */
    (void)peal_u32_add_relaxed(&control->ready, 1);
    while (peal_u32_load_relaxed(&control->go) == 0) /* relaxed: as above */
        (void)sched_yield();
    for (;;) {
        size_t done = pushes ? peer->push(end, messages, shape->batch)
                             : peer->pop(end, messages, shape->batch);
        count += done;
        if (!pushes) /* relaxed: a figure */
            peal_u64_store_relaxed(&control->popped[self - shape->ends].count, count);
        if (done == 0)
            pause_a_little(&pauses);
    }
}

static uint64_t popped(const struct control *control)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < ENDS_MAX; i++)
        sum += peal_u64_load_relaxed(&control->popped[i].count); /* relaxed: a figure */
    return sum;
}

/* Million messages a second. */
static double run(const struct queues_peer *peer, const struct shape *shape)
{
    size_t memory_bytes = peer->memory_bytes + PEAL_WRITER_BYTES;
    void *memory = share(memory_bytes);
    struct control *control = share(sizeof(*control));
    pid_t pids[2 * ENDS_MAX];
    peer->init(memory);
    for (unsigned i = 0; i < 2 * shape->ends; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            be_end(peer, memory, control, shape, i);
    }
    while (peal_u32_load_relaxed(&control->ready) < 2 * shape->ends) /* relaxed: as there */
        (void)usleep(100);
    peal_u32_store_relaxed(&control->go, 1); /* relaxed: as there */
    (void)usleep(SETTLE_US);
    double begin_s = now_s();
    uint64_t before = popped(control);
    (void)usleep(RUN_US);
    uint64_t after = popped(control);
    double rate = (double)(after - before) / (now_s() - begin_s) * 1e-6;
    for (unsigned i = 0; i < 2 * shape->ends; i++)
        (void)kill(pids[i], SIGKILL);
    for (unsigned i = 0; i < 2 * shape->ends; i++)
        (void)waitpid(pids[i], NULL, 0);
    (void)munmap(memory, memory_bytes);
    (void)munmap(control, sizeof(*control));
    return rate;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static double rates[QUEUES_PEERS][SHAPES][ROUNDS_MAX];
    long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
    if (wanted < 1 || wanted > ROUNDS_MAX) {
        fprintf(stderr, "peal-bench-queues: give 1 to %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    size_t rounds = (size_t)wanted;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t shape = 0; shape < SHAPES; shape++) {
            for (size_t i = 0; i < QUEUES_PEERS; i++) {
                size_t peer = (i + round) % QUEUES_PEERS;
                rates[peer][shape][round] = run(peers[peer], &shapes[shape]);
            }
        }
    }
    printf("%-24s", "Mmsg/s: median [min max]");
    for (size_t shape = 0; shape < SHAPES; shape++)
        printf(" %20s", shapes[shape].name);
    for (size_t peer = 0; peer < QUEUES_PEERS; peer++) {
        printf("\n%-24s", peers[peer]->name);
        for (size_t shape = 0; shape < SHAPES; shape++) {
            double *sorted = rates[peer][shape];
            qsort(sorted, rounds, sizeof(*sorted), by_value);
            printf(" %6.2f [%5.2f %5.1f]", sorted[rounds / 2], sorted[0], sorted[rounds - 1]);
        }
    }
    printf("\n");
    queues_peal.init(NULL); /* removes the region's name */
    return 0;
}
