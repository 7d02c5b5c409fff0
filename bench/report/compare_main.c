/* SPDX-License-Identifier: Apache-2.0 */
/* peal-bench compare A B */
#include "bench/report/agree.h"
#include "bench/report/compare.h"
#include "bench/report/report.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: peal-bench compare [--agree] [--alpha P] [--effect PERCENT] [--brief] A B\n"
    "A and B are folders written by --report, or files written by --json; A is the older.\n"
    "  --alpha P          rate of false discoveries that is accepted, default 0.01\n"
    "  --effect PERCENT   smaller changes do not matter, default 5 (10 without a floor)\n"
    "  --brief            only what changed\n"
    "  --agree            instead: whether A and B, of one program on one machine, tell the same: "
    "each\n"
    "                     ratio within the spread of the other run\n"
    "Exit code: 0 nothing of Peal's is worse (--agree: no more ratios are outside than chance "
    "explains),\n1 something is, 2 A or B cannot be read.\n";

struct options {
    struct bench_criteria criteria;
    bool is_brief;
    bool agrees; /* that, and not what has changed, is the question */
};

static bool read_number(const char *text, double low, double high, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && *end == '\0' && *number > low && *number < high;
}

/* -1: go on, else the code to exit with. */
static int parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"alpha", required_argument, NULL, 'a'}, {"effect", required_argument, NULL, 'e'},
        {"brief", no_argument, NULL, 'b'},       {"agree", no_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    bool is_right = true;

    optind = 0; /* the program has parsed its own already */
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'a':
            is_right &= read_number(optarg, 0, 1, &options->criteria.alpha);
            break;
        case 'e':
            is_right &= read_number(optarg, -1e-9, 1000, &options->criteria.effect);
            options->criteria.effect /= 100;
            break;
        case 'b':
            options->is_brief = true;
            break;
        case 'g':
            options->agrees = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            is_right = false;
        }
    }
    if (is_right && argc - optind == 2)
        return -1;
    fputs(usage, stderr);
    return 2;
}

static const char *word(enum bench_change change)
{
    static const char *const words[] = {"", "better", "WORSE", "too few rounds"};

    return words[change];
}

static void print_row(const struct bench_compared *compared)
{
    printf("%-58s %12.6g %12.6g %-7s %+7.1f %% %9.2g  %s\n", compared->before->name,
           compared->before_median, compared->after_median,
           compared->by_floor ? "x floor" : compared->before->unit, 100 * compared->worse,
           compared->p, word(compared->change));
}

static void print_table(const struct bench_compared *compared, size_t count, bool is_brief)
{
    printf("%-58s %12s %12s %-7s %9s %9s\n", "record", "A", "B", "", "worse", "p");
    for (size_t i = 0; i < count; i++) {
        if (!is_brief || compared[i].change == BENCH_CHANGE_WORSE ||
            compared[i].change == BENCH_CHANGE_BETTER)
            print_row(&compared[i]);
    }
    putchar('\n');
}

static void print_missing(const struct bench_archive *in, const struct bench_archive *not_in,
                          const char *where)
{
    for (size_t i = 0; i < in->count; i++) {
        if (bench_archive_find(not_in, in->records[i].name) == NULL)
            printf("only in %s: %s\n", where, in->records[i].name);
    }
}

static unsigned counted(const struct bench_compared *compared, size_t count, bool is_peal,
                        enum bench_change change)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++)
        found += compared[i].before->is_peal == is_peal && compared[i].change == change;
    return found;
}

/* What is not Peal's did not change between the runs: where it moved, the machine (or the package) did. */
static int print_verdict(const struct bench_compared *compared, size_t count,
                         const struct bench_criteria *criteria)
{
    unsigned worse = counted(compared, count, true, BENCH_CHANGE_WORSE);
    unsigned unknown = counted(compared, count, true, BENCH_CHANGE_UNKNOWN);
    unsigned others = 0, moved = counted(compared, count, false, BENCH_CHANGE_WORSE) +
                                 counted(compared, count, false, BENCH_CHANGE_BETTER);

    for (size_t i = 0; i < count; i++) {
        others += !compared[i].before->is_peal;
        if (compared[i].before->is_peal && compared[i].change == BENCH_CHANGE_WORSE)
            printf("regression: %s: %.1f %% worse, p = %.2g\n", compared[i].before->name,
                   100 * compared[i].worse, compared[i].p);
    }
    printf(
        "%zu records compared: of Peal's, %u worse, %u better, %u with too few rounds to tell; of "
        "peers and floors,\n%u of %u changed, which says how far the machine did.\n",
        count, worse, counted(compared, count, true, BENCH_CHANGE_BETTER), unknown, moved, others);
    printf("Changed: Mann-Whitney U over the rounds, false discovery rate (Benjamini-Hochberg) <= "
           "%g; and medians differ by more\nthan %g %% (ratios to a floor) or %g %% (values "
           "without one); and each median is outside the middle 80 %% of the other's rounds.\n",
           criteria->alpha, 100 * criteria->effect, 200 * criteria->effect);
    return worse > 0 ? 1 : 0;
}

static int compare(const struct bench_archive *before, const struct bench_archive *after,
                   const struct options *options)
{
    struct bench_compared *compared = calloc(before->count + 1, sizeof(*compared));

    if (compared == NULL) {
        fputs("peal-bench: compare: no memory left\n", stderr);
        return 2;
    }
    size_t count = bench_compare(before, after, options->criteria, compared);
    if (count == 0)
        fputs("peal-bench: compare: the two have no record in common\n", stderr);
    else
        print_table(compared, count, options->is_brief);
    print_missing(before, after, "A");
    print_missing(after, before, "B");
    int code = count == 0 ? 2 : print_verdict(compared, count, &options->criteria);
    free(compared);
    return code;
}

int bench_compare_main(int argc, char **argv)
{
    struct options options = {.criteria = {.alpha = 0.01, .effect = 0.05}};
    struct bench_archive before, after;
    int code = parse(argc, argv, &options);

    if (code >= 0)
        return code;
    if (!bench_archive_load(&before, argv[optind]))
        return 2;
    if (!bench_archive_load(&after, argv[optind + 1])) {
        bench_archive_free(&before);
        return 2;
    }
    code = options.agrees
               ? bench_agree_print(&before, &after, options.criteria.alpha, options.is_brief)
               : compare(&before, &after, &options);
    bench_archive_free(&before);
    bench_archive_free(&after);
    return code;
}
