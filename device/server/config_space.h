/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI configuration space of the device: 256 bytes, of which the guest may write some bits. See guest_shm_pci.h for the BARs.
 *
 *   0x00 header, type 0 | 0x40 MSI-X capability | 0x50 vendor capability: the windows
 */
#ifndef PEAL_DEVICE_SERVER_CONFIG_SPACE_H
#define PEAL_DEVICE_SERVER_CONFIG_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_CONFIG_SPACE_BYTES 256u
#define VDEV_CONFIG_MSIX 0x40u
#define VDEV_CONFIG_WINDOWS 0x50u

struct vdev_config_space {
    unsigned char bytes[VDEV_CONFIG_SPACE_BYTES];
    unsigned char writable[VDEV_CONFIG_SPACE_BYTES]; /* mask of bits */
    uint64_t windows_bar_bytes;
};

/* `vectors`: of MSI-X; `intx`: whether there is an interrupt pin. Sizes of BARs are powers of two. */
void vdev_config_space_init(struct vdev_config_space *space, uint64_t window_bytes,
                            uint32_t windows, uint32_t vectors, bool intx);

/* False: not inside. */
bool vdev_config_space_read(const struct vdev_config_space *space, uint64_t offset, void *bytes,
                            size_t count);
bool vdev_config_space_write(struct vdev_config_space *space, uint64_t offset, const void *bytes,
                             size_t count);

/* Where the guest put the windows; 0: nowhere yet (or it is asking for the size just now). */
uint64_t vdev_config_space_windows_address(const struct vdev_config_space *space);

/* The guest forbids the use of the interrupt pin. */
bool vdev_config_space_intx_disabled(const struct vdev_config_space *space);

#endif
