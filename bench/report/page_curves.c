/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Curves over an axis: records become points, points of one line lie in one array in the order of x.
 */
#include "bench/report/format.h"
#include "bench/report/page.h"
#include "bench/report/plot.h"
#include "bench/report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With more lines the bands would cover each other; the tables have the spread. */
enum { POINTS_MAX = 64, LABEL_SIZE = 96, BANDS_MAX = 6 };

struct curve {
    const struct bench_record *first; /* what it was begun with */
    char label[LABEL_SIZE], style[32];
    double x[POINTS_MAX], y[POINTS_MAX], low[POINTS_MAX], high[POINTS_MAX];
    unsigned count;
};

struct sheet {
    struct curve curves[BENCH_PLOT_LINES_MAX];
    unsigned count;
    bool contenders_differ, series_differ;
};

static bool is_point(const struct bench_record *record, enum bench_group group)
{
    return record->group == group && record->series != NULL && isfinite(record->x);
}

static size_t head_length(const char *series)
{
    return strcspn(series, ",");
}

static bool same_text(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool same_plot(const struct bench_record *left, const struct bench_record *right)
{
    size_t length = head_length(left->series);

    return left->unit == right->unit && same_text(left->x_name, right->x_name) &&
           length == head_length(right->series) &&
           strncmp(left->series, right->series, length) == 0;
}

static bool same_line(const struct bench_record *left, const struct bench_record *right)
{
    return strcmp(left->contender, right->contender) == 0 &&
           strcmp(left->series, right->series) == 0;
}

static struct curve *curve_of(struct sheet *sheet, const struct bench_record *record)
{
    for (unsigned i = 0; i < sheet->count; i++) {
        if (same_line(sheet->curves[i].first, record))
            return &sheet->curves[i];
    }
    if (sheet->count == BENCH_PLOT_LINES_MAX)
        return NULL;
    struct curve *curve = &sheet->curves[sheet->count++];
    curve->first = record;
    curve->count = 0;
    return curve;
}

static void insert(struct curve *curve, double x, struct bench_spread y)
{
    unsigned place = curve->count;

    if (place == POINTS_MAX || isnan(y.median))
        return;
    for (; place > 0 && x < curve->x[place - 1]; place--) {
        curve->x[place] = curve->x[place - 1];
        curve->y[place] = curve->y[place - 1];
        curve->low[place] = curve->low[place - 1];
        curve->high[place] = curve->high[place - 1];
    }
    curve->x[place] = x;
    curve->y[place] = y.median;
    curve->low[place] = y.min;
    curve->high[place] = y.max;
    curve->count++;
}

/* fraction < 0: the values, else that quantile of the latencies. */
static void collect(const struct bench_page *page, const struct bench_record *of, double fraction,
                    struct sheet *sheet)
{
    sheet->count = 0;
    sheet->contenders_differ = sheet->series_differ = false;
    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        if (!is_point(record, of->group) || !same_plot(of, record) ||
            (fraction >= 0 && (record->latency == NULL || record->latency->total == 0)))
            continue;
        struct curve *curve = curve_of(sheet, record);
        if (curve == NULL)
            continue;
        double quantile = fraction < 0 ? 0 : bench_histogram_quantile(record->latency, fraction);
        insert(curve, record->x,
               fraction < 0 ? bench_record_values(record)
                            : (struct bench_spread){quantile, quantile, quantile});
        sheet->contenders_differ |= strcmp(of->contender, record->contender) != 0;
        sheet->series_differ |= strcmp(of->series, record->series) != 0;
    }
}

/* Says no more than what tells the lines of this plot apart. */
static void name_curve(const struct sheet *sheet, struct curve *curve)
{
    const char *rest = curve->first->series + head_length(curve->first->series);

    rest += strspn(rest, ", ");
    if (!sheet->series_differ || *rest == '\0')
        snprintf(curve->label, LABEL_SIZE, "%s", curve->first->contender);
    else if (sheet->contenders_differ)
        snprintf(curve->label, LABEL_SIZE, "%s, %s", curve->first->contender, rest);
    else
        snprintf(curve->label, LABEL_SIZE, "%s", rest);
}

/* Several lines of one contender have its colour, and dashes of their own. */
static void style_curve(const struct bench_page *page, struct sheet *sheet, unsigned index)
{
    struct curve *curve = &sheet->curves[index];
    unsigned before = 0;

    for (unsigned i = 0; i < index; i++)
        before += strcmp(sheet->curves[i].first->contender, curve->first->contender) == 0;
    snprintf(curve->style, sizeof(curve->style), "%s%s",
             bench_page_style(page, curve->first->contender),
             before % 3 == 0   ? ""
             : before % 3 == 1 ? " v1"
                               : " v2");
}

static void draw(const struct bench_page *page, const struct bench_record *of,
                 const char *title_end, double fraction, struct sheet *sheet)
{
    char title[160], y_name[64];
    struct bench_curves curves = {.title = title,
                                  .x_name = of->x_name != NULL ? of->x_name : "",
                                  .y_name = y_name,
                                  .x_kind = BENCH_X_PLACES,
                                  .unit = of->unit};

    collect(page, of, fraction, sheet);
    bool has_bands = fraction < 0 && sheet->count <= BANDS_MAX;
    snprintf(title, sizeof(title), "%.*s%s", (int)fmin((double)head_length(of->series), 120),
             of->series, title_end);
    snprintf(y_name, sizeof(y_name), "%s",
             of->unit == BENCH_NS ? "time" : bench_unit_name(of->unit));
    for (unsigned i = 0; i < sheet->count; i++) {
        struct curve *curve = &sheet->curves[i];
        name_curve(sheet, curve);
        style_curve(page, sheet, i);
        curves.lines[curves.count++] =
            (struct bench_line){.style = curve->style,
                                .label = curve->label,
                                .x = curve->x,
                                .y = curve->y,
                                .low = has_bands ? curve->low : NULL,
                                .high = has_bands ? curve->high : NULL,
                                .count = curve->count,
                                .is_strong = curve->first->party == BENCH_PARTY_PEAL};
    }
    bench_plot_curves(page->out, &curves);
}

/* A plot needs two places at least. */
static bool has_places(const struct bench_page *page, const struct bench_record *of)
{
    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        if (is_point(record, of->group) && same_plot(of, record) && fabs(record->x - of->x) > 0)
            return true;
    }
    return false;
}

static bool is_first_of_plot(const struct bench_page *page, size_t index)
{
    const struct bench_record *record = page->results->records[index];

    for (size_t i = 0; i < index; i++) {
        if (is_point(page->results->records[i], record->group) &&
            same_plot(record, page->results->records[i]))
            return false;
    }
    return true;
}

static void draw_all(const struct bench_page *page, const struct bench_record *of,
                     struct sheet *sheet)
{
    if (of->group == BENCH_GROUP_PACED && of->latency != NULL) {
        draw(page, of, ": p50", 0.5, sheet);
        draw(page, of, ": p99", 0.99, sheet);
        draw(page, of, ": p99.9", 0.999, sheet);
    } else {
        draw(page, of, "", -1, sheet);
    }
}

void bench_page_curves(const struct bench_page *page, enum bench_group group)
{
    struct sheet *sheet = malloc(sizeof(*sheet));
    bool is_begun = false;

    for (size_t i = 0; i < page->results->count && sheet != NULL; i++) {
        const struct bench_record *record = page->results->records[i];
        if (!is_point(record, group) || !is_first_of_plot(page, i) || !has_places(page, record))
            continue;
        if (!is_begun)
            fputs("<div class=\"sheet\">\n", page->out);
        is_begun = true;
        draw_all(page, record, sheet);
    }
    if (is_begun)
        fputs("</div>\n", page->out);
    free(sheet);
}
