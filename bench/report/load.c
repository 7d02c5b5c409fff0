/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/load.h"

#include "bench/results/results.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The file is of a user's choosing: whatever is in it, a number or nothing comes out. */
static double number(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_repetition(const json_t *line)
{
    const char *type = json_string_value(json_object_get(line, "run_type"));

    return type != NULL && strcmp(type, "iteration") == 0;
}

/* Lines of a record follow each other, so the last one is looked at first. */
static struct bench_loaded *record_of(struct bench_archive *archive, const char *name,
                                      const json_t *line)
{
    const char *label = json_string_value(json_object_get(line, "label"));

    for (size_t i = archive->count; i-- > 0;) {
        if (strcmp(archive->records[i].name, name) == 0)
            return &archive->records[i];
    }
    struct bench_loaded *record = &archive->records[archive->count];
    size_t unit_length = label == NULL ? 0 : strcspn(label, ";");
    *record = (struct bench_loaded){.name = strdup(name),
                                    .unit = strndup(label == NULL ? "" : label, unit_length),
                                    .small_is_good = number(line, "small_is_good") > 0,
                                    .values = calloc(BENCH_RECORD_ROUNDS_MAX, sizeof(double)),
                                    .ratios = calloc(BENCH_RECORD_ROUNDS_MAX, sizeof(double)),
                                    .numbers = calloc(BENCH_RECORD_ROUNDS_MAX, sizeof(unsigned))};
    record->is_peal = label != NULL && strncmp(label + unit_length, "; peal", 6) == 0;
    record->is_peer = label != NULL && strncmp(label + unit_length, "; peer", 6) == 0;
    archive->count++;
    return record->name == NULL || record->unit == NULL || record->values == NULL ||
                   record->ratios == NULL || record->numbers == NULL
               ? NULL
               : record;
}

/* Ascending whatever the file says. */
static unsigned round_number(const json_t *line, const struct bench_loaded *record)
{
    double said = number(line, "repetition_index");
    unsigned least = record->rounds == 0 ? 0 : record->numbers[record->rounds - 1] + 1;

    return said >= least && said < BENCH_RECORD_ROUNDS_MAX ? (unsigned)said : least;
}

/* False: it is no line of ours, or there is no memory. */
static bool add_line(struct bench_archive *archive, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "run_name"));
    double value = number(line, "value");

    if (!is_repetition(line))
        return true;
    if (name == NULL || !isfinite(value) || isnan(number(line, "small_is_good")))
        return false;
    struct bench_loaded *record = record_of(archive, name, line);
    if (record == NULL)
        return false;
    if (record->rounds < BENCH_RECORD_ROUNDS_MAX) {
        record->numbers[record->rounds] = round_number(line, record);
        record->values[record->rounds] = value;
        record->ratios[record->rounds++] = number(line, "ratio");
    }
    return true;
}

static bool add_lines(struct bench_archive *archive, const json_t *lines, const char *path)
{
    size_t count = json_array_size(lines);

    archive->records = calloc(count + 1, sizeof(*archive->records));
    for (size_t i = 0; i < count && archive->records != NULL; i++) {
        if (add_line(archive, json_array_get(lines, i)))
            continue;
        fprintf(stderr,
                "peal-bench: compare: '%s': benchmark %zu has no run_name, value or small_is_good; "
                "was it "
                "written by peal-bench --json or --report?\n",
                path, i);
        return false;
    }
    if (archive->count == 0)
        fprintf(stderr,
                "peal-bench: compare: '%s' has no benchmarks; was it written by peal-bench?\n",
                path);
    return archive->count > 0;
}

bool bench_archive_load(struct bench_archive *archive, const char *path)
{
    char inside[4096];
    struct stat about;
    json_error_t error;

    *archive = (struct bench_archive){0};
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        if (snprintf(inside, sizeof(inside), "%s/results.json", path) >= (int)sizeof(inside)) {
            fprintf(stderr, "peal-bench: compare: the path of '%s' is too long\n", path);
            return false;
        }
        path = inside;
    }
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fprintf(stderr, "peal-bench: compare: cannot read '%s': %s (line %d)\n", path, error.text,
                error.line);
        return false;
    }
    bool is_loaded = add_lines(archive, json_object_get(root, "benchmarks"), path);
    json_decref(root);
    if (!is_loaded)
        bench_archive_free(archive);
    return is_loaded;
}
