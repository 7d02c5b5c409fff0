/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/mock_device.h"

#include "tests/support/eventually.h"

#include <errno.h>
#include <fcntl.h>
#include <guest_shm.h>
#include <guest_shm_pci.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <vfio_user.h>

#define PAYLOAD_MAX 8192u

struct question {
    struct vfio_user_header header;
    unsigned char payload[PAYLOAD_MAX];
    uint32_t bytes;
    int descriptor;
};

/* What the mock cannot do ends the test program: it is no part of what is tested. */
static void must(bool done, const char *what)
{
    if (done)
        return;
    perror(what);
    abort();
}

static void put(unsigned char *target, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        target[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *source, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)source[i] << (8 * i);
    return value;
}

/* ---- what it serves -------------------------------------------------------------------------- */

static void prepare_config(struct mock_device *mock)
{
    unsigned char *config = mock->config;
    unsigned char *windows = config + MOCK_CAPABILITY_WINDOWS;
    put(config, PCI_VID_BlackBerry_QNX, 2);
    put(config + 2, PCI_DID_QNX_GUEST_SHM, 2);
    put(config + 6, 0x10, 2); /* has capabilities */
    put(config + 0x18, 0xc, 4);
    config[0x34] = MOCK_CAPABILITY_MSIX;
    config[MOCK_CAPABILITY_MSIX] = 0x11;
    config[MOCK_CAPABILITY_MSIX + 1] = MOCK_CAPABILITY_WINDOWS;
    windows[0] = 0x09;
    windows[2] = GUEST_SHM_WINDOW_CAPABILITY_BYTES;
    windows[3] = GUEST_SHM_WINDOW_VERSION;
    put(windows + 4, GUEST_SHM_WINDOW_MAGIC, 4);
    windows[8] = GUEST_SHM_BAR_WINDOWS;
    put(windows + 12, MOCK_DATA_OFFSET, 4);
    put(windows + 16, MOCK_WINDOW_BYTES, 8);
    put(windows + 24, MOCK_WINDOWS, 4);
}

void mock_prepare(struct mock_device *mock)
{
    static unsigned number;
    memset(mock, 0, sizeof(*mock));
    mock->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
    mock->factory_bytes = 4096;
    mock->bar_bytes = MOCK_BAR_BYTES;
    mock->memory_bytes = MOCK_BAR_BYTES;
    mock->area_bytes = MOCK_WINDOW_BYTES - MOCK_DATA_OFFSET;
    mock->areas = MOCK_WINDOWS;
    mock->capability_offset = sizeof(struct vfio_region_info);
    mock->vectors = 3;
    mock->interrupt_offset = UINT64_MAX;
    mock->end_offset = UINT64_MAX;
    mock->listener = -1;
    mock->connection = -1;
    mock->memory = -1;
    put(mock->registers, GUEST_SHM_SIGNATURE, 8);
    prepare_config(mock);
    (void)snprintf(mock->path, sizeof(mock->path), "/tmp/peal-mock-%ld-%u.sock", (long)getpid(),
                   number++);
}

/* ---- registers ------------------------------------------------------------------------------- */

static unsigned char *place(struct mock_device *mock, const struct vfio_user_region_access *access)
{
    const uint64_t end = access->offset + access->count;
    if (access->region == VFIO_PCI_CONFIG_REGION_INDEX && end <= sizeof(mock->config))
        return mock->config + access->offset;
    if (access->region == 0 && end <= sizeof(mock->registers))
        return mock->registers + access->offset;
    if (access->region == 2 && end <= sizeof(mock->controls))
        return mock->controls + access->offset;
    return NULL;
}

static void write_config(struct mock_device *mock, uint64_t offset, const unsigned char *data,
                         uint32_t bytes)
{
    if (mock->frozen_bars)
        return;
    memcpy(mock->config + offset, data, bytes);
    if (offset == 0x18)
        mock->config[offset] = (unsigned char)((mock->config[offset] & 0xf0) | 0xc);
}

/* False: it was the write that ends the mock. */
static bool write_register(struct mock_device *mock, const struct question *question)
{
    struct vfio_user_region_access access;
    const unsigned char *data = question->payload + sizeof(access);
    memcpy(&access, question->payload, sizeof(access));
    unsigned char *target = place(mock, &access);
    must(target != NULL && access.count <= 8, "mock: a write to nowhere");
    if (access.region == VFIO_PCI_CONFIG_REGION_INDEX) {
        write_config(mock, access.offset, data, access.count);
        return true;
    }
    memcpy(target, data, access.count);
    if (mock->logged < MOCK_LOG_MAX)
        mock->log[mock->logged++] = (struct mock_write){
            .region = access.region,
            .width = access.count,
            .offset = access.offset,
            .value = get(data, access.count),
            .posted = (question->header.flags & VFIO_USER_NO_REPLY) != 0,
        };
    if (access.region == 0 && access.offset == mock->interrupt_offset) {
        const uint64_t one = 1;
        for (uint32_t i = 0; i < mock->interrupts_set; i++)
            must(write(mock->interrupt[i], &one, sizeof(one)) == sizeof(one), "mock: interrupt");
    }
    return access.region != 0 || access.offset != mock->end_offset;
}

/* ---- answers --------------------------------------------------------------------------------- */

static uint32_t answer_region(struct mock_device *mock, const struct question *question,
                              unsigned char *reply, int *descriptor)
{
    struct vfio_region_info asked, info = {0};
    struct vfio_region_info_cap_sparse_mmap head = {
        .header = {.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1}, .nr_areas = mock->areas};
    const uint32_t whole = (uint32_t)(sizeof(info) + sizeof(head) +
                                      MOCK_WINDOWS * sizeof(struct vfio_region_sparse_mmap_area));
    memcpy(&asked, question->payload, sizeof(asked));
    info.argsz = sizeof(info);
    info.index = asked.index + mock->wrong_index;
    info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    info.size = asked.index == 2 ? mock->bar_bytes : mock->factory_bytes;
    if (asked.index == 2) {
        info.flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
        info.cap_offset = mock->capability_offset;
        info.argsz = whole + mock->extra_argsz;
    }
    memcpy(reply, &info, sizeof(info));
    if (asked.index != 2 || asked.argsz < whole)
        return sizeof(info);
    memcpy(reply + sizeof(info), &head, sizeof(head));
    for (uint32_t i = 0; i < MOCK_WINDOWS; i++) {
        const struct vfio_region_sparse_mmap_area area = {
            .offset = i * MOCK_WINDOW_BYTES + MOCK_DATA_OFFSET, .size = mock->area_bytes};
        memcpy(reply + sizeof(info) + sizeof(head) + i * sizeof(area), &area, sizeof(area));
    }
    *descriptor = mock->without_memory ? -1 : mock->memory;
    return whole;
}

static uint32_t answer_version(const struct mock_device *mock, unsigned char *reply)
{
    static const char text[] = "{\"capabilities\":{\"max_msg_fds\":1}}";
    const struct vfio_user_version version = {.major = mock->version_major,
                                              .minor = mock->version_minor};
    memcpy(reply, &version, sizeof(version));
    memcpy(reply + sizeof(version), text, sizeof(text));
    return (uint32_t)(sizeof(version) + sizeof(text));
}

static uint32_t answer_irqs(struct mock_device *mock, struct question *question)
{
    struct vfio_irq_set set;
    memcpy(&set, question->payload, sizeof(set));
    must(question->descriptor >= 0 && set.count == 1 && set.start == mock->interrupts_set &&
             set.index == VFIO_PCI_MSIX_IRQ_INDEX,
         "mock: SET_IRQS");
    mock->interrupt[mock->interrupts_set++] = question->descriptor;
    question->descriptor = -1;
    return 0;
}

static uint32_t answer_read(struct mock_device *mock, const struct question *question,
                            unsigned char *reply)
{
    struct vfio_user_region_access access;
    memcpy(&access, question->payload, sizeof(access));
    const unsigned char *source = place(mock, &access);
    must(access.count <= 8, "mock: a long read");
    memcpy(reply, &access, sizeof(access));
    if (source != NULL)
        memcpy(reply + sizeof(access), source, access.count);
    else
        memset(reply + sizeof(access), 0xff, access.count);
    return (uint32_t)sizeof(access) + access.count;
}

/* The payload of a right reply; its length. */
static uint32_t answer(struct mock_device *mock, struct question *question, unsigned char *reply,
                       int *descriptor, bool *end)
{
    const uint32_t info[4] = {16, mock->flags, VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS};
    const uint32_t irq[4] = {16, VFIO_IRQ_INFO_EVENTFD, VFIO_PCI_MSIX_IRQ_INDEX, mock->vectors};
    switch (question->header.command) {
    case VFIO_USER_VERSION:
        return answer_version(mock, reply);
    case VFIO_USER_DEVICE_GET_INFO:
        memcpy(reply, info, sizeof(info));
        return sizeof(info);
    case VFIO_USER_DEVICE_GET_REGION_INFO:
        return answer_region(mock, question, reply, descriptor);
    case VFIO_USER_DEVICE_GET_IRQ_INFO:
        memcpy(reply, irq, sizeof(irq));
        return sizeof(irq);
    case VFIO_USER_DEVICE_SET_IRQS:
        return answer_irqs(mock, question);
    case VFIO_USER_REGION_READ:
        return answer_read(mock, question, reply);
    case VFIO_USER_REGION_WRITE:
        *end = !write_register(mock, question);
        memcpy(reply, question->payload, sizeof(struct vfio_user_region_access));
        return sizeof(struct vfio_user_region_access);
    default:
        must(false, "mock: a command that it does not know");
        return 0;
    }
}

/* ---- the wire, and the faults ---------------------------------------------------------------- */

static bool receive(int client, void *target, size_t bytes, int *descriptor)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } room;
    for (size_t done = 0; done < bytes;) {
        struct iovec piece = {.iov_base = (char *)target + done, .iov_len = bytes - done};
        struct msghdr message = {.msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = room.bytes,
                                 .msg_controllen = sizeof(room.bytes)};
        const ssize_t taken = recvmsg(client, &message, MSG_CMSG_CLOEXEC);
        if (taken <= 0)
            return false;
        const struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        if (part != NULL)
            memcpy(descriptor, CMSG_DATA(part), sizeof(int));
        done += (size_t)taken;
    }
    return true;
}

static bool listen_to(int client, struct question *question)
{
    question->descriptor = -1;
    if (!receive(client, &question->header, sizeof(question->header), &question->descriptor))
        return false;
    question->bytes = question->header.message_bytes - (uint32_t)sizeof(question->header);
    must(question->bytes <= PAYLOAD_MAX, "mock: a long request");
    return receive(client, question->payload, question->bytes, &question->descriptor);
}

static void send_bytes(int client, const void *bytes, size_t count, int descriptor, uint32_t times)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } room = {.bytes = {0}};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE(times * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(times * sizeof(int));
        for (uint32_t i = 0; i < times; i++)
            memcpy(CMSG_DATA(part) + i * sizeof(int), &descriptor, sizeof(int));
    }
    (void)!sendmsg(client, &message, MSG_NOSIGNAL);
}

static bool is_time_for_fault(struct mock_device *mock, uint16_t command)
{
    const bool meant = mock->fault_command == 0 || mock->fault_command == command;
    const uint32_t number = mock->fault_command == 0 ? mock->asked_total : mock->asked[command];
    mock->asked_total++;
    mock->asked[command]++;
    if (mock->fault == MOCK_NO_FAULT || !meant || number != mock->fault_at)
        return false;
    mock->faulty = true;
    return true;
}

/* Spoils a right reply. How much of it is to be sent. */
static size_t spoil(enum mock_fault fault, struct vfio_user_header *header, unsigned char *payload)
{
    const size_t whole = header->message_bytes;
    switch (fault) {
    case MOCK_ERROR:
        header->flags |= VFIO_USER_ERROR;
        header->error = EPERM;
        header->message_bytes = sizeof(*header);
        return sizeof(*header);
    case MOCK_LONG_ERROR:
        header->flags |= VFIO_USER_ERROR;
        header->message_bytes = (uint32_t)sizeof(*header) + PAYLOAD_MAX;
        return header->message_bytes;
    case MOCK_END:
    case MOCK_SILENT:
        return 0;
    case MOCK_CUT_HEADER:
        return sizeof(*header) / 2;
    case MOCK_CUT_PAYLOAD:
    case MOCK_HALF_SILENT:
        return whole - 1;
    case MOCK_LONGER:
        header->message_bytes += 65536;
        return whole;
    case MOCK_HUGE:
        header->message_bytes = UINT32_MAX;
        return whole;
    case MOCK_SHORTER:
        header->message_bytes = 3;
        return whole;
    case MOCK_NO_PAYLOAD:
        header->message_bytes = sizeof(*header);
        return sizeof(*header);
    case MOCK_WRONG_ID:
        header->id ^= 1u;
        return whole;
    case MOCK_WRONG_COMMAND:
        header->command ^= 1u;
        return whole;
    case MOCK_NOT_A_REPLY:
        header->flags = VFIO_USER_TYPE_COMMAND;
        return whole;
    case MOCK_GARBAGE:
        memset(header, 0x5a, sizeof(*header));
        return whole;
    case MOCK_WRONG_PLACE:
        memset(payload, 0x5a, 4);
        payload[8] ^= 1u; /* where region descriptions say which region they describe */
        return whole;
    default:
        return whole;
    }
}

static void lie(const struct mock_device *mock, uint32_t number, unsigned char *reply, size_t bytes)
{
    for (size_t i = 0; i + 4 <= mock->lies_bytes; i += 4) {
        const unsigned char *told = mock->lies + i;
        const size_t place = told[1] | (size_t)told[2] << 8;
        if (told[0] == number && place < bytes)
            reply[place] ^= told[3];
    }
}

static bool await_hang_up(int client)
{
    struct pollfd waited = {.fd = client, .events = POLLRDHUP};
    must(poll(&waited, 1, 30000) == 1, "mock: the client does not hang up");
    return false;
}

/* False: it hangs up. */
static bool reply_to(struct mock_device *mock, int client, struct question *question)
{
    struct {
        struct vfio_user_header header;
        unsigned char payload[PAYLOAD_MAX];
    } reply = {.header = {.id = question->header.id,
                          .command = question->header.command,
                          .flags = VFIO_USER_TYPE_REPLY}};
    const bool silent =
        mock->faulty && (mock->fault == MOCK_SILENT || mock->fault == MOCK_HALF_SILENT);
    const bool fault = is_time_for_fault(mock, question->header.command);
    int descriptor = -1;
    bool end = false;
    if (silent)
        return true;
    if (fault && mock->fault == MOCK_STALL)
        must(eventually_asleep(mock->client), "mock: the client does not sleep");
    if (fault && mock->fault == MOCK_DEAF)
        return await_hang_up(client);
    reply.header.message_bytes =
        (uint32_t)sizeof(reply.header) + answer(mock, question, reply.payload, &descriptor, &end);
    if (end)
        return false;
    if ((question->header.flags & VFIO_USER_NO_REPLY) != 0)
        return !fault || mock->fault == MOCK_STALL;
    size_t bytes =
        fault ? spoil(mock->fault, &reply.header, reply.payload) : reply.header.message_bytes;
    const bool many = fault && mock->fault == MOCK_EXTRA_DESCRIPTORS;
    lie(mock, mock->asked_total - 1, (unsigned char *)&reply, bytes);
    if (mock->lies_bytes > 0 && reply.header.message_bytes <= sizeof(reply))
        bytes = reply.header.message_bytes;
    if (bytes > 0)
        send_bytes(client, &reply, bytes, many ? mock->memory : descriptor, many ? 8 : 1);
    return !fault || (mock->fault != MOCK_END && mock->fault != MOCK_CUT_HEADER &&
                      mock->fault != MOCK_CUT_PAYLOAD);
}

static void *serve(void *context)
{
    struct mock_device *mock = context;
    static _Thread_local struct question question;
    const int client = accept4(mock->listener, NULL, NULL, SOCK_CLOEXEC);
    mock->connection = client;
    while (client >= 0 && listen_to(client, &question)) {
        const bool go_on = reply_to(mock, client, &question);
        if (question.descriptor >= 0)
            (void)close(question.descriptor);
        if (!go_on)
            break;
    }
    if (client >= 0)
        (void)shutdown(client, SHUT_RDWR);
    for (uint32_t i = 0; i < mock->interrupts_set; i++)
        (void)close(mock->interrupt[i]);
    return NULL;
}

/* ---- its life -------------------------------------------------------------------------------- */

static int pipe_end(void)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC) == 0, "mock: pipe");
    (void)close(ends[1]);
    return ends[0];
}

void mock_start(struct mock_device *mock)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, mock->path, sizeof(mock->path));
    mock->memory = mock->with_pipe ? pipe_end() : memfd_create("mock", MFD_CLOEXEC);
    must(mock->memory >= 0, "mock: memfd");
    if (!mock->with_pipe)
        must(ftruncate(mock->memory, (off_t)mock->memory_bytes) == 0, "mock: ftruncate");
    (void)unlink(mock->path);
    mock->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(mock->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
             listen(mock->listener, 4) == 0,
         "mock: listen");
    mock->started = pthread_create(&mock->thread, NULL, serve, mock) == 0;
    must(mock->started, "mock: thread");
}

void mock_stop(struct mock_device *mock)
{
    if (!mock->started)
        return;
    struct timespec limit;
    (void)shutdown(mock->listener, SHUT_RDWR); /* nobody came: accept() returns */
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 30;
    must(pthread_timedjoin_np(mock->thread, NULL, &limit) == 0, "mock: the client has not closed");
    mock->started = false;
    if (mock->connection >= 0)
        (void)close(mock->connection);
    (void)close(mock->listener);
    (void)close(mock->memory);
    (void)unlink(mock->path);
}

void mock_abandon(struct mock_device *mock)
{
    if (mock->started && mock->connection >= 0)
        (void)shutdown(mock->connection, SHUT_RDWR);
    mock_stop(mock);
}
