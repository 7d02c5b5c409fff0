/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_name_of_every_byte_is_legal_or_not_as_the_rule_says(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char name[GUEST_SHM_MAX_NAME] = {'n', (char)c, 'x'};
        assert_int_equal(vdev_name_is_legal(name), c >= 0x20 && c < 0x7f && c != '/');
    }
}

static void a_name_has_1_to_31_characters_and_a_zero_byte(void **state)
{
    (void)state;
    char name[GUEST_SHM_MAX_NAME];
    for (size_t length = 0; length <= sizeof(name); length++) {
        memset(name, 0, sizeof(name));
        memset(name, 'n', length);
        assert_int_equal(vdev_name_is_legal(name), length >= 1 && length <= 31);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_of_every_byte_is_legal_or_not_as_the_rule_says),
        cmocka_unit_test(a_name_has_1_to_31_characters_and_a_zero_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
