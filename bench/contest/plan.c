/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants are from the table that `peal-bench --verbose` prints at its end: a turn's milliseconds
 * without those of "run". Beside it are the planned and the taken seconds of each scenario.
 */
#include "bench/contest/plan.h"

#include "bench/contest/contest.h"

#define TURN_MS 2.8         /* of most */
#define PROBES_MS 12.0      /* of the two that are around each round, in all */
#define WORKER_MS 0.25      /* of each worker beyond the second */
#define CHANNEL_MIB_MS 0.35 /* of each MiB that the messages of full channels take */

static double turn_ms(const struct bench_contest *what, const struct bench_contender *contender)
{
    unsigned senders = what->senders == 0 ? 1 : what->senders;
    unsigned receivers = what->receivers == 0 ? 1 : what->receivers;
    bool returns = what->mode == BENCH_PING_PONG || what->mode == BENCH_ECHO;
    double mib = (double)bench_contest_depth(what->size_bytes) * what->size_bytes / (1u << 20);

    return (contender->turn_ms > 0 ? contender->turn_ms : TURN_MS) +
           WORKER_MS * (senders + receivers - 2) + CHANNEL_MIB_MS * mib * (returns ? 2 : 1);
}

static double measured_ms(const struct bench_contest *what)
{
    double warm_ms = what->warm_ms == 0 ? BENCH_CONTEST_WARM_MS : what->warm_ms;

    if (what->victim == BENCH_A_SENDER || what->victim == BENCH_A_RECEIVER)
        return warm_ms + what->stop_ms +
               2.0 * (what->lead_ms == 0 ? what->stop_ms * 2 / 5 : what->lead_ms);
    return warm_ms + what->measure_ms;
}

struct bench_plan bench_contest_plan(const struct bench_run *run,
                                     const struct bench_scenario *scenario, unsigned rounds)
{
    const struct bench_contest *what = scenario->parameters;
    unsigned taken = what->half_rounds ? (rounds + 1) / 2 : rounds;
    double around_ms = PROBES_MS;
    unsigned turns = 0;

    for (size_t i = 0; bench_contenders[i] != NULL; i++) {
        if (bench_contest_excludes(what, bench_contenders[i]) != NULL ||
            !bench_run_wants(run, scenario, bench_contenders[i]->name))
            continue;
        turns++;
        around_ms += turn_ms(what, bench_contenders[i]);
    }
    for (size_t i = 0; i < 4 && what->floors[i] != NULL; i++) {
        if (bench_contest_excludes(what, what->floors[i]) != NULL)
            continue;
        turns++;
        around_ms += turn_ms(what, what->floors[i]);
    }
    return (struct bench_plan){.measured_s = 1e-3 * taken * turns * measured_ms(what),
                               .around_s = 1e-3 * taken * around_ms};
}
