/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/player.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A channel with this metadata; texts live as long as the process. */
static struct mcap_channel channel_with(const struct mcap_pair *pairs, size_t count)
{
    static struct mcap_buffer map;
    mcap_buffer_clear(&map);
    for (size_t i = 0; i < count; i++) {
        mcap_buffer_put_text(&map, pairs[i].key);
        mcap_buffer_put_text(&map, pairs[i].value);
    }
    return (struct mcap_channel){.id = 7, .metadata = {map.bytes, map.used_bytes}};
}

static void a_publisher_is_as_the_recording_tells(void **state)
{
    (void)state;
    static const struct mcap_pair pairs[] = {{"peal:publisher", "alpha"},
                                             {"peal:message_bytes_max", "65536"},
                                             {"peal:depth", "256"},
                                             {"peal:lane_bytes", "1000000"},
                                             {"peal:timestamped", "0"},
                                             {"peal:restarted", "1"},
                                             {"peal:schema_hash", "0x00000000deadbeef"}};
    const struct mcap_channel channel = channel_with(pairs, 7);
    char type[] = "frame/2";
    const struct mcap_schema schema = {.name = type};
    struct player_channel described = {0};
    player_describe(&described, &channel, &schema);
    assert_string_equal(described.options.name, "alpha");
    assert_string_equal(described.options.type_name, "frame/2");
    assert_int_equal(described.options.message_bytes_max, 65536);
    assert_int_equal(described.options.depth, 256);
    assert_int_equal(described.options.payload_bytes, 1000000 - 256 * 64);
    assert_false(described.options.timestamp);
    assert_true(described.restarted);
    assert_true(described.options.schema_hash == 0xdeadbeef);
}

static void a_file_of_somebody_else_gets_defaults(void **state)
{
    (void)state;
    const struct mcap_channel channel = channel_with(NULL, 0);
    struct player_channel described = {0};
    player_describe(&described, &channel, NULL);
    assert_string_equal(described.options.name, "replay.7");
    assert_null(described.options.type_name);
    assert_int_equal(described.options.message_bytes_max, 4096);
    assert_int_equal(described.options.depth, 0);
    assert_int_equal(described.options.payload_bytes, 0);
    assert_true(described.options.timestamp);
    assert_false(described.restarted);
}

static void nonsense_is_not_believed(void **state)
{
    (void)state;
    static const struct mcap_pair pairs[] = {
        {"peal:publisher", "a name of more than thirty-one letters"},
        {"peal:message_bytes_max", "99999999999999999999999"},
        {"peal:depth", "-1"},
        {"peal:lane_bytes", "18446744073709551615"},
        {"peal:schema_hash", ""}};
    const struct mcap_channel channel = channel_with(pairs, 5);
    char type[] = "a type whose name is longer than the sixty-three letters that a topic has";
    const struct mcap_schema schema = {.name = type};
    struct player_channel described = {0};
    player_describe(&described, &channel, &schema);
    assert_string_equal(described.options.name, "replay.7");
    assert_null(described.options.type_name);
    assert_int_equal(described.options.message_bytes_max, 4096);
    assert_int_equal(described.options.depth, 0);
    assert_true(described.options.schema_hash == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publisher_is_as_the_recording_tells),
        cmocka_unit_test(a_file_of_somebody_else_gets_defaults),
        cmocka_unit_test(nonsense_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
