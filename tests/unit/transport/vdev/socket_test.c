/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the registers by a device server's socket, against a server that is a script (mock_device.h).
 */
#include "tests/support/child.h"
#include "tests/support/socket_fixture.h"

#include <guest_shm.h>
#include <pthread.h>
#include <unistd.h>
#include <vfio_user.h>

/* ---- what works ------------------------------------------------------------------------------ */

static void opening_finds_the_device_and_gives_it_addresses(void **state)
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

static void registers_are_read_and_written_by_their_width(void **state)
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

static void an_address_without_a_device_reads_as_ones_and_ignores_writes(void **state)
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

static void what_the_server_refuses_reads_as_ones_and_the_connection_goes_on(void **state)
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

static void an_interrupt_makes_the_descriptor_readable_until_acknowledged(void **state)
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

static void posted_writes_arrive_in_order_also_when_the_socket_is_full(void **state)
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

static void any_threads_may_use_registers_at_once(void **state)
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

static void a_child_does_not_keep_its_parents_guest_alive(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_finds_the_device_and_gives_it_addresses),
        TEST(registers_are_read_and_written_by_their_width),
        TEST(an_address_without_a_device_reads_as_ones_and_ignores_writes),
        TEST(what_the_server_refuses_reads_as_ones_and_the_connection_goes_on),
        TEST(an_interrupt_makes_the_descriptor_readable_until_acknowledged),
        TEST(posted_writes_arrive_in_order_also_when_the_socket_is_full),
        TEST(any_threads_may_use_registers_at_once),
        TEST(a_child_does_not_keep_its_parents_guest_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
