/* SPDX-License-Identifier: Apache-2.0 */
/* The device's ABI is given from outside: each number is checked here a second time, written as a plain literal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest_shm.h"

static void constants_are_those_of_the_device(void **state)
{
    (void)state;
    assert_int_equal(GUEST_SHM_MAX_CLIENTS, 16);
    assert_int_equal(GUEST_SHM_MAX_NAME, 32);
    assert_true(GUEST_SHM_SIGNATURE == UINT64_C(0x4d534732474d5651));
    assert_int_equal(PCI_VID_BlackBerry_QNX, 0x1C05);
    assert_int_equal(PCI_DID_QNX_GUEST_SHM, 1);
}

static void signature_reads_as_text_in_little_endian_memory(void **state)
{
    const uint64_t signature = GUEST_SHM_SIGNATURE;
    unsigned char bytes[8];

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(signature >> (8 * i));
    assert_memory_equal(bytes, "QVMG2GSM", 8);
}

/* Writes one field with a pattern and returns the first byte of the struct that changed. */
#define FIRST_BYTE_OF(type, member)                                                                \
    ({                                                                                             \
        union {                                                                                    \
            struct type fields;                                                                    \
            unsigned char bytes[sizeof(struct type)];                                              \
        } image;                                                                                   \
        size_t at = 0;                                                                             \
                                                                                                   \
        memset(&image, 0, sizeof image);                                                           \
        memset(&image.fields.member, 0xff, sizeof image.fields.member);                            \
        while (at < sizeof image.bytes && image.bytes[at] == 0)                                    \
            at++;                                                                                  \
        at;                                                                                        \
    })

static void factory_registers_lie_where_the_device_has_them(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct guest_shm_factory), 64);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, signature), 0);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, shmem), 8);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, vector), 16);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, status), 20);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, size), 24);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, name), 28);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_factory, find), 60);
    assert_int_equal(sizeof(((struct guest_shm_factory *)NULL)->name), 32);
}

static void control_registers_lie_where_the_device_has_them(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct guest_shm_control), 16);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_control, status), 0);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_control, idx), 4);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_control, notify), 8);
    assert_int_equal(FIRST_BYTE_OF(guest_shm_control, detach), 12);
}

static void status_codes_count_from_ok_to_does_not_exist(void **state)
{
    (void)state;
    assert_int_equal(GSS_OK, 0);
    assert_int_equal(GSS_UNKNOWN_FAILURE, 1);
    assert_int_equal(GSS_NOMEM, 2);
    assert_int_equal(GSS_CLIENT_MAX, 3);
    assert_int_equal(GSS_ILLEGAL_NAME, 4);
    assert_int_equal(GSS_NO_PERMISSION, 5);
    assert_int_equal(GSS_DOES_NOT_EXIST, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_those_of_the_device),
        cmocka_unit_test(signature_reads_as_text_in_little_endian_memory),
        cmocka_unit_test(factory_registers_lie_where_the_device_has_them),
        cmocka_unit_test(control_registers_lie_where_the_device_has_them),
        cmocka_unit_test(status_codes_count_from_ok_to_does_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
