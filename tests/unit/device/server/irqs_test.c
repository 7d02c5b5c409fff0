/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/irqs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define EVENTFD (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define NONE VFIO_IRQ_SET_DATA_NONE
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MSIX VFIO_PCI_MSIX_IRQ_INDEX
#define INTX VFIO_PCI_INTX_IRQ_INDEX

static struct vdev_irqs irqs;
static int events[4]; /* the test's own ends */

static int setup(void **state)
{
    (void)state;
    vdev_irqs_init(&irqs, 4, true);
    for (int i = 0; i < 4; i++)
        events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vdev_irqs_end(&irqs);
    for (int i = 0; i < 4; i++)
        (void)close(events[i]);
    return 0;
}

/* SET_IRQS without data and descriptors. */
static int set(uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
    const struct vfio_irq_set message = {
        .argsz = sizeof(message), .flags = flags, .index = index, .start = start, .count = count};
    return vdev_irqs_set(&irqs, (const unsigned char *)&message, sizeof(message), NULL, 0);
}

/* Gives a duplicate of each of the first `fd_count` events; what is not taken is closed. */
static int give(uint32_t index, uint32_t start, uint32_t count, uint32_t fd_count)
{
    const struct vfio_irq_set message = {
        .argsz = sizeof(message), .flags = EVENTFD, .index = index, .start = start, .count = count};
    int fds[4] = {-1, -1, -1, -1};
    for (uint32_t i = 0; i < fd_count; i++)
        fds[i] = dup(events[i]);
    const int error =
        vdev_irqs_set(&irqs, (const unsigned char *)&message, sizeof(message), fds, fd_count);
    for (uint32_t i = 0; i < fd_count; i++) {
        assert_int_equal(fds[i] < 0, error == 0);
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    return error;
}

static uint64_t taken(int event)
{
    eventfd_t count = 0;
    return eventfd_read(events[event], &count) == 0 ? count : 0;
}

static void each_vector_has_its_eventfd(void **state)
{
    (void)state;
    assert_int_equal(give(MSIX, 1, 2, 2), 0);
    vdev_irqs_raise(&irqs, 2);
    vdev_irqs_raise(&irqs, 2);
    assert_int_equal(taken(0), 0);
    assert_int_equal(taken(1), 2);
    vdev_irqs_raise(&irqs, 1);
    vdev_irqs_raise(&irqs, 4);
    vdev_irqs_raise(&irqs, UINT32_MAX);
    assert_int_equal(taken(0), 1);
}

static void what_comes_without_an_eventfd_is_remembered(void **state)
{
    (void)state;
    vdev_irqs_raise(&irqs, 3);
    vdev_irqs_raise(&irqs, 3);
    assert_int_equal(give(MSIX, 3, 1, 1), 0);
    assert_int_equal(taken(0), 1);
    assert_int_equal(set(EVENTFD, MSIX, 3, 1), 0); /* count 1 and no descriptor takes it away */
    vdev_irqs_raise(&irqs, 3);
    assert_int_equal(taken(0), 0);
    assert_int_equal(give(MSIX, 3, 1, 1), 0);
    assert_int_equal(taken(0), 1);
    assert_int_equal(set(NONE | TRIGGER, MSIX, 0, 0), 0);
    vdev_irqs_raise(&irqs, 3);
    vdev_irqs_reset(&irqs);
    assert_int_equal(give(MSIX, 3, 1, 1), 0);
    assert_int_equal(taken(0), 0);
}

static void the_pin_is_masked_until_it_is_unmasked(void **state)
{
    (void)state;
    assert_int_equal(give(INTX, 0, 1, 1), 0);
    vdev_irqs_raise(&irqs, 2);
    vdev_irqs_raise(&irqs, 0);
    assert_int_equal(taken(0), 1);
    assert_int_equal(set(NONE | VFIO_IRQ_SET_ACTION_UNMASK, INTX, 0, 1), 0);
    assert_int_equal(taken(0), 1);
    assert_int_equal(set(NONE | VFIO_IRQ_SET_ACTION_UNMASK, INTX, 0, 1), 0);
    assert_int_equal(taken(0), 0);
    vdev_irqs_disable_intx(&irqs, true);
    vdev_irqs_raise(&irqs, 0);
    assert_int_equal(taken(0), 0);
    vdev_irqs_disable_intx(&irqs, false);
    assert_int_equal(taken(0), 1);
}

static void msix_is_used_rather_than_the_pin(void **state)
{
    (void)state;
    assert_int_equal(give(INTX, 0, 1, 1), 0);
    assert_int_equal(give(MSIX, 0, 2, 2), 0); /* event 0 twice */
    vdev_irqs_raise(&irqs, 1);
    assert_int_equal(taken(0), 0);
    assert_int_equal(taken(1), 1);
}

static void a_client_may_trigger_by_itself(void **state)
{
    (void)state;
    const struct vfio_irq_set some = {
        .flags = VFIO_IRQ_SET_DATA_BOOL | TRIGGER, .index = MSIX, .count = 3};
    static const unsigned char chosen[] = {1, 0, 1};
    unsigned char message[sizeof(some) + sizeof(chosen)];
    assert_int_equal(give(MSIX, 0, 3, 3), 0);
    assert_int_equal(set(NONE | TRIGGER, MSIX, 1, 1), 0);
    assert_int_equal(taken(1), 1);
    memcpy(message, &some, sizeof(some));
    memcpy(message + sizeof(some), chosen, sizeof(chosen));
    assert_int_equal(vdev_irqs_set(&irqs, message, sizeof(message), NULL, 0), 0);
    assert_int_equal(taken(0), 1);
    assert_int_equal(taken(1), 0);
    assert_int_equal(taken(2), 1);
    assert_int_equal(vdev_irqs_set(&irqs, message, sizeof(message) - 1, NULL, 0), EINVAL);
}

static void a_wrong_request_is_refused_and_takes_nothing(void **state)
{
    (void)state;
    assert_int_equal(give(MSIX, 0, 5, 4), EINVAL);
    assert_int_equal(give(MSIX, 0, 4, 3), EINVAL);
    assert_int_equal(give(MSIX, 4, 1, 1), EINVAL);
    assert_int_equal(give(MSIX, UINT32_MAX, 2, 2), EINVAL);
    assert_int_equal(give(INTX, 0, 2, 2), EINVAL);
    assert_int_equal(give(VFIO_PCI_MSI_IRQ_INDEX, 0, 1, 1), EINVAL);
    assert_int_equal(set(NONE | TRIGGER, VFIO_PCI_NUM_IRQS, 0, 0), EINVAL);
    assert_int_equal(set(NONE | TRIGGER, VFIO_PCI_ERR_IRQ_INDEX, 0, 0), 0);
    assert_int_equal(set(NONE, MSIX, 0, 1), EINVAL);
    assert_int_equal(set(TRIGGER, MSIX, 0, 1), EINVAL);
    assert_int_equal(set(NONE | VFIO_IRQ_SET_DATA_BOOL | TRIGGER, MSIX, 0, 0), EINVAL);
    assert_int_equal(set(NONE | TRIGGER | 1u << 20, MSIX, 0, 0), EINVAL);
    assert_int_equal(set(NONE | VFIO_IRQ_SET_ACTION_MASK, MSIX, 0, 1), EINVAL);
    assert_int_equal(vdev_irqs_set(&irqs, (const unsigned char *)"", 1, NULL, 0), EINVAL);
}

static void what_could_block_is_not_taken(void **state)
{
    (void)state;
    const struct vfio_irq_set message = {.flags = EVENTFD, .index = MSIX, .count = 2};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int fds[2] = {events[0], ends[1]};
    assert_int_equal(vdev_irqs_set(&irqs, (const unsigned char *)&message, sizeof(message), fds, 2),
                     EINVAL);
    assert_int_equal(fds[0], events[0]);
    const int blocking = eventfd(0, EFD_CLOEXEC);
    fds[0] = blocking;
    fds[1] = dup(events[1]);
    assert_int_equal(vdev_irqs_set(&irqs, (const unsigned char *)&message, sizeof(message), fds, 2),
                     0);
    assert_int_equal(fcntl(blocking, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    /* The client fills it, and makes it blocking again behind our back. */
    assert_int_equal(eventfd_write(blocking, UINT64_MAX - 1), 0);
    vdev_irqs_raise(&irqs, 0);
    assert_int_equal(irqs.msix_pending, 0); /* full is as good as raised */
    assert_int_equal(fcntl(blocking, F_SETFL, 0), 0);
    vdev_irqs_raise(&irqs, 0);
    assert_int_equal(irqs.msix[0], -1);
    assert_int_equal(irqs.msix_pending, 1);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
}

static void it_tells_what_there_is(void **state)
{
    (void)state;
    uint32_t flags;
    uint32_t count;
    assert_true(vdev_irqs_describe(&irqs, MSIX, &flags, &count));
    assert_int_equal(count, 4);
    assert_int_equal(flags, VFIO_IRQ_INFO_EVENTFD);
    assert_true(vdev_irqs_describe(&irqs, INTX, &flags, &count));
    assert_int_equal(count, 1);
    assert_int_equal(flags,
                     VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED);
    assert_true(vdev_irqs_describe(&irqs, VFIO_PCI_MSI_IRQ_INDEX, &flags, &count));
    assert_int_equal(count, 0);
    assert_false(vdev_irqs_describe(&irqs, VFIO_PCI_NUM_IRQS, &flags, &count));
    vdev_irqs_init(&irqs, 4, false);
    assert_true(vdev_irqs_describe(&irqs, INTX, &flags, &count));
    assert_int_equal(count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_vector_has_its_eventfd),
        TEST(what_comes_without_an_eventfd_is_remembered),
        TEST(the_pin_is_masked_until_it_is_unmasked),
        TEST(msix_is_used_rather_than_the_pin),
        TEST(a_client_may_trigger_by_itself),
        TEST(a_wrong_request_is_refused_and_takes_nothing),
        TEST(what_could_block_is_not_taken),
        TEST(it_tells_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
