/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_text.h"

#include <stdlib.h>
#include <string.h>

/* Length of the character at `at`, 0 if there is none. Overlong forms, surrogates and what lies past U+10FFFF are none. */
static size_t character(const unsigned char *at, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = at[0];
    if (first < 0x80)
        return first != 0;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc0 || first > 0xf7 || length > left)
        return 0;
    uint32_t value = first & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3fU);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    return length;
}

bool mcap_text_valid(struct mcap_span text)
{
    for (size_t at = 0; at < text.size_bytes;) {
        size_t length = character(text.bytes + at, text.size_bytes - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

char *mcap_text_copy(struct mcap_span text)
{
    char *copy = malloc(text.size_bytes + 1);
    if (!copy)
        return NULL;
    if (text.size_bytes > 0)
        memcpy(copy, text.bytes, text.size_bytes);
    copy[text.size_bytes] = '\0';
    return copy;
}
