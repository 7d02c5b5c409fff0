/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/soak_book.h"

#include "tests/support/first_wrong.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct soak_account *soak_account_open(struct soak_book *book, uint32_t kind)
{
    uint32_t index = peal_u32_add_acq_rel(&book->account_count, 1);
    if (index >= SOAK_ACCOUNTS)
        return NULL;
    peal_u32_store_release(&book->accounts[index].queue, kind + 1);
    return &book->accounts[index];
}

uint32_t soak_book_clock(struct soak_book *book)
{
    return peal_u32_add_seq_cst(&book->clock, 1) + 1;
}

uint64_t soak_job_check(const struct soak_job *job)
{
    uint64_t words = (uint64_t)job->account << 32 | job->number;
    return (words + job->began + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

peal_u32 *soak_book_marks(struct soak_book *book, const struct soak_job *job, uint32_t kind)
{
    if (job->check != soak_job_check(job) || job->account >= SOAK_ACCOUNTS)
        return NULL;
    struct soak_account *account = &book->accounts[job->account];
    if (peal_u32_load_acquire(&account->queue) != kind + 1 || job->number >= SOAK_MESSAGES ||
        job->number >= peal_u32_load_acquire(&account->begun))
        return NULL;
    return &account->marks[job->number];
}

void soak_book_reap(struct soak_book *book, struct soak_hand *hand)
{
    bool is_unsure = peal_u32_load_acquire(&hand->is_unsure);
    for (uint32_t i = 0; is_unsure && i < SOAK_BATCH; i++) {
        const struct soak_job *job = &hand->jobs[i];
        /* What was not copied to its end was not done with. */
        if (job->check == soak_job_check(job) && job->account < SOAK_ACCOUNTS &&
            job->number < SOAK_MESSAGES)
            (void)peal_u32_or_acq_rel(&book->accounts[job->account].marks[job->number],
                                      SOAK_UNSURE);
    }
    memset(hand, 0, sizeof(*hand));
}

bool soak_book_is_full(const struct soak_book *book)
{
    return peal_u32_load_acquire(&book->account_count) > SOAK_ACCOUNTS / 8 * 7 ||
           peal_u32_load_acquire(&book->clock) > UINT32_MAX / 2;
}

/* ---- settling ---- */

/* What is missing of one queue. */
struct balance {
    uint64_t missing;
    uint64_t allowed; /* as many may be, for they were dropped by who pushed them */
};

static bool complain(struct soak_book *book, int line, uint32_t account, uint64_t is, uint64_t due)
{
    const struct soak_account *a = &book->accounts[account];
    fprintf(stderr,
            "soak_book.c:%d: account %" PRIu32 " of queue %" PRIu32 ": %" PRIu64 " where %" PRIu64
            " may be; begun %" PRIu32 ", pushed %" PRIu32 ", dropped %" PRIu32 "\n",
            line, account, peal_u32_load_relaxed(&a->queue), is, due,
            peal_u32_load_relaxed(&a->begun), peal_u32_load_relaxed(&a->pushed),
            peal_u32_load_relaxed(&a->dropped));
    first_wrong_note(&book->wrong, line);
    return false;
}

/* Messages that were pushed for certain and that nobody has got. */
static uint64_t count_missing(struct soak_book *book, const struct soak_account *account)
{
    uint64_t missing = 0;
    uint32_t pushed = peal_u32_load_relaxed(&account->pushed);
    uint32_t begun = peal_u32_load_relaxed(&account->begun);
    for (uint32_t i = 0; i < begun && i < SOAK_MESSAGES; i++) {
        uint32_t marks = peal_u32_load_relaxed(&account->marks[i]);
        book->figures.done += (marks & SOAK_DONE) != 0;
        book->figures.unsure += marks == SOAK_UNSURE || marks == (SOAK_UNSURE | SOAK_SEEN);
        missing += i < pushed && !(marks & (SOAK_DONE | SOAK_UNSURE));
    }
    book->figures.pushed += pushed;
    book->figures.dropped += peal_u32_load_relaxed(&account->dropped);
    return missing;
}

bool soak_book_settle(struct soak_book *book, const uint64_t lost[SOAK_QUEUES])
{
    struct balance balances[SOAK_QUEUES] = {{0}};
    uint32_t count = peal_u32_load_acquire(&book->account_count);
    bool is_well = true;
    count = count < SOAK_ACCOUNTS ? count : SOAK_ACCOUNTS;
    for (uint32_t i = 0; i < count; i++) {
        const struct soak_account *account = &book->accounts[i];
        uint32_t kind = peal_u32_load_relaxed(&account->queue) - 1;
        if (kind >= SOAK_QUEUES) /* he died before he wrote it down */
            continue;
        uint64_t missing = count_missing(book, account);
        uint64_t allowed = (uint64_t)peal_u32_load_relaxed(&account->dropped) +
                           peal_u32_load_relaxed(&account->dropping);
        balances[kind].missing += missing;
        balances[kind].allowed += allowed;
        if (!(kind & SOAK_DROPS_HELD) && missing > allowed)
            is_well = complain(book, __LINE__, i, missing, allowed);
    }
    for (uint32_t kind = 0; kind < SOAK_QUEUES; kind++) {
        uint64_t allowed = balances[kind].allowed + lost[kind];
        if (balances[kind].missing > allowed)
            is_well = complain(book, __LINE__, kind, balances[kind].missing, allowed);
        if (lost[kind] && !(kind & SOAK_DROPS_HELD))
            is_well = complain(book, __LINE__, kind, lost[kind], 0);
        book->figures.lost += lost[kind];
    }
    book->figures.rounds++;
    book->figures.accounts += count;
    memset(book->accounts, 0, count * sizeof(book->accounts[0]));
    peal_u32_store_release(&book->clock, 0);
    peal_u32_store_release(&book->account_count, 0);
    return is_well;
}
