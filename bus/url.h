/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCHEME:NAME[?KEY=VALUE[&KEY=VALUE]...], see <peal/bus.h>.
 */
#ifndef PEAL_BUS_URL_H
#define PEAL_BUS_URL_H

#include "transport/transport.h"

#include <peal/bus.h>

#define PEAL_URL_SCHEME_BYTES 16u
#define PEAL_URL_GROUP_BYTES 64u
#define PEAL_URL_DEVICE_BYTES 256u

struct peal_url {
    char scheme[PEAL_URL_SCHEME_BYTES];
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    char group[PEAL_URL_GROUP_BYTES];   /* where options.group points if the URL has the key */
    char device[PEAL_URL_DEVICE_BYTES]; /* the same for options.device */
};

/*
 * Takes the URL apart; what its keys say goes over *options, which then may point into *url. EINVAL
 * with a message for anything that does not follow the form. Does not ask whether the transport
 * exists.
 */
enum peal_status peal_url_parse(struct peal_url *url, struct peal_bus_options *options,
                                const char *text);

#endif
