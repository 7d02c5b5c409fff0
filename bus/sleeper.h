/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our bit of the armed word, shared by the threads of this process that sleep and by the descriptor.
 *
 * Whoever rings takes the bit away, so each sleeper sets it again before each sleep; only the last
 * one to leave clears it.
 */
#ifndef PEAL_BUS_SLEEPER_H
#define PEAL_BUS_SLEEPER_H

#include "bus/bus_internal.h"

void peal_sleepers_enter(struct peal_bus *bus);
void peal_sleepers_leave(struct peal_bus *bus);

/*
 * May we ask for a bell now? Ringers hold bells back beyond bell_rate_hz, and who waits for one that
 * was held back waits for his safety net. So nobody asks more often than at three quarters of that
 * rate; who may not ask yet looks again peal_sleepers_pace_ns() later.
 */
bool peal_sleepers_may_arm(struct peal_bus *bus, uint64_t now_ns);
uint64_t peal_sleepers_pace_ns(const struct peal_bus *bus);

/*
 * Arms our bit and makes the fences meet: the caller looks at the rings after it, and what it does
 * not find will be rung for. False if that cannot be promised: others may publish without a fence
 * and this process has no membarrier to make up for it.
 */
bool peal_sleepers_arm(struct peal_bus *bus);

#endif
