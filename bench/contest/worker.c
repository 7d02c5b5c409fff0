/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/worker.h"

#include "bench/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The number of the message that is spoilt where that is asked for; of the latest value all from it on,
 * as any one may be missed. */
#define FAULTY 3u

static struct {
    char *text;
    size_t size_bytes;
} last_words;

void bench_contender_tell(char *text, size_t size_bytes)
{
    last_words.text = text;
    last_words.size_bytes = size_bytes;
}

static _Noreturn void die(const char *format, va_list arguments)
{
    char text[200];

    vsnprintf(text, sizeof text, format, arguments);
    if (last_words.text != NULL)
        snprintf(last_words.text, last_words.size_bytes, "%.*s", (int)last_words.size_bytes - 1,
                 text);
    else
        fprintf(stderr, "peal-bench: %s\n", text);
    _exit(1); /* not exit(): of a worker's, nothing is to be written */
}

void bench_contender_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    die(format, arguments);
}

void bench_worker_fail(const struct bench_worker *worker, const char *format, ...)
{
    va_list arguments;

    (void)worker;
    va_start(arguments, format);
    die(format, arguments);
}

/* ---- what the modes share ---- */

static uint64_t cpu_ns(const struct bench_worker *worker)
{
    struct timespec time;

    clock_gettime(worker->trial->threads ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID,
                  &time);
    return (uint64_t)time.tv_sec * 1000 * BENCH_MILLISECOND + (uint64_t)time.tv_nsec;
}

/*
 * Waiting for a message to be due is the bench's own work, and not counted. While it is waited somebody
 * else may have the CPU; then what remains is too little, and what is certain is the time of the sends.
 */
static uint64_t cpu_counted_ns(const struct bench_worker *worker)
{
    uint64_t used_ns = cpu_ns(worker) - worker->cpu_from_ns;
    uint64_t rest_ns = used_ns > worker->waited_ns ? used_ns - worker->waited_ns : 0;

    return rest_ns > worker->worked_ns ? rest_ns : worker->worked_ns;
}

static void enter(struct bench_worker *worker, enum bench_phase phase)
{
    if (worker->seen < BENCH_COUNTING && phase >= BENCH_COUNTING) {
        worker->cpu_from_ns = cpu_ns(worker);
        worker->waited_ns = 0;
        worker->worked_ns = 0;
    }
    if (worker->seen < BENCH_STOPPING && phase >= BENCH_STOPPING)
        worker->mine->cpu_ns = cpu_counted_ns(worker);
    worker->seen = phase;
}

enum bench_phase bench_worker_phase(struct bench_worker *worker)
{
    enum bench_phase phase = (enum bench_phase)bench_word_read(&worker->arena->phase.word);

    if (PEAL_UNLIKELY(phase != worker->seen))
        enter(worker, phase);
    return phase;
}

/* How often one who finds nothing to do looks again before it lets others have the CPU. */
#define LOOKS 16u

/* Where each worker has a CPU of its own nobody waits for it. */
void bench_worker_idle(struct bench_worker *worker)
{
    bench_poll_gently();
    if (++worker->looks % LOOKS == 0 && bench_trial_workers(worker->trial) > 2)
        (void)sched_yield();
}

void bench_worker_write(struct bench_worker *worker, void *const places[], size_t count)
{
    const struct bench_trial *trial = worker->trial;

    for (size_t i = 0; i < count; i++) {
        uint64_t number = worker->number + i;
        bench_content_write(places[i], trial->size_bytes, worker->self, number);
        if (PEAL_UNLIKELY(trial->plants_fault && worker->self == 0) &&
            (number == FAULTY || (trial->pattern == BENCH_PATTERN_LATEST && number > FAULTY)))
            bench_content_spoil(places[i], trial->size_bytes, number);
    }
}

bool bench_worker_hand_over(struct bench_worker *worker, size_t count, enum bench_phase until)
{
    if (PEAL_UNLIKELY(worker->trial->delay_ns > 0))
        bench_clock_spin(worker->trial->delay_ns);
    for (size_t sent = 0; sent < count;) {
        size_t some = worker->contender->send(worker->sends, count - sent);
        sent += some;
        worker->number += some;
        if (some > 0)
            bench_word_write(&worker->mine->sent.word, worker->number);
        else if (bench_worker_phase(worker) >= until)
            return false;
        else
            bench_worker_idle(worker);
    }
    return true;
}

uint64_t bench_worker_look(struct bench_worker *worker, const struct bench_view *view,
                           uint64_t *sender)
{
    uint64_t number;

    if (PEAL_UNLIKELY(view->size_bytes != worker->trial->size_bytes))
        bench_worker_fail(worker, "a message of %zu bytes came instead of %" PRIu32,
                          view->size_bytes, worker->trial->size_bytes);
    if (PEAL_UNLIKELY(!bench_content_read(view->data, view->size_bytes, sender, &number) ||
                      *sender >= bench_trial_workers(worker->trial)))
        bench_worker_fail(worker,
                          "a message has wrong content: sender %" PRIu64 ", number %" PRIu64,
                          *sender, number);
    if (PEAL_UNLIKELY(!bench_tally_add(&worker->mine->tallies[*sender], number)))
        bench_worker_fail(worker, "message %" PRIu64 " of sender %" PRIu64 " came out of order",
                          number, *sender);
    worker->received++;
    return number;
}

/* ---- a worker's life ---- */

static void *open_end(const struct bench_worker *worker, const struct bench_channel *channel,
                      bool sends, uint32_t index)
{
    void *end = worker->contender->open(channel, sends, index);

    if (end == NULL)
        bench_worker_fail(worker, "an end could not be opened");
    return end;
}

/* The answering one opens the way there first, too: who waits in open() for the other end finds it. */
static void open_ends(struct bench_worker *worker, const struct bench_channel channels[2])
{
    const struct bench_trial *trial = worker->trial;
    uint32_t self = worker->self;

    if (!bench_trial_returns(trial)) {
        if (self < trial->senders)
            worker->sends = open_end(worker, &channels[0], true, self);
        else
            worker->receives = open_end(worker, &channels[0], false, self - trial->senders);
    } else if (self == 0) {
        worker->sends = open_end(worker, &channels[0], true, 0);
        worker->receives = open_end(worker, &channels[1], false, 0);
    } else {
        worker->receives = open_end(worker, &channels[0], false, 0);
        worker->sends = open_end(worker, &channels[1], true, 0);
    }
}

static void open_epoll(struct bench_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};
    int descriptor = worker->contender->descriptor(worker->receives);

    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll < 0 || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        bench_worker_fail(worker, "cannot wait on its descriptor %d: %s", descriptor,
                          strerror(errno));
}

/* Both are asked in any case: what one waits for may be that the other end of the other is asked. */
static bool is_ready(const struct bench_worker *worker)
{
    bool (*ready)(void *end) = worker->contender->ready;
    bool sends = ready == NULL || worker->sends == NULL || ready(worker->sends);
    bool receives = ready == NULL || worker->receives == NULL || ready(worker->receives);

    return sends && receives;
}

/* Until all are ready. */
static void connect_ends(struct bench_worker *worker)
{
    bench_word_write(&worker->mine->readiness.word, BENCH_HAS_OPENED);
    while (bench_worker_phase(worker) == BENCH_OPENING)
        (void)sched_yield();
    while (bench_worker_phase(worker) == BENCH_CONNECTING) {
        if (is_ready(worker))
            bench_word_write(&worker->mine->readiness.word, BENCH_IS_READY);
        (void)sched_yield();
    }
}

static void close_ends(struct bench_worker *worker)
{
    if (worker->epoll >= 0)
        (void)close(worker->epoll);
    if (worker->contender->close == NULL)
        return;
    if (worker->sends != NULL)
        worker->contender->close(worker->sends);
    if (worker->receives != NULL)
        worker->contender->close(worker->receives);
}

static void go(struct bench_worker *worker)
{
    switch (worker->trial->mode) {
    case BENCH_STREAM:
    case BENCH_PACED:
        if (worker->sends != NULL)
            bench_worker_send(worker);
        else
            bench_worker_receive(worker);
        break;
    case BENCH_PING_PONG:
    case BENCH_ECHO:
        if (worker->self == 1)
            bench_worker_answer(worker);
        else if (worker->trial->mode == BENCH_ECHO)
            bench_worker_ask(worker);
        else
            bench_worker_ping(worker);
        break;
    }
}

void bench_work(const struct bench_trial *trial, const struct bench_channel channels[2],
                struct bench_arena *arena, uint32_t self)
{
    struct bench_worker worker = {.trial = trial,
                                  .contender = trial->contender,
                                  .arena = arena,
                                  .mine = &arena->workers[self],
                                  .self = self,
                                  .epoll = -1};

    open_ends(&worker, channels);
    if (trial->waiting == BENCH_EPOLL && worker.receives != NULL)
        open_epoll(&worker);
    connect_ends(&worker);
    go(&worker);
    bench_word_write(&worker.mine->is_done.word, 1);
    /* Closing is work for some; it shall not fall into the time in which the rest is received. */
    while (bench_worker_phase(&worker) != BENCH_ENDING)
        (void)sched_yield();
    close_ends(&worker);
}
