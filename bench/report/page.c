/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/page.h"

#include "bench/report/file.h"
#include "bench/report/report.h"
#include "bench/report/svg.h"

#include <stdlib.h>

static const struct {
    const char *title, *text;
} chapters[BENCH_GROUPS] = {
    [BENCH_GROUP_FLOORS] = {"Floors", "What this machine can do, without any bus."},
    [BENCH_GROUP_LATENCY] =
        {"Latency, ping-pong",
         "A message there and one back, as fast as it goes. Nothing queues, so this "
         "is the best case; paced latency is what an application meets."},
    [BENCH_GROUP_PACED] = {"Latency, paced",
                           "Messages at a fixed rate, timed from when each was due."},
    [BENCH_GROUP_THROUGHPUT] = {"Throughput",
                                "One-way streams, by size; singles and batches, loan and copy."},
    [BENCH_GROUP_PATTERNS] = {"Patterns", "One to many, many to one, many to many, latest value."},
    [BENCH_GROUP_WAITING] =
        {"Waiting", "Receivers that spin, sleep, block or wait in epoll, and the CPU time that "
                    "both sides use for a message."},
    [BENCH_GROUP_GROWTH] =
        {"Growth", "What becomes of costs as subscribers and topics become many. The bands are "
                   "the least and the most of the rounds."},
};

static void head(const struct bench_page *page)
{
    static const char *const keys[] = {"date", "cpu", "cpus", "commit"};
    const char *between = "";

    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
          "name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
          "content=\"light dark\">\n<title>Peal benchmark report</title>\n<link rel=\"icon\" "
          "href=\"data:,\">\n<style>",
          page->out);
    fputs(bench_page_css, page->out);
    fputs("</style></head>\n<body><header><h1>Peal <span>benchmark report</span></h1>\n<p "
          "class=\"dim\">",
          page->out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *value = bench_page_fact(page, keys[i]);
        if (value == NULL)
            continue;
        fputs(between, page->out);
        bench_markup_text(page->out, value);
        between = " · ";
    }
    fputs("</p>\n", page->out);
    if (page->results->is_interrupted)
        fputs("<p class=\"warning\">The run was interrupted: not everything was measured.</p>\n",
              page->out);
}

static void contents(const struct bench_page *page)
{
    fputs("<nav aria-label=\"Contents\"><a href=\"#standing\">Standing</a>", page->out);
    for (unsigned i = 0; i < BENCH_GROUPS; i++) {
        if (bench_ranking_scenario(page->results, (enum bench_group)i, 0) != NULL)
            fprintf(page->out, "<a href=\"#g-%s\">%s</a>", bench_group_name((enum bench_group)i),
                    chapters[i].title);
    }
    fputs("<a href=\"#behind\">Not ahead</a><a href=\"#doubt\">Drift</a><a "
          "href=\"#environment\">Environment</a><a href=\"#method\">Method</a><a "
          "href=\"#reproduce\">Reproduce</a></nav></header>\n<main>\n",
          page->out);
}

static void scenario(const struct bench_page *page, const struct bench_ranking *ranking)
{
    fprintf(page->out, "<article id=\"s-%u-", (unsigned)ranking->group);
    bench_markup_text(page->out, ranking->scenario);
    fputs("\"><h3>", page->out);
    bench_markup_text(page->out, bench_ranking_title(ranking->group, ranking->scenario).text);
    fputs("</h3><div class=\"body\">\n", page->out);
    bench_page_scenario_plots(page, ranking);
    fputs("<div>", page->out);
    bench_page_scenario_table(page, ranking);
    bench_page_scenario_cpu(page, ranking);
    fputs("</div></div></article>\n", page->out);
}

static void chapter(const struct bench_page *page, enum bench_group group)
{
    const char *name;

    if (bench_ranking_scenario(page->results, group, 0) == NULL)
        return;
    fprintf(page->out, "<section id=\"g-%s\"><h2>%s</h2>\n<p>%s</p>\n", bench_group_name(group),
            chapters[group].title, chapters[group].text);
    bench_page_curves(page, group);
    if (bench_ranking_wants_one_table(page->results, group)) {
        bench_page_group_table(page, group);
    } else {
        for (unsigned i = 0; (name = bench_ranking_scenario(page->results, group, i)) != NULL;
             i++) {
            struct bench_ranking ranking = bench_ranking_of(page->results, group, name);
            scenario(page, &ranking);
        }
    }
    fputs("</section>\n", page->out);
}

static void write_page(const struct bench_page *page)
{
    head(page);
    bench_page_summary(page);
    contents(page);
    bench_page_standing(page);
    bench_page_legend(page);
    for (unsigned i = 0; i < BENCH_GROUPS; i++)
        chapter(page, (enum bench_group)i);
    bench_page_behind(page);
    bench_page_aims(page);
    bench_page_short(page);
    bench_page_drifted(page);
    bench_page_facts(page);
    bench_page_method(page);
    bench_page_reproduce(page);
    fputs("</main>\n<script>", page->out);
    fputs(bench_page_script, page->out);
    fputs("</script></body></html>\n", page->out);
}

bool bench_html_write(const struct bench_results *results, const char *path)
{
    struct bench_page *page = calloc(1, sizeof(*page));

    if (page == NULL) {
        fputs("peal-bench: no memory left for the report\n", stderr);
        return false;
    }
    page->results = results;
    page->out = bench_file_create(path);
    bool is_written = page->out != NULL;
    if (is_written) {
        bench_page_colour(page);
        write_page(page);
        is_written = bench_file_close(page->out, path);
    }
    free(page);
    return is_written;
}
