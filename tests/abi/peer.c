/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/abi/peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t peer_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

enum peal_status peer_complain(struct abi_answer *answer, const char *format, ...)
{
    if (answer->text[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(answer->text, sizeof(answer->text), format, arguments);
        va_end(arguments);
    }
    return PEAL_ECORRUPT;
}

/* A request is shorter than what a pipe keeps together, so it comes in one piece or not at all. */
static bool hear(struct abi_request *request)
{
    ssize_t heard;
    do
        heard = read(STDIN_FILENO, request, sizeof(*request));
    while (heard < 0 && errno == EINTR);
    return heard == (ssize_t)sizeof(*request);
}

static bool say(const struct abi_answer *answer)
{
    ssize_t said;
    do
        said = write(STDOUT_FILENO, answer, sizeof(*answer));
    while (said < 0 && errno == EINTR);
    return said == (ssize_t)sizeof(*answer);
}

static int serve(const char *url)
{
    struct peer peer = {.url = url};
    struct abi_request request;
    while (hear(&request)) {
        struct abi_answer answer = {.status = PEAL_OK};
        if (!peer_do_bus(&peer, &request, &answer) && !peer_do_publish(&peer, &request, &answer) &&
            !peer_do_take(&peer, &request, &answer) && !peer_do_spsc(&request, &answer))
            answer.status = (uint64_t)peer_complain(&answer, "no such operation");
        if (answer.status != PEAL_OK)
            (void)peer_complain(&answer, "%s", peal_error_message());
        if (!say(&answer))
            return 1;
    }
    for (int i = 0; i < ABI_HANDLES; i++) {
        peal_publisher_close(peer.publishers[i]);
        peal_subscriber_close(peer.subscribers[i]);
    }
    peal_bus_close(peer.bus);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "layout") == 0)
        return peer_print_layout();
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    (void)fprintf(stderr, "usage: %s layout | serve URL\n", argv[0]);
    return 2;
}
