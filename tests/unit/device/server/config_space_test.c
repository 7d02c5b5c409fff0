/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/config_space.h"

#include <guest_shm_pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct vdev_config_space space;

static int setup(void **state)
{
    (void)state;
    vdev_config_space_init(&space, UINT64_C(1) << 30, 16, 4, false);
    return 0;
}

static uint32_t get(uint32_t offset, uint32_t width)
{
    uint32_t value = 0;
    assert_true(vdev_config_space_read(&space, offset, &value, width));
    return value;
}

static void put(uint32_t offset, uint32_t width, uint32_t value)
{
    assert_true(vdev_config_space_write(&space, offset, &value, width));
}

static void the_function_says_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(get(0, 4), 0x00011c05);
    assert_int_equal(get(0x0a, 2), 0x0580);
    assert_int_equal(get(0x2c, 4), 0x00011c05);
    assert_int_equal(get(0x0e, 1), 0);
    assert_int_equal(get(0x3d, 1), 0);
    vdev_config_space_init(&space, UINT64_C(1) << 20, 16, 4, true);
    assert_int_equal(get(0x3d, 1), 1);
}

static void bars_tell_their_size_and_take_an_address(void **state)
{
    (void)state;
    for (uint32_t offset = 0x10; offset < 0x28; offset += 4)
        put(offset, 4, UINT32_MAX);
    assert_int_equal(get(0x10, 4), 0xfffff000);
    assert_int_equal(get(0x14, 4), 0xfffff000);
    assert_int_equal(get(0x18, 4), 0x0000000c);
    assert_int_equal(get(0x1c, 4), 0xfffffffc); /* 16 GiB */
    assert_int_equal(get(0x20, 4), 0);
    assert_int_equal(get(0x24, 4), 0);
    put(0x10, 4, 0xfebd5000);
    assert_int_equal(get(0x10, 4), 0xfebd5000);
    put(0x30, 4, UINT32_MAX);
    assert_int_equal(get(0x30, 4), 0);
}

static void the_windows_have_an_address_once_they_were_given_one(void **state)
{
    (void)state;
    assert_true(vdev_config_space_windows_address(&space) == 0);
    put(0x18, 4, UINT32_MAX);
    put(0x1c, 4, UINT32_MAX);
    assert_true(vdev_config_space_windows_address(&space) == 0); /* it asks for the size */
    put(0x18, 4, 0);
    put(0x1c, 4, 0x1c);
    assert_true(vdev_config_space_windows_address(&space) == UINT64_C(0x1c00000000));
    vdev_config_space_init(&space, UINT64_C(1) << 20, 16, 4, false);
    put(0x18, 4, 0x8300000f);
    assert_true(vdev_config_space_windows_address(&space) == 0x83000000);
}

static void capabilities_are_linked(void **state)
{
    (void)state;
    struct guest_shm_window_capability windows;
    assert_int_equal(get(0x06, 2) & 0x10, 0x10);
    assert_int_equal(get(0x34, 1), VDEV_CONFIG_MSIX);
    assert_int_equal(get(VDEV_CONFIG_MSIX, 2), VDEV_CONFIG_WINDOWS << 8 | 0x11);
    assert_int_equal(get(VDEV_CONFIG_MSIX + 2, 2), 3);
    assert_int_equal(get(VDEV_CONFIG_MSIX + 4, 4), 1);
    assert_int_equal(get(VDEV_CONFIG_MSIX + 8, 4), 0x801);
    assert_true(vdev_config_space_read(&space, VDEV_CONFIG_WINDOWS, &windows, sizeof(windows)));
    assert_int_equal(windows.id, 9);
    assert_int_equal(windows.next, 0);
    assert_int_equal(windows.length, sizeof(windows));
    assert_int_equal(windows.version, GUEST_SHM_WINDOW_VERSION);
    assert_int_equal(windows.magic, GUEST_SHM_WINDOW_MAGIC);
    assert_int_equal(windows.bar, GUEST_SHM_BAR_WINDOWS);
    assert_int_equal(windows.data_offset, 65536);
    assert_int_equal(windows.window_bytes_low, 1u << 30);
    assert_int_equal(windows.window_bytes_high, 0);
    assert_int_equal(windows.windows, 16);
}

static void only_what_a_guest_may_write_changes(void **state)
{
    (void)state;
    unsigned char ones[VDEV_CONFIG_SPACE_BYTES];
    const uint32_t capability = get(VDEV_CONFIG_WINDOWS + 4, 4);
    memset(ones, 0xff, sizeof(ones));
    assert_true(vdev_config_space_write(&space, 0, ones, sizeof(ones)));
    assert_int_equal(get(0, 4), 0x00011c05);
    assert_int_equal(get(0x04, 2), 0x0406);
    assert_int_equal(get(0x06, 2), 0x0010);
    assert_int_equal(get(0x0a, 2), 0x0580);
    assert_int_equal(get(0x34, 1), VDEV_CONFIG_MSIX);
    assert_int_equal(get(0x3c, 2), 0x00ff);
    assert_int_equal(get(VDEV_CONFIG_MSIX + 2, 2), 0xc003);
    assert_int_equal(get(VDEV_CONFIG_WINDOWS + 4, 4), capability);
    assert_true(vdev_config_space_intx_disabled(&space));
    put(0x04, 2, 0x0006);
    assert_false(vdev_config_space_intx_disabled(&space));
}

static void nothing_lies_outside(void **state)
{
    (void)state;
    unsigned char bytes[16];
    assert_true(vdev_config_space_read(&space, 240, bytes, 16));
    assert_false(vdev_config_space_read(&space, 241, bytes, 16));
    assert_false(vdev_config_space_read(&space, UINT64_MAX, bytes, 2));
    assert_false(vdev_config_space_write(&space, 256, bytes, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_function_says_what_it_is, setup),
        cmocka_unit_test_setup(bars_tell_their_size_and_take_an_address, setup),
        cmocka_unit_test_setup(the_windows_have_an_address_once_they_were_given_one, setup),
        cmocka_unit_test_setup(capabilities_are_linked, setup),
        cmocka_unit_test_setup(only_what_a_guest_may_write_changes, setup),
        cmocka_unit_test_setup(nothing_lies_outside, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
