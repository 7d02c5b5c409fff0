/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/socket_pci.h"

#include "core/error.h"
#include "transport/transport.h"

#include <guest_shm.h>
#include <guest_shm_pci.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vfio_user.h>

/* Configuration space of a PCI function, as far as it is needed. */
#define CONFIG_BYTES 256u
#define CONFIG_IDS 0x00u
#define CONFIG_COMMAND 0x04u
#define CONFIG_BARS 0x10u
#define CONFIG_CAPABILITIES 0x34u
#define CONFIG_HEADER_BYTES 0x40u
#define COMMAND_MEMORY_AND_MASTER 0x6u
#define STATUS_HAS_CAPABILITIES (0x10u << 16) /* read together with the command word */
#define BAR_FLAGS 0xfu
#define BAR_IS_64_BIT 0x4u
#define CAPABILITY_VENDOR 0x09u
#define CAPABILITIES_MAX 48u /* of 4 bytes or more in the 192 bytes behind the header */

/*
 * Where the BARs go: any place will do that is aligned to the size, for this guest has no other device. The windows lie
 * above 4 GiB, so that an address cut to 32 bits shows.
 */
#define FACTORY_ADDRESS UINT64_C(0xe0000000)
#define FACTORY_BYTES_MAX (UINT64_C(1) << 24)
#define MSIX_ADDRESS UINT64_C(0xe8000000)
#define WINDOWS_ADDRESS_LEAST (UINT64_C(1) << 40)
#define WINDOWS_BYTES_MAX (UINT64_C(1) << 46)

#define PAGE_BYTES ((uint64_t)PEAL_TRANSPORT_PAGE_BYTES)
#define CHAIN_MAX 16u

/* The reply about a region, with room for all that may follow. */
struct region_reply {
    struct vfio_region_info info;
    unsigned char rest[64 + PEAL_VDEV_AREAS_MAX * sizeof(struct vfio_region_sparse_mmap_area)];
};

static enum peal_status fail_device(const struct peal_vdev_wire *wire, const char *what)
{
    return peal_fail(
        PEAL_EFORMAT,
        "the device that %s serves can't be used: %s; is it peal-vdev, of this version?",
        wire->stream.path, what);
}

static enum peal_status fail_refused(const struct peal_vdev_wire *wire, const char *what,
                                     uint32_t error)
{
    return peal_fail(PEAL_EFORMAT,
                     "the device server at %s refused to %s: %s; is it peal-vdev, of this version?",
                     wire->stream.path, what, strerror((int)error));
}

/* ---- configuration space --------------------------------------------------------------------- */

static enum peal_status config_read(struct peal_vdev_wire *wire, uint32_t offset, uint32_t *value)
{
    uint64_t read = 0;
    bool refused;
    const enum peal_status status =
        peal_vdev_wire_read(wire, VFIO_PCI_CONFIG_REGION_INDEX, offset, 4, &read, &refused);
    *value = refused ? UINT32_MAX : (uint32_t)read; /* what is not there reads as all ones */
    return status;
}

static enum peal_status config_write(struct peal_vdev_wire *wire, uint32_t offset, uint32_t width,
                                     uint32_t value)
{
    bool refused;
    return peal_vdev_wire_write(wire, VFIO_PCI_CONFIG_REGION_INDEX, offset, width, value, false,
                                &refused);
}

static enum peal_status check_ids(struct peal_vdev_wire *wire)
{
    const uint32_t expected =
        (uint32_t)PCI_DID_QNX_GUEST_SHM << 16 | (uint32_t)PCI_VID_BlackBerry_QNX;
    uint32_t ids;
    const enum peal_status status = config_read(wire, CONFIG_IDS, &ids);
    if (status != PEAL_OK || ids == expected)
        return status;
    return peal_fail(PEAL_EFORMAT,
                     "the device server at %s serves the PCI device %04" PRIX32 ":%04" PRIX32
                     ", not %04X:%04X; name the socket of a shmem vdev in device=",
                     wire->stream.path, ids & 0xffffu, ids >> 16, PCI_VID_BlackBerry_QNX,
                     PCI_DID_QNX_GUEST_SHM);
}

static enum peal_status use_capability(struct peal_vdev_pci *pci, const struct peal_vdev_wire *wire,
                                       const struct guest_shm_window_capability *capability)
{
    const uint64_t bytes =
        (uint64_t)capability->window_bytes_high << 32 | capability->window_bytes_low;
    if (capability->bar != GUEST_SHM_BAR_WINDOWS)
        return fail_device(wire, "its windows are in a BAR that has none");
    if (capability->data_offset < PAGE_BYTES || capability->data_offset % PAGE_BYTES != 0 ||
        bytes % PAGE_BYTES != 0 || bytes <= capability->data_offset)
        return fail_device(wire, "its windows have no room for a control page and data pages");
    if (capability->windows == 0 || capability->windows > pci->windows.bytes / bytes)
        return fail_device(wire, "its windows do not fit into their BAR");
    pci->window_count = capability->windows;
    pci->window_bytes = bytes;
    pci->data_offset = capability->data_offset;
    return PEAL_OK;
}

/* Reads one vendor capability, and uses it if it is ours; another vendor's is none of our business. */
static enum peal_status look_at_vendor(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire,
                                       uint32_t offset)
{
    uint32_t words[GUEST_SHM_WINDOW_CAPABILITY_BYTES / 4];
    struct guest_shm_window_capability capability;
    _Static_assert(sizeof(words) == sizeof(capability), "the capability as it is read");
    if (offset > CONFIG_BYTES - sizeof(words))
        return PEAL_OK;
    for (uint32_t i = 0; i < sizeof(words) / 4; i++) {
        const enum peal_status status = config_read(wire, offset + 4 * i, &words[i]);
        if (status != PEAL_OK)
            return status;
    }
    memcpy(&capability, words, sizeof(capability));
    if (capability.magic != GUEST_SHM_WINDOW_MAGIC || capability.length < sizeof(capability))
        return PEAL_OK;
    if (capability.version != GUEST_SHM_WINDOW_VERSION)
        return fail_device(wire, "its windows are of another version");
    return use_capability(pci, wire, &capability);
}

static enum peal_status find_windows(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire)
{
    uint32_t word;
    enum peal_status status = config_read(wire, CONFIG_COMMAND, &word);
    if (status != PEAL_OK || (word & STATUS_HAS_CAPABILITIES) == 0)
        return status;
    status = config_read(wire, CONFIG_CAPABILITIES, &word);
    for (uint32_t i = 0; i < CAPABILITIES_MAX && status == PEAL_OK; i++) {
        const uint32_t offset = (i == 0 ? word : word >> 8) & 0xfcu;
        if (offset < CONFIG_HEADER_BYTES)
            break;
        status = config_read(wire, offset, &word);
        if (status == PEAL_OK && (word & 0xffu) == CAPABILITY_VENDOR)
            status = look_at_vendor(pci, wire, offset);
        if (pci->window_count != 0)
            break;
    }
    return status;
}

/* ---- regions --------------------------------------------------------------------------------- */

static enum peal_status ask_region(struct peal_vdev_wire *wire, uint32_t index, uint32_t room_bytes,
                                   struct region_reply *reply, size_t *reply_bytes, int *descriptor)
{
    const struct vfio_region_info asked = {.argsz = room_bytes, .index = index};
    struct peal_vdev_request request = {
        .command = VFIO_USER_DEVICE_GET_REGION_INFO,
        .fd = -1,
        .head = &asked,
        .head_bytes = sizeof(asked),
        .reply = reply,
        .reply_least_bytes = sizeof(reply->info),
        .reply_most_bytes = room_bytes,
        .reply_fd = descriptor,
    };
    const enum peal_status status = peal_vdev_wire_ask(wire, &request);
    *reply_bytes = request.reply_bytes;
    if (status != PEAL_OK)
        return status;
    if (request.error != 0)
        return fail_refused(wire, "describe a BAR", request.error);
    if (reply->info.index == index)
        return PEAL_OK;
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
    return fail_device(wire, "it describes another BAR than was asked for");
}

/*
 * In two rounds: the first tells how long the whole description is, the second brings it, with the descriptor of the
 * memory behind the region (-1: none).
 */
static enum peal_status region_info(struct peal_vdev_wire *wire, uint32_t index,
                                    struct region_reply *reply, size_t *reply_bytes,
                                    int *descriptor)
{
    enum peal_status status =
        ask_region(wire, index, sizeof(reply->info), reply, reply_bytes, descriptor);
    if (status != PEAL_OK)
        return status;
    const uint32_t whole_bytes = reply->info.argsz;
    if (whole_bytes <= sizeof(reply->info))
        return PEAL_OK;
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
    if (whole_bytes > sizeof(*reply))
        return fail_device(wire, "the description of a BAR is longer than it may be");
    return ask_region(wire, index, whole_bytes, reply, reply_bytes, descriptor);
}

static enum peal_status use_areas(struct peal_vdev_pci *pci, const struct peal_vdev_wire *wire,
                                  const unsigned char *capability, size_t bytes)
{
    struct vfio_region_info_cap_sparse_mmap head;
    struct vfio_region_sparse_mmap_area area;
    if (bytes < sizeof(head))
        return fail_device(wire, "the list of what may be mapped is cut off");
    memcpy(&head, capability, sizeof(head));
    if (head.nr_areas > PEAL_VDEV_AREAS_MAX ||
        head.nr_areas > (bytes - sizeof(head)) / sizeof(area))
        return fail_device(wire, "the list of what may be mapped is cut off");
    for (uint32_t i = 0; i < head.nr_areas; i++) {
        memcpy(&area, capability + sizeof(head) + i * sizeof(area), sizeof(area));
        if (area.offset > pci->windows.bytes || area.size > pci->windows.bytes - area.offset)
            return fail_device(wire, "more may be mapped than there is");
        pci->areas[i] = (struct peal_vdev_area){.offset = area.offset, .bytes = area.size};
    }
    pci->area_count = head.nr_areas;
    return PEAL_OK;
}

/* What of the BAR may be mapped: the areas of its sparse capability, or all of it. */
static enum peal_status find_areas(struct peal_vdev_pci *pci, const struct peal_vdev_wire *wire,
                                   const struct region_reply *reply, size_t bytes)
{
    const unsigned char *start = (const unsigned char *)reply;
    uint32_t offset =
        (reply->info.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0 ? reply->info.cap_offset : 0;
    for (uint32_t i = 0; i < CHAIN_MAX && offset != 0; i++) {
        struct vfio_info_cap_header header;
        if (offset < sizeof(reply->info) || offset > bytes || bytes - offset < sizeof(header))
            return fail_device(wire, "the description of a BAR is cut off");
        memcpy(&header, start + offset, sizeof(header));
        if (header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP)
            return use_areas(pci, wire, start + offset, bytes - offset);
        offset = header.next;
    }
    pci->areas[0] = (struct peal_vdev_area){.offset = 0, .bytes = pci->windows.bytes};
    pci->area_count = 1;
    return PEAL_OK;
}

static enum peal_status find_factory(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire)
{
    struct region_reply reply;
    size_t bytes;
    int descriptor = -1;
    const enum peal_status status =
        region_info(wire, GUEST_SHM_BAR_FACTORY, &reply, &bytes, &descriptor);
    if (descriptor >= 0)
        (void)close(descriptor); /* registers are not mapped: each access must be seen */
    if (status != PEAL_OK)
        return status;
    if (reply.info.size < PAGE_BYTES || reply.info.size > FACTORY_BYTES_MAX)
        return fail_device(wire, "BAR 0 is not a factory page");
    pci->factory = (struct peal_vdev_bar){.address = FACTORY_ADDRESS, .bytes = reply.info.size};
    return PEAL_OK;
}

static uint64_t windows_address(uint64_t bytes)
{
    uint64_t address = WINDOWS_ADDRESS_LEAST;
    while (address < bytes)
        address <<= 1;
    return address;
}

/* The kernel drops a descriptor that comes where no more fit, and says so to nobody. */
static bool has_spare_descriptor(void)
{
    const int spare = eventfd(0, EFD_CLOEXEC);
    if (spare >= 0)
        (void)close(spare);
    return spare >= 0;
}

static enum peal_status find_memory(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire)
{
    struct region_reply reply;
    struct stat file;
    size_t bytes;
    const enum peal_status status =
        region_info(wire, GUEST_SHM_BAR_WINDOWS, &reply, &bytes, &pci->memory);
    if (status != PEAL_OK)
        return status;
    if (reply.info.size < 2 * PAGE_BYTES || reply.info.size > WINDOWS_BYTES_MAX)
        return fail_device(wire, "BAR 2 has no room for a region");
    if (pci->memory < 0 && !has_spare_descriptor())
        return peal_fail(PEAL_ESYSTEM,
                         "no descriptor left for the memory of %s; raise RLIMIT_NOFILE",
                         wire->stream.path);
    if ((reply.info.flags & VFIO_REGION_INFO_FLAG_MMAP) == 0 || pci->memory < 0)
        return fail_device(wire, "BAR 2 comes without memory that can be mapped");
    if (fstat(pci->memory, &file) != 0 || !S_ISREG(file.st_mode))
        return fail_device(wire, "the memory of BAR 2 is not a file of memory");
    if (reply.info.offset > (uint64_t)INT64_MAX - reply.info.size)
        return fail_device(wire, "the memory of BAR 2 begins beyond any file");
    pci->memory_offset = reply.info.offset;
    pci->windows = (struct peal_vdev_bar){.address = windows_address(reply.info.size),
                                          .bytes = reply.info.size};
    return find_areas(pci, wire, &reply, bytes);
}

/* ---- the device as a whole ------------------------------------------------------------------- */

static enum peal_status check_device(struct peal_vdev_wire *wire)
{
    uint32_t info[4] = {sizeof(info), 0, 0, 0}; /* argsz, flags, regions, interrupts */
    uint32_t reply[8];
    struct peal_vdev_request request = {
        .command = VFIO_USER_DEVICE_GET_INFO,
        .fd = -1,
        .head = info,
        .head_bytes = sizeof(info),
        .reply = reply,
        .reply_least_bytes = sizeof(info),
        .reply_most_bytes = sizeof(reply),
    };
    const enum peal_status status = peal_vdev_wire_ask(wire, &request);
    if (status != PEAL_OK)
        return status;
    if (request.error != 0)
        return fail_refused(wire, "describe its device", request.error);
    if ((reply[1] & VFIO_DEVICE_FLAGS_PCI) == 0 || reply[2] <= VFIO_PCI_CONFIG_REGION_INDEX ||
        reply[3] <= VFIO_PCI_MSIX_IRQ_INDEX)
        return fail_device(wire, "it is not a PCI device");
    return PEAL_OK;
}

/* Gives the BARs their addresses, and sees that they took them. */
static enum peal_status place_bars(const struct peal_vdev_pci *pci, struct peal_vdev_wire *wire)
{
    const uint32_t bars[] = {(uint32_t)pci->factory.address, (uint32_t)MSIX_ADDRESS,
                             (uint32_t)pci->windows.address,
                             (uint32_t)(pci->windows.address >> 32)};
    uint32_t taken[sizeof(bars) / sizeof(bars[0])] = {0};
    enum peal_status status = PEAL_OK;
    for (uint32_t i = 0; i < sizeof(bars) / sizeof(bars[0]) && status == PEAL_OK; i++) {
        status = config_write(wire, CONFIG_BARS + 4 * i, 4, bars[i]);
        if (status == PEAL_OK)
            status = config_read(wire, CONFIG_BARS + 4 * i, &taken[i]);
    }
    if (status != PEAL_OK)
        return status;
    if ((taken[0] & ~BAR_FLAGS) != bars[0] || (taken[2] & ~BAR_FLAGS) != bars[2] ||
        taken[3] != bars[3] || (taken[2] & BAR_IS_64_BIT) == 0)
        return fail_device(wire, "its BARs do not take the addresses they are given");
    return config_write(wire, CONFIG_COMMAND, 2, COMMAND_MEMORY_AND_MASTER);
}

enum peal_status peal_vdev_pci_open(struct peal_vdev_pci *pci, struct peal_vdev_wire *wire)
{
    *pci = (struct peal_vdev_pci){.memory = -1};
    enum peal_status status = check_device(wire);
    if (status == PEAL_OK)
        status = check_ids(wire);
    if (status == PEAL_OK)
        status = find_factory(pci, wire);
    if (status == PEAL_OK)
        status = find_memory(pci, wire);
    if (status == PEAL_OK)
        status = find_windows(pci, wire);
    if (status == PEAL_OK)
        status = place_bars(pci, wire);
    if (status != PEAL_OK)
        peal_vdev_pci_close(pci);
    return status;
}

void peal_vdev_pci_close(struct peal_vdev_pci *pci)
{
    if (pci->memory >= 0)
        (void)close(pci->memory);
    pci->memory = -1;
}

static bool may_be_mapped(const struct peal_vdev_pci *pci, uint64_t offset, uint64_t bytes)
{
    for (uint32_t i = 0; i < pci->area_count; i++) {
        const struct peal_vdev_area *area = &pci->areas[i];
        if (offset >= area->offset && bytes <= area->bytes &&
            offset - area->offset <= area->bytes - bytes)
            return true;
    }
    return false;
}

enum peal_status peal_vdev_pci_data(const struct peal_vdev_pci *pci,
                                    const struct peal_vdev_wire *wire, uint64_t control,
                                    uint32_t pages, uint64_t *file_offset)
{
    const uint64_t bytes = pages * PAGE_BYTES;
    const uint64_t place = control - pci->windows.address; /* wraps below, and is too large then */
    uint64_t data = place + PAGE_BYTES;
    uint64_t room;
    struct stat file;
    if (place >= pci->windows.bytes || place % PAGE_BYTES != 0)
        return fail_device(wire, "a region lies outside of BAR 2");
    if (pci->window_count != 0) {
        const uint64_t window = place / pci->window_bytes;
        if (window >= pci->window_count || place % pci->window_bytes >= pci->data_offset)
            return fail_device(wire, "a region's control page lies where no window has one");
        data = window * pci->window_bytes + pci->data_offset;
        room = pci->window_bytes - pci->data_offset;
    } else {
        room = pci->windows.bytes - data; /* the BAR ends at a page, or the next check fails */
    }
    if (data > pci->windows.bytes || bytes == 0 || bytes > room || !may_be_mapped(pci, data, bytes))
        return fail_device(wire, "a region is larger than its place");
    if (fstat(pci->memory, &file) != 0 || file.st_size < 0 ||
        (uint64_t)file.st_size < pci->memory_offset ||
        (uint64_t)file.st_size - pci->memory_offset < data + bytes)
        return fail_device(wire, "its memory is smaller than a region");
    *file_offset = pci->memory_offset + data;
    return PEAL_OK;
}
