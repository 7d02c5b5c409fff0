/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/protocol.h"

#include "core/atomic.h"
#include "tests/support/eventually.h"
#include "tests/support/vdev_model_access.h"
#include "transport/vdev/device.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHARED MODEL_DEVICE "shared"
#define PAGES 4u

static int start(void **state)
{
    (void)state;
    return model_access_start(NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    model_access_stop();
    return 0;
}

static enum peal_status try_attach(const char *device, const char *name, uint32_t pages,
                                   struct peal_vdev_link **link)
{
    return peal_vdev_device_attach(device, name, pages, 0, link);
}

static struct peal_vdev_link *attach(const char *device, const char *name, uint32_t pages)
{
    struct peal_vdev_link *link = NULL;
    if (try_attach(device, name, pages, &link) != PEAL_OK)
        fail_msg("%s", peal_error_message());
    return link;
}

static void detach(struct peal_vdev_link *link)
{
    link->ops->close(link);
}

static void assert_refused(enum peal_status status, enum peal_status expected, const char *word)
{
    if (status != expected || strstr(peal_error_message(), word) == NULL)
        fail_msg("%s instead of %s with '%s': %s", peal_status_name(status),
                 peal_status_name(expected), word, peal_error_message());
}

static bool is_readable(const struct peal_vdev_link *link)
{
    struct pollfd polled = {.fd = link->fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

static struct peal_vdev_news drain(struct peal_vdev_link *link)
{
    struct peal_vdev_news news = {0};
    assert_int_equal(link->ops->drain(link, &news), PEAL_OK);
    return news;
}

static void an_attachment_has_the_index_and_the_size_that_the_device_says(void **state)
{
    (void)state;
    struct peal_vdev_link *first = attach(MODEL_DEVICE, "region", PAGES);
    struct peal_vdev_link *second = attach(MODEL_DEVICE, "region", 9 * PAGES);
    assert_int_equal(first->index, 0);
    assert_int_equal(second->index, 1);
    assert_int_equal(first->pages, PAGES);
    assert_int_equal(second->pages, PAGES);
    first->base[PAGES * 4096u - 1] = 77;
    assert_int_equal(second->base[PAGES * 4096u - 1], 77);
    assert_int_equal(model_access_connections(), 2);
    detach(first);
    assert_int_equal(model_access_connections(), 1);
    detach(second);
    assert_int_equal(model_access_connections(), 0);
}

static void the_name_is_written_byte_by_byte_with_its_end(void **state)
{
    (void)state;
    struct peal_vdev_link *longer = attach(SHARED, "telemetry", PAGES);
    struct peal_vdev_link *shorter = attach(SHARED, "tele", 2 * PAGES);
    assert_int_equal(shorter->pages, 2 * PAGES); /* the register still held "telemetry" */
    assert_int_equal(model_access_widest_name(), 1);
    assert_int_equal(model_access_counts().factory_writes,
                     strlen("telemetry") + 1 + strlen("tele") + 1 + 2);
    detach(longer);
    detach(shorter);
    struct peal_vdev_link *longest = attach(MODEL_DEVICE, "a234567890123456789012345678901", 1);
    detach(longest);
    assert_refused(try_attach(MODEL_DEVICE, "a2345678901234567890123456789012", 1, &longest),
                   PEAL_EINVAL, "31");
    assert_refused(try_attach(MODEL_DEVICE, "", 1, &longest), PEAL_EINVAL, "1 to 31");
    assert_int_equal(model_access_ways(), 0);
}

static void a_device_behind_a_bus_of_32_bits_works_by_halves(void **state)
{
    (void)state;
    model_access_narrow(true);
    detach(attach(MODEL_DEVICE, "region", PAGES));
}

static void what_is_no_vdev_is_not_written_to(void **state)
{
    (void)state;
    static const uint64_t signatures[] = {0, UINT64_MAX, GUEST_SHM_SIGNATURE ^ 1,
                                          GUEST_SHM_SIGNATURE ^ UINT64_C(1) << 63};
    struct peal_vdev_link *keeper = attach(SHARED, "keeper", PAGES), *link;
    const struct vdev_access_counts before = model_access_counts();
    for (size_t i = 0; i < 4; i++) {
        model_access_lie(MODEL_SIGNATURE, signatures[i]);
        assert_refused(try_attach(SHARED, "region", PAGES, &link), PEAL_EFORMAT, "signature");
        assert_null(link);
    }
    assert_int_equal(model_access_counts().factory_writes, before.factory_writes);
    model_access_be_honest();
    detach(keeper);
    assert_int_equal(model_access_ways(), 0);
}

static void each_answer_of_the_device_has_its_status_and_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        uint32_t gss_status;
        enum peal_status status;
        const char *word;
    } cases[] = {
        {GSS_UNKNOWN_FAILURE, PEAL_ESYSTEM, "see the log"},
        {GSS_NOMEM, PEAL_ENOSPC, "ask for less"},
        {GSS_CLIENT_MAX, PEAL_ELIMIT, "close one"},
        {GSS_ILLEGAL_NAME, PEAL_EINVAL, "choose a shorter"},
        {GSS_NO_PERMISSION, PEAL_EPERM, "allow it in"},
        {GSS_DOES_NOT_EXIST, PEAL_ENOENT, "open it first"},
        {7, PEAL_ESYSTEM, "status 7"},
        {UINT32_MAX, PEAL_ESYSTEM, "status 4294967295"},
    };
    struct peal_vdev_link *link;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        model_access_lie(MODEL_GSS_STATUS, cases[i].gss_status);
        assert_refused(try_attach(MODEL_DEVICE, "region", PAGES, &link), cases[i].status,
                       cases[i].word);
        assert_null(link);
        assert_int_equal(model_access_ways(), 0);
    }
}

static void the_device_refuses_with_these_answers(void **state)
{
    (void)state;
    const struct vdev_settings small = {.region_pages_max = 8};
    struct peal_vdev_link *links[GUEST_SHM_MAX_CLIENTS], *link;
    struct vdev_rules rules = {0};
    char error[128];
    assert_true(model_access_start(&small));
    assert_refused(try_attach(MODEL_DEVICE, "region", 9, &link), PEAL_ENOSPC, "GSS_NOMEM");
    for (uint32_t i = 0; i < GUEST_SHM_MAX_CLIENTS; i++)
        links[i] = attach(MODEL_DEVICE, "region", 8);
    assert_refused(try_attach(MODEL_DEVICE, "region", 8, &link), PEAL_ELIMIT, "GSS_CLIENT_MAX");
    for (uint32_t i = 0; i < GUEST_SHM_MAX_CLIENTS; i++)
        detach(links[i]);
    assert_true(vdev_rules_add(&rules, "deny", "secret*", error, sizeof(error)));
    assert_true(vdev_rules_add(&rules, "subst", ",a-long-prefix-", error, sizeof(error)));
    assert_true(vdev_rules_add(&rules, "deny", "*secret*", error, sizeof(error)));
    model_access_rules(&rules);
    assert_refused(try_attach(MODEL_DEVICE, "secrets", 1, &link), PEAL_EPERM, "GSS_NO_PERMISSION");
    assert_refused(try_attach(MODEL_DEVICE, "a-name-that-is-long-itself", 1, &link), PEAL_EINVAL,
                   "GSS_ILLEGAL_NAME");
    assert_int_equal(model_access_connections(), 0);
    assert_int_equal(model_access_ways(), 0);
}

/* The guest lives on, so that only a detach ends the connection. */
static void assert_refused_and_detached(const char *word)
{
    struct peal_vdev_link *link;
    const unsigned before = model_access_connections();
    assert_refused(try_attach(SHARED, "region", PAGES, &link), PEAL_ESYSTEM, word);
    assert_null(link);
    model_access_be_honest();
    assert_int_equal(model_access_connections(), before);
    assert_int_equal(model_access_ways(), 1);
}

static void sizes_and_indexes_that_cannot_be_are_refused_and_detached(void **state)
{
    (void)state;
    struct peal_vdev_link *keeper = attach(SHARED, "keeper", PAGES);
    model_access_lie(MODEL_SIZE, 0);
    assert_refused_and_detached("cannot be");
    model_access_lie(MODEL_IDX, GUEST_SHM_MAX_CLIENTS);
    assert_refused_and_detached("index 16");
    model_access_lie(MODEL_IDX, UINT32_MAX);
    assert_refused_and_detached("index 4294967295");
    detach(keeper);
}

static void addresses_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {
        0,
        1,
        4095,
        UINT64_C(0x4000000001),
        UINT64_MAX,
        UINT64_MAX - 4095,
        UINT64_MAX - 4 * 4096 + 1, /* control page and three of four data pages fit */
        UINT64_C(0xfe000000),      /* the factory page itself */
        UINT64_C(0xfe000000) - PAGES * 4096,
    };
    struct peal_vdev_link *link;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        model_access_lie(MODEL_SHMEM, addresses[i]);
        assert_refused(try_attach(MODEL_DEVICE, "region", PAGES, &link), PEAL_ESYSTEM, "pages at");
        assert_null(link);
        assert_int_equal(model_access_connections(), 0);
        assert_int_equal(model_access_ways(), 0);
    }
}

static void wherever_the_device_fails_nothing_stays_attached(void **state)
{
    (void)state;
    struct peal_vdev_link *keeper = attach(SHARED, "keeper", PAGES), *link = NULL;
    unsigned refused = 0;
    for (int access = 0; access < 1000; access++) {
        model_access_fail_at(access);
        const enum peal_status status = try_attach(SHARED, "region", PAGES, &link);
        if (status == PEAL_OK)
            detach(link); /* past the last access, or where it was asked again */
        else
            assert_refused(status, PEAL_ESYSTEM, "cannot be reached");
        const bool failed = model_access_has_failed();
        refused += status != PEAL_OK;
        assert_int_equal(model_access_connections(), 1);
        assert_int_equal(model_access_ways(), 1);
        if (!failed)
            break;
    }
    assert_true(refused >= 12);
    model_access_fail_map();
    assert_refused(try_attach(SHARED, "region", PAGES, &link), PEAL_ENOMEM, "ulimit");
    assert_int_equal(model_access_connections(), 1);
    detach(keeper);
}

static void notify_names_sixteen_clients_and_never_everybody(void **state)
{
    (void)state;
    struct peal_vdev_link *link = attach(MODEL_DEVICE, "region", PAGES);
    struct vdev_access_counts counts = model_access_counts();
    assert_int_equal(link->ops->notify(link, UINT32_MAX), PEAL_OK);
    assert_int_equal(model_access_last_notify(), 0xffff);
    assert_int_equal(drain(link).sources, 1u << link->index); /* "everybody but me" would not */
    assert_int_equal(link->ops->notify(link, 0x10000), PEAL_OK);
    assert_int_equal(link->ops->notify(link, 0), PEAL_OK);
    assert_int_equal(model_access_counts().notify_writes, counts.notify_writes + 1);
    detach(link);
}

static void the_index_is_read_once(void **state)
{
    (void)state;
    struct peal_vdev_link *link = attach(MODEL_DEVICE, "region", PAGES);
    uint32_t members = 0;
    for (int i = 0; i < 10; i++) {
        (void)drain(link);
        assert_int_equal(link->ops->notify(link, 1), PEAL_OK);
        assert_int_equal(link->ops->members(link, &members), PEAL_OK);
    }
    assert_int_equal(model_access_counts().idx_reads, 1);
    detach(link);
}

static void asking_for_members_keeps_the_sources_and_the_descriptor_readable(void **state)
{
    (void)state;
    struct peal_vdev_link *a = attach(MODEL_DEVICE, "region", PAGES);
    struct peal_vdev_link *b = attach(MODEL_DEVICE, "region", PAGES);
    uint32_t members = 0;
    (void)drain(a);
    assert_false(is_readable(a));
    assert_int_equal(b->ops->notify(b, 1u << a->index), PEAL_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a->ops->members(a, &members), PEAL_OK);
        assert_int_equal(members, 3);
        assert_true(is_readable(a));
    }
    assert_int_equal(a->ops->notify(a, 1u << a->index), PEAL_OK);
    const struct peal_vdev_news news = drain(a);
    assert_int_equal(news.sources, 3);
    assert_int_equal(news.members, 3);
    assert_false(is_readable(a));
    assert_int_equal(drain(a).sources, 0);
    detach(b);
    assert_true(is_readable(a));
    assert_int_equal(drain(a).members, 1);
    detach(a);
}

static void all_ones_are_sixteen_clients_or_no_device_and_the_index_tells(void **state)
{
    (void)state;
    struct peal_vdev_link *link = attach(MODEL_DEVICE, "region", PAGES);
    struct peal_vdev_news news;
    uint32_t members;
    model_access_lie(MODEL_STATUS, UINT32_MAX);
    news = drain(link);
    assert_int_equal(news.sources, 0xffff);
    assert_int_equal(news.members, 0xffff);
    model_access_lie(MODEL_IDX, UINT32_MAX);
    assert_refused(link->ops->drain(link, &news), PEAL_ESYSTEM, "gone");
    assert_refused(link->ops->members(link, &members), PEAL_ESYSTEM, "gone");
    model_access_be_honest();
    assert_int_equal(drain(link).members, 1);
    detach(link);
}

static void our_own_bit_is_among_the_members_whatever_the_device_says(void **state)
{
    (void)state;
    struct peal_vdev_link *link = attach(MODEL_DEVICE, "region", PAGES);
    model_access_lie(MODEL_STATUS, 0);
    assert_int_equal(drain(link).members, 1u << link->index);
    detach(link);
}

#define ROUNDS 20000u

struct asker {
    struct peal_vdev_link *link;
    peal_u32 done;
};

static void *ask_for_members(void *context)
{
    struct asker *asker = context;
    uint32_t members = 0;
    while (peal_u32_load_acquire(&asker->done) == 0) /* pairs with the release in the test */
        if (asker->link->ops->members(asker->link, &members) != PEAL_OK || members != 3)
            return asker;
    return NULL;
}

/* Every ring is drained once by somebody, however the two readers of `status` meet. */
static void no_ring_is_lost_between_those_who_drain_and_those_who_ask(void **state)
{
    (void)state;
    struct peal_vdev_link *a = attach(MODEL_DEVICE, "region", PAGES);
    struct peal_vdev_link *b = attach(MODEL_DEVICE, "region", PAGES);
    struct asker asker = {.link = a};
    struct pollfd polled = {.fd = a->fd, .events = POLLIN};
    pthread_t thread;
    void *bad = NULL;
    assert_int_equal(pthread_create(&thread, NULL, ask_for_members, &asker), 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t sources = 0;
        assert_int_equal(b->ops->notify(b, 1u << a->index), PEAL_OK);
        while ((sources & 1u << b->index) == 0) {
            assert_int_equal(poll(&polled, 1, 20000), 1);
            sources |= drain(a).sources;
        }
    }
    peal_u32_store_release(&asker.done, 1); /* pairs with the acquire in ask_for_members() */
    assert_int_equal(pthread_join(thread, &bad), 0);
    assert_null(bad);
    detach(a);
    detach(b);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    static const struct CMUnitTest tests[] = {
        CASE(an_attachment_has_the_index_and_the_size_that_the_device_says),
        CASE(the_name_is_written_byte_by_byte_with_its_end),
        CASE(a_device_behind_a_bus_of_32_bits_works_by_halves),
        CASE(what_is_no_vdev_is_not_written_to),
        CASE(each_answer_of_the_device_has_its_status_and_says_what_to_do),
        CASE(the_device_refuses_with_these_answers),
        CASE(sizes_and_indexes_that_cannot_be_are_refused_and_detached),
        CASE(addresses_that_cannot_be_are_refused),
        CASE(wherever_the_device_fails_nothing_stays_attached),
        CASE(notify_names_sixteen_clients_and_never_everybody),
        CASE(the_index_is_read_once),
        CASE(asking_for_members_keeps_the_sources_and_the_descriptor_readable),
        CASE(all_ones_are_sixteen_clients_or_no_device_and_the_index_tells),
        CASE(our_own_bit_is_among_the_members_whatever_the_device_says),
        CASE(no_ring_is_lost_between_those_who_drain_and_those_who_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
