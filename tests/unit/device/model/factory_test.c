/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device/model/rig.h"

static struct rig rig;

static void the_header_has_the_values_of_the_reference(void **state)
{
    (void)state;
    assert_int_equal(GUEST_SHM_MAX_CLIENTS, 16);
    assert_int_equal(GUEST_SHM_MAX_NAME, 32);
    assert_true(GUEST_SHM_SIGNATURE == UINT64_C(0x4d534732474d5651));
    assert_int_equal(PCI_VID_BlackBerry_QNX, 0x1C05);
    assert_int_equal(PCI_DID_QNX_GUEST_SHM, 0x0001);
    static const uint32_t offsets[] = {FACTORY(signature), FACTORY(shmem),  FACTORY(vector),
                                       FACTORY(status),    FACTORY(size),   FACTORY(name),
                                       FACTORY(find),      CONTROL(status), CONTROL(idx),
                                       CONTROL(notify),    CONTROL(detach)};
    static const uint32_t wanted[] = {0, 8, 16, 20, 24, 28, 60, 0, 4, 8, 12};
    assert_memory_equal(offsets, wanted, sizeof(wanted));
    static const int codes[] = {
        GSS_OK,           GSS_UNKNOWN_FAILURE, GSS_NOMEM,         GSS_CLIENT_MAX,
        GSS_ILLEGAL_NAME, GSS_NO_PERMISSION,   GSS_DOES_NOT_EXIST};
    for (int i = 0; i < 7; i++)
        assert_int_equal(codes[i], i);
}

static void the_registers_begin_as_zero_beside_the_signature(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_true(factory_get(guest, FACTORY(signature), 8) == GUEST_SHM_SIGNATURE);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == 0);
    assert_int_equal(factory_get(guest, FACTORY(vector), 4), 0);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 0);
    assert_int_equal(factory_get(guest, FACTORY(find), 4), 0);
    char name[GUEST_SHM_MAX_NAME + 1];
    factory_get_name(guest, name);
    for (size_t i = 0; i < sizeof(name); i++)
        assert_int_equal(name[i], 0);
    rig_end(&rig, &guest, 1);
}

static void the_signature_is_the_same_whole_and_in_halves(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_true(factory_get(guest, 0, 8) == UINT64_C(0x4d534732474d5651));
    assert_true(factory_get(guest, 0, 4) == 0x474d5651);
    assert_true(factory_get(guest, 4, 4) == 0x4d534732);
    rig_end(&rig, &guest, 1);
}

static void writing_the_size_creates_the_named_region(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 3);
    factory_put_name(guest, "cluster");
    assert_int_equal(rig.records_count, 0); /* the name alone does nothing */
    factory_put(guest, FACTORY(size), 4, 17);
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 1);
    assert_int_equal(rig.records[0].subject, 0);
    assert_int_equal(rig.records[0].value, 17);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 17);
    const uint64_t shmem = factory_get(guest, FACTORY(shmem), 8);
    assert_true(shmem == rig_address(3, 0, 0));
    assert_true(factory_get(guest, FACTORY(shmem), 4) == (uint32_t)shmem);
    assert_true(factory_get(guest, FACTORY(shmem) + 4, 4) == shmem >> 32);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_string_equal(info.name, "cluster");
    assert_int_equal(info.pages, 17);
    assert_int_equal(info.members, 1);
    assert_false(info.permanent);
    rig_end(&rig, &guest, 1);
}

static void the_first_client_chooses_the_size_and_later_ones_read_it_back(void **state)
{
    (void)state;
    static const uint32_t wishes[] = {8, 1, 100, 0, UINT32_MAX};
    struct vdev_guest *guests[6];
    rig_begin(&rig, NULL);
    guests[5] = rig_guest(&rig, 5);
    assert_attaches(guests[5], "r", 8);
    for (uint32_t i = 0; i < 5; i++) {
        guests[i] = rig_guest(&rig, i);
        assert_attaches(guests[i], "r", wishes[i]);
        assert_int_equal(factory_get(guests[i], FACTORY(size), 4), 8);
    }
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 1);
    rig_end(&rig, guests, 6);
}

static void no_register_tells_created_from_attached(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 2);
    for (uint32_t offset = FACTORY(vector); offset < FACTORY(name); offset += 4)
        assert_int_equal(factory_get(guests[0], offset, 4), factory_get(guests[1], offset, 4));
    rig_end(&rig, guests, 2);
}

static void one_register_set_shows_the_region_of_the_last_request(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "first", 2);
    assert_attaches(guest, "second", 3);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, 1, 0));
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 3);
    assert_attaches(guest, "first", 9);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, 0, 1));
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 2);
    rig_end(&rig, &guest, 1);
}

static void each_guest_has_registers_of_its_own(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_begin(&rig, NULL);
    guests[0] = rig_guest(&rig, 0);
    guests[1] = rig_guest(&rig, 1);
    factory_put_name(guests[0], "mine");
    assert_attaches(guests[1], "other", 2);
    char name[GUEST_SHM_MAX_NAME + 1];
    factory_get_name(guests[0], name);
    assert_string_equal(name, "mine");
    assert_int_equal(factory_get(guests[0], FACTORY(size), 4), 0);
    rig_end(&rig, guests, 2);
}

static void expect_vectors(enum vdev_vector_setting setting, uint32_t second)
{
    const struct vdev_settings settings = {.vector = setting};
    struct vdev_guest *guests[2];
    rig_begin(&rig, &settings);
    guests[0] = rig_guest(&rig, 0);
    guests[1] = rig_guest(&rig, 1);
    for (uint32_t i = 0; i < 2; i++) {
        assert_attaches(guests[i], "first", 1);
        assert_int_equal(factory_get(guests[i], FACTORY(vector), 4), 0);
        assert_attaches(guests[i], "second", 1);
        assert_int_equal(factory_get(guests[i], FACTORY(vector), 4), second);
    }
    rig_forget(&rig);
    control_put(guests[0], 0, 0, CONTROL(notify), 2);
    control_put(guests[0], 1, 0, CONTROL(notify), 2);
    assert_int_equal(rig.records_count, 2);
    assert_int_equal(rig.records[0].value, 0);
    assert_int_equal(rig.records[1].value, second);
    rig_end(&rig, guests, 2);
}

static void with_one_vector_a_device_all_regions_share_it(void **state)
{
    (void)state;
    expect_vectors(VDEV_VECTOR_PER_DEVICE, 0);
}

static void with_one_vector_a_region_each_region_has_its_slot(void **state)
{
    (void)state;
    expect_vectors(VDEV_VECTOR_PER_REGION, 1);
}

static void expect_failure(struct vdev_guest *guest, const char *name, uint32_t pages,
                           uint32_t status)
{
    const uint32_t records = rig.records_count;
    assert_int_equal(factory_attach(guest, name, pages), status);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == 0);
    assert_int_equal(factory_get(guest, FACTORY(vector), 4), 0);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), pages);
    char shown[GUEST_SHM_MAX_NAME + 1];
    factory_get_name(guest, shown);
    assert_string_equal(shown, name);
    assert_int_equal(rig.records_count, records);
}

static void after_a_failure_shmem_is_zero_and_size_is_what_was_written(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.vector = VDEV_VECTOR_PER_REGION};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "a", 1);
    assert_attaches(guest, "b", 1);
    assert_int_equal(factory_get(guest, FACTORY(vector), 4), 1);
    expect_failure(guest, "", 7, GSS_ILLEGAL_NAME);
    assert_attaches(guest, "b", 1);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK); /* forgotten again */
    rig_end(&rig, &guest, 1);
}

static void a_region_larger_than_the_limit_is_nomem(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.region_pages_max = 10};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    expect_failure(guest, "large", 11, GSS_NOMEM);
    assert_attaches(guest, "large", 10);
    rig_end(&rig, &guest, 1);

    rig_begin(&rig, NULL);
    guest = rig_guest(&rig, 0);
    expect_failure(guest, "large", (1u << 20) + 1, GSS_NOMEM);
    expect_failure(guest, "large", UINT32_MAX, GSS_NOMEM);
    assert_attaches(guest, "large", 1u << 20);
    rig_end(&rig, &guest, 1);
}

static void all_regions_together_have_a_limit_and_an_end_gives_pages_back(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.pages_max = 10};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "a", 6);
    expect_failure(guest, "b", 5, GSS_NOMEM);
    assert_attaches(guest, "b", 4);
    expect_failure(guest, "c", 1, GSS_NOMEM);
    assert_attaches(guest, "a", 6); /* attaching costs nothing */
    control_put(guest, 1, 0, CONTROL(detach), 0);
    assert_attaches(guest, "c", 4);
    rig_end(&rig, &guest, 1);
}

static void more_regions_than_the_host_has_slots_are_nomem(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit <= VDEV_REGIONS_MAX + 1; limit += 63) {
        const struct vdev_settings settings = {.regions_max = limit % 65};
        const uint32_t slots = settings.regions_max ? settings.regions_max : VDEV_REGIONS_MAX;
        rig_begin(&rig, &settings);
        struct vdev_guest *guest = rig_guest(&rig, 0);
        char name[GUEST_SHM_MAX_NAME];
        for (uint32_t i = 0; i < slots; i++) {
            (void)snprintf(name, sizeof(name), "region%u", (unsigned)i);
            assert_attaches(guest, name, 1);
            assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, i, 0));
        }
        expect_failure(guest, "straw", 1, GSS_NOMEM);
        control_put(guest, slots / 2, 0, CONTROL(detach), 0);
        assert_attaches(guest, "straw", 1);
        assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, slots / 2, 0));
        rig_end(&rig, &guest, 1);
    }
}

static void memory_that_the_host_does_not_have_is_nomem(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    rig.without_memory = true;
    expect_failure(guest, "r", 1, GSS_NOMEM);
    struct vdev_region_info info;
    assert_false(vdev_model_region(rig.model, 0, &info));
    rig.without_memory = false;
    assert_attaches(guest, "r", 1);
    rig_end(&rig, &guest, 1);
}

static void a_region_without_pages_is_an_unknown_failure(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    expect_failure(guest, "r", 0, GSS_UNKNOWN_FAILURE);
    assert_attaches(guest, "r", 1);
    assert_attaches(guest, "r", 0); /* it is there already: no size needed */
    rig_end(&rig, &guest, 1);
}

static void a_connection_without_a_place_is_an_unknown_failure(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    rig.without_place = true;
    assert_int_equal(factory_attach(guest, "r", 3), GSS_UNKNOWN_FAILURE);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == 0);
    assert_int_equal(rig.records_count, 2); /* made, and ended again */
    assert_int_equal(rig.records[0].kind, RIG_BEGIN);
    assert_int_equal(rig.records[1].kind, RIG_END);
    assert_int_equal(rig.records[1].value, 3);
    rig.without_place = false;
    assert_attaches(guest, "r", 3);
    rig_forget(&rig);
    rig.without_place = true;
    expect_failure(guest, "r", 3, GSS_UNKNOWN_FAILURE); /* nobody is told, and the region stays */
    rig_end(&rig, &guest, 1);
}

static void the_seventeenth_client_gets_client_max(void **state)
{
    (void)state;
    struct vdev_guest *guests[17];
    rig_attached(&rig, NULL, guests, 16);
    guests[16] = rig_guest(&rig, 16);
    expect_failure(guests[16], "r", 4, GSS_CLIENT_MAX);
    assert_true(status_of(guests[5]) == 0xffff0000u);
    detach(guests[5]);
    assert_attaches(guests[16], "r", 4);
    assert_int_equal(control_get(guests[16], 0, 0, CONTROL(idx)), 5);
    rig_end(&rig, guests, 17);
}

static void attaching_again_without_detach_leaks_connections_until_client_max(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    for (uint32_t i = 0; i < GUEST_SHM_MAX_CLIENTS; i++) {
        assert_attaches(guest, "r", 1);
        assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, 0, i));
        assert_int_equal(control_get(guest, 0, i, CONTROL(idx)), i);
        assert_int_equal(vdev_guest_connection(guest, 0, i), i);
    }
    expect_failure(guest, "r", 1, GSS_CLIENT_MAX);
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 1);
    rig_end(&rig, &guest, 1);
}

static void an_illegal_name_is_refused_and_every_other_one_taken(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    expect_failure(guest, "", 1, GSS_ILLEGAL_NAME);
    expect_failure(guest, "/absolute", 1, GSS_ILLEGAL_NAME);
    expect_failure(guest, "a/b", 1, GSS_ILLEGAL_NAME);
    expect_failure(guest, "line\nbreak", 1, GSS_ILLEGAL_NAME);
    expect_failure(guest, "\xc3\xa4", 1, GSS_ILLEGAL_NAME);
    assert_attaches(guest, "1234567890123456789012345678901", 1); /* 31 characters */
    /* All 32 bytes used, no zero byte. */
    for (uint32_t i = 0; i < GUEST_SHM_MAX_NAME; i++)
        factory_put(guest, FACTORY(name) + i, 1, 'n');
    factory_put(guest, FACTORY(size), 4, 1);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_ILLEGAL_NAME);
    rig_end(&rig, &guest, 1);
}

static void what_follows_the_zero_byte_does_not_belong_to_the_name(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    factory_put_name(guest, "longer name before");
    assert_attaches(guest, "short", 1);
    struct vdev_region_info info;
    assert_true(vdev_model_region(rig.model, 0, &info));
    assert_string_equal(info.name, "short");
    rig_end(&rig, &guest, 1);
}

static void a_name_differs_by_its_case_and_by_its_last_character(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "abc", 1);
    assert_attaches(guest, "abC", 1);
    assert_attaches(guest, "ab", 1);
    assert_attaches(guest, "abcd", 1);
    assert_int_equal(rig_count(&rig, RIG_BEGIN), 4);
    rig_end(&rig, &guest, 1);
}

static void find_shows_an_existing_connection_by_its_number(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.vector = VDEV_VECTOR_PER_REGION};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 2);
    assert_attaches(guest, "first", 5);
    assert_attaches(guest, "second", 6);
    assert_attaches(guest, "first", 5);
    static const struct {
        const char *name;
        uint32_t pages;
        uint32_t slot;
        uint32_t window;
    } wanted[] = {{"first", 5, 0, 0}, {"second", 6, 1, 0}, {"first", 5, 0, 1}};
    for (uint32_t number = 3; number-- > 0;) {
        factory_put(guest, FACTORY(find), 4, number);
        char name[GUEST_SHM_MAX_NAME + 1];
        factory_get_name(guest, name);
        assert_string_equal(name, wanted[number].name);
        assert_int_equal(factory_get(guest, FACTORY(find), 4), number);
        assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK);
        assert_int_equal(factory_get(guest, FACTORY(size), 4), wanted[number].pages);
        assert_int_equal(factory_get(guest, FACTORY(vector), 4), wanted[number].slot);
        assert_true(factory_get(guest, FACTORY(shmem), 8) ==
                    rig_address(2, wanted[number].slot, wanted[number].window));
    }
    rig_end(&rig, &guest, 1);
}

static void find_of_no_connection_does_not_exist(void **state)
{
    (void)state;
    struct vdev_guest *guests[2];
    rig_attached(&rig, NULL, guests, 1);
    guests[1] = rig_guest(&rig, 1);
    static const uint32_t numbers[] = {1, 16, 1024, UINT32_MAX};
    for (uint32_t i = 0; i < 4; i++) {
        factory_put(guests[0], FACTORY(find), 4, numbers[i]);
        assert_int_equal(factory_get(guests[0], FACTORY(status), 4), GSS_DOES_NOT_EXIST);
        assert_true(factory_get(guests[0], FACTORY(shmem), 8) == 0);
    }
    factory_put(guests[1], FACTORY(find), 4, 0); /* another guest's is not ours */
    assert_int_equal(factory_get(guests[1], FACTORY(status), 4), GSS_DOES_NOT_EXIST);
    detach(guests[0]);
    factory_put(guests[0], FACTORY(find), 4, 0);
    assert_int_equal(factory_get(guests[0], FACTORY(status), 4), GSS_DOES_NOT_EXIST);
    rig_end(&rig, guests, 2);
}

static void find_asks_for_the_place_again_and_fails_when_there_is_none(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "r", 1);
    factory_put_name(guest, "x");
    rig.without_place = true;
    factory_put(guest, FACTORY(find), 4, 0);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_UNKNOWN_FAILURE);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == 0);
    assert_int_equal(factory_get(guest, FACTORY(name), 1), 'x');
    rig.without_place = false;
    factory_put(guest, FACTORY(find), 4, 0);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK);
    assert_int_equal(factory_get(guest, FACTORY(name), 1), 'r');
    rig_end(&rig, &guest, 1);
}

static void a_connection_gets_the_lowest_number_that_is_free(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "a", 1);
    assert_attaches(guest, "b", 2);
    assert_attaches(guest, "c", 3);
    control_put(guest, 1, 0, CONTROL(detach), 0);
    factory_put(guest, FACTORY(find), 4, 1);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_DOES_NOT_EXIST);
    factory_put(guest, FACTORY(find), 4, 2);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 3); /* the numbers of others stay */
    assert_attaches(guest, "d", 4);
    factory_put(guest, FACTORY(find), 4, 1);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 4);
    rig_end(&rig, &guest, 1);
}

static void a_guest_may_have_all_connections_of_all_regions(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    char name[GUEST_SHM_MAX_NAME];
    for (uint32_t i = 0; i < VDEV_REGIONS_MAX * GUEST_SHM_MAX_CLIENTS; i++) {
        (void)snprintf(name, sizeof(name), "region%u", (unsigned)(i / GUEST_SHM_MAX_CLIENTS));
        assert_attaches(guest, name, 1);
        rig_forget(&rig);
    }
    factory_put(guest, FACTORY(find), 4, 1023);
    assert_int_equal(factory_get(guest, FACTORY(status), 4), GSS_OK);
    assert_true(factory_get(guest, FACTORY(shmem), 8) == rig_address(0, 63, 15));
    rig_end(&rig, &guest, 1);
}

static void an_old_device_has_no_find(void **state)
{
    (void)state;
    const struct vdev_settings settings = {.without_find = true};
    rig_begin(&rig, &settings);
    struct vdev_guest *guest = rig_guest(&rig, 0);
    assert_attaches(guest, "r", 1);
    assert_int_equal(vdev_factory_write(guest, FACTORY(find), 4, 0), VDEV_ACCESS_REFUSED);
    uint64_t value = 0;
    assert_int_equal(vdev_factory_read(guest, FACTORY(find), 4, &value), VDEV_ACCESS_REFUSED);
    assert_true(value == 0xffffffffu);
    assert_int_equal(factory_get(guest, FACTORY(size), 4), 1); /* all else is there */
    rig_end(&rig, &guest, 1);
}

static void what_guests_ask_for_is_told_in_words_without_illegal_names(void **state)
{
    (void)state;
    rig_begin(&rig, NULL);
    struct vdev_guest *guest = rig_guest(&rig, 7);
    assert_attaches(guest, "r", 4);
    assert_string_equal(rig.event,
                        "7: created the region 'r' of 4 pages in slot 0 as connection 0");
    assert_attaches(guest, "r", 1);
    assert_string_equal(rig.event,
                        "7: attached to the region 'r' of 4 pages in slot 0 as connection 1");
    assert_int_equal(factory_attach(guest, "\x1b[31m", 1), GSS_ILLEGAL_NAME);
    assert_string_equal(rig.event, "7: was refused the region '?' of 1 pages: illegal name");
    detach(guest);
    assert_string_equal(rig.event, "7: detached connection 0 from the region in slot 0");
    rig_end(&rig, &guest, 1);
    assert_string_equal(rig.event, "7: ended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_has_the_values_of_the_reference),
        cmocka_unit_test(the_registers_begin_as_zero_beside_the_signature),
        cmocka_unit_test(the_signature_is_the_same_whole_and_in_halves),
        cmocka_unit_test(writing_the_size_creates_the_named_region),
        cmocka_unit_test(the_first_client_chooses_the_size_and_later_ones_read_it_back),
        cmocka_unit_test(no_register_tells_created_from_attached),
        cmocka_unit_test(one_register_set_shows_the_region_of_the_last_request),
        cmocka_unit_test(each_guest_has_registers_of_its_own),
        cmocka_unit_test(with_one_vector_a_device_all_regions_share_it),
        cmocka_unit_test(with_one_vector_a_region_each_region_has_its_slot),
        cmocka_unit_test(after_a_failure_shmem_is_zero_and_size_is_what_was_written),
        cmocka_unit_test(a_region_larger_than_the_limit_is_nomem),
        cmocka_unit_test(all_regions_together_have_a_limit_and_an_end_gives_pages_back),
        cmocka_unit_test(more_regions_than_the_host_has_slots_are_nomem),
        cmocka_unit_test(memory_that_the_host_does_not_have_is_nomem),
        cmocka_unit_test(a_region_without_pages_is_an_unknown_failure),
        cmocka_unit_test(a_connection_without_a_place_is_an_unknown_failure),
        cmocka_unit_test(the_seventeenth_client_gets_client_max),
        cmocka_unit_test(attaching_again_without_detach_leaks_connections_until_client_max),
        cmocka_unit_test(an_illegal_name_is_refused_and_every_other_one_taken),
        cmocka_unit_test(what_follows_the_zero_byte_does_not_belong_to_the_name),
        cmocka_unit_test(a_name_differs_by_its_case_and_by_its_last_character),
        cmocka_unit_test(find_shows_an_existing_connection_by_its_number),
        cmocka_unit_test(find_of_no_connection_does_not_exist),
        cmocka_unit_test(find_asks_for_the_place_again_and_fails_when_there_is_none),
        cmocka_unit_test(a_connection_gets_the_lowest_number_that_is_free),
        cmocka_unit_test(a_guest_may_have_all_connections_of_all_regions),
        cmocka_unit_test(an_old_device_has_no_find),
        cmocka_unit_test(what_guests_ask_for_is_told_in_words_without_illegal_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
