/* SPDX-License-Identifier: Apache-2.0 */
/* The list of buses: one that cannot be looked at is a row like any other. */
#include "tools/peal/list/buses.h"

#include "tests/unit/tools/peal/capture.h"
#include "tests/unit/tools/peal/look/region_fixture.h"
#include "tools/peal/kit/exit_code.h"

#include <sys/stat.h>

static struct buses buses;

static int tear_down(void **state)
{
    buses_free(&buses);
    return region_tear_down(state);
}

static const struct bus_row *row_of(const char *url)
{
    for (size_t i = 0; i < buses.count; i++)
        if (strcmp(buses.rows[i].url, url) == 0)
            return &buses.rows[i];
    return NULL;
}

static void a_bus_shows_size_and_who_is_there(void **state)
{
    struct peal_bus *bus = region_open(MIB, "engine");
    struct peal_bus *other = region_open(MIB, "gauge");
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = topic_publish(bus, "wheel", &options);
    struct peal_queue *queue = NULL;
    (void)state;
    assert_int_equal(peal_queue_create(other, "jobs", NULL, &queue), PEAL_OK);
    buses_add(&buses, region_url);
    const struct bus_row *row = &buses.rows[0];
    assert_int_equal(buses.count, 1);
    assert_int_equal(row->state, BUS_OK);
    assert_true(row->is_seen);
    assert_int_equal(row->region_bytes, MIB);
    assert_true(row->free_bytes > 0 && row->free_bytes < MIB);
    assert_int_equal(row->alive, 2);
    assert_int_equal(row->dead, 0);
    assert_int_equal(row->topics, 1);
    assert_int_equal(row->queues, 1);
    peal_queue_close(queue);
    peal_publisher_close(publisher);
    peal_bus_close(other);
    peal_bus_close(bus);
    buses_add(&buses, region_url);
    assert_int_equal(buses.rows[1].state, BUS_EMPTY);
    assert_int_equal(buses.rows[1].alive, 0);
}

static void one_that_has_gone_since_is_no_row(void **state)
{
    (void)state;
    buses_add(&buses, region_url);
    assert_int_equal(buses.count, 0);
}

static void one_that_is_spoilt_is_a_row_with_a_reason(void **state)
{
    (void)state;
    peal_bus_close(region_open(MIB, "engine"));
    file_cut(region_path, 100);
    buses_add(&buses, region_url);
    assert_int_equal(buses.count, 1);
    assert_false(buses.rows[0].is_seen);
    assert_true(buses.rows[0].state == BUS_SPOILT || buses.rows[0].state == BUS_WRONG_FORMAT);
    assert_true(strlen(buses.rows[0].reason) > 10);
    assert_null(strstr(buses.rows[0].reason, "cannot look at"));
}

static void all_of_the_machine_are_found_in_order_with_its_devices(void **state)
{
    char pattern[96], node[96], url[128];
    struct peal_bus *bus = region_open(MIB, "engine");
    (void)state;
    (void)snprintf(node, sizeof(node), "/tmp/peal-node-%d.0", (int)getpid());
    (void)snprintf(pattern, sizeof(pattern), "/tmp/peal-node-%d.*", (int)getpid());
    (void)snprintf(url, sizeof(url), "vdev:NAME?device=%s", node);
    FILE *file = fopen(node, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(buses_find(&buses, pattern), EXIT_DONE);
    assert_int_equal(unlink(node), 0);
    assert_non_null(row_of(region_url));
    assert_int_equal(row_of(region_url)->state, BUS_OK);
    assert_false(row_of(region_url)->is_node);
    assert_non_null(row_of(url));
    assert_int_equal(row_of(url)->state, BUS_DEVICE);
    assert_true(row_of(url)->is_node);
    for (size_t i = 1; i < buses.count; i++)
        assert_true(strcmp(buses.rows[i - 1].url, buses.rows[i].url) <= 0);
    peal_bus_close(bus);
}

static void people_and_programs_see_the_same(void **state)
{
    struct peal_bus *bus = region_open(MIB, "engine");
    (void)state;
    buses_add(&buses, region_url);
    peal_bus_close(bus);
    buses.rows[0].dead = 3;
    file_cut(region_path, 100);
    buses_add(&buses, region_url);
    capture_begin(STDOUT_FILENO);
    buses_print(&buses);
    print_json_line(buses_json(&buses));
    const char *said = capture_end();
    assert_int_equal(strncmp(said, "BUS ", 4), 0);
    assert_non_null(strstr(said, "  1.00 MiB  "));
    assert_non_null(strstr(said, "  1 (+3 dead)       0       0  ok\n"));
    assert_non_null(strstr(said, "\"state\":\"ok\",\"reason\":null,\"region_bytes\":1048576,"));
    assert_non_null(
        strstr(said, "\"clients_alive\":1,\"clients_dead\":3,\"topics\":0,\"queues\":0}"));
    assert_non_null(strstr(said, "\"topics\":null,\"queues\":null}]\n"));
}

static void every_state_has_words(void **state)
{
    (void)state;
    for (int one = BUS_OK; one <= BUS_FAILED; one++)
        for (int other = BUS_OK; other < one; other++)
            assert_string_not_equal(bus_state_text((enum bus_state)one),
                                    bus_state_text((enum bus_state)other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, region_set_up, tear_down)
        TEST(a_bus_shows_size_and_who_is_there),
        TEST(one_that_has_gone_since_is_no_row),
        TEST(one_that_is_spoilt_is_a_row_with_a_reason),
        TEST(all_of_the_machine_are_found_in_order_with_its_devices),
        TEST(people_and_programs_see_the_same),
        TEST(every_state_has_words),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
