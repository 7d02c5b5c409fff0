/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device server on a thread of this process, for tests, and a client of it that speaks bare vfio-user: it can say anything,
 * right or wrong. Every wait ends after 20 s.
 */
#ifndef PEAL_TESTS_SUPPORT_VDEV_RIG_H
#define PEAL_TESTS_SUPPORT_VDEV_RIG_H

#include "device/server/config.h"

#include <guest_shm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vfio_user.h>

#define TEST_SERVER_BASE UINT64_C(0x4000000000) /* where test clients put BAR 2 */

struct test_server {
    struct vdev_config config;
    struct vdev_server *server;
    pthread_t thread;
    int stop_fd;
    char folder[64];
};

/* Made ready for test_server_set(): quiet, windows of 1 MiB, sockets "NAME" in a folder of its own. */
bool test_server_init(struct test_server *test);

/* A word of the configuration; for "guest" the argument is a name in the folder. */
bool test_server_set(struct test_server *test, const char *word, const char *argument);

/* Path of a socket: in a static buffer. */
const char *test_server_path(const struct test_server *test, const char *name);

bool test_server_start(struct test_server *test);
void test_server_stop(struct test_server *test);

struct test_client {
    int fd;
    int irq; /* eventfd of vector 0, once test_client_arm() made it */
    uint16_t id;
};

/* Only connects. */
bool test_client_connect(struct test_client *client, const char *path);

/* Connects, agrees on the version, puts BAR 2 at TEST_SERVER_BASE, and takes interrupts. */
bool test_client_join(struct test_client *client, const char *path);

/* Hands over the eventfd of vector 0. */
bool test_client_arm(struct test_client *client);

/* Leaves without a word. */
void test_client_close(struct test_client *client);

/* Sends bytes as they are, with descriptors. */
bool test_client_send(const struct test_client *client, const void *bytes, size_t count,
                      const int *fds, size_t fd_count);

struct test_reply {
    struct vfio_user_header header;
    unsigned char payload[70000];
    size_t payload_bytes;
    int fd; /* -1: none came along */
};

/* The next reply. False: the server hung up, or nothing came. */
bool test_client_hear(const struct test_client *client, struct test_reply *reply);

/* A request and its reply. `fds` may be NULL. */
bool test_client_ask(struct test_client *client, uint16_t command, const void *payload,
                     size_t payload_bytes, const int *fds, size_t fd_count,
                     struct test_reply *reply);

/* True once the server has hung up on the client. */
bool test_client_is_dropped(const struct test_client *client);

uint64_t test_client_read(struct test_client *client, uint32_t region, uint64_t offset,
                          uint32_t width);
bool test_client_write(struct test_client *client, uint32_t region, uint64_t offset, uint32_t width,
                       uint64_t value);

/* The factory transaction; GSS_*. `control`: offset of the control page in BAR 2. */
uint32_t test_client_attach(struct test_client *client, const char *name, uint32_t pages,
                            uint64_t *control);

/* Waits for an interrupt and takes it. */
bool test_client_interrupted(const struct test_client *client);

/* Whether there is one just now; it is not taken. */
bool test_client_has_interrupt(const struct test_client *client);

/* Descriptors that this process has open. */
size_t test_open_descriptors(void);

#endif
