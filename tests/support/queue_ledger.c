/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void queue_ledger_complain(struct queue_ledger *ledger, const char *format, ...)
{
    uint64_t none = 0;
    if (!peal_u64_cas_acq_rel(&ledger->has_complaint, &none, 1))
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(ledger->complaint, sizeof(ledger->complaint), format, arguments);
    va_end(arguments);
}

static void add(peal_u64 *count, uint64_t more)
{
    (void)peal_u64_add_acq_rel(count, more);
}

static bool is_elsewhere(const struct queue_ledger *ledger, uint64_t account)
{
    return peal_u64_load_acquire(&ledger->accounts[account].is_elsewhere) != 0;
}

static bool is_in(const struct queue_entry *entry, uint32_t states)
{
    return (peal_u64_load_acquire(&entry->state) & states) != 0;
}

/* ---- pushing ---- */

uint32_t queue_ledger_open(struct queue_ledger *ledger, const char *name)
{
    uint64_t account = peal_u64_add_acq_rel(&ledger->account_count, 1);
    if (account >= QUEUE_ACCOUNTS_MAX)
        return UINT32_MAX;
    peal_u64_store_release(&ledger->accounts[account].is_elsewhere,
                           strcmp(name, QUEUE_LEDGER_NAME) != 0);
    return (uint32_t)account;
}

size_t queue_ledger_words(uint64_t number)
{
    return 1 + (size_t)(number % QUEUE_WORDS_MAX);
}

static uint64_t word_of(uint64_t account, uint64_t number, size_t place)
{
    return place == 0 ? account << 32 | number
                      : (account << 32 | number) * UINT64_C(0x9e3779b97f4a7c15) + place;
}

uint64_t queue_ledger_begin(struct queue_ledger *ledger, uint32_t account, size_t count,
                            uint64_t *words)
{
    struct queue_account *own = &ledger->accounts[account];
    uint64_t first = peal_u64_add_acq_rel(&own->next, count);
    uint64_t now = peal_u64_add_acq_rel(&ledger->clock, 1) + 1;
    if (first + count > QUEUE_NUMBERS_MAX) {
        queue_ledger_complain(ledger, "account %" PRIu32 " is full", account);
        return 0;
    }
    size_t size = queue_ledger_words(first);
    for (size_t i = 0; i < count; i++) {
        struct queue_entry *entry = &own->entries[first + i];
        peal_u64_store_release(&entry->begun_at, now);
        peal_u64_store_release(&entry->words, size);
        peal_u64_store_release(&entry->state, QUEUE_BEGUN);
        for (size_t place = 0; place < size; place++)
            words[i * size + place] = word_of(account, first + i, place);
    }
    return first;
}

void queue_ledger_push(struct queue_ledger *ledger, uint32_t account, uint64_t first, size_t count,
                       enum queue_entry_state outcome)
{
    uint64_t now = peal_u64_add_acq_rel(&ledger->clock, 1) + 1;
    for (uint64_t i = first; i < first + count; i++) {
        struct queue_entry *entry = &ledger->accounts[account].entries[i];
        if (outcome == QUEUE_PUSHED)
            peal_u64_store_release(&entry->pushed_at, now);
        (void)peal_u64_or_acq_rel(&entry->state, outcome);
    }
}

/* ---- getting ---- */

/* Of a queue that is strict: what was pushed before another push began comes before it. */
static void judge_order(struct queue_ledger *ledger, peal_u64 *actor_latest,
                        const struct queue_entry *entry)
{
    uint64_t pushed_at = peal_u64_load_acquire(&entry->pushed_at);
    uint64_t begun_at = peal_u64_load_acquire(&entry->begun_at);
    uint64_t latest = peal_u64_load_acquire(actor_latest);
    if (pushed_at && pushed_at < latest)
        queue_ledger_complain(ledger,
                              "strict: a message pushed at %" PRIu64
                              " came after one whose push began at %" PRIu64,
                              pushed_at, latest);
    if (begun_at > latest)
        peal_u64_store_release(actor_latest, begun_at);
}

struct queue_entry *queue_ledger_receive(struct queue_ledger *ledger, struct queue_actor *actor,
                                         const struct peal_queue_message *message)
{
    uint64_t words[QUEUE_WORDS_MAX] = {UINT64_MAX};
    size_t count = message->size_bytes / sizeof(words[0]);
    if (count <= QUEUE_WORDS_MAX)
        memcpy(words, message->data, count * sizeof(words[0]));
    uint64_t account = words[0] >> 32;
    uint64_t number = words[0] & UINT32_MAX;
    if (account >= QUEUE_ACCOUNTS_MAX || number >= QUEUE_NUMBERS_MAX ||
        count != peal_u64_load_acquire(&ledger->accounts[account].entries[number].words)) {
        queue_ledger_complain(ledger, "no such message: %#" PRIx64 " of %zu words", words[0],
                              count);
        return NULL;
    }
    for (size_t place = 0; place < count; place++)
        if (words[place] != word_of(account, number, place))
            queue_ledger_complain(ledger, "word %zu of %" PRIu64 ":%" PRIu64 " is wrong", place,
                                  account, number);
    struct queue_entry *entry = &ledger->accounts[account].entries[number];
    if (!is_in(entry, QUEUE_BEGUN) || is_in(entry, QUEUE_REFUSED | QUEUE_DROPPED) ||
        peal_u64_load_acquire(&entry->delivered))
        queue_ledger_complain(ledger,
                              "%" PRIu64 ":%" PRIu64 " came in state %#" PRIx64
                              ", delivered before: %" PRIu64,
                              account, number, peal_u64_load_acquire(&entry->state),
                              peal_u64_load_acquire(&entry->delivered));
    if (message->is_redelivered) {
        if (!is_in(entry, QUEUE_HELD))
            add(&ledger->unforeseen, 1);
    } else {
        uint64_t due = peal_u64_load_acquire(&actor->next[account]);
        if (number < due || is_in(entry, QUEUE_HELD))
            queue_ledger_complain(
                ledger, "%" PRIu64 ":%" PRIu64 " came where %" PRIu64 " was due, or is another's",
                account, number, due);
        peal_u64_store_release(&actor->next[account], number + 1);
        if (peal_u64_load_acquire(&ledger->is_strict))
            judge_order(ledger, &actor->latest[is_elsewhere(ledger, account)], entry);
    }
    (void)peal_u64_or_acq_rel(&entry->state, QUEUE_HELD);
    return entry;
}

void queue_ledger_deliver(struct queue_ledger *ledger, struct queue_entry *entry)
{
    (void)peal_u64_and_acq_rel(&entry->state, ~(uint64_t)(QUEUE_HELD | QUEUE_FINISHING));
    if (peal_u64_add_acq_rel(&entry->delivered, 1) != 0)
        queue_ledger_complain(ledger, "a message was delivered twice");
}

/* ---- in the end ---- */

void queue_ledger_bury(struct queue_ledger *ledger, struct queue_actor *actor, const char *point)
{
    /* What it was getting was its own already, if it died after the claim was done with. */
    if (strcmp(point, "queue.finished") == 0 || strcmp(point, "queue.redelivered") == 0)
        add(&ledger->gone, peal_u64_load_acquire(&actor->in_flight));
    if (strncmp(point, "queue.retir", 11) == 0 || strncmp(point, "pages.", 6) == 0)
        peal_u64_store_release(&ledger->is_doubled, 1);
    peal_u64_store_release(&actor->is_dead, 1);
}

/* What the ledger says of the queue, and of others. */
struct account_of_all {
    uint64_t pushed;
    uint64_t unsure; /* begun, and who pushed died before he knew */
    uint64_t dropped;
    uint64_t missing; /* pushed and not delivered */
    uint64_t excused; /* ... where who had them died as he was just done */
    uint64_t first_missing;
};

static void add_up_account(const struct queue_account *account, struct account_of_all *all)
{
    const uint32_t outcomes = QUEUE_PUSHED | QUEUE_REFUSED | QUEUE_DROPPED;
    for (uint64_t number = 0; number < QUEUE_NUMBERS_MAX; number++) {
        const struct queue_entry *entry = &account->entries[number];
        all->pushed += is_in(entry, QUEUE_PUSHED);
        all->dropped += is_in(entry, QUEUE_DROPPED);
        all->unsure += is_in(entry, QUEUE_BEGUN) && !is_in(entry, outcomes);
        if (!is_in(entry, QUEUE_PUSHED) || peal_u64_load_acquire(&entry->delivered))
            continue;
        all->first_missing = number;
        all->missing++;
        all->excused += is_in(entry, QUEUE_FINISHING);
    }
}

static void judge(struct queue_ledger *ledger, const char *what, uint64_t is, uint64_t least,
                  uint64_t most)
{
    if (peal_u64_load_acquire(&ledger->is_doubled))
        most *= 2;
    if (is < least || is > most)
        queue_ledger_complain(ledger,
                              "%s: the queue says %" PRIu64 ", the ledger %" PRIu64 " to %" PRIu64,
                              what, is, least, most);
}

static void judge_redeliveries(struct queue_ledger *ledger)
{
    uint64_t in_flight = 0;
    for (uint32_t i = 0; i < QUEUE_ACTORS_MAX; i++) {
        const struct queue_actor *actor = &ledger->actors[i];
        uint64_t left = peal_u64_load_acquire(&actor->in_flight);
        if (peal_u64_load_acquire(&actor->is_dead))
            in_flight += left;
        else if (left)
            queue_ledger_complain(ledger, "actor %" PRIu32 " lives, and gets something still", i);
    }
    uint64_t unforeseen = peal_u64_load_acquire(&ledger->unforeseen);
    if (unforeseen > in_flight)
        queue_ledger_complain(ledger,
                              "%" PRIu64 " messages were redelivered that only the dead may have "
                              "had, who had at most %" PRIu64,
                              unforeseen, in_flight);
}

void queue_ledger_compare(struct queue_ledger *ledger, const struct queue_sums *sums)
{
    struct account_of_all all[2] = {{0}, {0}};
    for (uint32_t i = 0; i < QUEUE_ACCOUNTS_MAX; i++)
        add_up_account(&ledger->accounts[i], &all[is_elsewhere(ledger, i)]);
    judge_redeliveries(ledger);
    const struct account_of_all *here = &all[0];
    const struct account_of_all *elsewhere = &all[1];
    uint64_t gone = peal_u64_load_acquire(&ledger->gone);
    uint64_t least =
        here->excused + gone < here->missing ? here->missing - here->excused - gone : 0;
    judge(ledger, "dropped or lost", sums->dropped_oldest + sums->lost, least,
          here->missing + here->unsure);
    judge(ledger, "dropped newest", sums->dropped_newest, here->dropped,
          here->dropped + here->unsure);
    judge(ledger, "published", sums->published, here->pushed, here->pushed + here->unsure);
    uint64_t may_drop = peal_u64_load_acquire(&ledger->may_drop);
    if (elsewhere->missing > elsewhere->excused + gone + may_drop)
        queue_ledger_complain(ledger,
                              "elsewhere %" PRIu64 " messages lack, one has the number %" PRIu64
                              "; at most %" PRIu64 " were dropped",
                              elsewhere->missing, elsewhere->first_missing, may_drop);
}
