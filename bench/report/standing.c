/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing.csv: what the page says of Peal and its peers, to be counted again.
 */
#include "bench/report/file.h"
#include "bench/report/ranking.h"
#include "bench/report/report.h"

#include <math.h>

/* RFC 4180: in quotes, and quotes twice. */
static void last_field(FILE *file, const char *text)
{
    fputc('"', file);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void text_field(FILE *file, const char *text)
{
    last_field(file, text);
    fputc(',', file);
}

static void number_field(FILE *file, double value)
{
    if (isfinite(value))
        fprintf(file, "%.10g", value);
    fputc(',', file);
}

static void write_line(FILE *file, const struct bench_ranking *ranking, const char *kind,
                       const char *beside, const struct bench_pairs *pairs)
{
    text_field(file, bench_ranking_title(ranking->group, ranking->scenario).text);
    text_field(file, kind);
    text_field(file, ranking->peal->contender);
    text_field(file, beside);
    number_field(file, pairs->times.median);
    number_field(file, pairs->times.min);
    number_field(file, pairs->times.max);
    fprintf(file, "%u,%u,%u,%.6g,", pairs->rounds, pairs->better, pairs->decided, pairs->chance);
}

static void write_scenario(FILE *file, const struct bench_ranking *ranking, void *context)
{
    struct bench_aimed aimed;

    (void)context;
    for (unsigned i = 0; i < ranking->count; i++) {
        const struct bench_pairs *pairs = &ranking->pairs[i];
        enum bench_verdict verdict = bench_pairs_verdict(pairs);
        const char *reason = ranking->records[i]->reason;
        if (verdict == BENCH_VERDICT_ALONE)
            continue;
        write_line(file, ranking, "peer", ranking->records[i]->contender, pairs);
        text_field(file, bench_verdict_name(verdict));
        last_field(file, verdict == BENCH_VERDICT_BEHIND ? reason : NULL);
        fputs("\r\n", file);
    }
    if (!bench_ranking_aim(ranking, &aimed))
        return;
    write_line(file, ranking, bench_aim_name(aimed.aim),
               aimed.peer != NULL ? aimed.peer->contender : "median of the peers", &aimed.pairs);
    text_field(file, bench_aimed_word(&aimed));
    last_field(file, NULL);
    fputs("\r\n", file);
}

bool bench_standing_write(const struct bench_results *results, const char *path)
{
    FILE *file = bench_file_create(path);

    if (file == NULL)
        return false;
    fputs("scenario,kind,peal,beside,times,least,most,rounds,better,decided,chance,verdict,"
          "reason\r\n",
          file);
    bench_ranking_each(file, results, NULL, write_scenario);
    return bench_file_close(file, path);
}
