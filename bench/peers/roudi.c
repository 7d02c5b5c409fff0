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

/* Of the 256 places of a subscriber's queue, those for messages; chunks for probes, and for a second
 * channel. */
enum { PLACES = 240, SPARE = 64, POOL_BYTES = 256 << 20 };

#define START_NS UINT64_C(10000000000)
#define STOP_NS UINT64_C(3000000000)
#define TURN_NS UINT64_C(60000000000)
#define PAUSE_NS 20000000

#define LOCK "/tmp/iox-unique-roudi.lock"

/* The daemon of this process. */
static struct {
    pid_t pid;
    int output; /* what it says; kept open so that it can go on saying it */
    int turn;   /* a name that only one program has at a time */
    unsigned channels;
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

/* Besides those under way: what a sender has loaned and the last one he has sent, and what a receiver
 * holds. No sender ever finds the pool empty. */
static uint32_t chunks_for(const struct bench_channel *channel)
{
    return channel->senders * (depth_of(channel) + 9) + channel->receivers * (BENCH_BATCH_MAX + 2) +
           SPARE;
}

/* A descriptor; the daemon reads it by its number. */
static int configure(const struct bench_channel *channel)
{
    int file = memfd_create("roudi", 0);

    if (file >= 0 && dprintf(file,
                             "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\n"
                             "size = %u\ncount = %u\n",
                             channel->size_bytes, chunks_for(channel)) < 0) {
        (void)close(file);
        return -1;
    }
    return file;
}

static _Noreturn void become_daemon(int configuration, int output, pid_t parent)
{
    char path[40];
    sigset_t none;

    /* Ctrl-C is for the conductor to handle; with whom the daemon dies. */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
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

/* The exit code; -1: it had to be killed. */
static int stop(void)
{
    uint64_t until_ns = bench_clock_ns() + STOP_NS;
    int status = 0;

    (void)kill(roudi.pid, SIGTERM);
    while (waitpid(roudi.pid, &status, WNOHANG) == 0) {
        if (bench_clock_ns() > until_ns) {
            (void)kill(roudi.pid, SIGKILL);
            (void)waitpid(roudi.pid, &status, 0);
            break;
        }
        pause_a_little();
    }
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
        if (await_ready(until_ns))
            return true;
        if (stop() == 127) {
            bench_peer_complain("iceoryx: there is no iox-roudi (package iceoryx)", 0);
            return false;
        }
        pause_a_little();
    } while (bench_clock_ns() < until_ns);
    bench_peer_complain("iceoryx: iox-roudi does not start; is there another one?", 0);
    return false;
}

bool bench_roudi_begin(struct bench_channel *channel)
{
    remove_applications(channel);
    if (roudi.channels == 0) {
        if (!await_turn())
            return false;
        if (!start(channel)) {
            (void)close(roudi.turn);
            return false;
        }
    }
    roudi.channels++;
    channel->depth = depth_of(channel);
    channel->state = &roudi;
    return true;
}

void bench_roudi_end(struct bench_channel *channel)
{
    bool is_ours = channel->state != NULL;

    remove_applications(channel);
    channel->state = NULL;
    if (is_ours && --roudi.channels > 0)
        return;
    if (is_ours)
        (void)stop();
    else
        roudi.turn = take_turn(); /* of a conductor that was killed; or another has cleared away */
    if (roudi.turn >= 0) {
        remove_daemon();
        (void)close(roudi.turn);
    }
}

/* ---- what has been taken ---- */

struct receiver {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 taken[BENCH_WORKERS_MAX]; /* by sender */
    peal_u32 is_reached[BENCH_WORKERS_MAX];
};

struct bench_roudi_taken {
    struct receiver receivers[BENCH_WORKERS_MAX];
};

size_t bench_roudi_taken_bytes(void)
{
    return sizeof(struct bench_roudi_taken);
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
