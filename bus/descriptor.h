/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor of peal_bus_fd(): an epoll descriptor over the transport's own, which peers ring,
 * and an eventfd, by which we make it readable ourselves. The second is needed because a thread that
 * sleeps on the same bus drains the first one.
 */
#ifndef PEAL_BUS_DESCRIPTOR_H
#define PEAL_BUS_DESCRIPTOR_H

struct peal_bus;

void peal_descriptor_init(struct peal_bus *bus);
void peal_descriptor_close(struct peal_bus *bus);

/* A thread has drained rings that may have been meant for the descriptor: makes it readable if it
 * is armed. */
void peal_descriptor_pass_on(struct peal_bus *bus);

/* Makes it readable if there is one, armed or not: the bus was closed. */
void peal_descriptor_wake(struct peal_bus *bus);

#endif
