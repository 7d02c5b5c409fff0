/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/course.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where this process tells that it failed; NULL: in the conductor. */
static struct course_arena *told;

/* Of one course after the other. */
static struct course_arena *arena;

uint64_t course_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void course_idle(void)
{
    (void)sched_yield();
}

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = 200000};

    (void)nanosleep(&pause, NULL);
}

bool course_is_asleep(pid_t tid)
{
    char path[40], text[256], state = '?';
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(text, sizeof(text), file) != NULL) {
        const char *end = strrchr(text, ')');
        if (end != NULL)
            (void)sscanf(end + 1, " %c", &state);
    }
    (void)fclose(file);
    return state == 'S';
}

/* ---- failing ---- */

static _Noreturn void fail(const char *format, va_list arguments)
{
    uint32_t none = 0;
    char text[sizeof(told->failure)];

    (void)vsnprintf(text, sizeof(text), format, arguments);
    if (told == NULL)
        (void)fprintf(stderr, "%s\n", text);
    else if (peal_u32_cas_seq_cst(&told->has_failed, &none, 1))
        memcpy(told->failure, text, sizeof(text));
    _exit(1);
}

_Noreturn void course_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(format, arguments);
}

void bench_contender_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(format, arguments);
}

/* ---- channels ---- */

static void *share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        course_fail("cannot map %zu bytes", bytes);
    return memory;
}

bool course_begin_again(struct course *course)
{
    const struct bench_contender *contender = course->contender;

    course->memory_bytes =
        contender->memory_bytes != NULL ? contender->memory_bytes(&course->channel) : 0;
    course->channel.memory = course->memory_bytes > 0 ? share(course->memory_bytes) : NULL;
    course->channel.state = NULL;
    return contender->begin == NULL || contender->begin(&course->channel);
}

bool course_begin(struct course *course, const struct bench_contender *contender,
                  enum bench_pattern pattern, uint32_t senders, uint32_t receivers,
                  uint32_t size_bytes, uint32_t depth, bool waits)
{
    static unsigned number;
    static char url[64];

    /* Of the first process, also where a forked one is the conductor. */
    if (url[0] == '\0')
        (void)snprintf(url, sizeof(url), "posix:contenders-test-%d", (int)getpid());
    *course = (struct course){.contender = contender};
    (void)snprintf(course->name, sizeof(course->name), "peal-test-%d-%u", (int)getpid(), ++number);
    course->channel = (struct bench_channel){.name = course->name,
                                             .url = url,
                                             .size_bytes = size_bytes,
                                             .depth = depth,
                                             .senders = senders,
                                             .receivers = receivers,
                                             .pattern = pattern,
                                             .waits = waits};
    if (arena == NULL)
        arena = share(sizeof(*arena));
    memset(arena, 0, sizeof(*arena));
    course->arena = arena;
    return course_begin_again(course);
}

void course_end(struct course *course)
{
    if (course->contender->end != NULL)
        course->contender->end(&course->channel);
    if (course->channel.memory != NULL)
        (void)munmap(course->channel.memory, course->memory_bytes);
    course->channel.memory = NULL;
}

void course_done(void)
{
    if (arena != NULL)
        (void)munmap(arena, sizeof(*arena));
    arena = NULL;
}

bool course_is_sender(const struct course *course, uint32_t worker)
{
    return worker < course->channel.senders;
}

/* ---- messages ---- */

static void await_go(struct course *course, peal_u32 *word)
{
    const struct course_worker *workers = course->arena->workers;
    size_t offset = (size_t)((char *)word - (char *)workers) % sizeof(*workers);
    uint32_t count = course->channel.senders + course->channel.receivers, there = 0;

    while (there < count) {
        if (peal_u32_load_acquire(
                (const peal_u32 *)(const void *)((const char *)&workers[there] + offset)) != 0)
            there++;
        else
            course_idle();
    }
}

size_t course_send(struct course *course, void *end, uint32_t sender, uint64_t number, size_t batch)
{
    const struct bench_contender *contender = course->contender;
    uint32_t size_bytes = course->channel.size_bytes;
    void *places[BENCH_BATCH_MAX];
    size_t room = contender->prepare(end, places, size_bytes, batch);
    uint64_t until_ns = course_now_ns() + COURSE_TIMEOUT_NS;

    if (room > batch)
        course_fail("asked for %zu places and got %zu", batch, room);
    for (size_t i = 0; i < room; i++)
        bench_content_write(places[i], size_bytes, sender, number + i);
    for (size_t gone = 0; gone < room;) {
        size_t some = contender->send(end, room - gone);

        if (some > room - gone)
            course_fail("%zu of %zu messages went", some, room - gone);
        gone += some;
        if (some == 0) {
            if (course_now_ns() > until_ns)
                course_fail("message %" PRIu64 " does not go", number + gone);
            course_idle();
        }
    }
    return room;
}

static void look_at(const struct course *course, struct course_worker *mine,
                    const struct bench_view *view)
{
    uint64_t head, sender, number;
    size_t size_bytes = course->channel.size_bytes;

    if (view->size_bytes != size_bytes)
        course_fail("a message of %zu bytes instead of %zu", view->size_bytes, size_bytes);
    head = bench_content_word(view->data, 0);
    sender = bench_content_sender(head);
    number = bench_content_number(head);
    if (head != bench_content_head(sender, number) || sender >= course->channel.senders)
        course_fail("a message without head");
    for (size_t i = 1; i < size_bytes / 8; i++) {
        if (bench_content_word(view->data, i) != head + i * BENCH_CONTENT_PRIME)
            course_fail("message %" PRIu64 " of sender %" PRIu64 ": word %zu is wrong", number,
                        sender, i);
    }
    if (!bench_tally_add(&mine->tallies[sender], number))
        course_fail("message %" PRIu64 " of sender %" PRIu64 " came out of order", number, sender);
}

size_t course_receive(struct course *course, void *end, struct course_worker *mine, size_t batch)
{
    struct bench_view views[BENCH_BATCH_MAX];
    size_t count = course->contender->receive(end, views, batch);

    if (count > batch)
        course_fail("asked for %zu messages and got %zu", batch, count);
    for (size_t i = 0; i < count; i++)
        look_at(course, mine, &views[i]);
    if (count > 0 && course->contender->release != NULL)
        course->contender->release(end);
    if (count > 0)
        peal_u64_store_release(&mine->received, peal_u64_load_relaxed(&mine->received) + count);
    return count;
}

/* ---- workers that stream ---- */

/* Different sizes of batches, the largest among them. */
static size_t batch_of(uint64_t turn)
{
    static const size_t batches[] = {1, 32, 7, 1, 2};

    return batches[turn % (sizeof(batches) / sizeof(batches[0]))];
}

static void stream(struct course *course, uint32_t worker, void *end)
{
    for (uint64_t number = 0, turn = 0; course->messages == 0 || number < course->messages;
         turn++) {
        size_t batch = batch_of(turn);
        size_t gone;

        if (course->messages > 0 && batch > course->messages - number)
            batch = (size_t)(course->messages - number);
        gone = course_send(course, end, worker, number, batch);
        number += gone;
        if (gone == 0)
            course_idle();
    }
}

static uint64_t received_by_all(const struct course *course)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < course->channel.receivers; i++)
        sum += peal_u64_load_acquire(&course->arena->workers[course->channel.senders + i].received);
    return sum;
}

static bool all_sent(const struct course *course)
{
    for (uint32_t i = 0; i < course->channel.senders; i++) {
        if (peal_u32_load_acquire(&course->arena->workers[i].is_done) == 0)
            return false;
    }
    return true;
}

/* Whether this receiver shall stop, who has got nothing for some time. */
static bool has_come_all(const struct course *course, const struct course_worker *mine,
                         uint64_t quiet_ns)
{
    uint64_t sent = course->messages * course->channel.senders;
    enum bench_pattern pattern = course->channel.pattern;

    if (course->messages == 0)
        return false;
    if (pattern == BENCH_PATTERN_LATEST)
        return mine->tallies[0].next == course->messages;
    if (course->contender->loses)
        return all_sent(course) && quiet_ns > 300000000;
    if (pattern == BENCH_PATTERN_FAN_OUT || pattern == BENCH_PATTERN_MESH)
        return peal_u64_load_relaxed(&mine->received) >= sent;
    return received_by_all(course) >= sent;
}

static void drain(struct course *course, struct course_worker *mine, void *end)
{
    uint64_t since_ns = course_now_ns();

    for (uint64_t turn = 0;;) {
        if (course_receive(course, end, mine, batch_of(turn)) > 0) {
            since_ns = course_now_ns();
            turn++;
        } else if (has_come_all(course, mine, course_now_ns() - since_ns)) {
            break;
        } else {
            course_idle();
        }
    }
}

static bool all_received(const struct course *course)
{
    for (uint32_t i = 0; i < course->channel.receivers; i++) {
        if (peal_u32_load_acquire(&course->arena->workers[course->channel.senders + i].is_done) ==
            0)
            return false;
    }
    return true;
}

static void work(struct course *course, uint32_t worker)
{
    struct course_worker *mine = &course->arena->workers[worker];
    bool sends = course_is_sender(course, worker);
    uint32_t index = sends ? worker : worker - course->channel.senders;
    void *end = course->contender->open(&course->channel, sends, index);

    peal_u32_store_release(&mine->tid, (uint32_t)gettid());
    peal_u32_store_release(&mine->is_open, 1);
    await_go(course, &mine->is_open);
    for (bool told_so = false;;) {
        bool is_ready = course->contender->ready == NULL || course->contender->ready(end);

        if (is_ready && !told_so) {
            peal_u32_store_release(&mine->is_ready, 1);
            told_so = true;
        }
        uint32_t there = 0, all = course->channel.senders + course->channel.receivers;
        for (uint32_t i = 0; i < all; i++)
            there += peal_u32_load_acquire(&course->arena->workers[i].is_ready) != 0;
        if (there == all)
            break;
        course_idle();
    }
    if (course->work != NULL)
        course->work(course, worker, end);
    else if (sends)
        stream(course, worker, end);
    else
        drain(course, mine, end);
    peal_u32_store_release(&mine->is_done, 1);
    /* What is under way in a sender may get lost when it closes. */
    while (sends && !all_received(course))
        course_idle();
    if (course->contender->close != NULL)
        course->contender->close(end);
}

/* ---- processes ---- */

struct thread {
    struct course *course;
    uint32_t worker;
};

static void *run_thread(void *context)
{
    const struct thread *thread = context;

    work(thread->course, thread->worker);
    return NULL;
}

static void run_threads(struct course *course)
{
    struct thread threads[BENCH_WORKERS_MAX];
    pthread_t handles[BENCH_WORKERS_MAX];
    uint32_t count = course->channel.senders + course->channel.receivers;

    for (uint32_t i = 0; i < count; i++) {
        threads[i] = (struct thread){course, i};
        if (pthread_create(&handles[i], NULL, run_thread, &threads[i]) != 0)
            course_fail("cannot start a thread");
    }
    for (uint32_t i = 0; i < count; i++)
        (void)pthread_join(handles[i], NULL);
}

/* True in the new process. */
static bool fork_worker(struct course *course)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        course_fail("cannot fork");
    if (pid > 0) {
        course->processes[course->processes_count++] = pid;
        return false;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    told = course->arena;
    return true;
}

void course_start(struct course *course)
{
    uint32_t count = course->channel.senders + course->channel.receivers;

    if (course->contender->reach == BENCH_REACH_THREADS) {
        if (fork_worker(course)) {
            run_threads(course);
            _exit(0);
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fork_worker(course)) {
            work(course, i);
            _exit(0);
        }
    }
}

void course_kill(struct course *course)
{
    for (uint32_t i = 0; i < course->processes_count; i++) {
        if (course->processes[i] > 0) {
            (void)kill(course->processes[i], SIGKILL);
            (void)waitpid(course->processes[i], NULL, 0);
        }
    }
    course->processes_count = 0;
}

bool course_await(struct course *course)
{
    uint64_t until_ns = course_now_ns() + COURSE_TIMEOUT_NS;
    uint32_t left = course->processes_count;

    while (left > 0 && course_now_ns() < until_ns) {
        for (uint32_t i = 0; i < course->processes_count; i++) {
            int status;

            if (course->processes[i] == 0 ||
                waitpid(course->processes[i], &status, WNOHANG) != course->processes[i])
                continue;
            course->processes[i] = 0;
            left--;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                continue;
            if (course->arena->failure[0] == '\0')
                (void)snprintf(course->arena->failure, sizeof(course->arena->failure),
                               "a worker ended with status %#x", (unsigned)status);
            until_ns = 0;
        }
        pause_a_little();
    }
    if (left > 0 && course->arena->failure[0] == '\0')
        (void)snprintf(course->arena->failure, sizeof(course->arena->failure),
                       "does not come to an end; %" PRIu64
                       " messages came, the last of sender 0 is %" PRIu64,
                       received_by_all(course),
                       course->arena->workers[course->channel.senders].tallies[0].next - 1);
    course_kill(course);
    return course->arena->failure[0] == '\0';
}

bool course_alone(struct course *course, void (*body)(struct course *course))
{
    if (fork_worker(course)) {
        body(course);
        _exit(0);
    }
    return course_await(course);
}

void course_open_both(struct course *course, void **sender, void **receiver)
{
    const struct bench_contender *contender = course->contender;
    uint64_t until_ns = course_now_ns() + COURSE_TIMEOUT_NS;
    bool is_ready = false;

    *sender = contender->open(&course->channel, true, 0);
    *receiver = contender->open(&course->channel, false, 0);
    while (contender->ready != NULL && !is_ready) {
        if (course_now_ns() > until_ns)
            course_fail("the two ends do not connect");
        is_ready = contender->ready(*sender);
        is_ready = contender->ready(*receiver) && is_ready;
    }
}

/* ---- what is left ---- */

static void look_into(const char *folder, const char *wanted, char *text, size_t size)
{
    DIR *listing = opendir(folder);

    for (const struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        size_t length = strlen(text);

        if (strstr(entry->d_name, wanted) != NULL)
            (void)snprintf(text + length, size - length, "%s/%s ", folder, entry->d_name);
    }
    if (listing != NULL)
        (void)closedir(listing);
}

/* Other programs may have iceoryx's daemon too; a running one has its lock. */
static bool has_daemon(void)
{
    int lock = open("/tmp/iox-unique-roudi.lock", O_RDWR | O_CLOEXEC);
    bool is_free = lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0;

    if (lock >= 0)
        (void)close(lock);
    return !is_free;
}

bool course_has_children(void)
{
    return waitid(P_ALL, 0, &(siginfo_t){.si_pid = 0}, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void course_litter(const struct course *course, char *text, size_t size)
{
    char name[80];
    mqd_t queue;

    text[0] = '\0';
    look_into("/tmp", course->name, text, size);
    look_into("/dev/shm", course->name, text, size);
    if (strcmp(course->contender->name, "iceoryx") == 0 && !has_daemon()) {
        look_into("/tmp", "roudi", text, size);
        look_into("/dev/shm", "iceoryx", text, size);
    }
    (void)snprintf(name, sizeof(name), "/%s", course->name);
    queue = mq_open(name, O_RDONLY);
    if (queue != (mqd_t)-1) {
        (void)mq_close(queue);
        (void)snprintf(text + strlen(text), size - strlen(text), "mqueue %s", name);
    }
}
