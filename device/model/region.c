/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/region.h"

#include <string.h>

int vdev_region_find(const struct vdev_model *model, const char *name)
{
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
        const struct vdev_region *region = &model->regions[slot];
        if (region->pages != 0 && strncmp(region->name, name, GUEST_SHM_MAX_NAME) == 0)
            return (int)slot;
    }
    return -1;
}

static bool has_room(const struct vdev_model *model, uint32_t pages)
{
    const struct vdev_settings *settings = &model->settings;
    return pages <= settings->region_pages_max && pages <= settings->pages_max - model->pages;
}

enum guest_shm_status vdev_region_begin(struct vdev_model *model, const char *name, uint32_t pages,
                                        uint32_t *slot)
{
    if (pages == 0)
        return GSS_UNKNOWN_FAILURE;
    uint32_t free_slot = 0;
    while (free_slot < model->settings.regions_max && model->regions[free_slot].pages != 0)
        free_slot++;
    if (free_slot == model->settings.regions_max || !has_room(model, pages))
        return GSS_NOMEM;
    const bool zeroed = model->settings.memory == VDEV_MEMORY_ZEROED;
    if (!model->ops->region_begin(model->context, free_slot, pages, zeroed))
        return GSS_NOMEM;
    struct vdev_region *region = &model->regions[free_slot];
    memset(region, 0, sizeof(*region));
    memcpy(region->name, name, strnlen(name, GUEST_SHM_MAX_NAME - 1));
    region->pages = pages;
    model->pages += pages;
    *slot = free_slot;
    return GSS_OK;
}

void vdev_region_release(struct vdev_model *model, uint32_t slot)
{
    struct vdev_region *region = &model->regions[slot];
    if (region->members != 0 || region->permanent)
        return;
    const uint32_t pages = region->pages;
    model->pages -= pages;
    region->pages = 0;
    model->ops->region_end(model->context, slot, pages);
}

uint32_t vdev_region_vector(const struct vdev_model *model, uint32_t slot)
{
    return model->settings.vector == VDEV_VECTOR_PER_REGION ? slot : 0;
}

int vdev_region_index(const struct vdev_guest *guest, uint32_t slot, uint32_t window)
{
    if (slot >= VDEV_REGIONS_MAX)
        return -1;
    const struct vdev_region *region = &guest->model->regions[slot];
    for (uint32_t index = 0; index < GUEST_SHM_MAX_CLIENTS; index++) {
        const struct vdev_connection *connection = &region->connections[index];
        if (connection->guest == guest && connection->window == window)
            return (int)index;
    }
    return -1;
}

static void interrupt(struct vdev_model *model, uint32_t slot, uint32_t index)
{
    struct vdev_guest *guest = model->regions[slot].connections[index].guest;
    model->regions[slot].connections[index].unread = true;
    if (guest->deaf)
        return;
    guest->counts.interrupts++;
    model->ops->interrupt(model->context, guest, vdev_region_vector(model, slot));
}

/* The upper half of `status` changed for everybody of `audience`. */
static void tell_members(struct vdev_model *model, uint32_t slot, uint32_t audience)
{
    for (uint32_t index = 0; index < GUEST_SHM_MAX_CLIENTS; index++) {
        if ((audience >> index & 1u) != 0)
            interrupt(model, slot, index);
    }
}

/* Below GUEST_SHM_MAX_CLIENTS as long as the region has an index left. */
static uint32_t lowest_window(const struct vdev_guest *guest, uint32_t slot)
{
    uint32_t window = 0;
    while (window < GUEST_SHM_MAX_CLIENTS && vdev_region_index(guest, slot, window) >= 0)
        window++;
    return window;
}

/* Below VDEV_CONNECTIONS_MAX as long as any region has an index left. */
static uint32_t lowest_number(const struct vdev_guest *guest)
{
    uint32_t number = 0;
    while (number < VDEV_CONNECTIONS_MAX && (guest->numbers[number / 64] >> number % 64 & 1u) != 0)
        number++;
    return number;
}

enum guest_shm_status vdev_region_join(struct vdev_guest *guest, uint32_t slot, const char *name,
                                       uint32_t *index, uint64_t *shmem)
{
    struct vdev_model *model = guest->model;
    struct vdev_region *region = &model->regions[slot];
    uint32_t free_index = 0;
    while (free_index < GUEST_SHM_MAX_CLIENTS && (region->members >> free_index & 1u) != 0)
        free_index++;
    if (free_index == GUEST_SHM_MAX_CLIENTS)
        return GSS_CLIENT_MAX;
    const uint32_t window = lowest_window(guest, slot);
    const uint64_t place = model->ops->place(model->context, guest, slot, window);
    if (place == VDEV_NO_PLACE)
        return GSS_UNKNOWN_FAILURE;
    const uint32_t others = region->members;
    struct vdev_connection *connection = &region->connections[free_index];
    memset(connection, 0, sizeof(*connection));
    connection->guest = guest;
    connection->window = window;
    connection->number = lowest_number(guest);
    memcpy(connection->name, name, GUEST_SHM_MAX_NAME);
    guest->numbers[connection->number / 64] |= UINT64_C(1) << connection->number % 64;
    region->members |= 1u << free_index;
    *index = free_index;
    *shmem = place;
    tell_members(model, slot, others);
    return GSS_OK;
}

void vdev_region_leave(struct vdev_model *model, uint32_t slot, uint32_t index)
{
    struct vdev_region *region = &model->regions[slot];
    struct vdev_connection *connection = &region->connections[index];
    connection->guest->numbers[connection->number / 64] &=
        ~(UINT64_C(1) << connection->number % 64);
    connection->guest = NULL;
    region->members &= ~(1u << index);
    /* What it rang before stays pending with the others. */
    tell_members(model, slot, region->members);
    vdev_region_release(model, slot);
}

void vdev_region_ring(struct vdev_model *model, uint32_t slot, uint32_t index, uint32_t targets)
{
    struct vdev_region *region = &model->regions[slot];
    for (uint32_t target = 0; target < GUEST_SHM_MAX_CLIENTS; target++) {
        struct vdev_connection *connection = &region->connections[target];
        const uint32_t source = 1u << index;
        if ((targets & region->members & 1u << target) == 0 || (connection->pending & source) != 0)
            continue;
        connection->pending |= source;
        interrupt(model, slot, target);
    }
}
