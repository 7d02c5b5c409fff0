/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PCI function, as one client has it: what lies behind its regions (vfio's word for BARs and configuration space).
 *
 *   BAR 0  factory page: every access goes to the model
 *   BAR 1  MSI-X table and pending bits: bytes that are kept; whoever emulates the PCI bus interprets them
 *   BAR 2  windows: control pages go to the model, data pages to the memory
 */
#ifndef PEAL_DEVICE_SERVER_FUNCTION_H
#define PEAL_DEVICE_SERVER_FUNCTION_H

#include "device/model/model.h"
#include "device/server/config_space.h"
#include "device/server/irqs.h"
#include "device/server/log.h"
#include "device/server/memory.h"

struct vdev_function {
    struct vdev_guest *guest; /* in the model; set by who makes the function */
    const struct vdev_memory *memory;
    struct vdev_config_space config;
    struct vdev_irqs irqs;
    unsigned char msix[VDEV_PAGE_BYTES];
    struct vdev_log log;
};

/* Size of a region in bytes, 0 if there is no such one. `index`: VFIO_PCI_*_REGION_INDEX. */
uint64_t vdev_function_region_bytes(const struct vdev_function *function, uint32_t index);

/* 0, or an errno value: there is no such place. What the device refuses reads as all ones, and is not an error. */
int vdev_function_read(struct vdev_function *function, uint32_t region, uint64_t offset,
                       unsigned char *bytes, uint32_t count);
int vdev_function_write(struct vdev_function *function, uint32_t region, uint64_t offset,
                        const unsigned char *bytes, uint32_t count);

/* Guest-physical address of a control page, or VDEV_NO_PLACE. */
uint64_t vdev_function_place(const struct vdev_function *function, uint32_t slot, uint32_t window);

void vdev_function_reset(struct vdev_function *function);

#endif
