/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that HdrHistogram calls a percentile distribution, and its plotters read: values in
 * microseconds, five lines for each halving of what is left to 100 %.
 */
#include "bench/report/file.h"
#include "bench/report/report.h"

#include <inttypes.h>
#include <math.h>

static double micros(double ns)
{
    return ns / 1000;
}

static double deviation_ns(const struct bench_histogram *histogram, double mean)
{
    double sum = 0;

    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        double middle = (double)bench_histogram_value(i) / 2 + (double)bench_histogram_upper(i) / 2;
        sum += (double)histogram->counts[i] * (middle - mean) * (middle - mean);
    }
    return sqrt(sum / (double)histogram->total);
}

static void write_lines(FILE *file, const struct bench_histogram *histogram)
{
    uint64_t seen = 0;
    unsigned halving = 0, tick = 0; /* the next line is due at 1 - 2^-halving * (1 - tick / 10) */

    fputs("       Value     Percentile TotalCount 1/(1-Percentile)\n\n", file);
    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        if (histogram->counts[i] == 0)
            continue;
        seen += histogram->counts[i];
        uint64_t upper = bench_histogram_upper(i);
        double value = micros((double)(upper < histogram->max ? upper : histogram->max));
        double reached = (double)seen / (double)histogram->total;
        for (; seen < histogram->total && halving < 60; tick++) {
            if (tick == 5) {
                tick = 0;
                halving++;
            }
            double due = 1 - ldexp(1 - tick / 10.0, -(int)halving);
            if (due > reached)
                break;
            fprintf(file, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", value, due, seen, 1 / (1 - due));
        }
    }
    fprintf(file, "%12.3f %2.12f %10" PRIu64 "\n", micros((double)histogram->max), 1.0,
            histogram->total);
}

static bool write_one(const struct bench_record *record, const char *path)
{
    const struct bench_histogram *histogram = record->latency;
    FILE *file = bench_file_create(path);

    if (file == NULL)
        return false;
    double mean = bench_histogram_mean(histogram);
    write_lines(file, histogram);
    fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", micros(mean),
            micros(deviation_ns(histogram, mean)));
    fprintf(file, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
            micros((double)histogram->max), histogram->total);
    fprintf(file, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            BENCH_HISTOGRAM_BUCKETS / BENCH_HISTOGRAM_FINE, BENCH_HISTOGRAM_FINE);
    return bench_file_close(file, path);
}

bool bench_hgrm_write(const struct bench_results *results, const char *folder)
{
    char path[4096], name[200];

    if (!bench_folder_make(folder))
        return false;
    for (size_t i = 0; i < results->count; i++) {
        const struct bench_record *record = results->records[i];
        if (record->latency == NULL || record->latency->total == 0)
            continue;
        bench_file_name(record->name, name, sizeof(name));
        if (snprintf(path, sizeof(path), "%s/%s.hgrm", folder, name) >= (int)sizeof(path)) {
            fprintf(stderr, "peal-bench: the path of '%s' is too long\n", folder);
            return false;
        }
        if (!write_one(record, path))
            return false;
    }
    return true;
}
