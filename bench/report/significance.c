/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/significance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 50 and 50 rounds; beyond, the normal distribution is right in all digits that matter. */
enum { EXACT_MAX = 2500 };

struct ranked {
    double value;
    bool is_left;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    return (a->value > b->value) - (a->value < b->value);
}

struct ranks {
    double u;    /* pairs in which the left value is greater; equal ones count half */
    double ties; /* the sum of t^3 - t over groups of t equal values */
};

static struct ranks rank(struct ranked *all, unsigned count, unsigned left_count)
{
    struct ranks ranks = {0, 0};
    double left_sum = 0;

    qsort(all, count, sizeof(*all), compare_ranked);
    for (unsigned from = 0, to; from < count; from = to) {
        unsigned lefts = 0;
        for (to = from; to < count && all[to].value <= all[from].value; to++)
            lefts += all[to].is_left;
        double equal = to - from;
        left_sum += lefts * (from + (equal + 1) / 2);
        ranks.ties += equal * equal * equal - equal;
    }
    ranks.u = left_sum - left_count * (left_count + 1.0) / 2;
    return ranks;
}

/*
 * P(U >= u) under the null: the coefficients of the Gaussian binomial, which are the numbers of
 * orders with each U, from one factor (1 - x^(n+i)) / (1 - x^i) after the other.
 */
static double exact_tail(unsigned n, unsigned m, unsigned u)
{
    static double ways[EXACT_MAX + 1];
    unsigned most = n * m;
    double all = 0, tail = 0;

    memset(ways, 0, sizeof(ways));
    ways[0] = 1;
    for (unsigned i = 1; i <= m; i++) {
        for (unsigned k = most; k >= n + i; k--)
            ways[k] -= ways[k - n - i];
        for (unsigned k = i; k <= most; k++)
            ways[k] += ways[k - i];
    }
    for (unsigned k = 0; k <= most; k++) {
        all += ways[k];
        tail += k >= u ? ways[k] : 0;
    }
    return tail / all;
}

double bench_mann_whitney(const double *left, unsigned left_count, const double *right,
                          unsigned right_count)
{
    double n = left_count, m = right_count, count = n + m;
    struct ranked *all = calloc(left_count + right_count + 1, sizeof(*all));

    if (all == NULL || left_count == 0 || right_count == 0) {
        free(all);
        return 1;
    }
    for (unsigned i = 0; i < left_count; i++)
        all[i] = (struct ranked){left[i], true};
    for (unsigned i = 0; i < right_count; i++)
        all[left_count + i] = (struct ranked){right[i], false};
    struct ranks ranks = rank(all, left_count + right_count, left_count);
    free(all);
    double u = fmax(ranks.u, n * m - ranks.u);
    if (ranks.ties <= 0 && left_count <= EXACT_MAX / right_count)
        return fmin(1, 2 * exact_tail(left_count, right_count, (unsigned)lround(u)));
    double variance = n * m / 12 * (count + 1 - ranks.ties / (count * (count - 1)));
    if (!(variance > 0))
        return 1; /* all values are equal */
    return fmin(1, erfc((u - n * m / 2 - 0.5) / sqrt(variance) / sqrt(2)));
}

double bench_mann_whitney_least(unsigned left_count, unsigned right_count)
{
    double orders = 1;

    for (unsigned i = 1; i <= left_count; i++)
        orders = orders * (right_count + i) / i;
    return fmin(1, 2 / orders);
}

struct place {
    double p;
    unsigned index;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return (a->p > b->p) - (a->p < b->p);
}

void bench_false_discovery(double *p, unsigned count)
{
    struct place *places = calloc(count + 1, sizeof(*places));
    double least = 1;

    if (places == NULL)
        return;
    for (unsigned i = 0; i < count; i++)
        places[i] = (struct place){p[i], i};
    qsort(places, count, sizeof(*places), compare_places);
    for (unsigned i = count; i-- > 0;) {
        least = fmin(least, places[i].p * count / (i + 1));
        p[places[i].index] = least;
    }
    free(places);
}
