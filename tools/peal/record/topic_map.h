/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other names for topics: "A=B". A may have one *, which stands for any text; a * in B then stands for the same. The first of
 * several that fits counts; what none fits keeps its name.
 */
#ifndef PEAL_TOOLS_PEAL_RECORD_TOPIC_MAP_H
#define PEAL_TOOLS_PEAL_RECORD_TOPIC_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct topic_map {
    const char **rules; /* the caller's texts */
    size_t count;
    size_t room;
};

/* For an option that may be repeated. `to` is struct topic_map *. */
const char *topic_map_read(const char *text, void *to);

/* The new name; free() it. */
char *topic_map_apply(const struct topic_map *map, const char *topic);

/* Whether a rule is about a topic. */
bool topic_map_rule_fits(const char *rule, const char *topic);

void topic_map_free(struct topic_map *map);

#endif
