/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/format.h"
#include "bench/report/page.h"
#include "bench/report/svg.h"

#include <string.h>

static struct bench_colour *found(struct bench_page *page, const char *contender)
{
    for (unsigned i = 0; i < page->colours_count; i++) {
        if (strcmp(page->colours[i].contender, contender) == 0)
            return &page->colours[i];
    }
    return NULL;
}

/* In order of arrival, which is the program's own list of contenders and so the same from run to run. */
void bench_page_colour(struct bench_page *page)
{
    static const struct {
        char letter;
        unsigned count; /* so many are told apart by colour and dashes; then they begin again */
    } kinds[] = {[BENCH_PARTY_PEAL] = {'p', 8},
                 [BENCH_PARTY_PEER] = {'c', 24},
                 [BENCH_PARTY_FLOOR] = {'f', 4}};
    unsigned used[3] = {0};

    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        struct bench_colour *colour = found(page, record->contender);
        if (colour != NULL) {
            colour->remarks |= record->remarks;
            continue;
        }
        if (page->colours_count == BENCH_CONTENDERS_MAX)
            continue;
        colour = &page->colours[page->colours_count++];
        *colour = (struct bench_colour){
            .contender = record->contender, .party = record->party, .remarks = record->remarks};
        snprintf(colour->style, sizeof(colour->style), "k k-%c%u", kinds[record->party].letter,
                 used[record->party]++ % kinds[record->party].count);
    }
}

const char *bench_page_style(const struct bench_page *page, const char *contender)
{
    for (unsigned i = 0; i < page->colours_count; i++) {
        if (strcmp(page->colours[i].contender, contender) == 0)
            return page->colours[i].style;
    }
    return "k k-f0";
}

static void write_remarks(FILE *out, uint32_t remarks)
{
    /* What belongs to a contender, not to one of its records. */
    remarks &= (uint32_t)(BENCH_REMARK_THREADS | BENCH_REMARK_WEDGEABLE | BENCH_REMARK_COPIES |
                          BENCH_REMARK_KERNEL);
    for (unsigned bit = 0; bench_remark_name(bit) != NULL; bit++) {
        if ((remarks >> bit & 1) != 0)
            fprintf(out, " <small title=\"%s\">%s</small>", bench_remark_meaning(bit),
                    bench_remark_name(bit));
    }
}

void bench_page_legend(const struct bench_page *page)
{
    static const char *const titles[] = {"Peal", "Peers", "Floors"};

    fputs("<section id=\"contenders\"><h2>Who is in it</h2>\n<p>Each keeps its colour and dashes "
          "through the whole page.<span class=\"js\"> Choose a name to follow it.</span></p>\n"
          "<div class=\"legend\">",
          page->out);
    for (unsigned party = 0; party < 3; party++) {
        fprintf(page->out, "<div><h3>%s</h3><ul>", titles[party]);
        for (unsigned i = 0; i < page->colours_count; i++) {
            const struct bench_colour *colour = &page->colours[i];
            if ((unsigned)colour->party != party)
                continue;
            fprintf(page->out,
                    "<li class=\"%s\"><svg class=\"swatch\" viewBox=\"0 0 34 12\" "
                    "aria-hidden=\"true\"><path class=\"curve\" d=\"M1 6L33 6\"/></svg> <span>",
                    colour->style);
            bench_markup_text(page->out, colour->contender);
            fputs("</span>", page->out);
            write_remarks(page->out, colour->remarks);
            fputs("</li>\n", page->out);
        }
        fputs("</ul></div>\n", page->out);
    }
    fputs("</div><dl class=\"remarks\">", page->out);
    for (unsigned bit = 0; bench_remark_name(bit) != NULL; bit++)
        fprintf(page->out, "<div><dt>%s</dt><dd>%s</dd></div>", bench_remark_name(bit),
                bench_remark_meaning(bit));
    fputs("</dl></section>\n", page->out);
}
