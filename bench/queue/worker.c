/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/trial.h"

#include "bench/clock.h"

#include <inttypes.h>

/* The number of the letter that --plant-fault spoils. */
#define FAULTY 100u

/* How often one who finds nothing to do looks again before it lets others have the CPU. */
#define LOOKS 16u

/* The same for all queues. Where each process has a CPU of its own nobody waits for it. */
static void idle(const struct bench_trial *trial, unsigned *looks)
{
    peal_cpu_relax();
    if (++*looks % LOOKS == 0 && trial->producers + trial->consumers > 2)
        (void)sched_yield();
}

static enum bench_phase phase_of(const struct bench_arena *arena)
{
    return (enum bench_phase)bench_word_read(&arena->phase.word);
}

static void *open_end(const struct bench_trial *trial, struct bench_arena *arena,
                      struct bench_line *is_ready, bool pushes)
{
    void *end =
        trial->peer->open != NULL ? trial->peer->open(&trial->setup, pushes) : trial->memory;

    bench_word_write(&is_ready->word, 1);
    while (phase_of(arena) == BENCH_OPENING)
        (void)sched_yield();
    return end;
}

static void close_end(const struct bench_trial *trial, void *end)
{
    if (trial->peer->close != NULL)
        trial->peer->close(end);
}

/* Was the letter due while its producer was stopped, or, for as long again, was catching up? Then it says
 * nothing about what a stop does to others. */
static bool was_stopped(const struct bench_producer_shared *mine, uint64_t due_ns)
{
    uint64_t stopped_ns = bench_word_read(&mine->stopped_ns.word);
    uint64_t resumed_ns = bench_word_read(&mine->resumed_ns.word);

    return due_ns >= stopped_ns && due_ns <= resumed_ns + (resumed_ns - stopped_ns);
}

/* The stamp is when they were due: who could not push in time shall not hide it by pushing less. */
static void write_batch(const struct bench_trial *trial, struct bench_letter *letters,
                        unsigned producer, uint64_t number, uint64_t due_ns, uint64_t begun_ns)
{
    uint64_t stamp_ns = due_ns != 0 ? due_ns : trial->is_timed ? bench_clock_ns() : 0;

    for (unsigned i = 0; i < trial->batch; i++) {
        bench_letter_write(&letters[i], producer, number + i, stamp_ns,
                           begun_ns != 0 ? begun_ns : stamp_ns);
        if (PEAL_UNLIKELY(trial->plants_fault && producer == 0 && number + i == FAULTY))
            letters[i].words[BENCH_LETTER_BODY] ^= 256;
    }
}

/* Waits until the letter is due; false: told to stop. */
static bool await_due(const struct bench_trial *trial, const struct bench_arena *arena,
                      uint64_t due_ns, unsigned *looks)
{
    while (bench_clock_ns() < due_ns && phase_of(arena) == BENCH_RUNNING) {
        if (!trial->is_busy)
            idle(trial, looks);
    }
    return phase_of(arena) == BENCH_RUNNING;
}

/*
 * When the pushes of a producer would have begun if the queue took no time. What it loses between its
 * pushes is the scheduler's doing, and moves all that follows; what it loses in a push is the queue's,
 * and does not: who is held up cannot hide it by pushing later.
 */
struct pace {
    uint64_t begun_ns; /* of the last one, by this reckoning */
    uint64_t ended_ns; /* when the last push came back */
};

static void begin_push(struct pace *pace, struct bench_producer_shared *mine, uint64_t due_ns)
{
    uint64_t now_ns = bench_clock_ns();
    uint64_t ready_ns = pace->ended_ns > due_ns ? pace->ended_ns : due_ns;

    if (pace->begun_ns < due_ns)
        pace->begun_ns = due_ns;
    pace->begun_ns += now_ns > ready_ns ? now_ns - ready_ns : 0;
    bench_word_write(&mine->begun_ns.word, pace->begun_ns);
}

void bench_produce(const struct bench_trial *trial, struct bench_arena *arena, unsigned self)
{
    struct bench_producer_shared *mine = &arena->producers[self];
    _Alignas(PEAL_WRITER_BYTES) struct bench_letter letters[BENCH_PEER_BATCH_MAX];
    void *end = open_end(trial, arena, &mine->is_ready, true);
    uint64_t number = 0, due_ns = 0;
    struct pace pace = {0, 0};
    unsigned looks = 0;

    while (phase_of(arena) == BENCH_RUNNING) {
        if (trial->period_ns > 0) {
            due_ns = arena->begin_ns + number * trial->period_ns;
            if (!await_due(trial, arena, due_ns, &looks))
                break;
            begin_push(&pace, mine, due_ns);
        }
        bool is_timed = due_ns == 0 || !was_stopped(mine, due_ns);
        write_batch(trial, letters, self, number, is_timed ? due_ns : 1, pace.begun_ns);
        for (size_t sent = 0; sent < trial->batch && phase_of(arena) == BENCH_RUNNING;) {
            size_t some = trial->peer->push(end, letters + sent, trial->batch - sent);
            sent += some;
            number += some;
            if (some > 0)
                bench_word_write(&mine->pushed.word, number);
            else
                idle(trial, &looks);
        }
        if (trial->period_ns > 0)
            pace.ended_ns = bench_clock_ns();
    }
    if (trial->period_ns > 0)
        begin_push(&pace, mine, arena->begin_ns + number * trial->period_ns);
    bench_word_write(&mine->is_done.word, 1);
    /* Closing is work in some queues; it shall not fall into the time in which the rest is popped. */
    while (phase_of(arena) != BENCH_ENDING)
        (void)sched_yield();
    close_end(trial, end);
}

static void look_at(const struct bench_trial *trial, struct bench_tally *tallies,
                    const struct bench_letter *letter)
{
    uint64_t producer = letter->words[BENCH_LETTER_PRODUCER];
    uint64_t number = letter->words[BENCH_LETTER_NUMBER];

    if (PEAL_UNLIKELY(!bench_letter_is_right(letter, trial->producers)))
        bench_queue_die("%s: a letter has wrong content: producer %" PRIu64 ", number %" PRIu64,
                        trial->peer->name, producer, number);
    if (PEAL_UNLIKELY(!bench_tally_add(&tallies[producer], number)))
        bench_queue_die("%s: letter %" PRIu64 " of producer %" PRIu64 " came out of order",
                        trial->peer->name, number, producer);
}

/* When letters came: how long they took, and that somebody got something at that time. */
static void note_times(const struct bench_trial *trial, const struct bench_arena *arena,
                       struct bench_consumer_shared *mine, const struct bench_letter *letters,
                       size_t count)
{
    uint64_t now_ns = bench_clock_ns();
    uint64_t bin = (now_ns - arena->begin_ns) / BENCH_BIN_NS;
    bool of_others = trial->victim != BENCH_A_PRODUCER;

    for (size_t i = 0; i < count; i++) {
        uint64_t stamp_ns = letters[i].words[BENCH_LETTER_STAMP];
        uint64_t begun_ns = letters[i].words[BENCH_LETTER_BEGUN];
        if (stamp_ns >= arena->count_from_ns) {
            bench_histogram_add(&mine->latency, now_ns > stamp_ns ? now_ns - stamp_ns : 0, 1);
            bench_histogram_add(&mine->in_queue, now_ns > begun_ns ? now_ns - begun_ns : 0, 1);
        }
        of_others |= letters[i].words[BENCH_LETTER_PRODUCER] != 0;
    }
    if (of_others && bin < BENCH_BINS)
        mine->bins[bin] = 1;
}

void bench_consume(const struct bench_trial *trial, struct bench_arena *arena, unsigned self)
{
    struct bench_consumer_shared *mine = &arena->consumers[self];
    _Alignas(PEAL_WRITER_BYTES) struct bench_letter letters[BENCH_PEER_BATCH_MAX];
    struct bench_tally tallies[BENCH_ENDS_MAX] = {{0}};
    void *end = open_end(trial, arena, &mine->is_ready, false);
    uint64_t popped = 0;
    unsigned looks = 0;

    for (;;) {
        enum bench_phase phase = phase_of(arena);
        size_t count = trial->peer->pop(end, letters, trial->batch);

        if (count == 0) {
            if (phase == BENCH_ENDING)
                break;
            idle(trial, &looks);
            continue;
        }
        if (trial->is_timed)
            note_times(trial, arena, mine, letters, count);
        for (size_t i = 0; i < count; i++)
            look_at(trial, tallies, &letters[i]);
        popped += count;
        bench_word_write(&mine->popped.word, popped);
    }
    for (unsigned i = 0; i < BENCH_ENDS_MAX; i++)
        mine->tallies[i] = tallies[i];
    close_end(trial, end);
}
