/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/output.h"

#include "tools/peal/kit/fail.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool colored;
static int failed_errno; /* of the first write that failed */
static bool told;

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

void output_color(enum color_when when)
{
    const char *terminal = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    colored = when == COLOR_ALWAYS;
    if (when == COLOR_AUTO)
        colored = output_is_terminal() && terminal && strcmp(terminal, "dumb") != 0 &&
                  !(no_color && no_color[0] != '\0');
}

const char *paint(enum paint paint)
{
    static const char *const sequences[] = {
        [PAINT_NONE] = "\033[0m",  [PAINT_BOLD] = "\033[1m",   [PAINT_DIM] = "\033[2m",
        [PAINT_RED] = "\033[31m",  [PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m",
        [PAINT_CYAN] = "\033[36m",
    };
    return colored ? sequences[paint] : "";
}

static void failed(void)
{
    if (failed_errno == 0)
        failed_errno = errno != 0 ? errno : EIO;
}

void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vprintf(format, arguments) < 0)
        failed();
    va_end(arguments);
}

void print_bytes(const void *data, size_t size_bytes)
{
    if (fwrite(data, 1, size_bytes, stdout) != size_bytes)
        failed();
}

static void json(json_t *value, size_t flags)
{
    if (!value ||
        json_dumpf(value, stdout, flags | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12)) != 0)
        failed();
    json_decref(value);
    print_bytes("\n", 1);
}

void print_json(json_t *value)
{
    json(value, JSON_INDENT(2));
}

void print_json_line(json_t *value)
{
    json(value, JSON_COMPACT);
}

json_t *json_u64(uint64_t figure)
{
    return figure <= INT64_MAX ? json_integer((json_int_t)figure) : json_real((double)figure);
}

json_t *json_id(uint64_t id)
{
    return json_sprintf("0x%016" PRIx64, id);
}

json_t *json_finite(double real)
{
    return isfinite(real) ? json_real(real) : json_null();
}

int output_flush(void)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        failed();
    if (failed_errno == 0)
        return EXIT_DONE;
    if (told)
        return EXIT_FAILED;
    told = true;
    if (failed_errno == EPIPE)
        return fail(EXIT_FAILED, "who read our output has gone");
    return fail(EXIT_FAILED, "cannot write the output: %s", strerror(failed_errno));
}
