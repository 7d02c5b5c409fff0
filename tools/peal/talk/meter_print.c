/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/talk/meter.h"

#include <inttypes.h>
#include <string.h>

enum shown_as { AS_COUNT, AS_RATE, AS_BANDWIDTH, AS_TIME };

static const struct {
    const char *title;
    const char *key; /* in JSON */
    enum shown_as shown_as;
} columns[] = {
    [METER_RATE] = {"RATE", "rate_hz", AS_RATE},
    [METER_MESSAGES] = {"MESSAGES", "messages", AS_COUNT},
    [METER_LOST] = {"LOST", "lost", AS_COUNT},
    [METER_BANDWIDTH] = {"BANDWIDTH", "bandwidth_bytes_per_s", AS_BANDWIDTH},
    [METER_MIN] = {"MIN", "min_ns", AS_TIME},
    [METER_MEAN] = {"MEAN", "mean_ns", AS_TIME},
    [METER_DEVIATION] = {"STDDEV", "stddev_ns", AS_TIME},
    [METER_P50] = {"P50", "p50_ns", AS_TIME},
    [METER_P90] = {"P90", "p90_ns", AS_TIME},
    [METER_P99] = {"P99", "p99_ns", AS_TIME},
    [METER_P999] = {"P99.9", "p99_9_ns", AS_TIME},
    [METER_MAX] = {"MAX", "max_ns", AS_TIME},
};

static double value_of(enum meter_column column, const struct meter_row *row)
{
    const double seconds = (double)(row->elapsed_ns > 0 ? row->elapsed_ns : 1) / 1e9;
    const struct histogram *times = &row->times;
    switch (column) {
    case METER_RATE:
        return ((double)row->messages + (double)row->lost) / seconds;
    case METER_MESSAGES:
        return (double)row->messages;
    case METER_LOST:
        return (double)row->lost;
    case METER_BANDWIDTH:
        return (double)row->bytes / seconds;
    case METER_MIN:
        return (double)times->min;
    case METER_MEAN:
        return times->mean;
    case METER_DEVIATION:
        return histogram_deviation(times);
    case METER_P50:
        return (double)histogram_percentile(times, 50);
    case METER_P90:
        return (double)histogram_percentile(times, 90);
    case METER_P99:
        return (double)histogram_percentile(times, 99);
    case METER_P999:
        return (double)histogram_percentile(times, 99.9);
    case METER_MAX:
        return (double)times->max;
    case METER_END:
    default:
        return 0;
    }
}

/* 2^63 and more are no json_int_t, nor do they tell anything. */
static uint64_t whole(double value)
{
    return value < 9.2e18 ? (uint64_t)(value + 0.5) : (uint64_t)INT64_MAX;
}

static bool is_known(enum meter_column column, const struct meter_row *row)
{
    return columns[column].shown_as != AS_TIME || row->times.count > 0;
}

/* ---- for people ---- */

int meter_name_width(const struct subscription *subscription)
{
    int width = (int)strlen("TOPIC");
    for (size_t i = 0; i < subscription->topic_count; i++) {
        const int name = table_text_width(subscription->topics[i].name);
        if (name > width)
            width = name;
    }
    return width;
}

static int width_of(enum meter_column column)
{
    return columns[column].shown_as == AS_BANDWIDTH ? 13 : 10;
}

static void print_name(const char *name, int width)
{
    const int missing = width - table_text_width(name);
    print("%s%*s", name, missing > 0 ? missing : 0, "");
}

void meter_print_heading(const struct meter_kind *kind, int name_width)
{
    print("%s", paint(PAINT_BOLD));
    print_name("TOPIC", name_width);
    for (const enum meter_column *column = kind->columns; *column != METER_END; column++)
        print("%*s", width_of(*column), columns[*column].title);
    print("%s\n", paint(PAINT_NONE));
}

static const char *cell(struct units_text *text, enum meter_column column,
                        const struct meter_row *row)
{
    const double value = value_of(column, row);
    if (!is_known(column, row))
        return "-";
    switch (columns[column].shown_as) {
    case AS_RATE:
        return units_rate(text, value);
    case AS_BANDWIDTH:
        return units_bandwidth(text, value);
    case AS_TIME:
        return units_duration(text, whole(value));
    case AS_COUNT:
    default:
        return units_count(text, whole(value));
    }
}

void meter_print_row(const struct meter_kind *kind, const char *topic, const struct meter_row *row,
                     int name_width)
{
    print_name(topic, name_width);
    for (const enum meter_column *column = kind->columns; *column != METER_END; column++) {
        struct units_text text;
        const bool alarming = *column == METER_LOST && row->lost > 0;
        print("%s%*s%s", alarming ? paint(PAINT_RED) : "", width_of(*column),
              cell(&text, *column, row), alarming ? paint(PAINT_NONE) : "");
    }
    print("\n");
}

/* ---- the histogram, by powers of two ---- */

#define BAR_WIDTH 40
#define OCTAVES 64

static uint64_t octave_begin(unsigned power)
{
    return power > 0 ? UINT64_C(1) << power : 0;
}

static uint64_t octave_end(unsigned power)
{
    return power < OCTAVES - 1 ? UINT64_C(1) << (power + 1) : UINT64_MAX;
}

static void print_bar(const struct histogram *times, unsigned power, uint64_t most)
{
    static const char bar[BAR_WIDTH + 1] = "########################################";
    const uint64_t here = histogram_octave(times, power);
    const int width = (int)((double)here / (double)most * BAR_WIDTH);
    struct units_text from, to;
    print("  %9s .. %-9s %-*.*s %6.2f %%  %" PRIu64 "\n",
          units_duration(&from, octave_begin(power)), units_duration(&to, octave_end(power)),
          BAR_WIDTH, here > 0 && width == 0 ? 1 : width, bar,
          100 * (double)here / (double)times->count, here);
}

void meter_print_histogram(const char *topic, const struct histogram *times)
{
    unsigned first = OCTAVES, last = 0;
    uint64_t most = 1;
    for (unsigned power = 0; power < OCTAVES; power++) {
        const uint64_t here = histogram_octave(times, power);
        if (here == 0)
            continue;
        first = first < power ? first : power;
        last = power;
        most = here > most ? here : most;
    }
    print("\n%s:\n", topic);
    for (unsigned power = first; power <= last; power++)
        print_bar(times, power, most);
}

/* ---- for programs ---- */

static json_t *histogram_json(const struct histogram *times)
{
    json_t *list = json_array();
    for (unsigned power = 0; power < OCTAVES; power++) {
        const uint64_t here = histogram_octave(times, power);
        if (here == 0)
            continue;
        json_t *octave = json_object();
        (void)json_object_set_new(octave, "from_ns", json_integer((json_int_t)octave_begin(power)));
        (void)json_object_set_new(octave, "count", json_integer((json_int_t)here));
        (void)json_array_append_new(list, octave);
    }
    return list;
}

static json_t *json_of(enum meter_column column, const struct meter_row *row)
{
    const double value = value_of(column, row);
    if (!is_known(column, row))
        return json_null();
    if (columns[column].shown_as == AS_RATE || columns[column].shown_as == AS_BANDWIDTH)
        return json_real(value);
    return json_integer((json_int_t)whole(value));
}

void meter_print_json(const struct meter_kind *kind, const char *topic, const struct meter_row *row,
                      bool is_total, bool histogram)
{
    json_t *line = json_object();
    (void)json_object_set_new(line, "topic", json_string(topic));
    (void)json_object_set_new(line, "total", json_boolean(is_total));
    (void)json_object_set_new(line, "elapsed_ns", json_integer((json_int_t)row->elapsed_ns));
    for (const enum meter_column *column = kind->columns; *column != METER_END; column++)
        (void)json_object_set_new(line, columns[*column].key, json_of(*column, row));
    (void)json_object_set_new(line, "measured", json_integer((json_int_t)row->times.count));
    (void)json_object_set_new(line, "unstamped", json_integer((json_int_t)row->unstamped));
    (void)json_object_set_new(line, "future", json_integer((json_int_t)row->future));
    if (histogram)
        (void)json_object_set_new(line, "histogram", histogram_json(&row->times));
    print_json_line(line);
}
