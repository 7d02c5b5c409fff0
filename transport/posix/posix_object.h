/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared object: how it is found or made, what its header says, who is in it.
 *
 * All of open() runs under the object's initialisation lock (see posix_shared.h), which the kernel
 * drops when its holder dies. So there are no races among openers, and what an opener finds is one of:
 *
 *      magic zero, or no content     half-made by a creator that died      made anew
 *      magic of somebody else        foreign                               PEAL_EFORMAT, left alone
 *      other version                 of another release                    PEAL_EFORMAT, left alone
 *      shorter than it says          truncated, has members                PEAL_ECORRUPT
 *                                    truncated, all dead                   made anew
 *      whole, has members            in use                                attached, whatever its size
 *      whole, all dead               stale                                 attached; made anew if another
 *                                                                          size is wanted
 */
#ifndef PEAL_TRANSPORT_POSIX_OBJECT_H
#define PEAL_TRANSPORT_POSIX_OBJECT_H

#include "transport/posix/posix.h"

#include <sys/stat.h>

/* What an object is, by its header and its length. */
enum peal_posix_condition {
    PEAL_POSIX_HALF_MADE,
    PEAL_POSIX_FOREIGN,
    PEAL_POSIX_OTHER_VERSION,
    PEAL_POSIX_DAMAGED,
    PEAL_POSIX_WHOLE,
};

struct peal_posix_object {
    uint64_t members;      /* before we came */
    uint64_t region_bytes; /* validated against the object's size */
    bool created;          /* by us: it goes again if open() fails */
};

/*
 * Finds or makes the object of posix->name; on success posix->lock_fd is open and holds the
 * initialisation lock, and the object is whole. On failure posix->lock_fd may be open: the caller
 * closes it with peal_posix_object_abandon().
 */
enum peal_status peal_posix_object_obtain(struct peal_posix *posix,
                                          const struct peal_transport_options *options,
                                          struct peal_posix_object *object);

/* Maps the object through a description of its own; sets map and map_bytes. */
enum peal_status peal_posix_object_map(struct peal_posix *posix,
                                       const struct peal_posix_object *object);

/* After a failure: removes what we created, gives all locks back, closes. */
void peal_posix_object_abandon(struct peal_posix *posix, const struct peal_posix_object *object);

/*
 * For who only looks: opens the object read-only, without a lock, and checks it. *descriptor is the
 * caller's; locks of the clients can be asked for through it. Errors: ENOENT, EPERM, EFORMAT (not
 * ours, or not finished), ECORRUPT (cut short), ESYSTEM.
 */
enum peal_status peal_posix_object_look(const char *name, int *descriptor, uint64_t *region_bytes);

/* ---- for who removes: transport/posix/posix_remove.c ---- */

/* An errno, or 0 with the descriptor in posix->lock_fd, where a fork handler finds it. */
int peal_posix_object_open(struct peal_posix *posix, int flags, mode_t mode);
void peal_posix_object_close(struct peal_posix *posix);

/* What the kernel's errno means for whoever opens, as a message. */
enum peal_status peal_posix_object_fail(const char *name, int error);

/* Looks at the object that is open in posix->lock_fd, without trusting a byte of it. */
enum peal_posix_condition peal_posix_object_examine(const struct peal_posix *posix,
                                                    uint64_t *region_bytes);

/* Whether the name still leads to the object that we have open. */
bool peal_posix_object_is_named(const struct peal_posix *posix, const struct stat *ours);

#endif
