/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the way by a socket share: a mock device (mock_device.h) for each test, opened as a guest does.
 */
#ifndef PEAL_TESTS_SUPPORT_SOCKET_FIXTURE_H
#define PEAL_TESTS_SUPPORT_SOCKET_FIXTURE_H

#include "tests/support/eventually.h"
#include "tests/support/mock_device.h"
#include "transport/vdev/registers.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT_NS UINT64_C(10000000000)
#define SHORT_NS UINT64_C(60000000)
#define PAGE 4096u

static struct mock_device *mock;

static inline int set_up(void **state)
{
    (void)state;
    mock = malloc(sizeof(*mock));
    if (mock == NULL)
        return -1;
    mock_prepare(mock);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    mock_abandon(mock);
    free(mock);
    return 0;
}

static inline uint32_t descriptors(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

static inline struct peal_vdev_registers *open_mock(void)
{
    struct peal_vdev_registers *registers = NULL;
    mock_start(mock);
    const enum peal_status status = peal_vdev_socket_open(mock->path, TIMEOUT_NS, &registers);
    if (status != PEAL_OK)
        fail_msg("%s: %s", peal_status_name(status), peal_error_message());
    return registers;
}

static inline struct peal_vdev_registers *open_anew(void)
{
    mock_prepare(mock);
    return open_mock();
}

/* Opening fails so, with a message about that, and leaves no descriptor. */
static inline void expect_refused(enum peal_status expected, const char *message)
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

static inline uint64_t windows_address(void)
{
    uint64_t address = 0;
    for (uint32_t i = 0; i < 8; i++)
        address |= (uint64_t)mock->config[0x18 + i] << (8 * i);
    return address & ~UINT64_C(0xf);
}

static inline bool is_readable(int descriptor)
{
    struct pollfd waited = {.fd = descriptor, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

static inline bool becomes_readable(void *context)
{
    return is_readable(*(const int *)context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
