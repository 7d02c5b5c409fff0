/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the registers by a device server's socket, against a server that is a script and may lie (mock_device.h).
 */
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/mock_device.h"
#include "transport/transport.h"
#include "transport/vdev/registers.h"

#include <dirent.h>
#include <guest_shm.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vfio_user.h>

#include <cmocka.h>

#define TIMEOUT_NS UINT64_C(10000000000)
#define SHORT_NS UINT64_C(60000000)
#define PAGE 4096u

static struct mock_device *mock;

static int set_up(void **state)
{
    (void)state;
    mock = malloc(sizeof(*mock));
    if (mock == NULL)
        return -1;
    mock_prepare(mock);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mock_abandon(mock);
    free(mock);
    return 0;
}

static uint32_t descriptors(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

static struct peal_vdev_registers *open_mock(void)
{
    struct peal_vdev_registers *registers = NULL;
    mock_start(mock);
    const enum peal_status status = peal_vdev_socket_open(mock->path, TIMEOUT_NS, &registers);
    if (status != PEAL_OK)
        fail_msg("%s: %s", peal_status_name(status), peal_error_message());
    return registers;
}

/* Opening fails so, with a message about that, and leaves no descriptor. */
static void expect_refused(enum peal_status expected, const char *message)
{
    struct peal_vdev_registers *registers = NULL;
    const uint32_t before = descriptors();
    mock_start(mock);
    const enum peal_status status = peal_vdev_socket_open(mock->path, TIMEOUT_NS, &registers);
    mock_stop(mock);
    assert_int_equal(status, expected);
    if (strstr(peal_error_message(), message) == NULL)
        fail_msg("'%s' does not say '%s'", peal_error_message(), message);
    assert_null(registers);
    assert_int_equal(descriptors(), before);
}

static uint64_t windows_address(void)
{
    uint64_t address = 0;
    for (uint32_t i = 0; i < 8; i++)
        address |= (uint64_t)mock->config[0x18 + i] << (8 * i);
    return address & ~UINT64_C(0xf);
}

static bool is_readable(int descriptor)
{
    struct pollfd waited = {.fd = descriptor, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

static bool becomes_readable(void *context)
{
    return is_readable(*(const int *)context);
}

/* ---- what works ------------------------------------------------------------------------------ */

static void test_opening_finds_the_device_and_gives_it_addresses(void **state)
{
    (void)state;
    const uint32_t before = descriptors();
    struct peal_vdev_registers *registers = open_mock();
    uint64_t value = 0;
    assert_string_equal(registers->device, mock->path);
    assert_int_equal(registers->ops->read(registers, registers->factory, 8, &value), PEAL_OK);
    assert_true(value == GUEST_SHM_SIGNATURE);
    assert_int_equal(mock->config[4] & 2, 2); /* memory is enabled */
    assert_true(registers->factory % PAGE == 0 && registers->factory != 0);
    assert_true(windows_address() % MOCK_BAR_BYTES == 0);
    assert_int_equal(mock->interrupts_set, mock->vectors);
    assert_int_equal(mock->asked[VFIO_USER_DEVICE_GET_REGION_INFO],
                     3); /* one for BAR 0, two for 2 */
    registers->ops->close(registers);
    mock_stop(mock);
    assert_int_equal(descriptors(), before);
}

static void test_registers_are_read_and_written_by_their_width(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = open_mock();
    const struct peal_vdev_registers_ops *ops = registers->ops;
    const uint64_t control = windows_address() + MOCK_WINDOW_BYTES;
    uint64_t value;
    assert_int_equal(ops->write(registers, registers->factory + 28, 1, 'x', false), PEAL_OK);
    assert_int_equal(ops->write(registers, registers->factory + 24, 4, 0x12345678, false), PEAL_OK);
    assert_int_equal(ops->write(registers, control + 8, 4, 0xfffffffe, true), PEAL_OK);
    assert_int_equal(ops->read(registers, registers->factory + 24, 4, &value), PEAL_OK);
    assert_true(value == 0x12345678);
    assert_int_equal(ops->read(registers, registers->factory + 25, 1, &value), PEAL_OK);
    assert_true(value == 0x56);
    assert_int_equal(ops->read(registers, control + 8, 4, &value), PEAL_OK);
    assert_true(value == 0xfffffffe);
    ops->close(registers);
    mock_stop(mock);
    const struct mock_write expected[] = {
        {.region = 0, .width = 1, .offset = 28, .value = 'x'},
        {.region = 0, .width = 4, .offset = 24, .value = 0x12345678},
        {.region = 2,
         .width = 4,
         .offset = MOCK_WINDOW_BYTES + 8,
         .value = 0xfffffffe,
         .posted = true},
    };
    assert_int_equal(mock->logged, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(mock->log[i].region, expected[i].region);
        assert_int_equal(mock->log[i].width, expected[i].width);
        assert_true(mock->log[i].offset == expected[i].offset);
        assert_true(mock->log[i].value == expected[i].value);
        assert_int_equal(mock->log[i].posted, expected[i].posted);
    }
}

static void test_an_address_without_a_device_reads_as_ones_and_ignores_writes(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = open_mock();
    uint64_t value = 0;
    const uint64_t places[] = {0,
                               registers->factory - 4,
                               registers->factory + PAGE,
                               registers->factory + PAGE - 2,
                               windows_address() + MOCK_BAR_BYTES,
                               UINT64_MAX - 2};
    const uint32_t before = mock->asked_total;
    for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(registers->ops->read(registers, places[i], 4, &value), PEAL_OK);
        assert_true(value == UINT32_MAX);
        assert_int_equal(registers->ops->write(registers, places[i], 4, 1, false), PEAL_OK);
    }
    assert_int_equal(mock->asked_total, before);
    registers->ops->close(registers);
}

static void test_what_the_server_refuses_reads_as_ones_and_the_connection_goes_on(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = open_mock();
    uint64_t value = 0;
    mock->fault_command = VFIO_USER_REGION_READ;
    mock->fault_at = mock->asked[VFIO_USER_REGION_READ];
    mock->fault = MOCK_ERROR;
    assert_int_equal(registers->ops->read(registers, registers->factory, 8, &value), PEAL_OK);
    assert_true(value == UINT64_MAX);
    assert_int_equal(registers->ops->read(registers, registers->factory, 8, &value), PEAL_OK);
    assert_true(value == GUEST_SHM_SIGNATURE);
    registers->ops->close(registers);
}

static void test_an_interrupt_makes_the_descriptor_readable_until_acknowledged(void **state)
{
    (void)state;
    mock->interrupt_offset = 64;
    struct peal_vdev_registers *registers = open_mock();
    assert_false(is_readable(registers->fd));
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(registers->ops->write(registers, registers->factory + 64, 4, 1, false),
                         PEAL_OK);
        assert_true(is_readable(registers->fd));
        registers->ops->acknowledge(registers);
        assert_false(is_readable(registers->fd));
    }
    registers->ops->close(registers);
}

static void test_posted_writes_arrive_in_order_also_when_the_socket_is_full(void **state)
{
    (void)state;
    enum { WRITES = 5000 };
    struct peal_vdev_registers *registers = open_mock();
    uint64_t value;
    mock->client = gettid();
    mock->fault_command = VFIO_USER_REGION_WRITE;
    mock->fault_at = mock->asked[VFIO_USER_REGION_WRITE];
    mock->fault = MOCK_STALL;
    for (uint32_t i = 0; i < WRITES; i++)
        assert_int_equal(registers->ops->write(registers, registers->factory + 24, 4, i, true),
                         PEAL_OK);
    assert_int_equal(registers->ops->read(registers, registers->factory + 24, 4, &value), PEAL_OK);
    assert_int_equal(value, WRITES - 1);
    registers->ops->close(registers);
    mock_stop(mock);
    assert_true(mock->faulty);
    assert_int_equal(mock->logged, WRITES);
    for (uint32_t i = 0; i < WRITES; i++) {
        assert_int_equal(mock->log[i].value, i);
        assert_true(mock->log[i].posted);
    }
}

struct worker {
    pthread_t thread;
    struct peal_vdev_registers *registers;
    uint64_t address;
    uint32_t wrong;
};

static void *write_and_read(void *context)
{
    struct worker *worker = context;
    for (uint64_t i = 0; i < 500; i++) {
        uint64_t value = 0;
        const uint64_t written = worker->address << 32 | i;
        const struct peal_vdev_registers_ops *ops = worker->registers->ops;
        if (ops->write(worker->registers, worker->address, 8, written, i % 2 == 0) != PEAL_OK ||
            ops->read(worker->registers, worker->address, 8, &value) != PEAL_OK || value != written)
            worker->wrong++;
    }
    return NULL;
}

static void test_any_threads_may_use_registers_at_once(void **state)
{
    (void)state;
    struct worker workers[4];
    struct peal_vdev_registers *registers = open_mock();
    for (uint32_t i = 0; i < 4; i++) {
        workers[i] =
            (struct worker){.registers = registers, .address = registers->factory + 128 + 8 * i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, write_and_read, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    registers->ops->close(registers);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void mark(uint64_t offset, unsigned char value)
{
    assert_int_equal(pwrite(mock->memory, &value, 1, (off_t)offset), 1);
}

static void expect_no_map(struct peal_vdev_registers *registers, uint64_t control, uint32_t pages)
{
    unsigned char *base = NULL;
    assert_int_equal(registers->ops->map(registers, control, pages, &base), PEAL_EFORMAT);
    assert_null(base);
}

static void test_data_pages_are_those_of_the_window(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = open_mock();
    const uint64_t window = windows_address() + MOCK_WINDOW_BYTES;
    const uint32_t most = (MOCK_WINDOW_BYTES - MOCK_DATA_OFFSET) / PAGE;
    unsigned char *base = NULL;
    mark(MOCK_WINDOW_BYTES + MOCK_DATA_OFFSET, 7);
    mark(2 * MOCK_WINDOW_BYTES - 1, 9);
    for (uint32_t control = 0; control < MOCK_DATA_OFFSET; control += MOCK_DATA_OFFSET - PAGE) {
        assert_int_equal(registers->ops->map(registers, window + control, most, &base), PEAL_OK);
        assert_int_equal(base[0], 7);
        assert_int_equal(base[(size_t)most * PAGE - 1], 9);
        base[1] = (unsigned char)control;
        registers->ops->unmap(registers, base, most);
    }
    registers->ops->close(registers);
}

static void test_data_pages_that_are_none_are_not_mapped(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = open_mock();
    const uint64_t windows = windows_address();
    const uint32_t most = (MOCK_WINDOW_BYTES - MOCK_DATA_OFFSET) / PAGE;
    expect_no_map(registers, windows, 0);
    expect_no_map(registers, windows, most + 1);
    expect_no_map(registers, windows, UINT32_MAX);
    expect_no_map(registers, windows + 1, 1);
    expect_no_map(registers, windows + MOCK_DATA_OFFSET, 1);
    expect_no_map(registers, windows + MOCK_BAR_BYTES, 1);
    expect_no_map(registers, windows - PAGE, 1);
    expect_no_map(registers, 0, 1);
    expect_no_map(registers, UINT64_MAX, 1);
    registers->ops->close(registers);
}

static void test_data_pages_outside_of_the_mappable_areas_are_not_mapped(void **state)
{
    (void)state;
    mock->area_bytes = 4 * PAGE;
    mock->areas = 2;
    struct peal_vdev_registers *registers = open_mock();
    const uint64_t windows = windows_address();
    unsigned char *base = NULL;
    expect_no_map(registers, windows, 5);
    expect_no_map(registers, windows + 2 * MOCK_WINDOW_BYTES, 1);
    assert_int_equal(registers->ops->map(registers, windows + MOCK_WINDOW_BYTES, 4, &base),
                     PEAL_OK);
    registers->ops->unmap(registers, base, 4);
    registers->ops->close(registers);
}

static void test_data_pages_beyond_the_end_of_the_file_are_not_mapped(void **state)
{
    (void)state;
    mock->memory_bytes = MOCK_DATA_OFFSET + 3 * PAGE - 1;
    struct peal_vdev_registers *registers = open_mock();
    const uint64_t windows = windows_address();
    unsigned char *base = NULL;
    expect_no_map(registers, windows, 3);
    expect_no_map(registers, windows + MOCK_WINDOW_BYTES, 1);
    assert_int_equal(registers->ops->map(registers, windows, 2, &base), PEAL_OK);
    base[2 * PAGE - 1] = 1; /* no SIGBUS */
    registers->ops->unmap(registers, base, 2);
    registers->ops->close(registers);
}

static void test_without_windows_the_data_follow_their_control_page(void **state)
{
    (void)state;
    mock->config[MOCK_CAPABILITY_MSIX + 1] = 0; /* the end of the list */
    struct peal_vdev_registers *registers = open_mock();
    const uint64_t control = windows_address() + MOCK_DATA_OFFSET - PAGE;
    unsigned char *base = NULL;
    mark(MOCK_DATA_OFFSET, 5);
    assert_int_equal(registers->ops->map(registers, control, 2, &base), PEAL_OK);
    assert_int_equal(base[0], 5);
    registers->ops->unmap(registers, base, 2);
    expect_no_map(registers, control - PAGE, 2);
    expect_no_map(registers, windows_address() + MOCK_BAR_BYTES - PAGE, 1);
    registers->ops->close(registers);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_another_version_is_refused(void **state)
{
    (void)state;
    mock->version_major = 1;
    expect_refused(PEAL_EFORMAT, "version 1.0");
    mock_prepare(mock);
    mock->version_minor = 3;
    expect_refused(PEAL_EFORMAT, "version 0.3");
}

static void test_another_device_is_refused(void **state)
{
    (void)state;
    mock->config[2] = 2;
    expect_refused(PEAL_EFORMAT, "1C05:0002");
    mock_prepare(mock);
    mock->flags = 0;
    expect_refused(PEAL_EFORMAT, "not a PCI device");
}

static void test_a_bar_without_memory_is_refused(void **state)
{
    (void)state;
    mock->without_memory = true;
    expect_refused(PEAL_EFORMAT, "without memory");
    mock_prepare(mock);
    mock->with_pipe = true;
    expect_refused(PEAL_EFORMAT, "not a file of memory");
}

static void test_bars_of_a_wrong_size_are_refused(void **state)
{
    (void)state;
    const uint64_t sizes[] = {0, PAGE - 1, UINT64_C(1) << 32, UINT64_MAX};
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        mock_prepare(mock);
        mock->factory_bytes = sizes[i];
        expect_refused(PEAL_EFORMAT, "BAR 0");
    }
    const uint64_t bars[] = {0, PAGE, UINT64_C(1) << 60, UINT64_MAX};
    for (uint32_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        mock_prepare(mock);
        mock->bar_bytes = bars[i];
        expect_refused(PEAL_EFORMAT, "BAR 2");
    }
}

static void test_the_description_of_another_bar_is_refused(void **state)
{
    (void)state;
    mock->wrong_index = 1;
    expect_refused(PEAL_EFORMAT, "another BAR");
}

static void test_bars_that_take_no_address_are_refused(void **state)
{
    (void)state;
    mock->frozen_bars = true;
    expect_refused(PEAL_EFORMAT, "do not take the addresses");
}

static void test_a_list_of_areas_that_lies_is_refused(void **state)
{
    (void)state;
    mock->areas = MOCK_WINDOWS + 1;
    expect_refused(PEAL_EFORMAT, "cut off");
    mock_prepare(mock);
    mock->areas = UINT32_MAX;
    expect_refused(PEAL_EFORMAT, "cut off");
    mock_prepare(mock);
    mock->area_bytes = MOCK_WINDOW_BYTES;
    expect_refused(PEAL_EFORMAT, "more may be mapped");
    const uint32_t offsets[] = {1, 31, 108, 200, UINT32_MAX - 3};
    for (uint32_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        mock_prepare(mock);
        mock->capability_offset = offsets[i];
        expect_refused(PEAL_EFORMAT, "cut off");
    }
    mock_prepare(mock);
    mock->extra_argsz = 1u << 20;
    expect_refused(PEAL_EFORMAT, "longer than it may be");
}

static void test_windows_that_lie_are_refused(void **state)
{
    (void)state;
    const struct {
        uint32_t place;
        uint32_t value;
    } lies[] = {
        {3, 2},                      /* version */
        {8, 1},                      /* bar */
        {12, 0},                     /* data_offset */
        {12, 100},                   /* not whole pages */
        {12, MOCK_WINDOW_BYTES},     /* no room for data */
        {16, MOCK_WINDOW_BYTES + 1}, /* window_bytes: not whole pages */
        {16, 0},                     /* none */
        {20, 1},                     /* 4 GiB larger */
        {24, 0},                     /* windows: none */
        {24, MOCK_WINDOWS + 1},      /* more than the BAR holds */
        {24, UINT32_MAX},            /* */
    };
    for (uint32_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        mock_prepare(mock);
        unsigned char *capability = mock->config + MOCK_CAPABILITY_WINDOWS + lies[i].place;
        const uint32_t bytes = lies[i].place < 12 ? 1 : 4;
        for (uint32_t b = 0; b < bytes; b++)
            capability[b] = (unsigned char)(lies[i].value >> (8 * b));
        expect_refused(PEAL_EFORMAT, "its windows");
    }
}

static void test_a_list_of_capabilities_without_end_is_left(void **state)
{
    (void)state;
    mock->config[MOCK_CAPABILITY_MSIX + 1] = MOCK_CAPABILITY_MSIX;
    struct peal_vdev_registers *registers = open_mock();
    assert_true(mock->asked[VFIO_USER_REGION_READ] < 100);
    registers->ops->close(registers);
}

static void test_a_device_without_vectors_or_with_too_many_is_refused(void **state)
{
    (void)state;
    mock->vectors = 0;
    expect_refused(PEAL_EFORMAT, "vectors");
    mock_prepare(mock);
    mock->vectors = UINT32_MAX;
    expect_refused(PEAL_EFORMAT, "vectors");
}

static void test_descriptors_that_nobody_asked_for_are_closed(void **state)
{
    (void)state;
    const uint32_t commands[] = {VFIO_USER_VERSION, VFIO_USER_DEVICE_GET_REGION_INFO,
                                 VFIO_USER_DEVICE_SET_IRQS, VFIO_USER_REGION_READ};
    for (uint32_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        mock_prepare(mock);
        mock->fault = MOCK_EXTRA_DESCRIPTORS;
        mock->fault_command = commands[i];
        const uint32_t before = descriptors();
        struct peal_vdev_registers *registers = open_mock();
        registers->ops->close(registers);
        mock_stop(mock);
        assert_true(mock->faulty);
        assert_int_equal(descriptors(), before);
    }
}

/* ---- a server that fails --------------------------------------------------------------------- */

static bool is_silence(enum mock_fault fault)
{
    return fault == MOCK_SILENT || fault == MOCK_HALF_SILENT;
}

/* How many requests an opening makes when nothing is wrong. */
static uint32_t count_requests(void)
{
    struct peal_vdev_registers *registers = open_mock();
    registers->ops->close(registers);
    mock_stop(mock);
    return mock->asked_total;
}

/* Opens with one fault at one request. Whatever comes of it is told, nothing is left, and it does not take long. */
static void try_fault(enum mock_fault fault, uint32_t at, bool may_be_empty)
{
    struct peal_vdev_registers *registers = NULL;
    mock_prepare(mock);
    mock->fault = fault;
    mock->fault_at = at;
    const uint32_t before = descriptors();
    const uint64_t start_ns = test_now_ns();
    mock_start(mock);
    const enum peal_status status =
        peal_vdev_socket_open(mock->path, is_silence(fault) ? SHORT_NS : TIMEOUT_NS, &registers);
    const uint64_t took_ns = test_now_ns() - start_ns;
    if (status == PEAL_OK)
        registers->ops->close(registers);
    mock_stop(mock);
    if (is_silence(fault)) {
        assert_int_equal(status, PEAL_TIMEDOUT);
        assert_true(took_ns >= SHORT_NS);
    } else if (fault != MOCK_ERROR && fault != MOCK_WRONG_PLACE &&
               !(fault == MOCK_NO_PAYLOAD && may_be_empty)) {
        assert_int_equal(status, PEAL_ESYSTEM);
    } else if (status != PEAL_OK) {
        assert_true(status == PEAL_EFORMAT || status == PEAL_ESYSTEM);
    }
    if (status != PEAL_OK)
        assert_non_null(strstr(peal_error_message(), mock->path));
    assert_true(took_ns < EVENTUALLY_TIMEOUT_NS);
    assert_true(mock->faulty);
    assert_int_equal(descriptors(), before);
}

static void test_each_fault_in_each_reply_of_an_opening_is_survived(void **state)
{
    (void)state;
    const uint32_t requests = count_requests();
    const uint32_t vectors = mock->vectors; /* SET_IRQS, at the end, has an empty reply */
    assert_in_range(requests, 15, 60);
    for (uint32_t at = 0; at < requests; at++) {
        for (uint32_t fault = MOCK_ERROR; fault < MOCK_FAULTS; fault++) {
            /* The silences each cost their timeout: at every fourth request. */
            if (!is_silence((enum mock_fault)fault) || at % 4 == 0)
                try_fault((enum mock_fault)fault, at, at >= requests - vectors);
        }
    }
}

static void test_each_fault_in_a_register_access_ends_the_connection(void **state)
{
    (void)state;
    for (uint32_t fault = MOCK_ERROR + 1; fault < MOCK_FAULTS; fault++) {
        for (uint32_t write = 0; write < 2; write++) {
            struct peal_vdev_registers *registers = NULL;
            uint64_t value = 0;
            mock_prepare(mock);
            mock_start(mock);
            const uint64_t timeout_ns =
                is_silence((enum mock_fault)fault) ? 8 * SHORT_NS : TIMEOUT_NS;
            assert_int_equal(peal_vdev_socket_open(mock->path, timeout_ns, &registers), PEAL_OK);
            mock->fault_at = mock->asked_total;
            mock->fault = (enum mock_fault)fault;
            const uint64_t place = registers->factory + 24;
            const enum peal_status status =
                write != 0 ? registers->ops->write(registers, place, 4, 1, false)
                           : registers->ops->read(registers, place, 4, &value);
            assert_int_equal(status, PEAL_ESYSTEM);
            assert_int_equal(registers->ops->read(registers, place, 4, &value), PEAL_ESYSTEM);
            assert_non_null(strstr(peal_error_message(), "is gone"));
            assert_non_null(strstr(peal_error_message(), mock->path));
            assert_int_equal(registers->ops->write(registers, place, 4, 1, true), PEAL_ESYSTEM);
            registers->ops->close(registers);
            mock_stop(mock);
            assert_int_equal(mock->asked_total, mock->fault_at + 1); /* and nothing afterwards */
        }
    }
}

static void test_a_posted_write_to_a_server_that_reads_nothing_ends_after_the_timeout(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = NULL;
    mock_start(mock);
    assert_int_equal(peal_vdev_socket_open(mock->path, 8 * SHORT_NS, &registers), PEAL_OK);
    mock->fault_command = VFIO_USER_REGION_WRITE;
    mock->fault_at = mock->asked[VFIO_USER_REGION_WRITE];
    mock->fault = MOCK_DEAF;
    enum peal_status status = PEAL_OK;
    const uint64_t start_ns = test_now_ns();
    for (uint32_t i = 0; i < 1000000 && status == PEAL_OK; i++)
        status = registers->ops->write(registers, registers->factory + 24, 4, i, true);
    assert_int_equal(status, PEAL_ESYSTEM);
    assert_true(test_now_ns() - start_ns >= 8 * SHORT_NS);
    assert_non_null(strstr(peal_error_message(), "did not answer"));
    registers->ops->close(registers);
}

static void test_a_sleeper_learns_that_the_server_is_gone(void **state)
{
    (void)state;
    mock->end_offset = 64;
    struct peal_vdev_registers *registers = open_mock();
    uint64_t value;
    assert_false(is_readable(registers->fd));
    assert_int_equal(registers->ops->write(registers, registers->factory + 64, 4, 1, true),
                     PEAL_OK);
    assert_true(eventually(becomes_readable, &registers->fd, EVENTUALLY_TIMEOUT_NS));
    registers->ops->acknowledge(registers);
    assert_false(is_readable(registers->fd)); /* told once: no sleeper spins */
    assert_int_equal(registers->ops->read(registers, registers->factory, 8, &value), PEAL_ESYSTEM);
    assert_non_null(strstr(peal_error_message(), "is gone"));
    registers->ops->close(registers);
}

static void test_a_path_where_nobody_listens_is_told(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = NULL;
    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(peal_vdev_socket_open(mock->path, TIMEOUT_NS, &registers), PEAL_ENOENT);
    assert_non_null(strstr(peal_error_message(), "peal-vdev --guest"));
    assert_int_equal(peal_vdev_socket_open("", TIMEOUT_NS, &registers), PEAL_EINVAL);
    assert_int_equal(peal_vdev_socket_open(longer, TIMEOUT_NS, &registers), PEAL_EINVAL);
    assert_null(registers);
}

static void
test_a_listener_that_accepts_nobody_is_waited_for_no_longer_than_the_timeout(void **state)
{
    (void)state;
    struct peal_vdev_registers *registers = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int waiting[16];
    memcpy(address.sun_path, mock->path, sizeof(mock->path));
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 0), 0);
    for (uint32_t i = 0; i < 16; i++) { /* the listener's queue is full */
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(waiting[i], (const struct sockaddr *)&address, sizeof(address));
    }
    const uint64_t start_ns = test_now_ns();
    assert_int_equal(peal_vdev_socket_open(mock->path, SHORT_NS, &registers), PEAL_TIMEDOUT);
    assert_true(test_now_ns() - start_ns >= SHORT_NS);
    for (uint32_t i = 0; i < 16; i++)
        (void)close(waiting[i]);
    (void)close(listener);
    (void)unlink(mock->path);
}

/* ---- fork ------------------------------------------------------------------------------------ */

static int use_in_child(struct child_link *link, void *context)
{
    struct peal_vdev_registers *registers = context;
    uint64_t value;
    uint64_t word;
    registers->ops->acknowledge(registers);
    const bool refused =
        registers->ops->read(registers, registers->factory, 8, &value) == PEAL_ESYSTEM;
    (void)child_say(link, refused);
    (void)child_hear(link, &word); /* stays alive until the parent says so */
    return 0;
}

static void test_a_child_does_not_keep_its_parents_guest_alive(void **state)
{
    (void)state;
    mock->interrupt_offset = 64;
    struct peal_vdev_registers *registers = open_mock();
    struct child child;
    uint64_t refused = 0;
    uint64_t value = 0;
    assert_int_equal(registers->ops->write(registers, registers->factory + 64, 4, 1, false),
                     PEAL_OK);
    assert_true(child_start(&child, use_in_child, registers));
    assert_true(child_hear(&child.link, &refused));
    assert_int_equal(refused, 1);
    /* The parent's connection and its interrupt are as before. */
    assert_true(is_readable(registers->fd));
    assert_int_equal(registers->ops->read(registers, registers->factory, 8, &value), PEAL_OK);
    assert_true(value == GUEST_SHM_SIGNATURE);
    registers->ops->close(registers);
    mock_stop(mock); /* returns: the server saw the end although the child lives */
    assert_true(child_say(&child.link, 1));
    assert_int_equal(child_reap(&child), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_opening_finds_the_device_and_gives_it_addresses),
        TEST(test_registers_are_read_and_written_by_their_width),
        TEST(test_an_address_without_a_device_reads_as_ones_and_ignores_writes),
        TEST(test_what_the_server_refuses_reads_as_ones_and_the_connection_goes_on),
        TEST(test_an_interrupt_makes_the_descriptor_readable_until_acknowledged),
        TEST(test_posted_writes_arrive_in_order_also_when_the_socket_is_full),
        TEST(test_any_threads_may_use_registers_at_once),
        TEST(test_data_pages_are_those_of_the_window),
        TEST(test_data_pages_that_are_none_are_not_mapped),
        TEST(test_data_pages_outside_of_the_mappable_areas_are_not_mapped),
        TEST(test_data_pages_beyond_the_end_of_the_file_are_not_mapped),
        TEST(test_without_windows_the_data_follow_their_control_page),
        TEST(test_another_version_is_refused),
        TEST(test_another_device_is_refused),
        TEST(test_a_bar_without_memory_is_refused),
        TEST(test_bars_of_a_wrong_size_are_refused),
        TEST(test_the_description_of_another_bar_is_refused),
        TEST(test_bars_that_take_no_address_are_refused),
        TEST(test_a_list_of_areas_that_lies_is_refused),
        TEST(test_windows_that_lie_are_refused),
        TEST(test_a_list_of_capabilities_without_end_is_left),
        TEST(test_a_device_without_vectors_or_with_too_many_is_refused),
        TEST(test_descriptors_that_nobody_asked_for_are_closed),
        TEST(test_each_fault_in_each_reply_of_an_opening_is_survived),
        TEST(test_each_fault_in_a_register_access_ends_the_connection),
        TEST(test_a_posted_write_to_a_server_that_reads_nothing_ends_after_the_timeout),
        TEST(test_a_sleeper_learns_that_the_server_is_gone),
        TEST(test_a_path_where_nobody_listens_is_told),
        TEST(test_a_listener_that_accepts_nobody_is_waited_for_no_longer_than_the_timeout),
        TEST(test_a_child_does_not_keep_its_parents_guest_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
