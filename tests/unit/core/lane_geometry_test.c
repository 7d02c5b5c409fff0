/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What a geometry must be, whatever made it. */
static void assert_sane(const struct peal_lane_geometry *geometry)
{
    assert_true(geometry->depth >= 2 && geometry->depth <= PEAL_LANE_DEPTH_MAX);
    assert_int_equal(geometry->depth & (geometry->depth - 1), 0);
    assert_int_equal(geometry->stride_bytes % 64, 0);
    assert_true(geometry->stride_bytes >= 64 && geometry->stride_bytes <= PEAL_LANE_STRIDE_MAX);
    assert_int_equal(geometry->payload_bytes % 64, 0);
    assert_int_equal(geometry->payload_offset % 64, 0);
    assert_int_equal(geometry->inline_bytes_max,
                     geometry->stride_bytes - 16 - geometry->meta_bytes);
    assert_true(geometry->payload_offset ==
                4608 + (uint64_t)geometry->depth * geometry->stride_bytes);
    assert_true(geometry->size_bytes == geometry->payload_offset + geometry->payload_bytes);
    assert_true(geometry->message_bytes_max <= geometry->inline_bytes_max ||
                geometry->message_bytes_max <= geometry->payload_bytes);
}

static struct peal_lane_geometry made(uint32_t depth, uint32_t message_bytes_max,
                                      uint64_t payload_bytes, uint32_t options)
{
    struct peal_lane_geometry geometry;
    assert_int_equal(
        peal_lane_geometry_make(&geometry, depth, message_bytes_max, payload_bytes, options),
        PEAL_OK);
    assert_sane(&geometry);
    return geometry;
}

static void a_depth_is_a_power_of_two_from_2_to_2_to_the_20th(void **state)
{
    (void)state;
    struct peal_lane_geometry geometry;
    static const uint32_t bad[] = {0, 1, 3, 1000, 1u << 21, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(peal_lane_geometry_make(&geometry, bad[i], 8, 0, 0), PEAL_EINVAL);
        assert_non_null(strstr(peal_error_message(), "power of two"));
    }
    for (uint32_t depth = 2; depth <= PEAL_LANE_DEPTH_MAX; depth *= 2)
        assert_int_equal(made(depth, 8, 0, 0).depth, depth);
}

static void the_default_message_is_what_fits_in_one_line(void **state)
{
    (void)state;
    static const uint32_t longest[4] = {48, 40, 40, 32};
    for (uint32_t options = 0; options < 4; options++) {
        struct peal_lane_geometry geometry = made(16, 0, 0, options);
        assert_int_equal(geometry.message_bytes_max, longest[options]);
        assert_int_equal(geometry.stride_bytes, 64);
        assert_int_equal(geometry.payload_bytes, 0);
        assert_int_equal(geometry.inline_bytes_max, longest[options]);
        assert_int_equal(geometry.meta_bytes, 48 - longest[options]);
    }
}

static void slots_grow_by_whole_lines_until_a_page_fits(void **state)
{
    (void)state;
    for (uint32_t options = 0; options < 4; options++) {
        uint32_t head = 64 - made(2, 0, 0, options).message_bytes_max;
        for (uint32_t size = 1; size <= PEAL_LANE_STRIDE_MAX - head; size++) {
            struct peal_lane_geometry geometry = made(2, size, 0, options);
            assert_int_equal(geometry.payload_bytes, 0);
            assert_int_equal(geometry.stride_bytes, (size + head + 63) / 64 * 64);
        }
        assert_int_equal(made(2, 4096, 0, options).payload_bytes, 0);
        struct peal_lane_geometry geometry = made(2, PEAL_LANE_STRIDE_MAX - head + 1, 0, options);
        assert_int_equal(geometry.stride_bytes, 64);
        assert_true(geometry.payload_bytes >= 2 * (PEAL_LANE_STRIDE_MAX - (uint64_t)head + 1));
    }
}

static void the_default_payload_ring_holds_up_to_eight_longest_messages(void **state)
{
    (void)state;
    assert_true(made(4, 10000, 0, 0).payload_bytes == 4 * 10048);
    assert_true(made(8, 10000, 0, 0).payload_bytes == 8 * 10048);
    assert_true(made(1024, 10000, 0, 0).payload_bytes == 8 * 10048);
    assert_true(made(2, UINT32_MAX, 0, 0).payload_bytes == 2 * (1ull << 32));
    assert_true(made(8, 16u << 20, 0, 0).payload_bytes == 128ull << 20);
}

static void a_wished_payload_ring_makes_slots_short(void **state)
{
    (void)state;
    struct peal_lane_geometry geometry = made(1024, 1000, 5000, 0);
    assert_int_equal(geometry.stride_bytes, 64);
    assert_true(geometry.payload_bytes == 5056);
    /* ... but not where every message fits in a line anyway. */
    geometry = made(1024, 48, 5000, 0);
    assert_int_equal(geometry.payload_bytes, 0);
    geometry = made(1024, 41, 5000, PEAL_LANE_CRC32C);
    assert_true(geometry.payload_bytes == 5056);
}

static void a_payload_ring_that_cannot_hold_the_longest_message_is_refused(void **state)
{
    (void)state;
    struct peal_lane_geometry geometry;
    assert_int_equal(peal_lane_geometry_make(&geometry, 8, 10000, 9984, 0), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "at least 10048"));
    assert_int_equal(peal_lane_geometry_make(&geometry, 8, 10000, 1, 0), PEAL_EINVAL);
    assert_true(made(8, 10000, 9985, 0).payload_bytes == 10048);
    assert_int_equal(peal_lane_geometry_make(&geometry, 8, 10000, (1ull << 40) + 1, 0),
                     PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "beyond the limit"));
    assert_int_equal(peal_lane_geometry_make(&geometry, 8, 10000, UINT64_MAX, 0), PEAL_EINVAL);
    assert_true(made(8, 10000, 1ull << 40, 0).payload_bytes == 1ull << 40);
}

struct stored {
    struct peal_lane_shared *lane;
    struct peal_lane_geometry geometry;
};

static struct stored stored_lane(void)
{
    struct stored stored = {.geometry = made(16, 100, 1000, PEAL_LANE_TIMESTAMP)};
    stored.lane = lane_fixture_zeroed((size_t)stored.geometry.size_bytes);
    peal_lane_geometry_store(&stored.geometry, 77, "sensor", stored.lane);
    return stored;
}

static enum peal_status load(const struct stored *stored, uint64_t size_bytes)
{
    struct peal_lane_geometry geometry;
    memset(&geometry, 0xee, sizeof(geometry));
    struct peal_lane_geometry untouched = geometry;
    uint64_t incarnation = 0;
    enum peal_status status =
        peal_lane_geometry_load(&geometry, &incarnation, stored->lane, size_bytes);
    if (status == PEAL_OK)
        assert_sane(&geometry);
    else
        assert_memory_equal(&geometry, &untouched, sizeof(geometry));
    return status;
}

static void what_is_stored_is_loaded(void **state)
{
    (void)state;
    struct stored stored = stored_lane();
    struct peal_lane_geometry geometry;
    uint64_t incarnation = 0;
    assert_int_equal(
        peal_lane_geometry_load(&geometry, &incarnation, stored.lane, stored.geometry.size_bytes),
        PEAL_OK);
    assert_memory_equal(&geometry, &stored.geometry, sizeof(geometry));
    assert_true(incarnation == 77);
    char name[32];
    memcpy(name, stored.lane->geometry.name, sizeof(name));
    assert_string_equal(name, "sensor");
    free(stored.lane);
}

static void slots_are_laid_out_empty_whatever_was_there(void **state)
{
    (void)state;
    struct stored stored = stored_lane();
    unsigned char *slots = (unsigned char *)stored.lane + PEAL_LANE_SLOTS_OFFSET;
    memset(slots, 0xa5, (size_t)stored.geometry.depth * stored.geometry.stride_bytes);
    peal_lane_geometry_store(&stored.geometry, 77, "sensor", stored.lane);
    for (uint64_t number = 0; number < stored.geometry.depth; number++)
        assert_true(peal_u64_load_relaxed(&peal_lane_slot(slots, stored.geometry.depth - 1,
                                                          stored.geometry.stride_bytes, number)
                                               ->stamp) == 0);
    free(stored.lane);
}

static void a_long_name_is_cut_at_31_characters(void **state)
{
    (void)state;
    struct stored stored = stored_lane();
    peal_lane_geometry_store(&stored.geometry, 77, "0123456789012345678901234567890123456789",
                             stored.lane);
    char name[32];
    memcpy(name, stored.lane->geometry.name, sizeof(name));
    assert_string_equal(name, "0123456789012345678901234567890");
    peal_lane_geometry_store(&stored.geometry, 77, "", stored.lane);
    memcpy(name, stored.lane->geometry.name, sizeof(name));
    assert_string_equal(name, "");
    free(stored.lane);
}

static void a_lane_that_is_mapped_too_short_is_corrupt(void **state)
{
    (void)state;
    struct stored stored = stored_lane();
    assert_int_equal(load(&stored, stored.geometry.size_bytes), PEAL_OK);
    assert_int_equal(load(&stored, stored.geometry.size_bytes + 4096), PEAL_OK);
    assert_int_equal(load(&stored, stored.geometry.size_bytes - 1), PEAL_ECORRUPT);
    assert_int_equal(load(&stored, 4608), PEAL_ECORRUPT);
    /* Not even the geometry lies inside: nothing may be read. */
    struct stored nothing = {.lane = lane_fixture_zeroed(1)};
    assert_int_equal(load(&nothing, 0), PEAL_ECORRUPT);
    assert_int_equal(load(&nothing, 4607), PEAL_ECORRUPT);
    free(nothing.lane);
    free(stored.lane);
}

#define WITH32(field, value)                                                                       \
    do {                                                                                           \
        struct stored stored = stored_lane();                                                      \
        peal_u32_store_relaxed(&stored.lane->geometry.field, value);                               \
        assert_int_equal(load(&stored, stored.geometry.size_bytes), PEAL_ECORRUPT);                \
        free(stored.lane);                                                                         \
    } while (0)
#define WITH64(field, value)                                                                       \
    do {                                                                                           \
        struct stored stored = stored_lane();                                                      \
        peal_u64_store_relaxed(&stored.lane->geometry.field, value);                               \
        assert_int_equal(load(&stored, stored.geometry.size_bytes), PEAL_ECORRUPT);                \
        free(stored.lane);                                                                         \
    } while (0)

static void every_field_that_cannot_be_is_corrupt(void **state)
{
    (void)state;
    WITH64(magic, 0);
    WITH64(magic, PEAL_LANE_MAGIC + 1);
    WITH64(incarnation, 0);
    WITH32(depth, 0);
    WITH32(depth, 1);
    WITH32(depth, 15);
    WITH32(depth, 32);
    WITH32(depth, 1u << 21);
    WITH32(depth, 1u << 31);
    WITH32(stride_bytes, 0);
    WITH32(stride_bytes, 63);
    WITH32(stride_bytes, 65);
    WITH32(stride_bytes, 128);
    WITH32(stride_bytes, PEAL_LANE_STRIDE_MAX + 64);
    WITH32(stride_bytes, UINT32_MAX - 63);
    WITH32(options, 8);
    WITH32(options, 1u << 31);
    WITH64(payload_bytes, 1);
    WITH64(payload_bytes, 1024 + 64);
    WITH64(payload_bytes, (1ull << 40) + 64);
    WITH64(payload_bytes, UINT64_MAX - 63);
    WITH64(payload_bytes, 64); /* 100 bytes would not fit */
    WITH32(message_bytes_max, 1025);
    WITH32(message_bytes_max, UINT32_MAX);
}

static void random_geometries_are_sane_or_refused(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    struct stored stored = stored_lane();
    unsigned accepted = 0;
    for (unsigned i = 0; i < 200000; i++) {
        peal_lane_geometry_store(&stored.geometry, 77, "", stored.lane);
        for (unsigned changes = 1 + random_below(&seed, 3); changes; changes--) {
            /* Words of geometry from depth to options: values of every magnitude. */
            uint64_t value = random_next(&seed) >> random_below(&seed, 64);
            switch (random_below(&seed, 5)) {
            case 0:
                peal_u32_store_relaxed(&stored.lane->geometry.depth, 1u << (value & 31));
                break;
            case 1:
                peal_u32_store_relaxed(&stored.lane->geometry.stride_bytes, (uint32_t)value & ~63u);
                break;
            case 2:
                peal_u64_store_relaxed(&stored.lane->geometry.payload_bytes, value & ~63ull);
                break;
            case 3:
                peal_u32_store_relaxed(&stored.lane->geometry.message_bytes_max, (uint32_t)value);
                break;
            default:
                peal_u32_store_relaxed(&stored.lane->geometry.options, (uint32_t)value & 15u);
            }
        }
        struct peal_lane_geometry geometry;
        uint64_t incarnation;
        if (peal_lane_geometry_load(&geometry, &incarnation, stored.lane,
                                    stored.geometry.size_bytes) != PEAL_OK)
            continue;
        assert_sane(&geometry);
        assert_true(geometry.size_bytes <= stored.geometry.size_bytes);
        accepted++;
    }
    assert_true(accepted > 100);
    free(stored.lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_depth_is_a_power_of_two_from_2_to_2_to_the_20th),
        cmocka_unit_test(the_default_message_is_what_fits_in_one_line),
        cmocka_unit_test(slots_grow_by_whole_lines_until_a_page_fits),
        cmocka_unit_test(the_default_payload_ring_holds_up_to_eight_longest_messages),
        cmocka_unit_test(a_wished_payload_ring_makes_slots_short),
        cmocka_unit_test(a_payload_ring_that_cannot_hold_the_longest_message_is_refused),
        cmocka_unit_test(what_is_stored_is_loaded),
        cmocka_unit_test(slots_are_laid_out_empty_whatever_was_there),
        cmocka_unit_test(a_long_name_is_cut_at_31_characters),
        cmocka_unit_test(a_lane_that_is_mapped_too_short_is_corrupt),
        cmocka_unit_test(every_field_that_cannot_be_is_corrupt),
        cmocka_unit_test(random_geometries_are_sane_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
