/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct bench_text none(void)
{
    return (struct bench_text){"–"};
}

/* 1234 -> "1234", 123.4 -> "123", 12.34 -> "12.3", 1.234 -> "1.23". */
static struct bench_text three_digits(double value, const char *unit)
{
    struct bench_text text;
    double size = fabs(value);
    int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;

    snprintf(text.text, sizeof(text.text), "%.*f%s", decimals, value, unit);
    return text;
}

static struct bench_text scaled(double value, double step, const char *const *units, unsigned count)
{
    unsigned i = 0;

    /* 999.6 would be shown as 1000. */
    while (i + 1 < count && fabs(value) >= step * 0.9995) {
        value /= step;
        i++;
    }
    return three_digits(value, units[i]);
}

static struct bench_text bytes_of(double value)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    struct bench_text text;

    if (fabs(value) < 1024 || fabs(value - round(value / 1024) * 1024) > 0)
        return scaled(value, 1024, units, 5);
    unsigned i = 0;
    while (i < 4 && fabs(value) >= 1024) {
        value /= 1024;
        i++;
    }
    snprintf(text.text, sizeof(text.text), "%.4g%s", value, units[i]);
    return text;
}

struct bench_text bench_format_value(double value, enum bench_unit unit)
{
    static const char *const times[] = {" ns", " µs", " ms", " s"};
    static const char *const rates[] = {" /s", " k/s", " M/s", " G/s"};
    static const char *const flows[] = {" B/s", " kB/s", " MB/s", " GB/s", " TB/s"};

    if (!isfinite(value))
        return none();
    switch (unit) {
    case BENCH_NS:
        return scaled(value, 1000, times, 4);
    case BENCH_PER_S:
        return scaled(value, 1000, rates, 4);
    case BENCH_BYTES_PER_S:
        return scaled(value, 1000, flows, 5);
    case BENCH_BYTES:
        return bytes_of(value);
    }
    return none();
}

struct bench_text bench_format_tick(double value, enum bench_unit unit)
{
    static const char *const times[] = {" ns", " µs", " ms", " s"};
    static const char *const counts[] = {"", " k", " M", " G", " T"};
    static const char *const memory[] = {"", " Ki", " Mi", " Gi", " Ti"};
    const char *const *units = unit == BENCH_NS ? times : unit == BENCH_BYTES ? memory : counts;
    double step = unit == BENCH_BYTES ? 1024 : 1000;
    unsigned i = 0, last = unit == BENCH_NS ? 3 : 4;
    struct bench_text text;

    while (i < last && fabs(value) >= step * 0.9995) {
        value /= step;
        i++;
    }
    snprintf(text.text, sizeof(text.text), "%.4g%s", value, units[i]);
    return text;
}

struct bench_text bench_format_ratio(double ratio)
{
    struct bench_text text;

    if (!isfinite(ratio))
        return none();
    if (ratio == 0 || fabs(ratio) >= 0.0995)
        return three_digits(ratio, "");
    snprintf(text.text, sizeof(text.text), "%.*f", fabs(ratio) >= 0.00995 ? 3 : 4, ratio);
    return text;
}

struct bench_text bench_format_place(double x)
{
    struct bench_text text;

    if (!isfinite(x))
        return none();
    if (fabs(x) >= 1024 && fabs(fmod(x, 1024)) < 0.5) {
        bool is_mebi = fabs(x) >= 1024 * 1024 && fabs(fmod(x, 1024 * 1024)) < 0.5;
        snprintf(text.text, sizeof(text.text), "%.4g %s", x / (is_mebi ? 1048576 : 1024),
                 is_mebi ? "Mi" : "Ki");
    } else if (fabs(x) >= 1e6) {
        snprintf(text.text, sizeof(text.text), "%.3g M", x / 1e6);
    } else if (fabs(x) >= 1e4) {
        snprintf(text.text, sizeof(text.text), "%.3g k", x / 1e3);
    } else {
        snprintf(text.text, sizeof(text.text), "%.4g", x);
    }
    return text;
}

const char *bench_remark_name(unsigned bit)
{
    static const char *const names[] = {"threads", "can wedge", "cut",
                                        "copies",  "kernel",    "partial"};

    return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

const char *bench_remark_meaning(unsigned bit)
{
    static const char *const meanings[] = {
        "ran as threads of one process: it cannot do otherwise",
        "by design: a side that is stopped between two instructions may stop the others",
        "some rounds did not come to an end and were killed; they have no value",
        "has no loan: the payload is copied in, or out, or both",
        "each message is a system call or more",
        "interrupted: fewer rounds than planned"};

    return bit < sizeof(meanings) / sizeof(meanings[0]) ? meanings[bit] : NULL;
}
