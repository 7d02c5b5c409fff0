/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int event_fd = -1;
static volatile sig_atomic_t requested;

void stop_request(void)
{
    const uint64_t one = 1;
    const int error = errno;
    requested = 1;
    if (event_fd >= 0 && write(event_fd, &one, sizeof(one)) < 0) {
        /* The counter is full: it is readable already. */
    }
    errno = error;
}

static void on_signal(int number)
{
    (void)number;
    stop_request();
}

bool stop_init(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd < 0)
        return false;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction before;
        /* nohup, and shells without job control, have them ignored on purpose. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN &&
            signals[i] != SIGTERM)
            continue;
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    }
    return true;
}

bool stop_requested(void)
{
    return requested != 0;
}

int stop_fd(void)
{
    return event_fd;
}

bool stop_wait_until(uint64_t deadline_ns)
{
    struct pollfd wait = {.fd = event_fd, .events = POLLIN};
    while (!stop_requested()) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= deadline_ns)
            return true;
        const uint64_t left_ns = deadline_ns - now_ns;
        const struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                                      .tv_nsec = (long)(left_ns % NS_PER_S)};
        (void)ppoll(&wait, 1, &left, NULL);
    }
    return false;
}

uint64_t clock_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
