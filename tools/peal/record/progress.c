/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/progress.h"

#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERVAL_NS (NS_PER_S / 2)
#define COLUMNS_DEFAULT 80
#define BAR_MIN 10
#define BAR_MAX 40

static void put_bar(double share, size_t width, char *text)
{
    const double within = share > 1 ? 1 : share;
    const size_t full = (size_t)(within * (double)width);
    text[0] = '[';
    memset(text + 1, '=', full);
    memset(text + 1 + full, ' ', width - full);
    if (full < width)
        text[1 + full] = '>';
    text[1 + width] = ']';
    (void)snprintf(text + width + 2, 6, "%4u%%", (unsigned)(within * 100));
}

void progress_text(const struct progress_view *view, unsigned columns, char *text,
                   size_t text_bytes)
{
    struct units_text messages, bytes, rate, lost;
    const uint64_t s = view->elapsed_ns / NS_PER_S;
    char losses[48] = "", waiting[48] = "", line[256], bar[BAR_MAX + 10] = "";
    if (view->has_lost || view->lost > 0)
        (void)snprintf(losses, sizeof(losses), "  %s lost", units_count(&lost, view->lost));
    if (view->waiting > 0)
        (void)snprintf(waiting, sizeof(waiting), "  %" PRIu32 " chunk%s waiting", view->waiting,
                       view->waiting == 1 ? "" : "s");
    (void)snprintf(line, sizeof(line), "%02" PRIu64 ":%02" PRIu64 "  %s messages  %s  %s%s", s / 60,
                   s % 60, units_count(&messages, view->messages), units_bytes(&bytes, view->bytes),
                   units_bandwidth(&rate, view->bytes_per_s), losses);
    const size_t line_bytes = strlen(line);
    const size_t left = columns > line_bytes ? columns - line_bytes : 0;
    /* Brackets, percents, two spaces, and the last column, which some terminals break at. */
    if (view->share >= 0 && left >= BAR_MIN + 10)
        put_bar(view->share, left - 10 < BAR_MAX ? left - 10 : BAR_MAX, bar);
    /* Where there is a bar, chunks that wait are told only beside it. */
    const bool fits = bar[0] == '\0' || strlen(bar) + 2 + line_bytes + strlen(waiting) < columns;
    (void)snprintf(text, text_bytes, "%s%s%s%s", bar, bar[0] != '\0' ? "  " : "", line,
                   fits ? waiting : "");
    if (columns > 0 && columns - 1 < text_bytes)
        text[columns - 1] = '\0';
}

void progress_begin(struct progress *progress, enum progress_when when)
{
    *progress = (struct progress){.shown = when == PROGRESS_ALWAYS ||
                                           (when == PROGRESS_AUTO && isatty(STDERR_FILENO) == 1),
                                  .begun_ns = clock_now_ns()};
    progress->drawn_ns = progress->begun_ns;
}

uint64_t progress_due_ns(const struct progress *progress)
{
    return progress->shown ? progress->drawn_ns + INTERVAL_NS : UINT64_MAX;
}

static unsigned terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : COLUMNS_DEFAULT;
}

void progress_update(struct progress *progress, struct progress_view *view)
{
    char text[512];
    const uint64_t now_ns = clock_now_ns();
    if (now_ns < progress_due_ns(progress))
        return;
    const double passed_s = (double)(now_ns - progress->drawn_ns) / (double)NS_PER_S;
    view->elapsed_ns = now_ns - progress->begun_ns;
    view->bytes_per_s = (double)(view->bytes - progress->drawn_bytes) / passed_s;
    progress->drawn_ns = now_ns;
    progress->drawn_bytes = view->bytes;
    progress_text(view, terminal_columns(), text, sizeof(text));
    (void)fprintf(stderr, "\r%s\033[K", text);
    (void)fflush(stderr);
    progress->is_drawn = true;
}

void progress_clear(struct progress *progress)
{
    if (!progress->is_drawn)
        return;
    (void)fprintf(stderr, "\r\033[K");
    (void)fflush(stderr);
    progress->is_drawn = false;
}
