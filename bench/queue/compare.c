/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/report.h"

#include "bench/sample.h"

#include <string.h>

struct bench_spread bench_spread_of(const double *values, unsigned count)
{
    double sorted[BENCH_QUEUE_ROUNDS_MAX];

    memcpy(sorted, values, count * sizeof(*sorted));
    return (struct bench_spread){.median = bench_quantile(sorted, count, 0.5),
                                 .min = bench_quantile(sorted, count, 0),
                                 .max = bench_quantile(sorted, count, 1)};
}

/* The peer with the highest median rate; -1: none. */
static int best_rate(const struct bench_results *results, unsigned row)
{
    double highest = 0;
    int best = -1;

    for (int i = 0; bench_peers[i] != NULL; i++) {
        double rate = bench_spread_of(results->cells[row][i].value, results->rounds[row]).median;
        if (!bench_peers[i]->is_peal && (best < 0 || rate > highest)) {
            highest = rate;
            best = i;
        }
    }
    return best;
}

/* Of those that can be wedged, the one whose p99.9 has the lowest median over the rounds; -1: none. */
static int best_latency(const struct bench_results *results, unsigned row)
{
    double lowest = 0;
    int best = -1;

    for (int i = 0; bench_peers[i] != NULL; i++) {
        double late_ns = bench_spread_of(results->cells[row][i].value, results->rounds[row]).median;
        if (bench_peers[i]->can_be_wedged && (best < 0 || late_ns < lowest)) {
            lowest = late_ns;
            best = i;
        }
    }
    return best;
}

static double median_of_peers(const struct bench_results *results, unsigned row, unsigned round)
{
    double rates[BENCH_PEERS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; bench_peers[i] != NULL; i++) {
        if (!bench_peers[i]->is_peal)
            rates[count++] = results->cells[row][i].value[round];
    }
    if (count % 2 == 1)
        return bench_quantile(rates, count, 0.5);
    double lower = bench_quantile(rates, count, 0.5); /* sorts */
    return (lower + rates[count / 2]) / 2;
}

static double ratio(double left, double right)
{
    return right > 0 ? left / right : 0;
}

static void compare_rates(const struct bench_results *results, unsigned row, unsigned peer,
                          unsigned best, struct bench_comparison *comparison)
{
    const struct bench_cell *cells = results->cells[row];
    double to_best[BENCH_QUEUE_ROUNDS_MAX], to_median[BENCH_QUEUE_ROUNDS_MAX];
    unsigned rounds = results->rounds[row];
    bool is_single = bench_queue_rows[row].batch == 1;

    for (unsigned round = 0; round < rounds; round++) {
        double ours = cells[peer].value[round];
        to_best[round] = ratio(ours, cells[best].value[round]);
        to_median[round] = ratio(ours, median_of_peers(results, row, round));
    }
    comparison->to_best = bench_spread_of(to_best, rounds);
    comparison->to_median = bench_spread_of(to_median, rounds);
    comparison->target = is_single ? "≥ median" : "≥ best";
    comparison->is_met =
        (is_single ? comparison->to_median.median : comparison->to_best.median) >= 1;
}

/* How probable it is that of `rounds` tosses of a coin at most `fewer` fall on one side, or on the
 * other. */
static double coin(unsigned fewer, unsigned rounds)
{
    double ways = 1, sum = 0, all = 1;

    for (unsigned i = 0; i <= fewer; i++) {
        sum += ways;
        ways = ways * (rounds - i) / (i + 1);
    }
    for (unsigned i = 0; i < rounds; i++)
        all *= 2;
    return 2 * sum < all ? 2 * sum / all : 1;
}

struct bench_pairs bench_compare_pairs(const struct bench_results *results, unsigned row,
                                       unsigned peer, unsigned other)
{
    const struct bench_cell *cells = results->cells[row];
    double times[BENCH_QUEUE_ROUNDS_MAX];
    unsigned rounds = results->rounds[row], worse = 0;
    struct bench_pairs pairs = {.better = 0};

    for (unsigned round = 0; round < rounds; round++) {
        double ours_ns = cells[peer].value[round], theirs_ns = cells[other].value[round];
        times[round] = ratio(theirs_ns, ours_ns);
        pairs.better += ours_ns < theirs_ns;
        worse += ours_ns > theirs_ns;
    }
    pairs.decided = pairs.better + worse;
    pairs.times = bench_spread_of(times, rounds);
    pairs.chance = coin(pairs.better < worse ? pairs.better : worse, pairs.decided);
    return pairs;
}

/* Below every one that can be wedged, in the median of the rounds. */
static void compare_latency(const struct bench_results *results, unsigned row, unsigned peer,
                            unsigned best, struct bench_comparison *comparison)
{
    struct bench_pairs pairs = bench_compare_pairs(results, row, peer, best);
    const struct bench_cell *cells = results->cells[row];
    unsigned rounds = results->rounds[row];

    comparison->to_best = pairs.times;
    comparison->target = "p99.9 < all that can be wedged";
    comparison->is_met = bench_spread_of(cells[peer].value, rounds).median <
                         bench_spread_of(cells[best].value, rounds).median;
    comparison->is_open = pairs.chance > BENCH_CHANCE;
}

bool bench_compare(const struct bench_results *results, unsigned row, unsigned peer,
                   struct bench_comparison *comparison)
{
    enum bench_contest contest = bench_queue_rows[row].contest;
    int best = contest == BENCH_THROUGHPUT    ? best_rate(results, row)
               : contest == BENCH_PUSH_TO_POP ? best_latency(results, row)
                                              : -1;

    *comparison = (struct bench_comparison){.target = NULL};
    if (best < 0)
        return false;
    comparison->best = bench_peers[best];
    if (contest == BENCH_THROUGHPUT) {
        compare_rates(results, row, peer, (unsigned)best, comparison);
    } else {
        compare_latency(results, row, peer, (unsigned)best, comparison);
    }
    if (bench_peers[peer] != &bench_peer_peal)
        comparison->target = NULL;
    return true;
}
