/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and replies of vfio-user (vfio_user.h) over one unix socket, as the client sends and checks them.
 *
 * The server is the authority on what the device says, but not on what this process reads and writes: a reply that is not
 * exactly the one asked for (id, command, size, type), or that does not come within the timeout, ends the connection. It can't be
 * brought into step again, so from then on each request fails with PEAL_ESYSTEM at once. Requests are one at a time, behind a
 * mutex; a thread waits for those before it, each of which is bounded by the timeout.
 */
#ifndef PEAL_TRANSPORT_VDEV_SOCKET_WIRE_H
#define PEAL_TRANSPORT_VDEV_SOCKET_WIRE_H

#include "transport/vdev/socket_stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peal_vdev_wire {
    struct peal_vdev_stream stream; /* its mutex is held around one request and its reply */
    uint16_t id;                    /* of the request last sent */
};

/* One request: what is sent, and what may come back. */
struct peal_vdev_request {
    uint16_t command;
    bool posted;      /* no reply is wanted; the server takes it in its order */
    int fd;           /* sent along, and still the caller's; -1: none */
    const void *head; /* the payload, in up to two pieces */
    size_t head_bytes;
    const void *data;
    size_t data_bytes;
    void *reply;              /* room for the reply's payload ... */
    size_t reply_least_bytes; /* ... which has at least so many bytes ... */
    size_t reply_most_bytes;  /* ... and at most so many */
    size_t reply_bytes;       /* out */
    int *
        reply_fd; /* out: the first descriptor that came with the reply, now the caller's, or -1. NULL: none is expected */
    uint32_t error; /* out: the server refused, with this errno value; 0: it did not */
};

/* Connects and agrees upon the version. On failure nothing is left. */
enum peal_status peal_vdev_wire_open(struct peal_vdev_wire *wire, const char *path,
                                     uint64_t timeout_ns);

/* The opening is done: only the timeout of each request counts from here on. */
void peal_vdev_wire_opened(struct peal_vdev_wire *wire);

void peal_vdev_wire_close(struct peal_vdev_wire *wire);

/*
 * Sends a request and waits for its reply, no longer than the timeout. PEAL_OK: the server answered, be it with an error
 * (request->error). PEAL_TIMEDOUT, PEAL_ESYSTEM: the connection is gone for good. Thread-safe.
 */
enum peal_status peal_vdev_wire_ask(struct peal_vdev_wire *wire, struct peal_vdev_request *request);

/* The server has hung up: the next request fails. Thread-safe. */
void peal_vdev_wire_hang_up(struct peal_vdev_wire *wire);

/*
 * REGION_READ and REGION_WRITE of 1 to 8 bytes. `refused`: the server answered with an error. Thread-safe, status as
 * peal_vdev_wire_ask().
 */
enum peal_status peal_vdev_wire_read(struct peal_vdev_wire *wire, uint32_t region, uint64_t offset,
                                     uint32_t width, uint64_t *value, bool *refused);
enum peal_status peal_vdev_wire_write(struct peal_vdev_wire *wire, uint32_t region, uint64_t offset,
                                      uint32_t width, uint64_t value, bool posted, bool *refused);

#endif
