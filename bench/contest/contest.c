/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/contest.h"

#include "bench/clock.h"
#include "bench/contest/floor_slots.h"
#include "bench/contest/realtime.h"
#include "bench/contest/reasons.h"
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
    STOP_MS_MIN = 50, /* of whom everybody may wait for, however short the run: who is held up by
                               the scheduler for some milliseconds shall not look wedged */
    STOP_PART_PERCENT = 50, /* of the stop: who was held up so long was wedged */
};

#define TOLERANCE 0.20
#define MIDDLE 0.8

/* One contender in one scenario. */
struct part {
    const struct bench_contender *contender;
    const char *url; /* of its bus */
    char name[64];
    struct bench_record *record;   /* NULL: not yet */
    struct bench_record *in_queue; /* of the scenario `also`; NULL: there is none */
    bool is_floor;
    bool is_out; /* it failed, or cannot begin here */
    uint64_t lost;
    uint64_t missing;
    double before_max; /* longest quiet time before the stop */
    double cpu_ns[BENCH_RECORD_ROUNDS_MAX];
    unsigned cpu_rounds;
    double value; /* of the present round; NAN: none */
    double value_in_queue;
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
                     bool is_floor, const char *url)
{
    if (contest->count == PARTS_MAX || bench_contest_excludes(contest->what, contender) != NULL)
        return;
    struct part *part = &contest->parts[contest->count++];
    *part = (struct part){.contender = contender, .url = url, .is_floor = is_floor};
    if (url == contest->run->url)
        snprintf(part->name, sizeof part->name, "%s", contender->name);
    else
        snprintf(part->name, sizeof part->name, "%s (%.*s)", contender->name,
                 (int)strcspn(url, ":"), url);
}

/* Once for each bus that it can go over. */
static void add_parts(struct contest *contest, const struct bench_contender *contender)
{
    const char *also_url = contest->run->also_url;

    add_part(contest, contender, false, contest->run->url);
    if (also_url != NULL && contender->is_peal && contender->memory_bytes == NULL)
        add_part(contest, contender, false, also_url);
}

/* Floors are measured whoever is left out; without anybody else they are not. */
static void choose_parts(struct contest *contest)
{
    for (size_t i = 0; bench_contenders[i] != NULL; i++) {
        if (bench_run_wants(contest->run, contest->scenario, bench_contenders[i]->name))
            add_parts(contest, bench_contenders[i]);
    }
    for (size_t i = 0; i < 4 && contest->what->floors[i] != NULL; i++)
        add_part(contest, contest->what->floors[i], true, contest->run->url);
}

/* ---- one turn ---- */

static uint64_t scaled_ns(const struct contest *contest, uint32_t duration_ms)
{
    double scale = contest->run->scale;
    double duration_ns = (double)duration_ms * (double)BENCH_MILLISECOND * scale;

    return duration_ns < (double)BENCH_MILLISECOND ? BENCH_MILLISECOND : (uint64_t)duration_ns;
}

/* A queue of Peal's is so deep for each sender, unless that shall be no advantage. */
static uint32_t depth_of(const struct contest *contest, bool is_peal)
{
    const struct bench_contest *what = contest->what;
    uint32_t depth = bench_contest_depth(what->size_bytes);

    if (!is_peal || !contest->run->shares_depth || what->pattern != BENCH_PATTERN_QUEUE)
        return depth;
    return depth / or_one(what->senders) > 0 ? depth / or_one(what->senders) : 1;
}

static uint64_t stop_ns_of(const struct contest *contest)
{
    uint64_t stop_ns = scaled_ns(contest, contest->what->stop_ms);

    return is_about_quiet(contest->what) && stop_ns < STOP_MS_MIN * BENCH_MILLISECOND
               ? STOP_MS_MIN * BENCH_MILLISECOND
               : stop_ns;
}

static struct bench_trial trial_of(const struct contest *contest, const struct part *part)
{
    const struct bench_contest *what = contest->what;
    const struct bench_run *run = contest->run;
    bool is_peal = part->contender->is_peal;
    uint32_t stop_ms = what->stop_ms;

    return (struct bench_trial){
        .contender = part->contender,
        .url = part->url,
        .cpus = {run->cpus[0], run->cpus[1]},
        .threads = part->contender->reach == BENCH_REACH_THREADS ||
                   (run->threads && what->victim == BENCH_NOBODY),
        .mode = what->mode,
        .pattern = what->pattern,
        .senders = or_one(what->senders),
        .receivers = or_one(what->receivers),
        .batch = or_one(what->batch),
        .size_bytes = what->size_bytes,
        .depth = depth_of(contest, is_peal),
        .waiting = what->waiting,
        .warm_ns = scaled_ns(contest, what->warm_ms == 0 ? BENCH_CONTEST_WARM_MS : what->warm_ms),
        .measure_ns = scaled_ns(contest, what->measure_ms),
        .period_ns =
            what->rate_hz == 0 ? 0 : UINT64_C(1000000000) * or_one(what->senders) / what->rate_hz,
        .is_busy = what->is_busy,
        .tells_in_queue = contest->scenario->also != NULL,
        .victim = what->victim,
        .lead_ns = scaled_ns(contest, what->lead_ms == 0 ? stop_ms * 2 / 5 : what->lead_ms),
        .stop_ns = stop_ns_of(contest),
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

static struct bench_record *add_record(struct contest *contest, const struct part *part,
                                       const struct bench_trial *trial, const char *title)
{
    const struct bench_contest *what = contest->what;
    enum bench_party party = part->is_floor             ? BENCH_PARTY_FLOOR
                             : part->contender->is_peal ? BENCH_PARTY_PEAL
                                                        : BENCH_PARTY_PEER;
    struct bench_record *record = bench_results_add(
        &contest->run->results, contest->scenario->group, title, part->name, party, unit_of(what));

    record->remarks = remarks_of(trial);
    record->cpu_ns = NAN;
    record->wedged_ns = is_about_quiet(what) ? (double)trial->stop_ns * STOP_PART_PERCENT / 100 : 0;
    return record;
}

static struct bench_record *record_of(struct contest *contest, struct part *part,
                                      const struct bench_trial *trial)
{
    const struct bench_contest *what = contest->what;
    const char *also = contest->scenario->also;

    if (part->record != NULL)
        return part->record;
    part->record = add_record(contest, part, trial, bench_scenario_title(contest->scenario));
    bench_record_place(part->record, what->series, what->x_name,
                       what->series == NULL ? (double)NAN : what->x);
    if (also != NULL)
        part->in_queue = add_record(contest, part, trial, strchr(also, '/') + 1);
    if (part->contender->is_peal)
        (also != NULL ? part->in_queue : part->record)->aim = what->aim;
    return part->record;
}

static double quantile_of(const struct bench_contest *what, const struct bench_histogram *histogram)
{
    return histogram->total > 0 ? bench_histogram_quantile(histogram, what->quantile) : (double)NAN;
}

static double value_of(const struct bench_contest *what, const struct bench_outcome *outcome)
{
    if (is_about_quiet(what))
        return outcome->quiet_stopped_ns;
    if (what->quantile > 0)
        return quantile_of(what, &outcome->latency);
    return what->in_bytes ? outcome->rate * what->size_bytes : outcome->rate;
}

static void count_cut(struct bench_record *record)
{
    if (record == NULL)
        return;
    record->cut++;
    record->remarks |= BENCH_REMARK_CUT;
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
        count_cut(record);
        count_cut(part->in_queue);
    }
    if (what->quantile > 0)
        bench_histogram_merge(bench_record_latency(record), &outcome->latency);
    if (part->in_queue != NULL) {
        part->value_in_queue = quantile_of(what, &outcome->in_queue);
        part->in_queue->operations += outcome->operations;
        bench_histogram_merge(bench_record_latency(part->in_queue), &outcome->in_queue);
    }
    if (!isnan(outcome->cpu_ns) && part->cpu_rounds < BENCH_RECORD_ROUNDS_MAX)
        part->cpu_ns[part->cpu_rounds++] = outcome->cpu_ns;
    if (is_about_quiet(what))
        part->before_max = fmax(part->before_max, outcome->quiet_before_ns);
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
    fprintf(stderr, "\npeal-bench: %s: %s%s: %s\n", contest->scenario->name, part->name,
            is_failure ? " has failed" : " is left out", outcome->reason);
    snprintf(note, sizeof note, "%s: %s", is_failure ? "FAILED" : "left out", outcome->reason);
    bench_record_note(record_of(contest, part, trial), note);
    if (part->in_queue != NULL)
        bench_record_note(part->in_queue, note);
    contest->run->has_failed |= is_failure;
}

static void take_turn(struct contest *contest, struct part *part)
{
    static struct bench_outcome outcome; /* large */
    struct bench_trial trial = trial_of(contest, part);
    uint64_t begin_ns = bench_clock_ns();

    part->value = NAN;
    part->value_in_queue = NAN;
    if (part->is_out)
        return;
    bench_trial_run(&trial, &outcome);
    if (contest->run->is_realtime)
        bench_realtime_make_up(begin_ns);
    if (outcome.finding == BENCH_RIGHT || outcome.finding == BENCH_CUT)
        keep(contest, part, &trial, &outcome);
    else
        leave_out(contest, part, &trial, &outcome);
    if (contest->run->verbose)
        fprintf(stderr, "%s, %s: %.0f/s, p50 %.0f ns, p99.9 %.0f ns, CPU %.0f ns%s\n",
                contest->scenario->name, part->name, outcome.rate,
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
        if (part->in_queue != NULL && !part->is_out)
            bench_record_round(part->in_queue, part->value_in_queue, NAN, has_drifted);
    }
}

static void run_round(struct contest *contest, unsigned round)
{
    double before_ns = probe(contest);

    for (unsigned i = 0; i < contest->count; i++) {
        take_turn(contest,
                  &contest->parts[(i + round + contest->run->rounds_done) % contest->count]);
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

static void note_record(const struct contest *contest, const struct part *part,
                        struct bench_record *record, const char *of_scenario)
{
    char note[800] = "", text[200];

    append(note, sizeof note, part->contender->note);
    append(note, sizeof note, of_scenario);
    if (part->lost > 0) {
        snprintf(text, sizeof text, "%llu messages were lost, as by its design they may be",
                 (unsigned long long)part->lost);
        append(note, sizeof note, text);
    }
    if (record->cut > 0) {
        snprintf(text, sizeof text, "%u rounds did not come to an end; %llu messages were missing",
                 record->cut, (unsigned long long)part->missing);
        append(note, sizeof note, text);
    }
    if (is_about_quiet(contest->what)) {
        snprintf(text, sizeof text,
                 "wedged in %u of %u rounds; before the stop at most %.1f ms without a message",
                 bench_record_wedged(record), record->rounds, part->before_max * 1e-6);
        append(note, sizeof note, text);
    }
    bench_record_note(record, note[0] != '\0' ? note : NULL);
}

static void give_reason(const struct part *part, struct bench_record *record, const char *scenario)
{
    char text[800];

    if (record->party == BENCH_PARTY_PEER &&
        bench_reasons_of(scenario, part->contender->name, text, sizeof text))
        bench_record_reason(record, text);
}

static void finish_in_queue(const struct contest *contest, const struct part *part)
{
    part->in_queue->remarks |= part->record->remarks;
    note_record(contest, part, part->in_queue, contest->what->note_in_queue);
    give_reason(part, part->in_queue, contest->scenario->also);
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
    note_record(contest, part, record, what->note);
    give_reason(part, record, contest->scenario->name);
    if (part->in_queue != NULL)
        finish_in_queue(contest, part);
    if (record->operations == 0 && record->cut == 0 && bench_interrupted() == 0) {
        fprintf(stderr, "\npeal-bench: %s: %s has failed: no message came in any round\n",
                contest->scenario->name, part->name);
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
    if (run->is_realtime)
        (void)bench_realtime_begin(); /* that it may has been seen before */
    for (unsigned round = 0; round < rounds_of(&contest) && bench_interrupted() == 0; round++)
        run_round(&contest, round);
    if (run->is_realtime)
        bench_realtime_end();
    for (unsigned i = 0; i < contest.count; i++)
        finish_part(&contest, &contest.parts[i]);
}
