/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/page.h"
#include "bench/report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 120 };

/* One in a hundred thousand: beyond, a curve is made of single messages; the table has the maximum. */
static const double farthest = 1e5;

struct points {
    double x[POINTS_MAX], y[POINTS_MAX];
};

/* Ten points for each decade of 1 / (1 - p), as far as there is a message for each. */
static unsigned percentile_points(const struct bench_histogram *histogram, struct points *points)
{
    unsigned count = 0;
    double last = fmin((double)histogram->total, farthest);

    for (unsigned i = 0; count + 1 < POINTS_MAX; i++) {
        double x = fmin(pow(10, i / 12.0), last);
        points->x[count] = x;
        points->y[count++] = fmax(bench_histogram_quantile(histogram, 1 - 1 / x), 1);
        if (x >= last)
            break;
    }
    return count;
}

static bool has_latency(const struct bench_record *record)
{
    return record->latency != NULL && record->latency->total > 0;
}

static unsigned counted(const struct bench_ranking *ranking,
                        bool (*has)(const struct bench_record *record))
{
    unsigned count = 0;

    for (unsigned i = 0; i < ranking->count; i++)
        count += has(ranking->records[i]);
    return count;
}

static void draw_percentiles(const struct bench_page *page, const struct bench_ranking *ranking)
{
    struct points *points = calloc(BENCH_PLOT_LINES_MAX, sizeof(*points));
    struct bench_curves curves = {.title = "Latency by percentile",
                                  .x_name = "of all messages are at least as fast",
                                  .y_name = "latency",
                                  .x_kind = BENCH_X_PERCENTILES,
                                  .unit = BENCH_NS};

    if (points == NULL)
        return;
    for (unsigned i = 0; i < ranking->count && curves.count < BENCH_PLOT_LINES_MAX; i++) {
        const struct bench_record *record = ranking->records[i];
        if (!has_latency(record))
            continue;
        struct points *mine = &points[curves.count];
        curves.lines[curves.count++] =
            (struct bench_line){.style = bench_page_style(page, record->contender),
                                .label = record->contender,
                                .x = mine->x,
                                .y = mine->y,
                                .count = percentile_points(record->latency, mine),
                                .is_strong = record->party == BENCH_PARTY_PEAL};
    }
    bench_plot_curves(page->out, &curves);
    free(points);
}

static const char *axis_name(enum bench_unit unit)
{
    switch (unit) {
    case BENCH_NS:
        return "time an operation";
    case BENCH_PER_S:
        return "messages a second";
    case BENCH_BYTES_PER_S:
        return "bytes a second";
    case BENCH_BYTES:
        break;
    }
    return "bytes";
}

static void draw_values(const struct bench_page *page, const struct bench_ranking *ranking)
{
    enum bench_unit unit = ranking->records[0]->unit;
    struct bench_bars bars = {.title = bench_unit_small_is_good(unit)
                                           ? "Median of the rounds; short is good"
                                           : "Median of the rounds; long is good",
                              .x_name = axis_name(unit),
                              .unit = unit};

    for (unsigned i = 0; i < ranking->count && bars.count < BENCH_PLOT_LINES_MAX; i++) {
        const struct bench_record *record = ranking->records[i];
        if (record->unit != unit)
            continue;
        bars.bars[bars.count++] =
            (struct bench_bar){.style = bench_page_style(page, record->contender),
                               .label = record->contender,
                               .value = bench_record_values(record),
                               .is_strong = record->party == BENCH_PARTY_PEAL,
                               .is_floor = record->party == BENCH_PARTY_FLOOR};
    }
    bench_plot_bars(page->out, &bars);
}

static bool has_cpu(const struct bench_record *record)
{
    return isfinite(record->cpu_ns);
}

static void draw_cpu(const struct bench_page *page, const struct bench_ranking *ranking)
{
    struct bench_bars bars = {.title = "CPU time of both sides a message; short is good",
                              .x_name = "CPU time a message",
                              .unit = BENCH_NS};

    for (unsigned i = 0; i < ranking->count && bars.count < BENCH_PLOT_LINES_MAX; i++) {
        const struct bench_record *record = ranking->records[i];
        if (!has_cpu(record))
            continue;
        bars.bars[bars.count++] =
            (struct bench_bar){.style = bench_page_style(page, record->contender),
                               .label = record->contender,
                               .value = {record->cpu_ns, record->cpu_ns, record->cpu_ns},
                               .is_strong = record->party == BENCH_PARTY_PEAL};
    }
    bench_plot_bars(page->out, &bars);
}

bool bench_page_scenario_plots(const struct bench_page *page, const struct bench_ranking *ranking)
{
    unsigned latencies = counted(ranking, has_latency);
    if (ranking->count < 2 && latencies == 0)
        return false;
    fputs("<div class=\"plots\">", page->out);
    if (latencies > 0)
        draw_percentiles(page, ranking);
    else
        draw_values(page, ranking);
    fputs("</div>\n", page->out);
    return true;
}

void bench_page_scenario_cpu(const struct bench_page *page, const struct bench_ranking *ranking)
{
    if (ranking->group == BENCH_GROUP_WAITING && counted(ranking, has_cpu) > 1)
        draw_cpu(page, ranking);
}
