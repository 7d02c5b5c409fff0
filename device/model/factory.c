/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/access.h"
#include "device/model/name.h"
#include "device/model/region.h"

#include <string.h>

#define FIELD(field) offsetof(struct guest_shm_factory, field)

static const char *const status_texts[] = {
    "ok",           "unknown failure", "no memory",     "too many clients",
    "illegal name", "no permission",   "does not exist"};

static void show(struct vdev_guest *guest, uint32_t slot, uint64_t shmem)
{
    guest->registers.status = GSS_OK;
    guest->registers.shmem = shmem;
    guest->registers.vector = vdev_region_vector(guest->model, slot);
    guest->registers.size = guest->model->regions[slot].pages;
}

/* `size` and `name` stay as they were written. */
static void fail(struct vdev_guest *guest, enum guest_shm_status status)
{
    guest->registers.status = status;
    guest->registers.shmem = 0;
    guest->registers.vector = 0;
}

/* The slot of the region that the registers name, made if need be. */
static enum guest_shm_status obtain(struct vdev_guest *guest, uint32_t *slot, bool *created)
{
    char host_name[GUEST_SHM_MAX_NAME];
    const struct vdev_registers *registers = &guest->registers;
    *created = false;
    if (!vdev_name_is_legal(registers->name) ||
        !vdev_rules_name(&guest->rules, registers->name, host_name))
        return GSS_ILLEGAL_NAME;
    if (!vdev_rules_permit(&guest->rules, host_name))
        return GSS_NO_PERMISSION;
    const int existing = vdev_region_find(guest->model, host_name);
    if (existing >= 0) {
        *slot = (uint32_t)existing;
        return GSS_OK;
    }
    *created = true;
    return vdev_region_begin(guest->model, host_name, registers->size, slot);
}

static void attach(struct vdev_guest *guest, uint32_t pages)
{
    uint32_t slot = 0;
    uint32_t index = 0;
    uint64_t shmem = 0;
    bool created;
    guest->registers.size = pages;
    enum guest_shm_status status = obtain(guest, &slot, &created);
    if (status == GSS_OK) {
        status = vdev_region_join(guest, slot, guest->registers.name, &index, &shmem);
        if (status != GSS_OK)
            vdev_region_release(guest->model, slot);
    }
    if (status != GSS_OK) {
        fail(guest, status);
        /* An illegal name may be anything, and does not belong into a log. */
        vdev_event_say(guest, "was refused the region '%s' of %" PRIu32 " pages: %s",
                       status == GSS_ILLEGAL_NAME ? "?" : guest->registers.name, pages,
                       status_texts[status]);
        return;
    }
    show(guest, slot, shmem);
    vdev_event_say(
        guest, "%s the region '%s' of %" PRIu32 " pages in slot %" PRIu32 " as connection %" PRIu32,
        created ? "created" : "attached to", guest->model->regions[slot].name,
        guest->registers.size, slot, index);
}

/* The guest's connection of that number: its region's slot and its index there. */
static bool seek(const struct vdev_guest *guest, uint32_t number, uint32_t *slot, uint32_t *index)
{
    for (uint32_t place = 0; place < VDEV_CONNECTIONS_MAX; place++) {
        *slot = place / GUEST_SHM_MAX_CLIENTS;
        *index = place % GUEST_SHM_MAX_CLIENTS;
        const struct vdev_connection *connection =
            &guest->model->regions[*slot].connections[*index];
        if (connection->guest == guest && connection->number == number)
            return true;
    }
    return false;
}

static void find(struct vdev_guest *guest, uint32_t number)
{
    const struct vdev_model *model = guest->model;
    uint32_t slot;
    uint32_t index;
    guest->registers.find = number;
    if (!seek(guest, number, &slot, &index)) {
        fail(guest, GSS_DOES_NOT_EXIST);
        return;
    }
    const struct vdev_connection *connection = &model->regions[slot].connections[index];
    const uint64_t shmem = model->ops->place(model->context, guest, slot, connection->window);
    if (shmem == VDEV_NO_PLACE) {
        fail(guest, GSS_UNKNOWN_FAILURE);
        return;
    }
    memcpy(guest->registers.name, connection->name, GUEST_SHM_MAX_NAME);
    show(guest, slot, shmem);
}

static bool is_in_name(uint64_t offset)
{
    return offset >= FIELD(name) && offset < FIELD(name) + GUEST_SHM_MAX_NAME;
}

/* The value of a 64-bit register, whole or one half of it. False: not such an access. */
static bool read_wide(const struct vdev_guest *guest, uint64_t offset, uint32_t width,
                      uint64_t *value)
{
    if (offset >= FIELD(vector) || (width != 4 && width != 8) || offset % width != 0)
        return false;
    const uint64_t whole = offset < FIELD(shmem) ? GUEST_SHM_SIGNATURE : guest->registers.shmem;
    if (width == 8)
        *value = whole;
    else
        *value = (uint32_t)(offset % 8 == 0 ? whole : whole >> 32);
    return true;
}

static bool read_word(const struct vdev_guest *guest, uint64_t offset, uint64_t *value)
{
    switch (offset) {
    case FIELD(vector):
        *value = guest->registers.vector;
        return true;
    case FIELD(status):
        *value = guest->registers.status;
        return true;
    case FIELD(size):
        *value = guest->registers.size;
        return true;
    case FIELD(find):
        *value = guest->registers.find;
        return !guest->model->settings.without_find;
    default:
        return false;
    }
}

enum vdev_access vdev_factory_read(struct vdev_guest *guest, uint64_t offset, uint32_t width,
                                   uint64_t *value)
{
    bool done = false;
    if (width == 1 && is_in_name(offset)) {
        *value = (unsigned char)guest->registers.name[offset - FIELD(name)];
        done = true;
    } else if (offset < FIELD(vector)) {
        done = read_wide(guest, offset, width, value);
    } else if (width == 4) {
        done = read_word(guest, offset, value);
    }
    if (!done)
        return vdev_access_refuse_read(guest, width, value);
    guest->counts.factory_reads++;
    return VDEV_ACCESS_OK;
}

enum vdev_access vdev_factory_write(struct vdev_guest *guest, uint64_t offset, uint32_t width,
                                    uint64_t value)
{
    if (width == 1 && is_in_name(offset))
        guest->registers.name[offset - FIELD(name)] = (char)(unsigned char)value;
    else if (width == 4 && offset == FIELD(size))
        attach(guest, (uint32_t)value);
    else if (width == 4 && offset == FIELD(find) && !guest->model->settings.without_find)
        find(guest, (uint32_t)value);
    else
        return vdev_access_refuse_write(guest);
    guest->counts.factory_writes++;
    return VDEV_ACCESS_OK;
}
