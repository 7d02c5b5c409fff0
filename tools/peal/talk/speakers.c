/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/speakers.h"

#include "tools/peal/kit/stop.h"

#include <inttypes.h>
#include <stdio.h>

/* A burst of newcomers, then one now and then: each look goes over the whole region. */
#define LOOKS_MAX 16
#define LOOK_AGAIN_NS (100 * NS_PER_MS)

static const char *find(const struct speakers *speakers, uint64_t incarnation)
{
    for (size_t i = 0; i < SPEAKERS_MAX; i++)
        if (speakers->known[i].incarnation == incarnation)
            return speakers->known[i].name;
    return NULL;
}

static const char *keep(struct speakers *speakers, uint64_t incarnation, const char *name)
{
    struct speaker *speaker = &speakers->known[speakers->next];
    speakers->next = (speakers->next + 1) % SPEAKERS_MAX;
    speaker->incarnation = incarnation;
    (void)snprintf(speaker->name, sizeof(speaker->name), "%s", name);
    return speaker->name;
}

static const char *look(struct speakers *speakers, struct watch *watch, uint64_t incarnation)
{
    const struct snapshot *now = &speakers->snapshot;
    if (watch_look(watch, &speakers->snapshot) != PEAL_OK)
        return NULL;
    for (size_t t = 0; t < now->topic_count; t++)
        for (size_t p = 0; p < now->topics[t].publisher_count; p++)
            if (now->topics[t].publishers[p].seen.incarnation == incarnation)
                return now->topics[t].publishers[p].name;
    return NULL;
}

const char *speakers_name(struct speakers *speakers, struct watch *watch, uint64_t incarnation)
{
    static char number[24];
    const char *name = find(speakers, incarnation);
    if (name)
        return name;
    (void)snprintf(number, sizeof(number), "%016" PRIx64, incarnation);
    const uint64_t now_ns = clock_now_ns();
    if (now_ns - speakers->looked_ns >= LOOK_AGAIN_NS)
        speakers->looks = 0;
    if (speakers->looks++ >= LOOKS_MAX)
        return number;
    name = look(speakers, watch, incarnation);
    speakers->looked_ns = now_ns;
    return name && name[0] != '\0' ? keep(speakers, incarnation, name) : number;
}

void speakers_free(struct speakers *speakers)
{
    snapshot_free(&speakers->snapshot);
}
