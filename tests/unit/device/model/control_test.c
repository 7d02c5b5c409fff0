/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device/model/rig.h"

static struct rig rig;

static void idx_is_the_lowest_index_that_is_free(void **state)
{
    (void)state;
    struct vdev_guest *guests[4];
    rig_attached(&rig, NULL, guests, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(control_get(guests[i], 0, 0, CONTROL(idx)), i);
    detach(guests[2]);
    detach(guests[1]);
    assert_attaches(guests[2], "r", 4);
    assert_int_equal(control_get(guests[2], 0, 0, CONTROL(idx)), 1);
    rig_end(&rig, guests, 4);
}

static void the_upper_half_of_status_is_who_is_attached_now(void **state)
{
    (void)state;
    struct vdev_guest *guests[16];
    rig_attached(&rig, NULL, guests, 16);
    assert_true(status_of(guests[0]) == 0xffff0000u);
    detach(guests[0]);
    assert_true(status_of(guests[9]) == 0xfffe0000u);
    detach(guests[15]);
    assert_true(status_of(guests[9]) == 0x7ffe0000u);
    rig_end(&rig, guests, 16);
}

static void the_lower_half_of_status_names_the_sources(void **state)
{
    (void)state;
    struct vdev_guest *guests[4];
    rig_attached(&rig, NULL, guests, 4);
    notify(guests[3], 1u << 1);
    notify(guests[0], 1u << 1);
    assert_true(status_of(guests[1]) == (0xf0000u | 1u << 3 | 1u << 0));
    assert_true(status_of(guests[2]) == 0xf0000u);
    assert_true(status_of(guests[3]) == 0xf0000u);
    rig_end(&rig, guests, 4);
}

static void reading_status_clears_what_was_pending_and_nothing_else(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 3);
    notify(guests[0], 1u << 1 | 1u << 2);
    assert_true(status_of(guests[1]) == 0x70001u);
    assert_true(status_of(guests[1]) == 0x70000u);
    assert_true(status_of(guests[2]) == 0x70001u); /* a bell of another reader stays */
    rig_end(&rig, guests, 3);
}

static void a_reader_is_not_interrupted_by_its_own_read(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    notify(guests[0], 1u << 1);
    rig_forget(&rig);
    assert_true(status_of(guests[1]) == 0x30001u);
    assert_int_equal(rig.records_count, 0);
    rig_end(&rig, guests, 2);
}

static void a_bell_interrupts_its_target_alone(void **state)
{
    (void)state;
    struct vdev_guest *guests[4];
    rig_attached(&rig, NULL, guests, 4);
    notify(guests[0], 1u << 2);
    assert_int_equal(rig.records_count, 1);
    assert_int_equal(rig_interrupts(&rig, 2), 1);
    rig_end(&rig, guests, 4);
}

static void a_source_that_is_pending_raises_nothing_more(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 3);
    for (int i = 0; i < 5; i++)
        notify(guests[0], 1u << 1);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    notify(guests[2], 1u << 1); /* another source changes the value */
    assert_int_equal(rig_interrupts(&rig, 1), 2);
    notify(guests[2], 1u << 1);
    assert_int_equal(rig_interrupts(&rig, 1), 2);
    assert_true(status_of(guests[1]) == (0x70000u | 5u));
    notify(guests[0], 1u << 1);
    assert_int_equal(rig_interrupts(&rig, 1), 3);
    rig_end(&rig, guests, 3);
}

static void one_write_may_ring_several_and_interrupts_only_those_that_are_not_pending(void **state)
{
    (void)state;
    struct vdev_guest *guests[4];
    rig_attached(&rig, NULL, guests, 4);
    notify(guests[0], 1u << 2);
    notify(guests[0], 1u << 1 | 1u << 2 | 1u << 3);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    assert_int_equal(rig_interrupts(&rig, 2), 1);
    assert_int_equal(rig_interrupts(&rig, 3), 1);
    rig_end(&rig, guests, 4);
}

static void notify_of_all_ones_rings_everybody_but_the_writer(void **state)
{
    (void)state;
    struct vdev_guest *guests[16];
    rig_attached(&rig, NULL, guests, 16);
    notify(guests[7], UINT32_MAX);
    for (uint32_t i = 0; i < 16; i++) {
        assert_int_equal(rig_interrupts(&rig, i), i == 7 ? 0 : 1);
        assert_true(status_of(guests[i]) == (0xffff0000u | (i == 7 ? 0 : 1u << 7)));
    }
    rig_end(&rig, guests, 16);
}

static void notify_of_oneself_rings_oneself(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    notify(guests[1], 1u << 1);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    assert_true(status_of(guests[1]) == 0x30002u);
    notify(guests[1], 0xffff); /* a bitset that has all targets is not "everybody but me" */
    assert_true(status_of(guests[1]) == 0x30002u);
    assert_true(status_of(guests[0]) == 0x30002u);
    rig_end(&rig, guests, 2);
}

static void notify_of_the_absent_does_nothing_also_for_who_comes_later(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 2);
    notify(guests[0], 1u << 2 | 1u << 15 | 1u << 17 | 0x80000000u);
    assert_int_equal(rig.records_count, 0);
    notify(guests[0], 0);
    assert_int_equal(rig.records_count, 0);
    guests[2] = rig_guest(&rig, 2);
    assert_attaches(guests[2], "r", 4);
    assert_true(status_of(guests[2]) == 0x70000u);
    rig_end(&rig, guests, 3);
}

static void a_new_client_interrupts_those_before_it_and_not_itself(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 2);
    guests[2] = rig_guest(&rig, 2);
    assert_attaches(guests[2], "r", 4);
    assert_int_equal(rig.records_count, 2);
    assert_int_equal(rig_interrupts(&rig, 0), 1);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    assert_true(status_of(guests[0]) == 0x70000u);
    rig_end(&rig, guests, 3);
}

static void detach_clears_the_bit_and_interrupts_the_others(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 3);
    static const uint32_t values[] = {0, 1, UINT32_MAX};
    for (uint32_t i = 0; i < 3; i++) { /* any value */
        rig_forget(&rig);
        control_put(guests[1], 0, 0, CONTROL(detach), values[i]);
        assert_int_equal(rig.records_count, 2);
        assert_int_equal(rig_interrupts(&rig, 0), 1);
        assert_int_equal(rig_interrupts(&rig, 2), 1);
        assert_true(status_of(guests[0]) == 0x50000u);
        assert_attaches(guests[1], "r", 4);
    }
    rig_end(&rig, guests, 3);
}

static void after_detach_the_control_page_reads_all_ones_and_ignores_writes(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    detach(guests[1]);
    (void)status_of(guests[0]);
    rig_forget(&rig);
    for (uint32_t offset = 0; offset < 16; offset += 4) {
        uint64_t value = 0;
        assert_int_equal(vdev_control_read(guests[1], 0, 0, offset, 4, &value),
                         VDEV_ACCESS_REFUSED);
        assert_true(value == 0xffffffffu);
        assert_int_equal(vdev_control_write(guests[1], 0, 0, offset, 4, 1), VDEV_ACCESS_REFUSED);
    }
    assert_int_equal(rig.records_count, 0);
    assert_true(status_of(guests[0]) == 0x10000u);
    assert_int_equal(vdev_guest_connection(guests[1], 0, 0), -1);
    rig_end(&rig, guests, 2);
}

static void bells_of_a_client_stay_pending_after_it_has_left(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    notify(guests[1], 1u << 0);
    detach(guests[1]);
    assert_int_equal(rig_interrupts(&rig, 0), 2);
    assert_true(status_of(guests[0]) == 0x10002u);
    rig_end(&rig, guests, 2);
}

static void leaving_and_coming_back_between_two_looks_cannot_be_seen(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    const uint32_t before = status_of(guests[0]);
    detach(guests[1]);
    assert_attaches(guests[1], "r", 4);
    assert_int_equal(control_get(guests[1], 0, 0, CONTROL(idx)), 1);
    assert_true(status_of(guests[0]) == before);
    assert_int_equal(rig_interrupts(&rig, 0), 2); /* but for the interrupts, which may become one */
    rig_end(&rig, guests, 2);
}

static void a_connection_begins_without_the_bells_of_its_predecessor(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    notify(guests[0], 1u << 1);
    detach(guests[1]);
    assert_attaches(guests[1], "r", 4);
    assert_true(status_of(guests[1]) == 0x30000u);
    rig_end(&rig, guests, 2);
}

static void two_connections_of_one_guest_are_two_clients(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "r", 1);
    assert_attaches(guest, "r", 1);
    assert_int_equal(rig_interrupts(&rig, 0), 1); /* the first sees the second come */
    control_put(guest, 0, 0, CONTROL(notify), 1u << 1);
    assert_true(control_get(guest, 0, 0, CONTROL(status)) == 0x30000u);
    assert_true(control_get(guest, 0, 1, CONTROL(status)) == 0x30001u);
    control_put(guest, 0, 0, CONTROL(detach), 1);
    assert_true(control_get(guest, 0, 1, CONTROL(status)) == 0x20000u);
    assert_int_equal(rig_interrupts(&rig, 0), 3);
    assert_int_equal(vdev_guest_connection(guest, 0, 0), -1);
    assert_int_equal(vdev_guest_connection(guest, 0, 1), 1);
    assert_attaches(guest, "r", 1); /* the lowest window that is free */
    assert_int_equal(vdev_guest_connection(guest, 0, 0), 0);
    rig_end(&rig, &guest, 1);
}

static void regions_do_not_hear_each_other(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    assert_attaches(guests[0], "other", 1);
    rig_forget(&rig);
    control_put(guests[0], 1, 0, CONTROL(notify), UINT32_MAX);
    assert_int_equal(rig.records_count, 0);
    assert_true(control_get(guests[0], 1, 0, CONTROL(status)) == 0x10000u);
    assert_true(status_of(guests[1]) == 0x30000u);
    rig_end(&rig, guests, 2);
}

static void the_line_stands_until_every_changed_status_was_read(void **state)
{
    (void)state;
    struct vdev_guest *guests[3];
    rig_attached(&rig, NULL, guests, 2);
    guests[2] = rig_guest(&rig, 2);
    (void)status_of(guests[0]);
    assert_false(vdev_guest_line(guests[0]));
    assert_false(vdev_guest_line(guests[1])); /* its own coming is no news to itself */
    notify(guests[0], 1u << 1);
    assert_true(vdev_guest_line(guests[1]));
    assert_false(vdev_guest_line(guests[0]));
    assert_attaches(guests[1], "other", 1); /* a second connection, of another region */
    assert_attaches(guests[2], "other", 1);
    (void)status_of(guests[1]);
    assert_true(vdev_guest_line(guests[1])); /* who came to the other region is not read yet */
    (void)control_get(guests[1], 1, 0, CONTROL(status));
    assert_false(vdev_guest_line(guests[1]));
    notify(guests[0], 1u << 1);
    detach(guests[1]);
    assert_false(vdev_guest_line(guests[1])); /* there is nothing left to read */
    rig_end(&rig, guests, 3);
}

static void every_access_is_a_trap_and_is_counted(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    const struct vdev_access_counts before = vdev_guest_counts(guests[0]);
    assert_int_equal(before.factory_writes, 3); /* two bytes of name, and size */
    assert_int_equal(before.factory_reads, 1);
    assert_int_equal(before.interrupts, 1);
    (void)status_of(guests[0]);
    (void)control_get(guests[0], 0, 0, CONTROL(idx));
    (void)control_get(guests[0], 0, 0, CONTROL(idx));
    notify(guests[0], UINT32_MAX);
    notify(guests[0], 0);
    notify(guests[0], 0);
    uint64_t value;
    (void)vdev_control_read(guests[0], 0, 0, CONTROL(notify), 4, &value);
    (void)vdev_factory_write(guests[0], FACTORY(status), 4, 0);
    detach(guests[0]);
    const struct vdev_access_counts after = vdev_guest_counts(guests[0]);
    assert_int_equal(after.status_reads, 1);
    assert_int_equal(after.idx_reads, 2);
    assert_int_equal(after.notify_writes, 3);
    assert_int_equal(after.detach_writes, 1);
    assert_int_equal(after.refused, 2);
    assert_int_equal(after.factory_writes, 3);
    assert_int_equal(after.factory_reads, 1);
    assert_int_equal(after.interrupts, 1);
    rig_end(&rig, guests, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_is_the_lowest_index_that_is_free),
        cmocka_unit_test(the_upper_half_of_status_is_who_is_attached_now),
        cmocka_unit_test(the_lower_half_of_status_names_the_sources),
        cmocka_unit_test(reading_status_clears_what_was_pending_and_nothing_else),
        cmocka_unit_test(a_reader_is_not_interrupted_by_its_own_read),
        cmocka_unit_test(a_bell_interrupts_its_target_alone),
        cmocka_unit_test(a_source_that_is_pending_raises_nothing_more),
        cmocka_unit_test(one_write_may_ring_several_and_interrupts_only_those_that_are_not_pending),
        cmocka_unit_test(notify_of_all_ones_rings_everybody_but_the_writer),
        cmocka_unit_test(notify_of_oneself_rings_oneself),
        cmocka_unit_test(notify_of_the_absent_does_nothing_also_for_who_comes_later),
        cmocka_unit_test(a_new_client_interrupts_those_before_it_and_not_itself),
        cmocka_unit_test(detach_clears_the_bit_and_interrupts_the_others),
        cmocka_unit_test(after_detach_the_control_page_reads_all_ones_and_ignores_writes),
        cmocka_unit_test(bells_of_a_client_stay_pending_after_it_has_left),
        cmocka_unit_test(leaving_and_coming_back_between_two_looks_cannot_be_seen),
        cmocka_unit_test(a_connection_begins_without_the_bells_of_its_predecessor),
        cmocka_unit_test(two_connections_of_one_guest_are_two_clients),
        cmocka_unit_test(regions_do_not_hear_each_other),
        cmocka_unit_test(the_line_stands_until_every_changed_status_was_read),
        cmocka_unit_test(every_access_is_a_trap_and_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
