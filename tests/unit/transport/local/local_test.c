/* SPDX-License-Identifier: Apache-2.0 */
/* What local has beyond the contract: the controls for tests. */
#include "transport/local/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define REGION_BYTES 8192u

static struct peal_transport *open_sized(const char *name, uint64_t size_bytes)
{
    struct peal_transport *t = NULL;
    const struct peal_transport_options options = {.struct_bytes = sizeof(options),
                                                   .size_bytes = size_bytes};
    assert_int_equal(peal_transport_open("local", name, &options, &t), PEAL_OK);
    return t;
}

static void close_one(struct peal_transport *t)
{
    t->ops->close(t);
}

static void memory_begins_with_the_bytes_of_the_seed(void **state)
{
    (void)state;
    unsigned char bytes[REGION_BYTES];
    unsigned zeros = 0;
    peal_local_set_fill(42);
    struct peal_transport *t = open_sized("fill", REGION_BYTES);
    memcpy(bytes, t->base, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        zeros += bytes[i] == 0;
    assert_in_range(zeros, 1, 200);
    close_one(t);
    t = open_sized("fill", REGION_BYTES);
    assert_memory_equal(t->base, bytes, sizeof(bytes));
    close_one(t);
    peal_local_set_fill(43);
    t = open_sized("fill", REGION_BYTES);
    assert_memory_not_equal(t->base, bytes, sizeof(bytes));
    close_one(t);
    peal_local_set_fill(0);
    t = open_sized("fill", REGION_BYTES);
    for (size_t i = 0; i < sizeof(bytes); i++)
        assert_int_equal(t->base[i], 0);
    close_one(t);
}

static void a_region_goes_with_its_last_client_unless_that_was_killed(void **state)
{
    (void)state;
    struct peal_transport *t = open_sized("life", REGION_BYTES);
    t->base[1] = 7;
    close_one(t);
    assert_int_equal(peal_transport_unlink("local", "life"), PEAL_ENOENT);
    t = open_sized("life", REGION_BYTES);
    assert_int_equal(t->base[1], 0);
    t->base[1] = 8;
    peal_local_kill(t);
    peal_local_kill(t);
    close_one(t);
    t = open_sized("life", REGION_BYTES);
    assert_int_equal(t->base[1], 8);
    close_one(t);
    assert_int_equal(peal_transport_unlink("local", "life"), PEAL_ENOENT);
}

static void a_killed_client_keeps_its_memory_while_a_new_region_takes_the_name(void **state)
{
    (void)state;
    struct peal_transport *dead = open_sized("ghost", REGION_BYTES);
    peal_local_kill(dead);
    struct peal_transport *t = open_sized("ghost", 2 * REGION_BYTES);
    assert_int_equal(t->size_bytes, 2 * REGION_BYTES);
    assert_ptr_not_equal(t->base, dead->base);
    dead->base[REGION_BYTES - 1] = 1;
    assert_int_equal(t->base[REGION_BYTES - 1], 0);
    close_one(dead);
    close_one(t);
}

static void a_killed_client_neither_hears_nor_drains_the_rings_of_its_heir(void **state)
{
    (void)state;
    uint64_t sources = 99;
    struct peal_transport *other = open_sized("heir", REGION_BYTES);
    struct peal_transport *dead = open_sized("heir", REGION_BYTES);
    peal_local_kill(dead);
    struct peal_transport *heir = open_sized("heir", REGION_BYTES);
    assert_int_equal(heir->index, dead->index);
    const uint32_t dead_epoch = dead->ops->epoch(dead);
    other->ops->notify(other, UINT64_C(1) << heir->index);
    assert_int_equal(dead->ops->epoch(dead), dead_epoch);
    assert_int_equal(dead->ops->wait(dead, dead_epoch, 0, &sources), PEAL_TIMEDOUT);
    assert_int_equal(sources, 0);
    assert_int_equal(heir->ops->wait(heir, 0, 0, &sources), PEAL_OK);
    assert_int_equal(sources, UINT64_C(1) << other->index);
    dead->ops->wake_all(dead);
    assert_int_not_equal(dead->ops->epoch(dead), dead_epoch);
    close_one(dead);
    assert_int_equal(other->ops->members(other), 3);
    close_one(heir);
    close_one(other);
}

static void capacity_is_as_set_for_regions_made_later(void **state)
{
    (void)state;
    struct peal_transport *before = open_sized("before", REGION_BYTES);
    peal_local_set_capacity(2);
    struct peal_transport *after = open_sized("after", REGION_BYTES);
    struct peal_transport *again = open_sized("before", REGION_BYTES);
    peal_local_set_capacity(0);
    assert_int_equal(before->capacity, PEAL_TRANSPORT_CLIENTS_MAX);
    assert_int_equal(again->capacity, PEAL_TRANSPORT_CLIENTS_MAX);
    assert_int_equal(after->capacity, 2);
    close_one(before);
    close_one(again);
    close_one(after);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_begins_with_the_bytes_of_the_seed),
        cmocka_unit_test(a_region_goes_with_its_last_client_unless_that_was_killed),
        cmocka_unit_test(a_killed_client_keeps_its_memory_while_a_new_region_takes_the_name),
        cmocka_unit_test(a_killed_client_neither_hears_nor_drains_the_rings_of_its_heir),
        cmocka_unit_test(capacity_is_as_set_for_regions_made_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
