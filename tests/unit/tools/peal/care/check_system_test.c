/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/doctor.h"

#include <linux/membarrier.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct doctor doctor = {.check = "membarrier"};

/* The last result, which is one of a check's. */
static const char *said(const char *key)
{
    const json_t *result = json_array_get(doctor.json, json_array_size(doctor.json) - 1);
    const char *text = json_string_value(json_object_get(result, key));
    return text ? text : "";
}

static void membarrier_is_good_only_with_both_commands(void **state)
{
    (void)state;
    const long both = MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
    doctor.json = json_array();
    check_membarrier_answer(&doctor, both | MEMBARRIER_CMD_GLOBAL);
    assert_string_equal(said("verdict"), "ok");
    assert_string_equal(said("remedy"), "");
    check_membarrier_answer(&doctor, MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    assert_string_equal(said("verdict"), "warn");
    assert_non_null(strstr(said("text"), "GLOBAL_EXPEDITED"));
    assert_non_null(strstr(said("remedy"), "kernel"));
    check_membarrier_answer(&doctor, MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    assert_string_equal(said("verdict"), "warn");
    check_membarrier_answer(&doctor, -1);
    assert_string_equal(said("verdict"), "warn");
    assert_non_null(strstr(said("text"), "forbidden"));
    assert_non_null(strstr(said("remedy"), "seccomp"));
    assert_int_equal(json_array_size(doctor.json), 4);
    assert_int_equal(doctor.counts[DOCTOR_OK], 1);
    assert_int_equal(doctor.counts[DOCTOR_WARN], 3);
    assert_int_equal(doctor.counts[DOCTOR_BAD], 0);
    json_decref(doctor.json);
}

static void texts_of_a_strange_machine_are_made_harmless(void **state)
{
    (void)state;
    doctor.json = json_array();
    doctor_bad(&doctor, "none", "a name: %s", "\x1b[31mred\n");
    assert_string_equal(said("text"), "a name: ?[31mred?");
    assert_string_equal(said("verdict"), "bad");
    json_decref(doctor.json);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(membarrier_is_good_only_with_both_commands),
        cmocka_unit_test(texts_of_a_strange_machine_are_made_harmless),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
