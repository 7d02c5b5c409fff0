/* SPDX-License-Identifier: Apache-2.0 */
#include "common/stop.h"

void stop_init(struct stop *stop)
{
    stop->requested = false;
    sigemptyset(&stop->signals);
    sigaddset(&stop->signals, SIGINT);
    sigaddset(&stop->signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop->signals, NULL);
}

bool stop_requested(struct stop *stop)
{
    return stop_sleep_until(stop, 0);
}

bool stop_sleep_until(struct stop *stop, uint64_t deadline_ns)
{
    while (!stop->requested) {
        uint64_t now_ns = clock_now_ns();
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        if (left_ns > NS_PER_S)
            left_ns = NS_PER_S; /* and again; keeps the time in bounds of any time_t */
        struct timespec left = {.tv_nsec = (long)(left_ns % NS_PER_S),
                                .tv_sec = (time_t)(left_ns / NS_PER_S)};
        if (sigtimedwait(&stop->signals, NULL, &left) > 0)
            stop->requested = true;
        else if (clock_now_ns() >= deadline_ns)
            break;
    }
    return stop->requested;
}
