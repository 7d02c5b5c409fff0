/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/scene.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/look/age.h"

#include <stdlib.h>
#include <string.h>

void top_scene_begin(struct top_scene *scene, const char *url)
{
    memset(scene, 0, sizeof(*scene));
    scene->watch.url = url;
    scene->now = &scene->snapshots[0];
    scene->status = PEAL_EMPTY;
}

void top_scene_free(struct top_scene *scene)
{
    watch_close(&scene->watch);
    snapshot_free(&scene->snapshots[0]);
    snapshot_free(&scene->snapshots[1]);
    top_history_free(&scene->history);
    free(scene->figures);
}

static void add(uint64_t *sum, uint64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = UINT64_MAX;
}

/* An index may be given to another topic, and a name to another index. (FNV-1a) */
static uint64_t id_of(const struct snapshot_topic *topic)
{
    uint32_t hash = 2166136261u;
    for (const char *at = topic->name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    return (uint64_t)topic->seen.index << 32 | hash;
}

static void reckon_topic(struct top_scene *scene, const struct snapshot_topic *topic,
                         struct top_figures *figures)
{
    struct top_totals *totals = &scene->totals;
    figures->id = id_of(topic);
    figures->sums = topic_sums(topic);
    figures->rates = topic_rates(scene->before, scene->now, topic);
    *(topic->seen.is_queue ? &totals->queues : &totals->topics) += 1;
    totals->published_hz += figures->rates.published_hz;
    totals->bytes_per_s += figures->rates.bytes_per_s;
    add(&totals->lost, figures->sums.lost);
    add(&totals->dropped, figures->sums.dropped);
}

void top_scene_reckon(struct top_scene *scene)
{
    const size_t count = scene->now->topic_count;
    scene->totals = (struct top_totals){.clients = scene->now->client_count};
    while (scene->figures_room < count)
        scene->figures = memory_room(scene->figures, scene->figures_room, &scene->figures_room,
                                     sizeof(*scene->figures));
    top_history_begin(&scene->history);
    for (size_t i = 0; i < count; i++) {
        struct top_figures *figures = &scene->figures[i];
        reckon_topic(scene, &scene->now->topics[i], figures);
        if (scene->before)
            top_history_add(&scene->history, figures->id, figures->rates.published_hz);
    }
    /* The lines do not move any more. */
    for (size_t i = 0; i < count; i++)
        scene->figures[i].history = top_history_line(&scene->history, scene->figures[i].id);
}

enum peal_status top_scene_look(struct top_scene *scene)
{
    struct snapshot *last = scene->status == PEAL_OK ? scene->now : NULL;
    struct snapshot *next = &scene->snapshots[scene->now == &scene->snapshots[0]];
    scene->status = watch_look(&scene->watch, next);
    scene->now_ns = clock_since_1970_ns();
    scene->now = next;
    scene->before = last;
    if (scene->status != PEAL_OK || (last && last->region.generation != next->region.generation)) {
        scene->before = NULL;
        scene->looks = 0;
        top_history_clear(&scene->history);
    }
    if (scene->status == PEAL_OK)
        scene->looks++;
    top_scene_reckon(scene);
    return scene->status;
}

const char *top_scene_trouble(const struct top_scene *scene)
{
    switch (scene->status) {
    case PEAL_OK:
    case PEAL_EMPTY:
        return "";
    case PEAL_ENOENT:
        return "there is no region: waiting until somebody makes it";
    case PEAL_EFORMAT:
        return "no region of this format, or it is being laid out: looking again";
    case PEAL_ECORRUPT:
        return "the region was cut short or spoilt: looking again";
    case PEAL_EPERM:
        return "no permission to read the region: looking again";
    case PEAL_ELIMIT:
    case PEAL_AGAIN:
        return "there is no place to look from: trying again";
    default:
        return peal_status_text(scene->status);
    }
}

int top_scene_find(const struct top_scene *scene, uint64_t id)
{
    for (size_t i = 0; i < scene->now->topic_count; i++)
        if (scene->figures[i].id == id)
            return (int)i;
    return -1;
}
