/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance of posix alone: the object as other programs, other users and crashes leave it.
 */
#include "tests/conformance/backend.h"
#include "tests/support/footprint.h"

#include "transport/posix/posix_lock.h"
#include "transport/posix/posix_shared.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define NOBODY 65534u

static const struct backend *const posix = &backends[0];

struct object {
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    char shm[64];  /* for shm_open */
    char path[96]; /* for the rest */
};

static void object_name(struct object *object)
{
    unique_name(object->name);
    (void)snprintf(object->shm, sizeof(object->shm), "/peal.%s", object->name);
    (void)snprintf(object->path, sizeof(object->path), "/dev/shm/peal.%s", object->name);
}

/* An object with this content, made by somebody else. */
static int make_object(struct object *object, const void *bytes, size_t count, off_t size)
{
    object_name(object);
    const int descriptor = shm_open(object->shm, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, size), 0);
    assert_int_equal(pwrite(descriptor, bytes, count, 0), count);
    return descriptor;
}

static void an_object_of_somebody_else_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char text[] = "not a region of ours, but somebody's data";
    struct object object;
    char after[sizeof(text)];
    struct peal_transport *t = NULL;
    const int descriptor = make_object(&object, text, sizeof(text), 1 << 20);
    assert_refused(try_open(posix, object.name, REGION_BYTES, &t), PEAL_EFORMAT, "by hand");
    assert_refused(peal_transport_unlink("posix", object.name), PEAL_EFORMAT, "by hand");
    assert_int_equal(pread(descriptor, after, sizeof(after), 0), sizeof(after));
    assert_memory_equal(after, text, sizeof(text));
    (void)close(descriptor);
    assert_int_equal(shm_unlink(object.shm), 0);
}

static void an_object_of_another_version_is_refused(void **state)
{
    (void)state;
    struct object object;
    struct peal_transport *t = NULL;
    const struct peal_posix_header header = {.magic = PEAL_POSIX_MAGIC,
                                             .version = PEAL_POSIX_VERSION + 1};
    const int descriptor = make_object(&object, &header, sizeof(header), 1 << 20);
    assert_refused(try_open(posix, object.name, 0, &t), PEAL_EFORMAT, "release");
    (void)close(descriptor);
    assert_int_equal(peal_transport_unlink("posix", object.name), PEAL_OK);
}

static void what_is_no_object_at_all_is_refused(void **state)
{
    (void)state;
    struct object object;
    struct peal_transport *t = NULL;
    object_name(&object);
    assert_int_equal(symlink("/etc/passwd", object.path), 0);
    assert_refused(try_open(posix, object.name, 0, &t), PEAL_EFORMAT, object.name);
    assert_int_equal(unlink(object.path), 0);
    assert_int_equal(mkdir(object.path, 0700), 0);
    assert_refused(try_open(posix, object.name, 0, &t), PEAL_EFORMAT, object.name);
    assert_int_equal(rmdir(object.path), 0);
    assert_int_equal(mkfifo(object.path, 0700), 0);
    assert_refused(try_open(posix, object.name, 0, &t), PEAL_EFORMAT, object.name);
    assert_int_equal(unlink(object.path), 0);
}

static void a_half_made_object_is_made_anew(void **state)
{
    (void)state;
    struct peal_posix_header header = {.magic = 0,
                                       .version = PEAL_POSIX_VERSION,
                                       .control_bytes = PEAL_POSIX_CONTROL_BYTES,
                                       .region_bytes = 12345,
                                       .generation = 77,
                                       .clients = 64};
    static const off_t sizes[] = {0, 1, 4096, 1 << 20};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct object object;
        const size_t written = sizes[i] >= 4096 ? sizeof(header) : 0;
        (void)close(make_object(&object, &header, written, sizes[i]));
        struct peal_transport *t = NULL;
        struct peal_transport_options options = options_of(posix, REGION_BYTES);
        options.must_exist = true;
        assert_refused(peal_transport_open("posix", object.name, &options, &t), PEAL_ENOENT,
                       "unfinished");
        t = open_one(posix, object.name);
        assert_int_equal(t->size_bytes, REGION_BYTES);
        t->base[REGION_BYTES - 1] = 1;
        close_one(t);
        remove_region(posix, object.name);
    }
}

static void a_truncated_object_is_refused_while_in_use_and_made_anew_after(void **state)
{
    (void)state;
    static const off_t sizes[] = {8,
                                  47,
                                  48,
                                  4096,
                                  PEAL_POSIX_CONTROL_BYTES,
                                  PEAL_POSIX_CONTROL_BYTES + (off_t)REGION_BYTES - 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct object object;
        struct peer peer;
        struct peal_transport *t = NULL;
        object_name(&object);
        peer_open(&peer, posix, object.name);
        assert_int_equal(truncate(object.path, sizes[i]), 0);
        assert_refused(try_open(posix, object.name, 0, &t), PEAL_ECORRUPT, "truncated");
        assert_null(t);
        peer_kill(&peer);
        t = open_one(posix, object.name);
        t->base[REGION_BYTES - 1] = 1;
        close_one(t);
        remove_region(posix, object.name);
    }
}

static void a_header_that_lies_is_not_believed(void **state)
{
    (void)state;
    static const struct peal_posix_header right = {.magic = PEAL_POSIX_MAGIC,
                                                   .version = PEAL_POSIX_VERSION,
                                                   .control_bytes = PEAL_POSIX_CONTROL_BYTES,
                                                   .region_bytes = 65536,
                                                   .clients = PEAL_POSIX_CLIENTS};
    static const uint64_t region_bytes[] = {
        0, 1, 4095, 65537, 131072, UINT64_MAX, 1ull << 63, 1ull << 56, UINT64_MAX - 65535};
    for (size_t i = 0; i < COUNT(region_bytes) + 2; i++) {
        struct object object;
        struct peal_posix_header header = right;
        if (i < COUNT(region_bytes))
            header.region_bytes = region_bytes[i];
        if (i == COUNT(region_bytes))
            header.control_bytes = 4096;
        if (i == COUNT(region_bytes) + 1)
            header.clients = 65;
        struct peal_transport *t = NULL;
        const int descriptor =
            make_object(&object, &header, sizeof(header), PEAL_POSIX_CONTROL_BYTES + 65536);
        /* Somebody who is alive wrote it: then it is corrupt. */
        assert_int_equal(peal_posix_lock_try(descriptor, PEAL_POSIX_LOCK_BASE + 9), 0);
        assert_refused(try_open(posix, object.name, 65536, &t), PEAL_ECORRUPT, "1 clients");
        (void)close(descriptor);
        t = open_sized(posix, object.name, 8192);
        assert_int_equal(t->size_bytes, 8192);
        close_one(t);
        remove_region(posix, object.name);
    }
}

static void whoever_hangs_in_open_delays_others_no_longer_than_their_timeout(void **state)
{
    (void)state;
    struct object object;
    struct peal_transport *t = NULL;
    object_name(&object);
    close_one(open_one(posix, object.name));
    const int descriptor = shm_open(object.shm, O_RDWR, 0);
    assert_int_equal(peal_posix_lock_try(descriptor, PEAL_POSIX_LOCK_INIT), 0);
    struct peal_transport_options options = options_of(posix, REGION_BYTES);
    options.timeout_ns = UINT64_C(20000000);
    const uint64_t begin_ns = test_now_ns();
    assert_refused(peal_transport_open("posix", object.name, &options, &t), PEAL_TIMEDOUT,
                   "timeout_ns");
    assert_true(test_now_ns() - begin_ns >= options.timeout_ns);
    (void)close(descriptor);
    close_one(open_one(posix, object.name));
    remove_region(posix, object.name);
}

static void mode_and_group_are_as_asked_for_whatever_the_umask(void **state)
{
    (void)state;
    ONLY_IF(geteuid() == 0);
    struct object object;
    struct stat status;
    struct peal_transport *t = NULL;
    struct peal_transport_options options = options_of(posix, REGION_BYTES);
    object_name(&object);
    const mode_t mask = umask(077);
    close_one(open_one(posix, object.name));
    assert_int_equal(stat(object.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    remove_region(posix, object.name);
    options.mode = 0660;
    options.use_group = true;
    options.group_id = NOBODY;
    assert_int_equal(peal_transport_open("posix", object.name, &options, &t), PEAL_OK);
    (void)umask(mask);
    assert_int_equal(stat(object.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    assert_int_equal(status.st_gid, NOBODY);
    assert_true(t->ops->fd(t) >= 0);
    close_one(t);
    remove_region(posix, object.name);
    options.mode = 04600;
    assert_refused(peal_transport_open("posix", object.name, &options, &t), PEAL_EINVAL, "4600");
}

/* Answers with the status of an open() as user nobody, then rings whom it finds. */
static int open_as_nobody(struct child_link *link, void *context)
{
    struct peal_transport *t = NULL;
    uint64_t word;
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        return 1;
    const enum peal_status status = try_open(posix, context, REGION_BYTES, &t);
    const bool has_message = status == PEAL_OK || strstr(peal_error_message(), "0660") != NULL;
    (void)child_say(link, has_message ? (uint64_t)status : 99);
    if (status != PEAL_OK || !child_hear(link, &word))
        return 0;
    t->ops->notify(t, word);
    (void)child_say(link, t->ops->fd(t) >= 0);
    (void)child_hear(link, &word);
    close_one(t);
    return 0;
}

static void another_user_is_refused_by_0600_and_let_in_by_his_group(void **state)
{
    (void)state;
    ONLY_IF(geteuid() == 0);
    struct object object;
    struct child child;
    uint64_t word = 0;
    object_name(&object);
    struct peal_transport *t = open_one(posix, object.name);
    assert_true(child_start(&child, open_as_nobody, object.name));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(word, PEAL_EPERM);
    assert_int_equal(child_reap(&child), 0);
    close_one(t);
    remove_region(posix, object.name);

    struct peal_transport_options options = options_of(posix, REGION_BYTES);
    options.mode = 0660;
    options.use_group = true;
    options.group_id = NOBODY;
    assert_int_equal(peal_transport_open("posix", object.name, &options, &t), PEAL_OK);
    assert_true(t->ops->fd(t) >= 0);
    assert_true(child_start(&child, open_as_nobody, object.name));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(word, PEAL_OK);
    (void)drain(t);
    assert_true(child_say(&child.link, bit_of(t)));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(word, 1); /* it got a descriptor, too */
    assert_int_equal(drain(t), 2);
    assert_true(child_say(&child.link, 0));
    assert_int_equal(child_reap(&child), 0);
    close_one(t);
    remove_region(posix, object.name);
}

static void fifos_go_with_their_owners_and_those_of_the_dead_with_the_next(void **state)
{
    (void)state;
    struct object object;
    struct peer peer;
    char prefix[64];
    object_name(&object);
    (void)snprintf(prefix, sizeof(prefix), "peal.%s~", object.name);
    struct peal_transport *t = open_one(posix, object.name);
    assert_true(t->ops->fd(t) >= 0);
    assert_int_equal(footprint_entries("/dev/shm", prefix), 1);
    peer_open(&peer, posix, object.name);
    peer_do(&peer, PEER_FD, 0);
    assert_int_equal(footprint_entries("/dev/shm", prefix), 2);
    peer_kill(&peer);
    struct peal_transport *heir = open_one(posix, object.name);
    assert_int_equal(footprint_entries("/dev/shm", prefix), 1);
    close_one(heir);
    peer_open(&peer, posix, object.name);
    peer_do(&peer, PEER_FD, 0);
    peer_kill(&peer);
    assert_int_equal(peal_transport_unlink("posix", object.name), PEAL_OK);
    assert_int_equal(footprint_entries("/dev/shm", prefix), 1); /* ours, for we live */
    close_one(t);
    assert_int_equal(footprint_entries("/dev/shm", prefix), 0);
}

static void a_region_that_does_not_fit_is_refused_and_nothing_stays(void **state)
{
    (void)state;
    struct object object;
    struct statvfs fs;
    struct peal_transport *t = NULL;
    object_name(&object);
    assert_int_equal(statvfs("/dev/shm", &fs), 0);
    ONLY_IF(fs.f_blocks != 0);
    const uint64_t too_much = (uint64_t)fs.f_blocks * fs.f_frsize + REGION_BYTES;
    assert_refused(try_open(posix, object.name, too_much, &t), PEAL_ENOSPC, "--shm-size");
    assert_int_equal(access(object.path, F_OK), -1);
    struct rlimit limit, less;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    less = limit;
    less.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    const enum peal_status status = try_open(posix, object.name, REGION_BYTES, &t);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(status, PEAL_ENOSPC, "RLIMIT_FSIZE");
    assert_int_equal(access(object.path, F_OK), -1);
}

static void prefault_makes_every_page_resident(void **state)
{
    (void)state;
    struct object object;
    struct stat status;
    struct peal_transport *t = NULL;
    unsigned char resident[REGION_BYTES / 4096];
    struct peal_transport_options options = options_of(posix, REGION_BYTES);
    options.prefault = true;
    options.huge_pages = true;
    object_name(&object);
    assert_int_equal(peal_transport_open("posix", object.name, &options, &t), PEAL_OK);
    assert_int_equal(mincore(t->base, REGION_BYTES, resident), 0);
    for (size_t i = 0; i < COUNT(resident); i++)
        assert_int_equal(resident[i] & 1, 1);
    assert_int_equal(stat(object.path, &status), 0);
    assert_true((uint64_t)status.st_blocks * 512 >= REGION_BYTES);
    close_one(t);
    remove_region(posix, object.name);
}

static void a_newcomer_rings_where_its_predecessor_died_between_bit_and_byte(void **state)
{
    (void)state;
    struct object object;
    object_name(&object);
    struct peal_transport *t = open_one(posix, object.name);
    struct pollfd polled = {.fd = t->ops->fd(t), .events = POLLIN};
    struct peal_posix_client *records =
        (void *)(t->base - PEAL_POSIX_CONTROL_BYTES + PEAL_POSIX_CLIENTS_OFFSET);
    (void)peal_doorbell_ring(&records[0].bell, PEAL_DOORBELL_SHARED, 1);
    assert_int_equal(poll(&polled, 1, 0), 0);
    struct peal_transport *heir = open_one(posix, object.name);
    assert_int_equal(heir->index, 1);
    assert_int_equal(poll(&polled, 1, 0), 1);
    assert_int_equal(drain(t), 2);
    close_one(heir);
    close_one(t);
    remove_region(posix, object.name);
}

static void hostile_bell_words_neither_hang_nor_hurt(void **state)
{
    (void)state;
    struct object object;
    uint64_t random = 0x9e3779b97f4a7c15, sources;
    object_name(&object);
    struct peal_transport *t = open_one(posix, object.name);
    struct peal_transport *peer = open_one(posix, object.name);
    assert_true(t->ops->fd(t) >= 0);
    unsigned char *records = t->base - PEAL_POSIX_CONTROL_BYTES + PEAL_POSIX_CLIENTS_OFFSET;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < 2 * PEAL_WRITER_BYTES; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            records[i] = (unsigned char)(random >> 56);
        }
        peer->ops->notify(peer, UINT64_MAX);
        (void)t->ops->wait(t, t->ops->epoch(t), round % 8 == 0 ? 100000 : 0, &sources);
        t->ops->wake_all(t);
        assert_int_equal(t->ops->members(t), 3);
    }
    close_one(peer);
    close_one(t);
    /* The records hold anything now: the next owner starts clean all the same. */
    t = open_one(posix, object.name);
    assert_int_equal(drain(t), 0);
    assert_int_equal(t->ops->wait(t, t->ops->epoch(t), 1000000, &sources), PEAL_TIMEDOUT);
    close_one(t);
    remove_region(posix, object.name);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_object_of_somebody_else_is_refused_and_left_alone),
        cmocka_unit_test(an_object_of_another_version_is_refused),
        cmocka_unit_test(what_is_no_object_at_all_is_refused),
        cmocka_unit_test(a_half_made_object_is_made_anew),
        cmocka_unit_test(a_truncated_object_is_refused_while_in_use_and_made_anew_after),
        cmocka_unit_test(a_header_that_lies_is_not_believed),
        cmocka_unit_test(whoever_hangs_in_open_delays_others_no_longer_than_their_timeout),
        cmocka_unit_test(mode_and_group_are_as_asked_for_whatever_the_umask),
        cmocka_unit_test(another_user_is_refused_by_0600_and_let_in_by_his_group),
        cmocka_unit_test(fifos_go_with_their_owners_and_those_of_the_dead_with_the_next),
        cmocka_unit_test(a_region_that_does_not_fit_is_refused_and_nothing_stays),
        cmocka_unit_test(prefault_makes_every_page_resident),
        cmocka_unit_test(a_newcomer_rings_where_its_predecessor_died_between_bit_and_byte),
        cmocka_unit_test(hostile_bell_words_neither_hang_nor_hurt),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
