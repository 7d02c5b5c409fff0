/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/realtime.h"

#include "bench/clock.h"
#include "bench/contest/crew.h"

#include <sched.h>

bool bench_realtime_begin(void)
{
    const struct sched_param parameters = {.sched_priority = 1};

    return sched_setscheduler(0, SCHED_RR, &parameters) == 0;
}

void bench_realtime_end(void)
{
    const struct sched_param parameters = {.sched_priority = 0};

    (void)sched_setscheduler(0, SCHED_OTHER, &parameters);
}

void bench_realtime_make_up(uint64_t since_ns)
{
    uint64_t now_ns = bench_clock_ns();

    bench_sleep_until(now_ns + (now_ns - since_ns));
}
