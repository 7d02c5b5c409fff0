/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/page.h"
#include "bench/report/svg.h"

#include <string.h>

const char *bench_page_fact(const struct bench_page *page, const char *key)
{
    for (size_t i = 0; i < page->results->facts_count; i++) {
        if (strcmp(page->results->facts[i].key, key) == 0)
            return page->results->facts[i].value;
    }
    return NULL;
}

void bench_page_facts(const struct bench_page *page)
{
    fputs("<section id=\"environment\"><h2>Environment</h2>\n<dl class=\"facts\">", page->out);
    for (size_t i = 0; i < page->results->facts_count; i++) {
        fputs("<div><dt>", page->out);
        bench_markup_text(page->out, page->results->facts[i].key);
        fputs("</dt><dd>", page->out);
        bench_markup_text(page->out, page->results->facts[i].value);
        fputs("</dd></div>\n", page->out);
    }
    fprintf(page->out,
            "<div><dt>measuring overhead</dt><dd>one reading of the clock costs %.1f ns; nothing "
            "is subtracted</dd></div></dl></section>\n",
            page->results->clock_cost_ns);
}

void bench_page_method(const struct bench_page *page)
{
    fputs(
        "<section id=\"method\"><h2>How it is measured</h2>\n<ul>\n"
        "<li>Between two processes (a few peers cannot and run as threads; the tables say so). The "
        "sender "
        "writes the payload, the receiver reads one word of each cache line and checks number and "
        "content; "
        "a wrong one fails the whole run.</li>\n"
        "<li>Contenders and floors of a scenario take turns, round by round, so that all see the "
        "same "
        "machine. Ratios are taken inside a round; what is shown is their median, with the least "
        "and the "
        "most of all rounds. No round and no outlier is left out.</li>\n"
        "<li>Percentiles are over all messages of all rounds, in buckets of less than 1 %, rounded "
        "up. A "
        "ping-pong is a closed loop: it sends the next message when the last has come back. Paced "
        "latency is counted from when a message <em>was due</em>, so a stall is charged to all "
        "that it "
        "made wait.</li>\n"
        "<li>A floor is what the machine can do without any bus: the raw round trip of a cache "
        "line, "
        "bare slots, memcpy, futex. Time: 1.05 of the floor is 5 % slower. Rate: 0.6 of the floor "
        "is "
        "60 % of its rate.</li>\n"
        "</ul></section>\n",
        page->out);
}

void bench_page_reproduce(const struct bench_page *page)
{
    const char *command = bench_page_fact(page, "command");

    fputs("<section id=\"reproduce\"><h2>How to reproduce</h2>\n<pre><code>", page->out);
    bench_markup_text(page->out, command != NULL ? command : "peal-bench --report report");
    fputs(
        "</code></pre>\n<p>The peers are the packages that <code>scripts/setup.sh --peers</code> "
        "installs. "
        "Two reports are compared by <code>peal-bench compare A B</code>, which names what became "
        "slower than chance explains. The figures are also in <a "
        "href=\"results.json\">results.json</a> (Google Benchmark's schema), <a "
        "href=\"results.csv\">results.csv</a> (each round) and, as HdrHistogram's percentile "
        "distributions, in <a href=\"hgrm/\">hgrm</a>.</p></section>\n",
        page->out);
}
