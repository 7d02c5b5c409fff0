/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/sleeper.h"

#include "bus/descriptor.h"
#include "core/bell.h"
#include "core/cpu.h"

/* Polls between two looks at the clock. */
#define POLLS_PER_CLOCK 16u

/* How long to sleep where bells cannot be relied upon. */
#define DEGRADED_SLICE_NS UINT64_C(1000000)

/* Half of what ringers allow at once, see bus/bells.c. */
#define ARM_BURST 128u
#define PACE_MAX_NS UINT64_C(1000000)

/* What a ringer who has nothing to say may cost us: so many wakes, and then this long without. */
#define SPURIOUS_BURST 128u
#define SPURIOUS_PAUSE_NS UINT64_C(1000000)

static uint64_t min_ns(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

void peal_sleepers_enter(struct peal_bus *bus)
{
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    bus->sleepers++;
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
}

void peal_sleepers_leave(struct peal_bus *bus)
{
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    if (--bus->sleepers == 0)
        peal_bell_disarm(&bus->region.header->sleepers.armed, bus->region.index);
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
}

static uint64_t arms_hz(const struct peal_bus *bus)
{
    const uint64_t rate_hz = bus->bell_rate_hz - bus->bell_rate_hz / 4;
    return rate_hz != 0 ? rate_hz : 1;
}

bool peal_sleepers_may_arm(struct peal_bus *bus, uint64_t now_ns)
{
    return peal_bucket_take(&bus->arms, now_ns, arms_hz(bus), ARM_BURST);
}

uint64_t peal_sleepers_pace_ns(const struct peal_bus *bus)
{
    return min_ns(UINT64_C(1000000000) / arms_hz(bus), PACE_MAX_NS);
}

bool peal_sleepers_arm(struct peal_bus *bus)
{
    struct peal_transport *transport = bus->transport;
    peal_bell_arm(&bus->region.header->sleepers.armed, bus->region.index);
    if ((transport->capabilities & PEAL_TRANSPORT_BARRIER) != 0)
        return transport->ops->barrier(transport) == PEAL_OK;
    return (transport->capabilities & PEAL_TRANSPORT_ONE_KERNEL) == 0;
}

/* Is there an answer already? */
static bool decide(struct peal_bus *bus, const struct peal_sleeper_condition *condition,
                   enum peal_status *status)
{
    if (peal_bus_is_closed(bus))
        *status = PEAL_CLOSED;
    else if (condition->interrupted != NULL && condition->interrupted(condition->context))
        *status = PEAL_AGAIN;
    else if (condition->ready(condition->context))
        *status = PEAL_OK;
    else
        return false;
    return true;
}

static bool spin(struct peal_bus *bus, const struct peal_sleeper_condition *condition,
                 uint64_t until_ns, enum peal_status *status)
{
    do {
        for (uint32_t poll = 0; poll < POLLS_PER_CLOCK; poll++) {
            peal_cpu_relax();
            if (decide(bus, condition, status))
                return true;
        }
    } while (peal_clock_ns() < until_ns);
    return false;
}

static uint64_t remaining_ns(uint64_t deadline_ns)
{
    const uint64_t now_ns = peal_clock_ns();
    return now_ns < deadline_ns ? deadline_ns - now_ns : 0;
}

/* After a wake that brought nothing: a hostile ringer must not keep us running. */
static void endure(struct peal_bus *bus, uint64_t deadline_ns)
{
    peal_bus_count(&bus->counters.spurious_wakes, 1);
    const uint64_t rate_hz = bus->bell_rate_hz / 10 != 0 ? bus->bell_rate_hz / 10 : 1;
    if (!peal_bucket_take(&bus->spurious, peal_clock_ns(), rate_hz, SPURIOUS_BURST))
        peal_clock_pause(min_ns(SPURIOUS_PAUSE_NS, remaining_ns(deadline_ns)));
}

static enum peal_status wait_for_bell(struct peal_bus *bus, uint32_t epoch, uint64_t timeout_ns)
{
    struct peal_transport *transport = bus->transport;
    uint64_t sources = 0;
    enum peal_status woken = transport->ops->wait(transport, epoch, timeout_ns, &sources);
    if (sources != 0)
        peal_descriptor_pass_on(bus);
    return woken;
}

/* One sleep; true when there is an answer. */
static bool sleep_once(struct peal_bus *bus, const struct peal_sleeper_condition *condition,
                       uint64_t deadline_ns, enum peal_status *status)
{
    struct peal_transport *transport = bus->transport;
    const uint32_t epoch = transport->ops->epoch(transport);
    if (!peal_sleepers_may_arm(bus, peal_clock_ns())) {
        peal_clock_pause(min_ns(peal_sleepers_pace_ns(bus), remaining_ns(deadline_ns)));
        if (decide(bus, condition, status))
            return true;
        *status = PEAL_TIMEDOUT;
        return remaining_ns(deadline_ns) == 0;
    }
    if (condition->announce != NULL)
        condition->announce(condition->context, true);
    const bool will_be_rung = peal_sleepers_arm(bus);
    if (decide(bus, condition, status))
        return true;
    const uint64_t left_ns = remaining_ns(deadline_ns);
    if (left_ns == 0) {
        *status = PEAL_TIMEDOUT;
        return true;
    }
    peal_bus_count(&bus->counters.sleeps, 1);
    enum peal_status woken = wait_for_bell(
        bus, epoch, min_ns(left_ns, will_be_rung ? bus->safety_net_ns : DEGRADED_SLICE_NS));
    const bool decided = decide(bus, condition, status);
    if (woken == PEAL_ESYSTEM) { /* nobody will ring any more, and the next wait would not sleep */
        if (!decided)
            *status = PEAL_ESYSTEM;
        return true;
    }
    /* Rung in the very moment in which the sleep ran out? Then nothing was missed. */
    if (woken == PEAL_TIMEDOUT && transport->ops->epoch(transport) != epoch)
        woken = PEAL_OK;
    if (woken == PEAL_OK) {
        peal_bus_count(&bus->counters.wakes, 1);
        if (!decided)
            endure(bus, deadline_ns);
    } else if (decided && *status == PEAL_OK) {
        peal_bus_count(&bus->counters.safety_net_finds, 1);
    }
    return decided;
}

static enum peal_status sleep_until(struct peal_bus *bus,
                                    const struct peal_sleeper_condition *condition,
                                    uint64_t deadline_ns)
{
    enum peal_status status = PEAL_TIMEDOUT;
    bool decided = false;
    peal_bus_hold(bus);
    peal_sleepers_enter(bus);
    while (!decided) {
        peal_bus_show_counters(bus, peal_clock_ns());
        /* Half, so that a sleep of one interval is never just too short for the next look. */
        (void)peal_bus_look_for_dead(bus, bus->safety_net_ns / 2);
        decided = sleep_once(bus, condition, deadline_ns, &status);
    }
    peal_sleepers_leave(bus);
    if (condition->announce != NULL)
        condition->announce(condition->context, false);
    peal_bus_drop(bus);
    return status;
}

enum peal_status peal_bus_sleep(struct peal_bus *bus,
                                const struct peal_sleeper_condition *condition, uint64_t timeout_ns)
{
    enum peal_status status;
    if (decide(bus, condition, &status))
        return status;
    if (timeout_ns == 0)
        return PEAL_TIMEDOUT;
    const uint64_t now_ns = peal_clock_ns();
    const uint64_t deadline_ns = peal_deadline_ns(now_ns, timeout_ns);
    const uint64_t spin_until_ns = min_ns(deadline_ns, peal_deadline_ns(now_ns, bus->spin_ns));
    if (spin(bus, condition, spin_until_ns, &status))
        return status;
    if (spin_until_ns == deadline_ns)
        return PEAL_TIMEDOUT;
    return sleep_until(bus, condition, deadline_ns);
}
