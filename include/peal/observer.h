/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An observer: looks at a live region, or at what a crashed system has left of one, without being one
 * of its clients. It writes nothing, rings nobody, and cannot slow anyone.
 *
 *      struct peal_observer *observer;
 *      if (peal_observer_open(&observer, "posix:vehicle", NULL) != PEAL_OK)
 *          die(peal_error_message());
 *      struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
 *      visitor.topic = print_topic;
 *      peal_observer_visit(observer, &visitor);
 *      peal_observer_close(observer);
 *
 * URLs: those of <peal/bus.h>; of their keys only device= counts. And file:PATH.
 *   posix:NAME  the object is mapped read-only, and permission to read it is all that is needed. No
 *               index is taken, and no lock
 *   vdev:NAME   the device knows no guests that only read: an observer attaches as one, so that it
 *               holds an index while it is open and its coming and going interrupts the others. It
 *               does nothing with the index, and the region is mapped read-only all the same
 *   file:PATH   a copy of a region, or of the shared object of posix:
 *   local:NAME  ENOTSUP: there is nothing to be seen from outside
 *
 * Everything that is read may have been written by a hostile peer: each word is read once and checked,
 * texts are cut, made valid UTF-8 and freed of control characters, and a visit ends after a number of
 * steps that depends on the region's size alone. Figures are not of one moment, and whoever writes them
 * may lie. What keeps changing while it is looked at is left out of a visit.
 *
 * posix: when the last client has gone, who comes next and wants another size makes the object anew in
 * place. An observer finds that out before each look and answers EFORMAT: open another one. In that very
 * moment, and whenever a file or object is cut short by force, it gets SIGBUS as any reader does.
 *
 * Threads: one handle is used by one thread at a time.
 */
#ifndef PEAL_OBSERVER_H
#define PEAL_OBSERVER_H

#include <peal/audit.h>
#include <peal/message.h>

PEAL_BEGIN_DECLS

struct peal_observer;

/* Zero means "the default" in every field; start from PEAL_OBSERVER_OPTIONS_INIT. */
struct peal_observer_options {
    size_t struct_bytes;
    const char *device; /* vdev: as in peal_bus_options */
};

struct peal_observer_region {
    size_t struct_bytes; /* of the library's struct, here and below; read no field beyond it */
    uint64_t region_bytes;
    uint64_t generation; /* of the layout: another one is another region */
    uint32_t format;     /* version */
    uint32_t topics_max;
    uint32_t pages; /* of data */
    uint32_t pages_free;
    uint64_t members;   /* bit i: client i is attached, as kernel or hypervisor say; without us */
    uint64_t armed;     /* bit i: client i sleeps */
    bool members_known; /* false of a file: then every life is PEAL_AUDIT_UNKNOWN */
};

struct peal_observer_client {
    size_t struct_bytes;
    uint32_t index;
    enum peal_audit_life life;
    const char *name;
    uint64_t incarnation;
    uint64_t attached_ns;  /* since 1970 */
    uint64_t heartbeat_ns; /* CLOCK_MONOTONIC of its machine when it last slept or rang; 0: never */
    uint64_t bells_rung;   /* this and the following as in peal_bus_stats, as of then */
    uint64_t bells_suppressed;
    uint64_t sleeps;
    uint64_t wakes;
    uint64_t spurious_wakes;
    uint64_t safety_net_finds;
    uint64_t recovered_clients;
    uint64_t corruptions;
};

struct peal_observer_topic {
    size_t struct_bytes;
    uint32_t index;
    bool is_queue;
    bool strict; /* this and the following of a queue */
    bool drops_held;
    uint32_t message_bytes_max;
    const char *name;
    const char *type_name; /* "": untyped */
    uint64_t schema_hash;
    uint64_t ended_pushed; /* sums over lanes that have ended and gone */
    uint64_t ended_dropped_oldest;
    uint64_t ended_dropped_newest;
    uint64_t ended_lost;
};

/* A publisher of a topic, or one who pushes into a queue, by his lane. */
struct peal_observer_publisher {
    size_t struct_bytes;
    uint32_t topic; /* its index */
    uint32_t lane;
    enum peal_audit_life life;
    uint32_t client;
    bool has_ended;          /* closed or dead; what it left is still being read */
    bool is_spoilt;          /* its lane makes no sense: all below is 0 */
    bool waits;              /* it sleeps until there is room */
    bool gates;              /* reliable subscribers hold it up; false: PEAL_FULL_EVICT */
    const char *name;        /* "" of a queue */
    uint64_t incarnation;    /* `publisher` of its messages */
    uint64_t published;      /* messages made visible so far */
    uint64_t dropped;        /* messages that were not taken in for want of room */
    uint64_t lane_bytes;     /* memory */
    uint64_t newest_ns;      /* timestamp of the newest message; 0: none */
    uint64_t dropped_oldest; /* of a queue: dropped unread, to make room */
    uint64_t lost;           /* 〃 taken by consumers that died, and dropped */
    uint64_t pending;        /* 〃 pushed and not taken yet */
    double
        bytes_per_message; /* mean over some of the messages that the lane holds; 0: it has none */
    uint32_t depth;
    uint32_t message_bytes_max;
};

/* A subscriber of a topic, or one who pops from a queue: once for each lane that it reads. */
struct peal_observer_subscriber {
    size_t struct_bytes;
    uint32_t topic;
    uint32_t entry;
    enum peal_audit_life life;
    uint32_t client;
    bool reliable;
    bool is_remains;   /* of a queue: what a dead one held; waits for another to take it over */
    bool cursor_known; /* false of a queue, and of who is just joining */
    uint32_t lane;     /* UINT32_MAX: it reads none, and all below is 0 */
    uint64_t cursor;   /* messages of the lane below it are done with */
    uint64_t lag;      /* messages published and not done with, as far as it has told */
    uint64_t taken; /* messages that it has had of this lane, as of its last acknowledgement; of a
                          queue: that it is done with */
    uint64_t lost;  /* 〃 that it was told lost; of a queue: dropped, for it died with them */
    uint64_t redelivered; /* of a queue: those among `taken` that a dead one had held */
    uint32_t held;        /* of a queue: messages claimed and not done with */
};

/*
 * What is wanted is set, the rest NULL. What the arguments point to is valid during the call. The order:
 * the region, the clients, then each topic, followed by its publishers and by its subscribers.
 */
struct peal_observer_visitor {
    size_t struct_bytes;
    void *context;
    void (*region)(void *context, const struct peal_observer_region *region);
    void (*client)(void *context, const struct peal_observer_client *client);
    void (*topic)(void *context, const struct peal_observer_topic *topic);
    void (*publisher)(void *context, const struct peal_observer_publisher *publisher);
    void (*subscriber)(void *context, const struct peal_observer_subscriber *subscriber);
};

#ifdef __cplusplus
#define PEAL_OBSERVER_OPTIONS_INIT                                                                 \
    {                                                                                              \
        sizeof(struct peal_observer_options)                                                       \
    }
#define PEAL_OBSERVER_VISITOR_INIT                                                                 \
    {                                                                                              \
        sizeof(struct peal_observer_visitor)                                                       \
    }
#else
#define PEAL_OBSERVER_OPTIONS_INIT                                                                 \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_observer_options)                                       \
    }
#define PEAL_OBSERVER_VISITOR_INIT                                                                 \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_observer_visitor)                                       \
    }
#endif

/*
 * `options` may be NULL. On success *observer is the caller's until peal_observer_close(); on failure it
 * is NULL and nothing is left behind. Does not block; vdev: at most some 5 s, for the device and for the
 * clearing away of who died with the index that we are given. Thread-safe.
 * Errors: EINVAL (URL, options), ENOENT (no such region), EPERM, EFORMAT (no region of this format, or
 * it is just being laid out), ECORRUPT (object cut short), ENOTSUP, ENOMEM, ESYSTEM; vdev: ELIMIT (no
 * index free), AGAIN (the index that we would get is a dead client's whom nobody has cleared away).
 */
PEAL_API enum peal_status peal_observer_open(struct peal_observer **observer, const char *url,
                                             const struct peal_observer_options *options);

/* NULL is allowed. */
PEAL_API void peal_observer_close(struct peal_observer *observer);

/* Calls back in this thread. Does not block. OK; EFORMAT: the region is being laid out anew, or is none
 * any more, or its object was made anew (open another observer); EINVAL. */
PEAL_API enum peal_status peal_observer_visit(struct peal_observer *observer,
                                              const struct peal_observer_visitor *visitor);

/* As peal_bus_audit(). */
PEAL_API enum peal_status peal_observer_audit(struct peal_observer *observer,
                                              const struct peal_audit_options *options,
                                              struct peal_audit *audit);

/*
 * Copies message `number` of a topic's lane into `buffer`, if it is still there. It is taken from nobody.
 * OK; EMPTY (not published yet), ELAPPED (overwritten, or being overwritten), ETRUNC (message->size_bytes
 * are needed), AGAIN (it changed while it was read), ENOENT (no such lane), ECORRUPT (the lane makes no
 * sense, or a wrong CRC), ENOTSUP (a queue's: they are for one reader only), EFORMAT, EINVAL.
 */
PEAL_API enum peal_status peal_observer_peek(struct peal_observer *observer, uint32_t topic,
                                             uint32_t lane, uint64_t number, void *buffer,
                                             size_t capacity_bytes, struct peal_message *message);

/*
 * The regions of a scheme ("posix") that this machine has now: calls `found` with the URL of each, in no
 * order; one may have gone by then. ENOTSUP where they cannot be listed; EINVAL; ESYSTEM.
 */
PEAL_API enum peal_status peal_observer_regions(const char *scheme,
                                                void (*found)(void *context, const char *url),
                                                void *context);

PEAL_END_DECLS

#endif
