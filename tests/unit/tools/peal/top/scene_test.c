/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a real region that goes and comes again. */
#include "tools/peal/top/scene.h"

#include <peal/publisher.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char url[64];

struct life {
    struct peal_bus *bus;
    struct peal_publisher *publisher;
};

static void begin(struct life *life, const char *topic)
{
    struct peal_bus_options bus = PEAL_BUS_OPTIONS_INIT;
    bus.size_bytes = 1 << 20;
    (void)snprintf(url, sizeof(url), "posix:top-scene-%d", (int)getpid());
    assert_int_equal(peal_bus_open(&life->bus, url, &bus), PEAL_OK);
    assert_int_equal(peal_publisher_create(life->bus, topic, NULL, &life->publisher), PEAL_OK);
}

static void end(struct life *life)
{
    peal_publisher_close(life->publisher);
    peal_bus_close(life->bus);
    assert_int_equal(peal_unlink(url), PEAL_OK);
}

static void publish(const struct life *life, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(peal_publisher_publish(life->publisher, "12345678", 8), PEAL_OK);
}

static void rates_need_two_looks(void **state)
{
    (void)state;
    struct life life;
    struct top_scene scene;
    begin(&life, "topic");
    top_scene_begin(&scene, url);
    publish(&life, 100);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    assert_null(scene.before);
    assert_null(scene.figures[0].history);
    assert_true(scene.totals.published_hz <= 0);
    publish(&life, 50);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    const double span_s = (double)(scene.now->taken_ns - scene.before->taken_ns) / 1e9;
    const double published = scene.totals.published_hz * span_s;
    assert_true(published > 49.5 && published < 50.5);
    const double bytes = scene.totals.bytes_per_s * span_s;
    assert_true(bytes > 399 && bytes < 401);
    assert_int_equal(scene.figures[0].history->looks, 1);
    assert_int_equal(scene.totals.topics, 1);
    assert_int_equal(scene.totals.clients, 1);
    assert_int_equal(top_scene_find(&scene, scene.figures[0].id), 0);
    assert_int_equal(top_scene_find(&scene, scene.figures[0].id + 1), -1);
    top_scene_free(&scene);
    end(&life);
}

static void a_region_that_has_gone_leaves_nothing_and_comes_again(void **state)
{
    (void)state;
    struct life life;
    struct top_scene scene;
    begin(&life, "topic");
    top_scene_begin(&scene, url);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    const uint64_t id = scene.figures[0].id;
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    end(&life);
    assert_int_equal(top_scene_look(&scene), PEAL_ENOENT);
    assert_non_null(strstr(top_scene_trouble(&scene), "there is no region"));
    assert_int_equal(scene.now->topic_count, 0);
    assert_int_equal(scene.totals.topics, 0);
    assert_int_equal(top_scene_find(&scene, id), -1);
    begin(&life, "another");
    publish(&life, 10);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    assert_null(scene.before); /* what was before is not of this one */
    assert_true(scene.figures[0].id != id);
    assert_int_equal(scene.looks, 1);
    assert_string_equal(top_scene_trouble(&scene), "");
    top_scene_free(&scene);
    end(&life);
}

/* Made anew between two looks: nothing is seen of the change but another generation. */
static void another_region_of_the_same_name_gives_no_rates(void **state)
{
    (void)state;
    struct life life;
    struct top_scene scene;
    begin(&life, "topic");
    top_scene_begin(&scene, url);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    end(&life);
    begin(&life, "topic");
    publish(&life, 1000);
    assert_int_equal(top_scene_look(&scene), PEAL_OK);
    assert_null(scene.before);
    assert_true(scene.totals.published_hz <= 0);
    assert_null(scene.figures[0].history);
    top_scene_free(&scene);
    end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_need_two_looks),
        cmocka_unit_test(a_region_that_has_gone_leaves_nothing_and_comes_again),
        cmocka_unit_test(another_region_of_the_same_name_gives_no_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
