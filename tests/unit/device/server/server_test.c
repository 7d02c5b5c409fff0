/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/server.h"

#include "device/server/channel.h"
#include "tests/support/eventually.h"
#include "tests/support/vdev_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <guest_shm_pci.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define STATUS offsetof(struct guest_shm_control, status)
#define IDX offsetof(struct guest_shm_control, idx)
#define NOTIFY offsetof(struct guest_shm_control, notify)
#define DETACH offsetof(struct guest_shm_control, detach)
#define WINDOWS GUEST_SHM_BAR_WINDOWS
#define DATA_OFFSET 65536u

static struct test_server server;
static struct test_reply reply;

static int setup_with(const char *intx)
{
    return test_server_init(&server) && test_server_set(&server, "intx", intx) &&
                   test_server_set(&server, "guest", "a") &&
                   test_server_set(&server, "guest", "b") &&
                   test_server_set(&server, "deny", "secret*") && test_server_start(&server)
               ? 0
               : -1;
}

static int setup(void **state)
{
    (void)state;
    return setup_with("off");
}

static int setup_pin(void **state)
{
    (void)state;
    return setup_with("on");
}

static int teardown(void **state)
{
    (void)state;
    test_server_stop(&server);
    return 0;
}

static void join(struct test_client *client, const char *socket)
{
    assert_true(test_client_join(client, test_server_path(&server, socket)));
}

static uint32_t status_of(struct test_client *client, uint64_t control)
{
    return (uint32_t)test_client_read(client, WINDOWS, control + STATUS, 4);
}

/* Two clients, one on each socket, attached to region "r"; nothing is pending. */
static void join_pair(struct test_client pair[2], uint64_t control[2])
{
    join(&pair[0], "a");
    join(&pair[1], "b");
    assert_int_equal(test_client_attach(&pair[0], "r", 4, &control[0]), GSS_OK);
    assert_int_equal(test_client_attach(&pair[1], "r", 9, &control[1]), GSS_OK);
    assert_true(test_client_interrupted(&pair[0]));
    assert_int_equal(status_of(&pair[0], control[0]), 3u << 16);
}

/* All in numbers of the device's reference, none of our headers': a guest that knows nothing of them must get along. */
static void the_wire_carries_the_values_of_the_reference(void **state)
{
    (void)state;
    struct test_client client;
    join(&client, "b");
    const uint32_t config = VFIO_PCI_CONFIG_REGION_INDEX;
    assert_int_equal(test_client_read(&client, config, 0, 2), 0x1c05);
    assert_int_equal(test_client_read(&client, config, 2, 2), 0x0001);
    assert_true(test_client_read(&client, 0, 0, 8) == 0x4d534732474d5651);
    const char name[] = "r";
    for (uint64_t i = 0; i < sizeof(name); i++)
        assert_true(test_client_write(&client, 0, 28 + i, 1, (unsigned char)name[i]));
    assert_true(test_client_write(&client, 0, 24, 4, 7));
    assert_int_equal(test_client_read(&client, 0, 20, 4), 0);
    assert_int_equal(test_client_read(&client, 0, 24, 4), 7);
    assert_int_equal(test_client_read(&client, 0, 16, 4), 0);
    const uint64_t control = test_client_read(&client, 0, 8, 8) - TEST_SERVER_BASE;
    assert_int_equal(test_client_read(&client, 2, control + 4, 4), 0);
    assert_int_equal(test_client_read(&client, 2, control + 0, 4), 0x10000);
    assert_true(test_client_write(&client, 2, control + 8, 4, 1)); /* notify: oneself */
    assert_int_equal(test_client_read(&client, 2, control + 0, 4), 0x10001);
    assert_true(test_client_write(&client, 2, control + 12, 4, 0)); /* detach: any value */
    assert_int_equal(test_client_read(&client, 2, control + 4, 4), 0xffffffff);
    assert_true(test_client_write(&client, 0, 60, 4, 99)); /* find */
    assert_int_equal(test_client_read(&client, 0, 20, 4), 6);
    assert_true(test_client_write(&client, 0, 28, 1, 0)); /* no name */
    assert_true(test_client_write(&client, 0, 24, 4, 7));
    assert_int_equal(test_client_read(&client, 0, 20, 4), 4);
    const char secret[] = "secret";
    for (uint64_t i = 0; i < sizeof(secret); i++)
        assert_true(test_client_write(&client, 0, 28 + i, 1, (unsigned char)secret[i]));
    assert_true(test_client_write(&client, 0, 24, 4, 7));
    assert_int_equal(test_client_read(&client, 0, 20, 4), 5);
    assert_true(test_client_write(&client, 0, 28, 1, 'R'));
    assert_true(test_client_write(&client, 0, 24, 4, 0xffffffff));
    assert_int_equal(test_client_read(&client, 0, 20, 4), 2);
    test_client_close(&client);
}

static void two_guests_ring_each_other(void **state)
{
    (void)state;
    struct test_client pair[2];
    uint64_t control[2];
    join_pair(pair, control);
    assert_int_equal(control[0], 15 * 4096);
    assert_int_equal(test_client_read(&pair[1], 0, 24, 4), 4);
    assert_int_equal(test_client_read(&pair[1], WINDOWS, control[1] + IDX, 4), 1);
    assert_false(test_client_has_interrupt(&pair[0]));
    assert_true(test_client_write(&pair[1], WINDOWS, control[1] + NOTIFY, 4, 1));
    assert_true(test_client_interrupted(&pair[0]));
    assert_int_equal(status_of(&pair[0], control[0]), 3u << 16 | 2);
    assert_int_equal(status_of(&pair[0], control[0]), 3u << 16);
    assert_true(test_client_write(&pair[0], WINDOWS, control[0] + NOTIFY, 4, 2));
    assert_true(test_client_interrupted(&pair[1]));
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

static void who_hangs_up_is_detached_and_the_other_is_told(void **state)
{
    (void)state;
    struct test_client pair[2];
    uint64_t control[2];
    join_pair(pair, control);
    test_client_close(&pair[1]);
    assert_true(test_client_interrupted(&pair[0]));
    assert_int_equal(status_of(&pair[0], control[0]), 1u << 16);
    test_client_close(&pair[0]);
}

static void a_reset_detaches_and_the_client_may_come_again(void **state)
{
    (void)state;
    struct test_client pair[2];
    uint64_t control[2];
    join_pair(pair, control);
    assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, &reply));
    assert_true(test_client_interrupted(&pair[0]));
    assert_int_equal(status_of(&pair[0], control[0]), 1u << 16);
    assert_int_equal(status_of(&pair[1], control[1]), UINT32_MAX);
    assert_int_equal(test_client_attach(&pair[1], "r", 1, &control[1]), GSS_OK);
    assert_int_equal(test_client_read(&pair[1], WINDOWS, control[1] + IDX, 4), 1);
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

static void a_reset_forgets_an_interrupt_that_nobody_took(void **state)
{
    (void)state;
    struct test_client pair[2];
    uint64_t control[2];
    const struct vfio_irq_set disarm = {.argsz = sizeof(disarm),
                                        .flags =
                                            VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
                                        .index = VFIO_PCI_MSIX_IRQ_INDEX};
    join_pair(pair, control);
    for (int reset = 0; reset < 2; reset++) {
        assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_SET_IRQS, &disarm, sizeof(disarm),
                                    NULL, 0, &reply));
        assert_true(test_client_write(&pair[0], WINDOWS, control[0] + NOTIFY, 4, UINT32_MAX));
        assert_false(test_client_has_interrupt(&pair[1]));
        if (reset != 0)
            assert_true(
                test_client_ask(&pair[1], VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, &reply));
        assert_true(test_client_arm(&pair[1]));
        assert_int_equal(test_client_has_interrupt(&pair[1]), reset == 0);
        if (reset == 0) {
            assert_true(test_client_interrupted(&pair[1]));
            assert_int_equal(status_of(&pair[1], control[1]), 3u << 16 | 1);
        }
    }
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

/* By the pin, which has no memory of its own: what counts is whether the guest has read its status. */
static void a_line_is_raised_again_while_status_is_unread(void **state)
{
    (void)state;
    const struct vfio_irq_set trigger = {.argsz = sizeof(trigger),
                                         .flags = VFIO_IRQ_SET_DATA_EVENTFD |
                                                  VFIO_IRQ_SET_ACTION_TRIGGER,
                                         .index = VFIO_PCI_INTX_IRQ_INDEX,
                                         .count = 1};
    const struct vfio_irq_set unmask = {.argsz = sizeof(unmask),
                                        .flags =
                                            VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
                                        .index = VFIO_PCI_INTX_IRQ_INDEX,
                                        .count = 1};
    const struct vfio_irq_set no_msix = {.argsz = sizeof(no_msix),
                                         .flags =
                                             VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
                                         .index = VFIO_PCI_MSIX_IRQ_INDEX};
    struct test_client pair[2];
    uint64_t control[2];
    join_pair(pair, control);
    assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_SET_IRQS, &no_msix, sizeof(no_msix),
                                NULL, 0, &reply));
    assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_SET_IRQS, &trigger, sizeof(trigger),
                                &pair[1].irq, 1, &reply));
    assert_true(test_client_write(&pair[0], WINDOWS, control[0] + NOTIFY, 4, 1u << 1));
    for (int raised = 0; raised < 3; raised++) {
        assert_true(test_client_interrupted(&pair[1]));
        assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_SET_IRQS, &unmask, sizeof(unmask),
                                    NULL, 0, &reply));
        assert_int_equal(reply.header.error, 0);
    }
    assert_true(test_client_interrupted(&pair[1]));
    assert_int_equal(status_of(&pair[1], control[1]), 3u << 16 | 1);
    assert_true(test_client_ask(&pair[1], VFIO_USER_DEVICE_SET_IRQS, &unmask, sizeof(unmask), NULL,
                                0, &reply));
    assert_false(test_client_has_interrupt(&pair[1]));
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

static void rules_are_those_of_the_socket(void **state)
{
    (void)state;
    struct test_client pair[2];
    join(&pair[0], "a");
    join(&pair[1], "b");
    assert_int_equal(test_client_attach(&pair[0], "secret1", 1, NULL), GSS_OK);
    assert_int_equal(test_client_attach(&pair[1], "secret1", 1, NULL), GSS_NO_PERMISSION);
    assert_int_equal(test_client_attach(&pair[1], "open", 1, NULL), GSS_OK);
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

static void the_17th_client_of_a_region_is_refused(void **state)
{
    (void)state;
    struct test_client clients[17];
    for (int i = 0; i < 17; i++) {
        join(&clients[i], "a");
        assert_int_equal(test_client_attach(&clients[i], "full", 1, NULL),
                         i < 16 ? GSS_OK : GSS_CLIENT_MAX);
    }
    for (int i = 0; i < 17; i++)
        test_client_close(&clients[i]);
}

static void without_an_address_nothing_can_be_attached(void **state)
{
    (void)state;
    struct test_client client;
    join(&client, "a");
    assert_true(test_client_write(&client, VFIO_PCI_CONFIG_REGION_INDEX, 0x18, 4, 0));
    assert_true(test_client_write(&client, VFIO_PCI_CONFIG_REGION_INDEX, 0x1c, 4, 0));
    assert_int_equal(test_client_attach(&client, "r", 1, NULL), GSS_UNKNOWN_FAILURE);
    test_client_close(&client);
}

static void a_window_that_is_too_small_is_no_memory(void **state)
{
    (void)state;
    struct test_client client;
    join(&client, "a");
    assert_int_equal(test_client_attach(&client, "large", (1u << 20) / 4096 - 16, NULL), GSS_OK);
    assert_int_equal(test_client_attach(&client, "larger", (1u << 20) / 4096 - 15, NULL),
                     GSS_NOMEM);
    test_client_close(&client);
}

/* GET_REGION_INFO of BAR 2, with so much room. */
static void ask_windows(struct test_client *client, uint32_t room_bytes,
                        struct vfio_region_info *info)
{
    const struct vfio_region_info asked = {.argsz = room_bytes, .index = WINDOWS};
    assert_true(test_client_ask(client, VFIO_USER_DEVICE_GET_REGION_INFO, &asked, sizeof(asked),
                                NULL, 0, &reply));
    assert_true(reply.payload_bytes >= sizeof(*info));
    memcpy(info, reply.payload, sizeof(*info));
}

static void data_pages_are_mapped_and_control_pages_are_not(void **state)
{
    (void)state;
    struct test_client client;
    struct vfio_region_info info;
    struct vfio_region_info_cap_sparse_mmap list;
    struct vfio_region_sparse_mmap_area area;
    uint64_t control;
    join(&client, "a");
    ask_windows(&client, sizeof(info), &info);
    assert_int_equal(reply.fd, -1);
    assert_int_equal(reply.payload_bytes, sizeof(info));
    assert_true(info.argsz > sizeof(info));
    ask_windows(&client, info.argsz, &info);
    assert_true(reply.fd >= 0);
    assert_int_equal(info.size, 16u << 20);
    memcpy(&list, reply.payload + info.cap_offset, sizeof(list));
    assert_int_equal(list.nr_areas, 16);
    memcpy(&area, reply.payload + info.cap_offset + sizeof(list) + sizeof(area), sizeof(area));
    assert_int_equal(area.offset, (1u << 20) + DATA_OFFSET);
    assert_int_equal(area.size, (1u << 20) - DATA_OFFSET);
    assert_int_equal(test_client_attach(&client, "r", 2, &control), GSS_OK);
    uint32_t *data = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, reply.fd, DATA_OFFSET);
    assert_true(data != MAP_FAILED);
    data[1] = 0x12345678;
    assert_int_equal(test_client_read(&client, WINDOWS, control + 4096 + 4, 4), 0x12345678);
    assert_true(test_client_write(&client, WINDOWS, control + 4096, 8, 99));
    assert_int_equal(data[0], 99);
    assert_true(test_client_write(&client, WINDOWS, control + DETACH, 4, 1));
    assert_int_equal(data[0], 0); /* the last one left: the pages are given back */
    assert_int_equal(ftruncate(reply.fd, 0), -1);
    assert_int_equal(munmap(data, 8192), 0);
    assert_int_equal(close(reply.fd), 0);
    test_client_close(&client);
}

/* The errno of the reply to a request of one struct, 0 if it was not refused. */
static uint32_t error_of(struct test_client *client, uint16_t command, const void *payload,
                         size_t bytes)
{
    assert_true(test_client_ask(client, command, payload, bytes, NULL, 0, &reply));
    return (reply.header.flags & VFIO_USER_ERROR) != 0 ? reply.header.error : 0;
}

static void wrong_requests_are_refused_and_the_conversation_goes_on(void **state)
{
    (void)state;
    struct test_client client;
    join(&client, "a");
    const struct vfio_user_region_access outside = {.offset = 4090, .region = 0, .count = 8};
    const struct vfio_user_region_access far_out = {
        .offset = UINT64_MAX - 2, .region = WINDOWS, .count = 4};
    const struct vfio_user_region_access huge = {.region = WINDOWS, .count = UINT32_MAX};
    const struct vfio_user_region_access nowhere = {.region = 5, .count = 4};
    assert_int_equal(error_of(&client, 99, NULL, 0), ENOSYS);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_WRITE_MULTI, &huge, 8), ENOSYS);
    assert_int_equal(error_of(&client, VFIO_USER_DEVICE_GET_REGION_IO_FDS, &huge, 8), ENOSYS);
    assert_int_equal(error_of(&client, VFIO_USER_VERSION, &huge, 8), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_READ, &outside, 16), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_READ, &far_out, 16), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_READ, &huge, 16), E2BIG);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_READ, &nowhere, 16), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_READ, &nowhere, 15), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_WRITE, &huge, 16), EINVAL);
    const struct {
        struct vfio_user_region_access access;
        uint32_t value[2];
    } longer = {{.offset = 28, .region = 0, .count = 1}, {0, 0}},
      shorter = {{.offset = DATA_OFFSET, .region = WINDOWS, .count = 8}, {1, 1}};
    assert_int_equal(error_of(&client, VFIO_USER_REGION_WRITE, &longer, 24), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_REGION_WRITE, &shorter, 20), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_DEVICE_GET_INFO, &huge, 4), EINVAL);
    assert_int_equal(error_of(&client, VFIO_USER_DMA_MAP, &huge, 4), EINVAL);
    assert_int_equal(test_client_read(&client, 0, 0, 8), GUEST_SHM_SIGNATURE);
    test_client_close(&client);
}

static void odd_widths_read_as_all_ones_and_write_nothing(void **state)
{
    (void)state;
    struct test_client client;
    join(&client, "a");
    assert_int_equal(test_client_read(&client, 0, 0, 3), 0xffffff);
    assert_int_equal(test_client_read(&client, WINDOWS, DATA_OFFSET - 2, 4), UINT32_MAX);
    assert_int_equal(test_client_read(&client, WINDOWS, (1u << 20) - 2, 4), UINT32_MAX);
    assert_true(test_client_write(&client, WINDOWS, (1u << 20) - 2, 4, 0));
    assert_int_equal(test_client_read(&client, WINDOWS, (1u << 20) - 2, 2), 0);
    test_client_close(&client);
}

static void a_posted_write_has_no_reply(void **state)
{
    (void)state;
    struct test_client pair[2];
    uint64_t control[2];
    join_pair(pair, control);
    struct {
        struct vfio_user_header header;
        struct vfio_user_region_access access;
        uint32_t value;
        uint32_t unused;
    } posted = {
        {.command = VFIO_USER_REGION_WRITE, .message_bytes = 36, .flags = VFIO_USER_NO_REPLY},
        {.offset = control[1] + NOTIFY, .region = WINDOWS, .count = 4},
        1,
        0};
    assert_true(test_client_send(&pair[1], &posted, 36, NULL, 0));
    assert_true(test_client_interrupted(&pair[0]));
    assert_int_equal(test_client_read(&pair[1], WINDOWS, control[1] + IDX, 4), 1);
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

static void half_a_message_holds_up_nobody(void **state)
{
    (void)state;
    struct test_client pair[2];
    struct test_client slow;
    uint64_t control[2];
    join(&slow, "a");
    const struct {
        struct vfio_user_header header;
        struct vfio_user_region_access access;
    } message = {{.id = 7, .command = VFIO_USER_REGION_READ, .message_bytes = sizeof(message)},
                 {.offset = 0, .region = 0, .count = 8}};
    for (size_t sent = 0; sent < sizeof(message); sent++) {
        assert_true(test_client_send(&slow, (const char *)&message + sent, 1, NULL, 0));
        if (sent % 11 == 5) {
            join_pair(pair, control);
            test_client_close(&pair[0]);
            test_client_close(&pair[1]);
        }
    }
    assert_true(test_client_hear(&slow, &reply));
    assert_int_equal(reply.header.id, 7);
    assert_int_equal(reply.payload_bytes, 24);
    test_client_close(&slow);
}

static void a_lying_length_or_a_reply_ends_the_conversation(void **state)
{
    (void)state;
    const struct vfio_user_header lies[] = {
        {.command = VFIO_USER_DEVICE_RESET, .message_bytes = 0},
        {.command = VFIO_USER_DEVICE_RESET, .message_bytes = 15},
        {.command = VFIO_USER_DEVICE_RESET, .message_bytes = VDEV_MESSAGE_BYTES_MAX + 1},
        {.command = VFIO_USER_DEVICE_RESET, .message_bytes = UINT32_MAX},
        {.command = VFIO_USER_DEVICE_RESET, .message_bytes = 16, .flags = VFIO_USER_TYPE_REPLY}};
    struct test_client honest;
    uint64_t control;
    join(&honest, "b");
    assert_int_equal(test_client_attach(&honest, "r", 1, &control), GSS_OK);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct test_client liar;
        join(&liar, "a");
        assert_int_equal(test_client_attach(&liar, "r", 1, NULL), GSS_OK);
        assert_true(test_client_interrupted(&honest));
        assert_int_equal(status_of(&honest, control), 3u << 16);
        assert_true(test_client_send(&liar, &lies[i], sizeof(lies[i]), NULL, 0));
        assert_true(test_client_is_dropped(&liar));
        assert_true(test_client_interrupted(&honest));
        assert_int_equal(status_of(&honest, control), 1u << 16);
        test_client_close(&liar);
    }
    test_client_close(&honest);
}

static void the_version_comes_first_and_must_be_ours(void **state)
{
    (void)state;
    struct test_client client;
    const uint16_t next[4] = {1, 0, 0, 0};
    assert_true(test_client_connect(&client, test_server_path(&server, "a")));
    assert_int_equal(error_of(&client, VFIO_USER_VERSION, next, sizeof(next)), EOPNOTSUPP);
    assert_false(test_client_ask(&client, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0, &reply));
    assert_true(test_client_is_dropped(&client));
    test_client_close(&client);
}

static bool has_so_many_descriptors(void *context)
{
    return test_open_descriptors() == *(const size_t *)context;
}

static void a_flood_of_descriptors_leaves_none_behind(void **state)
{
    (void)state;
    int fds[200];
    struct test_client client;
    size_t before = test_open_descriptors();
    const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < 200; i++)
        fds[i] = zero;
    const struct vfio_user_dma_map map = {.argsz = sizeof(map), .size = 4096};
#ifdef __aarch64__ /* tested under qemu-user, which keeps the descriptors that it cuts off */
    const size_t counts[] = {2, 16, 17};
#else
    const size_t counts[] = {2, 16, 17, 200};
#endif
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        join(&client, "a");
        assert_true(test_client_ask(&client, VFIO_USER_DMA_MAP, &map, sizeof(map), fds, 1, &reply));
        assert_int_equal(reply.header.flags & VFIO_USER_ERROR, 0);
        assert_false(
            test_client_ask(&client, VFIO_USER_DMA_MAP, &map, sizeof(map), fds, counts[i], &reply));
        assert_true(test_client_is_dropped(&client));
        test_client_close(&client);
    }
    /* In the middle of a message that never ends. */
    join(&client, "a");
    const struct vfio_user_header header = {.command = VFIO_USER_DEVICE_SET_IRQS,
                                            .message_bytes = 60};
    for (int i = 0; i < 17; i++)
        (void)test_client_send(&client, (const char *)&header + i % 16, 1, fds, 1);
    assert_true(test_client_is_dropped(&client));
    test_client_close(&client);
    assert_int_equal(close(zero), 0);
    assert_true(eventually(has_so_many_descriptors, &before, EVENTUALLY_TIMEOUT_NS));
}

static void who_never_reads_holds_up_nobody(void **state)
{
    (void)state;
    struct test_client deaf;
    struct test_client pair[2];
    uint64_t control[2];
    join(&deaf, "a");
    const struct {
        struct vfio_user_header header;
        struct vfio_user_region_access access;
    } message = {{.command = VFIO_USER_REGION_READ, .message_bytes = sizeof(message)},
                 {.offset = 1u << 17, .region = WINDOWS, .count = VDEV_MESSAGE_DATA_MAX}};
    /* Until the server takes no more of it, and the socket is full both ways. */
    int sent = 0;
    while (sent < 100000 && send(deaf.fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) ==
                                (ssize_t)sizeof(message))
        sent++;
    assert_true(sent < 100000);
    join_pair(pair, control);
    assert_true(test_client_write(&pair[1], WINDOWS, control[1] + NOTIFY, 4, 1));
    assert_true(test_client_interrupted(&pair[0]));
    /* It was not dropped for being slow: every answer comes, whole and in order. */
    for (int i = 0; i < sent; i++) {
        assert_true(test_client_hear(&deaf, &reply));
        assert_int_equal(reply.payload_bytes, sizeof(message.access) + VDEV_MESSAGE_DATA_MAX);
    }
    test_client_close(&deaf);
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
}

/* Whichever reply is the first that waits, it comes without a further request. */
static void a_reply_that_waited_comes_when_it_is_read(void **state)
{
    (void)state;
    struct test_client other;
    const struct {
        struct vfio_user_header header;
        struct vfio_user_region_access access;
    } message = {{.command = VFIO_USER_REGION_READ, .message_bytes = sizeof(message)},
                 {.offset = 1u << 17, .region = WINDOWS, .count = VDEV_MESSAGE_DATA_MAX}};
    join(&other, "b");
    for (int count = 1; count < 12; count++) {
        struct test_client client;
        join(&client, "a");
        for (int i = 0; i < count; i++)
            assert_true(test_client_send(&client, &message, sizeof(message), NULL, 0));
        for (int i = 0; i < 3; i++) /* by then the server has done what it can */
            assert_int_equal(test_client_read(&other, 0, 0, 8), GUEST_SHM_SIGNATURE);
        for (int i = 0; i < count; i++)
            assert_true(test_client_hear(&client, &reply));
        test_client_close(&client);
    }
    test_client_close(&other);
}

static void a_blocking_pipe_is_no_interrupt(void **state)
{
    (void)state;
    int ends[2];
    struct test_client client;
    const struct vfio_irq_set set = {.argsz = sizeof(set),
                                     .flags =
                                         VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                                     .index = VFIO_PCI_MSIX_IRQ_INDEX,
                                     .count = 1};
    assert_int_equal(pipe(ends), 0);
    join(&client, "a");
    assert_true(test_client_ask(&client, VFIO_USER_DEVICE_SET_IRQS, &set, sizeof(set), &ends[1], 1,
                                &reply));
    assert_int_equal(reply.header.error, EINVAL);
    test_client_close(&client);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
}

static void a_socket_has_its_share_of_connections_only(void **state)
{
    (void)state;
    struct test_client clients[33];
    struct test_client other;
    for (int i = 0; i < 32; i++)
        join(&clients[i], "a");
    assert_true(test_client_connect(&clients[32], test_server_path(&server, "a")));
    assert_true(test_client_is_dropped(&clients[32]));
    join(&other, "b");
    test_client_close(&other);
    for (int i = 0; i < 33; i++)
        test_client_close(&clients[i]);
}

static void who_comes_and_goes_leaves_nothing_behind(void **state)
{
    (void)state;
    size_t before = test_open_descriptors();
    for (unsigned int i = 0; i < VDEV_GUESTS_MAX + 10; i++) {
        struct test_client client;
        join(&client, "a");
        assert_int_equal(test_client_attach(&client, "r", 1, NULL), GSS_OK);
        test_client_close(&client);
        assert_true(eventually(has_so_many_descriptors, &before, EVENTUALLY_TIMEOUT_NS));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_wire_carries_the_values_of_the_reference),
        TEST(two_guests_ring_each_other),
        TEST(who_hangs_up_is_detached_and_the_other_is_told),
        TEST(a_reset_detaches_and_the_client_may_come_again),
        TEST(a_reset_forgets_an_interrupt_that_nobody_took),
        cmocka_unit_test_setup_teardown(a_line_is_raised_again_while_status_is_unread, setup_pin,
                                        teardown),
        TEST(rules_are_those_of_the_socket),
        TEST(the_17th_client_of_a_region_is_refused),
        TEST(without_an_address_nothing_can_be_attached),
        TEST(a_window_that_is_too_small_is_no_memory),
        TEST(data_pages_are_mapped_and_control_pages_are_not),
        TEST(wrong_requests_are_refused_and_the_conversation_goes_on),
        TEST(odd_widths_read_as_all_ones_and_write_nothing),
        TEST(a_posted_write_has_no_reply),
        TEST(half_a_message_holds_up_nobody),
        TEST(a_lying_length_or_a_reply_ends_the_conversation),
        TEST(the_version_comes_first_and_must_be_ours),
        TEST(a_flood_of_descriptors_leaves_none_behind),
        TEST(who_never_reads_holds_up_nobody),
        TEST(a_reply_that_waited_comes_when_it_is_read),
        TEST(a_blocking_pipe_is_no_interrupt),
        TEST(a_socket_has_its_share_of_connections_only),
        TEST(who_comes_and_goes_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
