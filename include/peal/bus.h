/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bus: this process's attachment to a region of shared memory.
 *
 *      struct peal_bus *bus;
 *      if (peal_bus_open(&bus, "posix:vehicle", NULL) != PEAL_OK)
 *          die(peal_error_message());
 *      ...
 *      peal_bus_close(bus);
 *
 * URLs: SCHEME:NAME[?KEY=VALUE[&KEY=VALUE]...]
 *   posix:NAME   processes on one kernel, through POSIX shared memory
 *   vdev:NAME    virtual machines, through the hypervisor's shared-memory device; device=PATH is
 *                the driver's node (default /dev/guest_shm0), or the socket of a device server, by
 *                which a process is a guest
 *   local:NAME   threads of one process; for tests and for programs that may be split later
 *   auto:NAME    the shared-memory device of the hypervisor where there is one, else posix
 * NAME: 1 to 31 characters of A-Z a-z 0-9 . _ - and not . or - first. Keys override the options:
 *   size=64M topics=256 mode=0660 group=NAME prefault=1 mlock=1 huge=1 exist=1 device=PATH
 * Sizes take the suffixes K, M, G (powers of 1024).
 */
#ifndef PEAL_BUS_H
#define PEAL_BUS_H

#include <peal/export.h>
#include <peal/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PEAL_BEGIN_DECLS

struct peal_bus;

/* A time limit that never passes. Limits are relative, in nanoseconds; 0 means "do not wait". */
#define PEAL_FOREVER UINT64_MAX

/*
 * How to open. Zero means "the default" in every field; start from PEAL_BUS_OPTIONS_INIT. What
 * shapes the region (size, topics, mode, group) counts only for the client that comes first.
 */
struct peal_bus_options {
    size_t struct_bytes;      /* sizeof(struct peal_bus_options); set by PEAL_BUS_OPTIONS_INIT */
    const char *client_name;  /* shown to peers, at most 31 characters; default: program's name */
    uint64_t size_bytes;      /* of the region; default 64 MiB; rounded up to pages */
    uint32_t topics_max;      /* default 256 */
    uint32_t mode;            /* permission bits of a new object; default 0600 */
    const char *group;        /* group of a new object, by name or number; default unchanged */
    const char *device;       /* vdev: a node (default /dev/guest_shm0) or a server's socket */
    bool prefault;            /* touch all memory now, so that no page fault comes later */
    bool lock_memory;         /* keep it in RAM (mlock) */
    bool huge_pages;          /* ask for transparent huge pages */
    bool must_exist;          /* attach only; PEAL_ENOENT when nobody has made it */
    bool always_fence;        /* publish with a full fence even where sleepers could pay for it */
    uint64_t open_timeout_ns; /* bound on waiting for another opener; default 5 s */
    uint64_t spin_ns;         /* how long a waiter polls before it sleeps; default 20 us */
    uint64_t safety_net_ns;   /* longest sleep without looking; default 100 ms */
    uint64_t bell_rate_hz;    /* rings per second toward one peer; a tenth as many spurious wakes
                                  are endured; alike in all programs; default 100000 */
};

#ifdef __cplusplus
#define PEAL_BUS_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(struct peal_bus_options)                                                            \
    }
#else
#define PEAL_BUS_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_bus_options)                                            \
    }
#endif

/* Counters of one process on one bus. */
struct peal_bus_stats {
    size_t struct_bytes;        /* in: sizeof(struct peal_bus_stats) */
    uint64_t bells_rung;        /* sleeping peers that were rung */
    uint64_t bells_suppressed;  /* held back by the rate limit */
    uint64_t sleeps;            /* times that a waiter went to sleep */
    uint64_t wakes;             /* times that it was woken by a bell */
    uint64_t spurious_wakes;    /* ... and found nothing */
    uint64_t safety_net_finds;  /* a sleep ran out and found work that nobody had rung for */
    uint64_t recovered_clients; /* dead clients whose remains this process cleared away */
    uint64_t corruptions;       /* lanes given up because a peer had spoilt them */
    uint32_t members;           /* clients attached now, this one among them */
    uint32_t index;             /* our own index */
    uint64_t region_bytes;      /* size of the region */
    uint64_t region_free_bytes; /* not owned by anybody now */
    uint32_t clients_max;       /* how many the region can have */
    uint32_t one_clock;         /* 1: timestamps of all clients compare (time namespaces apart); 0:
                                   they may be those of several machines */
};

/*
 * Opens a bus, making and laying out the region if nobody has. `options` may be NULL.
 * On success *bus is the caller's, to be closed with peal_bus_close(); on failure *bus is NULL and
 * nothing is left behind. Blocks at most open_timeout_ns, when another client is just laying the
 * region out. Thread-safe; one process may open several buses, also the same one several times
 * (each is a client of its own).
 * Errors: EINVAL (URL, options), EPERM, ENOENT (must_exist), ENOMEM, ENOSPC, ELIMIT (all client
 * indexes taken), EFORMAT (foreign object or other version), ECORRUPT, TIMEDOUT, ENOTSUP (no such
 * transport), ESYSTEM; peal_error_message() says what to do.
 */
PEAL_API enum peal_status peal_bus_open(struct peal_bus **bus, const char *url,
                                        const struct peal_bus_options *options);

/*
 * Closes a bus: threads waiting in it return PEAL_CLOSED, new endpoints are refused. Publishers,
 * subscribers and waitsets that are still open stay valid until they are closed themselves; the
 * region is left and unmapped with the last of them. NULL is allowed. Thread-safe against calls on
 * endpoints of the bus; must be called once. Does not wait for peers.
 */
PEAL_API void peal_bus_close(struct peal_bus *bus);

/*
 * Removes the name of a region. Who is attached goes on undisturbed; the next open makes a new
 * region. PEAL_ENOENT when there is none, PEAL_ENOTSUP where the transport has no names to remove.
 * Thread-safe.
 */
PEAL_API enum peal_status peal_unlink(const char *url);

/* What stands under the name of a region. New ones are added at the end. */
enum peal_leftover_kind {
    PEAL_LEFTOVER_NOTHING = 0, /* nothing, or nothing that may be looked at */
    PEAL_LEFTOVER_REGION = 1,
    PEAL_LEFTOVER_UNFINISHED = 2,   /* its maker died before it was a region */
    PEAL_LEFTOVER_SPOILT = 3,       /* cut short or overwritten */
    PEAL_LEFTOVER_OTHER_FORMAT = 4, /* of another release */
    PEAL_LEFTOVER_FOREIGN = 5,      /* somebody else's object */
};

/* Start from PEAL_UNLINK_OPTIONS_INIT. */
struct peal_unlink_options {
    size_t struct_bytes;
    bool dry_run;       /* only look; the right to read is enough, and no lock is taken */
    bool with_messages; /* also a region whose queues hold messages for who comes next */
    bool with_spoilt;   /* also what is no region of this format, if nobody has a lock on it */
};

/* What peal_unlink_if_idle() found. */
struct peal_leftover {
    size_t struct_bytes; /* in: sizeof(struct peal_leftover) */
    enum peal_leftover_kind kind;
    bool is_used;          /* somebody is attached, or just opening */
    uint64_t members;      /* bit i: client i is attached */
    uint64_t messages;     /* in queues, not done with; only of a region that is not used */
    uint64_t object_bytes; /* its length */
    uint64_t memory_bytes; /* that it takes now */
    uint32_t owner_id;     /* user id of its owner */
    uint32_t fifos;        /* of clients that have gone, beside it: removed, unless dry_run */
};

#ifdef __cplusplus
#define PEAL_UNLINK_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(struct peal_unlink_options)                                                         \
    }
#else
#define PEAL_UNLINK_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_unlink_options)                                         \
    }
#endif

/*
 * Removes the name of a region if nobody is attached to it, and the FIFOs that dead clients left beside
 * it in any case. A program that is just opening the region either was first, and then it is in use; or
 * it finds the name gone and makes a new region: never does anybody lose a region that he has opened, or
 * a message that he has put into a queue. Who only observes does not count. `options` and `leftover`
 * may be NULL; *leftover says what was found, whatever the answer is. With dry_run nothing is removed,
 * and the answer is as of now.
 * OK: removed (dry_run: would be). AGAIN: in use, or just being opened; EEXIST: its queues hold messages
 * (with_messages); ECORRUPT, EFORMAT: spoilt, of another format, or not ours (with_spoilt; what is no
 * regular file stays all the same); ENOENT; EPERM; EINVAL; ENOTSUP (not posix:); ENOMEM; ESYSTEM. Each leaves a
 * message. Does not block. Thread-safe. An object that is cut short by force while it is looked at raises
 * SIGBUS, as for any reader; with dry_run also one that is just made anew in another size.
 */
PEAL_API enum peal_status peal_unlink_if_idle(const char *url,
                                              const struct peal_unlink_options *options,
                                              struct peal_leftover *leftover);

/*
 * For event loops: *fd polls readable when a peer has rung for this process. Owned by the bus, valid
 * until it is closed. The loop is
 *
 *      peal_bus_arm(bus);                  tell publishers that we are going to sleep
 *      epoll_wait(...);
 *      peal_bus_disarm(bus);               readable no more; publishers need not ring
 *      take until PEAL_EMPTY from each subscriber
 *      and again
 *
 * peal_bus_arm() makes the descriptor readable by itself when a subscriber of this bus already has
 * something to take, so that nothing published before it is slept over.
 * Errors: ENOTSUP, ESYSTEM. When the device of a vdev: bus is gone the descriptor becomes readable, and
 * peal_bus_disarm() answers ESYSTEM from then on: close the bus. Thread-safe. Does not block.
 */
PEAL_API enum peal_status peal_bus_fd(struct peal_bus *bus, int *fd);
PEAL_API enum peal_status peal_bus_arm(struct peal_bus *bus);
PEAL_API enum peal_status peal_bus_disarm(struct peal_bus *bus);

/*
 * Clears away what dead clients have left (their lanes once drained, pages, entries). Done by open
 * and by waiting threads on their own; an explicit call is for programs that only ever publish.
 * *recovered, if not NULL, gets the number of dead clients found. Thread-safe, does not block.
 */
PEAL_API enum peal_status peal_bus_recover(struct peal_bus *bus, uint32_t *recovered);

/* Reads the counters. Thread-safe, does not block. EINVAL if struct_bytes is not set. */
PEAL_API enum peal_status peal_bus_stats(struct peal_bus *bus, struct peal_bus_stats *stats);

PEAL_END_DECLS

#endif
