/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device model as a way to the registers within this process: `vdev:NAME?device=model:...`. One host, whose guests are
 * transports of this process. Everything that happens at the device happens under one mutex, at once: when a register write
 * returns, interrupts are raised.
 *
 *      device=model:         a guest of its own for each transport
 *      device=model:WORD     all transports of that WORD share one guest: its registers, its vector, its lock
 *
 * Interrupts are eventfds, one for each transport; one that a guest shares with others is rung for them as well. Regions are memfds, and
 * guest-physical addresses are made up.
 */
#ifndef PEAL_TESTS_SUPPORT_VDEV_MODEL_ACCESS_H
#define PEAL_TESTS_SUPPORT_VDEV_MODEL_ACCESS_H

#include "device/model/model.h"
#include "device/model/rules.h"
#include "transport/transport.h"

#define MODEL_DEVICE "model:"

/* Makes the host and the way; what was there before is forgotten. NULL: default settings. False: no memory. */
bool model_access_start(const struct vdev_settings *settings);

/* All transports are closed before. */
void model_access_stop(void);

/* Rules for guests that come from now on; NULL: none. Copied. */
void model_access_rules(const struct vdev_rules *rules);

/* The transport's guest ends as if its machine lost power; its registers then read as all ones. */
void model_access_kill(struct peal_transport *transport);

/* The transport's device can't be reached any more: its accesses fail. Its descriptor becomes readable. */
void model_access_unplug(struct peal_transport *transport);

/* Sums over all guests that are alive. */
struct vdev_access_counts model_access_counts(void);

/* Connections of all regions of the host. */
unsigned model_access_connections(void);

/* Ways that were opened and not closed. */
unsigned model_access_ways(void);

/* The access with that number from now on (0: the next one) fails, once. */
void model_access_fail_at(int access);

/* Whether model_access_fail_at() has come to pass; takes it back. */
bool model_access_has_failed(void);

enum model_access_register {
    MODEL_SIGNATURE,
    MODEL_SHMEM,
    MODEL_VECTOR,
    MODEL_GSS_STATUS,
    MODEL_SIZE,
    MODEL_IDX,
    MODEL_STATUS,
    MODEL_REGISTERS
};

/* Reads of that register (each half of its own, if it is read so) give `value` from now on. */
void model_access_lie(enum model_access_register which, uint64_t value);

/* Accesses of 8 bytes are refused, as on a bus of 32 bits. */
void model_access_narrow(bool narrow);

/* An end to that. */
void model_access_be_honest(void);

/* The next map() fails. */
void model_access_fail_map(void);

/* Called after each register read, outside of the mutex; to put something between two steps of a protocol. NULL: nobody. */
void model_access_watch(void (*watch)(void *context, enum model_access_register which),
                        void *context);

/* Bits of the last write to `notify` that any guest made, as it was written. */
uint64_t model_access_last_notify(void);

/* The width in bytes of the widest write to `name` since the start. */
uint32_t model_access_widest_name(void);

#endif
