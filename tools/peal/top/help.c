/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/help.h"

/* 19 lines of at most 80 columns: what is left of a terminal of 80x24. */
static const char *const lines[][2] = {
    {"Up Down j k  ", "choose a row; PgUp PgDn Home End as well"},
    {"Enter        ", "watch a topic: who takes part, and its messages as they come"},
    {"Esc          ", "back; clears the filter"},
    {"c Tab / t    ", "the clients / the topics"},
    {"s > <        ", "sort by the next column, or the one before"},
    {"S r          ", "the other way round"},
    {"/            ", "show only what has this text in it"},
    {"p Space      ", "pause: nothing is looked at until pressed again"},
    {"+ -          ", "look less often, more often"},
    {"x            ", "messages as text, as hex, or whichever fits"},
    {"q            ", "quit"},
    {"", ""},
    {"LAG          ",
     "messages that the slowest subscriber has not done with; of a queue: waiting"},
    {"LOST         ", "told to subscribers as lost; red: more since the last look"},
    {"DROP         ", "not taken in for want of room"},
    {"BEAT         ", "since the client last slept or rang; who is always busy has no beat"},
    {"RUNG SUPPR   ", "bells toward sleepers that it rang, and that the rate limit held back"},
    {"FINDS        ", "sleeps that ran out and found work nobody had rung for"},
    {"RECOV        ", "dead clients whose remains it cleared away"},
};

void top_help_draw(struct top_page *page)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        top_page_put(page, TOP_STRONG, lines[i][0]);
        top_page_put(page, 0, lines[i][1]);
        top_page_end_line(page, 0);
    }
}
