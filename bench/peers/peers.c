/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/peers.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *bench_peer_new(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL)
        bench_contender_die("there is no memory for %zu bytes", bytes);
    return memory;
}

void bench_peer_complain(const char *what, int error)
{
    (void)fprintf(stderr, "peal-bench: %s%s%s\n", what, error != 0 ? ": " : "",
                  error != 0 ? strerror(error) : "");
}

void bench_peer_poll(int fd, uint64_t timeout_ns)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                               .tv_nsec = (long)(timeout_ns % 1000000000u)};

    (void)ppoll(&look, 1, &timeout, NULL);
}
