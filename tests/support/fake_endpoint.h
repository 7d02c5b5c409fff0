/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint without lanes: it is ready while its `work` is not 0, and it counts its release. Stands
 * in for subscribers where only the waiting is tested.
 */
#ifndef PEAL_TESTS_SUPPORT_FAKE_ENDPOINT_H
#define PEAL_TESTS_SUPPORT_FAKE_ENDPOINT_H

#include "bus/bus_internal.h"
#include "core/bell.h"

#include <stdlib.h>

struct fake_endpoint {
    struct peal_endpoint endpoint; /* first, as in a subscriber */
    peal_u32 work;
    peal_u32 *released; /* counts, may be NULL */
};

static inline bool fake_ready(struct peal_endpoint *endpoint)
{
    return peal_u32_load_acquire(&((struct fake_endpoint *)(void *)endpoint)->work) != 0;
}

static inline void fake_release(struct peal_endpoint *endpoint)
{
    struct fake_endpoint *fake = (struct fake_endpoint *)(void *)endpoint;
    if (fake->released != NULL)
        (void)peal_u32_add_acq_rel(fake->released, 1);
    free(fake);
}

static inline const struct peal_endpoint_ops *fake_ops(void)
{
    static const struct peal_endpoint_ops ops = {
        .kind = PEAL_ENDPOINT_SUBSCRIBER, .ready = fake_ready, .release = fake_release};
    return &ops;
}

/* NULL if the bus refuses. */
static inline struct fake_endpoint *fake_create(struct peal_bus *bus, peal_u32 *released)
{
    struct fake_endpoint *fake = calloc(1, sizeof(*fake));
    if (fake == NULL)
        return NULL;
    fake->released = released;
    if (peal_endpoint_register(&fake->endpoint, bus, fake_ops()) == PEAL_OK)
        return fake;
    free(fake);
    return NULL;
}

static inline struct peal_subscriber *fake_subscriber(struct fake_endpoint *fake)
{
    return (struct peal_subscriber *)(void *)&fake->endpoint;
}

static inline void fake_close(struct fake_endpoint *fake)
{
    peal_endpoint_close(&fake->endpoint);
}

/* As a publisher does it: work first, then the bell of whoever sleeps. `from`: any bus of the region. */
static inline void fake_publish(struct fake_endpoint *fake, struct peal_bus *from)
{
    (void)peal_u32_add_acq_rel(&fake->work, 1);
    uint64_t armed = peal_bell_armed(&from->region.header->sleepers.armed, from->fences);
    if (armed != 0)
        peal_bus_ring(from, armed);
}

/* One piece of work; false if there is none. */
static inline bool fake_take(struct fake_endpoint *fake)
{
    uint32_t work = peal_u32_load_acquire(&fake->work);
    while (work != 0) {
        if (peal_u32_cas_acq_rel(&fake->work, &work, work - 1))
            return true;
    }
    return false;
}

#endif
