/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/losses.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void losses_add(struct losses *losses, uint64_t first, uint64_t last)
{
    const uint64_t count = last - first + 1;
    const bool goes_on = losses->range_count > 0 && first > 0 && losses->last == first - 1;
    losses->lost += count;
    losses->pending_lost += count;
    losses->last = last;
    assert(!losses_full(losses));
    if (goes_on && losses->pending_count > 0)
        losses->pending[losses->pending_count - 1].last = last;
    else
        losses->pending[losses->pending_count++] = (struct loss_range){first, last};
    if (!goes_on)
        losses->range_count++;
    if (losses->range_count > LOSSES_SHOWN_MAX)
        return;
    struct loss_range *shown = &losses->shown[losses->range_count - 1];
    *shown = (struct loss_range){goes_on ? shown->first : first, last};
}

void losses_add_unnumbered(struct losses *losses, uint64_t count)
{
    losses->lost += count;
    losses->unnumbered += count;
    losses->pending_lost += count;
    losses->pending_unnumbered += count;
}

void losses_before(struct losses *losses, bool has_expected, uint64_t expected, uint64_t number,
                   uint64_t lost)
{
    uint64_t numbered = has_expected ? number - expected : lost;
    if (numbered > number) /* more was dropped than there are numbers */
        numbered = number;
    if (numbered > 0)
        losses_add(losses, number - numbered, number - 1);
    if (lost > numbered)
        losses_add_unnumbered(losses, lost - numbered);
}

bool losses_full(const struct losses *losses)
{
    return losses->pending_count == LOSSES_PENDING_MAX;
}

static size_t put_range(char *text, size_t text_bytes, const struct loss_range *range)
{
    const int used =
        range->first == range->last
            ? snprintf(text, text_bytes, "%" PRIu64, range->first)
            : snprintf(text, text_bytes, "%" PRIu64 "-%" PRIu64, range->first, range->last);
    return used < 0 ? 0 : (size_t)used < text_bytes ? (size_t)used : text_bytes - 1;
}

void losses_pending_text(const struct losses *losses, char text[LOSSES_TEXT_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < losses->pending_count; i++) {
        if (i > 0)
            text[used++] = ' ';
        used += put_range(text + used, LOSSES_TEXT_BYTES - used, &losses->pending[i]);
    }
}

void losses_written(struct losses *losses)
{
    losses->pending_lost = 0;
    losses->pending_unnumbered = 0;
    losses->pending_count = 0;
}

__attribute__((format(printf, 4, 5))) static void put(char *text, size_t text_bytes, size_t *used,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int more = vsnprintf(text + *used, text_bytes - *used, format, arguments);
    va_end(arguments);
    if (more > 0)
        *used = (size_t)more < text_bytes - *used ? *used + (size_t)more : text_bytes - 1;
}

void losses_text(const struct losses *losses, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < losses->range_count && i < LOSSES_SHOWN_MAX; i++) {
        if (i > 0)
            put(text, text_bytes, &used, ", ");
        used += put_range(text + used, text_bytes - used, &losses->shown[i]);
    }
    if (losses->range_count > LOSSES_SHOWN_MAX)
        put(text, text_bytes, &used, " and %" PRIu64 " ranges more",
            losses->range_count - LOSSES_SHOWN_MAX);
    if (losses->unnumbered > 0)
        put(text, text_bytes, &used, "%s%" PRIu64 " dropped without a number",
            losses->range_count > 0 ? ", and " : "", losses->unnumbered);
}
