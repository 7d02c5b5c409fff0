/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There and back. Both sides poll without a pause, all contenders alike: what is told is latency, and
 * each has a CPU of its own.
 */
#include "bench/contest/worker.h"

#include "bench/clock.h"

#include <inttypes.h>

/* Sends the next message. False: no room until the phase `until` came. What has been written is sent,
 * unless the trial is to stop (of who answers: to end). */
static bool send_one(struct bench_worker *worker, enum bench_phase until)
{
    const struct bench_contender *contender = worker->contender;
    void *place;

    while (contender->prepare(worker->sends, &place, worker->trial->size_bytes, 1) == 0) {
        if (bench_worker_phase(worker) >= until)
            return false;
        bench_poll();
    }
    bench_worker_write(worker, &place, 1);
    return bench_worker_hand_over(worker, 1, until < BENCH_STOPPING ? BENCH_STOPPING : until);
}

/* Takes a message if there is one, which must be the next one. */
static bool receive_one(struct bench_worker *worker, uint64_t wanted)
{
    const struct bench_contender *contender = worker->contender;
    struct bench_view view;
    uint64_t sender, number;

    if (contender->receive(worker->receives, &view, 1) == 0)
        return false;
    number = bench_worker_look(worker, &view, &sender);
    if (PEAL_UNLIKELY(number != wanted))
        bench_worker_fail(worker, "message %" PRIu64 " came instead of %" PRIu64, number, wanted);
    if (contender->release != NULL)
        contender->release(worker->receives);
    return true;
}

static void count_one(struct bench_worker *worker)
{
    bench_word_write(&worker->mine->received.word, worker->received);
}

/* The last trip is brought to its end, though told to stop: what is on the way must come home. */
void bench_worker_ping(struct bench_worker *worker)
{
    enum bench_phase phase;

    while (bench_phase_sends(phase = bench_worker_phase(worker))) {
        uint64_t wanted = worker->number, begin_ns = bench_clock_ns();
        if (!send_one(worker, BENCH_STOPPING))
            break;
        while (!receive_one(worker, wanted)) {
            if (bench_worker_phase(worker) == BENCH_ENDING)
                return;
            bench_poll();
        }
        uint64_t end_ns = bench_clock_ns();
        if (phase == BENCH_COUNTING)
            bench_histogram_add(&worker->mine->latency, end_ns - begin_ns, 1);
        count_one(worker);
    }
}

/*
 * Sends when it is due, whether or not the answers to what came before are there; of them those are
 * timed that were due while it counted, from then on.
 */
void bench_worker_ask(struct bench_worker *worker)
{
    const struct bench_arena *arena = worker->arena;
    uint64_t answers = 0;

    for (;;) {
        enum bench_phase phase = bench_worker_phase(worker);
        if (bench_phase_sends(phase)) {
            if (bench_clock_ns() >= bench_worker_due_ns(worker, worker->number))
                (void)send_one(worker, BENCH_RUNNING); /* full now: later */
        } else {
            bench_word_write(&worker->mine->is_done.word, 1);
        }
        if (receive_one(worker, answers)) {
            uint64_t now_ns = bench_clock_ns(), due_ns = bench_worker_due_ns(worker, answers++);
            if (due_ns >= arena->count_from_ns)
                bench_histogram_add(&worker->mine->latency, now_ns - due_ns, 1);
            count_one(worker);
        } else if (phase == BENCH_ENDING) {
            break;
        } else {
            bench_poll();
        }
    }
}

void bench_worker_answer(struct bench_worker *worker)
{
    bench_word_write(&worker->mine->is_done.word, 1);
    for (;;) {
        enum bench_phase phase = bench_worker_phase(worker);
        if (receive_one(worker, worker->number)) {
            if (!send_one(worker, BENCH_ENDING))
                break;
            count_one(worker);
        } else if (phase == BENCH_ENDING) {
            break;
        } else {
            bench_poll();
        }
    }
}
