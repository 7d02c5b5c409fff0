/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include "bench/built.h"
#include "bench/cpus.h"
#include "bench/results/results.h"

#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DURATION_S_MAX = 86400, DELAY_NS_MAX = 1000000 };

static const char usage[] =
    "Usage: peal-bench [OPTION]...\n"
    "       peal-bench compare [OPTION]... A B\n"
    "Measures Peal between two processes on two cores, beside its peers and the floors of the "
    "machine.\n"
    "\n"
    "  --quick            few and short rounds; figures are rough\n"
    "  --filter RE        only scenarios whose name matches, or one of whose records' names does\n"
    "  --contenders RE    only contenders whose name matches (peal, iceoryx, ...)\n"
    "  --json FILE        writes the results as Google Benchmark's JSON\n"
    "  --report DIR       writes a folder to look at: index.html, tables, CSV, histograms, JSON\n"
    "  --cpus A,B         CPUs to run on (default: two cores of one last-level cache)\n"
    "  --bus URL          bus of Peal's messages (default: a posix: one of its own)\n"
    "  --also-bus URL     a second one, in the same rounds of all contests\n"
    "  --duration TIME    the whole run takes about so long: 90, 1.5m, 2h\n"
    "  --rounds N         rounds of each scenario (default 11, quick 3)\n"
    "  --threads          threads of one process instead of processes\n"
    "  --share-depth      Peal's queues are as deep as the others' together, not for each sender\n"
    "  --realtime         contests in the class SCHED_RR, each turn followed by as long a pause\n"
    "  --list             names of all scenarios (with --filter: of those)\n"
    "  --verbose          each round to stderr\n"
    "  --plant-fault      spoils one message: the run must fail\n"
    "  --plant-delay NS   delays each publish and push of Peal, to see compare find it\n"
    "  compare A B        what has changed from A to B: two JSON files or reports\n"
    "  --help, --version\n"
    "\n"
    "Exit code: 0 all ran and all content was right (compare: nothing became worse), 1 not,\n"
    "2 wrong arguments, 128 + N ended by signal N (Ctrl-C: 130; what was measured is written).\n";

enum option_code {
    OPTION_QUICK = 1,
    OPTION_FILTER,
    OPTION_CONTENDERS,
    OPTION_JSON,
    OPTION_REPORT,
    OPTION_CPUS,
    OPTION_BUS,
    OPTION_ALSO_BUS,
    OPTION_DURATION,
    OPTION_ROUNDS,
    OPTION_THREADS,
    OPTION_SHARE_DEPTH,
    OPTION_REALTIME,
    OPTION_LIST,
    OPTION_VERBOSE,
    OPTION_PLANT_FAULT,
    OPTION_PLANT_DELAY,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"contenders", required_argument, NULL, OPTION_CONTENDERS},
    {"json", required_argument, NULL, OPTION_JSON},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"cpus", required_argument, NULL, OPTION_CPUS},
    {"bus", required_argument, NULL, OPTION_BUS},
    {"also-bus", required_argument, NULL, OPTION_ALSO_BUS},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"threads", no_argument, NULL, OPTION_THREADS},
    {"share-depth", no_argument, NULL, OPTION_SHARE_DEPTH},
    {"realtime", no_argument, NULL, OPTION_REALTIME},
    {"list", no_argument, NULL, OPTION_LIST},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"plant-fault", no_argument, NULL, OPTION_PLANT_FAULT},
    {"plant-delay", required_argument, NULL, OPTION_PLANT_DELAY},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *what, const char *value, const char *wanted)
{
    fprintf(stderr, "peal-bench: %s '%s': %s\n", what, value, wanted);
    return 2;
}

/* -1, or the exit code. */
static int take_number(const char *name, unsigned most, unsigned *number)
{
    char *end, wanted[64];
    unsigned long value = strtoul(optarg, &end, 10);

    snprintf(wanted, sizeof(wanted), "a number from 1 to %u is wanted", most);
    if (end == optarg || *end != '\0' || optarg[0] == '-' || value < 1 || value > most)
        return wrong(name, optarg, wanted);
    *number = (unsigned)value;
    return -1;
}

/* Seconds, or with a unit. */
static int take_duration(struct bench_options *options)
{
    static const char wanted[] = "a time from 1 s to 24 h is wanted, as 90, 1.5m, 2h";
    char *end;
    double value = strtod(optarg, &end);

    /* Not what strtod() takes beside decimal numbers: signs, spaces, "inf", "0x1". */
    if (end == optarg || strspn(optarg, "0123456789.") != (size_t)(end - optarg))
        return wrong("--duration", optarg, wanted);
    if (strcmp(end, "m") == 0)
        value *= 60;
    else if (strcmp(end, "h") == 0)
        value *= 3600;
    else if (*end != '\0' && strcmp(end, "s") != 0)
        return wrong("--duration", optarg, wanted);
    if (!(value >= 1 && value <= DURATION_S_MAX))
        return wrong("--duration", optarg, wanted);
    options->duration_s = value;
    return -1;
}

static int take_expression(const char *name, const char **expression)
{
    regex_t compiled;

    if (regcomp(&compiled, optarg, REG_EXTENDED | REG_NOSUB) != 0)
        return wrong(name, optarg, "no regular expression (POSIX, extended)");
    regfree(&compiled);
    *expression = optarg;
    return -1;
}

static int take_bus(const char *name, const char **url)
{
    if (strncmp(optarg, "local:", 6) == 0)
        return wrong(name, optarg, "two processes cannot meet there; use posix:NAME");
    *url = optarg;
    return -1;
}

static int take_switch(struct bench_options *options, int code)
{
    switch (code) {
    case OPTION_QUICK:
        options->quick = true;
        return -1;
    case OPTION_THREADS:
        options->threads = true;
        return -1;
    case OPTION_SHARE_DEPTH:
        options->shares_depth = true;
        return -1;
    case OPTION_REALTIME:
        options->is_realtime = true;
        return -1;
    case OPTION_LIST:
        options->list = true;
        return -1;
    case OPTION_VERBOSE:
        options->verbose = true;
        return -1;
    case OPTION_PLANT_FAULT:
        options->plants_fault = true;
        return -1;
    case OPTION_HELP:
        fputs(usage, stdout);
        return 0;
    case OPTION_VERSION:
        printf("peal-bench %s (%s)\n", bench_built_version, bench_built_commit);
        return 0;
    default:
        fputs("Try 'peal-bench --help'.\n", stderr); /* getopt has said what is wrong */
        return 2;
    }
}

/* One option; -1, or the exit code. */
static int take_option(struct bench_options *options, int code)
{
    switch (code) {
    case OPTION_FILTER:
        return take_expression("--filter", &options->filter);
    case OPTION_CONTENDERS:
        return take_expression("--contenders", &options->contenders);
    case OPTION_JSON:
        options->json = optarg;
        return -1;
    case OPTION_REPORT:
        options->report = optarg;
        return -1;
    case OPTION_CPUS:
        return bench_cpus_parse(optarg, options->cpus)
                   ? -1
                   : wrong("--cpus", optarg, "two different CPU numbers are wanted, as in 2,3");
    case OPTION_BUS:
        return take_bus("--bus", &options->url);
    case OPTION_ALSO_BUS:
        return take_bus("--also-bus", &options->also_url);
    case OPTION_DURATION:
        return take_duration(options);
    case OPTION_ROUNDS:
        return take_number("--rounds", BENCH_RECORD_ROUNDS_MAX, &options->rounds);
    case OPTION_PLANT_DELAY:
        return take_number("--plant-delay", DELAY_NS_MAX, &options->delay_ns);
    default:
        return take_switch(options, code);
    }
}

int bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    int code;

    *options = (struct bench_options){.cpus = {-1, -1}};
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int exit_code = take_option(options, code);
        if (exit_code >= 0)
            return exit_code;
    }
    if (optind < argc)
        return wrong("argument", argv[optind], "not understood; see --help");
    return -1;
}
