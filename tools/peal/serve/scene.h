/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at: one bus, or all that this machine has; and how each looked the last time. */
#ifndef PEAL_TOOLS_PEAL_SERVE_SCENE_H
#define PEAL_TOOLS_PEAL_SERVE_SCENE_H

#include "tools/peal/look/watch.h"

struct scene_bus {
    char *url;
    struct watch watch;
    struct snapshot now;     /* empty unless status is PEAL_OK */
    enum peal_status status; /* of the last look */
    double look_s;           /* how long that took */
    uint64_t gone_ns;        /* of a scene of all buses: since when it is not listed; 0: it is */
};

struct scene {
    const char *url;          /* NULL: all buses of posix: that this machine has */
    struct scene_bus **buses; /* in the order of their URLs */
    size_t count;
    size_t room;
};

/* `url` stays the caller's, and in place. */
void scene_init(struct scene *scene, const char *url);

/*
 * Looks at each bus anew. Those of a scene of all buses come as they are found; one that has gone stays for some
 * minutes, as one that cannot be looked at, so that who asks seldom is told. OK; or why they cannot be listed.
 */
enum peal_status scene_look(struct scene *scene);

void scene_free(struct scene *scene);

#endif
