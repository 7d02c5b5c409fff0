/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of up to 16 guests, against the oracle: every value read, every answer to an access, every request to the
 * embedder in its order. PEAL_TEST_SEED=N repeats a run, PEAL_TEST_SECONDS=S makes it longer (3 seconds otherwise).
 */
#include "tests/support/random.h"
#include "tests/unit/device/model/oracle.h"

#include <time.h>

enum { STEPS = 400, HISTORIES_MIN = 50, FACTORY_PAGE = 0, CONTROL_PAGE = 1 };

struct history {
    uint64_t random;
    uint32_t names; /* how many of the pool are used */
    struct vdev_guest *guests[ORACLE_GUESTS];
    char did[160]; /* the last step */
};

static struct rig rig;
static struct oracle oracle;
static struct history history;

/* "\1" alone stands for a name that fills all 32 bytes. */
static const char *const name_pool[] = {"alpha",
                                        "beta",
                                        "bb",
                                        "zeta",
                                        "perm",
                                        "x-alpha",
                                        "ab",
                                        "b",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "",
                                        "a/b",
                                        "tab\t",
                                        "\1"};
#define NAMES ((uint32_t)(sizeof(name_pool) / sizeof(name_pool[0])))

static uint32_t below(uint32_t limit)
{
    return random_below(&history.random, limit);
}

static bool chance(uint32_t percent)
{
    return below(100) < percent;
}

/* ---- one access on both sides ---- */

static uint64_t cut(uint64_t value, uint32_t width)
{
    return width > 0 && width < 8 ? value & ((UINT64_C(1) << 8 * width) - 1) : value;
}

/* Whether the device has a register there that is accessed so. */
static bool is_register(int page, uint64_t offset, uint32_t width, bool write)
{
    if (page == CONTROL_PAGE)
        return width == 4 && (write ? offset == 8 || offset == 12 : offset == 0 || offset == 4);
    if (width == 1)
        return offset >= 28 && offset < 60;
    if (offset == 60)
        return width == 4 && !oracle.settings.without_find;
    if (write)
        return width == 4 && offset == 24;
    if (width == 8)
        return offset == 0 || offset == 8;
    return width == 4 && offset <= 24 && offset % 4 == 0;
}

static uint64_t expect_read(uint32_t guest, int page, struct oracle_client *client, uint64_t offset,
                            uint32_t width)
{
    uint64_t value = 0;
    if (page == FACTORY_PAGE) {
        for (uint32_t i = 0; i < width; i++)
            value |= (uint64_t)oracle.guests[guest].page[offset + i] << 8 * i;
        oracle.guests[guest].counts.factory_reads++;
    } else if (offset == 0) {
        value = oracle_status(&oracle, client);
        memset(client->rung_by, 0, sizeof(client->rung_by));
        oracle.guests[guest].counts.status_reads++;
    } else {
        value = client->index;
        oracle.guests[guest].counts.idx_reads++;
    }
    return value;
}

static void do_read(uint32_t guest, int page, uint32_t slot, uint32_t window, uint64_t offset,
                    uint32_t width)
{
    (void)snprintf(history.did, sizeof(history.did),
                   "guest %u reads %u bytes at %#llx of page %d (slot %u, window %u)",
                   (unsigned)guest, (unsigned)width, (unsigned long long)offset, page,
                   (unsigned)slot, (unsigned)window);
    struct oracle_client *client = oracle_client_of(&oracle, guest, slot, window);
    const bool accepted =
        is_register(page, offset, width, false) && (page == FACTORY_PAGE || client);
    uint64_t wanted = cut(UINT64_MAX, width);
    if (accepted)
        wanted = expect_read(guest, page, client, offset, width);
    else
        oracle.guests[guest].counts.refused++;
    uint64_t value = 0x5a5a;
    const enum vdev_access answer =
        page == FACTORY_PAGE
            ? vdev_factory_read(history.guests[guest], offset, width, &value)
            : vdev_control_read(history.guests[guest], slot, window, offset, width, &value);
    if (value != wanted || accepted != (answer == VDEV_ACCESS_OK))
        fail_msg("%s: %#llx, and not %#llx", history.did, (unsigned long long)value,
                 (unsigned long long)wanted);
}

static void expect_write(uint32_t guest, int page, struct oracle_client *client, uint64_t offset,
                         uint32_t value)
{
    struct vdev_access_counts *counts = &oracle.guests[guest].counts;
    if (page == CONTROL_PAGE && offset == 8) {
        counts->notify_writes++;
        oracle_notify(&oracle, client, value);
        return;
    }
    if (page == CONTROL_PAGE) {
        counts->detach_writes++;
        oracle_detach(&oracle, client);
        return;
    }
    counts->factory_writes++;
    if (offset == 24)
        oracle_attach(&oracle, guest, value);
    else if (offset == 60)
        oracle_find(&oracle, guest, value);
    else
        oracle_store(&oracle, guest, (uint32_t)offset, 1, value);
}

static void do_write(uint32_t guest, int page, uint32_t slot, uint32_t window, uint64_t offset,
                     uint32_t width, uint64_t value)
{
    (void)snprintf(history.did, sizeof(history.did),
                   "guest %u writes %#llx, %u bytes, at %#llx of page %d (slot %u, window %u)",
                   (unsigned)guest, (unsigned long long)value, (unsigned)width,
                   (unsigned long long)offset, page, (unsigned)slot, (unsigned)window);
    struct oracle_client *client = oracle_client_of(&oracle, guest, slot, window);
    const bool accepted =
        is_register(page, offset, width, true) && (page == FACTORY_PAGE || client);
    if (accepted)
        expect_write(guest, page, client, offset, (uint32_t)value);
    else
        oracle.guests[guest].counts.refused++;
    const enum vdev_access answer =
        page == FACTORY_PAGE
            ? vdev_factory_write(history.guests[guest], offset, width, value)
            : vdev_control_write(history.guests[guest], slot, window, offset, width, value);
    if (accepted != (answer == VDEV_ACCESS_OK))
        fail_msg("%s: %s", history.did, accepted ? "refused" : "accepted");
}

/* ---- what guests do ---- */

static void write_name(uint32_t guest)
{
    const char *name = name_pool[below(history.names)];
    const bool endless = name[0] == '\1';
    const uint32_t bytes = endless ? 32 : (uint32_t)strlen(name) + 1;
    for (uint32_t i = 0; i < bytes; i++)
        do_write(guest, FACTORY_PAGE, 0, 0, 28 + i, 1, endless ? 'a' : (unsigned char)name[i]);
}

static void attach(uint32_t guest)
{
    static const uint32_t sizes[] = {0, 1, 1, 2, 3, 5, 8, 40, 41, UINT32_MAX};
    if (chance(80))
        write_name(guest);
    do_write(guest, FACTORY_PAGE, 0, 0, 24, 4, sizes[below(10)]);
    for (uint32_t offset = 8; offset < 28; offset += 4)
        do_read(guest, FACTORY_PAGE, 0, 0, offset, 4);
}

static uint32_t some_targets(void)
{
    switch (below(5)) {
    case 0:
        return UINT32_MAX;
    case 1:
        return 0xffff;
    case 2:
        return 1u << below(32);
    default:
        return (uint32_t)random_next(&history.random);
    }
}

/* Works a connection of the guest; the last one that has been attached as likely as any. */
static void use_connection(uint32_t guest)
{
    uint32_t mine[ORACLE_CLIENTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < oracle.clients_count; i++) {
        if (oracle.clients[i].guest == guest)
            mine[count++] = i;
    }
    if (count == 0) {
        attach(guest);
        return;
    }
    const struct oracle_client client = oracle.clients[mine[below(count)]];
    const uint32_t what = below(100);
    if (what < 40)
        do_read(guest, CONTROL_PAGE, client.slot, client.window, 0, 4);
    else if (what < 80)
        do_write(guest, CONTROL_PAGE, client.slot, client.window, 8, 4, some_targets());
    else if (what < 88)
        do_read(guest, CONTROL_PAGE, client.slot, client.window, 4, 4);
    else
        do_write(guest, CONTROL_PAGE, client.slot, client.window, 12, 4, below(3));
}

static void find(uint32_t guest)
{
    do_write(guest, FACTORY_PAGE, 0, 0, 60, 4, chance(90) ? below(8) : UINT32_MAX);
    for (uint32_t offset = 8; offset < 28; offset += 4)
        do_read(guest, FACTORY_PAGE, 0, 0, offset, 4);
    for (uint32_t offset = 28; offset < 60; offset++)
        do_read(guest, FACTORY_PAGE, 0, 0, offset, 1);
}

static void disturb(uint32_t guest)
{
    static const uint32_t widths[] = {0, 1, 2, 3, 4, 4, 4, 8, 16};
    const int page = chance(50) ? FACTORY_PAGE : CONTROL_PAGE;
    const uint32_t slot = chance(90) ? below(4) : (uint32_t)random_next(&history.random);
    const uint32_t window = chance(90) ? below(4) : (uint32_t)random_next(&history.random);
    const uint64_t offset = chance(90) ? below(72) : random_next(&history.random);
    const uint32_t width = widths[below(9)];
    if (chance(50))
        do_read(guest, page, slot, window, offset, width);
    else
        do_write(guest, page, slot, window, offset, width,
                 random_next(&history.random) >> below(64));
}

static void boot(uint32_t guest)
{
    const uint32_t profile = chance(50) ? 0 : below(ORACLE_PROFILES);
    struct vdev_rules rules;
    memset(&rules, 0, sizeof(rules));
    for (uint32_t i = 0; i < 8 && oracle_profiles[profile].rules[i]; i += 2)
        rig_rule(&rules, oracle_profiles[profile].rules[i], oracle_profiles[profile].rules[i + 1]);
    (void)snprintf(history.did, sizeof(history.did), "guest %u boots with profile %u",
                   (unsigned)guest, (unsigned)profile);
    const bool boots = oracle_new_guest(&oracle, guest, profile);
    history.guests[guest] = vdev_guest_new(rig.model, &rules, rig_user(guest));
    if (boots != (history.guests[guest] != NULL))
        fail_msg("%s, and should%s", history.did, boots ? "" : " not");
}

static void stop(uint32_t guest)
{
    if (chance(50)) {
        (void)snprintf(history.did, sizeof(history.did), "guest %u is reset", (unsigned)guest);
        oracle_reset(&oracle, guest);
        vdev_guest_reset(history.guests[guest]);
    } else {
        (void)snprintf(history.did, sizeof(history.did), "guest %u ends", (unsigned)guest);
        oracle_end_guest(&oracle, guest);
        vdev_guest_end(history.guests[guest]);
        history.guests[guest] = NULL;
    }
}

static void change_host(void)
{
    rig.without_memory = oracle.without_memory = chance(30);
    rig.without_place = oracle.without_place = chance(30);
}

/* ---- comparing ---- */

static void compare_records(void)
{
    if (rig.records_count != oracle.records_count)
        fail_msg("%s: %u requests to the embedder, and not %u", history.did,
                 (unsigned)rig.records_count, (unsigned)oracle.records_count);
    for (uint32_t i = 0; i < rig.records_count; i++) {
        const struct rig_record *had = &rig.records[i];
        const struct rig_record *wanted = &oracle.records[i];
        if (memcmp(had, wanted, sizeof(*had)) != 0)
            fail_msg("%s: request %u is kind %d of %u with %u, and not kind %d of %u with %u",
                     history.did, (unsigned)i, (int)had->kind, (unsigned)had->subject,
                     (unsigned)had->value, (int)wanted->kind, (unsigned)wanted->subject,
                     (unsigned)wanted->value);
    }
    rig.records_count = oracle.records_count = 0;
}

static void compare_regions(void)
{
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
        const struct oracle_region *wanted = &oracle.regions[slot];
        struct vdev_region_info had;
        assert_int_equal(vdev_model_region(rig.model, slot, &had), wanted->exists);
        if (!wanted->exists)
            continue;
        assert_string_equal(had.name, wanted->name);
        assert_int_equal(had.pages, wanted->pages);
        assert_int_equal(had.permanent, wanted->stays);
        for (uint32_t index = 0; index < 16; index++)
            assert_int_equal(had.members >> index & 1,
                             oracle_client_at(&oracle, slot, index) != NULL);
    }
}

static void compare_guests(void)
{
    for (uint32_t guest = 0; guest < ORACLE_GUESTS; guest++) {
        if (!history.guests[guest])
            continue;
        const struct vdev_access_counts had = vdev_guest_counts(history.guests[guest]);
        assert_memory_equal(&had, &oracle.guests[guest].counts, sizeof(had));
        for (uint32_t place = 0; place < 8 * 16; place++) {
            const struct oracle_client *client =
                oracle_client_of(&oracle, guest, place / 16, place % 16);
            assert_int_equal(vdev_guest_connection(history.guests[guest], place / 16, place % 16),
                             client ? (int)client->index : -1);
        }
    }
}

static void step(void)
{
    const uint32_t guest = below(ORACLE_GUESTS);
    const uint32_t what = below(200);
    if (!history.guests[guest])
        boot(guest);
    else if (what < 60)
        attach(guest);
    else if (what < 150)
        use_connection(guest);
    else if (what < 160)
        find(guest);
    else if (what < 195)
        disturb(guest);
    else if (what < 198)
        stop(guest);
    else
        change_host();
    compare_records();
}

static void run_history(uint64_t seed)
{
    memset(&history, 0, sizeof(history));
    memset(&oracle, 0, sizeof(oracle));
    history.random = seed;
    history.names = 1 + below(NAMES);
    const struct vdev_settings settings = {
        .vector = chance(50) ? VDEV_VECTOR_PER_DEVICE : VDEV_VECTOR_PER_REGION,
        .memory = chance(50) ? VDEV_MEMORY_ZEROED : VDEV_MEMORY_STALE,
        .without_find = chance(20),
        .regions_max = 1 + below(8),
        .region_pages_max = 40,
        .pages_max = 8 + below(60)};
    oracle.settings = settings;
    rig_begin(&rig, &settings);
    for (int i = 0; i < STEPS; i++) {
        step();
        if (i % 20 == 0)
            compare_regions();
    }
    compare_regions();
    compare_guests();
    rig_end(&rig, history.guests, ORACLE_GUESTS);
}

static uint64_t seconds_to_run(void)
{
    const char *wish = getenv("PEAL_TEST_SECONDS");
    return wish ? strtoull(wish, NULL, 0) : 3;
}

static void any_history_is_as_the_description_says(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    const time_t end = time(NULL) + (time_t)seconds_to_run();
    uint64_t count = 0;
    uint64_t answers[7] = {0};
    while (count < HISTORIES_MIN || time(NULL) < end) {
        run_history(random_next(&seed));
        count++;
        for (int i = 0; i < 7; i++)
            answers[i] += oracle.answers[i];
    }
    printf("%" PRIu64 " histories of %d steps\n", count, STEPS);
    for (int i = 0; i < 7; i++) {
        printf("GSS %d: %" PRIu64 " times\n", i, answers[i]);
        assert_true(answers[i] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_history_is_as_the_description_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
