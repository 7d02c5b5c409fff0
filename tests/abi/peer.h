/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer: one program, built for 32 and for 64 bits, that does what a test asks for (protocol.h).
 *
 *   abi_peer layout          prints where everything lies in shared memory
 *   abi_peer serve URL       answers requests from its standard input until that ends
 */
#ifndef PEAL_TESTS_ABI_PEER_H
#define PEAL_TESTS_ABI_PEER_H

#include "tests/abi/protocol.h"

#include <peal/peal.h>
#include <stdbool.h>

struct peer {
    const char *url;
    struct peal_bus *bus;
    struct peal_publisher *publishers[ABI_HANDLES];
    struct peal_subscriber *subscribers[ABI_HANDLES];
    uint64_t incarnations[ABI_HANDLES]; /* of the publishers: their messages' contents */
};

/* Remembers the first complaint. Returns PEAL_ECORRUPT, to be answered. */
__attribute__((format(printf, 2, 3))) enum peal_status peer_complain(struct abi_answer *answer,
                                                                     const char *format, ...);

uint64_t peer_now_ns(void);

/* peer_layout.c: 0, or 1 if something that must succeed failed. */
int peer_print_layout(void);

/* peer_bus.c, peer_publish.c, peer_take.c, peer_spsc.c: false if the operation is not one of theirs. */
bool peer_do_bus(struct peer *peer, const struct abi_request *request, struct abi_answer *answer);
bool peer_do_publish(struct peer *peer, const struct abi_request *request,
                     struct abi_answer *answer);
bool peer_do_take(struct peer *peer, const struct abi_request *request, struct abi_answer *answer);
bool peer_do_spsc(const struct abi_request *request, struct abi_answer *answer);

#endif
