/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/svg.h"

/* The benchmarks are a program and no library: what is tested comes along. */
#include "bench/report/axis.c"
#include "bench/report/format.c"
#include "bench/report/plot_curves.c"
#include "bench/report/svg.c"
#include "bench/results/figures.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *written; /* what the last drawing has written */

static FILE *begin(size_t *size_bytes)
{
    free(written);
    written = NULL;
    FILE *out = open_memstream(&written, size_bytes);
    assert_non_null(out);
    return out;
}

static unsigned occurrences(const char *of)
{
    unsigned count = 0;

    for (const char *at = written; (at = strstr(at, of)) != NULL; at++)
        count++;
    return count;
}

static int close_to(double value, double wanted)
{
    return fabs(value - wanted) < 1e-6;
}

static int cleanup(void **state)
{
    (void)state;
    free(written);
    written = NULL;
    return 0;
}

static void text_cannot_become_markup(void **state)
{
    size_t size_bytes;
    FILE *out = begin(&size_bytes);

    (void)state;
    bench_markup_text(out, "<a href=\"x\" id='y'>&\n\x01µ");
    fclose(out);
    assert_string_equal(written, "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;  µ");
}

static void what_is_no_number_is_not_written_as_one(void **state)
{
    size_t size_bytes;
    FILE *out = begin(&size_bytes);

    (void)state;
    bench_svg_line(out, "a", NAN, INFINITY, -INFINITY, 1);
    bench_svg_rect(out, "b", 1, 2, -3, NAN);
    fclose(out);
    assert_string_equal(written, "<line class=\"a\" x1=\"0.0\" y1=\"0.0\" x2=\"0.0\" y2=\"1.0\"/>"
                                 "<rect class=\"b\" x=\"1.0\" y=\"2.0\" width=\"0.0\" "
                                 "height=\"0.0\"/>");
}

static void an_axis_maps_its_ends_to_its_ends(void **state)
{
    struct bench_axis linear = bench_axis_make(3, 97, false, 10, 110);
    struct bench_axis decades = bench_axis_make(150, 900000, true, 100, 0);

    (void)state;
    assert_true(close_to(linear.low, 0) && close_to(linear.high, 100));
    assert_true(close_to(bench_axis_at(&linear, 50), 60));
    assert_true(close_to(bench_axis_at(&linear, 1000), 110));
    assert_true(close_to(bench_axis_at(&linear, NAN), 10));
    assert_true(close_to(decades.low, 100) && close_to(decades.high, 1e6));
    assert_true(close_to(bench_axis_at(&decades, 1e4), 50));
    assert_true(close_to(bench_axis_at(&decades, 0), 100));
}

static void every_axis_can_be_drawn(void **state)
{
    static const double odd[] = {0, -5, 1, 1e-9, 3e17, NAN, INFINITY, -INFINITY};

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
            for (int form = 0; form < 4; form++) {
                struct bench_axis axis = form < 2
                                             ? bench_axis_make(odd[i], odd[k], form % 2, 0, 100)
                                             : bench_axis_tight(odd[i], odd[k], form % 2, 0, 100);
                assert_true(axis.low < axis.high);
                assert_true(axis.ticks_count <= BENCH_TICKS_MAX);
                for (unsigned t = 0; t < axis.ticks_count; t++) {
                    double at = bench_axis_at(&axis, axis.ticks[t]);
                    assert_true(at >= 0 && at <= 100);
                }
            }
        }
    }
}

static void ticks_are_round_numbers(void **state)
{
    struct bench_axis sizes = bench_axis_tight(8, 65536, true, 0, 100);
    struct bench_axis counts = bench_axis_make(0, 32, false, 0, 100);
    struct bench_axis topics = bench_axis_tight(1, 1000, true, 0, 100);

    (void)state;
    assert_true(close_to(sizes.ticks[0], 8) && close_to(sizes.ticks[1], 32));
    assert_int_equal(counts.ticks_count, 8);
    assert_true(close_to(counts.ticks[1], 5));
    bench_axis_ticks_of_ten(&topics);
    assert_int_equal(topics.ticks_count, 4);
    assert_true(close_to(topics.ticks[3], 1000));
}

static void draw(const struct bench_curves *curves)
{
    size_t size_bytes;
    FILE *out = begin(&size_bytes);

    bench_plot_curves(out, curves);
    fclose(out);
}

static void each_line_is_drawn_and_named(void **state)
{
    static const double x[] = {1, 10, 100}, y[] = {5, 50, 500}, low[] = {4, 40, 400};
    struct bench_curves curves = {.title = "a < b", .x_name = "x", .y_name = "y", .unit = BENCH_NS};

    (void)state;
    curves.lines[0] = (struct bench_line){
        .style = "k one", .label = "first & best", .x = x, .y = y, .count = 3, .is_strong = true};
    curves.lines[1] = (struct bench_line){
        .style = "k two", .label = "second", .x = x, .y = y, .low = low, .high = y, .count = 3};
    curves.count = 2;
    draw(&curves);
    assert_int_equal(occurrences("<path class=\"curve\""), 2);
    assert_int_equal(occurrences("<path class=\"band\""), 1);
    assert_int_equal(occurrences(">first &amp; best</text>"), 1);
    assert_int_equal(occurrences(">second</text>"), 1);
    assert_int_equal(occurrences("<circle"), 6);
    assert_non_null(strstr(written, "a &lt; b"));
    /* Ours lies on top: it comes last. */
    assert_true(strstr(written, "class=\"k one strong\"") > strstr(written, "class=\"k two\""));
}

static void points_without_a_place_are_left_out(void **state)
{
    static const double x[] = {1, 2, 3, 4, 5}, y[] = {NAN, 10, INFINITY, 0, 1000};
    static const double none[] = {NAN, NAN};
    struct bench_curves curves = {.title = "t", .x_name = "x", .y_name = "y", .unit = BENCH_NS};

    (void)state;
    curves.lines[0] = (struct bench_line){"k", "odd", x, y, NULL, NULL, 5, false};
    curves.lines[1] = (struct bench_line){"k", "empty", none, none, NULL, NULL, 2, false};
    curves.lines[2] = (struct bench_line){"k", "nothing", NULL, NULL, NULL, NULL, 0, false};
    curves.count = 3;
    draw(&curves);
    assert_null(strstr(written, "nan"));
    assert_null(strstr(written, "inf"));
    assert_int_equal(occurrences("<path class=\"curve\""), 1);
    assert_int_equal(occurrences("<circle"), 3); /* 0 has a place, for this axis begins there */
    assert_int_equal(occurrences(">empty</text>"), 0);
    curves.count = 0;
    draw(&curves);
    assert_int_equal(occurrences("<svg"), 1);
}

static void labels_do_not_lie_on_each_other(void **state)
{
    struct end ends[20];

    (void)state;
    for (unsigned i = 0; i < 20; i++) /* all of them at the bottom */
        ends[i] = (struct end){.x = 0, .y = BOTTOM - i % 3, .label_y = BOTTOM - i % 3, .line = i};
    place_labels(ends, 20);
    for (unsigned i = 1; i < 20; i++)
        assert_true(ends[i].label_y - ends[i - 1].label_y > LABEL_GAP - 1e-9);
    assert_true(ends[0].label_y > 0 && ends[19].label_y < HEIGHT);
}

static void numbers_have_three_digits_and_their_unit(void **state)
{
    (void)state;
    assert_string_equal(bench_format_value(287.4, BENCH_NS).text, "287 ns");
    assert_string_equal(bench_format_value(1234, BENCH_NS).text, "1.23 µs");
    assert_string_equal(bench_format_value(999.8, BENCH_NS).text, "1.00 µs");
    assert_string_equal(bench_format_value(55.1e6, BENCH_PER_S).text, "55.1 M/s");
    assert_string_equal(bench_format_value(12.34e9, BENCH_BYTES_PER_S).text, "12.3 GB/s");
    assert_string_equal(bench_format_value(65536, BENCH_BYTES).text, "64 KiB");
    assert_string_equal(bench_format_value(8, BENCH_BYTES).text, "8.00 B");
    assert_string_equal(bench_format_value(NAN, BENCH_NS).text, "–");
    assert_string_equal(bench_format_ratio(1.066).text, "1.07");
    assert_string_equal(bench_format_ratio(0.0031).text, "0.0031");
    assert_string_equal(bench_format_place(4096).text, "4 Ki");
    assert_string_equal(bench_format_place(500000).text, "500 k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_markup),
        cmocka_unit_test(what_is_no_number_is_not_written_as_one),
        cmocka_unit_test(an_axis_maps_its_ends_to_its_ends),
        cmocka_unit_test(every_axis_can_be_drawn),
        cmocka_unit_test(ticks_are_round_numbers),
        cmocka_unit_test(each_line_is_drawn_and_named),
        cmocka_unit_test(points_without_a_place_are_left_out),
        cmocka_unit_test(labels_do_not_lie_on_each_other),
        cmocka_unit_test(numbers_have_three_digits_and_their_unit),
    };

    return cmocka_run_group_tests(tests, NULL, cleanup);
}
