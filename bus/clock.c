/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus_internal.h"
#include "transport/base/os.h"

#include <time.h>

uint64_t peal_clock_ns(void)
{
    return peal_os_now_ns();
}

uint64_t peal_clock_realtime_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t peal_deadline_ns(uint64_t now_ns, uint64_t timeout_ns)
{
    return timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
}

void peal_clock_pause(uint64_t duration_ns)
{
    struct timespec duration = {
        .tv_sec = (time_t)(duration_ns / UINT64_C(1000000000)),
        .tv_nsec = (long)(duration_ns % UINT64_C(1000000000)),
    };
    (void)nanosleep(&duration, NULL);
}

uint64_t peal_random_incarnation(void)
{
    uint64_t value = peal_os_random();
    /* One time in four thousand million the low half is 0, which owner words take for "nobody". */
    if ((uint32_t)value == 0)
        value |= 1;
    return value;
}
