/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/text.h"

#include <langinfo.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

struct top_glyph top_glyph_at(const char *text)
{
    mbstate_t state = {0};
    wchar_t wide;
    const unsigned char first = (unsigned char)text[0];
    if (first == 0)
        return (struct top_glyph){0};
    if (first < 0x80) /* the greater part: no table is asked */
        return (struct top_glyph){.bytes = 1, .columns = 1, .known = first >= ' ' && first != 0x7f};
    const size_t length = strnlen(text, MB_LEN_MAX);
    const size_t bytes = mbrtowc(&wide, text, length, &state);
    if (bytes == 0 || bytes > length)
        return (struct top_glyph){.bytes = 1, .columns = 1};
    const int columns = wcwidth(wide);
    if (columns < 1 || columns > 2)
        return (struct top_glyph){.bytes = bytes, .columns = 1};
    return (struct top_glyph){.bytes = bytes, .columns = columns, .known = true};
}

int top_text_fit(char *to, size_t room_bytes, const char *text, int columns)
{
    size_t length = 0;
    size_t length_before = 0; /* without the last character, whose place the '~' takes */
    int used = 0;
    int used_before = 0;
    for (;;) {
        const struct top_glyph glyph = top_glyph_at(text);
        const size_t bytes = glyph.known ? glyph.bytes : 1;
        if (glyph.bytes == 0)
            break;
        if (used + glyph.columns > columns || length + bytes >= room_bytes) {
            if (used < columns && length + 1 < room_bytes) {
                length_before = length;
                used_before = used;
            }
            if (columns > 0 && room_bytes > 1) {
                to[length_before] = '~';
                length = length_before + 1;
                used = used_before + 1;
            }
            break;
        }
        length_before = length;
        used_before = used;
        if (glyph.known)
            memcpy(to + length, text, bytes);
        else
            to[length] = '?';
        length += bytes;
        used += glyph.columns;
        text += glyph.bytes;
    }
    if (room_bytes > 0)
        to[length] = '\0';
    return used;
}

int top_text_columns(const char *text)
{
    int columns = 0;
    for (struct top_glyph glyph; (glyph = top_glyph_at(text)).bytes > 0; text += glyph.bytes)
        columns += glyph.columns;
    return columns;
}

bool top_text_has_blocks(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool top_text_has(const char *text, const char *needle)
{
    return strcasestr(text, needle) != NULL;
}
