/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few elements of SVG that the plots are made of, written as they come. Colours are classes: the page's
 * style gives them meaning, in light, in dark and on paper. Coordinates that are no numbers become 0.
 */
#ifndef PEAL_BENCH_REPORT_SVG_H
#define PEAL_BENCH_REPORT_SVG_H

#include <stdio.h>

/* For text and attributes of HTML and SVG alike; control characters become spaces. */
void bench_markup_text(FILE *out, const char *text);

/* `label`: what a reader who cannot see it is told. */
void bench_svg_begin(FILE *out, const char *style, double width, double height, const char *label);
void bench_svg_end(FILE *out);

/* A group whose elements belong to one contender; `title` is shown by a resting pointer. */
void bench_svg_group_begin(FILE *out, const char *style, const char *title);
void bench_svg_group_end(FILE *out);

void bench_svg_line(FILE *out, const char *style, double x1, double y1, double x2, double y2);
void bench_svg_rect(FILE *out, const char *style, double x, double y, double width, double height);
void bench_svg_dot(FILE *out, const char *style, double x, double y, double radius);
void bench_svg_text(FILE *out, const char *style, double x, double y, const char *text);
/* Turned to be read from below, around its place. */
void bench_svg_text_upward(FILE *out, const char *style, double x, double y, const char *text);

/* Begun, then any number of points, then ended; `closes`: joins the last to the first. */
void bench_svg_path_begin(FILE *out, const char *style);
void bench_svg_path_point(FILE *out, double x, double y, int is_first);
void bench_svg_path_end(FILE *out, int closes);

#endif
