/* SPDX-License-Identifier: Apache-2.0 */
/* The buses of this machine: those in shared memory, each looked at once, and the devices of a hypervisor. */
#ifndef PEAL_TOOLS_PEAL_LIST_BUSES_H
#define PEAL_TOOLS_PEAL_LIST_BUSES_H

#include "tools/peal/kit/output.h"
#include "tools/peal/look/snapshot.h"

enum bus_state {
    BUS_OK = 0,
    BUS_EMPTY,        /* nobody is attached */
    BUS_DEVICE,       /* no bus: buses are at names on it, and cannot be listed */
    BUS_SPOILT,       /* cut short, or it has lanes that make no sense */
    BUS_WRONG_FORMAT, /* nothing of ours, or of another release */
    BUS_DENIED,
    BUS_FAILED,
};

struct bus_row {
    char *url;
    enum bus_state state;
    bool is_node; /* a device, not a bus */
    char *reason; /* why it cannot be looked at; "" */
    bool is_seen; /* what follows is known */
    uint64_t region_bytes;
    uint64_t free_bytes;
    uint32_t alive; /* clients */
    uint32_t dead;
    uint32_t topics;
    uint32_t queues;
};

struct buses {
    struct bus_row *rows; /* by URL */
    size_t count;
    size_t room;
};

/* All zero is none. `nodes` is the pattern of the device's nodes: BUSES_NODES. EXIT_DONE, or the exit code, why having been
 * told. */
int buses_find(struct buses *buses, const char *nodes);
#define BUSES_NODES "/dev/guest_shm*"

/* Looks at one; adds it to those there are. For tests; buses_find() does it for all. */
void buses_add(struct buses *buses, const char *url);

void buses_print(const struct buses *buses);
json_t *buses_json(const struct buses *buses);

void buses_free(struct buses *buses);

const char *bus_state_text(enum bus_state state);

#endif
