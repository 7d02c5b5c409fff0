/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/access.h"
#include "device/model/region.h"

#include <stdlib.h>
#include <string.h>

/* Undoes what a guest that cannot be began: the regions of these slots. */
static void unmake(struct vdev_model *model, uint64_t slots)
{
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
        if ((slots >> slot & 1u) == 0)
            continue;
        model->regions[slot].permanent = false;
        vdev_region_release(model, slot);
    }
}

/* Makes what the rules create, and makes permanent what is there already. */
static bool make_regions(struct vdev_model *model, const struct vdev_rules *rules)
{
    uint64_t made = 0; /* one bit for each slot */
    for (size_t i = 0; i < rules->count; i++) {
        const struct vdev_rule *rule = &rules->rules[i];
        char name[GUEST_SHM_MAX_NAME];
        uint32_t slot;
        if (rule->kind != VDEV_RULE_CREATE)
            continue;
        if (!vdev_rules_name(rules, rule->pattern, name)) {
            unmake(model, made);
            return false;
        }
        const int existing = vdev_region_find(model, name);
        if (existing >= 0) {
            slot = (uint32_t)existing;
        } else if (vdev_region_begin(model, name, rule->pages, &slot) != GSS_OK) {
            unmake(model, made);
            return false;
        }
        if (!model->regions[slot].permanent)
            made |= UINT64_C(1) << slot;
        model->regions[slot].permanent = true;
    }
    return true;
}

struct vdev_guest *vdev_guest_new(struct vdev_model *model, const struct vdev_rules *rules,
                                  void *user)
{
    uint32_t place = 0;
    while (place < VDEV_GUESTS_MAX && model->guests[place])
        place++;
    if (place == VDEV_GUESTS_MAX)
        return NULL;
    struct vdev_guest *guest = calloc(1, sizeof(*guest));
    if (!guest)
        return NULL;
    guest->model = model;
    guest->user = user;
    if (rules)
        guest->rules = *rules;
    if (!make_regions(model, &guest->rules)) {
        free(guest);
        return NULL;
    }
    model->guests[place] = guest;
    return guest;
}

/* The others are told, as if each connection had been detached; the guest itself hears nothing of it. */
static void leave_all(struct vdev_guest *guest)
{
    struct vdev_model *model = guest->model;
    guest->deaf = true;
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
        for (uint32_t index = 0; index < GUEST_SHM_MAX_CLIENTS; index++) {
            if (model->regions[slot].connections[index].guest == guest)
                vdev_region_leave(model, slot, index);
        }
    }
    guest->deaf = false;
}

void vdev_guest_end(struct vdev_guest *guest)
{
    struct vdev_model *model = guest->model;
    vdev_event_say(guest, "ended");
    leave_all(guest);
    for (uint32_t place = 0; place < VDEV_GUESTS_MAX; place++) {
        if (model->guests[place] == guest)
            model->guests[place] = NULL;
    }
    free(guest);
}

void vdev_guest_reset(struct vdev_guest *guest)
{
    vdev_event_say(guest, "was reset");
    leave_all(guest);
    memset(&guest->registers, 0, sizeof(guest->registers));
}

void *vdev_guest_user(const struct vdev_guest *guest)
{
    return guest->user;
}

struct vdev_access_counts vdev_guest_counts(const struct vdev_guest *guest)
{
    return guest->counts;
}

bool vdev_guest_line(const struct vdev_guest *guest)
{
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
        const struct vdev_region *region = &guest->model->regions[slot];
        for (uint32_t index = 0; index < GUEST_SHM_MAX_CLIENTS; index++) {
            if (region->connections[index].guest == guest && region->connections[index].unread)
                return true;
        }
    }
    return false;
}

int vdev_guest_connection(const struct vdev_guest *guest, uint32_t slot, uint32_t window)
{
    return vdev_region_index(guest, slot, window);
}
