/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport contract: how a region of memory is obtained, who is in it, how a bell is rung.
 *
 * A backend is one folder that fills one const `struct peal_transport_ops`. Everything above
 * (core, bus) is the same over every backend, and one conformance suite (tests/conformance) holds
 * every backend to what is written here.
 *
 * Words:
 *  region   memory that several clients map; named; page-granular; its content may be anything when
 *           the first client comes (a vdev region may hold bytes of a former life)
 *  client   one open attachment to a region (one per peal_transport); has an index 0..capacity-1,
 *           unique among the live ones. An index is used again after its client has gone
 *  member   a client that is attached and not known to be dead. The authority (kernel, hypervisor,
 *           the test) says so; nothing that a peer wrote into the region is believed
 *  bell     "look again", nothing more. One sticky bit per source client, no count, no payload:
 *           ringing a client whose bit of ours is still unread may do nothing more (coalescing)
 *
 * Bells and waiting. Each transport has an event counter ("epoch") in its client. It moves when the
 * client is rung, when a member comes or goes where the authority tells (vdev, local), and when
 * wake_all() is called. Where looking at the bell costs a trap (vdev) it moves for a ring when a wait()
 * drains it, which every wait() does with a ring that came after its epoch was read. The sleeper's
 * pattern, which loses no wake-up:
 *
 *      epoch = ops->epoch(t);
 *      tell the world that I sleep; full fence; look at every ring; found something? done
 *      ops->wait(t, epoch, timeout_ns, &sources);
 *
 * Any number of threads of one client may wait at once; a ring wakes them all. `sources` are drained
 * once: what one thread drains another does not see, but every waiter returns because the epoch
 * moved.
 */
#ifndef PEAL_TRANSPORT_TRANSPORT_H
#define PEAL_TRANSPORT_TRANSPORT_H

#include <peal/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEAL_TRANSPORT_CLIENTS_MAX 64u
#define PEAL_TRANSPORT_NAME_MAX 31u /* characters: the vdev's GUEST_SHM_MAX_NAME less the NUL */
#define PEAL_TRANSPORT_PAGE_BYTES 4096u
#define PEAL_TRANSPORT_SIZE_DEFAULT (UINT64_C(16) << 20)
#define PEAL_TRANSPORT_TIMEOUT_DEFAULT_NS UINT64_C(5000000000)
#define PEAL_TRANSPORT_FOREVER UINT64_MAX

/* Capability flags; constant for the life of a transport. */
enum peal_transport_capability {
    /* All clients run on one kernel, and this client is registered for membarrier(2)
     * MEMBARRIER_CMD_GLOBAL_EXPEDITED: `barrier` works. */
    PEAL_TRANSPORT_BARRIER = 1u << 0,
    /* members() tells the death of a process, not only of a machine. */
    PEAL_TRANSPORT_PROCESS_DEATH = 1u << 1,
    /* A member's death, too, moves everybody's epoch (and makes the descriptor readable) by itself;
     * coming and leaving rings on every backend. */
    PEAL_TRANSPORT_MEMBER_EVENTS = 1u << 2,
    /* Ringing a bell leaves the program (system call, VM exit) even if the target is awake. */
    PEAL_TRANSPORT_COSTLY_NOTIFY = 1u << 3,
    /* All clients run on one kernel, but a process may be kept from membarrier: others may have
     * PEAL_TRANSPORT_BARRIER, and rely on it, although this client does not. */
    PEAL_TRANSPORT_ONE_KERNEL = 1u << 4,
    /* CLOCK_MONOTONIC is the same clock for all clients (time namespaces apart). */
    PEAL_TRANSPORT_ONE_CLOCK = 1u << 5,
};

/* What the user wants of the region; a zero field means "the default". */
struct peal_transport_options {
    size_t struct_bytes; /* sizeof(struct peal_transport_options) of the caller */
    uint64_t size_bytes; /* wanted size when this client creates the region; rounded up to pages */
    uint32_t mode;       /* permission bits of a new object; 0 means 0600 (posix) */
    uint32_t group_id;   /* group of a new object (posix); read only when use_group */
    bool use_group;
    bool prefault;       /* touch every page at open, so that no page fault comes later */
    bool lock_memory;    /* mlock; fails with PEAL_EPERM and a remedy when the limit is too low */
    bool huge_pages;     /* ask for transparent huge pages; a hint */
    bool must_exist;     /* do not create: PEAL_ENOENT when there is no such region */
    const char *device;  /* vdev: a device node, or a device server's socket; others: ignored */
    uint64_t timeout_ns; /* bound on races with other openers; 0 means 5 s */
};

struct peal_transport; /* each backend's own struct begins with it */
struct peal_removal;   /* transport/removal.h */

struct peal_transport_ops {
    const char *scheme; /* "posix" in "posix:NAME" */

    /*
     * Obtains the region `name` and an index in it. `name`: 1..PEAL_TRANSPORT_NAME_MAX characters of
     * [A-Za-z0-9._-], not beginning with '.' or '-'; `options`: never NULL, all fields set (both
     * seen to by peal_transport_open before the backend is asked). A region that has members is
     * attached whatever its size (the first client chose it; read it back from size_bytes). What
     * dead clients left behind is taken over, never an error: its memory is kept as it is, unless
     * size_bytes asks for another size, which makes it anew (not with must_exist). The other members
     * are rung by the newcomer. Errors, each with a peal_fail() message: EINVAL, EPERM, ENOENT (must_exist), ENOMEM, ENOSPC
     * (object does not fit), ELIMIT (all indexes taken), EFORMAT (an object of that name that is
     * not ours, or a device that is none; it is left alone), ECORRUPT (truncated object that is in use), ESYSTEM, TIMEDOUT.
     * On failure nothing is left behind: no index, no descriptor, no mapping. Blocks at most
     * options->timeout_ns. Thread-safe.
     */
    enum peal_status (*open)(const char *name, const struct peal_transport_options *options,
                             struct peal_transport **transport);

    /*
     * Leaves: the bit of this client goes from members(), the others are rung, memory is unmapped.
     * No other call may run or come later on this transport, except that threads inside wait()
     * must have been brought out before by wake_all() (the caller counts them). Not thread-safe.
     */
    void (*close)(struct peal_transport *transport);

    /*
     * Rings every client in `targets`: a wait() whose epoch was read before returns, also if our last
     * ring is not drained yet; bits of absent clients are ignored, our own bit rings ourselves. All
     * stores made before are visible to whoever is woken. Waits for nobody (vdev: for the device, as
     * long as a trap takes); thread-safe. Through a device server's socket it may arrive later than
     * this returns, in the order of our calls.
     */
    void (*notify)(struct peal_transport *transport, uint64_t targets);

    /* The event counter, to be read before looking at the rings. Thread-safe, no system call. */
    uint32_t (*epoch)(struct peal_transport *transport);

    /*
     * Sleeps until the epoch differs from `epoch` or timeout_ns have passed (0: only drain; at once;
     * PEAL_TRANSPORT_FOREVER: no limit). PEAL_OK when the epoch moved, PEAL_TIMEDOUT otherwise;
     * may return PEAL_OK without cause. *sources (never NULL) gets the clients that rang since the
     * last drain, possibly 0; who came or left may be among them. Unknown bits of a lying peer are
     * masked away. Everything that a ringer stored before notify() is visible after.
     * PEAL_ESYSTEM with a peal_fail() message: the device is gone for good (vdev), nobody will ring any
     * more, and every wait says so at once. Memory stays mapped and members() as they were; close,
     * and open again. Thread-safe; any number of threads.
     */
    enum peal_status (*wait)(struct peal_transport *transport, uint32_t epoch, uint64_t timeout_ns,
                             uint64_t *sources);

    /* Moves our own epoch and wakes every thread of this client in wait(). Thread-safe. */
    void (*wake_all)(struct peal_transport *transport);

    /*
     * A descriptor that polls readable after a ring that nobody drained yet, for epoll and its kin;
     * made on the first call, owned by the transport, closed by close(). It stays readable until
     * wait() drains (also with timeout 0). -1 with a peal_fail() message when it can't be had.
     */
    int (*fd)(struct peal_transport *transport);

    /*
     * The members as the authority tells them now, our own bit among them. May cost a system call
     * per client; not for the data path. Thread-safe, does not block.
     */
    uint64_t (*members)(struct peal_transport *transport);

    /*
     * Makes every running thread of every member behave as if it had executed a full fence now
     * (membarrier). PEAL_ENOTSUP without PEAL_TRANSPORT_BARRIER. Thread-safe.
     */
    enum peal_status (*barrier)(struct peal_transport *transport);

    /*
     * Removes the name. Clients that are attached go on undisturbed; the next open makes a new
     * region. PEAL_ENOENT when there is none, PEAL_ENOTSUP (vdev). Thread-safe.
     */
    enum peal_status (*unlink)(const char *name);

    /*
     * Removes the name if nobody uses the region, as transport/removal.h says. NULL: a region leaves
     * nothing behind. Does not block. Thread-safe.
     */
    enum peal_status (*remove_idle)(const char *name, struct peal_removal *removal);
};

/* What every backend's transport begins with; constant after open(). */
struct peal_transport {
    const struct peal_transport_ops *ops;
    unsigned char *base;   /* the region, page-aligned; readable and writable */
    uint64_t size_bytes;   /* a multiple of the page size */
    uint32_t index;        /* our own */
    uint32_t capacity;     /* indexes are 0..capacity-1; at most PEAL_TRANSPORT_CLIENTS_MAX */
    uint32_t capabilities; /* enum peal_transport_capability */
};

/* The backend of a scheme ("posix", "local"), or NULL. Checks once that all slots are filled. */
const struct peal_transport_ops *peal_transport_find(const char *scheme);

/* The name rule above; PEAL_EINVAL with a message that names the offending character. */
enum peal_status peal_transport_check_name(const char *name);

/*
 * find + check_name + ops->open; `options` may be NULL (all defaults), and may come from an older
 * caller (a smaller struct_bytes). *transport is NULL on failure.
 */
enum peal_status peal_transport_open(const char *scheme, const char *name,
                                     const struct peal_transport_options *options,
                                     struct peal_transport **transport);

/* find + check_name + ops->unlink. */
enum peal_status peal_transport_unlink(const char *scheme, const char *name);

#endif
