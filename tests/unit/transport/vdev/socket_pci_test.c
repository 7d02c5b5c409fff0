/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCI function behind a socket: devices, descriptions and windows that are as they should be, and those that are not.
 */
#include "tests/support/socket_fixture.h"

#include <unistd.h>
#include <vfio_user.h>

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

static void data_pages_are_those_of_the_window(void **state)
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

static void data_pages_that_are_none_are_not_mapped(void **state)
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

static void data_pages_outside_of_the_mappable_areas_are_not_mapped(void **state)
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

static void data_pages_beyond_the_end_of_the_file_are_not_mapped(void **state)
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

static void without_windows_the_data_follow_their_control_page(void **state)
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

static void another_version_is_refused(void **state)
{
    (void)state;
    mock->version_major = 1;
    expect_refused(PEAL_EFORMAT, "version 1.0");
    mock_prepare(mock);
    mock->version_minor = 3;
    expect_refused(PEAL_EFORMAT, "version 0.3");
}

static void another_device_is_refused(void **state)
{
    (void)state;
    mock->config[2] = 2;
    expect_refused(PEAL_EFORMAT, "1C05:0002");
    mock_prepare(mock);
    mock->flags = 0;
    expect_refused(PEAL_EFORMAT, "not a PCI device");
}

static void a_bar_without_memory_is_refused(void **state)
{
    (void)state;
    mock->without_memory = true;
    expect_refused(PEAL_EFORMAT, "without memory");
    mock_prepare(mock);
    mock->with_pipe = true;
    expect_refused(PEAL_EFORMAT, "not a file of memory");
}

static void bars_of_a_wrong_size_are_refused(void **state)
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

static void the_description_of_another_bar_is_refused(void **state)
{
    (void)state;
    mock->wrong_index = 1;
    expect_refused(PEAL_EFORMAT, "another BAR");
}

static void bars_that_take_no_address_are_refused(void **state)
{
    (void)state;
    mock->frozen_bars = true;
    expect_refused(PEAL_EFORMAT, "do not take the addresses");
}

static void a_list_of_areas_that_lies_is_refused(void **state)
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

static void windows_that_lie_are_refused(void **state)
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

static void a_list_of_capabilities_without_end_is_left(void **state)
{
    (void)state;
    mock->config[MOCK_CAPABILITY_MSIX + 1] = MOCK_CAPABILITY_MSIX;
    struct peal_vdev_registers *registers = open_mock();
    assert_true(mock->asked[VFIO_USER_REGION_READ] < 100);
    registers->ops->close(registers);
}

static void a_device_without_vectors_or_with_too_many_is_refused(void **state)
{
    (void)state;
    mock->vectors = 0;
    expect_refused(PEAL_EFORMAT, "vectors");
    mock_prepare(mock);
    mock->vectors = UINT32_MAX;
    expect_refused(PEAL_EFORMAT, "vectors");
}

static void descriptors_that_nobody_asked_for_are_closed(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(data_pages_are_those_of_the_window),
        TEST(data_pages_that_are_none_are_not_mapped),
        TEST(data_pages_outside_of_the_mappable_areas_are_not_mapped),
        TEST(data_pages_beyond_the_end_of_the_file_are_not_mapped),
        TEST(without_windows_the_data_follow_their_control_page),
        TEST(another_version_is_refused),
        TEST(another_device_is_refused),
        TEST(a_bar_without_memory_is_refused),
        TEST(bars_of_a_wrong_size_are_refused),
        TEST(the_description_of_another_bar_is_refused),
        TEST(bars_that_take_no_address_are_refused),
        TEST(a_list_of_areas_that_lies_is_refused),
        TEST(windows_that_lie_are_refused),
        TEST(a_list_of_capabilities_without_end_is_left),
        TEST(a_device_without_vectors_or_with_too_many_is_refused),
        TEST(descriptors_that_nobody_asked_for_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
