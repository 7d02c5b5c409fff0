/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void known_messages_have_their_known_sums(void **state)
{
    (void)state;
    unsigned char bytes[48];
    memset(bytes, 0, 32);
    assert_int_equal(peal_crc32c(bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, 32);
    assert_int_equal(peal_crc32c(bytes, 32), 0x62a8ab43u);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(peal_crc32c(bytes, 32), 0x46dd794eu);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(peal_crc32c(bytes, 32), 0x113fdb5cu);
    static const unsigned char iscsi_read[48] = {
        [0] = 0x01,  [1] = 0xc0,  [16] = 0x14, [22] = 0x04,
        [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    assert_int_equal(peal_crc32c(iscsi_read, 48), 0xd9963a56u);
    assert_int_equal(peal_crc32c("123456789", 9), 0xe3069283u);
    assert_int_equal(peal_crc32c_table("123456789", 9), 0xe3069283u);
}

static void an_empty_message_sums_to_zero(void **state)
{
    (void)state;
    assert_int_equal(peal_crc32c("", 0), 0);
    assert_int_equal(peal_crc32c(NULL, 0), 0);
    assert_int_equal(peal_crc32c_table(NULL, 0), 0);
}

static void the_instruction_and_the_table_agree_at_every_length_and_alignment(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(320);
    assert_non_null(bytes);
    for (size_t i = 0; i < 320; i++)
        bytes[i] = (unsigned char)(i * 131 + 17);
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t size = 0; size <= 300; size++)
            assert_int_equal(peal_crc32c(bytes + offset, size),
                             peal_crc32c_table(bytes + offset, size));
    }
    free(bytes);
}

static void every_flipped_bit_shows(void **state)
{
    (void)state;
    unsigned char bytes[64];
    memset(bytes, 0x3c, sizeof(bytes));
    uint32_t right = peal_crc32c(bytes, sizeof(bytes));
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_not_equal(peal_crc32c(bytes, sizeof(bytes)), right);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_int_equal(peal_crc32c(bytes, sizeof(bytes)), right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_messages_have_their_known_sums),
        cmocka_unit_test(an_empty_message_sums_to_zero),
        cmocka_unit_test(the_instruction_and_the_table_agree_at_every_length_and_alignment),
        cmocka_unit_test(every_flipped_bit_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
