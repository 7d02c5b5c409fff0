/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/ledger.h"

#include "bench/contest/trial.h"
#include "bench/line.h"

#include <stdio.h>
#include <string.h>

enum { KEEPERS_MAX = 4 };

struct place {
    struct bench_line is_used; /* all else is written before */
    const struct bench_contender *contender;
    struct bench_channel channel;
    char name[64];
};

struct ledger {
    struct place places[BENCH_LEDGER_PLACES];
    struct bench_line keepers_count; /* the same */
    const struct bench_contender *keepers[KEEPERS_MAX];
};

static struct ledger *ledger;

void bench_ledger_share(void)
{
    if (ledger == NULL)
        ledger = bench_share(sizeof *ledger);
}

static void enter_keeper(const struct bench_contender *contender)
{
    uint64_t count = bench_word_read(&ledger->keepers_count.word);

    for (uint64_t i = 0; i < count; i++) {
        if (ledger->keepers[i] == contender)
            return;
    }
    if (count == KEEPERS_MAX)
        bench_contender_die("more than %d contenders keep something", KEEPERS_MAX);
    ledger->keepers[count] = contender;
    bench_word_write(&ledger->keepers_count.word, count + 1);
}

void bench_ledger_enter(unsigned index, const struct bench_contender *contender,
                        const struct bench_channel *channel)
{
    bench_ledger_share();
    struct place *place = &ledger->places[index];
    if (contender->rest != NULL)
        enter_keeper(contender);
    place->contender = contender;
    place->channel = *channel;
    snprintf(place->name, sizeof place->name, "%s", channel->name);
    bench_word_write(&place->is_used.word, 1);
}

void bench_ledger_strike(unsigned index)
{
    bench_word_write(&ledger->places[index].is_used.word, 0);
}

void bench_ledger_rest(void)
{
    if (ledger == NULL)
        return;
    for (uint64_t i = 0; i < bench_word_read(&ledger->keepers_count.word); i++)
        ledger->keepers[i]->rest();
    bench_word_write(&ledger->keepers_count.word, 0);
}

void bench_ledger_clear(void)
{
    for (unsigned i = 0; ledger != NULL && i < BENCH_LEDGER_PLACES; i++) {
        struct place *place = &ledger->places[i];
        if (bench_word_read(&place->is_used.word) == 0 || place->contender->end == NULL)
            continue;
        place->channel.name = place->name;
        place->channel.memory = NULL;
        place->channel.state = NULL;
        place->contender->end(&place->channel);
        bench_ledger_strike(i);
    }
    bench_ledger_rest();
}
