/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/contest.h"

#include "bench/contest/floor_slots.h"
#include "bench/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PARTS_MAX = 48,
    RING_BYTES =
        512 << 10, /* what the messages of a full channel take, unless it is less deep than */
    DEPTH_MIN = 4,
    DEPTH_MAX = 1024,
    PROBE_MS = 3, /* of the raw ping-pong around each round, its warming up as long as a third */
    STOP_PART_PERCENT = 50, /* of the stop: who was held up so long was wedged */
};

#define TOLERANCE 0.20
#define MIDDLE 0.8

/* One contender in one scenario. */
struct part {
    const struct bench_contender *contender;
    struct bench_record *record; /* NULL: not yet */
    bool is_floor;
    bool is_out; /* it failed, or cannot begin here */
    uint64_t lost;
    uint64_t missing;
    unsigned wedged;   /* rounds, of a stop */
    double before_max; /* longest quiet time before the stop */
    double cpu_ns[BENCH_RECORD_ROUNDS_MAX];
    unsigned cpu_rounds;
    double value; /* of the present round; NAN: none */
};

struct contest {
    struct bench_run *run;
    const struct bench_scenario *scenario;
    const struct bench_contest *what;
    struct part parts[PARTS_MAX];
    unsigned count;
};

uint32_t bench_contest_depth(uint32_t size_bytes)
{
    uint32_t depth = DEPTH_MAX;

    while (depth > DEPTH_MIN && (uint64_t)depth * size_bytes > RING_BYTES)
        depth /= 2;
    return depth;
}

/* Whether it is about how long nobody gets a message, and not about the messages. */
static bool is_about_quiet(const struct bench_contest *what)
{
    return what->victim == BENCH_A_SENDER || what->victim == BENCH_A_RECEIVER;
}

static unsigned rounds_of(const struct contest *contest)
{
    unsigned rounds = contest->run->rounds;

    return contest->what->half_rounds ? (rounds + 1) / 2 : rounds;
}

/* ---- who takes part ---- */

static uint32_t or_one(uint32_t value)
{
    return value == 0 ? 1 : value;
}

const char *bench_contest_excludes(const struct bench_contest *contest,
                                   const struct bench_contender *contender)
{
    if ((contender->patterns & (unsigned)contest->pattern) == 0)
        return "has no such pattern";
    if (contender->size_bytes_max != 0 && contest->size_bytes > contender->size_bytes_max)
        return "has no messages of that size";
    uint32_t limit_bytes = UINT32_MAX;
    if (contender->limit != NULL && contender->limit(&limit_bytes) != NULL &&
        contest->size_bytes > limit_bytes)
        return "is not let have messages of that size";
    if (contest->waiting == BENCH_EPOLL && contender->descriptor == NULL)
        return "has no descriptor";
    if ((contest->waiting == BENCH_BLOCK || contest->waiting == BENCH_SPIN_SLEEP) &&
        contender->wait == NULL)
        return "cannot wait";
    if (contest->victim != BENCH_NOBODY && contender->reach == BENCH_REACH_THREADS)
        return "has no process that could be stopped";
    return NULL;
}

static void add_part(struct contest *contest, const struct bench_contender *contender,
                     bool is_floor)
{
    if (contest->count == PARTS_MAX || bench_contest_excludes(contest->what, contender) != NULL)
        return;
    contest->parts[contest->count++] = (struct part){.contender = contender, .is_floor = is_floor};
}

/* Floors are measured whoever is left out; without anybody else they are not. */
static void choose_parts(struct contest *contest)
{
    for (size_t i = 0; bench_contenders[i] != NULL; i++) {
        if (bench_run_wants(contest->run, contest->scenario, bench_contenders[i]->name))
            add_part(contest, bench_contenders[i], false);
    }
    for (size_t i = 0; i < 4 && contest->what->floors[i] != NULL; i++)
        add_part(contest, contest->what->floors[i], true);
}

/* ---- one turn ---- */

static uint64_t scaled_ns(const struct contest *contest, uint32_t duration_ms)
{
    double scale = contest->run->scale;
    double duration_ns = (double)duration_ms * (double)BENCH_MILLISECOND * scale;

    return duration_ns < (double)BENCH_MILLISECOND ? BENCH_MILLISECOND : (uint64_t)duration_ns;
}

static struct bench_trial trial_of(const struct contest *contest, const struct part *part)
{
    const struct bench_contest *what = contest->what;
    const struct bench_run *run = contest->run;
    bool is_peal = part->contender->is_peal;
    uint32_t stop_ms = what->stop_ms;

    return (struct bench_trial){
        .contender = part->contender,
        .url = run->url,
        .cpus = {run->cpus[0], run->cpus[1]},
        .threads = part->contender->reach == BENCH_REACH_THREADS ||
                   (run->threads && what->victim == BENCH_NOBODY),
        .mode = what->mode,
        .pattern = what->pattern,
        .senders = or_one(what->senders),
        .receivers = or_one(what->receivers),
        .batch = or_one(what->batch),
        .size_bytes = what->size_bytes,
        .depth = bench_contest_depth(what->size_bytes),
        .waiting = what->waiting,
        .warm_ns = scaled_ns(contest, what->warm_ms == 0 ? BENCH_CONTEST_WARM_MS : what->warm_ms),
        .measure_ns = scaled_ns(contest, what->measure_ms),
        .period_ns =
            what->rate_hz == 0 ? 0 : UINT64_C(1000000000) * or_one(what->senders) / what->rate_hz,
        .is_busy = what->is_busy,
        .victim = what->victim,
        .lead_ns = scaled_ns(contest, what->lead_ms == 0 ? stop_ms * 2 / 5 : what->lead_ms),
        .stop_ns = scaled_ns(contest, stop_ms),
        .delay_ns = is_peal ? run->delay_ns : 0,
        .plants_fault = is_peal && run->plants_fault,
    };
}

static enum bench_unit unit_of(const struct bench_contest *what)
{
    if (what->quantile > 0 || is_about_quiet(what))
        return BENCH_NS;
    return what->in_bytes ? BENCH_BYTES_PER_S : BENCH_PER_S;
}

static uint32_t remarks_of(const struct bench_trial *trial)
{
    const struct bench_contender *contender = trial->contender;

    return (trial->threads ? BENCH_REMARK_THREADS : 0u) |
           (contender->can_be_wedged ? BENCH_REMARK_WEDGEABLE : 0u) |
           (contender->has_loans ? 0u : BENCH_REMARK_COPIES) |
           (contender->uses_kernel ? BENCH_REMARK_KERNEL : 0u);
}

static struct bench_record *record_of(struct contest *contest, struct part *part,
                                      const struct bench_trial *trial)
{
    const struct bench_contest *what = contest->what;
    enum bench_party party = part->is_floor             ? BENCH_PARTY_FLOOR
                             : part->contender->is_peal ? BENCH_PARTY_PEAL
                                                        : BENCH_PARTY_PEER;

    if (part->record != NULL)
        return part->record;
    part->record = bench_results_add(&contest->run->results, contest->scenario->group,
                                     bench_scenario_title(contest->scenario), part->contender->name,
                                     party, unit_of(what));
    part->record->remarks = remarks_of(trial);
    part->record->cpu_ns = NAN;
    bench_record_place(part->record, what->series, what->x_name,
                       what->series == NULL ? (double)NAN : what->x);
    return part->record;
}

static double value_of(const struct bench_contest *what, const struct bench_outcome *outcome)
{
    if (is_about_quiet(what))
        return outcome->quiet_stopped_ns;
    if (what->quantile > 0)
        return outcome->latency.total > 0
                   ? bench_histogram_quantile(&outcome->latency, what->quantile)
                   : (double)NAN;
    return what->in_bytes ? outcome->rate * what->size_bytes : outcome->rate;
}

/* What came of a turn that did its work, or was cut as it may be. */
static void keep(struct contest *contest, struct part *part, const struct bench_trial *trial,
                 const struct bench_outcome *outcome)
{
    const struct bench_contest *what = contest->what;
    struct bench_record *record = record_of(contest, part, trial);

    part->value = value_of(what, outcome);
    part->lost += outcome->lost;
    part->missing += outcome->missing;
    record->operations += outcome->operations;
    if (outcome->finding == BENCH_CUT) {
        record->cut++;
        record->remarks |= BENCH_REMARK_CUT;
    }
    if (what->quantile > 0)
        bench_histogram_merge(bench_record_latency(record), &outcome->latency);
    if (!isnan(outcome->cpu_ns) && part->cpu_rounds < BENCH_RECORD_ROUNDS_MAX)
        part->cpu_ns[part->cpu_rounds++] = outcome->cpu_ns;
    if (is_about_quiet(what)) {
        part->wedged +=
            outcome->quiet_stopped_ns * 100 >= (double)trial->stop_ns * STOP_PART_PERCENT;
        part->before_max = fmax(part->before_max, outcome->quiet_before_ns);
    }
}

/* Peal can always begin. Of a peer only what it does wrong is a failure; what it lacks is a note. */
static void leave_out(struct contest *contest, struct part *part, const struct bench_trial *trial,
                      const struct bench_outcome *outcome)
{
    bool is_failure = outcome->finding == BENCH_WRONG || part->contender->is_peal || part->is_floor;
    char note[400];

    part->is_out = true;
    if (bench_interrupted() != 0)
        return; /* workers may have been killed for us to end sooner */
    fprintf(stderr, "\npeal-bench: %s: %s%s: %s\n", contest->scenario->name, part->contender->name,
            is_failure ? " has failed" : " is left out", outcome->reason);
    snprintf(note, sizeof note, "%s: %s", is_failure ? "FAILED" : "left out", outcome->reason);
    bench_record_note(record_of(contest, part, trial), note);
    contest->run->has_failed |= is_failure;
}

static void take_turn(struct contest *contest, struct part *part)
{
    static struct bench_outcome outcome; /* large */
    struct bench_trial trial = trial_of(contest, part);

    part->value = NAN;
    if (part->is_out)
        return;
    bench_trial_run(&trial, &outcome);
    if (outcome.finding == BENCH_RIGHT || outcome.finding == BENCH_CUT)
        keep(contest, part, &trial, &outcome);
    else
        leave_out(contest, part, &trial, &outcome);
    if (contest->run->verbose)
        fprintf(stderr, "%s, %s: %.0f/s, p50 %.0f ns, p99.9 %.0f ns, CPU %.0f ns%s\n",
                contest->scenario->name, part->contender->name, outcome.rate,
                bench_histogram_quantile(&outcome.latency, 0.5),
                bench_histogram_quantile(&outcome.latency, 0.999), outcome.cpu_ns,
                outcome.finding == BENCH_CUT ? ", cut" : "");
}

/* ---- rounds ---- */

/* The mean of the middle: the raw round trip has two modes, between which a median jumps. */
static double middle_mean(const struct bench_histogram *histogram)
{
    double skipped = (double)histogram->total * (1 - MIDDLE) / 2, seen = 0, sum = 0;
    double end = (double)histogram->total - skipped;

    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        double from = fmax(seen, skipped);
        seen += (double)histogram->counts[i];
        double to = fmin(seen, end);
        if (to > from)
            sum += (to - from) * (double)bench_histogram_value(i);
    }
    return end > skipped ? sum / (end - skipped) : 0;
}

/* The raw round trip, now; 0: it could not be taken. */
static double probe(const struct contest *contest)
{
    static struct bench_outcome outcome;
    const struct bench_run *run = contest->run;
    struct bench_trial trial = {.contender = &bench_floor_line,
                                .url = run->url,
                                .cpus = {run->cpus[0], run->cpus[1]},
                                .mode = BENCH_PING_PONG,
                                .pattern = BENCH_PATTERN_PAIR,
                                .senders = 1,
                                .receivers = 1,
                                .batch = 1,
                                .size_bytes = 8,
                                .depth = 1,
                                .warm_ns = BENCH_MILLISECOND,
                                .measure_ns = PROBE_MS * BENCH_MILLISECOND};

    bench_trial_run(&trial, &outcome);
    return outcome.finding == BENCH_RIGHT ? middle_mean(&outcome.latency) : 0;
}

/* The value of the floor that others are set against. */
static double floor_value(const struct contest *contest)
{
    for (unsigned i = 0; i < contest->count; i++) {
        if (contest->parts[i].is_floor && contest->parts[i].contender == contest->what->floors[0])
            return contest->parts[i].value;
    }
    return NAN;
}

static void end_round(struct contest *contest, bool has_drifted)
{
    double floor = floor_value(contest);

    for (unsigned i = 0; i < contest->count; i++) {
        struct part *part = &contest->parts[i];
        if (part->record != NULL && !part->is_out)
            bench_record_round(part->record, part->value,
                               part->contender == contest->what->floors[0] ? (double)NAN : floor,
                               has_drifted);
    }
}

static void run_round(struct contest *contest, unsigned round)
{
    double before_ns = probe(contest);

    for (unsigned i = 0; i < contest->count; i++) {
        take_turn(contest, &contest->parts[(i + round) % contest->count]);
        contest->run->progress(contest->run, ((double)round + (double)(i + 1) / contest->count) /
                                                 rounds_of(contest));
    }
    end_round(contest, !bench_probes_agree(before_ns, probe(contest), TOLERANCE));
}

/* ---- what there is to say in the end ---- */

static void append(char *note, size_t note_bytes, const char *text)
{
    size_t used = strlen(note);

    if (text != NULL)
        snprintf(note + used, note_bytes - used, "%s%s", used > 0 ? "; " : "", text);
}

static void note_part(const struct contest *contest, const struct part *part)
{
    const struct bench_contest *what = contest->what;
    char note[800] = "", text[200];

    append(note, sizeof note, part->contender->note);
    append(note, sizeof note, what->note);
    if (part->lost > 0) {
        snprintf(text, sizeof text, "%llu messages were lost, as by its design they may be",
                 (unsigned long long)part->lost);
        append(note, sizeof note, text);
    }
    if (part->record->cut > 0) {
        snprintf(text, sizeof text, "%u rounds did not come to an end; %llu messages were missing",
                 part->record->cut, (unsigned long long)part->missing);
        append(note, sizeof note, text);
    }
    if (is_about_quiet(what)) {
        snprintf(text, sizeof text,
                 "wedged in %u of %u rounds; before the stop at most %.1f ms without a message",
                 part->wedged, part->record->rounds, part->before_max * 1e-6);
        append(note, sizeof note, text);
    }
    bench_record_note(part->record, note[0] != '\0' ? note : NULL);
}

static void finish_part(struct contest *contest, struct part *part)
{
    const struct bench_contest *what = contest->what;
    struct bench_record *record = part->record;

    if (record == NULL || part->is_out)
        return;
    if (record->rounds < rounds_of(contest))
        record->remarks |= BENCH_REMARK_PARTIAL;
    if (part->cpu_rounds > 0)
        record->cpu_ns = bench_quantile(part->cpu_ns, part->cpu_rounds, 0.5);
    if (what->floors[0] != NULL && part->contender != what->floors[0])
        bench_record_floor(record, what->floors[0]->name, part->is_floor ? 0 : what->target);
    note_part(contest, part);
    if (record->operations == 0 && record->cut == 0 && bench_interrupted() == 0) {
        fprintf(stderr, "\npeal-bench: %s: %s has failed: no message came in any round\n",
                contest->scenario->name, part->contender->name);
        contest->run->has_failed = true;
    }
}

void bench_contest_run(struct bench_run *run, const struct bench_scenario *scenario)
{
    static struct contest contest; /* large */

    memset(&contest, 0, sizeof contest);
    contest.run = run;
    contest.scenario = scenario;
    contest.what = scenario->parameters;
    choose_parts(&contest);
    for (unsigned round = 0; round < rounds_of(&contest) && bench_interrupted() == 0; round++)
        run_round(&contest, round);
    for (unsigned i = 0; i < contest.count; i++)
        finish_part(&contest, &contest.parts[i]);
}
