/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bus, queue or pipe must be able to do to be measured beside the others. Peal's own ways are
 * contenders like all others, and all are called through the same indirection.
 *
 * A channel is what one trial runs over: any number of senders and receivers, as far as the contender's
 * patterns go. The conductor begins it, forks (or starts) the workers, each of which opens an end, and
 * ends it when they have gone, or were killed: end() must clear away whatever a killed worker leaves
 * (files in /dev/shm, sockets, queues of the kernel, a daemon), and begin() must not mind what an earlier
 * program left.
 *
 *      sender                                   receiver
 *      n = prepare(end, places, size, count)    n = receive(end, views, max)
 *      write places[0..n)                       read views[0..n)
 *      send(end, n) until all went              release(end)
 *
 * prepare() gives memory of the channel itself where the contender has loans (its natural fast path) and
 * a buffer of the end's own where it has not. No call waits but wait().
 *
 * begin() and end() are called by the conductor's one thread, always in pairs; the workers are forked
 * in between. Those that are threads run in a forked process, too, so that whatever they do can be
 * ended: they see what begin() has made as it was then, at the same addresses, but threads that begin()
 * has started are not there.
 *
 * A ping-pong is two channels, "there" and "back", of which either process opens one end each, in that
 * order. Receivers are asked for min(batch, BENCH_BATCH_MAX) messages.
 */
#ifndef PEAL_BENCH_CONTEST_CONTENDER_H
#define PEAL_BENCH_CONTEST_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BENCH_BATCH_MAX = 32,
    BENCH_WORKERS_MAX = 34, /* senders and receivers together */
};

/* Bits: what it can be asked for. */
enum bench_pattern {
    BENCH_PATTERN_PAIR = 1u << 0,    /* one sender, one receiver, in order */
    BENCH_PATTERN_FAN_OUT = 1u << 1, /* one sender, each receiver gets every message */
    BENCH_PATTERN_FAN_IN = 1u << 2,  /* many senders, one receiver */
    BENCH_PATTERN_MESH = 1u << 3,    /* many senders, each receiver gets every message */
    BENCH_PATTERN_QUEUE = 1u << 4,   /* many senders, many receivers, each message to one of them */
    BENCH_PATTERN_LATEST = 1u << 5,  /* receivers get the newest message; others may be missed */
};

enum bench_reach {
    BENCH_REACH_PROCESSES = 0, /* ends may be in different processes */
    BENCH_REACH_THREADS = 1,   /* only in one */
};

/* Of one trial; stays valid until end(). The same for all ends. */
struct bench_channel {
    const char
        *name; /* for files, topics, sockets: unique to the trial, [a-z0-9-], at most 40 long */
    const char *url;     /* of Peal's bus, which exists for the run */
    uint32_t size_bytes; /* longest message; a multiple of 8, at least 8 */
    uint32_t depth;      /* messages that shall find room; a power of two. Rings that must keep one
                            place free hold one less */
    uint32_t senders;
    uint32_t receivers;
    enum bench_pattern pattern;
    bool waits; /* wait() will be called: whatever has to be done so that it works */
    uint64_t
        spin_ns;  /* with waits: how long wait() spins before it sleeps, where that can be set; at
                     present 0, as the engine itself spins where it is to be measured */
    void *memory; /* memory_bytes() of zeros that all workers share; NULL if it wants none */
    void *state;  /* the contender's own: begin() sets it, before the workers are forked */
};

struct bench_view {
    const void *data;
    size_t size_bytes; /* of the channel, where all elements of a ring have one size */
};

struct bench_contender {
    const char *name;    /* "iceoryx", "peal topic, loan" */
    const char *package; /* Debian's, and its version where the header tells; for the report */
    const char *note;    /* NULL, or what a reader of the table must know of it, in a sentence */
    bool is_peal;
    unsigned patterns; /* enum bench_pattern, or'ed */
    enum bench_reach reach;
    bool can_be_wedged; /* by design: who is stopped between two instructions stops others */
    bool has_batches; /* prepare/send/receive of many at once is its own; else singles in a loop */
    bool has_loans;
    bool uses_kernel;        /* a system call for each message */
    bool loses;              /* may drop messages by design where the receiver is slow */
    uint32_t size_bytes_max; /* of a message; 0: no limit worth naming */
    double turn_ms; /* what a trial takes beside measuring, about; 0: as most (contest/plan.c) */

    /* NULL, or what the system lets it do at present: the longest message; NULL: all, else why not. */
    const char *(*limit)(uint32_t *size_bytes);

    /* All but open, prepare, send, receive may be NULL. */
    size_t (*memory_bytes)(const struct bench_channel *channel);
    /* False: not here; said why on stderr. May lower the depth to what can be had. */
    bool (*begin)(struct bench_channel *channel);
    /* Also in the place of a conductor that was killed, by its guard: `state` and `memory` are NULL then,
     * and what must be cleared away is found by its name. */
    void (*end)(struct bench_channel *channel);
    /* Lets go what it keeps from one channel to the next, as a daemon that takes long to start. By the
     * conductor when no channel is there, and in the place of a killed one by its guard. */
    void (*rest)(void);

    /* By each worker, in its own process or thread; `index` counts senders, or receivers. Ends the
     * program through bench_contender_die() if it cannot. Senders may open before receivers or after,
     * so nobody waits here for the others. */
    void *(*open)(const struct bench_channel *channel, bool sends, uint32_t index);
    void (*close)(void *end);
    /* Each worker asks after all have opened, again and again, until it is true for all; only then is
     * something sent. Here connections come about that take a while. Until then prepare() may find
     * that there is no room. NULL: always. */
    bool (*ready)(void *end);

    /* Room for up to `count` (<= BENCH_BATCH_MAX) messages of `size_bytes` each; places[i] is where
     * message i is to be written. How many; 0: full now. */
    size_t (*prepare)(void *end, void *places[], size_t size_bytes, size_t count);
    /* Sends the first `count` prepared ones; how many went. The others stay prepared, in order, and the
     * caller comes back with send() for them. */
    size_t (*send)(void *end, size_t count);

    /* Up to `max` messages, valid until release(), which follows each receive() that gave any. */
    size_t (*receive)(void *end, struct bench_view views[], size_t max);
    void (*release)(void *end);

    /* Sleeps until there may be something to receive, at most timeout_ns, in the contender's own way
     * (futex, poll, condition). NULL: it has none. */
    void (*wait)(void *end, uint64_t timeout_ns);
    /* A descriptor that becomes readable with messages, and what to call before sleeping on it: true:
     * there are messages already. NULL: none. */
    int (*descriptor)(void *end);
    bool (*arm)(void *end);
};

/* All that this program was built with, Peal's first; ended by NULL. */
extern const struct bench_contender *const bench_contenders[];

/* What it was built without, and the package each wants ("iceoryx (libiceoryx-posh-dev), ..."); NULL:
 * nothing is missing. */
extern const char *const bench_contenders_missing;

/* Says why and ends the process with exit code 1. */
#ifdef __cplusplus
[[noreturn]] void
#else
_Noreturn void
#endif
bench_contender_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif

#endif
