/* SPDX-License-Identifier: Apache-2.0 */
/* A region of this process's own over posix, to be looked at. */
#ifndef PEAL_TESTS_UNIT_TOOLS_PEAL_LOOK_REGION_FIXTURE_H
#define PEAL_TESTS_UNIT_TOOLS_PEAL_LOOK_REGION_FIXTURE_H

#include "tests/support/topic_fixture.h"
#include "tools/peal/look/watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static char region_url[64];
static char region_path[64]; /* of its file */

static inline int region_set_up(void **state)
{
    (void)state;
    (void)snprintf(region_url, sizeof(region_url), "posix:tool-unit-%d", (int)getpid());
    (void)snprintf(region_path, sizeof(region_path), "/dev/shm/peal.tool-unit-%d", (int)getpid());
    (void)peal_unlink(region_url);
    return 0;
}

static inline int region_tear_down(void **state)
{
    (void)state;
    (void)peal_unlink(region_url);
    return 0;
}

static inline struct peal_bus *region_open(uint64_t size_bytes, const char *client_name)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = size_bytes;
    options.topics_max = 16;
    options.client_name = client_name;
    options.safety_net_ns = UINT64_C(5000000000);
    assert_int_equal(peal_bus_open(&bus, region_url, &options), PEAL_OK);
    return bus;
}

/* By force, as nobody of ours does. */
static inline void file_cut(const char *path, uint64_t size_bytes)
{
    assert_int_equal(truncate(path, (off_t)size_bytes), 0);
}

static inline void file_copy(const char *from, const char *to)
{
    static char bytes[1 << 16];
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t length;
    assert_true(in >= 0 && out >= 0);
    while ((length = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)length), length);
    assert_int_equal(length, 0);
    assert_int_equal(close(in) | close(out), 0);
}

#endif
