/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that answers wrongly, too late or not at all harms nobody and holds nobody up.
 */
#include "tests/support/socket_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vfio_user.h>

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
static enum peal_status open_with_fault(enum mock_fault fault, uint32_t at, uint64_t timeout_ns)
{
    struct peal_vdev_registers *registers = NULL;
    mock_prepare(mock);
    mock->fault = fault;
    mock->fault_at = at;
    const uint32_t before = descriptors();
    const uint64_t start_ns = test_now_ns();
    mock_start(mock);
    const enum peal_status status = peal_vdev_socket_open(mock->path, timeout_ns, &registers);
    const uint64_t took_ns = test_now_ns() - start_ns;
    if (status == PEAL_OK)
        registers->ops->close(registers);
    mock_stop(mock);
    assert_true(took_ns < EVENTUALLY_TIMEOUT_NS);
    assert_true(status != PEAL_TIMEDOUT || took_ns >= timeout_ns);
    if (status != PEAL_OK)
        assert_non_null(strstr(peal_error_message(), mock->path));
    assert_int_equal(descriptors(), before);
    return status;
}

/* A busy machine may be late before it comes to the fault: then with more time. */
static void try_silence(enum mock_fault fault, uint32_t at)
{
    uint64_t timeout_ns = SHORT_NS;
    do {
        assert_true(timeout_ns <= TIMEOUT_NS);
        assert_int_equal(open_with_fault(fault, at, timeout_ns), PEAL_TIMEDOUT);
        timeout_ns *= 4;
    } while (!mock->faulty);
}

static void try_fault(enum mock_fault fault, uint32_t at, bool may_be_empty)
{
    const enum peal_status status = open_with_fault(fault, at, TIMEOUT_NS);
    assert_true(mock->faulty);
    if (fault != MOCK_ERROR && fault != MOCK_WRONG_PLACE &&
        !(fault == MOCK_NO_PAYLOAD && may_be_empty))
        assert_int_equal(status, PEAL_ESYSTEM);
    else
        assert_true(status == PEAL_OK || status == PEAL_EFORMAT || status == PEAL_ESYSTEM);
}

static void each_fault_in_each_reply_of_an_opening_is_survived(void **state)
{
    (void)state;
    const uint32_t requests = count_requests();
    const uint32_t vectors = mock->vectors; /* SET_IRQS, at the end, has an empty reply */
    assert_in_range(requests, 15, 60);
    for (uint32_t at = 0; at < requests; at++) {
        for (uint32_t fault = MOCK_ERROR; fault < MOCK_FAULTS; fault++) {
            if (!is_silence((enum mock_fault)fault))
                try_fault((enum mock_fault)fault, at, at >= requests - vectors);
            else if (at % 4 == 0) /* each costs its timeout */
                try_silence((enum mock_fault)fault, at);
        }
    }
}

/* With a timeout that is as short as this machine allows now. */
static struct peal_vdev_registers *open_impatiently(uint64_t *timeout_ns)
{
    struct peal_vdev_registers *registers = NULL;
    enum peal_status status = PEAL_TIMEDOUT;
    for (*timeout_ns = 4 * SHORT_NS; *timeout_ns <= TIMEOUT_NS; *timeout_ns *= 4) {
        mock_prepare(mock);
        mock_start(mock);
        status = peal_vdev_socket_open(mock->path, *timeout_ns, &registers);
        if (status != PEAL_TIMEDOUT)
            break;
        mock_stop(mock);
    }
    assert_int_equal(status, PEAL_OK);
    return registers;
}

static void each_fault_in_a_register_access_ends_the_connection(void **state)
{
    (void)state;
    for (uint32_t fault = MOCK_ERROR + 1; fault < MOCK_FAULTS; fault++) {
        for (uint32_t write = 0; write < 2; write++) {
            uint64_t value = 0;
            uint64_t timeout_ns;
            struct peal_vdev_registers *registers =
                is_silence((enum mock_fault)fault) ? open_impatiently(&timeout_ns) : open_anew();
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

static void a_posted_write_to_a_server_that_reads_nothing_ends_after_the_timeout(void **state)
{
    (void)state;
    uint64_t timeout_ns;
    struct peal_vdev_registers *registers = open_impatiently(&timeout_ns);
    mock->fault_command = VFIO_USER_REGION_WRITE;
    mock->fault_at = mock->asked[VFIO_USER_REGION_WRITE];
    mock->fault = MOCK_DEAF;
    enum peal_status status = PEAL_OK;
    const uint64_t start_ns = test_now_ns();
    for (uint32_t i = 0; i < 1000000 && status == PEAL_OK; i++)
        status = registers->ops->write(registers, registers->factory + 24, 4, i, true);
    assert_int_equal(status, PEAL_ESYSTEM);
    assert_true(test_now_ns() - start_ns >= timeout_ns);
    assert_non_null(strstr(peal_error_message(), "did not answer"));
    registers->ops->close(registers);
}

static void a_sleeper_learns_that_the_server_is_gone(void **state)
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

static void a_path_where_nobody_listens_is_told(void **state)
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

static void a_listener_that_accepts_nobody_is_waited_for_no_longer_than_the_timeout(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_fault_in_each_reply_of_an_opening_is_survived),
        TEST(each_fault_in_a_register_access_ends_the_connection),
        TEST(a_posted_write_to_a_server_that_reads_nothing_ends_after_the_timeout),
        TEST(a_sleeper_learns_that_the_server_is_gone),
        TEST(a_path_where_nobody_listens_is_told),
        TEST(a_listener_that_accepts_nobody_is_waited_for_no_longer_than_the_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
