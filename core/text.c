/* SPDX-License-Identifier: Apache-2.0 */
#include "core/text.h"

void peal_text_pack(const char *text, uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        words[i] = 0;
    for (uint32_t i = 0; text && text[i] && i < count * 8 - 1; i++)
        words[i / 8] |= (uint64_t)(unsigned char)text[i] << i % 8 * 8;
}

void peal_text_unpack(const uint64_t *words, uint32_t count, char *text, size_t text_bytes)
{
    size_t length = 0;
    for (; length < (size_t)count * 8 && length + 1 < text_bytes; length++) {
        unsigned char byte = (unsigned char)(words[length / 8] >> length % 8 * 8);
        if (byte == 0)
            break;
        text[length] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
    }
    text[length] = '\0';
}

/* Length of the valid UTF-8 sequence at the beginning of a NUL-terminated text, 0 if there is none. */
static size_t sequence_bytes(const unsigned char *text)
{
    size_t bytes = 1;
    uint32_t point = text[0];
    uint32_t least = 0;
    if (text[0] >= 0xc0) {
        bytes = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
        least = bytes == 2 ? 0xa0 : bytes == 3 ? 0x800 : 0x10000;
        point &= bytes == 2 ? 0x1fu : 0xfu; /* 0xf8 and above come out beyond U+10FFFF */
    } else if (text[0] >= 0x80) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0u) != 0x80u)
            return 0;
        point = point << 6 | (text[i] & 0x3fu);
    }
    bool is_surrogate = point >= 0xd800 && point < 0xe000;
    return point >= least && point < 0x110000 && !is_surrogate ? bytes : 0;
}

void peal_text_clean(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at) {
        size_t bytes = sequence_bytes(at);
        if (bytes == 0 || *at < 0x20 || *at == 0x7f) {
            *at = '?';
            bytes = 1;
        }
        at += bytes;
    }
}

void peal_text_store(peal_u64 *shared, const uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        peal_u64_store_relaxed(&shared[i], words[i]); /* relaxed: ordered by the owner word */
}

void peal_text_load(const peal_u64 *shared, uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        words[i] = peal_u64_load_relaxed(&shared[i]); /* relaxed: ordered by the owner word */
}

bool peal_text_equals(const peal_u64 *shared, const uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (peal_u64_load_relaxed(&shared[i]) != words[i]) /* relaxed: ordered by the owner word */
            return false;
    }
    return true;
}
