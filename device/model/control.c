/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/access.h"
#include "device/model/region.h"

#include <stddef.h>

#define NOTIFY_OTHERS UINT32_MAX /* everybody but the writer */

enum vdev_access vdev_control_read(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                                   uint64_t offset, uint32_t width, uint64_t *value)
{
    const int index = vdev_region_index(guest, slot, window);
    if (index < 0 || width != sizeof(uint32_t))
        return vdev_access_refuse_read(guest, width, value);
    struct vdev_region *region = &guest->model->regions[slot];
    switch (offset) {
    case offsetof(struct guest_shm_control, status):
        guest->counts.status_reads++;
        *value = region->members << 16 | region->connections[index].pending;
        /* The reader knows: this change of the value raises no interrupt. */
        region->connections[index].pending = 0;
        region->connections[index].unread = false;
        return VDEV_ACCESS_OK;
    case offsetof(struct guest_shm_control, idx):
        guest->counts.idx_reads++;
        *value = (uint32_t)index;
        return VDEV_ACCESS_OK;
    default:
        return vdev_access_refuse_read(guest, width, value);
    }
}

enum vdev_access vdev_control_write(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                                    uint64_t offset, uint32_t width, uint64_t value)
{
    const int index = vdev_region_index(guest, slot, window);
    if (index < 0 || width != sizeof(uint32_t))
        return vdev_access_refuse_write(guest);
    const uint32_t word = (uint32_t)value;
    switch (offset) {
    case offsetof(struct guest_shm_control, notify):
        guest->counts.notify_writes++;
        vdev_region_ring(guest->model, slot, (uint32_t)index,
                         word == NOTIFY_OTHERS ? word & ~(1u << index) : word);
        return VDEV_ACCESS_OK;
    case offsetof(struct guest_shm_control, detach):
        guest->counts.detach_writes++;
        vdev_event_say(guest, "detached connection %d from the region in slot %" PRIu32, index,
                       slot);
        vdev_region_leave(guest->model, slot, (uint32_t)index);
        return VDEV_ACCESS_OK;
    default:
        return vdev_access_refuse_write(guest);
    }
}
