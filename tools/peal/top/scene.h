/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `top` knows of the bus: this look and the one before, what both tell, and whether there is anything to be seen at all.
 */
#ifndef PEAL_TOOLS_PEAL_TOP_SCENE_H
#define PEAL_TOOLS_PEAL_TOP_SCENE_H

#include "tools/peal/look/rates.h"
#include "tools/peal/look/watch.h"
#include "tools/peal/top/history.h"

struct top_totals {
    size_t topics;
    size_t queues;
    size_t clients;
    double published_hz;
    double bytes_per_s;
    uint64_t lost;
    uint64_t dropped;
};

/* Of a topic of scene->now. */
struct top_figures {
    uint64_t id; /* the same in each look */
    struct topic_sums sums;
    struct topic_rates rates;
    const struct top_history_line *history; /* NULL until there are rates */
};

struct top_scene {
    struct watch watch;
    struct snapshot snapshots[2];
    struct snapshot *now;    /* empty while the look fails */
    struct snapshot *before; /* NULL: there is nothing to compare with */
    enum peal_status status; /* of the last look */
    uint64_t looks;          /* that went well, since this region is there */
    uint64_t now_ns;         /* since 1970, of the last look, good or not */
    struct top_history history;
    struct top_totals totals;
    struct top_figures *figures; /* as many as scene->now has topics, in their order */
    size_t figures_room;
};

/* `url` stays the caller's. */
void top_scene_begin(struct top_scene *scene, const char *url);
void top_scene_free(struct top_scene *scene);

/* Looks. The answer is in scene->status as well. */
enum peal_status top_scene_look(struct top_scene *scene);

/* What follows from scene->now and scene->before: done by each look. */
void top_scene_reckon(struct top_scene *scene);

/* Why there is nothing to be seen, and what to do: one short line. */
const char *top_scene_trouble(const struct top_scene *scene);

/* Where the topic with this id is in scene->now and scene->figures, or -1. */
int top_scene_find(const struct top_scene *scene, uint64_t id);

#endif
