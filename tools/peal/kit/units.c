/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/units.h"

#include "tools/peal/kit/stop.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Three digits that count: 1.23 12.3 123. */
static void scaled(struct units_text *text, double value, double base, const char *const *suffixes,
                   size_t count, const char *tail)
{
    size_t i = 0;
    /* 999.6 would be printed as 1000, and 1023.6 as 1024. */
    while (i + 1 < count && value >= base - 0.5) {
        value /= base;
        i++;
    }
    const int decimals = i == 0 && value == floor(value) ? 0
                         : value < 9.995                 ? 2
                         : value < 99.95                 ? 1
                                                         : 0;
    (void)snprintf(text->text, sizeof(text->text), "%.*f%s%s", decimals, value, suffixes[i], tail);
}

static const char *const si[] = {"", "k", "M", "G", "T", "P", "E"};
static const char *const binary[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *units_count(struct units_text *text, uint64_t count)
{
    if (count < 10000)
        (void)snprintf(text->text, sizeof(text->text), "%" PRIu64, count);
    else
        scaled(text, (double)count, 1000, si, COUNT(si), "");
    return text->text;
}

const char *units_bytes(struct units_text *text, uint64_t bytes)
{
    scaled(text, (double)bytes, 1024, binary, COUNT(binary), "");
    return text->text;
}

const char *units_rate(struct units_text *text, double per_s)
{
    if (!(per_s > 0))
        (void)snprintf(text->text, sizeof(text->text), "0");
    else
        scaled(text, per_s, 1000, si, COUNT(si), "/s");
    return text->text;
}

const char *units_bandwidth(struct units_text *text, double bytes_per_s)
{
    if (!(bytes_per_s > 0))
        (void)snprintf(text->text, sizeof(text->text), "0");
    else
        scaled(text, bytes_per_s, 1024, binary, COUNT(binary), "/s");
    return text->text;
}

const char *units_duration(struct units_text *text, uint64_t ns)
{
    static const char *const small[] = {" ns", " us", " ms", " s"};
    const uint64_t s = ns / NS_PER_S;
    if (s < 100) {
        scaled(text, (double)ns, 1000, small, COUNT(small), "");
        return text->text;
    }
    const uint64_t min = s / 60, h = min / 60, days = h / 24;
    if (days > 0)
        (void)snprintf(text->text, sizeof(text->text), "%" PRIu64 " d %" PRIu64 " h", days, h % 24);
    else if (h > 0)
        (void)snprintf(text->text, sizeof(text->text), "%" PRIu64 " h %" PRIu64 " min", h,
                       min % 60);
    else
        (void)snprintf(text->text, sizeof(text->text), "%" PRIu64 " min %" PRIu64 " s", min,
                       s % 60);
    return text->text;
}

const char *units_time(struct units_text *text, uint64_t ns_since_1970)
{
    const time_t seconds = (time_t)(ns_since_1970 / NS_PER_S);
    struct tm parts;
    if (!localtime_r(&seconds, &parts) ||
        strftime(text->text, sizeof(text->text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
        (void)snprintf(text->text, sizeof(text->text), "?");
    return text->text;
}

bool units_read_count(const char *text, uint64_t *count)
{
    char *end;
    if (!isdigit((unsigned char)text[0])) /* strtoull() takes spaces and signs */
        return false;
    errno = 0;
    *count = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

bool units_read_bytes(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *bytes = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    const char *suffix = *end != '\0' ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
    if (suffix) {
        const unsigned shift = 10u * (unsigned)(suffix - suffixes + 1);
        if (*bytes > UINT64_MAX >> shift)
            return false;
        *bytes <<= shift;
        end++;
    }
    return *end == '\0';
}

/* What strtod() takes beside decimal numbers (signs, spaces, "inf", "0x1") is refused. */
static bool decimal(const char *text, double *real, const char **end)
{
    char *after;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    const size_t length = strspn(text, "0123456789.");
    errno = 0;
    *real = strtod(text, &after);
    *end = after;
    return errno == 0 && after == text + length && isfinite(*real);
}

bool units_read_real(const char *text, double *real)
{
    const char *end;
    return decimal(text, real, &end) && *end == '\0';
}

bool units_read_duration(const char *text, uint64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9},  {"ms", 1e6},  {"us", 1e3},
                 {"ns", 1}, {"m", 60e9}, {"h", 3600e9}};
    const char *end;
    double value;
    if (!decimal(text, &value, &end))
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        value *= units[i].ns;
        if (value >= 9e18) /* 292 years, and what int64_t holds */
            return false;
        *ns = (uint64_t)value;
        return true;
    }
    return false;
}
