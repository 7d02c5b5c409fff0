/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/verdict.h"

#include <inttypes.h>
#include <stdio.h>

static bool goes_to_all(const struct bench_trial *trial)
{
    return trial->pattern == BENCH_PATTERN_FAN_OUT || trial->pattern == BENCH_PATTERN_MESH;
}

static uint64_t sent_by(const struct bench_arena *arena, uint32_t worker)
{
    return bench_word_read(&arena->workers[worker].sent.word);
}

static uint64_t sent_by_all(const struct bench_trial *trial, const struct bench_arena *arena)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < bench_trial_workers(trial); i++)
        sum += sent_by(arena, i);
    return sum;
}

uint64_t bench_verdict_expected(const struct bench_trial *trial, const struct bench_arena *arena)
{
    if (trial->pattern == BENCH_PATTERN_LATEST)
        return 0;
    return sent_by_all(trial, arena) * (goes_to_all(trial) ? trial->receivers : 1);
}

static void add(struct bench_tally *into, const struct bench_tally *from)
{
    into->count += from->count;
    into->sum += from->sum;
    into->squares += from->squares;
    into->next = from->next > into->next ? from->next : into->next;
}

static void find_wrong(const struct bench_trial *trial, struct bench_outcome *outcome,
                       uint32_t sender, uint64_t sent, uint64_t came)
{
    outcome->finding = BENCH_WRONG;
    snprintf(outcome->reason, sizeof outcome->reason,
             "of %" PRIu64 " messages of sender %" PRIu32 " %" PRIu64
             " came%s: some are lost, or came twice, or were never sent",
             sent, sender, came, goes_to_all(trial) ? " to a receiver" : "");
}

/* What was got of one sender, by one receiver or by all together. */
static void judge(const struct bench_trial *trial, struct bench_outcome *outcome, uint32_t sender,
                  uint64_t sent, const struct bench_tally *got)
{
    struct bench_tally wanted = bench_tally_of(sent);

    if (got->count > sent || got->next > sent) {
        find_wrong(trial, outcome, sender, sent, got->count);
    } else if (trial->pattern == BENCH_PATTERN_LATEST) {
        return;
    } else if (trial->contender->loses && got->count < sent) {
        outcome->lost += sent - got->count;
    } else if (got->count != sent || got->sum != wanted.sum || got->squares != wanted.squares) {
        find_wrong(trial, outcome, sender, sent, got->count);
    }
}

/* The newest message stays until a newer one comes, so every receiver finds one in the end. */
static void judge_latest(const struct bench_trial *trial, const struct bench_arena *arena,
                         struct bench_outcome *outcome)
{
    for (uint32_t i = trial->senders; i < bench_trial_workers(trial); i++) {
        if (bench_word_read(&arena->workers[i].received.word) == 0) {
            outcome->finding = BENCH_WRONG;
            snprintf(outcome->reason, sizeof outcome->reason, "a receiver never got a message");
        }
    }
}

void bench_verdict_give(const struct bench_trial *trial, const struct bench_arena *arena,
                        struct bench_outcome *outcome)
{
    uint32_t workers = bench_trial_workers(trial);
    bool to_each = goes_to_all(trial) || trial->pattern == BENCH_PATTERN_LATEST;

    outcome->finding = BENCH_RIGHT;
    for (uint32_t sender = 0; sender < workers; sender++) {
        struct bench_tally all = {0};
        uint64_t sent = sent_by(arena, sender);
        for (uint32_t i = 0; i < workers; i++) {
            const struct bench_tally *tally = &arena->workers[i].tallies[sender];
            if (to_each && bench_worker_receives(trial, i) && bench_worker_sends(trial, sender))
                judge(trial, outcome, sender, sent, tally);
            add(&all, tally);
        }
        if (!to_each)
            judge(trial, outcome, sender, sent, &all);
    }
    if (trial->pattern == BENCH_PATTERN_LATEST && sent_by_all(trial, arena) > 0)
        judge_latest(trial, arena, outcome);
}
