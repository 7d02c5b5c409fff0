/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and the connections to them; private to device/model. Every change of a connection's `status` register is made here,
 * and here alone, with its interrupt.
 */
#ifndef PEAL_DEVICE_MODEL_REGION_H
#define PEAL_DEVICE_MODEL_REGION_H

#include "device/model/state.h"

/* The slot of the region of that (host's) name, or -1. */
int vdev_region_find(const struct vdev_model *model, const char *name);

/* Makes a region in the lowest free slot: GSS_OK, GSS_NOMEM, or GSS_UNKNOWN_FAILURE for one without pages. */
enum guest_shm_status vdev_region_begin(struct vdev_model *model, const char *name, uint32_t pages,
                                        uint32_t *slot);

/* Ends the region if nobody is attached and it is not permanent. */
void vdev_region_release(struct vdev_model *model, uint32_t slot);

/*
 * Connects the guest; the other clients are told. `name`: as the guest calls the region. GSS_OK, GSS_CLIENT_MAX, or
 * GSS_UNKNOWN_FAILURE if the embedder has no place for it.
 */
enum guest_shm_status vdev_region_join(struct vdev_guest *guest, uint32_t slot, const char *name,
                                       uint32_t *index, uint64_t *shmem);

/* Disconnects; the other clients are told, and the region ends with its last one. */
void vdev_region_leave(struct vdev_model *model, uint32_t slot, uint32_t index);

/* Connection `index` notifies the targets; bits of nobody do nothing. */
void vdev_region_ring(struct vdev_model *model, uint32_t slot, uint32_t index, uint32_t targets);

/* The index of the connection that the guest has behind that window, or -1. Any values may be asked for. */
int vdev_region_index(const struct vdev_guest *guest, uint32_t slot, uint32_t window);

/* The interrupt of a region's connections. */
uint32_t vdev_region_vector(const struct vdev_model *model, uint32_t slot);

#endif
