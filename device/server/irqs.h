/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupts of one device: MSI-X vectors, and the interrupt pin. The client hands an eventfd for each; raising an
 * interrupt adds one to it.
 *
 *  - MSI-X is in use while one of its vectors has an eventfd; otherwise the pin is.
 *  - An interrupt of a vector that has no eventfd just now is remembered, and raised when it gets one.
 *  - The pin is masked once it was raised (as VFIO_IRQ_INFO_AUTOMASKED says) until the client unmasks it. It is a level: if the
 *    line still stands then, for the guest has not read what it was raised for, it is raised again.
 *
 * A client's descriptor may be anything, and a write to it must not block the server: only eventfds are taken, and they
 * are made non-blocking. An eventfd that is not any more when it is to be raised (the client shares the flag) is given back.
 */
#ifndef PEAL_DEVICE_SERVER_IRQS_H
#define PEAL_DEVICE_SERVER_IRQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_VECTORS_MAX 64u

struct vdev_irqs {
    int msix[VDEV_VECTORS_MAX];
    uint32_t vectors;      /* how many of msix there are */
    uint64_t msix_pending; /* one bit for each vector */
    int intx;
    bool has_intx;
    bool intx_masked;
    bool intx_disabled; /* by the command register */
    bool intx_pending;  /* to be raised once it may be */
};

void vdev_irqs_init(struct vdev_irqs *irqs, uint32_t vectors, bool intx);

/* Closes all descriptors. */
void vdev_irqs_end(struct vdev_irqs *irqs);

/* As the device is after a reset: nothing is pending. The eventfds stay. */
void vdev_irqs_reset(struct vdev_irqs *irqs);

/* What GET_IRQ_INFO tells of an index (VFIO_PCI_*_IRQ_INDEX). False: there is no such index. */
bool vdev_irqs_describe(const struct vdev_irqs *irqs, uint32_t index, uint32_t *flags,
                        uint32_t *count);

/*
 * SET_IRQS: `payload` is a struct vfio_irq_set. Descriptors that are taken become -1 in `fds`, the others stay the
 * caller's. 0, or an errno value that says why it was refused.
 */
int vdev_irqs_set(struct vdev_irqs *irqs, const unsigned char *payload, size_t payload_bytes,
                  int *fds, uint32_t fd_count);

void vdev_irqs_raise(struct vdev_irqs *irqs, uint32_t vector);

/* What the line is now, before something is done that may unmask the pin. */
void vdev_irqs_set_line(struct vdev_irqs *irqs, bool line);

void vdev_irqs_disable_intx(struct vdev_irqs *irqs, bool disabled);

#endif
