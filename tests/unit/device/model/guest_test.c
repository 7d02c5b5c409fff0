/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device/model/rig.h"

static struct rig rig;

static void the_end_of_a_guest_is_a_detach_of_all_its_connections(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 3);
    assert_attaches(guests[1], "r", 4);
    assert_attaches(guests[1], "own", 2);
    (void)status_of(guests[0]);
    rig_forget(&rig);
    vdev_guest_end(guests[1]);
    guests[1] = NULL;
    assert_true(status_of(guests[0]) == 0x50000u);
    assert_int_equal(rig_interrupts(&rig, 0), 2);
    assert_int_equal(rig_interrupts(&rig, 1), 0); /* nobody is there to hear it */
    assert_int_equal(rig_interrupts(&rig, 2), 2);
    assert_int_equal(rig_count(&rig, RIG_END), 1); /* its own region has gone with it */
    rig_end(&rig, guests, 3);
}

static void a_reset_detaches_everything_and_clears_the_registers(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    assert_attaches(guests[1], "r", 4);
    factory_put(guests[1], FACTORY(find), 4, 1);
    (void)status_of(guests[0]);
    rig_forget(&rig);
    const uint64_t writes = vdev_guest_counts(guests[1]).factory_writes;
    vdev_guest_reset(guests[1]);
    assert_true(status_of(guests[0]) == 0x10000u);
    assert_int_equal(rig_interrupts(&rig, 0), 2);
    assert_int_equal(rig_interrupts(&rig, 1), 0);
    assert_true(factory_get(guests[1], FACTORY(shmem), 8) == 0);
    assert_int_equal(factory_get(guests[1], FACTORY(size), 4), 0);
    assert_int_equal(factory_get(guests[1], FACTORY(find), 4), 0);
    assert_int_equal(factory_get(guests[1], FACTORY(name), 1), 0);
    assert_int_equal(vdev_guest_connection(guests[1], 0, 0), -1);
    assert_int_equal(vdev_guest_counts(guests[1]).factory_writes, writes);

    assert_attaches(guests[1], "r", 4); /* as good as new, and interrupted again */
    assert_int_equal(control_get(guests[1], 0, 0, CONTROL(idx)), 1);
    factory_put(guests[1], FACTORY(find), 4, 0);
    assert_int_equal(factory_get(guests[1], FACTORY(status), 4), GSS_OK);
    rig_forget(&rig);
    notify(guests[0], 1u << 1);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    rig_end(&rig, guests, 2);
}

static void a_guest_that_hangs_or_whose_program_dies_changes_nothing_for_others(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    /* Guest 1 does not touch its device any more: bells to it are raised once, and it stays a member for ever. */
    for (int i = 0; i < 100; i++) {
        notify(guests[0], UINT32_MAX);
        assert_true(status_of(guests[0]) == 0x30000u);
    }
    assert_int_equal(rig_interrupts(&rig, 0), 0);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    rig_end(&rig, guests, 2);
}

static void a_region_ends_with_its_last_client(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    detach(guests[0]);
    assert_int_equal(rig_count(&rig, RIG_END), 0);
    detach(guests[1]);
    assert_int_equal(rig_count(&rig, RIG_END), 1);
    const struct rig_record *last = &rig.records[rig.records_count - 1];
    assert_int_equal(last->subject, 0);
    assert_int_equal(last->value, 4);
    struct vdev_region_info info;
    assert_false(vdev_model_region(rig.model, 0, &info));
    assert_attaches(guests[1], "r", 9); /* another region of that name, of another size */
    assert_int_equal(factory_get(guests[1], FACTORY(size), 4), 9);
    rig_end(&rig, guests, 2);
}

static void a_region_outlives_a_restarted_guest_while_somebody_is_attached(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    rig.memory[0] = 0x5eed;
    vdev_guest_end(guests[1]);
    guests[1] = rig_guest(&rig, 1);
    assert_attaches(guests[1], "r", 4);
    assert_int_equal(control_get(guests[1], 0, 0, CONTROL(idx)), 1);
    assert_true(rig.memory[0] == 0x5eed); /* contents are as they were: not zero */
    rig_end(&rig, guests, 2);
}

static void check_memory(enum vdev_memory_setting setting, uint64_t wanted)
{
    const struct vdev_settings settings = {.memory = setting};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    rig.memory[0] = 0xdead;
    assert_attaches(guest, "r", 1);
    assert_true(rig.memory[0] == wanted);
    rig_end(&rig, &guest, 1);
}

static void with_zeroed_memory_a_new_region_is_zero(void **state)
{
    (void)state;
    check_memory(VDEV_MEMORY_ZEROED, 0);
}

static void with_stale_memory_a_new_region_is_as_it_was_left(void **state)
{
    (void)state;
    check_memory(VDEV_MEMORY_STALE, 0xdead);
}

/* ---- the options of a guest ---- */

static struct vdev_guest *guest_with(uint32_t number, const char *word, const char *argument,
                                     const char *word2, const char *argument2)
{
    struct vdev_rules rules;
    memset(&rules, 0, sizeof(rules));
    rig_rule(&rules, word, argument);
    if (word2)
        rig_rule(&rules, word2, argument2);
    struct vdev_guest *guest = vdev_guest_new(rig.model, &rules, rig_user(number));
    assert_non_null(guest);
    return guest;
}

static void a_denied_region_gives_no_permission_and_is_neither_made_nor_joined(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guests[2] = {rig_guest(&rig, 0), guest_with(1, "deny", "live*", NULL, NULL)};
    assert_int_equal(factory_attach(guests[1], "live-feed", 1), GSS_NO_PERMISSION);
    assert_true(factory_get(guests[1], FACTORY(shmem), 8) == 0);
    assert_int_equal(rig.records_count, 0);
    assert_attaches(guests[0], "live-feed", 1);
    assert_int_equal(factory_attach(guests[1], "live-feed", 1), GSS_NO_PERMISSION);
    assert_int_equal(rig_interrupts(&rig, 0), 0);
    assert_attaches(guests[1], "alive", 1);
    rig_end(&rig, guests, 2);
}

static void an_allow_list_denies_the_rest(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = guest_with(0, "allow", "test*", "allow", "pluto");
    assert_attaches(guest, "test", 1);
    assert_attaches(guest, "test-2", 1);
    assert_attaches(guest, "pluto", 1);
    assert_int_equal(factory_attach(guest, "plutoplanet", 1), GSS_NO_PERMISSION);
    assert_int_equal(factory_attach(guest, "a-test", 1), GSS_NO_PERMISSION);
    rig_end(&rig, &guest, 1);
}

static void created_regions_are_there_from_the_start_and_stay(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guests[2] = {guest_with(0, "create", "TEST1,0xf0000", NULL, NULL), NULL};
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_string_equal(info.name, "TEST1");
    assert_int_equal(info.pages, 240);
    assert_int_equal(info.members, 0);
    assert_true(info.permanent);
    guests[1] = rig_guest(&rig, 1);
    assert_attaches(guests[1], "TEST1", 1);
    assert_int_equal(factory_get(guests[1], FACTORY(size), 4), 240);
    rig.memory[0] = 77;
    detach(guests[1]);
    vdev_guest_end(guests[0]);
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_int_equal(rig_count(&rig, RIG_END), 0);
    guests[0] = guest_with(0, "create", "TEST1,0xf0000", NULL, NULL); /* it boots again */
    assert_attaches(guests[0], "TEST1", 1);
    assert_true(rig.memory[0] == 77);
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 1);
    rig_end(&rig, guests, 2);
    assert_int_equal(rig_count(&rig, RIG_END), 0);
}

static void create_of_a_region_that_is_there_makes_it_permanent_and_keeps_its_size(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 1);
    guests[1] = guest_with(1, "create", "r,40960", NULL, NULL);
    detach(guests[0]);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_true(info.permanent);
    assert_int_equal(info.pages, 4);
    rig_end(&rig, guests, 2);
}

static void a_guest_whose_regions_find_no_memory_is_not_made_and_leaves_nothing(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.pages_max = 10};
    rig_begin(&rig, &settings);
    struct vdev_guest *other = rig_guest(&rig, 0);
    assert_attaches(other, "there", 2);
    rig_forget(&rig);
    struct vdev_rules rules;
    memset(&rules, 0, sizeof(rules));
    rig_rule(&rules, "create", "there,4K");
    rig_rule(&rules, "create", "one,16K");
    rig_rule(&rules, "create", "two,20K");
    assert_null(vdev_guest_new(rig.model, &rules, NULL));
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 1);
    assert_int_equal(rig_count(&rig, RIG_END), 1);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_false(info.permanent);
    assert_false(vdev_model_region(rig.model, 1, &info));
    assert_attaches(other, "all the rest", 8);
    rig_end(&rig, &other, 1);
}

static void subst_puts_guests_into_name_spaces_of_their_own(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guests[3] = {guest_with(0, "subst", ",left-", NULL, NULL),
                                    guest_with(1, "subst", ",right-", NULL, NULL),
                                    rig_guest(&rig, 2)};
    assert_attaches(guests[0], "r", 1);
    assert_attaches(guests[1], "r", 2);
    assert_int_equal(factory_get(guests[1], FACTORY(size), 4), 2);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 1, &info));
    assert_string_equal(info.name, "right-r");
    assert_attaches(guests[2], "left-r", 9);
    assert_int_equal(factory_get(guests[2], FACTORY(size), 4), 1);
    char name[GUEST_SHM_MAX_NAME + 1]; /* the guest does not see the prefix */
    factory_put_name(guests[0], "something else");
    factory_put(guests[0], FACTORY(find), 4, 0);
    factory_get_name(guests[0], name);
    assert_string_equal(name, "r");
    rig_end(&rig, guests, 3);
}

static void a_name_that_the_prefix_makes_too_long_is_illegal(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = guest_with(0, "subst", ",prefix-", NULL, NULL);
    assert_attaches(guest, "123456789012345678901234", 1);
    assert_int_equal(factory_attach(guest, "1234567890123456789012345", 1), GSS_ILLEGAL_NAME);
    rig_end(&rig, &guest, 1);
}

static void permission_is_of_the_name_with_its_prefix(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = guest_with(0, "subst", ",left-", "allow", "left-*");
    assert_attaches(guest, "r", 1);
    vdev_guest_end(guest);
    guest = guest_with(0, "subst", ",left-", "allow", "r*");
    assert_int_equal(factory_attach(guest, "r", 1), GSS_NO_PERMISSION);
    rig_end(&rig, &guest, 1);
}

static void created_regions_get_the_prefix_and_need_no_permission(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_rules rules;
    memset(&rules, 0, sizeof(rules));
    rig_rule(&rules, "deny", "*");
    rig_rule(&rules, "create", "r,4096");
    rig_rule(&rules, "subst", ",left-");
    struct vdev_guest *guest = vdev_guest_new(rig.model, &rules, rig_user(0));
    assert_non_null(guest);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_string_equal(info.name, "left-r");
    assert_int_equal(factory_attach(guest, "r", 1), GSS_NO_PERMISSION);
    rig_end(&rig, &guest, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_guest_is_a_detach_of_all_its_connections),
        cmocka_unit_test(a_reset_detaches_everything_and_clears_the_registers),
        cmocka_unit_test(a_guest_that_hangs_or_whose_program_dies_changes_nothing_for_others),
        cmocka_unit_test(a_region_ends_with_its_last_client),
        cmocka_unit_test(a_region_outlives_a_restarted_guest_while_somebody_is_attached),
        cmocka_unit_test(with_zeroed_memory_a_new_region_is_zero),
        cmocka_unit_test(with_stale_memory_a_new_region_is_as_it_was_left),
        cmocka_unit_test(a_denied_region_gives_no_permission_and_is_neither_made_nor_joined),
        cmocka_unit_test(an_allow_list_denies_the_rest),
        cmocka_unit_test(created_regions_are_there_from_the_start_and_stay),
        cmocka_unit_test(create_of_a_region_that_is_there_makes_it_permanent_and_keeps_its_size),
        cmocka_unit_test(a_guest_whose_regions_find_no_memory_is_not_made_and_leaves_nothing),
        cmocka_unit_test(subst_puts_guests_into_name_spaces_of_their_own),
        cmocka_unit_test(a_name_that_the_prefix_makes_too_long_is_illegal),
        cmocka_unit_test(permission_is_of_the_name_with_its_prefix),
        cmocka_unit_test(created_regions_get_the_prefix_and_need_no_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
