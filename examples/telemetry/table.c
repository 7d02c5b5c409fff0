/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/table.h"

#include "common/stop.h"
#include "telemetry/values.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FORGET_NS (60 * NS_PER_S) /* a publisher that is silent for so long loses its row */
#define SILENT_NS (3 * NS_PER_S)

void table_init(struct table *table, bool one_clock)
{
    memset(table, 0, sizeof *table);
    table->start_ns = clock_now_ns();
    table->one_clock = one_clock;
}

/* The name is a peer's: it may lack its end, or hold bytes that would upset the terminal. */
static void name_copy(char name[TELEMETRY_NAME_BYTES], const char *from)
{
    memcpy(name, from, TELEMETRY_NAME_BYTES);
    name[TELEMETRY_NAME_BYTES - 1] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
}

static struct table_row *row_find(struct table *table, enum telemetry_kind kind, uint64_t publisher)
{
    for (size_t i = 0; i < TABLE_ROWS_MAX; i++) {
        struct table_row *row = &table->rows[i];
        if (row->used && row->kind == kind && row->publisher == publisher)
            return row;
    }
    return NULL;
}

/* The row of the publisher whose place a restarted one takes: of its name, the longest silent. */
static struct table_row *row_find_name(struct table *table, enum telemetry_kind kind,
                                       const char *name)
{
    struct table_row *found = NULL;
    for (size_t i = 0; i < TABLE_ROWS_MAX; i++) {
        struct table_row *row = &table->rows[i];
        if (row->used && row->kind == kind && strcmp(row->name, name) == 0 &&
            (found == NULL || row->last_ns < found->last_ns))
            found = row;
    }
    return found;
}

/* A row for a new publisher: a free one, else that of the longest silent publisher. */
static struct table_row *row_new(struct table *table, enum telemetry_kind kind)
{
    struct table_row *row = &table->rows[0];
    for (size_t i = 0; i < TABLE_ROWS_MAX && row->used; i++)
        if (!table->rows[i].used || table->rows[i].last_ns < row->last_ns)
            row = &table->rows[i];
    memset(row, 0, sizeof *row);
    row->used = true;
    row->kind = kind;
    row->rate_from_ns = clock_now_ns();
    return row;
}

struct table_row *table_enter(struct table *table, enum telemetry_kind kind,
                              const struct peal_message *message,
                              const union telemetry_message *copy)
{
    uint64_t now_ns = clock_now_ns();
    struct table_row *row = row_find(table, kind, message->publisher);
    if (row == NULL) {
        char name[TELEMETRY_NAME_BYTES];
        name_copy(name, copy->origin.name);
        if (message->flags & PEAL_MESSAGE_RESTARTED)
            row = row_find_name(table, kind, name);
        if (row == NULL)
            row = row_new(table, kind);
        memcpy(row->name, name, sizeof row->name);
        row->publisher = message->publisher;
    }
    if (message->flags & PEAL_MESSAGE_RESTARTED)
        row->restarts++;
    row->message = *copy;
    row->received++;
    row->lost += message->lost;
    row->last_ns = now_ns;
    if (table->one_clock && message->timestamp_ns >= table->start_ns &&
        message->timestamp_ns <= now_ns) {
        uint64_t latency_ns = now_ns - message->timestamp_ns;
        uint32_t kept_ns = latency_ns < UINT32_MAX ? (uint32_t)latency_ns : UINT32_MAX;
        row->latencies_ns[row->latency_count++ % TABLE_LATENCIES] = kept_ns;
        if (latency_ns > row->latency_max_ns)
            row->latency_max_ns = latency_ns;
    }
    return row;
}

uint64_t table_received(const struct table *table)
{
    uint64_t received = 0;
    for (size_t i = 0; i < TABLE_ROWS_MAX; i++)
        if (table->rows[i].used)
            received += table->rows[i].received;
    return received;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double row_latency_median_us(const struct table_row *row)
{
    uint32_t sorted[TABLE_LATENCIES];
    size_t count =
        row->latency_count < TABLE_LATENCIES ? (size_t)row->latency_count : TABLE_LATENCIES;
    if (count == 0)
        return 0;
    memcpy(sorted, row->latencies_ns, sizeof sorted);
    qsort(sorted, count, sizeof sorted[0], compare_u32);
    return (double)sorted[count / 2] / 1e3;
}

static void row_update_rate(struct table_row *row, uint64_t now_ns)
{
    uint64_t time_ns = now_ns - row->rate_from_ns;
    if (time_ns < (row->rate_hz > 0 ? NS_PER_S : NS_PER_S / 5)) /* sooner while there is none */
        return;
    row->rate_hz = (double)(row->received - row->rate_from_received) * 1e9 / (double)time_ns;
    row->rate_from_ns = now_ns;
    row->rate_from_received = row->received;
}

static int compare_rows(const void *a, const void *b)
{
    const struct table_row *x = *(struct table_row *const *)a, *y = *(struct table_row *const *)b;
    int names = strcmp(x->name, y->name);
    if (names != 0)
        return names;
    if (x->publisher != y->publisher && x->kind == y->kind)
        return x->publisher < y->publisher ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

/* The used rows in the order in which they are shown; forgets whom nobody has heard for long. */
static size_t table_sort(struct table *table, struct table_row *sorted[TABLE_ROWS_MAX])
{
    uint64_t now_ns = clock_now_ns();
    size_t count = 0;
    for (size_t i = 0; i < TABLE_ROWS_MAX; i++) {
        struct table_row *row = &table->rows[i];
        if (row->used && now_ns - row->last_ns > FORGET_NS)
            row->used = false;
        if (!row->used)
            continue;
        row_update_rate(row, now_ns);
        sorted[count++] = row;
    }
    qsort(sorted, count, sizeof sorted[0], compare_rows);
    return count;
}

/* Median and maximum in microseconds, or a dash where nothing was measured. */
static void row_latency(const struct table_row *row, char median[16], char max[16])
{
    snprintf(median, 16, "-");
    snprintf(max, 16, "-");
    if (row->latency_count == 0)
        return;
    snprintf(median, 16, "%.1f", row_latency_median_us(row));
    snprintf(max, 16, "%.1f", (double)row->latency_max_ns / 1e3);
}

static void row_values(const struct table_row *row, char *text, size_t text_bytes)
{
    uint64_t silent_ns = clock_now_ns() - row->last_ns;
    if (silent_ns > SILENT_NS)
        snprintf(text, text_bytes, "(silent for %" PRIu64 " s)", silent_ns / NS_PER_S);
    else
        values_format(row->kind, &row->message, text, text_bytes);
}

static void row_draw(const struct table_row *row, bool with_name)
{
    char values[256], median[16], max[16];
    row_values(row, values, sizeof values);
    row_latency(row, median, max);
    printf("%-16.16s %-7s %8.1f %9s %9s %9" PRIu64 " %6" PRIu64 " %8" PRIu64 "  %s\033[K\n",
           with_name ? row->name : "", telemetry_types[row->kind].label, row->rate_hz, median, max,
           row->received, row->lost, row->restarts, values);
}

/* How many lines fit on the terminal; a guess where it does not tell. */
static size_t terminal_lines(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

void table_draw(struct table *table, const char *title)
{
    const size_t frame_lines = 4; /* title, heading, and some room */
    struct table_row *rows[TABLE_ROWS_MAX];
    size_t count = table_sort(table, rows), lines = terminal_lines();
    size_t shown = lines > frame_lines ? lines - frame_lines : 1;
    if (shown > count)
        shown = count;

    /* Up to where the last drawing began; each line clears its own rest, so nothing flickers. */
    if (table->drawn_lines > 0)
        printf("\033[%uA", table->drawn_lines);
    printf("\r\033[1m%s\033[0m\033[K\n", title);
    printf("\033[7m%-16s %-7s %8s %9s %9s %9s %6s %8s  %-40s\033[0m\033[K\n", "PUBLISHER", "TOPIC",
           "RATE/s", "MEDIAN us", "MAX us", "MESSAGES", "LOST", "RESTARTS", "VALUES");
    for (size_t i = 0; i < shown; i++)
        row_draw(rows[i], i == 0 || strcmp(rows[i - 1]->name, rows[i]->name) != 0);
    table->drawn_lines = 2 + (unsigned)shown;
    if (count == 0) {
        printf("waiting for a publisher; start one with: telemetry pub\033[K\n");
        table->drawn_lines++;
    }
    printf("\033[J");
    fflush(stdout);
}

void table_print(struct table *table)
{
    struct table_row *rows[TABLE_ROWS_MAX];
    size_t count = table_sort(table, rows);
    for (size_t i = 0; i < count; i++) {
        char values[256], median[16], max[16];
        row_values(rows[i], values, sizeof values);
        row_latency(rows[i], median, max);
        printf("%s %s: %.1f/s, latency %s us (max %s), received %" PRIu64 ", lost %" PRIu64
               ", restarts %" PRIu64 ": %s\n",
               rows[i]->name, telemetry_types[rows[i]->kind].label, rows[i]->rate_hz, median, max,
               rows[i]->received, rows[i]->lost, rows[i]->restarts, values);
    }
    fflush(stdout);
}
