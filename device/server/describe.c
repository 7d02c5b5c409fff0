/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/describe.h"

#include <errno.h>
#include <guest_shm_pci.h>
#include <linux/vfio.h>
#include <string.h>

/* Sizes of the structs as they are on the wire; the kernel's may grow at the end. */
struct device_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t regions;
    uint32_t irqs;
};

#define AREAS_BYTES_MAX                                                                            \
    (sizeof(struct vfio_region_info_cap_sparse_mmap) +                                             \
     VDEV_REGIONS_MAX * sizeof(struct vfio_region_sparse_mmap_area))

/* The first words of what was asked; false: it is shorter than that. */
static bool take(const struct vdev_message *message, void *asked, size_t bytes)
{
    if (message->payload_bytes < bytes)
        return false;
    memcpy(asked, message->payload, bytes);
    return true;
}

static bool reply(struct vdev_conversation *conversation, const struct vdev_message *message,
                  const void *bytes, size_t count)
{
    const struct vdev_reply answer = {.head = bytes, .head_bytes = count, .fd = -1};
    return vdev_channel_reply(&conversation->channel, &message->header, &answer);
}

static bool refuse(struct vdev_conversation *conversation, const struct vdev_message *message)
{
    return vdev_channel_refuse(&conversation->channel, &message->header, EINVAL);
}

bool vdev_describe_device(struct vdev_conversation *conversation,
                          const struct vdev_message *message)
{
    struct device_info info;
    if (!take(message, &info, sizeof(info)) || info.argsz < sizeof(info))
        return refuse(conversation, message);
    info = (struct device_info){.argsz = sizeof(info),
                                .flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
                                .regions = VFIO_PCI_NUM_REGIONS,
                                .irqs = VFIO_PCI_NUM_IRQS};
    return reply(conversation, message, &info, sizeof(info));
}

/* The data pages of each window; its control pages trap. Returns the size of the list. */
static size_t list_areas(const struct vdev_memory *memory, unsigned char *list)
{
    const struct vfio_region_info_cap_sparse_mmap head = {
        .header = {.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1},
        .nr_areas = memory->windows};
    size_t bytes = sizeof(head);
    memcpy(list, &head, sizeof(head));
    for (uint32_t i = 0; i < memory->windows; i++) {
        const struct vfio_region_sparse_mmap_area area = {
            .offset = i * memory->window_bytes + VDEV_DATA_OFFSET,
            .size = memory->window_bytes - VDEV_DATA_OFFSET};
        memcpy(list + bytes, &area, sizeof(area));
        bytes += sizeof(area);
    }
    return bytes;
}

static bool describe_windows(struct vdev_conversation *conversation,
                             const struct vdev_message *message, struct vfio_region_info *info,
                             uint32_t room_bytes)
{
    const struct vdev_memory *memory = conversation->function.memory;
    unsigned char areas[AREAS_BYTES_MAX];
    const size_t areas_bytes = list_areas(memory, areas);
    info->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
    info->argsz = (uint32_t)(sizeof(*info) + areas_bytes);
    info->cap_offset = sizeof(*info); /* in the short answer, too: QEMU checks it there */
    if (room_bytes < info->argsz)
        return reply(conversation, message, info, sizeof(*info));
    const struct vdev_reply answer = {.head = info,
                                      .head_bytes = sizeof(*info),
                                      .data = areas,
                                      .data_bytes = areas_bytes,
                                      .fd = memory->fd};
    return vdev_channel_reply(&conversation->channel, &message->header, &answer);
}

bool vdev_describe_region(struct vdev_conversation *conversation,
                          const struct vdev_message *message)
{
    struct vfio_region_info asked;
    if (!take(message, &asked, sizeof(asked)) || asked.argsz < sizeof(asked) ||
        asked.index >= VFIO_PCI_NUM_REGIONS)
        return refuse(conversation, message);
    struct vfio_region_info info = {.argsz = sizeof(info), .index = asked.index};
    info.size = vdev_function_region_bytes(&conversation->function, asked.index);
    if (info.size != 0)
        info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    if (asked.index == GUEST_SHM_BAR_WINDOWS)
        return describe_windows(conversation, message, &info, asked.argsz);
    return reply(conversation, message, &info, sizeof(info));
}

bool vdev_describe_irq(struct vdev_conversation *conversation, const struct vdev_message *message)
{
    struct vfio_irq_info asked;
    struct vfio_irq_info info = {.argsz = sizeof(info)};
    if (!take(message, &asked, sizeof(asked)) || asked.argsz < sizeof(asked) ||
        !vdev_irqs_describe(&conversation->function.irqs, asked.index, &info.flags, &info.count))
        return refuse(conversation, message);
    info.index = asked.index;
    return reply(conversation, message, &info, sizeof(info));
}
