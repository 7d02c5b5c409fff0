/* SPDX-License-Identifier: Apache-2.0 */
/* How messages are shown: text in a line, anything else as hex, some lines of it. */
#include "tools/peal/kit/content.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/top/messages.h"
#include "tools/peal/top/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEX_LINES_MAX 4

bool top_message_is_text(const struct top_message *message)
{
    size_t length = message->kept_bytes;
    /* Where it was cut, a character may have been: up to 3 bytes of it are there. */
    if (message->size_bytes > length)
        for (int i = 0; i < 3 && length > 0 && message->kept[length - 1] >= 0x80; i++)
            length--;
    return length > 0 && content_is_text(message->kept, length);
}

/* Lines that are above the screen are counted down instead of written. */
struct place {
    struct top_page *page;
    int above;
    int lines; /* written or not */
};

static bool is_above(struct place *place)
{
    place->lines++;
    if (place->above == 0)
        return false;
    place->above--;
    return true;
}

static void put_time(struct top_page *page, const struct top_message *message)
{
    struct units_text text;
    if (page->width < 70)
        return;
    if (message->time_ns == 0)
        top_page_print(page, PAINT_DIM, "%-13s", "-");
    else
        top_page_print(page, PAINT_DIM, "%s.%03u ", units_time(&text, message->time_ns) + 11,
                       (unsigned)(message->time_ns / 1000000 % 1000));
}

static void put_head(struct top_page *page, const struct top_message *message)
{
    char name[64];
    const int width = page->width >= 70 ? 12 : 8;
    struct units_text size;
    (void)top_text_fit(name, sizeof(name), message->publisher, width);
    put_time(page, message);
    top_page_put(page, PAINT_CYAN, name);
    top_page_print(page, PAINT_NONE, "%*s", width + 1 - top_text_columns(name), "");
    top_page_print(page, PAINT_GREEN, "#%" PRIu64 " ", message->number);
    top_page_print(page, PAINT_DIM, "%s ", units_bytes(&size, message->size_bytes));
    if (message->status == PEAL_ECORRUPT)
        top_page_put(page, PAINT_RED, "(wrong checksum) ");
    if (message->status == PEAL_ETRUNC)
        top_page_put(page, PAINT_DIM, "(too long to be shown)");
}

static void put_text(struct top_page *page, const struct top_message *message)
{
    char text[2 * TOP_MESSAGE_KEPT_BYTES];
    size_t length = message->kept_bytes;
    size_t used;
    if (length > 0 && message->kept[length - 1] == 0 && length == message->size_bytes)
        length--; /* C programs send the end along */
    (void)content_escape(text, sizeof(text), message->kept, length, CONTENT_ONE_LINE, &used);
    top_page_put(page, PAINT_NONE, text);
}

static void put_hex(struct top_page *page, const struct top_message *message, size_t from,
                    size_t a_line)
{
    char hex[3 * 16 + 2] = "", plain[17] = "";
    size_t length = 0;
    for (size_t i = 0; i < a_line; i++) {
        const bool there = from + i < message->kept_bytes;
        const unsigned char byte = there ? message->kept[from + i] : 0;
        const char *gap = i == 7 && a_line > 8 ? "  " : " ";
        length += (size_t)(there ? snprintf(hex + length, sizeof(hex) - length, "%02x%s", byte, gap)
                                 : snprintf(hex + length, sizeof(hex) - length, "  %s", gap));
        if (there)
            plain[i] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
    }
    top_page_print(page, PAINT_DIM, "  %04zx  ", from);
    top_page_print(page, PAINT_NONE, "%s ", hex);
    top_page_print(page, PAINT_NONE, "|%s|", plain);
}

static void draw_message(struct place *place, const struct top_message *message, enum top_dump dump)
{
    const bool as_text =
        dump == TOP_DUMP_TEXT || (dump == TOP_DUMP_AUTO && top_message_is_text(message));
    const size_t a_line = place->page->width >= 76 ? 16 : 8;
    if (!is_above(place)) {
        put_head(place->page, message);
        if (as_text)
            put_text(place->page, message);
        top_page_end_line(place->page, PAINT_NONE);
    }
    for (size_t i = 0; !as_text && i < HEX_LINES_MAX && i * a_line < message->kept_bytes; i++)
        if (!is_above(place)) {
            put_hex(place->page, message, i * a_line, a_line);
            top_page_end_line(place->page, PAINT_NONE);
        }
}

void top_messages_draw(struct top_page *page, const struct top_messages *messages,
                       enum top_dump dump, int *scrolled)
{
    struct place place = {.page = page, .above = *scrolled};
    const struct top_message *message;
    for (uint64_t i = 0; top_page_left(page) > 0 && (message = top_messages_at(messages, i)); i++)
        draw_message(&place, message, dump);
    if (place.above > 0 || (place.lines > 0 && place.lines == *scrolled))
        *scrolled = place.lines > 0 ? place.lines - 1 : 0;
}
