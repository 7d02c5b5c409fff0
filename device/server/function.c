/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/function.h"

#include <endian.h>
#include <errno.h>
#include <guest_shm_pci.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <string.h>

uint64_t vdev_function_region_bytes(const struct vdev_function *function, uint32_t index)
{
    switch (index) {
    case GUEST_SHM_BAR_FACTORY:
    case GUEST_SHM_BAR_MSIX:
        return VDEV_PAGE_BYTES;
    case GUEST_SHM_BAR_WINDOWS:
        return vdev_memory_bytes(function->memory);
    case VFIO_PCI_CONFIG_REGION_INDEX:
        return VDEV_CONFIG_SPACE_BYTES;
    default:
        return 0;
    }
}

static bool is_register_width(uint32_t count)
{
    return count == 1 || count == 2 || count == 4 || count == 8;
}

/* Registers are little-endian on the wire. */
static uint64_t value_of(const unsigned char *bytes, uint32_t count)
{
    uint64_t value = 0;
    memcpy(&value, bytes, count);
    return le64toh(value);
}

static void put_value(unsigned char *bytes, uint32_t count, uint64_t value)
{
    value = htole64(value);
    memcpy(bytes, &value, count);
}

/* Where in BAR 2 an offset lies. */
struct window_place {
    uint32_t slot;
    uint64_t within; /* of the window */
    uint32_t
        ordinal; /* of the control page: the guest's connection to the region; VDEV_CONTROL_PAGES: it is none */
};

static struct window_place find_place(const struct vdev_memory *memory, uint64_t offset)
{
    struct window_place place = {.slot = (uint32_t)(offset / memory->window_bytes),
                                 .within = offset % memory->window_bytes,
                                 .ordinal = VDEV_CONTROL_PAGES};
    if (place.within < VDEV_DATA_OFFSET)
        place.ordinal = VDEV_CONTROL_PAGES - 1 - (uint32_t)(place.within / VDEV_PAGE_BYTES);
    return place;
}

static bool is_control_access(const struct window_place *place, uint32_t count)
{
    return place->ordinal < VDEV_CONTROL_PAGES && is_register_width(count) &&
           place->within % VDEV_PAGE_BYTES + count <= VDEV_PAGE_BYTES;
}

static bool is_data_access(const struct vdev_memory *memory, const struct window_place *place,
                           uint32_t count)
{
    return place->ordinal == VDEV_CONTROL_PAGES && count <= memory->window_bytes - place->within;
}

static void read_window(struct vdev_function *function, uint64_t offset, unsigned char *bytes,
                        uint32_t count)
{
    const struct window_place place = find_place(function->memory, offset);
    uint64_t value = UINT64_MAX;
    if (is_data_access(function->memory, &place, count)) {
        vdev_memory_read(function->memory, offset, bytes, count);
    } else if (is_control_access(&place, count)) {
        (void)vdev_control_read(function->guest, place.slot, place.ordinal,
                                place.within % VDEV_PAGE_BYTES, count, &value);
        put_value(bytes, count, value);
    }
}

static void write_window(struct vdev_function *function, uint64_t offset,
                         const unsigned char *bytes, uint32_t count)
{
    const struct window_place place = find_place(function->memory, offset);
    if (is_data_access(function->memory, &place, count))
        vdev_memory_write(function->memory, offset, bytes, count);
    else if (is_control_access(&place, count))
        (void)vdev_control_write(function->guest, place.slot, place.ordinal,
                                 place.within % VDEV_PAGE_BYTES, count, value_of(bytes, count));
}

static bool is_inside(const struct vdev_function *function, uint32_t region, uint64_t offset,
                      uint32_t count)
{
    const uint64_t size = vdev_function_region_bytes(function, region);
    return offset < size && count <= size - offset;
}

int vdev_function_read(struct vdev_function *function, uint32_t region, uint64_t offset,
                       unsigned char *bytes, uint32_t count)
{
    uint64_t value = UINT64_MAX;
    if (!is_inside(function, region, offset, count))
        return EINVAL;
    memset(bytes, 0xff, count);
    switch (region) {
    case GUEST_SHM_BAR_FACTORY:
        if (!is_register_width(count))
            break;
        (void)vdev_factory_read(function->guest, offset, count, &value);
        put_value(bytes, count, value);
        break;
    case GUEST_SHM_BAR_MSIX:
        memcpy(bytes, function->msix + offset, count);
        break;
    case GUEST_SHM_BAR_WINDOWS:
        read_window(function, offset, bytes, count);
        break;
    default:
        (void)vdev_config_space_read(&function->config, offset, bytes, count);
        break;
    }
    return 0;
}

static void write_config(struct vdev_function *function, uint64_t offset,
                         const unsigned char *bytes, uint32_t count)
{
    const uint64_t before = vdev_config_space_windows_address(&function->config);
    (void)vdev_config_space_write(&function->config, offset, bytes, count);
    const uint64_t after = vdev_config_space_windows_address(&function->config);
    if (after != before)
        vdev_log_say(&function->log, VDEV_LOG_DEBUG, "put the windows at %#" PRIx64, after);
    vdev_irqs_set_line(&function->irqs, vdev_guest_line(function->guest));
    vdev_irqs_disable_intx(&function->irqs, vdev_config_space_intx_disabled(&function->config));
}

int vdev_function_write(struct vdev_function *function, uint32_t region, uint64_t offset,
                        const unsigned char *bytes, uint32_t count)
{
    if (!is_inside(function, region, offset, count))
        return EINVAL;
    switch (region) {
    case GUEST_SHM_BAR_FACTORY:
        if (is_register_width(count))
            (void)vdev_factory_write(function->guest, offset, count, value_of(bytes, count));
        break;
    case GUEST_SHM_BAR_MSIX:
        memcpy(function->msix + offset, bytes, count);
        break;
    case GUEST_SHM_BAR_WINDOWS:
        write_window(function, offset, bytes, count);
        break;
    default:
        write_config(function, offset, bytes, count);
        break;
    }
    return 0;
}

uint64_t vdev_function_place(const struct vdev_function *function, uint32_t slot, uint32_t window)
{
    const uint64_t base = vdev_config_space_windows_address(&function->config);
    if (base == 0 || slot >= function->memory->windows || window >= VDEV_CONTROL_PAGES)
        return VDEV_NO_PLACE;
    return base + slot * function->memory->window_bytes +
           (uint64_t)(VDEV_CONTROL_PAGES - 1 - window) * VDEV_PAGE_BYTES;
}

void vdev_function_reset(struct vdev_function *function)
{
    vdev_guest_reset(function->guest);
    vdev_irqs_reset(&function->irqs);
    memset(function->msix, 0, sizeof(function->msix));
}
