/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/axis.h"
#include "bench/report/format.h"
#include "bench/report/plot.h"
#include "bench/report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The box of the curves in the picture; labels stand to its right. */
enum { WIDTH = 460, HEIGHT = 370, LEFT = 56, RIGHT = 322, TOP = 10, BOTTOM = 320, LABEL_GAP = 12 };

struct range {
    double low, high;
};

static void widen(struct range *range, double value)
{
    if (!isfinite(value))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

static struct range x_range(const struct bench_curves *curves)
{
    struct range range = {INFINITY, -INFINITY};

    for (unsigned i = 0; i < curves->count; i++) {
        for (unsigned k = 0; k < curves->lines[i].count; k++)
            widen(&range, curves->lines[i].x[k]);
    }
    return range;
}

static struct range y_range(const struct bench_curves *curves)
{
    struct range range = {INFINITY, -INFINITY};

    for (unsigned i = 0; i < curves->count; i++) {
        const struct bench_line *line = &curves->lines[i];
        for (unsigned k = 0; k < line->count; k++) {
            widen(&range, line->y[k]);
            if (line->low != NULL) {
                widen(&range, line->low[k]);
                widen(&range, line->high[k]);
            }
        }
    }
    return range;
}

static bool has_place(const struct bench_axis *axis, double value)
{
    return isfinite(value) && (!axis->is_log || value > 0);
}

/* ---- axes ---- */

static struct bench_text percent(double x)
{
    struct bench_text text;
    int nines = (int)lround(log10(x));

    snprintf(text.text, sizeof(text.text), "%.*f %%", nines > 2 ? nines - 2 : 0, 100 - 100 / x);
    return text;
}

static void draw_x_axis(FILE *out, const struct bench_curves *curves, const struct bench_axis *axis)
{
    double free_from = -INFINITY;

    for (unsigned i = 0; i < axis->ticks_count; i++) {
        double x = bench_axis_at(axis, axis->ticks[i]);
        struct bench_text text = curves->x_kind == BENCH_X_PERCENTILES
                                     ? percent(axis->ticks[i])
                                     : bench_format_place(axis->ticks[i]);
        double half = 3.0 * (double)strlen(text.text) + 3;
        bench_svg_line(out, "grid", x, TOP, x, BOTTOM);
        if (x - half < free_from)
            continue;
        bench_svg_text(out, "tick mid", x, BOTTOM + 17, text.text);
        free_from = x + half;
    }
    bench_svg_text(out, "name mid", (LEFT + RIGHT) / 2.0, BOTTOM + 36, curves->x_name);
}

static void draw_y_axis(FILE *out, const struct bench_curves *curves, const struct bench_axis *axis)
{
    for (unsigned i = 0; i < axis->ticks_count; i++) {
        double y = bench_axis_at(axis, axis->ticks[i]);
        bench_svg_line(out, "grid", LEFT, y, RIGHT, y);
        bench_svg_text(out, "tick end", LEFT - 5, y + 3.5,
                       bench_format_tick(axis->ticks[i], curves->unit).text);
    }
    bench_svg_text_upward(out, "name mid", 9, (TOP + BOTTOM) / 2.0, curves->y_name);
}

static bool are_powers_of_two(const struct bench_curves *curves)
{
    int exponent;

    for (unsigned i = 0; i < curves->count; i++) {
        for (unsigned k = 0; k < curves->lines[i].count; k++) {
            if (fabs(frexp(curves->lines[i].x[k], &exponent) - 0.5) > 0)
                return false;
        }
    }
    return true;
}

/* Sizes and numbers of things spread over more than a decade want a logarithmic axis, unless 0 is among
 * them. */
static struct bench_axis x_axis(const struct bench_curves *curves)
{
    struct range range = x_range(curves);
    struct bench_axis axis;

    if (curves->x_kind == BENCH_X_PLACES) {
        axis = bench_axis_tight(range.low, range.high, range.low > 0 && range.high > 15 * range.low,
                                LEFT, RIGHT);
        if (axis.is_log && !are_powers_of_two(curves))
            bench_axis_ticks_of_ten(&axis);
        return axis;
    }
    axis = bench_axis_tight(1, fmax(range.high, 10), true, LEFT, RIGHT);
    axis.ticks_count = 0;
    for (double x = 1; x <= axis.high * 1.001 && axis.ticks_count < BENCH_TICKS_MAX; x *= 10)
        axis.ticks[axis.ticks_count++] = x;
    return axis;
}

static struct bench_axis y_axis(const struct bench_curves *curves)
{
    struct range range = y_range(curves);
    bool is_log =
        curves->x_kind == BENCH_X_PERCENTILES || (range.low > 0 && range.high > 12 * range.low);

    struct bench_axis axis =
        bench_axis_make(is_log ? range.low : fmin(range.low, 0), range.high, is_log, BOTTOM, TOP);
    if (is_log && curves->unit == BENCH_BYTES)
        bench_axis_ticks_of_two(&axis);
    return axis;
}

/* ---- lines ---- */

static void draw_band(FILE *out, const struct bench_line *line, const struct bench_axis *x,
                      const struct bench_axis *y)
{
    bool is_first = true;

    bench_svg_path_begin(out, "band");
    for (unsigned k = 0; k < line->count; k++) {
        if (!has_place(x, line->x[k]) || !has_place(y, line->high[k]))
            continue;
        bench_svg_path_point(out, bench_axis_at(x, line->x[k]), bench_axis_at(y, line->high[k]),
                             is_first);
        is_first = false;
    }
    for (unsigned k = line->count; k-- > 0;) {
        if (!has_place(x, line->x[k]) || !has_place(y, line->low[k]))
            continue;
        bench_svg_path_point(out, bench_axis_at(x, line->x[k]), bench_axis_at(y, line->low[k]),
                             is_first);
        is_first = false;
    }
    bench_svg_path_end(out, !is_first);
}

static void draw_points(FILE *out, const struct bench_line *line, const struct bench_axis *x,
                        const struct bench_axis *y)
{
    for (unsigned k = 0; k < line->count; k++) {
        if (has_place(x, line->x[k]) && has_place(y, line->y[k]))
            bench_svg_dot(out, "point", bench_axis_at(x, line->x[k]), bench_axis_at(y, line->y[k]),
                          line->is_strong ? 2.6 : 1.9);
    }
}

/* Where the label's leader starts; x is NAN where nothing could be drawn. */
struct end {
    double x, y, label_y;
    unsigned line;
};

static struct end draw_line(FILE *out, const struct bench_curves *curves, unsigned index,
                            const struct bench_axis *x, const struct bench_axis *y)
{
    const struct bench_line *line = &curves->lines[index];
    struct end end = {.x = NAN, .line = index};
    char style[64];

    snprintf(style, sizeof(style), "%s%s", line->style, line->is_strong ? " strong" : "");
    for (unsigned k = 0; k < line->count; k++) {
        if (!has_place(x, line->x[k]) || !has_place(y, line->y[k]))
            continue;
        if (isnan(end.x)) {
            bench_svg_group_begin(out, style, line->label);
            if (line->low != NULL)
                draw_band(out, line, x, y);
            bench_svg_path_begin(out, "curve");
        }
        double at_x = bench_axis_at(x, line->x[k]), at_y = bench_axis_at(y, line->y[k]);
        bench_svg_path_point(out, at_x, at_y, isnan(end.x));
        end.x = at_x;
        end.y = end.label_y = at_y;
    }
    if (isnan(end.x))
        return end;
    bench_svg_path_end(out, 0);
    if (curves->x_kind == BENCH_X_PLACES)
        draw_points(out, line, x, y);
    bench_svg_group_end(out);
    return end;
}

static int compare_ends(const void *left, const void *right)
{
    const struct end *a = left, *b = right;

    return (a->y > b->y) - (a->y < b->y);
}

/* Labels in the order of the lines' ends, none over another, as near to their ends as that allows. */
static void place_labels(struct end *ends, unsigned count)
{
    double gap = fmin(LABEL_GAP, (double)(BOTTOM - TOP + 30) / (count > 1 ? count - 1 : 1));
    double lowest = BOTTOM + 16;

    qsort(ends, count, sizeof(*ends), compare_ends);
    for (unsigned i = 1; i < count; i++)
        ends[i].label_y = fmax(ends[i].label_y, ends[i - 1].label_y + gap);
    for (unsigned i = count; i-- > 0;) {
        ends[i].label_y = fmin(ends[i].label_y, lowest);
        lowest = ends[i].label_y - gap;
    }
}

static void draw_label(FILE *out, const struct bench_curves *curves, const struct end *end)
{
    const struct bench_line *line = &curves->lines[end->line];
    char style[64];

    snprintf(style, sizeof(style), "%s%s", line->style, line->is_strong ? " strong" : "");
    bench_svg_group_begin(out, style, line->label);
    bench_svg_path_begin(out, "leader");
    bench_svg_path_point(out, end->x, end->y, 1);
    bench_svg_path_point(out, fmax(end->x, RIGHT), end->y, 0);
    bench_svg_path_point(out, RIGHT + 11, end->label_y, 0);
    bench_svg_path_point(out, RIGHT + 16, end->label_y, 0);
    bench_svg_path_end(out, 0);
    bench_svg_text(out, "label", RIGHT + 19, end->label_y + 3.2, line->label);
    bench_svg_group_end(out);
}

void bench_plot_curves(FILE *out, const struct bench_curves *curves)
{
    struct bench_axis x = x_axis(curves), y = y_axis(curves);
    struct end ends[BENCH_PLOT_LINES_MAX];
    unsigned count = 0;

    fputs("<figure class=\"plot\"><figcaption>", out);
    bench_markup_text(out, curves->title);
    fputs("</figcaption>", out);
    bench_svg_begin(out, "curves", WIDTH, HEIGHT, curves->title);
    draw_x_axis(out, curves, &x);
    draw_y_axis(out, curves, &y);
    for (unsigned pass = 0; pass < 2; pass++) { /* ours come last and lie on top */
        for (unsigned i = 0; i < curves->count; i++) {
            if (curves->lines[i].is_strong != (pass == 1))
                continue;
            struct end end = draw_line(out, curves, i, &x, &y);
            if (!isnan(end.x))
                ends[count++] = end;
        }
    }
    place_labels(ends, count);
    for (unsigned i = 0; i < count; i++)
        draw_label(out, curves, &ends[i]);
    bench_svg_end(out);
    fputs("</figure>\n", out);
}
