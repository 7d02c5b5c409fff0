/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/file.h"
#include "bench/report/report.h"

#include <inttypes.h>
#include <math.h>

/* RFC 4180: in quotes, and quotes twice. */
static void text_field(FILE *file, const char *text)
{
    fputc('"', file);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputs("\",", file);
}

/* Empty for what is no number. */
static void number_field(FILE *file, double value)
{
    if (isfinite(value))
        fprintf(file, "%.10g", value);
    fputc(',', file);
}

static void write_round(FILE *file, const struct bench_record *record, unsigned round)
{
    static const char *const parties[] = {"peal", "peer", "floor"};

    text_field(file, record->name);
    text_field(file, bench_group_name(record->group));
    text_field(file, record->scenario);
    text_field(file, record->contender);
    text_field(file, parties[record->party]);
    text_field(file, bench_unit_name(record->unit));
    text_field(file, record->series);
    number_field(file, record->x);
    fprintf(file, "%u,", round);
    number_field(file, record->values[round]);
    text_field(file, record->floor);
    number_field(file, record->floors[round]);
    fprintf(file, "%d,", record->drifted[round]);
    number_field(file, record->target > 0 ? record->target : NAN);
    number_field(file, record->cpu_ns);
    fprintf(file, "%u,%" PRIu32 ",", record->cut, record->remarks);
    if (record->wedged_ns > 0)
        fprintf(file, "%d", bench_record_was_wedged(record, round));
    fputs("\r\n", file);
}

bool bench_csv_write(const struct bench_results *results, const char *path)
{
    FILE *file = bench_file_create(path);

    if (file == NULL)
        return false;
    fputs("name,group,scenario,contender,party,unit,series,x,round,value,floor_name,floor,drifted,"
          "target,cpu_ns,cut,remarks,wedged\r\n",
          file);
    for (size_t i = 0; i < results->count; i++) {
        for (unsigned round = 0; round < results->records[i]->rounds; round++)
            write_round(file, results->records[i], round);
    }
    return bench_file_close(file, path);
}
