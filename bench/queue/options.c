/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/options.h"

#include "bench/cpus.h"
#include "bench/queue/rows.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "Usage: peal-bench-queue [OPTION]...\n"
    "Measures Peal's queue beside others, between processes on two cores, in interleaved rounds.\n"
    "\n"
    "  --quick          few and short rounds: some 15 seconds; figures are rough\n"
    "  --filter RE      only rows whose name matches (throughput, latency/8:8, stopped, ...)\n"
    "  --json FILE      writes Google Benchmark's JSON as well\n"
    "  --markdown       prints the tables only, to be pasted into a document\n"
    "  --rounds N       rounds (default 11, quick 3)\n"
    "  --percent N      length of the rounds, in percent of a full run (default 100, quick 30)\n"
    "  --rate N         thousand letters a second in latency rows, together (default 500)\n"
    "  --share-depth    Peal's lanes are 1024 deep together instead of each\n"
    "  --realtime       in the class SCHED_RR, with a pause after each trial: what else runs on "
    "the\n"
    "                   machine does not disturb; needs privileges\n"
    "  --cpus A,B       CPUs to run on (default: two that are not threads of one core)\n"
    "  --bus URL        bus of Peal's queue (default posix:peal-bench-queue-PID)\n"
    "  --verbose        prints each trial to stderr\n"
    "  --list           names of all rows\n"
    "  --plant-fault    spoils one letter in each trial: the run must fail\n"
    "\n"
    "Exit code: 0 all ran and all content was right, 1 not, 2 wrong arguments.\n";

enum option_code {
    OPTION_QUICK = 1,
    OPTION_FILTER,
    OPTION_JSON,
    OPTION_MARKDOWN,
    OPTION_ROUNDS,
    OPTION_PERCENT,
    OPTION_RATE,
    OPTION_SHARE_DEPTH,
    OPTION_REALTIME,
    OPTION_CPUS,
    OPTION_BUS,
    OPTION_VERBOSE,
    OPTION_LIST,
    OPTION_PLANT_FAULT,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"json", required_argument, NULL, OPTION_JSON},
    {"markdown", no_argument, NULL, OPTION_MARKDOWN},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"percent", required_argument, NULL, OPTION_PERCENT},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"share-depth", no_argument, NULL, OPTION_SHARE_DEPTH},
    {"realtime", no_argument, NULL, OPTION_REALTIME},
    {"cpus", required_argument, NULL, OPTION_CPUS},
    {"bus", required_argument, NULL, OPTION_BUS},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"list", no_argument, NULL, OPTION_LIST},
    {"plant-fault", no_argument, NULL, OPTION_PLANT_FAULT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *what, const char *value, const char *wanted)
{
    fprintf(stderr, "peal-bench-queue: %s '%s': %s\n", what, value, wanted);
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

static int list_rows(void)
{
    for (const struct bench_queue_row *row = bench_queue_rows; row->name != NULL; row++)
        puts(row->name);
    return 0;
}

/* The switches, which take no argument; -1, or the exit code. */
static int take_switch(struct bench_queue_options *options, int code)
{
    switch (code) {
    case OPTION_QUICK:
        options->rounds = 3;
        options->percent = 30;
        return -1;
    case OPTION_MARKDOWN:
        options->markdown = true;
        return -1;
    case OPTION_SHARE_DEPTH:
        options->shares_depth = true;
        return -1;
    case OPTION_REALTIME:
        options->is_realtime = true;
        return -1;
    case OPTION_VERBOSE:
        options->verbose = true;
        return -1;
    case OPTION_PLANT_FAULT:
        options->plants_fault = true;
        return -1;
    case OPTION_LIST:
        return list_rows();
    case OPTION_HELP:
        fputs(usage, stdout);
        return 0;
    default:
        fputs(usage, stderr);
        return 2;
    }
}

static int take_option(struct bench_queue_options *options, int code)
{
    switch (code) {
    case OPTION_FILTER:
        options->filter = optarg;
        return -1;
    case OPTION_JSON:
        options->json = optarg;
        return -1;
    case OPTION_ROUNDS:
        return take_number("--rounds", BENCH_QUEUE_ROUNDS_MAX, &options->rounds);
    case OPTION_PERCENT:
        return take_number("--percent", 300, &options->percent);
    case OPTION_RATE:
        return take_number("--rate", 10000, &options->rate_khz);
    case OPTION_CPUS:
        return bench_cpus_parse(optarg, options->cpus)
                   ? -1
                   : wrong("--cpus", optarg, "two different CPU numbers are wanted, as in 2,3");
    case OPTION_BUS:
        options->url = optarg;
        return strncmp(optarg, "local:", 6) != 0
                   ? -1
                   : wrong("--bus", optarg, "processes cannot meet there; use posix:NAME");
    default:
        return take_switch(options, code);
    }
}

int bench_queue_options_parse(struct bench_queue_options *options, int argc, char **argv)
{
    static char url[64];
    int code;

    *options = (struct bench_queue_options){
        .rounds = 11, .percent = 100, .rate_khz = 500, .cpus = {-1, -1}, .url = url};
    snprintf(url, sizeof(url), "posix:peal-bench-queue-%d", (int)getpid());
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int exit_code = take_option(options, code);
        if (exit_code >= 0)
            return exit_code;
    }
    if (optind < argc)
        return wrong("argument", argv[optind], "not understood; see --help");
    return -1;
}
