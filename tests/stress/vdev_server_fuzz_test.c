/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device server among clients that send anything: conversations that were valid before bytes of them were changed, cut
 * short, doubled or given descriptors, and plain garbage. Meanwhile an honest pair exchanges bells: each must arrive.
 */
#include "device/server/server.h"

#include "device/server/channel.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"
#include "tests/support/vdev_rig.h"

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
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DURATION_NS UINT64_C(3000000000)
#define ATTACKERS 6
#define ROUNDS_LEAST 20u
#define MESSAGE_BYTES 512u

static struct test_server server;
static uint64_t end_ns;

/* ---- the honest pair ------------------------------------------------------------------------- */

struct honest {
    char path[128];
    uint64_t rounds;
    const char *problem;
};

/* One rings, the other hears it. NULL, or what went wrong. */
static const char *ring(struct test_client *from, struct test_client *to, uint64_t control,
                        uint32_t source)
{
    const uint32_t target = 1u - source;
    if (!test_client_write(from, GUEST_SHM_BAR_WINDOWS,
                           control + offsetof(struct guest_shm_control, notify), 4, 1u << target))
        return "a bell was not taken";
    if (!test_client_interrupted(to))
        return "a bell was not heard";
    const uint64_t status = test_client_read(
        to, GUEST_SHM_BAR_WINDOWS, control + offsetof(struct guest_shm_control, status), 4);
    return status == (3u << 16 | 1u << source) ? NULL : "the status is not that of the two";
}

static void *be_honest(void *context)
{
    struct honest *honest = context;
    struct test_client pair[2];
    uint64_t control[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        if (!test_client_join(&pair[i], honest->path) ||
            test_client_attach(&pair[i], "honest", 1, &control[i]) != GSS_OK) {
            honest->problem = "it could not attach";
            return NULL;
        }
    }
    (void)test_client_interrupted(&pair[0]);
    (void)test_client_read(&pair[0], GUEST_SHM_BAR_WINDOWS, control[0], 4);
    while (test_now_ns() < end_ns && !honest->problem) {
        const uint32_t source = (uint32_t)(honest->rounds++ % 2);
        honest->problem = ring(&pair[source], &pair[1 - source], control[source], source);
    }
    test_client_close(&pair[0]);
    test_client_close(&pair[1]);
    return NULL;
}

/* ---- the attackers --------------------------------------------------------------------------- */

static int odd_fds[4]; /* what an attacker hands over */

static void open_odd_fds(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(close(ends[0]), 0);
    odd_fds[0] = ends[1];
    odd_fds[1] = eventfd(0, EFD_CLOEXEC); /* blocking */
    odd_fds[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
    odd_fds[3] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static size_t put_irqs(uint64_t *seed, unsigned char *payload)
{
    const struct vfio_irq_set set = {.argsz = sizeof(set),
                                     .flags =
                                         1u << random_below(seed, 3) | 8u << random_below(seed, 3),
                                     .index = random_below(seed, 4),
                                     .start = random_below(seed, 2),
                                     .count = random_below(seed, 3)};
    memcpy(payload, &set, sizeof(set));
    return sizeof(set) + random_below(seed, 4);
}

/* A register access that means something: most of all attach, notify, detach. */
static size_t put_access(uint64_t *seed, uint16_t command, unsigned char *payload)
{
    static const uint32_t widths[] = {1, 2, 4, 8};
    struct vfio_user_region_access access = {.count = widths[random_below(seed, 4)]};
    switch (random_below(seed, 4)) {
    case 0:
        access.offset = random_below(seed, 64);
        break;
    case 1:
        access.offset = 24;
        access.count = 4;
        break;
    case 2:
        access.region = GUEST_SHM_BAR_WINDOWS;
        access.offset = (uint64_t)random_below(seed, 16) << 20 |
                        (15u - random_below(seed, 3)) * 4096u | random_below(seed, 4) * 4;
        break;
    default:
        access.region = VFIO_PCI_CONFIG_REGION_INDEX;
        access.offset = random_below(seed, 256);
        break;
    }
    const uint64_t value = random_below(seed, 2) ? random_below(seed, 200) : random_next(seed);
    memcpy(payload, &access, sizeof(access));
    memcpy(payload + sizeof(access), &value, sizeof(value));
    return sizeof(access) + (command == VFIO_USER_REGION_WRITE ? access.count : 0);
}

/* A valid message, but for what a client may not know. Returns its length. */
static size_t put_message(uint64_t *seed, unsigned char *message)
{
    static const uint16_t commands[] = {2, 3, 4, 5, 7, 8, 8, 9, 9, 10, 10, 10, 10, 10, 13};
    unsigned char *payload = message + sizeof(struct vfio_user_header);
    struct vfio_user_header header = {
        .id = (uint16_t)random_next(seed),
        .command = commands[random_below(seed, sizeof(commands) / sizeof(commands[0]))],
        .flags = random_below(seed, 4) == 0 ? VFIO_USER_NO_REPLY : 0};
    size_t bytes = 32;
    memset(payload, 0, 64);
    if (header.command == VFIO_USER_DEVICE_SET_IRQS) {
        bytes = put_irqs(seed, payload);
    } else if (header.command == VFIO_USER_REGION_READ ||
               header.command == VFIO_USER_REGION_WRITE) {
        bytes = put_access(seed, header.command, payload);
    } else {
        const uint32_t words[3] = {random_below(seed, 600), 0, random_below(seed, 10)};
        memcpy(payload, words, sizeof(words));
    }
    header.message_bytes = (uint32_t)(sizeof(header) + bytes);
    memcpy(message, &header, sizeof(header));
    return header.message_bytes;
}

/* Spoils a message; returns what it has become long. */
static size_t spoil(uint64_t *seed, unsigned char *message, size_t bytes)
{
    switch (random_below(seed, 8)) {
    case 0:
        for (uint32_t i = 0; i <= random_below(seed, 4); i++)
            message[random_below(seed, (uint32_t)bytes)] = (unsigned char)random_next(seed);
        break;
    case 1:
        bytes = 1 + random_below(seed, (uint32_t)bytes);
        break;
    case 2:
        bytes = 1 + random_below(seed, MESSAGE_BYTES - 1);
        for (size_t i = 0; i < bytes; i++)
            message[i] = (unsigned char)random_next(seed);
        break;
    default:
        break; /* it stays valid: so one gets somewhere */
    }
    return bytes;
}

static void leave(struct test_client *attacker)
{
    test_client_close(attacker);
}

static void come(uint64_t *seed, struct test_client *attacker)
{
    leave(attacker);
    if (random_below(seed, 4) == 0)
        (void)test_client_connect(attacker, test_server_path(&server, "bad"));
    else
        (void)test_client_join(attacker, test_server_path(&server, "bad"));
}

/* One step of one attacker, which never waits for the server. True: its message was sent. */
static bool attack(uint64_t *seed, struct test_client *attacker)
{
    unsigned char message[MESSAGE_BYTES];
    unsigned char ignored[4096];
    if (attacker->fd < 0 || random_below(seed, 100) == 0) {
        come(seed, attacker);
        return false;
    }
    const size_t bytes = spoil(seed, message, put_message(seed, message));
    int fds[40];
    const uint32_t fd_count =
        random_below(seed, 6) != 0 ? 0 : 1 + random_below(seed, random_below(seed, 4) ? 2 : 40);
    for (uint32_t i = 0; i < fd_count; i++)
        fds[i] = odd_fds[random_below(seed, 4)];
    (void)fcntl(attacker->fd, F_SETFL, O_NONBLOCK);
    const bool sent = test_client_send(attacker, message, bytes, fds, fd_count);
    if (!sent)
        leave(attacker);
    else if (random_below(seed, 3) != 0)
        (void)recv(attacker->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
    return sent;
}

static bool has_so_many_descriptors(void *context)
{
    return test_open_descriptors() == *(const size_t *)context;
}

static void whatever_a_client_sends_disturbs_no_other(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    uint64_t messages = 0;
    struct honest honest = {.rounds = 0};
    struct test_client attackers[ATTACKERS];
    pthread_t thread;
    assert_true(test_server_init(&server));
    assert_true(test_server_set(&server, "vector", "per-device"));
    assert_true(test_server_set(&server, "guest", "good"));
    assert_true(test_server_set(&server, "create", "honest,4K"));
    assert_true(test_server_set(&server, "guest", "bad"));
    assert_true(test_server_set(&server, "deny", "honest"));
    assert_true(test_server_start(&server));
    open_odd_fds();
    size_t before = test_open_descriptors();
    end_ns = test_now_ns() + DURATION_NS;
    (void)snprintf(honest.path, sizeof(honest.path), "%s", test_server_path(&server, "good"));
    assert_int_equal(pthread_create(&thread, NULL, be_honest, &honest), 0);
    for (int i = 0; i < ATTACKERS; i++)
        attackers[i] = (struct test_client){.fd = -1, .irq = -1};
    while (test_now_ns() < end_ns)
        messages += attack(&seed, &attackers[random_below(&seed, ATTACKERS)]);
    for (int i = 0; i < ATTACKERS; i++)
        leave(&attackers[i]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (honest.problem)
        fail_msg("after %" PRIu64 " rounds: %s", honest.rounds, honest.problem);
    printf("%" PRIu64 " bells among %" PRIu64 " messages\n", honest.rounds, messages);
    assert_true(honest.rounds >= ROUNDS_LEAST);
    assert_true(messages >= ROUNDS_LEAST);
    assert_true(eventually(has_so_many_descriptors, &before, EVENTUALLY_TIMEOUT_NS));
    test_server_stop(&server);
    for (int i = 0; i < 4; i++)
        assert_int_equal(close(odd_fds[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_client_sends_disturbs_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
