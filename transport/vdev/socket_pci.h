/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCI function behind a device server's socket, set up as a guest's firmware and driver would: found to be the shmem
 * vdev, its BARs given guest-physical addresses, memory enabled; and where in the server's memory file the data pages of a
 * connection lie (guest_shm_pci.h).
 */
#ifndef PEAL_TRANSPORT_VDEV_SOCKET_PCI_H
#define PEAL_TRANSPORT_VDEV_SOCKET_PCI_H

#include "transport/vdev/socket_wire.h"

#define PEAL_VDEV_AREAS_MAX 256u

struct peal_vdev_bar {
    uint64_t address; /* guest-physical */
    uint64_t bytes;
};

/* A part of BAR 2 that may be mapped; offsets from its beginning. */
struct peal_vdev_area {
    uint64_t offset;
    uint64_t bytes;
};

/* Constant once open, so any threads may read it. Each number is checked against the others. */
struct peal_vdev_pci {
    struct peal_vdev_bar factory; /* GUEST_SHM_BAR_FACTORY */
    struct peal_vdev_bar windows; /* GUEST_SHM_BAR_WINDOWS */
    int memory;                   /* the file behind BAR 2, ours */
    uint64_t memory_offset;       /* where in it the BAR begins */
    uint32_t area_count;
    struct peal_vdev_area areas[PEAL_VDEV_AREAS_MAX];
    uint32_t window_count; /* 0: the server has no windows; data pages follow their control page */
    uint32_t data_offset;
    uint64_t window_bytes;
};

/* On failure nothing is left; the wire stays the caller's. */
enum peal_status peal_vdev_pci_open(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire);
void peal_vdev_pci_close(struct peal_vdev_pci *pci);

/*
 * The place in the memory file of the data pages that belong to a control page. Each of their bytes exists in the file
 * now, and may be mapped. A server that shortened the file later would make accesses raise SIGBUS: peal-vdev never does.
 */
enum peal_status peal_vdev_pci_data(const struct peal_vdev_pci *pci,
                                    const struct peal_vdev_wire *wire, uint64_t control,
                                    uint32_t pages, uint64_t *file_offset);

#endif
