/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/topic_map.h"

#include "tools/peal/kit/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t stars(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '*';
    return count;
}

const char *topic_map_read(const char *text, void *to)
{
    static const char valid[] = "A=B, with one * in both at most";
    struct topic_map *map = to;
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0')
        return valid;
    const size_t from = stars(text, (size_t)(equals - text));
    const size_t onto = stars(equals + 1, strlen(equals + 1));
    if (from > 1 || onto > from)
        return valid;
    map->rules = memory_room((void *)map->rules, map->count, &map->room, sizeof(*map->rules));
    map->rules[map->count++] = text;
    return NULL;
}

/* What the * stands for. */
struct stood {
    const char *text;
    size_t length;
};

static bool fits(const char *rule, const char *topic, struct stood *stood)
{
    const size_t from_length = (size_t)(strchr(rule, '=') - rule);
    const size_t length = strlen(topic);
    const char *star = memchr(rule, '*', from_length);
    if (!star) {
        *stood = (struct stood){"", 0};
        return length == from_length && memcmp(rule, topic, length) == 0;
    }
    const size_t before = (size_t)(star - rule), after = from_length - before - 1;
    if (length < before + after || memcmp(rule, topic, before) != 0 ||
        memcmp(star + 1, topic + length - after, after) != 0)
        return false;
    *stood = (struct stood){topic + before, length - before - after};
    return true;
}

bool topic_map_rule_fits(const char *rule, const char *topic)
{
    struct stood stood;
    return fits(rule, topic, &stood);
}

char *topic_map_apply(const struct topic_map *map, const char *topic)
{
    for (size_t i = 0; i < map->count; i++) {
        struct stood stood;
        if (!fits(map->rules[i], topic, &stood))
            continue;
        const char *onto = strchr(map->rules[i], '=') + 1;
        const char *star = strchr(onto, '*');
        if (!star)
            return memory_text("%s", onto);
        return memory_text("%.*s%.*s%s", (int)(star - onto), onto, (int)stood.length, stood.text,
                           star + 1);
    }
    return memory_text("%s", topic);
}

void topic_map_free(struct topic_map *map)
{
    free((void *)map->rules);
    *map = (struct topic_map){0};
}
