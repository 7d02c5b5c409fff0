/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct vdev_channel channel;
static int peer; /* the client's end */
static struct vdev_message message;
static const char *why;

static int setup(void **state)
{
    (void)state;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    peer = ends[0];
    vdev_channel_init(&channel, ends[1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vdev_channel_end(&channel);
    return peer >= 0 ? close(peer) : 0;
}

struct test_message {
    struct vfio_user_header header;
    char text[8];
};

static struct test_message make(uint16_t id)
{
    return (struct test_message){
        {.id = id, .command = 77, .message_bytes = sizeof(struct test_message)}, "payload"};
}

static void put(const void *bytes, size_t count)
{
    assert_int_equal(send(peer, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

static void put_with_fds(const void *bytes, size_t count, int fd, uint32_t fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr out = {.msg_iov = &piece,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(fd_count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&out);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    for (uint32_t i = 0; i < fd_count; i++)
        memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(fd));
    assert_int_equal(sendmsg(peer, &out, 0), (ssize_t)count);
}

static void put_with_fd(const void *bytes, size_t count, int fd)
{
    put_with_fds(bytes, count, fd, 1);
}

static enum vdev_channel_result receive(void)
{
    why = NULL;
    return vdev_channel_receive(&channel, &message, &why);
}

static void a_message_may_come_byte_by_byte(void **state)
{
    (void)state;
    const struct test_message sent = make(5);
    for (size_t i = 0; i < sizeof(sent); i++) {
        assert_int_equal(receive(), VDEV_CHANNEL_LATER);
        put((const char *)&sent + i, 1);
    }
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    assert_int_equal(message.header.id, 5);
    assert_int_equal(message.payload_bytes, 8);
    assert_string_equal((const char *)message.payload, "payload");
    assert_int_equal(receive(), VDEV_CHANNEL_LATER);
}

static void several_messages_may_come_at_once(void **state)
{
    (void)state;
    struct test_message sent[3] = {make(1), make(2), make(3)};
    sent[1].header.message_bytes = 16; /* without a payload */
    put(&sent[0], sizeof(sent[0]));
    put(&sent[1], 16);
    put(&sent[2], sizeof(sent[2]));
    for (uint16_t id = 1; id <= 3; id++) {
        assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
        assert_int_equal(message.header.id, id);
        assert_int_equal(message.payload_bytes, id == 2 ? 0 : 8);
    }
}

static void descriptors_belong_to_their_message_and_are_closed_after_it(void **state)
{
    (void)state;
    const struct test_message sent[2] = {make(1), make(2)};
    put(&sent[0], sizeof(sent[0]));
    put_with_fd(&sent[1], sizeof(sent[1]), STDERR_FILENO);
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    assert_int_equal(message.fd_count, 0);
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    assert_int_equal(message.fd_count, 1);
    const int given = message.fds[0];
    assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC);
    assert_int_equal(receive(), VDEV_CHANNEL_LATER);
    assert_int_equal(fcntl(given, F_GETFD), -1);
    put_with_fd(&sent[0], sizeof(sent[0]), STDERR_FILENO);
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    const int kept = message.fds[0];
    message.fds[0] = -1;
    assert_int_equal(receive(), VDEV_CHANNEL_LATER);
    assert_int_equal(close(kept), 0);
}

static void a_descriptor_more_than_there_may_be_breaks_it(void **state)
{
    (void)state;
    const struct test_message sent = make(1);
    for (uint32_t i = 0; i <= VDEV_MESSAGE_FDS_MAX; i++)
        put_with_fd((const char *)&sent + i, 1, STDERR_FILENO);
    assert_int_equal(receive(), VDEV_CHANNEL_BROKEN);
    assert_non_null(strstr(why, "descriptors"));
    assert_int_equal(teardown(NULL), 0);
    assert_int_equal(setup(NULL), 0);
    put_with_fds(&sent, sizeof(sent), STDERR_FILENO, VDEV_MESSAGE_FDS_MAX);
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    assert_int_equal(message.fd_count, VDEV_MESSAGE_FDS_MAX);
    put_with_fds(&sent, sizeof(sent), STDERR_FILENO, VDEV_MESSAGE_FDS_MAX + 1);
    assert_int_equal(receive(), VDEV_CHANNEL_BROKEN);
}

static void an_impossible_length_breaks_it(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 15, VDEV_MESSAGE_BYTES_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct test_message sent = make(1);
        sent.header.message_bytes = lengths[i];
        put(&sent.header, sizeof(sent.header));
        assert_int_equal(receive(), VDEV_CHANNEL_BROKEN);
        assert_non_null(strstr(why, "length"));
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

static void the_longest_message_is_taken(void **state)
{
    (void)state;
    unsigned char *sent = calloc(1, VDEV_MESSAGE_BYTES_MAX);
    const struct vfio_user_header header = {.message_bytes = VDEV_MESSAGE_BYTES_MAX};
    assert_non_null(sent);
    memcpy(sent, &header, sizeof(header));
    put(sent, VDEV_MESSAGE_BYTES_MAX);
    assert_int_equal(receive(), VDEV_CHANNEL_MESSAGE);
    assert_int_equal(message.payload_bytes, VDEV_MESSAGE_BYTES_MAX - 16);
    free(sent);
}

static void a_hang_up_is_told(void **state)
{
    (void)state;
    const struct test_message sent = make(1);
    put(&sent, 9);
    assert_int_equal(close(peer), 0);
    peer = -1;
    assert_int_equal(receive(), VDEV_CHANNEL_ENDED);
    assert_non_null(strstr(why, "middle"));
}

static void a_reply_has_the_id_of_its_request(void **state)
{
    (void)state;
    const struct vfio_user_header request = {.id = 9, .command = 4};
    const struct vfio_user_header quiet = {.id = 10, .flags = VFIO_USER_NO_REPLY};
    const struct vdev_reply answer = {
        .head = "ab", .head_bytes = 2, .data = "cde", .data_bytes = 3, .fd = -1};
    struct {
        struct vfio_user_header header;
        char text[5];
    } heard;
    assert_true(vdev_channel_reply(&channel, &quiet, &answer));
    assert_true(vdev_channel_reply(&channel, &request, &answer));
    assert_int_equal(recv(peer, &heard, 21, 0), 21);
    assert_int_equal(heard.header.id, 9);
    assert_int_equal(heard.header.command, 4);
    assert_int_equal(heard.header.message_bytes, 21);
    assert_int_equal(heard.header.flags, VFIO_USER_TYPE_REPLY);
    assert_memory_equal(heard.text, "abcde", 5);
    assert_true(vdev_channel_refuse(&channel, &request, ENOSYS));
    assert_int_equal(recv(peer, &heard, sizeof(heard), 0), 16);
    assert_int_equal(heard.header.flags, VFIO_USER_TYPE_REPLY | VFIO_USER_ERROR);
    assert_int_equal(heard.header.error, ENOSYS);
}

/* Replies until one has to wait; the number of them. */
static unsigned int fill(const struct vdev_reply *answer)
{
    const struct vfio_user_header request = {.id = 1};
    unsigned int count = 0;
    while (!vdev_channel_waits(&channel) && count < 10000) {
        assert_true(vdev_channel_reply(&channel, &request, answer));
        count++;
    }
    assert_true(vdev_channel_waits(&channel));
    return count;
}

static void what_the_socket_does_not_take_waits_and_comes_whole(void **state)
{
    (void)state;
    static unsigned char sent[VDEV_MESSAGE_DATA_MAX];
    static unsigned char heard[sizeof(sent) + 16];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (unsigned char)(i * 7 + i / 256);
    const struct vdev_reply answer = {.data = sent, .data_bytes = sizeof(sent), .fd = -1};
    const unsigned int count = fill(&answer);
    assert_true(vdev_channel_flush(&channel));
    assert_true(vdev_channel_waits(&channel));
    for (unsigned int i = 0; i < count; i++) {
        for (size_t got = 0; got < sizeof(heard);) {
            const ssize_t bytes = recv(peer, heard + got, sizeof(heard) - got, 0);
            assert_true(bytes > 0);
            got += (size_t)bytes;
            assert_true(vdev_channel_flush(&channel));
        }
        assert_memory_equal(heard + 16, sent, sizeof(sent));
    }
    assert_false(vdev_channel_waits(&channel));
}

static void who_is_gone_gets_no_reply(void **state)
{
    (void)state;
    const struct vfio_user_header request = {.id = 1};
    assert_int_equal(close(peer), 0);
    peer = -1;
    assert_false(vdev_channel_refuse(&channel, &request, EINVAL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_may_come_byte_by_byte),
        TEST(several_messages_may_come_at_once),
        TEST(descriptors_belong_to_their_message_and_are_closed_after_it),
        TEST(a_descriptor_more_than_there_may_be_breaks_it),
        TEST(an_impossible_length_breaks_it),
        TEST(the_longest_message_is_taken),
        TEST(a_hang_up_is_told),
        TEST(a_reply_has_the_id_of_its_request),
        TEST(what_the_socket_does_not_take_waits_and_comes_whole),
        TEST(who_is_gone_gets_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
