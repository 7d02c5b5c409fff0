/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device/model/rig.h"

static struct rig rig;

static void settings_beyond_a_limit_are_refused(void **state)
{
    (void)state;
    struct vdev_settings settings = {.regions_max = VDEV_REGIONS_MAX + 1};
    assert_null(vdev_model_new(&settings, &rig_ops, &rig));
    settings = (struct vdev_settings){.vector = (enum vdev_vector_setting)2};
    assert_null(vdev_model_new(&settings, &rig_ops, &rig));
    settings = (struct vdev_settings){.memory = (enum vdev_memory_setting)2};
    assert_null(vdev_model_new(&settings, &rig_ops, &rig));
    settings = (struct vdev_settings){.regions_max = VDEV_REGIONS_MAX};
    struct vdev_model *model = vdev_model_new(&settings, &rig_ops, &rig);
    assert_non_null(model);
    vdev_model_free(model);
}

static void every_op_but_event_must_be_there(void **state)
{
    (void)state;
    assert_null(vdev_model_new(NULL, NULL, &rig));
    struct vdev_ops ops = rig_ops;
    ops.region_begin = NULL;
    assert_null(vdev_model_new(NULL, &ops, &rig));
    ops = rig_ops;
    ops.region_end = NULL;
    assert_null(vdev_model_new(NULL, &ops, &rig));
    ops = rig_ops;
    ops.place = NULL;
    assert_null(vdev_model_new(NULL, &ops, &rig));
    ops = rig_ops;
    ops.interrupt = NULL;
    assert_null(vdev_model_new(NULL, &ops, &rig));
    ops = rig_ops;
    ops.event = NULL;
    memset(&rig, 0, sizeof(rig));
    rig.model = vdev_model_new(NULL, &ops, &rig);
    assert_non_null(rig.model);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "r", 1);
    rig_end(&rig, &guest, 1);
}

static void a_host_has_so_many_guests_and_no_more(void **state)
{
    (void)state;
    static struct vdev_guest *guests[VDEV_GUESTS_MAX];
    rig_begin(&rig, NULL);
    for (uint32_t i = 0; i < VDEV_GUESTS_MAX; i++)
        guests[i] = rig_guest(&rig, i);
    assert_null(vdev_guest_new(rig.model, NULL, NULL));
    vdev_guest_end(guests[100]);
    guests[100] = rig_guest(&rig, 100);
    assert_null(vdev_guest_new(rig.model, NULL, NULL));
    rig_end(&rig, guests, VDEV_GUESTS_MAX);
}

static void regions_are_told_by_slot(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 3);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_string_equal(info.name, "r");
    assert_int_equal(info.pages, 4);
    assert_int_equal(info.members, 7);
    assert_false(vdev_model_region(rig.model, 1, &info));
    assert_false(vdev_model_region(rig.model, VDEV_REGIONS_MAX, &info));
    assert_false(vdev_model_region(rig.model, UINT32_MAX, &info));
    rig_end(&rig, guests, 3);
}

static void two_hosts_know_nothing_of_each_other(void **state)
{
    (void)state;
    static struct rig other;
    struct vdev_guest *guests[1];
    struct vdev_guest *strangers[1];
    rig_attached(&rig, NULL, guests, 1);
    rig_attached(&other, NULL, strangers, 1);
    assert_int_equal(rig.records_count, 0);
    assert_true(status_of(guests[0]) == 0x10000u);
    rig_end(&other, strangers, 1);
    assert_true(status_of(guests[0]) == 0x10000u);
    rig_end(&rig, guests, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_beyond_a_limit_are_refused),
        cmocka_unit_test(every_op_but_event_must_be_there),
        cmocka_unit_test(a_host_has_so_many_guests_and_no_more),
        cmocka_unit_test(regions_are_told_by_slot),
        cmocka_unit_test(two_hosts_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
