/* SPDX-License-Identifier: Apache-2.0 */
/* The lists that `top` shows, out of what it has seen. Rows come in the order of the region. */
#ifndef PEAL_TOOLS_PEAL_TOP_LISTS_H
#define PEAL_TOOLS_PEAL_TOP_LISTS_H

#include "tools/peal/top/grid.h"
#include "tools/peal/top/scene.h"

enum top_list { TOP_LIST_TOPICS = 0, TOP_LIST_CLIENTS, TOP_LIST_PARTS, TOP_LISTS };

struct top_columns {
    const struct top_column *columns;
    size_t count;
};

extern const struct top_columns top_topics_columns;
extern const struct top_columns top_clients_columns;
extern const struct top_columns top_parts_columns;

/* All topics and queues. A row's id is that of scene->figures. */
void top_topics_fill(struct top_grid *grid, const struct top_scene *scene);

/* All clients; a row's id has the client's index on top of its incarnation. */
#define TOP_CLIENT_INDEX_SHIFT 56
void top_clients_fill(struct top_grid *grid, const struct top_scene *scene);

/* Who publishes and subscribes: the topic scene->now->topics[at]. */
void top_parts_fill(struct top_grid *grid, const struct top_scene *scene, size_t at);

#endif
