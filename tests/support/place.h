/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a test's bus is, for tests that run over several transports and start processes of their own: a URL, and what has to
 * run for it. Over the vdev that is a device server, over whose socket each process is a guest.
 */
#ifndef PEAL_TESTS_SUPPORT_PLACE_H
#define PEAL_TESTS_SUPPORT_PLACE_H

#include "tests/support/vdev_program.h"

#include <peal/peal.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct place {
    char name[64]; /* SCHEME:NAME */
    char url[256]; /* the same with its query */
    bool vdev;
    struct vdev_program program;
};

/* `query`: "KEY=VALUE", or NULL. False: no device server. */
static inline bool place_make(struct place *place, const char *scheme, const char *name,
                              const char *query)
{
    *place = (struct place){.vdev = strcmp(scheme, "vdev") == 0};
    (void)snprintf(place->name, sizeof(place->name), "%s:%s-%d", scheme, name, (int)getpid());
    if (place->vdev && !vdev_program_start(&place->program))
        return false;
    (void)snprintf(place->url, sizeof(place->url), "%s%s%s%s%s%s", place->name,
                   place->vdev || query != NULL ? "?" : "", place->vdev ? "device=" : "",
                   place->vdev ? place->program.socket : "",
                   place->vdev && query != NULL ? "&" : "", query != NULL ? query : "");
    if (!place->vdev)
        (void)peal_unlink(place->name);
    return true;
}

static inline void place_remove(struct place *place)
{
    if (place->vdev)
        vdev_program_stop(&place->program);
    else
        (void)peal_unlink(place->name);
}

#endif
