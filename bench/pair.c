/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/pair.h"

#include "bench/cpus.h"
#include "bench/futex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool bench_one_core;

enum bench_verb {
    VERB_OPEN = 1,
    VERB_RUN = 2,
    VERB_CLOSE = 3,
    VERB_END = 4,
};

void bench_die(const char *format, ...)
{
    va_list arguments;

    fputs("peal-bench: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1); /* not exit(): the supervisor clears up, and the other side may be in the middle */
}

void *bench_allocate(size_t size_bytes)
{
    size_t rounded_bytes = (size_bytes + PEAL_WRITER_BYTES - 1) & ~(size_t)(PEAL_WRITER_BYTES - 1);
    void *memory = aligned_alloc(PEAL_WRITER_BYTES, rounded_bytes);

    if (memory == NULL)
        bench_die("not enough memory for %zu bytes", size_bytes);
    return memset(memory, 0, rounded_bytes);
}

void bench_pair_init(struct bench_pair *pair)
{
    pair->shared = mmap(NULL, sizeof *pair->shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (pair->shared == MAP_FAILED)
        bench_die("cannot map %zu bytes: %s", sizeof *pair->shared, strerror(errno));
    bench_cpus_choose(pair->cpus);
    bench_one_core = pair->cpus[0] == pair->cpus[1];
}

void bench_pair_join(struct bench_pair *pair, enum bench_side side)
{
    pair->side = side;
    if (!bench_cpu_bind(pair->cpus[side]))
        bench_die("cannot run on CPU %d: %s; name two others with --cpus A,B", pair->cpus[side],
                  strerror(errno));
}

static const struct bench_part *find_part(size_t row, enum bench_place place)
{
    static const struct bench_part raw = {.what = &bench_raw_ping_pong};

    if (place == BENCH_RAW)
        return &raw;
    return place == BENCH_FLOOR ? &bench_rows[row].floor : &bench_rows[row].subject;
}

static void open_part(struct bench_pair *pair, size_t row, enum bench_place place)
{
    static const char *const names[BENCH_PLACES] = {"raw", "floor", "subject"};
    const struct bench_part *part = find_part(row, place);
    struct bench_context *context = &pair->contexts[place];

    *context = (struct bench_context){.pair = pair,
                                      .side = pair->side,
                                      .setup = part->setup,
                                      .scratch = pair->shared->scratch[place]};
    snprintf(context->topic, sizeof context->topic, "%s.%.32s", names[place], bench_rows[row].name);
    if (pair->side == BENCH_SERVING)
        memset(context->scratch, 0, BENCH_SCRATCH_BYTES);
    pair->states[place] = part->what->open(context);
}

static void give_order(struct bench_pair *pair, enum bench_verb verb, size_t row,
                       enum bench_place place, uint64_t count)
{
    struct bench_shared *shared = pair->shared;

    /* relaxed: the serving side reads them after it has seen the order */
    peal_u64_store_relaxed(&shared->measuring.verb, verb);
    peal_u64_store_relaxed(&shared->measuring.row, row);
    peal_u64_store_relaxed(&shared->measuring.place, place);
    peal_u64_store_relaxed(&shared->measuring.count, count);
    bench_futex_post(&shared->measuring.order, ++pair->orders);
}

static void await_done(struct bench_pair *pair)
{
    if (!bench_futex_await(&pair->shared->serving.done, pair->orders))
        bench_die("the serving side does not answer");
}

void bench_pair_serve(struct bench_pair *pair)
{
    struct bench_shared *shared = pair->shared;

    for (;;) {
        if (!bench_futex_await(&shared->measuring.order, pair->orders + 1))
            continue; /* a long single-process part; the supervisor knows when it is too long */
        pair->orders++;
        /* relaxed: ordered by the order that has been seen */
        uint64_t verb = peal_u64_load_relaxed(&shared->measuring.verb);
        size_t row = (size_t)peal_u64_load_relaxed(&shared->measuring.row);
        uint64_t number = peal_u64_load_relaxed(&shared->measuring.place);
        uint64_t count = peal_u64_load_relaxed(&shared->measuring.count);
        if (verb == VERB_END || number >= BENCH_PLACES)
            break;
        enum bench_place place = (enum bench_place)number;
        const struct bench_case *what = find_part(row, place)->what;
        if (verb == VERB_OPEN) {
            open_part(pair, row, place);
        } else if (verb == VERB_RUN) {
            bench_pair_meet(pair);
            what->serve(pair->states[place], count);
        } else if (verb == VERB_CLOSE) {
            what->close(pair->states[place]);
        }
        bench_futex_post(&shared->serving.done, pair->orders);
    }
}

void bench_pair_open(struct bench_pair *pair, size_t row, enum bench_place place)
{
    give_order(pair, VERB_OPEN, row, place, 0);
    await_done(pair);
    open_part(pair, row, place);
}

void bench_pair_run(struct bench_pair *pair, size_t row, enum bench_place place, uint64_t count,
                    struct bench_sample *sample)
{
    const struct bench_case *what = find_part(row, place)->what;

    bench_word_add(&pair->shared->progress.word, 1);
    bench_sample_clear(sample);
    if (!bench_sample_reserve(sample, (size_t)count))
        bench_die("not enough memory for %" PRIu64 " samples", count);
    if (what->serve == NULL) {
        what->measure(pair->states[place], count, sample);
        return;
    }
    give_order(pair, VERB_RUN, row, place, count);
    bench_pair_meet(pair);
    what->measure(pair->states[place], count, sample);
    await_done(pair);
}

void bench_pair_close(struct bench_pair *pair, size_t row, enum bench_place place)
{
    give_order(pair, VERB_CLOSE, row, place, 0);
    await_done(pair);
    find_part(row, place)->what->close(pair->states[place]);
    pair->states[place] = NULL;
}

void bench_pair_end(struct bench_pair *pair)
{
    give_order(pair, VERB_END, 0, BENCH_RAW, 0);
}

void bench_pair_meet(struct bench_pair *pair)
{
    pair->meetings++;
    bench_word_write(&pair->shared->met[pair->side].word, pair->meetings);
    bench_word_await(&pair->shared->met[1 - pair->side].word, pair->meetings);
}
