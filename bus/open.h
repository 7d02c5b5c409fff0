/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BUS_OPEN_H
#define PEAL_BUS_OPEN_H

struct peal_bus;

/* Leaves the region and frees what peal_bus_open() has made, as far as it had come. */
void peal_bus_free(struct peal_bus *bus);

#endif
