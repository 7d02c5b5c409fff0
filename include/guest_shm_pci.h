/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * guest_shm_pci.h - how the shmem vdev looks as a PCI function, and one capability of Peal's own device.
 *
 * On the QNX hypervisor the function 1C05:0001 has the factory page in BAR 0 and an interrupt line; `shmem` says where
 * in guest-physical memory a connection lies: its control page, then the data pages.
 *
 * A device server outside of the hypervisor cannot map the same data at many guest-physical places. Peal's server
 * (peal-vdev) therefore has windows in a further BAR, one for each region of the host, and says so by a vendor
 * capability in configuration space:
 *
 *      window of a region:  | control pages, the last one that of the guest's first connection | data pages ... |
 *                           0                                                             data_offset    window_bytes
 *
 * The first connection of a guest to a region has its control page directly before the data, as the real device. Each
 * further connection of the same guest to that region has the page before; its data pages are those of the window. A
 * driver that does not know the capability works as long as it attaches to each region once.
 */
#ifndef GUEST_SHM_PCI_H
#define GUEST_SHM_PCI_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define GUEST_SHM_BAR_FACTORY 0 /* 32-bit, one page */
#define GUEST_SHM_BAR_MSIX                                                                         \
    1 /* 32-bit: MSI-X table at 0, pending bits at GUEST_SHM_MSIX_PBA; peal-vdev only */
#define GUEST_SHM_BAR_WINDOWS 2 /* 64-bit, prefetchable; peal-vdev only */
#define GUEST_SHM_MSIX_PBA 0x800

/* Capability of id 0x09 (vendor-specific) in configuration space; little-endian. */
struct guest_shm_window_capability {
    uint8_t id;                /* 0x09 */
    uint8_t next;              /* offset of the next capability */
    uint8_t length;            /* 32: of this capability */
    uint8_t version;           /* GUEST_SHM_WINDOW_VERSION */
    uint32_t magic;            /* GUEST_SHM_WINDOW_MAGIC */
    uint8_t bar;               /* GUEST_SHM_BAR_WINDOWS */
    uint8_t reserved[3];       /* 0 */
    uint32_t data_offset;      /* from the beginning of a window to its data pages; whole pages */
    uint32_t window_bytes_low; /* stride of the windows; whole pages */
    uint32_t window_bytes_high;
    uint32_t windows; /* how many there are */
    uint32_t reserved2;
};

#define GUEST_SHM_WINDOW_MAGIC 0x4e574c50 /* "PLWN" */
#define GUEST_SHM_WINDOW_VERSION 1
#define GUEST_SHM_WINDOW_CAPABILITY_BYTES 32

#endif
