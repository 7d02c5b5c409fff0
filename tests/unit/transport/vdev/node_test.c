/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device node's user, against a driver that is played here: a file stands for the node, and this program's own
 * ioctl() and read() answer for the kernel, which no test machine has. What the true driver does is tried in a guest
 * (tests/vm/guest/driver_test.c).
 */
#include "core/error.h"
#include "guest_shm.h"
#include "guest_shm_ioctl.h"
#include "transport/vdev/link.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGES 4u

/* What the driver answers next, and what it was asked. */
static struct {
    int memory; /* the node's file; -1: no driver is played */
    char path[64];
    int attach_error, info_error, notify_error, read_error;
    int interruptions; /* EINTR so many times before each answer */
    struct guest_shm_attach attach, asked;
    struct guest_shm_info info;
    struct guest_shm_event event;
    size_t event_bytes;
    unsigned long notified;
    int notifications;
} driver;

static bool is_node(int fd)
{
    char link[64], target[128] = "";
    if (driver.memory < 0)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, target, sizeof(target) - 1);
    return length > 0 && strstr(target, "peal-node-test") != NULL;
}

static int answer(int error)
{
    if (driver.interruptions > 0) {
        driver.interruptions--;
        error = EINTR;
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

static int play_ioctl(unsigned long request, void *argument)
{
    switch (request) {
    case GUEST_SHM_IOC_ATTACH:
        driver.asked = *(struct guest_shm_attach *)argument;
        *(struct guest_shm_attach *)argument = driver.attach;
        return answer(driver.attach_error);
    case GUEST_SHM_IOC_INFO:
        *(struct guest_shm_info *)argument = driver.info;
        return answer(driver.info_error);
    case GUEST_SHM_IOC_NOTIFY:
        driver.notified = (unsigned long)(uintptr_t)argument;
        driver.notifications++;
        return answer(driver.notify_error);
    default:
        errno = ENOTTY;
        return -1;
    }
}

/* In place of libc's. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (is_node(fd))
        return play_ioctl(request, argument);
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

ssize_t read(int fd, void *buffer, size_t bytes)
{
    if (!is_node(fd))
        return (ssize_t)syscall(SYS_read, fd, buffer, bytes);
    if (answer(driver.read_error) != 0)
        return -1;
    assert_true(bytes >= driver.event_bytes);
    memcpy(buffer, &driver.event, driver.event_bytes);
    return (ssize_t)driver.event_bytes;
}

static int setup(void **state)
{
    (void)state;
    memset(&driver, 0, sizeof(driver));
    driver.memory = memfd_create("peal-node-test", MFD_CLOEXEC);
    if (driver.memory < 0 || ftruncate(driver.memory, PAGES * PEAL_TRANSPORT_PAGE_BYTES) != 0)
        return -1;
    (void)snprintf(driver.path, sizeof(driver.path), "/proc/self/fd/%d", driver.memory);
    driver.info = (struct guest_shm_info){.abi_version = GUEST_SHM_ABI_VERSION, .members = 0x0013};
    driver.attach = (struct guest_shm_attach){.pages = PAGES, .index = 4};
    driver.event = (struct guest_shm_event){.sources = 0x2, .members = 0x0012, .changes = 3};
    driver.event_bytes = sizeof(driver.event);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(driver.memory);
    driver.memory = -1;
    return 0;
}

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static struct peal_vdev_link *attached(void)
{
    struct peal_vdev_link *link = NULL;
    const enum peal_status status = peal_vdev_node_attach(driver.path, "wheel", PAGES, &link);
    if (status != PEAL_OK)
        fail_msg("%s", peal_error_message());
    return link;
}

/* Refused with this status and a message in which `words` are; nothing is left open. */
static void refused(enum peal_status wanted, const char *words)
{
    struct peal_vdev_link *link = NULL;
    const int before = open_files();
    assert_int_equal(peal_vdev_node_attach(driver.path, "wheel", PAGES, &link), wanted);
    assert_null(link);
    assert_int_equal(open_files(), before);
    if (strstr(peal_error_message(), words) == NULL)
        fail_msg("'%s' is not in: %s", words, peal_error_message());
}

static void an_attachment_is_mapped_and_knows_its_index(void **state)
{
    (void)state;
    const int before = open_files();
    struct peal_vdev_link *link = attached();
    assert_int_equal(link->index, 4);
    assert_int_equal(link->pages, PAGES);
    assert_string_equal(driver.asked.name, "wheel");
    assert_int_equal(driver.asked.pages, PAGES);
    assert_int_equal(driver.asked.reserved, 0);
    assert_true((fcntl(link->fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(link->fd, F_GETFD) & FD_CLOEXEC) != 0);
    const char word[] = "shared";
    char seen[sizeof(word)] = "";
    const long at = (long)((PAGES - 1) * PEAL_TRANSPORT_PAGE_BYTES);
    memcpy(link->base + at, word, sizeof(word));
    assert_int_equal(pread(driver.memory, seen, sizeof(seen), at), (ssize_t)sizeof(seen));
    assert_string_equal(seen, word);
    link->ops->close(link);
    assert_int_equal(open_files(), before);
}

static void the_first_client_chose_the_size(void **state)
{
    (void)state;
    driver.attach.pages = 2;
    struct peal_vdev_link *link = attached();
    assert_int_equal(link->pages, 2);
    link->ops->close(link);
}

static void news_are_sources_and_members(void **state)
{
    struct peal_vdev_news news;
    (void)state;
    struct peal_vdev_link *link = attached();
    assert_int_equal(link->ops->drain(link, &news), PEAL_OK);
    assert_int_equal(news.sources, 0x2);
    assert_int_equal(news.members, 0x12);
    driver.event = (struct guest_shm_event){.sources = UINT32_MAX, .members = UINT32_MAX};
    assert_int_equal(link->ops->drain(link, &news), PEAL_OK);
    assert_int_equal(news.sources, 0xffff);
    assert_int_equal(news.members, 0xffff);
    link->ops->close(link);
}

static void without_news_the_members_are_asked_for(void **state)
{
    struct peal_vdev_news news;
    uint32_t members = 0;
    (void)state;
    struct peal_vdev_link *link = attached();
    driver.read_error = EAGAIN;
    assert_int_equal(link->ops->drain(link, &news), PEAL_OK);
    assert_int_equal(news.sources, 0);
    assert_int_equal(news.members, 0x13);
    driver.info.members = UINT32_MAX;
    assert_int_equal(link->ops->members(link, &members), PEAL_OK);
    assert_int_equal(members, 0xffff);
    link->ops->close(link);
}

static void a_bell_carries_the_bits_of_clients_and_no_other(void **state)
{
    (void)state;
    struct peal_vdev_link *link = attached();
    assert_int_equal(link->ops->notify(link, 0x8001), PEAL_OK);
    assert_int_equal(driver.notified, 0x8001);
    assert_int_equal(link->ops->notify(link, 0xffff0002), PEAL_OK);
    assert_int_equal(driver.notified, 0x0002);
    assert_int_equal(link->ops->notify(link, 0xffff0000), PEAL_OK);
    assert_int_equal(driver.notifications, 2);
    link->ops->close(link);
}

static void signals_are_borne(void **state)
{
    struct peal_vdev_news news;
    uint32_t members = 0;
    (void)state;
    driver.interruptions = 3;
    struct peal_vdev_link *link = attached();
    driver.interruptions = 3;
    assert_int_equal(link->ops->drain(link, &news), PEAL_OK);
    assert_int_equal(news.sources, 0x2);
    driver.interruptions = 3;
    assert_int_equal(link->ops->members(link, &members), PEAL_OK);
    driver.interruptions = 3;
    assert_int_equal(link->ops->notify(link, 1), PEAL_OK);
    /* An endless row of them ends the call. */
    driver.interruptions = 1 << 20;
    assert_int_equal(link->ops->drain(link, &news), PEAL_ESYSTEM);
    driver.interruptions = 0;
    link->ops->close(link);
}

static void a_device_that_went_away_is_told_from_every_call(void **state)
{
    struct peal_vdev_news news;
    uint32_t members = 0;
    (void)state;
    struct peal_vdev_link *link = attached();
    driver.read_error = driver.notify_error = driver.info_error = ENODEV;
    assert_int_equal(link->ops->drain(link, &news), PEAL_ESYSTEM);
    assert_non_null(strstr(peal_error_message(), "device gone"));
    assert_int_equal(news.sources, 0);
    assert_int_equal(link->ops->members(link, &members), PEAL_ESYSTEM);
    assert_int_equal(link->ops->notify(link, 1), PEAL_ESYSTEM);
    /* It went between the two questions of one drain. */
    driver.read_error = EAGAIN;
    assert_int_equal(link->ops->drain(link, &news), PEAL_ESYSTEM);
    assert_non_null(strstr(peal_error_message(), "device gone"));
    link->ops->close(link);
}

static void half_an_event_is_no_event(void **state)
{
    struct peal_vdev_news news;
    (void)state;
    struct peal_vdev_link *link = attached();
    driver.event_bytes = sizeof(driver.event) - 1;
    assert_int_equal(link->ops->drain(link, &news), PEAL_ESYSTEM);
    assert_int_equal(news.sources, 0);
    driver.event_bytes = 0;
    assert_int_equal(link->ops->drain(link, &news), PEAL_ESYSTEM);
    link->ops->close(link);
}

static void each_refusal_says_what_to_do(void **state)
{
    static const struct {
        int error;
        uint32_t gss_status;
        enum peal_status wanted;
        const char *words;
    } refusals[] = {
        {EINVAL, GSS_ILLEGAL_NAME, PEAL_EINVAL, "at most 31 characters"},
        {EACCES, GSS_NO_PERMISSION, PEAL_EPERM, "GSS_NO_PERMISSION"},
        {EUSERS, GSS_CLIENT_MAX, PEAL_ELIMIT, "GSS_CLIENT_MAX"},
        {ENOMEM, GSS_NOMEM, PEAL_ENOSPC, "GSS_NOMEM"},
        {ENOMEM, GSS_OK, PEAL_ENOMEM, "this guest's kernel"},
        {EFBIG, GSS_OK, PEAL_ENOSPC, "max_pages"},
        {EIO, GSS_UNKNOWN_FAILURE, PEAL_ESYSTEM, "dmesg"},
        {ENODEV, GSS_OK, PEAL_ENOENT, "modprobe guest_shm"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        driver.attach_error = refusals[i].error;
        driver.attach.gss_status = refusals[i].gss_status;
        refused(refusals[i].wanted, refusals[i].words);
    }
}

static void what_cannot_be_is_not_believed(void **state)
{
    (void)state;
    driver.attach.index = GUEST_SHM_MAX_CLIENTS;
    refused(PEAL_ESYSTEM, "cannot be");
    driver.attach.index = 0;
    driver.attach.pages = 0;
    refused(PEAL_ESYSTEM, "cannot be");
    driver.attach.pages = PAGES;
    driver.info.abi_version = GUEST_SHM_ABI_VERSION + 1;
    refused(PEAL_EFORMAT, "ABI version");
    driver.info_error = ENOTTY;
    refused(PEAL_EFORMAT, "not a node of the guest_shm driver");
}

static void a_name_or_a_size_that_cannot_be_does_not_reach_the_driver(void **state)
{
    struct peal_vdev_link *link = NULL;
    char endless[64];
    (void)state;
    memset(endless, 'x', sizeof(endless));
    endless[GUEST_SHM_MAX_NAME] = '\0';
    assert_int_equal(peal_vdev_node_attach(driver.path, endless, PAGES, &link), PEAL_EINVAL);
    assert_int_equal(peal_vdev_node_attach(driver.path, "", PAGES, &link), PEAL_EINVAL);
    assert_int_equal(peal_vdev_node_attach(driver.path, "wheel", 0, &link), PEAL_EINVAL);
    assert_int_equal(driver.asked.pages, 0);
    endless[GUEST_SHM_MAX_NAME - 1] = '\0';
    assert_int_equal(peal_vdev_node_attach(driver.path, endless, PAGES, &link), PEAL_OK);
    assert_string_equal(driver.asked.name, endless);
    link->ops->close(link);
}

static void a_node_that_is_not_there_says_what_to_load(void **state)
{
    struct peal_vdev_link *link = NULL;
    (void)state;
    assert_int_equal(peal_vdev_node_attach("/dev/guest_shm-none", "wheel", PAGES, &link),
                     PEAL_ENOENT);
    assert_non_null(strstr(peal_error_message(), "modprobe guest_shm"));
    assert_int_equal(peal_vdev_node_attach("/dev/null/x", "wheel", PAGES, &link), PEAL_ESYSTEM);
    /* No driver is played for this one: the kernel says itself that it is no such node. */
    assert_int_equal(peal_vdev_node_attach("/dev/zero", "wheel", PAGES, &link), PEAL_EFORMAT);
    assert_null(link);
}

#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(an_attachment_is_mapped_and_knows_its_index),
        NODE_TEST(the_first_client_chose_the_size),
        NODE_TEST(news_are_sources_and_members),
        NODE_TEST(without_news_the_members_are_asked_for),
        NODE_TEST(a_bell_carries_the_bits_of_clients_and_no_other),
        NODE_TEST(signals_are_borne),
        NODE_TEST(a_device_that_went_away_is_told_from_every_call),
        NODE_TEST(half_an_event_is_no_event),
        NODE_TEST(each_refusal_says_what_to_do),
        NODE_TEST(what_cannot_be_is_not_believed),
        NODE_TEST(a_name_or_a_size_that_cannot_be_does_not_reach_the_driver),
        NODE_TEST(a_node_that_is_not_there_says_what_to_load),
    };
    driver.memory = -1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
