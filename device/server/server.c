/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/server.h"

#include "device/server/memory.h"
#include "device/server/peer.h"

#include <guest_shm_pci.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define ACCEPTS_AT_ONCE 16u

/* What an event is about, in its data: a peer's place, or these. */
#define EVENT_LISTENER (UINT64_C(1) << 32) /* + index of the listener */
#define EVENT_STOP (UINT64_C(2) << 32)

struct vdev_server {
    const struct vdev_config *config;
    struct vdev_memory memory;
    struct vdev_model *model;
    struct vdev_listener listeners[VDEV_CONFIG_GUESTS_MAX];
    uint32_t connected[VDEV_CONFIG_GUESTS_MAX]; /* peers of each listener */
    struct vdev_peer *peers[VDEV_GUESTS_MAX];
    struct vdev_log log;
    int epoll_fd;
    int spare_fd; /* given up to take, and hang up on, who comes when there are no descriptors left */
    uint64_t serial;
};

/* ---- what the model asks for ----------------------------------------------------------------- */

static bool region_begin(void *context, uint32_t slot, uint32_t pages, bool zeroed)
{
    const struct vdev_server *server = context;
    return !zeroed || vdev_memory_clear(&server->memory, slot, pages);
}

static void region_end(void *context, uint32_t slot, uint32_t pages)
{
    const struct vdev_server *server = context;
    if (server->config->memory == VDEV_MEMORY_ZEROED)
        (void)vdev_memory_clear(&server->memory, slot, pages);
}

static uint64_t place(void *context, struct vdev_guest *guest, uint32_t slot, uint32_t window)
{
    (void)context;
    struct vdev_function *function = vdev_guest_user(guest);
    const uint64_t address = vdev_function_place(function, slot, window);
    if (address == VDEV_NO_PLACE)
        vdev_log_say(&function->log, VDEV_LOG_INFO,
                     "can't attach: BAR %d has no address yet; its system must assign one first",
                     GUEST_SHM_BAR_WINDOWS);
    return address;
}

static void interrupt(void *context, struct vdev_guest *guest, uint32_t vector)
{
    (void)context;
    struct vdev_function *function = vdev_guest_user(guest);
    vdev_irqs_raise(&function->irqs, vector);
}

static void event(void *context, const struct vdev_event *event)
{
    (void)context;
    struct vdev_function *function = vdev_guest_user(event->guest);
    if (function)
        vdev_log_say(&function->log, VDEV_LOG_INFO, "%s", event->text);
}

static const struct vdev_ops ops = {.region_begin = region_begin,
                                    .region_end = region_end,
                                    .place = place,
                                    .interrupt = interrupt,
                                    .event = event};

/* ---- beginning and end ----------------------------------------------------------------------- */

static bool watch(const struct vdev_server *server, int fd, uint32_t events, uint64_t what,
                  bool again)
{
    struct epoll_event wanted = {.events = events, .data.u64 = what};
    return epoll_ctl(server->epoll_fd, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &wanted) == 0;
}

static bool open_model(struct vdev_server *server)
{
    const struct vdev_config *config = server->config;
    const struct vdev_settings settings = {
        .vector = config->vector,
        .memory = config->memory,
        .without_find = config->without_find,
        .regions_max = config->windows,
        .region_pages_max = (uint32_t)((config->window_bytes - VDEV_DATA_OFFSET) / VDEV_PAGE_BYTES),
        .pages_max = config->limit_bytes / VDEV_PAGE_BYTES};
    server->model = vdev_model_new(&settings, &ops, server);
    return server->model != NULL;
}

/* The regions of `create` are there before the first guest comes, and what can't be created is known at once. */
static bool create_regions(struct vdev_server *server, const struct vdev_config_guest *configured,
                           char *error, size_t error_bytes)
{
    struct vdev_guest *guest = vdev_guest_new(server->model, &configured->rules, NULL);
    if (!guest) {
        (void)snprintf(error, error_bytes,
                       "%s: the regions of its 'create' do not fit; use fewer or smaller ones, "
                       "shorter names, or other windows or limit",
                       configured->path);
        return false;
    }
    vdev_guest_end(guest);
    return true;
}

static bool open_listeners(struct vdev_server *server, char *error, size_t error_bytes)
{
    const struct vdev_config *config = server->config;
    for (uint32_t i = 0; i < config->guest_count; i++) {
        const struct vdev_config_guest *guest = &config->guests[i];
        if (!create_regions(server, guest, error, error_bytes) ||
            !vdev_listener_open(&server->listeners[i], guest->path, config->mode, error,
                                error_bytes))
            return false;
        if (!watch(server, server->listeners[i].fd, EPOLLIN, EVENT_LISTENER | i, false)) {
            (void)snprintf(error, error_bytes, "%s: cannot watch it: %s", guest->path,
                           strerror(errno));
            return false;
        }
    }
    return true;
}

static bool open_all(struct vdev_server *server, char *error, size_t error_bytes)
{
    const struct vdev_config *config = server->config;
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->spare_fd = eventfd(0, EFD_CLOEXEC);
    if (server->epoll_fd < 0 || server->spare_fd < 0 || !open_model(server)) {
        (void)snprintf(error, error_bytes, "cannot begin: %s", strerror(errno));
        return false;
    }
    return vdev_memory_open(&server->memory, config->window_bytes, config->windows, error,
                            error_bytes) &&
           open_listeners(server, error, error_bytes);
}

struct vdev_server *vdev_server_new(const struct vdev_config *config, char *error,
                                    size_t error_bytes)
{
    struct vdev_server *server = calloc(1, sizeof(*server));
    if (!server) {
        (void)snprintf(error, error_bytes, "cannot begin: %s", strerror(ENOMEM));
        return NULL;
    }
    server->config = config;
    server->epoll_fd = server->spare_fd = server->memory.fd = -1;
    for (uint32_t i = 0; i < VDEV_CONFIG_GUESTS_MAX; i++)
        server->listeners[i].fd = -1;
    vdev_log_init(&server->log, config->log, "server");
    if (open_all(server, error, error_bytes))
        return server;
    vdev_server_free(server);
    return NULL;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void drop(struct vdev_server *server, uint32_t index, const char *why)
{
    struct vdev_peer *peer = server->peers[index];
    server->connected[peer->listener]--;
    server->peers[index] = NULL;
    vdev_peer_free(peer, why);
}

void vdev_server_free(struct vdev_server *server)
{
    for (uint32_t i = 0; i < VDEV_GUESTS_MAX; i++) {
        if (server->peers[i])
            drop(server, i, "the server ends");
    }
    for (uint32_t i = 0; i < VDEV_CONFIG_GUESTS_MAX; i++)
        vdev_listener_close(&server->listeners[i]);
    vdev_model_free(server->model);
    vdev_memory_close(&server->memory);
    close_fd(server->spare_fd);
    close_fd(server->epoll_fd);
    free(server);
}

/* ---- clients --------------------------------------------------------------------------------- */

/* The place of a new peer, or a reason why there is none. */
static const char *find_room(const struct vdev_server *server, uint32_t listener, uint32_t *index)
{
    if (server->connected[listener] >= server->config->connections)
        return "has as many connections as it may; one more is hung up on";
    for (*index = 0; *index < VDEV_GUESTS_MAX; (*index)++) {
        if (!server->peers[*index])
            return NULL;
    }
    return "is hung up on: the server has as many connections as it may";
}

static void welcome(struct vdev_server *server, uint32_t listener, int fd)
{
    const struct vdev_config_guest *configured = &server->config->guests[listener];
    uint32_t index;
    const char *problem = find_room(server, listener, &index);
    if (problem) {
        vdev_log_say(&server->log, VDEV_LOG_INFO, "%s %s", configured->path, problem);
        (void)close(fd);
        return;
    }
    struct vdev_peer *peer = vdev_peer_new(server->model, &server->memory, server->config, listener,
                                           fd, ++server->serial);
    if (!peer) {
        vdev_log_say(&server->log, VDEV_LOG_INFO, "%s is hung up on: no memory for it",
                     configured->path);
        return;
    }
    server->peers[index] = peer;
    server->connected[listener]++;
    if (!watch(server, fd, EPOLLIN, index, false))
        drop(server, index, "it can't be watched");
}

/* There are no descriptors left: the spare one serves to hang up, lest who waits keeps us awake for ever. */
static void turn_away(struct vdev_server *server, uint32_t listener)
{
    close_fd(server->spare_fd);
    close_fd(vdev_listener_accept(&server->listeners[listener]));
    server->spare_fd = eventfd(0, EFD_CLOEXEC);
    vdev_log_say(&server->log, VDEV_LOG_INFO,
                 "%s is hung up on: no descriptor for it; raise the limit (ulimit -n)",
                 server->config->guests[listener].path);
}

static void accept_some(struct vdev_server *server, uint32_t listener)
{
    for (uint32_t i = 0; i < ACCEPTS_AT_ONCE; i++) {
        const int fd = vdev_listener_accept(&server->listeners[listener]);
        if (fd >= 0)
            welcome(server, listener, fd);
        else if (errno == EMFILE || errno == ENFILE)
            turn_away(server, listener);
        else
            return;
    }
}

static void serve(struct vdev_server *server, uint32_t index, uint32_t events)
{
    const char *why = "it is gone";
    struct vdev_peer *peer = server->peers[index];
    const bool waited = vdev_peer_waits(peer);
    if (!vdev_peer_serve(peer, events, &why)) {
        drop(server, index, why);
        return;
    }
    const bool waits = vdev_peer_waits(peer);
    if (waits != waited &&
        !watch(server, vdev_peer_fd(peer), waits ? EPOLLOUT : EPOLLIN, index, true))
        drop(server, index, "it can't be watched");
}

/* A peer's place may be empty or have a new owner since the event was taken, who then finds nothing to do. */
static bool handle(struct vdev_server *server, const struct epoll_event *event)
{
    const uint64_t what = event->data.u64;
    if (what == EVENT_STOP)
        return false;
    if ((what & EVENT_LISTENER) != 0)
        accept_some(server, (uint32_t)(what & UINT32_MAX));
    else if (server->peers[what])
        serve(server, (uint32_t)what, event->events);
    return true;
}

bool vdev_server_run(struct vdev_server *server, int stop_fd)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    if (!watch(server, stop_fd, EPOLLIN, EVENT_STOP, false))
        return false;
    for (bool running = true; running;) {
        const int count = epoll_wait(server->epoll_fd, events, EVENTS_AT_ONCE, -1);
        if (count < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < count && running; i++)
            running = handle(server, &events[i]);
    }
    return true;
}
