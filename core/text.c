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
