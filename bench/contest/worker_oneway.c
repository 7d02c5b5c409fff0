/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams and schedules in one direction.
 */
#include "bench/contest/worker.h"

#include "bench/clock.h"

#include <sys/epoll.h>

/* How long who sleeps sleeps at most, so that he sees the trial's end; and how long one looks before. */
#define NAP_NS (5 * BENCH_MILLISECOND)
#define LOOK_NS 20000u

/* Waits until the next message is due; false: told to stop. */
static bool await_due(struct bench_worker *worker, uint64_t due_ns)
{
    uint64_t from_ns = bench_clock_ns(), now_ns = from_ns;

    while (now_ns < due_ns) {
        if (!bench_phase_sends(bench_worker_phase(worker)))
            break;
        if (!worker->trial->is_busy)
            bench_worker_idle(worker);
        now_ns = bench_clock_ns();
    }
    worker->waited_ns += now_ns - from_ns;
    return bench_phase_sends(bench_worker_phase(worker));
}

/*
 * When a sender's sends would have begun if the contender took no time. What it loses between its sends is
 * the scheduler's doing, and moves all that follows; what it loses in a send, for there is no room or
 * somebody holds it up, is the contender's, and does not: who is held up cannot hide it by sending later.
 */
static void begin_send(struct bench_worker *worker, uint64_t due_ns)
{
    uint64_t now_ns = bench_clock_ns();
    uint64_t ready_ns = worker->ended_ns > due_ns ? worker->ended_ns : due_ns;

    if (worker->begun_count > worker->number)
        return; /* it has begun, and found no room */
    worker->begun_count = worker->number + 1;
    if (worker->begun_ns < due_ns)
        worker->begun_ns = due_ns;
    worker->begun_ns += now_ns > ready_ns ? now_ns - ready_ns : 0;
    bench_word_write(&worker->mine->begun_ns.word, worker->begun_ns);
}

/* As many messages as one send takes have begun together. */
static void note_begun(struct bench_worker *worker, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bench_begun_note(worker->arena, worker->self, worker->number + i, worker->begun_ns);
}

void bench_worker_send(struct bench_worker *worker)
{
    const struct bench_trial *trial = worker->trial;
    bool is_scheduled = bench_trial_is_scheduled(trial);
    void *places[BENCH_BATCH_MAX];

    while (bench_phase_sends(bench_worker_phase(worker))) {
        if (is_scheduled && !await_due(worker, bench_worker_due_ns(worker, worker->number)))
            break;
        if (trial->tells_in_queue)
            begin_send(worker, bench_worker_due_ns(worker, worker->number));
        uint64_t begin_ns = is_scheduled ? bench_clock_ns() : 0;
        size_t room =
            worker->contender->prepare(worker->sends, places, trial->size_bytes, trial->batch);
        if (room == 0) {
            bench_worker_idle(worker);
            continue;
        }
        bench_worker_write(worker, places, room);
        if (trial->tells_in_queue)
            note_begun(worker, room);
        if (!bench_worker_hand_over(worker, room, BENCH_STOPPING))
            break;
        if (is_scheduled) {
            worker->ended_ns = bench_clock_ns();
            worker->worked_ns += worker->ended_ns - begin_ns;
        }
    }
    if (trial->tells_in_queue)
        begin_send(worker, bench_worker_due_ns(worker, worker->number));
}

/* ---- receiving ---- */

/* Until there may be a message. */
static void wait_for_one(struct bench_worker *worker, uint64_t *idle_since_ns)
{
    const struct bench_contender *contender = worker->contender;
    enum bench_waiting waiting = worker->trial->waiting;
    struct epoll_event event;

    if (waiting == BENCH_SPIN_SLEEP) {
        uint64_t now_ns = bench_clock_ns();
        if (*idle_since_ns == 0)
            *idle_since_ns = now_ns;
        if (now_ns - *idle_since_ns < LOOK_NS)
            waiting = BENCH_SPIN;
    }
    if (waiting == BENCH_SPIN)
        bench_worker_idle(worker);
    else if (waiting != BENCH_EPOLL)
        contender->wait(worker->receives, NAP_NS);
    else if (contender->arm == NULL || !contender->arm(worker->receives))
        (void)epoll_wait(worker->epoll, &event, 1, (int)(NAP_NS / BENCH_MILLISECOND));
}

static void note_latency(struct bench_worker *worker, uint64_t sender, uint64_t number,
                         uint64_t due_ns, uint64_t now_ns)
{
    bench_histogram_add(&worker->mine->latency, now_ns > due_ns ? now_ns - due_ns : 0, 1);
    if (worker->trial->tells_in_queue) {
        uint64_t begun_ns = bench_begun_ns(worker->arena, sender, number, due_ns);
        bench_histogram_add(&worker->mine->in_queue, now_ns > begun_ns ? now_ns - begun_ns : 0, 1);
    }
}

/* When messages came: how long it took, and that somebody got something at that time. */
static void note_times(struct bench_worker *worker, const uint64_t numbers[],
                       const uint64_t senders[], size_t count)
{
    const struct bench_arena *arena = worker->arena;
    uint64_t now_ns = bench_clock_ns();
    uint64_t bin = (now_ns - arena->begin_ns) / BENCH_BIN_NS;
    bool of_others = worker->trial->victim != BENCH_A_SENDER;

    for (size_t i = 0; i < count; i++) {
        uint64_t due_ns = bench_worker_due_ns(worker, numbers[i]);
        if (worker->trial->mode == BENCH_PACED && due_ns >= arena->count_from_ns &&
            !bench_worker_was_stopped(&arena->workers[senders[i]], due_ns))
            note_latency(worker, senders[i], numbers[i], due_ns, now_ns);
        of_others |= senders[i] != 0;
    }
    if (of_others && bin < BENCH_BINS)
        worker->mine->bins[bin] = 1;
}

void bench_worker_receive(struct bench_worker *worker)
{
    const struct bench_trial *trial = worker->trial;
    bool is_timed = trial->mode == BENCH_PACED || trial->victim != BENCH_NOBODY;
    struct bench_view views[BENCH_BATCH_MAX];
    uint64_t numbers[BENCH_BATCH_MAX], senders[BENCH_BATCH_MAX], idle_since_ns = 0;

    bench_word_write(&worker->mine->is_done.word, 1);
    for (;;) {
        enum bench_phase phase = bench_worker_phase(worker);
        size_t count = worker->contender->receive(worker->receives, views, trial->batch);

        if (count == 0) {
            if (phase == BENCH_ENDING)
                break;
            wait_for_one(worker, &idle_since_ns);
            continue;
        }
        idle_since_ns = 0;
        for (size_t i = 0; i < count; i++)
            numbers[i] = bench_worker_look(worker, &views[i], &senders[i]);
        if (is_timed)
            note_times(worker, numbers, senders, count);
        if (worker->contender->release != NULL)
            worker->contender->release(worker->receives);
        bench_word_write(&worker->mine->received.word, worker->received);
    }
}
