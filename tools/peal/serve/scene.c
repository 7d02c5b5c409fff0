/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/scene.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"

#include <stdlib.h>
#include <string.h>

#define GONE_IS_TOLD_NS (600 * NS_PER_S)

static struct scene_bus *add_bus(struct scene *scene, const char *url)
{
    struct scene_bus *bus = memory_zeroed(1, sizeof(*bus));
    bus->url = memory_text("%s", url);
    bus->watch.url = bus->url;
    scene->buses =
        memory_room(scene->buses, scene->count, &scene->room, sizeof(struct scene_bus *));
    scene->buses[scene->count++] = bus;
    return bus;
}

static void free_bus(struct scene_bus *bus)
{
    watch_close(&bus->watch);
    snapshot_free(&bus->now);
    free(bus->url);
    free(bus);
}

void scene_init(struct scene *scene, const char *url)
{
    *scene = (struct scene){.url = url};
    if (url)
        (void)add_bus(scene, url);
}

void scene_free(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        free_bus(scene->buses[i]);
    free(scene->buses);
    *scene = (struct scene){0};
}

/* ---- all buses of this machine ---- */

static void on_region(void *context, const char *url)
{
    struct scene *scene = context;
    for (size_t i = 0; i < scene->count; i++) {
        if (strcmp(scene->buses[i]->url, url) == 0) {
            scene->buses[i]->gone_ns = 0;
            return;
        }
    }
    (void)add_bus(scene, url);
}

static int by_url(const void *left, const void *right)
{
    const struct scene_bus *const *a = left, *const *b = right;
    return strcmp((*a)->url, (*b)->url);
}

static enum peal_status list(struct scene *scene)
{
    const uint64_t now_ns = clock_now_ns();
    /* Whoever is listed takes this back. */
    for (size_t i = 0; i < scene->count; i++)
        if (scene->buses[i]->gone_ns == 0)
            scene->buses[i]->gone_ns = now_ns;
    const enum peal_status status = peal_observer_regions("posix", on_region, scene);
    size_t kept = 0;
    for (size_t i = 0; i < scene->count; i++) {
        struct scene_bus *bus = scene->buses[i];
        if (bus->gone_ns != 0 && now_ns - bus->gone_ns > GONE_IS_TOLD_NS)
            free_bus(bus);
        else
            scene->buses[kept++] = bus;
    }
    scene->count = kept;
    if (kept > 1)
        qsort(scene->buses, kept, sizeof(struct scene_bus *), by_url);
    return status;
}

enum peal_status scene_look(struct scene *scene)
{
    enum peal_status status = PEAL_OK;
    if (!scene->url)
        status = list(scene);
    for (size_t i = 0; i < scene->count; i++) {
        struct scene_bus *bus = scene->buses[i];
        const uint64_t from_ns = clock_now_ns();
        bus->status = watch_look(&bus->watch, &bus->now);
        bus->look_s = (double)(clock_now_ns() - from_ns) / 1e9;
    }
    return status;
}
