/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Then it is the others' turn. */
#define REQUESTS_AT_ONCE 16

static void init_function(struct vdev_function *function, const struct vdev_memory *memory,
                          const struct vdev_config *config, const char *path, uint64_t serial)
{
    const uint32_t vectors = config->vector == VDEV_VECTOR_PER_REGION ? config->windows : 1;
    char label[VDEV_LOG_LABEL_BYTES];
    const char *name = strrchr(path, '/');
    (void)snprintf(label, sizeof(label), "%.40s#%" PRIu64, name ? name + 1 : path, serial);
    vdev_log_init(&function->log, config->log, label);
    vdev_config_space_init(&function->config, config->window_bytes, config->windows, vectors,
                           config->intx);
    vdev_irqs_init(&function->irqs, vectors, config->intx);
    function->memory = memory;
}

struct vdev_peer *vdev_peer_new(struct vdev_model *model, const struct vdev_memory *memory,
                                const struct vdev_config *config, uint32_t listener, int fd,
                                uint64_t serial)
{
    const struct vdev_config_guest *configured = &config->guests[listener];
    struct vdev_peer *peer = calloc(1, sizeof(*peer));
    if (!peer) {
        (void)close(fd);
        return NULL;
    }
    struct vdev_function *function = &peer->conversation.function;
    init_function(function, memory, config, configured->path, serial);
    peer->listener = listener;
    function->guest = vdev_guest_new(model, &configured->rules, function);
    if (!function->guest) {
        (void)close(fd);
        free(peer);
        return NULL;
    }
    vdev_channel_init(&peer->conversation.channel, fd);
    vdev_log_say(&function->log, VDEV_LOG_INFO, "connected");
    return peer;
}

void vdev_peer_free(struct vdev_peer *peer, const char *why)
{
    struct vdev_function *function = &peer->conversation.function;
    vdev_log_say(&function->log, VDEV_LOG_INFO, "gone: %s", why);
    vdev_guest_end(function->guest);
    vdev_irqs_end(&function->irqs);
    vdev_channel_end(&peer->conversation.channel);
    free(peer);
}

int vdev_peer_fd(const struct vdev_peer *peer)
{
    return peer->conversation.channel.fd;
}

bool vdev_peer_waits(const struct vdev_peer *peer)
{
    return vdev_channel_waits(&peer->conversation.channel);
}

bool vdev_peer_serve(struct vdev_peer *peer, uint32_t events, const char **why)
{
    struct vdev_conversation *conversation = &peer->conversation;
    struct vdev_channel *channel = &conversation->channel;
    *why = "it hung up";
    if (vdev_channel_waits(channel) && (events & (EPOLLHUP | EPOLLERR)) != 0)
        return false; /* nobody reads what waits */
    if (!vdev_channel_flush(channel))
        return false;
    for (int i = 0; i < REQUESTS_AT_ONCE && !vdev_channel_waits(channel); i++) {
        struct vdev_message message;
        const enum vdev_channel_result result = vdev_channel_receive(channel, &message, why);
        if (result == VDEV_CHANNEL_LATER)
            return true;
        if (result != VDEV_CHANNEL_MESSAGE || !vdev_requests_answer(conversation, &message, why))
            return false;
    }
    return true;
}
