/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/axis.h"

#include <math.h>

static void tick(struct bench_axis *axis, double value)
{
    if (axis->ticks_count < BENCH_TICKS_MAX)
        axis->ticks[axis->ticks_count++] = value;
}

static void sane(double *low, double *high, bool is_log)
{
    if (!isfinite(*low) || (is_log && *low <= 0))
        *low = is_log ? 1 : 0;
    if (!isfinite(*high) || *high <= *low)
        *high = is_log ? *low * 10 : *low + fmax(fabs(*low), 1);
}

/* The round number (1, 2, 5 times a power of ten) that makes some five steps. */
static double round_step(double span)
{
    double rough = span / 5, power = pow(10, floor(log10(rough))), part = rough / power;

    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void linear_ticks(struct bench_axis *axis, double step)
{
    double first = ceil(axis->low / step - 1e-9);

    for (double i = first; i * step <= axis->high * (1 + 1e-12) && i < first + BENCH_TICKS_MAX; i++)
        tick(axis, i * step + 0.0); /* not -0 */
}

/* Decades; with few of them 2 and 5 as well; with many, every second or third. */
static void log_ticks(struct bench_axis *axis)
{
    double decades = log10(axis->high / axis->low);
    double every = ceil(decades / 8);

    for (double power = floor(log10(axis->low)); power <= ceil(log10(axis->high)); power += every) {
        static const double parts[] = {1, 2, 5};
        for (unsigned i = 0; i < (decades <= 2.1 ? 3u : 1u); i++) {
            double value = parts[i] * pow(10, power);
            if (value >= axis->low * (1 - 1e-9) && value <= axis->high * (1 + 1e-9))
                tick(axis, value);
        }
    }
}

struct bench_axis bench_axis_make(double low, double high, bool is_log, double from, double to)
{
    struct bench_axis axis = {.from = from, .to = to, .is_log = is_log};

    sane(&low, &high, is_log);
    if (is_log) {
        /* Down and up to a 1, 2 or 5: a whole decade would leave too much of the plot empty. */
        double below = pow(10, floor(log10(low) + 1e-9)),
               above = pow(10, floor(log10(high) + 1e-9));
        axis.low = below * (low >= 4.999 * below ? 5 : low >= 1.999 * below ? 2 : 1);
        axis.high = above * (high <= 1.001 * above   ? 1
                             : high <= 2.001 * above ? 2
                             : high <= 5.001 * above ? 5
                                                     : 10);
        if (axis.high <= axis.low)
            axis.high = axis.low * 10;
        log_ticks(&axis);
    } else {
        double step = round_step(high - low);
        axis.low = floor(low / step + 1e-9) * step;
        axis.high = ceil(high / step - 1e-9) * step;
        linear_ticks(&axis, step);
    }
    return axis;
}

struct bench_axis bench_axis_tight(double low, double high, bool is_log, double from, double to)
{
    struct bench_axis axis = {.from = from, .to = to, .is_log = is_log};

    sane(&low, &high, is_log);
    axis.low = low;
    axis.high = high;
    if (is_log) {
        bench_axis_ticks_of_two(&axis);
    } else {
        linear_ticks(&axis, round_step(high - low));
    }
    return axis;
}

void bench_axis_ticks_of_two(struct bench_axis *axis)
{
    double every = ceil(log2(axis->high / axis->low) / 7);

    axis->ticks_count = 0;
    for (double power = ceil(log2(axis->low) - 1e-9); power <= log2(axis->high) + 1e-9;
         power += every)
        tick(axis, exp2(power));
}

void bench_axis_ticks_of_ten(struct bench_axis *axis)
{
    axis->ticks_count = 0;
    log_ticks(axis);
}

double bench_axis_at(const struct bench_axis *axis, double value)
{
    double part = axis->is_log
                      ? log(fmax(value, axis->low) / axis->low) / log(axis->high / axis->low)
                      : (value - axis->low) / (axis->high - axis->low);

    if (!(part > 0))
        part = 0;
    return axis->from + fmin(part, 1) * (axis->to - axis->from);
}
