/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/requests.h"

#include "device/server/describe.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

static const char gone[] = "it is gone";

/* An answer of one piece. */
static bool reply(struct vdev_conversation *conversation, const struct vdev_message *message,
                  const void *bytes, size_t count)
{
    const struct vdev_reply answer = {.head = bytes, .head_bytes = count, .fd = -1};
    return vdev_channel_reply(&conversation->channel, &message->header, &answer);
}

static bool refuse(struct vdev_conversation *conversation, const struct vdev_message *message,
                   int error)
{
    vdev_log_say(&conversation->function.log, VDEV_LOG_DEBUG, "command %u is refused: %s",
                 message->header.command, strerror(error));
    return vdev_channel_refuse(&conversation->channel, &message->header, error);
}

static bool acknowledge(struct vdev_conversation *conversation, const struct vdev_message *message,
                        int error)
{
    return error != 0 ? refuse(conversation, message, error)
                      : reply(conversation, message, NULL, 0);
}

/* The client's capabilities are text that we need nothing of: limits of ours are told, none of its matter. */
static bool answer_version(struct vdev_conversation *conversation,
                           const struct vdev_message *message)
{
    struct {
        struct vfio_user_version version;
        char capabilities[96];
    } answer = {.version = {VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR}};
    struct vfio_user_version wanted;
    if (message->payload_bytes < sizeof(wanted) || conversation->greeted)
        return refuse(conversation, message, EINVAL);
    memcpy(&wanted, message->payload, sizeof(wanted));
    if (wanted.major != VFIO_USER_VERSION_MAJOR)
        return refuse(conversation, message, EOPNOTSUPP);
    conversation->greeted = true;
    const int text_bytes =
        snprintf(answer.capabilities, sizeof(answer.capabilities),
                 "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%u}}",
                 VDEV_MESSAGE_FDS_MAX, VDEV_MESSAGE_DATA_MAX);
    return reply(conversation, message, &answer, sizeof(answer.version) + (size_t)text_bytes + 1);
}

/* The device never reads the guest's memory, so there is nothing to remember. */
static bool answer_dma_map(struct vdev_conversation *conversation,
                           const struct vdev_message *message)
{
    return acknowledge(conversation, message,
                       message->payload_bytes < sizeof(struct vfio_user_dma_map) ? EINVAL : 0);
}

static bool answer_dma_unmap(struct vdev_conversation *conversation,
                             const struct vdev_message *message)
{
    struct vfio_user_dma_unmap unmap;
    if (message->payload_bytes < sizeof(unmap))
        return refuse(conversation, message, EINVAL);
    memcpy(&unmap, message->payload, sizeof(unmap));
    return reply(conversation, message, &unmap, sizeof(unmap));
}

static bool answer_set_irqs(struct vdev_conversation *conversation,
                            const struct vdev_message *message)
{
    struct vdev_function *function = &conversation->function;
    vdev_irqs_set_line(&function->irqs, vdev_guest_line(function->guest));
    const int error = vdev_irqs_set(&function->irqs, message->payload, message->payload_bytes,
                                    message->fds, message->fd_count);
    return acknowledge(conversation, message, error);
}

static bool answer_read(struct vdev_conversation *conversation, const struct vdev_message *message)
{
    unsigned char bytes[VDEV_MESSAGE_DATA_MAX];
    struct vfio_user_region_access access;
    if (message->payload_bytes != sizeof(access))
        return refuse(conversation, message, EINVAL);
    memcpy(&access, message->payload, sizeof(access));
    if (access.count > sizeof(bytes))
        return refuse(conversation, message, E2BIG);
    const int error = vdev_function_read(&conversation->function, access.region, access.offset,
                                         bytes, access.count);
    if (error != 0)
        return refuse(conversation, message, error);
    const struct vdev_reply answer = {.head = &access,
                                      .head_bytes = sizeof(access),
                                      .data = bytes,
                                      .data_bytes = access.count,
                                      .fd = -1};
    return vdev_channel_reply(&conversation->channel, &message->header, &answer);
}

static bool answer_write(struct vdev_conversation *conversation, const struct vdev_message *message)
{
    struct vfio_user_region_access access;
    if (message->payload_bytes < sizeof(access))
        return refuse(conversation, message, EINVAL);
    memcpy(&access, message->payload, sizeof(access));
    if (access.count != message->payload_bytes - sizeof(access))
        return refuse(conversation, message, EINVAL);
    const int error = vdev_function_write(&conversation->function, access.region, access.offset,
                                          message->payload + sizeof(access), access.count);
    return error != 0 ? refuse(conversation, message, error)
                      : reply(conversation, message, &access, sizeof(access));
}

static bool dispatch(struct vdev_conversation *conversation, struct vdev_message *message)
{
    switch (message->header.command) {
    case VFIO_USER_VERSION:
        return answer_version(conversation, message);
    case VFIO_USER_DMA_MAP:
        return answer_dma_map(conversation, message);
    case VFIO_USER_DMA_UNMAP:
        return answer_dma_unmap(conversation, message);
    case VFIO_USER_DEVICE_GET_INFO:
        return vdev_describe_device(conversation, message);
    case VFIO_USER_DEVICE_GET_REGION_INFO:
        return vdev_describe_region(conversation, message);
    case VFIO_USER_DEVICE_GET_IRQ_INFO:
        return vdev_describe_irq(conversation, message);
    case VFIO_USER_DEVICE_SET_IRQS:
        return answer_set_irqs(conversation, message);
    case VFIO_USER_REGION_READ:
        return answer_read(conversation, message);
    case VFIO_USER_REGION_WRITE:
        return answer_write(conversation, message);
    case VFIO_USER_DEVICE_RESET:
        vdev_function_reset(&conversation->function);
        return reply(conversation, message, NULL, 0);
    default:
        return refuse(conversation, message, ENOSYS);
    }
}

/* Descriptors come with what they are meant for only: anything else wants to fill our table. */
static bool may_have_fds(const struct vdev_message *message)
{
    if (message->fd_count == 0 || message->header.command == VFIO_USER_DEVICE_SET_IRQS)
        return true;
    return message->header.command == VFIO_USER_DMA_MAP && message->fd_count == 1;
}

bool vdev_requests_answer(struct vdev_conversation *conversation, struct vdev_message *message,
                          const char **why)
{
    if (!conversation->greeted && message->header.command != VFIO_USER_VERSION) {
        *why = "it began without a version";
        return false;
    }
    if (!may_have_fds(message)) {
        *why = "it sent descriptors with a message that has none";
        return false;
    }
    if (message->header.command != VFIO_USER_REGION_READ &&
        message->header.command != VFIO_USER_DMA_MAP &&
        message->header.command != VFIO_USER_DMA_UNMAP &&
        message->header.command != VFIO_USER_REGION_WRITE)
        vdev_log_say(&conversation->function.log, VDEV_LOG_DEBUG,
                     "command %u, %zu bytes, %" PRIu32 " descriptors", message->header.command,
                     message->payload_bytes, message->fd_count);
    *why = gone;
    return dispatch(conversation, message);
}
