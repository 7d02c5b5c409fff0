/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every width at every offset of both pages, against a table of what the device has there.
 */
#include "tests/unit/device/model/rig.h"

enum { READ = 1, WRITE = 2 };

struct place {
    uint32_t offset;
    uint32_t bytes;
    uint32_t
        unit; /* accesses of this width, aligned; and the whole register, if it has more than one unit and is no text */
    bool text;
    int ways;
};

static const struct place factory_places[] = {
    {0, 8, 4, false, READ},          {8, 8, 4, false, READ},
    {16, 4, 4, false, READ},         {20, 4, 4, false, READ},
    {24, 4, 4, false, READ | WRITE}, {28, 32, 1, true, READ | WRITE},
    {60, 4, 4, false, READ | WRITE},
};

static const struct place control_places[] = {
    {0, 4, 4, false, READ},
    {4, 4, 4, false, READ},
    {8, 4, 4, false, WRITE},
    {12, 4, 4, false, WRITE},
};

static const uint32_t widths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32, UINT32_MAX};
#define WIDTHS (sizeof(widths) / sizeof(widths[0]))

/* Beyond the page as well, where a careless subtraction or addition would come back into it. */
static const uint64_t far_offsets[] = {4096,
                                       4096 + 24,
                                       8191,
                                       UINT64_C(1) << 32,
                                       (UINT64_C(1) << 32) + 24,
                                       UINT64_MAX - 7,
                                       UINT64_MAX - 3,
                                       UINT64_MAX - 1,
                                       (UINT64_C(1) << 63) + 8};
#define OFFSETS (VDEV_PAGE_BYTES + sizeof(far_offsets) / sizeof(far_offsets[0]))

static uint64_t offset_number(size_t i)
{
    return i < VDEV_PAGE_BYTES ? i : far_offsets[i - VDEV_PAGE_BYTES];
}

static bool is_accepted(const struct place *places, size_t count, uint64_t offset, uint32_t width,
                        int way)
{
    for (size_t i = 0; i < count; i++) {
        const struct place *place = &places[i];
        if (offset < place->offset || offset >= place->offset + place->bytes ||
            (place->ways & way) == 0)
            continue;
        const uint64_t within = offset - place->offset;
        return (width == place->unit && within % place->unit == 0) ||
               (width == place->bytes && within == 0 && !place->text);
    }
    return false;
}

static uint64_t all_ones(uint32_t width)
{
    static const uint64_t ones[] = {UINT64_MAX,
                                    0xff,
                                    0xffff,
                                    0xffffff,
                                    0xffffffff,
                                    UINT64_C(0xffffffffff),
                                    UINT64_C(0xffffffffffff),
                                    UINT64_C(0xffffffffffffff)};
    return width < 8 ? ones[width] : UINT64_MAX;
}

static struct rig rig;

/* Everything that a guest can see without changing it. */
static void look(struct vdev_guest *guest, uint64_t seen[38])
{
    seen[0] = factory_get(guest, FACTORY(shmem), 8);
    seen[1] = factory_get(guest, FACTORY(vector), 4);
    seen[2] = factory_get(guest, FACTORY(status), 4);
    seen[3] = factory_get(guest, FACTORY(size), 4);
    seen[4] = rig.records_count;
    struct vdev_region_info info;
    seen[5] = vdev_model_region(rig.model, 0, &info) ? info.members : UINT64_MAX;
    for (uint32_t i = 0; i < 32; i++)
        seen[6 + i] = factory_get(guest, FACTORY(name) + i, 1);
}

static void check_read(struct vdev_guest *guest, bool factory, bool accepted, uint64_t offset,
                       uint32_t width)
{
    uint64_t value = 0x1234;
    const enum vdev_access answer = factory ? vdev_factory_read(guest, offset, width, &value)
                                            : vdev_control_read(guest, 0, 0, offset, width, &value);
    if (accepted != (answer == VDEV_ACCESS_OK))
        fail_msg("a read of %u bytes at %#llx: %s", (unsigned)width, (unsigned long long)offset,
                 accepted ? "refused" : "accepted");
    if (accepted && width < 8)
        assert_true(value >> 8 * width == 0);
    if (!accepted)
        assert_true(value == all_ones(width));
}

static void check_refused_write(struct vdev_guest *guest, bool factory, uint64_t offset,
                                uint32_t width)
{
    uint64_t before[38];
    uint64_t after[38];
    look(guest, before);
    const enum vdev_access answer =
        factory ? vdev_factory_write(guest, offset, width, UINT64_MAX)
                : vdev_control_write(guest, 0, 0, offset, width, UINT64_MAX);
    if (answer == VDEV_ACCESS_OK)
        fail_msg("a write of %u bytes at %#llx: accepted", (unsigned)width,
                 (unsigned long long)offset);
    look(guest, after);
    assert_memory_equal(before, after, sizeof(before));
}

static void check_accepted_writes(const struct place *places, size_t count, bool factory,
                                  const struct vdev_settings *settings)
{
    for (size_t i = 0; i < VDEV_PAGE_BYTES * WIDTHS; i++) {
        const uint64_t offset = i / WIDTHS;
        const uint32_t width = widths[i % WIDTHS];
        if (!is_accepted(places, count, offset, width, WRITE))
            continue;
        struct vdev_guest *guests[2];
        rig_attached(&rig, settings, guests, 2);
        const enum vdev_access answer =
            factory ? vdev_factory_write(guests[1], offset, width, UINT64_MAX)
                    : vdev_control_write(guests[1], 0, 0, offset, width, UINT64_MAX);
        if (answer != VDEV_ACCESS_OK)
            fail_msg("a write of %u bytes at %#llx: refused", (unsigned)width,
                     (unsigned long long)offset);
        rig_end(&rig, guests, 2);
    }
}

static void sweep(const struct place *places, size_t count, bool factory,
                  const struct vdev_settings *settings)
{
    struct vdev_guest *guests[2];
    rig_attached(&rig, settings, guests, 2);
    for (size_t i = 0; i < OFFSETS; i++) {
        const uint64_t offset = offset_number(i);
        for (size_t k = 0; k < WIDTHS; k++) {
            const uint32_t width = widths[k];
            check_read(guests[1], factory, is_accepted(places, count, offset, width, READ), offset,
                       width);
            if (!is_accepted(places, count, offset, width, WRITE))
                check_refused_write(guests[1], factory, offset, width);
        }
    }
    rig_end(&rig, guests, 2);
    check_accepted_writes(places, count, factory, settings);
}

static void the_factory_page_takes_the_widths_of_its_registers_and_no_other(void **state)
{
    (void)state;
    sweep(factory_places, 7, true, NULL);
}

static void without_find_its_place_is_empty(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.without_find = true};
    sweep(factory_places, 6, true, &settings);
}

static void the_control_page_takes_aligned_words_of_its_registers_and_no_other(void **state)
{
    (void)state;
    sweep(control_places, 4, false, NULL);
}

static void a_window_without_connection_takes_nothing(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    static const uint32_t strange[] = {0, 1, 2, 15, 16, 17, 63, 64, 65, 1u << 16, UINT32_MAX};
    for (size_t s = 0; s < sizeof(strange) / sizeof(strange[0]); s++) {
        for (size_t w = 0; w < sizeof(strange) / sizeof(strange[0]); w++) {
            if (strange[s] == 0 && strange[w] == 0)
                continue;
            for (uint32_t offset = 0; offset < 32; offset++) {
                uint64_t value = 0;
                assert_int_equal(
                    vdev_control_read(guests[1], strange[s], strange[w], offset, 4, &value),
                    VDEV_ACCESS_REFUSED);
                assert_true(value == 0xffffffffu);
                assert_int_equal(
                    vdev_control_write(guests[1], strange[s], strange[w], offset, 4, UINT32_MAX),
                    VDEV_ACCESS_REFUSED);
            }
            assert_int_equal(vdev_guest_connection(guests[1], strange[s], strange[w]), -1);
        }
    }
    assert_int_equal(rig.records_count, 0);
    assert_true(status_of(guests[0]) == 0x30000u);
    rig_end(&rig, guests, 2);
}

static void a_value_is_cut_to_the_width_of_its_access(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    factory_put(guests[0], FACTORY(name), 1, UINT64_C(0xabcdef00) | 'z');
    assert_int_equal(factory_get(guests[0], FACTORY(name), 1), 'z');
    factory_put(guests[0], FACTORY(name), 1, 0xe4); /* no sign either */
    assert_int_equal(factory_get(guests[0], FACTORY(name), 1), 0xe4);
    factory_put_name(guests[0], "y");
    factory_put(guests[0], FACTORY(size), 4, UINT64_C(0x700000003));
    assert_int_equal(factory_get(guests[0], FACTORY(size), 4), 3);
    assert_int_equal(factory_get(guests[0], FACTORY(status), 4), GSS_OK);
    factory_put(guests[0], FACTORY(find), 4, UINT64_C(0x100000001));
    assert_int_equal(factory_get(guests[0], FACTORY(status), 4), GSS_OK);
    assert_int_equal(
        vdev_control_write(guests[0], 0, 0, CONTROL(notify), 4, UINT64_C(0xffffffff00000002)),
        VDEV_ACCESS_OK);
    assert_int_equal(rig_interrupts(&rig, 1), 1);
    assert_int_equal(rig_interrupts(&rig, 0), 0);
    rig_end(&rig, guests, 2);
}

static void refused_accesses_do_not_flood_a_log(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    for (int i = 0; i < 1000; i++)
        (void)vdev_factory_write(guest, 0, 8, 0);
    assert_int_equal(vdev_guest_counts(guest).refused, 1000);
    assert_int_equal(rig.events, 10);
    assert_string_equal(rig.event, "0: a register write that the device refuses (512 by now)");
    rig_end(&rig, &guest, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_factory_page_takes_the_widths_of_its_registers_and_no_other),
        cmocka_unit_test(without_find_its_place_is_empty),
        cmocka_unit_test(the_control_page_takes_aligned_words_of_its_registers_and_no_other),
        cmocka_unit_test(a_window_without_connection_takes_nothing),
        cmocka_unit_test(a_value_is_cut_to_the_width_of_its_access),
        cmocka_unit_test(refused_accesses_do_not_flood_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
