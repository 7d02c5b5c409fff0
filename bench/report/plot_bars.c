/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/axis.h"
#include "bench/report/format.h"
#include "bench/report/plot.h"
#include "bench/report/svg.h"

#include <math.h>

enum { WIDTH = 460, LEFT = 138, RIGHT = 388, TOP = 6, ROW = 17 };

/* Bars begin at 0: their length is what is compared. */
static struct bench_axis axis_of(const struct bench_bars *bars)
{
    double high = 0;

    for (unsigned i = 0; i < bars->count; i++) {
        if (isfinite(bars->bars[i].value.max))
            high = fmax(high, bars->bars[i].value.max);
    }
    return bench_axis_make(0, high, false, LEFT, RIGHT);
}

static void draw_figure(FILE *out, const struct bench_bars *bars, const struct bench_bar *bar,
                        double x, double y)
{
    char text[2 * BENCH_FORMAT_SIZE + 32];

    snprintf(text, sizeof(text), "%s%s%s", bench_format_value(bar->value.median, bars->unit).text,
             bar->remark != NULL ? " " : "", bar->remark != NULL ? bar->remark : "");
    bench_svg_text(out, "figure", x + 5, y, text);
}

static void draw_bar(FILE *out, const struct bench_bars *bars, const struct bench_bar *bar,
                     const struct bench_axis *axis, double top)
{
    double middle = top + ROW / 2.0, base = middle + 3.5;
    char style[64], title[224];

    snprintf(title, sizeof(title), "%.90s: %s [%s .. %s]", bar->label,
             bench_format_value(bar->value.median, bars->unit).text,
             bench_format_value(bar->value.min, bars->unit).text,
             bench_format_value(bar->value.max, bars->unit).text);
    snprintf(style, sizeof(style), "%s%s%s", bar->style, bar->is_strong ? " strong" : "",
             bar->is_floor ? " floor" : "");
    bench_svg_group_begin(out, style, title);
    bench_svg_text(out, "label end", LEFT - 6, base, bar->label);
    if (isnan(bar->value.median)) {
        bench_svg_text(out, "figure", LEFT + 5, base, "no value");
    } else {
        double end = bench_axis_at(axis, bar->value.median);
        double most = bench_axis_at(axis, bar->value.max);
        bench_svg_rect(out, "bar", LEFT, top + 3, end - LEFT, ROW - 6);
        bench_svg_line(out, "whisker", bench_axis_at(axis, bar->value.min), middle, most, middle);
        draw_figure(out, bars, bar, fmax(end, most), base);
    }
    bench_svg_group_end(out);
}

/* What no bar gets beyond, from its own row up to the first. */
static void draw_floor_line(FILE *out, const struct bench_bar *bar, const struct bench_axis *axis,
                            double bottom)
{
    double x = bench_axis_at(axis, bar->value.median);

    if (isfinite(bar->value.median))
        bench_svg_line(out, "floorline", x, TOP, x, bottom);
}

void bench_plot_bars(FILE *out, const struct bench_bars *bars)
{
    struct bench_axis axis = axis_of(bars);
    double bottom = TOP + (double)ROW * bars->count + 4;

    fputs("<figure class=\"plot\"><figcaption>", out);
    bench_markup_text(out, bars->title);
    fputs("</figcaption>", out);
    bench_svg_begin(out, "bars", WIDTH, bottom + 38, bars->title);
    for (unsigned i = 0; i < axis.ticks_count; i++) {
        double x = bench_axis_at(&axis, axis.ticks[i]);
        bench_svg_line(out, "grid", x, TOP, x, bottom);
        bench_svg_text(out, "tick mid", x, bottom + 13,
                       bench_format_tick(axis.ticks[i], bars->unit).text);
    }
    bench_svg_text(out, "name mid", (LEFT + RIGHT) / 2.0, bottom + 30, bars->x_name);
    for (unsigned i = 0; i < bars->count; i++) {
        if (bars->bars[i].is_floor)
            draw_floor_line(out, &bars->bars[i], &axis, TOP + (double)ROW * i + ROW - 3);
    }
    for (unsigned i = 0; i < bars->count; i++)
        draw_bar(out, bars, &bars->bars[i], &axis, TOP + (double)ROW * i);
    bench_svg_end(out);
    fputs("</figure>\n", out);
}
