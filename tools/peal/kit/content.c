/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/content.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- UTF-8 ---- */

static bool is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Reads one character of two bytes or more; answers its length, or 0 for what is no UTF-8 (RFC 3629). */
static size_t decode_long(const unsigned char *at, size_t left, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || left < length)
        return 0;
    uint32_t code = at[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (!is_tail(at[i]))
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *character = code;
    return length;
}

static size_t decode(const unsigned char *at, size_t left, uint32_t *character)
{
    *character = at[0];
    return at[0] < 0x80 ? 1 : decode_long(at, left, character);
}

/* No control character, no end of line or paragraph, and nothing that turns the direction of writing. */
static bool is_harmless(uint32_t character)
{
    if (character < 0x20 || (character >= 0x7f && character < 0xa0))
        return false;
    return !(character >= 0x2028 && character <= 0x202e) &&
           !(character >= 0x2066 && character <= 0x2069);
}

static bool is_line_matter(uint32_t character)
{
    return character == '\n' || character == '\t' || character == '\r';
}

bool content_is_text(const void *data, size_t size_bytes)
{
    const unsigned char *at = data;
    if (size_bytes > 0 && at[size_bytes - 1] == 0)
        size_bytes--;
    for (size_t done = 0; done < size_bytes;) {
        uint32_t character;
        const size_t length = decode(at + done, size_bytes - done, &character);
        if (length == 0 || !(is_harmless(character) || is_line_matter(character)))
            return false;
        done += length;
    }
    return true;
}

/* ---- text ---- */

/* At most 10 characters and NUL: \u{10ffff}. */
static size_t escape_one(char *to, uint32_t character, size_t length)
{
    static const char letters[] = {[0] = '0', ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};
    int written;
    if (character < sizeof(letters) && letters[character] != 0)
        written = snprintf(to, CONTENT_ROOM_MIN, "\\%c", letters[character]);
    else if (length <= 1)
        written = snprintf(to, CONTENT_ROOM_MIN, "\\x%02x", (unsigned)character);
    else
        written = snprintf(to, CONTENT_ROOM_MIN, "\\u{%x}", (unsigned)character);
    return written > 0 ? (size_t)written : 0;
}

size_t content_escape(char *to, size_t room, const void *data, size_t size_bytes,
                      enum content_lines lines, size_t *used)
{
    const unsigned char *from = data;
    size_t done = 0, length = 0;
    while (done < size_bytes && length + CONTENT_ROOM_MIN <= room) {
        uint32_t character;
        const size_t bytes = decode(from + done, size_bytes - done, &character);
        const bool stays =
            bytes > 0 && (is_harmless(character) || (lines == CONTENT_KEEP_LINES &&
                                                     (character == '\n' || character == '\t')));
        if (stays) {
            memcpy(to + length, from + done, bytes);
            length += bytes;
        } else {
            length += escape_one(to + length, bytes > 0 ? character : from[done], bytes);
        }
        done += bytes > 0 ? bytes : 1;
    }
    to[length] = 0;
    *used = done;
    return length;
}

void content_print_text(const void *data, size_t size_bytes)
{
    const unsigned char *from = data;
    char text[4096];
    size_t used;
    for (size_t done = 0; done < size_bytes; done += used) {
        const size_t length = content_escape(text, sizeof(text), from + done, size_bytes - done,
                                             CONTENT_KEEP_LINES, &used);
        print_bytes(text, length);
    }
    if (size_bytes == 0 || from[size_bytes - 1] != '\n')
        print_bytes("\n", 1);
}

/* ---- bytes ---- */

static char *put_hex(char *at, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
    return at;
}

void content_hex_line(char *line, const void *data, size_t size_bytes, uint64_t offset)
{
    const unsigned char *from = data;
    const size_t count = size_bytes < 16 ? size_bytes : 16;
    char *at = line + snprintf(line, 24, "%08" PRIx64 " ", offset);
    for (size_t i = 0; i < 16; i++) {
        if (i == 8)
            *at++ = ' ';
        *at++ = ' ';
        if (i < count) {
            at = put_hex(at, from[i]);
        } else {
            *at++ = ' ';
            *at++ = ' ';
        }
    }
    memcpy(at, "  |", 3);
    at += 3;
    for (size_t i = 0; i < count; i++)
        *at++ = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '.';
    *at++ = '|';
    *at = 0;
}

void content_print_hex(const void *data, size_t size_bytes)
{
    const unsigned char *from = data;
    char line[CONTENT_HEX_LINE_BYTES];
    for (size_t done = 0; done < size_bytes; done += 16) {
        content_hex_line(line, from + done, size_bytes - done, done);
        print_bytes(line, strlen(line));
        print_bytes("\n", 1);
    }
}

char *content_base64(const void *data, size_t size_bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = data;
    char *text = memory_zeroed(size_bytes / 3 + 2, 4);
    char *at = text;
    for (size_t done = 0; done < size_bytes; done += 3) {
        const size_t left = size_bytes - done;
        const uint32_t three = (uint32_t)from[done] << 16 |
                               (left > 1 ? (uint32_t)from[done + 1] << 8 : 0) |
                               (left > 2 ? from[done + 2] : 0);
        *at++ = digits[three >> 18];
        *at++ = digits[three >> 12 & 63];
        *at++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[three & 63] : '=';
    }
    return text;
}
