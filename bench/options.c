/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include "bench/cpus.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "Usage: peal-bench [OPTION]...\n"
    "Measures Peal between two processes on two cores, next to the floors of the machine.\n"
    "\n"
    "  --quick          few rounds, few operations: some 10 seconds; figures are rough\n"
    "  --filter RE      only rows whose name matches (ping_pong, stream/.*/64$, wake, ...)\n"
    "  --json FILE      writes Google Benchmark's JSON as well\n"
    "  --rounds N       rounds to keep per row (default 31, quick 5)\n"
    "  --percent N      operations per round, in percent of a full run (default 100, quick 20)\n"
    "  --cpus A,B       CPUs to run on (default: two that are not threads of one core)\n"
    "  --bus URL        bus to run over (default posix:peal-bench-PID)\n"
    "  --verbose        prints each round to stderr\n"
    "  --list           names of all rows\n"
    "  --plant-fault    spoils a message of ping_pong/copy: the run must fail\n"
    "  --benchmark_...  handed to Google Benchmark (--benchmark_format=json, ...)\n"
    "\n"
    "Exit code: 0 all ran and all content was right, 1 not, 2 wrong arguments.\n";

enum option_code {
    OPTION_QUICK = 1,
    OPTION_FILTER,
    OPTION_JSON,
    OPTION_ROUNDS,
    OPTION_PERCENT,
    OPTION_CPUS,
    OPTION_BUS,
    OPTION_LIST,
    OPTION_PLANT_FAULT,
    OPTION_VERBOSE,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"json", required_argument, NULL, OPTION_JSON},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"percent", required_argument, NULL, OPTION_PERCENT},
    {"cpus", required_argument, NULL, OPTION_CPUS},
    {"bus", required_argument, NULL, OPTION_BUS},
    {"list", no_argument, NULL, OPTION_LIST},
    {"plant-fault", no_argument, NULL, OPTION_PLANT_FAULT},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void add_argument(struct bench_options *options, const char *prefix, const char *value)
{
    size_t size_bytes = strlen(prefix) + strlen(value) + 1;
    char *argument = bench_allocate(size_bytes);

    if (options->gbench_argc + 2 > (int)(sizeof options->gbench_argv / sizeof(char *)))
        bench_die("too many arguments");
    snprintf(argument, size_bytes, "%s%s", prefix, value);
    options->gbench_argv[options->gbench_argc++] = argument;
}

static bool parse_number(const char *text, unsigned most, unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || text[0] == '-' || value < 1 || value > most)
        return false;
    *number = (unsigned)value;
    return true;
}

static int list_rows(void)
{
    for (const struct bench_row *row = bench_rows; row->name != NULL; row++)
        puts(row->name);
    return 0;
}

static int wrong(const char *what, const char *value, const char *wanted)
{
    fprintf(stderr, "peal-bench: %s '%s': %s\n", what, value, wanted);
    return 2;
}

/* One option of ours; -1, or the exit code. */
static int take_option(struct bench_options *options, int code)
{
    switch (code) {
    case OPTION_QUICK:
        options->plan.rounds = 5;
        options->plan.percent = 20;
        return -1;
    case OPTION_VERBOSE:
        options->plan.verbose = true;
        return -1;
    case OPTION_FILTER:
        options->filter = optarg;
        return -1;
    case OPTION_JSON:
        add_argument(options, "--benchmark_out=", optarg);
        add_argument(options, "--benchmark_out_format=", "json");
        return -1;
    case OPTION_ROUNDS:
        return parse_number(optarg, 1000, &options->plan.rounds)
                   ? -1
                   : wrong("--rounds", optarg, "a number from 1 to 1000 is wanted");
    case OPTION_PERCENT:
        return parse_number(optarg, 1000, &options->plan.percent)
                   ? -1
                   : wrong("--percent", optarg, "a number from 1 to 1000 is wanted");
    case OPTION_CPUS:
        return bench_cpus_parse(optarg, options->cpus)
                   ? -1
                   : wrong("--cpus", optarg, "two different CPU numbers are wanted, as in 2,3");
    case OPTION_BUS:
        options->url = optarg;
        return strncmp(optarg, "local:", 6) != 0
                   ? -1
                   : wrong("--bus", optarg, "two processes cannot meet there; use posix:NAME");
    case OPTION_LIST:
        return list_rows();
    case OPTION_PLANT_FAULT:
        options->plant_fault = true;
        return -1;
    case OPTION_HELP:
        fputs(usage, stdout);
        return 0;
    default:
        fputs(usage, stderr);
        return 2;
    }
}

int bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    static char url[64];
    int ours = 0, code;
    char **own = bench_allocate(((size_t)argc + 1) * sizeof *own);

    *options = (struct bench_options){.plan = {.rounds = 31, .percent = 100}, .cpus = {-1, -1}};
    snprintf(url, sizeof url, "posix:peal-bench-%d", (int)getpid());
    options->url = url;
    add_argument(options, argv[0], "");
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--benchmark_", 12) != 0) {
            own[ours++] = argv[i];
            continue;
        }
        add_argument(options, argv[i], "");
        options->console |= strncmp(argv[i], "--benchmark_format", 18) == 0;
    }
    while ((code = getopt_long(ours, own, "", long_options, NULL)) != -1) {
        int exit_code = take_option(options, code);
        if (exit_code >= 0)
            return exit_code;
    }
    if (optind < ours)
        return wrong("argument", own[optind], "not understood; see --help");
    free(own);
    return -1;
}
