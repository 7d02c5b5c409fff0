/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/report.h"

#include "bench/report/file.h"

static bool written(const struct bench_results *results, const char *folder, const char *name,
                    bool (*write)(const struct bench_results *results, const char *path))
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
        fprintf(stderr, "peal-bench: the path of '%s' is too long\n", folder);
        return false;
    }
    return write(results, path);
}

bool bench_report_write(const struct bench_results *results, const char *folder)
{
    return bench_folder_make(folder) &&
           written(results, folder, "results.json", bench_json_write) &&
           written(results, folder, "results.csv", bench_csv_write) &&
           written(results, folder, "standing.csv", bench_standing_write) &&
           written(results, folder, "hgrm", bench_hgrm_write) &&
           written(results, folder, "index.html", bench_html_write);
}
