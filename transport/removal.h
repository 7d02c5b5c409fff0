/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing the name of a region that nobody uses, against all who might just be opening it.
 *
 * posix: whoever opens holds the object's initialisation lock (transport/posix/posix_shared.h), and goes
 * on only if the name then still leads to what it has locked. So does whoever removes: under that lock it
 * asks who is in, judges, and takes the name away. Either the opener was first, and is found; or it
 * finds the name gone, and makes a new object.
 */
#ifndef PEAL_TRANSPORT_REMOVAL_H
#define PEAL_TRANSPORT_REMOVAL_H

#include "transport/transport.h"

/* As enum peal_leftover_kind in peal/bus.h. */
enum peal_removal_kind {
    PEAL_REMOVAL_NOTHING = 0,
    PEAL_REMOVAL_REGION = 1,
    PEAL_REMOVAL_UNFINISHED = 2,
    PEAL_REMOVAL_SPOILT = 3,
    PEAL_REMOVAL_OTHER_FORMAT = 4,
    PEAL_REMOVAL_FOREIGN = 5,
};

struct peal_removal {
    /* in */
    bool dry_run;
    bool with_messages; /* also what `judge` has found messages in */
    bool with_spoilt;   /* also what is no region of ours */
    /* Says what the memory of a region that nobody uses is: REGION, UNFINISHED, SPOILT or OTHER_FORMAT;
     * *messages: how many wait in it for who comes next. The memory is mapped read-only. */
    enum peal_removal_kind (*judge)(const void *memory, uint64_t size_bytes, uint64_t *messages);

    /* out */
    enum peal_removal_kind kind;
    bool is_used;          /* somebody is in, or just opening */
    uint64_t members;      /* bit i: the client with index i is attached */
    uint64_t messages;     /* of a region that is not used */
    uint64_t object_bytes; /* its length */
    uint64_t memory_bytes; /* that it takes now */
    uint32_t owner_id;     /* of the user whose it is */
    uint32_t fifos;        /* beside it, of clients that have gone: removed, unless dry_run */
};

/*
 * Removes the name, unless somebody uses the region, or what is there must not go. Errors with a message:
 * AGAIN (is_used), EEXIST (messages), EFORMAT (OTHER_FORMAT, FOREIGN), ECORRUPT (SPOILT), ENOENT, EPERM,
 * EINVAL, ENOTSUP (not posix), ENOMEM, ESYSTEM. dry_run: takes no lock, changes nothing, and answers as of
 * now. Does not block. Thread-safe.
 */
enum peal_status peal_transport_remove_idle(const char *scheme, const char *name,
                                            struct peal_removal *removal);

#endif
