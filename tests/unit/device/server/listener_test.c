/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/listener.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[80];
static char error[256];
static struct vdev_listener listener;

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/peal-listener-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/guest", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vdev_listener_close(&listener);
    (void)unlink(path);
    return rmdir(folder);
}

static void open_it(void)
{
    if (!vdev_listener_open(&listener, path, 0600, error, sizeof(error)))
        fail_msg("%s", error);
}

/* A second one at the same path is refused with this word. */
static void refuse(const char *word)
{
    struct vdev_listener second;
    assert_false(vdev_listener_open(&second, path, 0600, error, sizeof(error)));
    if (strncmp(error, path, strlen(path)) != 0 || !strstr(error, word))
        fail_msg("there is no '%s' in: %s", word, error);
}

static void the_file_has_the_mode_whatever_the_umask_is(void **state)
{
    (void)state;
    struct stat file;
    const mode_t before = umask(0077);
    const bool done = vdev_listener_open(&listener, path, 0660, error, sizeof(error));
    (void)umask(before);
    assert_true(done);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0660);
    vdev_listener_close(&listener);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_live_servers_socket_is_left_alone(void **state)
{
    (void)state;
    open_it();
    refuse("a server listens there already");
    assert_int_equal(access(path, F_OK), 0);
    const int fd = vdev_listener_accept(&listener); /* who looked has hung up again */
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

static void a_dead_servers_socket_is_replaced(void **state)
{
    (void)state;
    open_it();
    assert_int_equal(close(listener.fd), 0); /* as a killed server leaves it */
    listener.fd = -1;
    assert_int_equal(access(path, F_OK), 0);
    open_it();
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(close(fd), 0);
    refuse("no socket");
    assert_int_equal(access(path, F_OK), 0);
}

static void only_the_own_file_is_removed(void **state)
{
    (void)state;
    open_it();
    assert_int_equal(unlink(path), 0);
    struct vdev_listener second;
    assert_true(vdev_listener_open(&second, path, 0600, error, sizeof(error)));
    vdev_listener_close(&listener);
    assert_int_equal(access(path, F_OK), 0);
    vdev_listener_close(&second);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_false(vdev_listener_open(&listener, "/nowhere/at/all", 0600, error, sizeof(error)));
    assert_string_equal(error, "/nowhere/at/all: cannot listen there: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    listener.fd = -1;
    const struct CMUnitTest tests[] = {
        TEST(the_file_has_the_mode_whatever_the_umask_is),
        TEST(a_live_servers_socket_is_left_alone),
        TEST(a_dead_servers_socket_is_replaced),
        TEST(a_file_that_is_no_socket_is_left_alone),
        TEST(only_the_own_file_is_removed),
        TEST(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
