/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/config_space.h"

#include "device/server/memory.h"

#include <assert.h>
#include <guest_shm.h>
#include <guest_shm_pci.h>
#include <linux/pci_regs.h>
#include <string.h>

#define CLASS_MEMORY_OTHER 0x0580u
#define REVISION 1u
#define PAGE_BITS 0xfffff000u /* of a BAR of one page */

static_assert(sizeof(struct guest_shm_window_capability) == GUEST_SHM_WINDOW_CAPABILITY_BYTES,
              "as it is read by the guest");
static_assert(VDEV_CONFIG_MSIX + PCI_CAP_MSIX_SIZEOF <= VDEV_CONFIG_WINDOWS, "do not overlap");

/* Little-endian, whatever the host is. */
static void put(unsigned char *bytes, uint32_t offset, uint32_t width, uint32_t value)
{
    for (uint32_t i = 0; i < width; i++)
        bytes[offset + i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get(const unsigned char *bytes, uint32_t offset, uint32_t width)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        value |= (uint32_t)bytes[offset + i] << 8 * i;
    return value;
}

static void init_header(struct vdev_config_space *space, bool intx)
{
    put(space->bytes, PCI_VENDOR_ID, 2, PCI_VID_BlackBerry_QNX);
    put(space->bytes, PCI_DEVICE_ID, 2, PCI_DID_QNX_GUEST_SHM);
    put(space->bytes, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
    put(space->bytes, PCI_REVISION_ID, 1, REVISION);
    put(space->bytes, PCI_CLASS_DEVICE, 2, CLASS_MEMORY_OTHER);
    put(space->bytes, PCI_SUBSYSTEM_VENDOR_ID, 2, PCI_VID_BlackBerry_QNX);
    put(space->bytes, PCI_SUBSYSTEM_ID, 2, PCI_DID_QNX_GUEST_SHM);
    put(space->bytes, PCI_CAPABILITY_LIST, 1, VDEV_CONFIG_MSIX);
    put(space->bytes, PCI_INTERRUPT_PIN, 1, intx ? 1 : 0);
    put(space->writable, PCI_COMMAND, 2,
        PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    put(space->writable, PCI_CACHE_LINE_SIZE, 1, 0xff);
    put(space->writable, PCI_LATENCY_TIMER, 1, 0xff);
    put(space->writable, PCI_INTERRUPT_LINE, 1, 0xff);
}

/* Bits below the size stay as they are: that is how the guest learns it. */
static void init_bars(struct vdev_config_space *space)
{
    const uint64_t windows_bits = ~(space->windows_bar_bytes - 1);
    put(space->bytes, PCI_BASE_ADDRESS_2, 4,
        PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
    put(space->writable, PCI_BASE_ADDRESS_0, 4, PAGE_BITS);
    put(space->writable, PCI_BASE_ADDRESS_1, 4, PAGE_BITS);
    put(space->writable, PCI_BASE_ADDRESS_2, 4, (uint32_t)windows_bits);
    put(space->writable, PCI_BASE_ADDRESS_3, 4, (uint32_t)(windows_bits >> 32));
}

static void init_msix(struct vdev_config_space *space, uint32_t vectors)
{
    put(space->bytes, VDEV_CONFIG_MSIX + PCI_CAP_LIST_ID, 1, PCI_CAP_ID_MSIX);
    put(space->bytes, VDEV_CONFIG_MSIX + PCI_CAP_LIST_NEXT, 1, VDEV_CONFIG_WINDOWS);
    put(space->bytes, VDEV_CONFIG_MSIX + PCI_MSIX_FLAGS, 2, vectors - 1);
    put(space->bytes, VDEV_CONFIG_MSIX + PCI_MSIX_TABLE, 4, GUEST_SHM_BAR_MSIX);
    put(space->bytes, VDEV_CONFIG_MSIX + PCI_MSIX_PBA, 4, GUEST_SHM_MSIX_PBA | GUEST_SHM_BAR_MSIX);
    put(space->writable, VDEV_CONFIG_MSIX + PCI_MSIX_FLAGS, 2,
        PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

#define WINDOW_FIELD(field)                                                                        \
    (VDEV_CONFIG_WINDOWS + (uint32_t)offsetof(struct guest_shm_window_capability, field))

static void init_windows(struct vdev_config_space *space, uint64_t window_bytes, uint32_t windows)
{
    put(space->bytes, WINDOW_FIELD(id), 1, PCI_CAP_ID_VNDR);
    put(space->bytes, WINDOW_FIELD(length), 1, GUEST_SHM_WINDOW_CAPABILITY_BYTES);
    put(space->bytes, WINDOW_FIELD(version), 1, GUEST_SHM_WINDOW_VERSION);
    put(space->bytes, WINDOW_FIELD(magic), 4, GUEST_SHM_WINDOW_MAGIC);
    put(space->bytes, WINDOW_FIELD(bar), 1, GUEST_SHM_BAR_WINDOWS);
    put(space->bytes, WINDOW_FIELD(data_offset), 4, VDEV_DATA_OFFSET);
    put(space->bytes, WINDOW_FIELD(window_bytes_low), 4, (uint32_t)window_bytes);
    put(space->bytes, WINDOW_FIELD(window_bytes_high), 4, (uint32_t)(window_bytes >> 32));
    put(space->bytes, WINDOW_FIELD(windows), 4, windows);
}

void vdev_config_space_init(struct vdev_config_space *space, uint64_t window_bytes,
                            uint32_t windows, uint32_t vectors, bool intx)
{
    memset(space, 0, sizeof(*space));
    space->windows_bar_bytes = window_bytes * windows;
    init_header(space, intx);
    init_bars(space);
    init_msix(space, vectors);
    init_windows(space, window_bytes, windows);
}

static bool is_inside(uint64_t offset, size_t count)
{
    return offset <= VDEV_CONFIG_SPACE_BYTES && count <= VDEV_CONFIG_SPACE_BYTES - offset;
}

bool vdev_config_space_read(const struct vdev_config_space *space, uint64_t offset, void *bytes,
                            size_t count)
{
    if (!is_inside(offset, count))
        return false;
    memcpy(bytes, space->bytes + offset, count);
    return true;
}

bool vdev_config_space_write(struct vdev_config_space *space, uint64_t offset, const void *bytes,
                             size_t count)
{
    const unsigned char *from = bytes;
    if (!is_inside(offset, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const unsigned char mask = space->writable[offset + i];
        unsigned char *byte = &space->bytes[offset + i];
        *byte = (unsigned char)((*byte & ~mask) | (from[i] & mask));
    }
    return true;
}

uint64_t vdev_config_space_windows_address(const struct vdev_config_space *space)
{
    const uint64_t low = get(space->bytes, PCI_BASE_ADDRESS_2, 4) & ~UINT32_C(0xf);
    const uint64_t high = get(space->bytes, PCI_BASE_ADDRESS_3, 4);
    const uint64_t address = high << 32 | low;
    const uint64_t all_ones = ~(space->windows_bar_bytes - 1);
    return address == all_ones ? 0 : address;
}

bool vdev_config_space_intx_disabled(const struct vdev_config_space *space)
{
    return (get(space->bytes, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) != 0;
}
