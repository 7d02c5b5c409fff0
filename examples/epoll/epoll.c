/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll: a bus in an ordinary event loop, beside stdin, a timer and signals.
 *
 * Each line typed is published; what anybody on the bus says is printed. Start it in two terminals:
 *
 *      epoll --name alice
 *      epoll --name bob
 *
 * The part to copy is loop_run(): arm, epoll_wait, disarm, take until there is nothing more. Between
 * arm and disarm publishers ring us; outside they need not, and no system call is made for us.
 */
#include "common/args.h"
#include "common/report.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <peal/peal.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TOPIC "chat"
#define TYPE_NAME "chat_line" /* "NAME: TEXT", without an end */
#define LINE_BYTES 256

struct chat_options {
    const char *bus_url;
    const char *name;
    uint64_t count; /* stop after so many lines; 0: at the end of stdin */
    double duration_s;
    bool ticks;
};

struct chat {
    const struct chat_options *options;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    int epoll_fd;
    int timer_fd;          /* ticks once a second */
    int signal_fd;         /* Ctrl-C, as an event like the others */
    char line[LINE_BYTES]; /* what has been typed of the next line */
    size_t line_bytes;
    uint64_t received;
    uint64_t seconds;
    bool done;
};

static int watch(const struct chat *chat, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(chat->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int chat_join(struct chat *chat)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    bus_options.client_name = chat->options->name;
    if (peal_bus_open(&chat->bus, chat->options->bus_url, &bus_options) != PEAL_OK)
        return report_setup("cannot open the bus");

    struct peal_subscriber_options subscriber_options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    subscriber_options.type_name = TYPE_NAME;
    if (peal_subscriber_create(chat->bus, TOPIC, &subscriber_options, &chat->subscriber) != PEAL_OK)
        return report_setup("cannot subscribe");

    struct peal_publisher_options publisher_options = PEAL_PUBLISHER_OPTIONS_INIT;
    publisher_options.message_bytes_max = LINE_BYTES;
    publisher_options.type_name = TYPE_NAME;
    publisher_options.name = chat->options->name;
    publisher_options.full_policy = PEAL_FULL_REFUSE; /* an event loop must not block */
    if (peal_publisher_create(chat->bus, TOPIC, &publisher_options, &chat->publisher) != PEAL_OK)
        return report_setup("cannot publish");
    return EXIT_OK;
}

static int chat_watch(struct chat *chat)
{
    int bus_fd;
    if (peal_bus_fd(chat->bus, &bus_fd) != PEAL_OK)
        return report_setup("the bus has no descriptor");

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    chat->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (chat->signal_fd < 0)
        return report_errno("signalfd");

    const struct itimerspec each_second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
    chat->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (chat->timer_fd < 0 || timerfd_settime(chat->timer_fd, 0, &each_second, NULL) != 0)
        return report_errno("timerfd");

    chat->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (chat->epoll_fd < 0)
        return report_errno("epoll");
    if (watch(chat, bus_fd) != 0 || watch(chat, chat->timer_fd) != 0 ||
        watch(chat, chat->signal_fd) != 0)
        return report_errno("epoll_ctl");
    /* A regular file or /dev/null cannot be polled; then we only listen. */
    if (watch(chat, STDIN_FILENO) != 0 && errno != EPERM)
        return report_errno("epoll_ctl on stdin");
    return EXIT_OK;
}

static void chat_leave(struct chat *chat)
{
    peal_publisher_close(chat->publisher);
    peal_subscriber_close(chat->subscriber);
    peal_bus_close(chat->bus); /* closes its descriptor too */
    if (chat->epoll_fd >= 0)
        close(chat->epoll_fd);
    if (chat->timer_fd >= 0)
        close(chat->timer_fd);
    if (chat->signal_fd >= 0)
        close(chat->signal_fd);
}

/* Takes all that is there. A peer's text may hold anything, so only what is printable is printed. */
static int on_bus(struct chat *chat)
{
    for (;;) {
        char text[LINE_BYTES];
        struct peal_message message;
        enum peal_status status =
            peal_subscriber_take_copy(chat->subscriber, text, sizeof text, &message);
        if (status == PEAL_EMPTY)
            return EXIT_OK;
        if (status == PEAL_ECORRUPT)
            continue; /* one publisher was given up; others talk on */
        if (status != PEAL_OK)
            return report_status("taking", status);
        for (size_t i = 0; i < message.size_bytes; i++)
            putchar(isprint((unsigned char)text[i]) ? text[i] : '?');
        putchar('\n');
        fflush(stdout);
        if (++chat->received == chat->options->count) {
            chat->done = true;
            return EXIT_OK;
        }
    }
}

static int line_publish(struct chat *chat)
{
    char text[LINE_BYTES + 64];
    int length = snprintf(text, LINE_BYTES, "%s: %.*s", chat->options->name, (int)chat->line_bytes,
                          chat->line);
    size_t size_bytes = length < LINE_BYTES ? (size_t)length : LINE_BYTES - 1;
    enum peal_status status = peal_publisher_publish(chat->publisher, text, size_bytes);
    if (status == PEAL_FULL) /* somebody does not read; one line is not worth blocking for */
        fprintf(stderr, "epoll: not sent, a reader is too slow: %s\n", text);
    else if (status != PEAL_OK)
        return report_status("publishing", status);
    return EXIT_OK;
}

static int on_stdin(struct chat *chat)
{
    char input[512];
    ssize_t count = read(STDIN_FILENO, input, sizeof input);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? EXIT_OK : report_errno("stdin");
    if (count == 0) {
        epoll_ctl(chat->epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        if (chat->options->count == 0 && chat->options->duration_s == 0)
            chat->done = true;
        return EXIT_OK;
    }
    for (ssize_t i = 0; i < count; i++) {
        if (input[i] != '\n') {
            if (chat->line_bytes < sizeof chat->line)
                chat->line[chat->line_bytes++] = input[i];
            continue;
        }
        int code = line_publish(chat);
        chat->line_bytes = 0;
        if (code != EXIT_OK)
            return code;
    }
    return EXIT_OK;
}

static int on_timer(struct chat *chat)
{
    uint64_t ticks;
    if (read(chat->timer_fd, &ticks, sizeof ticks) != sizeof ticks)
        return EXIT_OK;
    chat->seconds += ticks;
    if (chat->options->ticks) {
        printf("(%" PRIu64 " s, %" PRIu64 " lines)\n", chat->seconds, chat->received);
        fflush(stdout);
    }
    if (chat->options->duration_s > 0 && (double)chat->seconds >= chat->options->duration_s)
        chat->done = true;
    return EXIT_OK;
}

static int on_event(struct chat *chat, int fd)
{
    if (fd == STDIN_FILENO)
        return on_stdin(chat);
    if (fd == chat->timer_fd)
        return on_timer(chat);
    if (fd == chat->signal_fd)
        chat->done = true;
    return EXIT_OK; /* the bus's: on_bus() is called in any case */
}

static int loop_run(struct chat *chat)
{
    int code = EXIT_OK;
    while (!chat->done && code == EXIT_OK) {
        struct epoll_event events[8];
        if (peal_bus_arm(chat->bus) != PEAL_OK)
            return report_setup("cannot arm the bus");
        int count = epoll_wait(chat->epoll_fd, events, 8, -1);
        if (peal_bus_disarm(chat->bus) != PEAL_OK)
            return report_setup("cannot disarm the bus");
        if (count < 0 && errno != EINTR)
            return report_errno("epoll_wait");

        code = on_bus(chat);
        for (int i = 0; i < count && code == EXIT_OK; i++)
            code = on_event(chat, events[i].data.fd);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct chat_options options = {.bus_url = ARGS_DEFAULT_BUS, .name = "somebody"};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " ARGS_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "name", .value = "NAME", .help = "who you are", .to_text = &options.name},
        {.name = "ticks", .help = "show the timer's seconds", .to_flag = &options.ticks},
        {.name = "count",
         .value = "N",
         .help = "stop after N lines from the bus",
         .to_integer = &options.count},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &options.duration_s,
         .at_least = 0,
         .at_most = 1e6},
    };
    int code = args_parse("epoll", "Publishes the lines typed, and prints what others say.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct chat chat = {.options = &options, .epoll_fd = -1, .timer_fd = -1, .signal_fd = -1};
    code = chat_join(&chat);
    if (code == EXIT_OK)
        code = chat_watch(&chat);
    if (code == EXIT_OK) {
        printf("on %s as %s; Ctrl-C stops\n", options.bus_url, options.name);
        fflush(stdout);
        code = loop_run(&chat);
    }
    if (code == EXIT_OK && chat.received < options.count) {
        fprintf(stderr, "epoll: only %" PRIu64 " lines came\n", chat.received);
        code = EXIT_FAILED;
    }
    chat_leave(&chat);
    return code;
}
