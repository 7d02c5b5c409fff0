/* SPDX-License-Identifier: Apache-2.0 */
#include <peal/bus.h>

#include "bus/bus_internal.h"
#include "core/client.h"
#include "core/owner.h"
#include "tests/support/bus_fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_endpoint.h"
#include "transport/local/local.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t members(struct peal_bus *bus)
{
    return bus->transport->ops->members(bus->transport);
}

static uint32_t count_members(struct peal_bus *bus)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    return stats.members;
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    int fd;
    struct peal_bus *bus = (void *)state;
    assert_int_equal(peal_bus_open(NULL, "local:bus", NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_open(&bus, NULL, NULL), PEAL_EINVAL);
    assert_null(bus);
    assert_int_equal(peal_unlink(NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_stats(NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_recover(NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_fd(NULL, &fd), PEAL_EINVAL);
    assert_int_equal(peal_bus_arm(NULL), PEAL_EINVAL);
    assert_int_equal(peal_bus_disarm(NULL), PEAL_EINVAL);
    peal_bus_close(NULL);
}

static void bad_options_are_refused_with_what_to_do(void **state)
{
    (void)state;
    struct peal_bus *bus = (void *)state;
    struct peal_bus_options options = {0};
    assert_int_equal(peal_bus_open(&bus, "local:bus", &options), PEAL_EINVAL);
    assert_null(bus);
    assert_non_null(strstr(peal_error_message(), "sizeof(struct peal_bus_options)"));
    options = (struct peal_bus_options)PEAL_BUS_OPTIONS_INIT;
    options.client_name = "a name of 32 characters, one more";
    assert_int_equal(peal_bus_open(&bus, "local:bus", &options), PEAL_EINVAL);
    options.client_name = NULL;
    options.mode = 010600;
    assert_int_equal(peal_bus_open(&bus, "local:bus", &options), PEAL_EINVAL);
    options.mode = 0;
    options.group = "there is no such group";
    assert_int_equal(peal_bus_open(&bus, "local:bus", &options), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "getent group"));
    assert_int_equal(peal_bus_open(&bus, "carrier:bus", NULL), PEAL_ENOTSUP);
    assert_non_null(strstr(peal_error_message(), "posix:bus"));
    assert_int_equal(peal_bus_open(&bus, "local:bus?sice=1", NULL), PEAL_EINVAL);
    assert_int_equal(peal_unlink("local:bus"), PEAL_ENOENT);
}

static void a_failed_open_leaves_nothing_behind(void **state)
{
    (void)state;
    struct peal_bus *bus = (void *)state;
    assert_int_equal(peal_bus_open(&bus, "local:bus?exist=1", NULL), PEAL_ENOENT);
    assert_null(bus);
    assert_non_null(strstr(peal_error_message(), "local:bus"));
    assert_int_equal(peal_bus_open(&bus, "local:bus?size=16K&topics=200", NULL), PEAL_EINVAL);
    assert_int_equal(peal_unlink("local:bus"), PEAL_ENOENT);
}

static void buses_of_one_name_share_a_region(void **state)
{
    (void)state;
    struct peal_bus *one = bus_fixture_open("local:bus", NULL);
    struct peal_bus *two = bus_fixture_open("local:bus?exist=1", NULL);
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_non_null(one);
    assert_non_null(two);
    assert_ptr_equal(one->region.base, two->region.base);
    assert_int_equal(peal_bus_stats(two, &stats), PEAL_OK);
    assert_int_equal(stats.members, 2);
    assert_int_equal(stats.index, two->region.index);
    assert_int_not_equal(one->region.index, two->region.index);
    assert_true(stats.region_bytes == BUS_FIXTURE_BYTES);
    assert_true(stats.region_free_bytes > 0 && stats.region_free_bytes < BUS_FIXTURE_BYTES);
    assert_int_equal(stats.clients_max, two->transport->capacity);
    assert_int_equal(stats.one_clock, 1);
    peal_bus_close(one);
    assert_int_equal(count_members(two), 1);
    peal_bus_close(two);
}

static void peers_see_the_clients_name(void **state)
{
    (void)state;
    struct peal_client_view view;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *one, *two;
    options.client_name = "0123456789012345678901234567890";
    assert_int_equal(peal_bus_open(&one, "local:bus?size=4M&topics=8", &options), PEAL_OK);
    assert_int_equal(peal_bus_open(&two, "local:bus", NULL), PEAL_OK);
    peal_client_view(&two->region, one->region.index, &view);
    assert_true(view.active);
    assert_string_equal(view.name, "0123456789012345678901234567890");
    peal_client_view(&one->region, two->region.index, &view);
    assert_string_equal(view.name, program_invocation_short_name);
    uint32_t index = two->region.index;
    peal_bus_close(two);
    peal_client_view(&one->region, index, &view);
    assert_false(view.active);
    peal_bus_close(one);
}

static void keys_in_the_url_win_over_options(void **state)
{
    (void)state;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    options.size_bytes = UINT64_C(8) << 20;
    options.topics_max = 8;
    assert_int_equal(peal_bus_open(&bus, "local:bus?size=4M", &options), PEAL_OK);
    assert_true(bus->region.size_bytes == UINT64_C(4) << 20);
    assert_int_equal(bus->region.topics_max, 8);
    peal_bus_close(bus);
}

static void defaults_are_as_documented(void **state)
{
    (void)state;
    struct peal_bus *bus;
    assert_int_equal(peal_bus_open(&bus, "local:bus", NULL), PEAL_OK);
    assert_true(bus->region.size_bytes == UINT64_C(64) << 20);
    assert_int_equal(bus->region.topics_max, 256);
    assert_int_equal(bus->spin_ns, 20000);
    assert_int_equal(bus->safety_net_ns, 100000000);
    assert_int_equal(bus->bell_rate_hz, 100000);
    assert_int_equal(bus->fences, (bus->transport->capabilities & PEAL_TRANSPORT_BARRIER) == 0);
    peal_bus_close(bus);
}

static void always_fence(struct peal_bus_options *options)
{
    options->always_fence = true;
}

static void publishers_fence_if_told_to(void **state)
{
    (void)state;
    struct peal_bus *bus = bus_fixture_open("local:bus", always_fence);
    assert_true(bus->fences);
    peal_bus_close(bus);
}

static void an_older_programs_options_and_statistics_are_taken(void **state)
{
    (void)state;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus_stats stats = {.struct_bytes = offsetof(struct peal_bus_stats, index)};
    struct peal_bus *bus;
    options.struct_bytes = offsetof(struct peal_bus_options, spin_ns);
    options.spin_ns = 5; /* beyond what that program knows */
    assert_int_equal(peal_bus_open(&bus, "local:bus", &options), PEAL_OK);
    assert_int_equal(bus->spin_ns, 20000);
    stats.index = 77;
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    assert_int_equal(stats.members, 1);
    assert_int_equal(stats.index, 77);
    stats.struct_bytes = 0;
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_EINVAL);
    peal_bus_close(bus);
}

static void endpoints_keep_a_closed_bus_attached(void **state)
{
    (void)state;
    struct peal_bus *watcher = bus_fixture_open("local:bus", NULL);
    struct peal_bus *bus = bus_fixture_open("local:bus", NULL);
    peal_u32 released = {0};
    struct fake_endpoint *fake = fake_create(bus, &released);
    peal_bus_close(bus);
    assert_int_equal(count_members(watcher), 2);
    assert_true(peal_bus_is_closed(fake->endpoint.bus));
    fake_close(fake);
    assert_int_equal(peal_u32_load_relaxed(&released), 1);
    assert_int_equal(count_members(watcher), 1);
    peal_bus_close(watcher);
}

/* What the state word holds while `bus` lays the region out. */
static uint64_t laying_out(const struct peal_bus *bus)
{
    return peal_owner_pack((struct peal_owner){.state = PEAL_REGION_LAYING_OUT,
                                               .client = bus->region.index,
                                               .version = PEAL_REGION_TAG,
                                               .incarnation = (uint32_t)bus->region.incarnation});
}

static void open_gives_up_on_a_stopped_opener_after_its_timeout(void **state)
{
    (void)state;
    struct peal_bus *first = bus_fixture_open("local:bus", NULL);
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *second = first;
    peal_u64 *word = &first->region.header->layout.state;
    uint64_t ready = peal_u64_load_relaxed(word);
    peal_u64_store_release(word, laying_out(first));
    options.open_timeout_ns = 20000000;
    uint64_t before_ns = test_now_ns();
    assert_int_equal(peal_bus_open(&second, "local:bus", &options), PEAL_TIMEDOUT);
    assert_true(test_now_ns() - before_ns >= options.open_timeout_ns);
    assert_null(second);
    assert_non_null(strstr(peal_error_message(), "laying the region out"));
    assert_int_equal(count_members(first), 1);
    peal_u64_store_release(word, ready);
    peal_bus_close(first);
}

static void *open_second(void *place)
{
    *(struct peal_bus **)place = bus_fixture_open("local:bus", NULL);
    return NULL;
}

static bool has_two_members(void *bus)
{
    return __builtin_popcountll(members(bus)) == 2;
}

static void open_waits_for_another_opener(void **state)
{
    (void)state;
    struct peal_bus *first = bus_fixture_open("local:bus", NULL);
    struct peal_bus *second = NULL;
    pthread_t thread;
    peal_u64 *word = &first->region.header->layout.state;
    uint64_t ready = peal_u64_load_relaxed(word);
    peal_u64_store_release(word, laying_out(first));
    assert_int_equal(pthread_create(&thread, NULL, open_second, &second), 0);
    bool came = eventually(has_two_members, first, EVENTUALLY_TIMEOUT_NS);
    peal_u64_store_release(word, ready);
    (void)pthread_join(thread, NULL);
    assert_true(came);
    assert_non_null(second);
    peal_bus_close(second);
    peal_bus_close(first);
}

static void the_dead_are_recovered_and_counted(void **state)
{
    (void)state;
    uint32_t recovered = 99;
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    struct peal_bus *victim = bus_fixture_open("local:bus", NULL);
    struct peal_bus *survivor = bus_fixture_open("local:bus", NULL);
    assert_int_equal(peal_bus_recover(survivor, &recovered), PEAL_OK);
    assert_int_equal(recovered, 0);
    peal_local_kill(victim->transport);
    uint32_t epoch = survivor->transport->ops->epoch(survivor->transport);
    assert_int_equal(peal_bus_recover(survivor, &recovered), PEAL_OK);
    assert_int_equal(recovered, 1);
    assert_int_not_equal(survivor->transport->ops->epoch(survivor->transport), epoch);
    assert_int_equal(peal_bus_recover(survivor, NULL), PEAL_OK);
    assert_int_equal(peal_bus_stats(survivor, &stats), PEAL_OK);
    assert_int_equal(stats.recovered_clients, 1);
    peal_bus_close(victim);
    peal_bus_close(survivor);
}

static void opening_recovers_the_dead(void **state)
{
    (void)state;
    struct peal_bus *victims[3];
    for (int i = 0; i < 3; i++)
        victims[i] = bus_fixture_open("local:bus", NULL);
    struct peal_bus *witness = bus_fixture_open("local:bus", NULL);
    for (int i = 0; i < 3; i++)
        peal_local_kill(victims[i]->transport);
    /* The newcomer takes the index of one of them; the others are cleared away. */
    struct peal_bus *newcomer = bus_fixture_open("local:bus", NULL);
    assert_int_equal(peal_bus_look_for_dead(witness, 0), 0);
    assert_int_equal(count_members(newcomer), 2);
    for (int i = 0; i < 3; i++)
        peal_bus_close(victims[i]);
    peal_bus_close(witness);
    peal_bus_close(newcomer);
}

static void looking_for_the_dead_is_limited(void **state)
{
    (void)state;
    struct peal_bus *victim = bus_fixture_open("local:bus", NULL);
    struct peal_bus *survivor = bus_fixture_open("local:bus", NULL);
    (void)peal_bus_look_for_dead(survivor, 1); /* sets the clock */
    peal_local_kill(victim->transport);
    assert_int_equal(peal_bus_look_for_dead(survivor, UINT64_C(3600000000000)), 0);
    assert_int_equal(peal_bus_look_for_dead(survivor, 0), 1);
    peal_bus_close(victim);
    peal_bus_close(survivor);
}

static void auto_means_posix_here_and_unlink_removes_the_name(void **state)
{
    (void)state;
    char url[64], posix_url[64];
    struct peal_bus *one, *two;
    (void)snprintf(url, sizeof(url), "auto:bus_test_%ld?size=4M&topics=8", (long)getpid());
    (void)snprintf(posix_url, sizeof(posix_url), "posix:bus_test_%ld?exist=1", (long)getpid());
    if (access("/dev/guest_shm0", F_OK) == 0)
        skip();
    assert_int_equal(peal_bus_open(&one, url, NULL), PEAL_OK);
    assert_int_equal(peal_bus_open(&two, posix_url, NULL), PEAL_OK);
    assert_int_equal(count_members(one), 2);
    assert_int_equal(peal_unlink(url), PEAL_OK);
    assert_int_equal(peal_unlink(url), PEAL_ENOENT);
    assert_int_equal(count_members(two), 2);
    peal_bus_close(one);
    peal_bus_close(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_arguments_are_refused),
        cmocka_unit_test(bad_options_are_refused_with_what_to_do),
        cmocka_unit_test(a_failed_open_leaves_nothing_behind),
        cmocka_unit_test(buses_of_one_name_share_a_region),
        cmocka_unit_test(peers_see_the_clients_name),
        cmocka_unit_test(keys_in_the_url_win_over_options),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(publishers_fence_if_told_to),
        cmocka_unit_test(an_older_programs_options_and_statistics_are_taken),
        cmocka_unit_test(endpoints_keep_a_closed_bus_attached),
        cmocka_unit_test(open_gives_up_on_a_stopped_opener_after_its_timeout),
        cmocka_unit_test(open_waits_for_another_opener),
        cmocka_unit_test(the_dead_are_recovered_and_counted),
        cmocka_unit_test(opening_recovers_the_dead),
        cmocka_unit_test(looking_for_the_dead_is_limited),
        cmocka_unit_test(auto_means_posix_here_and_unlink_removes_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
