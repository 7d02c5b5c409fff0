/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/svg.h"

#include <math.h>

void bench_markup_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
        }
    }
}

static double safe(double value)
{
    return isfinite(value) ? value : 0;
}

void bench_svg_begin(FILE *out, const char *style, double width, double height, const char *label)
{
    fprintf(out, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", style,
            safe(width), safe(height));
    bench_markup_text(out, label);
    fputs("\">\n", out);
}

void bench_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void bench_svg_group_begin(FILE *out, const char *style, const char *title)
{
    fprintf(out, "<g class=\"%s\"><title>", style);
    bench_markup_text(out, title);
    fputs("</title>", out);
}

void bench_svg_group_end(FILE *out)
{
    fputs("</g>\n", out);
}

void bench_svg_line(FILE *out, const char *style, double x1, double y1, double x2, double y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", style,
            safe(x1), safe(y1), safe(x2), safe(y2));
}

void bench_svg_rect(FILE *out, const char *style, double x, double y, double width, double height)
{
    fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", style,
            safe(x), safe(y), fmax(safe(width), 0), fmax(safe(height), 0));
}

void bench_svg_dot(FILE *out, const char *style, double x, double y, double radius)
{
    fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", style, safe(x),
            safe(y), fmax(safe(radius), 0));
}

void bench_svg_text(FILE *out, const char *style, double x, double y, const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", style, safe(x), safe(y));
    bench_markup_text(out, text);
    fputs("</text>", out);
}

void bench_svg_text_upward(FILE *out, const char *style, double x, double y, const char *text)
{
    fprintf(out, "<text class=\"%s\" transform=\"translate(%.1f %.1f) rotate(-90)\">", style,
            safe(x), safe(y));
    bench_markup_text(out, text);
    fputs("</text>", out);
}

void bench_svg_path_begin(FILE *out, const char *style)
{
    fprintf(out, "<path class=\"%s\" d=\"", style);
}

void bench_svg_path_point(FILE *out, double x, double y, int is_first)
{
    fprintf(out, "%s%.1f %.1f", is_first ? "M" : "L", safe(x), safe(y));
}

void bench_svg_path_end(FILE *out, int closes)
{
    fprintf(out, "%s\"/>", closes ? "Z" : "");
}
