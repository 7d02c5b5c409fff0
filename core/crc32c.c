/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_CRC32))
#define PEAL_CRC32C_ARM 1
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* The reflected polynomial, one nibble at a time: sixteen words instead of 256 keep it in a line. */
static const uint32_t nibble_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t peal_crc32c_table(const void *data, size_t size_bytes)
{
    const unsigned char *bytes = data;
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size_bytes; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ nibble_table[crc & 15u];
        crc = crc >> 4 ^ nibble_table[crc & 15u];
    }
    return ~crc;
}

#if defined(__x86_64__) || defined(__i386__)
static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t crc_by_instruction(const unsigned char *bytes,
                                                                     size_t size_bytes)
{
    uint32_t crc = ~0u;
#if defined(__x86_64__)
    for (; size_bytes >= 8; bytes += 8, size_bytes -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = (uint32_t)_mm_crc32_u64(crc, word);
    }
#endif
    for (; size_bytes >= 4; bytes += 4, size_bytes -= 4) {
        uint32_t word;
        memcpy(&word, bytes, 4);
        crc = _mm_crc32_u32(crc, word);
    }
    for (; size_bytes; bytes++, size_bytes--)
        crc = _mm_crc32_u8(crc, *bytes);
    return ~crc;
}
#elif defined(PEAL_CRC32C_ARM)
static bool has_instruction(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

__attribute__((target("+crc"))) static uint32_t crc_by_instruction(const unsigned char *bytes,
                                                                   size_t size_bytes)
{
    uint32_t crc = ~0u;
    for (; size_bytes >= 8; bytes += 8, size_bytes -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __crc32cd(crc, word);
    }
    for (; size_bytes; bytes++, size_bytes--)
        crc = __crc32cb(crc, *bytes);
    return ~crc;
}
#else
static bool has_instruction(void)
{
    return false;
}

static uint32_t crc_by_instruction(const unsigned char *bytes, size_t size_bytes)
{
    return peal_crc32c_table(bytes, size_bytes);
}
#endif

uint32_t peal_crc32c(const void *data, size_t size_bytes)
{
    if (has_instruction())
        return crc_by_instruction(data, size_bytes);
    return peal_crc32c_table(data, size_bytes);
}
