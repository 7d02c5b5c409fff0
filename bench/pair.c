/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/pair.h"

#include "bench/cpus.h"
#include "bench/futex.h"
#include "bench/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

bool bench_one_core;

enum bench_verb {
    VERB_OPEN = 1,
    VERB_RUN = 2,
    VERB_CLOSE = 3,
    VERB_END = 4,
};

static void say(const char *format, va_list arguments)
{
    char text[512];

    vsnprintf(text, sizeof text, format, arguments);
    /* The progress line may stand there. */
    fprintf(stderr, "%speal-bench: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", text);
}

void bench_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    _exit(1); /* not exit(): the conductor clears up, and the other side may be in the middle */
}

void bench_give_up(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    _exit(BENCH_EXIT_IMPOSSIBLE);
}

void *bench_allocate(size_t size_bytes)
{
    size_t rounded_bytes = (size_bytes + PEAL_WRITER_BYTES - 1) & ~(size_t)(PEAL_WRITER_BYTES - 1);
    void *memory = aligned_alloc(PEAL_WRITER_BYTES, rounded_bytes);

    if (memory == NULL)
        bench_die("not enough memory for %zu bytes", size_bytes);
    return memset(memory, 0, rounded_bytes);
}

/* Mapped once, for touching it all takes longer than some rows. */
static struct bench_shared *map_shared(void)
{
    static struct bench_shared *shared;

    if (shared == NULL) {
        void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED)
            return NULL;
        shared = memory;
    }
    memset(shared, 0, offsetof(struct bench_shared, scratch));
    return shared;
}

bool bench_pair_init(struct bench_pair *pair, const struct bench_run *run,
                     const struct bench_scenario *scenario)
{
    static unsigned serial;

    *pair = (struct bench_pair){.shared = map_shared(),
                                .row = scenario->parameters,
                                .run = run,
                                .name = scenario->name,
                                .serial = serial++,
                                .plant_fault = run->plants_fault,
                                .delay_ns = run->delay_ns,
                                .events = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)}};
    if (pair->shared != NULL && pair->events[0] >= 0 && pair->events[1] >= 0)
        return true;
    fprintf(stderr, "peal-bench: %s: cannot start: %s\n", scenario->name, strerror(errno));
    bench_pair_free(pair);
    return false;
}

void bench_pair_free(struct bench_pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        if (pair->events[i] >= 0)
            close(pair->events[i]);
    }
}

void bench_pair_join(struct bench_pair *pair, enum bench_side side)
{
    pair->side = side;
    if (side == BENCH_SERVING)
        bench_word_write(&pair->shared->serving_thread.word, (uint64_t)gettid());
    if (!bench_cpu_bind(pair->run->cpus[side]))
        bench_die("cannot run on CPU %d: %s; name two others with --cpus A,B",
                  pair->run->cpus[side], strerror(errno));
}

static const struct bench_part *find_part(const struct bench_pair *pair, enum bench_place place)
{
    static const struct bench_part raw = {.what = &bench_raw_ping_pong};

    if (place == BENCH_RAW)
        return &raw;
    return place == BENCH_FLOOR ? &pair->row->floor : &pair->row->subject;
}

/* Which page the part begins at: by chance, as it is from run to run. */
static unsigned char *scratch_of(const struct bench_pair *pair, enum bench_place place,
                                 uint64_t round)
{
    enum { PAGE_BYTES = 4096, PLACES_MAX = BENCH_SCRATCH_ROOM / PAGE_BYTES };
    uint64_t mixed = (round * BENCH_PLACES + place + 1) * BENCH_PAYLOAD_PRIME;

    return pair->shared->scratch[place] + (mixed >> 32) % PLACES_MAX * PAGE_BYTES;
}

static void open_part(struct bench_pair *pair, enum bench_place place, uint64_t round)
{
    enum { FAULT_AT = 5 }; /* every row has so many messages */

    static const char *const names[BENCH_PLACES] = {"raw", "floor", "subject"};
    const struct bench_part *part = find_part(pair, place);
    struct bench_context *context = &pair->contexts[place];

    *context = (struct bench_context){
        .pair = pair,
        .side = pair->side,
        .setup = part->setup,
        .scratch = scratch_of(pair, place, round),
        .fault_at = pair->plant_fault && place == BENCH_SUBJECT ? FAULT_AT : UINT64_MAX};
    snprintf(context->topic, sizeof context->topic, "bench.%u.%s", pair->serial, names[place]);
    if (pair->side == BENCH_SERVING)
        memset(context->scratch, 0, BENCH_SCRATCH_BYTES);
    pair->states[place] = part->what->open(context);
}

static void give_order(struct bench_pair *pair, enum bench_verb verb, enum bench_place place,
                       uint64_t count)
{
    struct bench_shared *shared = pair->shared;

    /* relaxed: the serving side reads them after it has seen the order */
    peal_u64_store_relaxed(&shared->measuring.verb, verb);
    peal_u64_store_relaxed(&shared->measuring.place, place);
    peal_u64_store_relaxed(&shared->measuring.count, count);
    bench_futex_post(&shared->measuring.order, ++pair->orders);
}

/* Of the whole process, for some sides have threads. */
static uint64_t cpu_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Where both sides are threads of one process, the measuring one counts all of it. */
static void serve_run(struct bench_pair *pair, enum bench_place place,
                      const struct bench_case *what, uint64_t count)
{
    bench_pair_meet(pair);
    uint64_t begin_ns = cpu_clock_ns();
    what->serve(pair->states[place], count);
    uint64_t spent_ns = pair->run->threads ? 0 : cpu_clock_ns() - begin_ns;
    bench_word_write(&pair->shared->serving_cpu_ns.word, spent_ns);
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
        uint64_t number = peal_u64_load_relaxed(&shared->measuring.place);
        uint64_t count = peal_u64_load_relaxed(&shared->measuring.count);
        if (verb == VERB_END || number >= BENCH_PLACES)
            break;
        enum bench_place place = (enum bench_place)number;
        const struct bench_case *what = find_part(pair, place)->what;
        if (verb == VERB_OPEN) {
            open_part(pair, place, count);
        } else if (verb == VERB_RUN) {
            serve_run(pair, place, what, count);
        } else if (verb == VERB_CLOSE) {
            what->close(pair->states[place]);
        }
        bench_futex_post(&shared->serving.done, pair->orders);
    }
}

void bench_pair_open(struct bench_pair *pair, enum bench_place place, uint64_t round)
{
    give_order(pair, VERB_OPEN, place, round);
    await_done(pair);
    pair->serving_thread = (pid_t)bench_word_read(&pair->shared->serving_thread.word);
    open_part(pair, place, round);
}

double bench_pair_run(struct bench_pair *pair, enum bench_place place, uint64_t count,
                      struct bench_sample *sample)
{
    const struct bench_case *what = find_part(pair, place)->what;
    uint64_t begin_ns, cpu_ns;

    bench_word_add(&pair->shared->progress.word, 1);
    bench_sample_clear(sample);
    if (!bench_sample_reserve(sample, (size_t)count))
        bench_die("not enough memory for %" PRIu64 " samples", count);
    if (what->serve != NULL) {
        give_order(pair, VERB_RUN, place, count);
        bench_pair_meet(pair);
    }
    begin_ns = cpu_clock_ns();
    what->measure(pair->states[place], count, sample);
    if (what->serve != NULL)
        await_done(pair);
    cpu_ns = cpu_clock_ns() - begin_ns;
    if (what->serve != NULL)
        cpu_ns += bench_word_read(&pair->shared->serving_cpu_ns.word);
    uint64_t operations = sample->operations + sample->untimed;
    return what->polls_proc || operations == 0 ? (double)NAN : (double)cpu_ns / (double)operations;
}

void bench_pair_close(struct bench_pair *pair, enum bench_place place)
{
    give_order(pair, VERB_CLOSE, place, 0);
    await_done(pair);
    find_part(pair, place)->what->close(pair->states[place]);
    pair->states[place] = NULL;
}

void bench_pair_end(struct bench_pair *pair)
{
    give_order(pair, VERB_END, BENCH_RAW, 0);
}

void bench_pair_meet(struct bench_pair *pair)
{
    pair->meetings++;
    bench_word_write(&pair->shared->met[pair->side].word, pair->meetings);
    bench_word_await(&pair->shared->met[1 - pair->side].word, pair->meetings);
}
