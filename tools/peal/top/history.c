/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/history.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/top/text.h"

#include <stdlib.h>
#include <string.h>

void top_history_begin(struct top_history *history)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->count; i++)
        if (history->lines[i].seen == history->round)
            history->lines[kept++] = history->lines[i];
    history->count = kept;
    history->next = 0;
    history->round++;
}

static struct top_history_line *find(struct top_history *history, uint64_t id)
{
    for (size_t i = 0; i < history->count; i++) {
        const size_t at = (history->next + i) % history->count;
        if (history->lines[at].id == id) {
            history->next = at + 1;
            return &history->lines[at];
        }
    }
    return NULL;
}

void top_history_add(struct top_history *history, uint64_t id, double rate)
{
    struct top_history_line *line = find(history, id);
    if (!line) {
        history->lines =
            memory_room(history->lines, history->count, &history->room, sizeof(*history->lines));
        line = &history->lines[history->count++];
        *line = (struct top_history_line){.id = id};
    }
    memmove(&line->rates[0], &line->rates[1], sizeof(line->rates) - sizeof(line->rates[0]));
    line->rates[TOP_HISTORY_LOOKS - 1] = rate;
    if (line->looks < TOP_HISTORY_LOOKS)
        line->looks++;
    line->seen = history->round;
}

const struct top_history_line *top_history_line(struct top_history *history, uint64_t id)
{
    return find(history, id);
}

void top_history_clear(struct top_history *history)
{
    history->count = 0;
    history->next = 0;
}

void top_history_free(struct top_history *history)
{
    free(history->lines);
    memset(history, 0, sizeof(*history));
}

static int level(double rate, double highest)
{
    if (!(rate > 0))
        return 0;
    const int eighth = (int)(rate / highest * 8 + 0.5);
    return eighth < 1 ? 1 : eighth > 8 ? 8 : eighth;
}

void top_history_text(const struct top_history_line *line, int width, char *to, size_t room_bytes)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {" ", "_", ".", ":", "-", "=", "+", "*", "#"};
    const char *const *glyphs = top_text_has_blocks() ? blocks : ascii;
    const int shown = width < TOP_HISTORY_LOOKS ? width : TOP_HISTORY_LOOKS;
    const double *rates = &line->rates[TOP_HISTORY_LOOKS - shown];
    double highest = 0;
    size_t length = 0;
    for (int i = 0; i < shown; i++)
        highest = rates[i] > highest ? rates[i] : highest;
    for (int i = 0; i < shown; i++) {
        const bool before = shown - i > (int)line->looks;
        const char *glyph = before ? " " : glyphs[level(rates[i], highest)];
        if (length + strlen(glyph) >= room_bytes)
            break;
        memcpy(to + length, glyph, strlen(glyph));
        length += strlen(glyph);
    }
    if (room_bytes > 0)
        to[length] = '\0';
}
