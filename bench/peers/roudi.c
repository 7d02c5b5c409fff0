/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/roudi.h"

#include "bench/clock.h"
#include "bench/peers/peers.h"
#include "core/atomic.h"
#include "core/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PLACES = 240, /* of the 256 in a subscriber's queue, those for messages */
    POOL_BYTES = 256 << 20,
    LONG_BYTES = 65536, /* of messages so long nobody has more than a few in hands */
    LONG_BATCH = 4,
    PROBE_BYTES = 64,
    PROBES = 24,            /* of each sender, and more than it ever sends (iceoryx.cc) */
    APPLICATIONS_MAX = 200, /* it has room for 300, and sees none of them go */
};

#define START_NS UINT64_C(10000000000)
#define TURN_NS UINT64_C(60000000000)
#define PAUSE_NS 20000000

#define LOCK "/tmp/iox-unique-roudi.lock"

/*
 * The daemon of this process. Starting it takes longer than a trial, so it stays from one channel to the
 * next that wants the same of it, and is stopped meanwhile so that it disturbs nobody.
 */
static struct {
    pid_t pid;  /* 0: there is none */
    int output; /* what it says; kept open so that it can go on saying it */
    int turn;   /* a name that only one program has at a time */
    unsigned channels;
    unsigned applications; /* that it has seen so far */
    uint32_t size_bytes;   /* of the chunks in its pool */
    uint32_t chunks;
    bool is_spoilt; /* an application was killed: what it had does not come back */
} roudi;

void bench_roudi_application(char name[80], const struct bench_channel *channel, bool sends,
                             uint32_t index)
{
    (void)snprintf(name, 80, "%s-%c%u", channel->name, sends ? 's' : 'r', index);
}

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};

    (void)nanosleep(&pause, NULL);
}

/* ---- what has been taken ---- */

struct receiver {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 taken[BENCH_WORKERS_MAX]; /* by sender */
    peal_u32 is_reached[BENCH_WORKERS_MAX];
};

struct bench_roudi_taken {
    struct receiver receivers[BENCH_WORKERS_MAX];
    _Alignas(PEAL_WRITER_BYTES) peal_u32 closed; /* ends */
};

size_t bench_roudi_taken_bytes(void)
{
    return sizeof(struct bench_roudi_taken);
}

void bench_roudi_taken_close(struct bench_roudi_taken *taken)
{
    /* relaxed: read when the process has ended */
    (void)peal_u32_add_relaxed(&taken->closed, 1);
}

/* Each end has been closed by its worker. */
static bool all_closed(const struct bench_channel *channel)
{
    const struct bench_roudi_taken *taken = channel->memory;

    /* relaxed: as above */
    return taken != NULL &&
           peal_u32_load_relaxed(&taken->closed) == channel->senders + channel->receivers;
}

void bench_roudi_taken_reach(struct bench_roudi_taken *taken, uint32_t sender, uint32_t receiver)
{
    /* relaxed: nothing but the fact is told */
    if (sender < BENCH_WORKERS_MAX && receiver < BENCH_WORKERS_MAX)
        peal_u32_store_relaxed(&taken->receivers[receiver].is_reached[sender], 1);
}

void bench_roudi_taken_count(struct bench_roudi_taken *taken, uint32_t sender, uint32_t receiver,
                             uint64_t count)
{
    /* relaxed: nothing but the number is told; the messages are iceoryx's to order */
    peal_u64_store_relaxed(&taken->receivers[receiver].taken[sender], count);
}

bool bench_roudi_has_reached(const struct bench_roudi_taken *taken, uint32_t sender,
                             uint32_t receivers)
{
    for (uint32_t receiver = 0; receiver < receivers; receiver++) {
        /* relaxed: as above */
        if (peal_u32_load_relaxed(&taken->receivers[receiver].is_reached[sender]) == 0)
            return false;
    }
    return true;
}

uint64_t bench_roudi_taken_by_all(const struct bench_roudi_taken *taken, uint32_t sender,
                                  uint32_t receivers)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t receiver = 0; receiver < receivers; receiver++) {
        /* relaxed: as above */
        uint64_t count = peal_u64_load_relaxed(&taken->receivers[receiver].taken[sender]);
        least = count < least ? count : least;
    }
    return least;
}

uint64_t bench_roudi_now_ns(void)
{
    return bench_clock_ns();
}

/* ---- one program after the other ---- */

/* Takes an abstract name, which goes with whoever has it: of those who run beside each other each must
 * have ended its daemon before the next one clears away and starts its own. -1: not ours. */
static int take_turn(void)
{
    static const char name[] = "peal-bench-roudi";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, name, sizeof(name) - 1);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name))) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static bool await_turn(void)
{
    uint64_t until_ns = bench_clock_ns() + TURN_NS;

    while ((roudi.turn = take_turn()) < 0) {
        if (bench_clock_ns() > until_ns) {
            bench_peer_complain("iceoryx: another benchmark has the daemon; wait for its end", 0);
            return false;
        }
        pause_a_little();
    }
    return true;
}

/* ---- what it leaves ---- */

static void remove_application(const struct bench_channel *channel, bool sends, uint32_t index)
{
    char name[80], path[96];

    bench_roudi_application(name, channel, sends, index);
    (void)snprintf(path, sizeof(path), "/tmp/%s", name);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "/tmp/%s.lock", name);
    (void)unlink(path);
}

static void remove_applications(const struct bench_channel *channel)
{
    for (uint32_t i = 0; i < channel->senders; i++)
        remove_application(channel, true, i);
    for (uint32_t i = 0; i < channel->receivers; i++)
        remove_application(channel, false, i);
}

/* The pool is named after the group of who started the daemon. */
static void remove_pool(void)
{
    struct group *group = getgrgid(getegid());
    char name[80];

    if (group == NULL)
        return;
    (void)snprintf(name, sizeof(name), "/%s", group->gr_name);
    (void)shm_unlink(name);
}

/* Of a daemon that was killed, by us or others: it holds its lock no more. */
static void remove_daemon(void)
{
    int lock = open(LOCK, O_RDWR | O_CLOEXEC);

    if (lock < 0)
        return;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
        if (shm_unlink("/iceoryx_mgmt") == 0)
            remove_pool();
        (void)unlink("/tmp/roudi");
        (void)unlink("/tmp/roudi.lock");
        (void)unlink(LOCK);
    }
    (void)close(lock);
}

/* ---- starting ---- */

/* How many messages of each sender may be under way: together no more than a queue has places, where
 * some are left for probes. */
static uint32_t depth_of(const struct bench_channel *channel)
{
    uint32_t places = PLACES / channel->senders;
    uint32_t payable = POOL_BYTES / channel->size_bytes / channel->senders;
    uint32_t depth = channel->depth;

    depth = depth < places ? depth : places;
    depth = depth < payable ? depth : payable;
    return depth > 2 ? depth : 2;
}

size_t bench_roudi_batch(uint32_t size_bytes)
{
    return size_bytes >= LONG_BYTES ? LONG_BATCH : BENCH_BATCH_MAX;
}

/* Besides those under way: what a sender has loaned and the last one he has sent, and what a receiver
 * holds; of two channels, where there may be one back. No sender ever finds the pool empty. */
static uint32_t chunks_for(const struct bench_channel *channel)
{
    uint32_t batch = (uint32_t)bench_roudi_batch(channel->size_bytes);
    uint32_t chunks =
        channel->senders * (depth_of(channel) + batch + 2) + channel->receivers * (batch + 2);

    return channel->pattern == BENCH_PATTERN_PAIR ? 2 * chunks : chunks;
}

/* A descriptor; the daemon reads it by its number. */
static int configure(const struct bench_channel *channel)
{
    uint32_t probes = 2 * PROBES * channel->senders, chunks = chunks_for(channel);
    bool is_short = channel->size_bytes <= PROBE_BYTES;
    int file = memfd_create("roudi", 0);

    /* Pools have different sizes, in their order; short messages share theirs with the probes. */
    if (file >= 0 && (dprintf(file, "[general]\nversion = 1\n[[segment]]\n") < 0 ||
                      (!is_short && dprintf(file, "[[segment.mempool]]\nsize = %d\ncount = %u\n",
                                            PROBE_BYTES, probes) < 0) ||
                      dprintf(file, "[[segment.mempool]]\nsize = %u\ncount = %u\n",
                              channel->size_bytes, is_short ? chunks + probes : chunks) < 0)) {
        (void)close(file);
        return -1;
    }
    return file;
}

static _Noreturn void become_daemon(int configuration, int output, pid_t parent)
{
    char path[40];
    sigset_t none;

    /* Ctrl-C is for the conductor to handle; with whom the daemon dies, also if it is stopped. */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", configuration);
    /* Not monitored: who is stopped in a trial is not dead. */
    (void)execlp("iox-roudi", "iox-roudi", "-c", path, "-m", "off", "-k", "1", "-l", "warning",
                 (char *)NULL);
    _exit(127);
}

/* False: it has ended, or says nothing more in time. */
static bool await_ready(uint64_t until_ns)
{
    struct pollfd look = {.fd = roudi.output, .events = POLLIN};
    char text[4096];
    size_t length = 0;

    while (length + 1 < sizeof(text) && bench_clock_ns() < until_ns) {
        ssize_t bytes;

        if (poll(&look, 1, 100) <= 0)
            continue;
        bytes = read(roudi.output, text + length, sizeof(text) - 1 - length);
        if (bytes <= 0)
            return false;
        length += (size_t)bytes;
        text[length] = '\0';
        if (strstr(text, "RouDi is ready for clients") != NULL)
            return true;
    }
    return false;
}

static bool launch(const struct bench_channel *channel)
{
    int configuration = configure(channel), output[2];
    pid_t parent = getpid();

    if (configuration < 0 || pipe2(output, O_CLOEXEC) != 0) {
        bench_peer_complain("iceoryx: cannot start iox-roudi", errno);
        (void)close(configuration);
        return false;
    }
    roudi.pid = fork();
    if (roudi.pid == 0)
        become_daemon(configuration, output[1], parent);
    (void)close(configuration);
    (void)close(output[1]);
    roudi.output = output[0];
    return roudi.pid > 0;
}

/* The exit code; -1: it has not ended by itself. There is nothing that it should save. */
static int stop(void)
{
    int status = 0;

    (void)kill(roudi.pid, SIGKILL);
    (void)waitpid(roudi.pid, &status, 0);
    (void)close(roudi.output);
    roudi.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Another program's daemon may be just about to end. */
static bool start(const struct bench_channel *channel)
{
    uint64_t until_ns = bench_clock_ns() + START_NS;

    do {
        remove_daemon();
        if (!launch(channel))
            return false;
        if (await_ready(until_ns)) {
            roudi.size_bytes = channel->size_bytes;
            roudi.chunks = chunks_for(channel);
            roudi.applications = 0;
            roudi.is_spoilt = false;
            return true;
        }
        if (stop() == 127) {
            bench_peer_complain("iceoryx: there is no iox-roudi (package iceoryx)", 0);
            return false;
        }
        pause_a_little();
    } while (bench_clock_ns() < until_ns);
    bench_peer_complain("iceoryx: iox-roudi does not start; is there another one?", 0);
    return false;
}

static bool is_as_wanted(const struct bench_channel *channel)
{
    return roudi.size_bytes == channel->size_bytes && roudi.chunks >= chunks_for(channel) &&
           !roudi.is_spoilt && roudi.applications < APPLICATIONS_MAX;
}

void bench_roudi_rest(void)
{
    if (roudi.pid != 0)
        (void)stop();
    else
        roudi.turn = take_turn(); /* of a conductor that was killed; or another has cleared away */
    if (roudi.turn >= 0) {
        remove_daemon();
        (void)close(roudi.turn);
    }
}

bool bench_roudi_begin(struct bench_channel *channel)
{
    remove_applications(channel);
    if (roudi.pid != 0 && roudi.channels == 0 && !is_as_wanted(channel))
        bench_roudi_rest();
    if (roudi.pid == 0) {
        if (!await_turn())
            return false;
        if (!start(channel)) {
            (void)close(roudi.turn);
            return false;
        }
    }
    (void)kill(roudi.pid, SIGCONT);
    roudi.channels++;
    roudi.applications += channel->senders + channel->receivers;
    channel->depth = depth_of(channel);
    channel->state = &roudi;
    return true;
}

void bench_roudi_end(struct bench_channel *channel)
{
    bool is_ours = channel->state != NULL;

    remove_applications(channel);
    channel->state = NULL;
    if (!is_ours)
        return; /* of a conductor that was killed; rest() follows */
    roudi.is_spoilt |= !all_closed(channel);
    if (--roudi.channels == 0)
        (void)kill(roudi.pid, SIGSTOP);
}
