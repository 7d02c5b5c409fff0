/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BUS_OPEN_H
#define PEAL_BUS_OPEN_H

#include "bus/url.h"

struct peal_bus;

/* Replaces "auto" by the scheme that it stands for here. ENOTSUP with a message: there is no such one. */
enum peal_status peal_url_choose_scheme(struct peal_url *url,
                                        const struct peal_bus_options *options);

/* Leaves the region and frees what peal_bus_open() has made, as far as it had come. */
void peal_bus_free(struct peal_bus *bus);

#endif
