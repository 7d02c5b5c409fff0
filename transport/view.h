/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region for who only looks: mapped read-only, and the authority who tells who lives.
 *
 * posix takes neither an index nor a lock. vdev cannot but attach: it holds an index while the view is
 * open, and is a member in the eyes of the others. file has no members.
 */
#ifndef PEAL_TRANSPORT_VIEW_H
#define PEAL_TRANSPORT_VIEW_H

#include "transport/transport.h"

struct peal_view {
    const unsigned char
        *base; /* of the region; reads fault nowhere in size_bytes, writes everywhere */
    uint64_t size_bytes;
    bool members_known;
    uint32_t index; /* the one that we hold; PEAL_TRANSPORT_CLIENTS_MAX: none */

    /* private */
    struct peal_transport *transport; /* vdev */
    void *map;
    size_t map_bytes;
    int descriptor;      /* posix: to ask for locks; -1: none */
    uint64_t generation; /* posix: of the object as it was mapped */
};

/*
 * `scheme`: "posix", "vdev", or "file", whose `name` is a path. Of the options device and timeout_ns
 * count. On failure nothing is left behind. Errors with a message: as those of
 * peal_posix_object_look() and of opening a transport with must_exist; ENOTSUP: the scheme has
 * nothing to look at; EINVAL: there is no such scheme.
 */
enum peal_status peal_view_open(struct peal_view *view, const char *scheme, const char *name,
                                const struct peal_transport_options *options);

void peal_view_close(struct peal_view *view);

/*
 * Before each look: is what is mapped still what it was? An object whose clients have all died may be
 * cut to nothing and made anew in place by who wants another size. EFORMAT with a message: it was;
 * open a new view. (Who touches the mapping at that very moment gets SIGBUS.)
 */
enum peal_status peal_view_check(const struct peal_view *view);

/* The members as the authority tells them now, without us. Only if members_known. */
uint64_t peal_view_members(const struct peal_view *view);

/* Calls `found` with the name of each region of "posix". ENOTSUP for other schemes; ESYSTEM. */
enum peal_status peal_view_list(const char *scheme, void (*found)(void *context, const char *name),
                                void *context);

#endif
