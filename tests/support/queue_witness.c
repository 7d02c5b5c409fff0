/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_witness.h"

#include "bus/queue_internal.h"
#include "core/owner.h"
#include "tests/support/eventually.h"

#include <stdio.h>
#include <string.h>

#define DEPTH 16u
#define PUSHES                                                                                     \
    8u /* twice in a work: more than the depth beyond what a mortal may have taken in the beginning */
#define POPS_MAX 256u

static struct queue_ledger *ledger_of(const struct queue_witness *witness)
{
    return witness->life->ledger;
}

static struct queue_hand hand_of(const struct queue_witness *witness)
{
    return (struct queue_hand){
        .ledger = ledger_of(witness), .actor = &witness->life->actors[0], .times = witness->times};
}

static bool open_hand(struct queue_witness *witness, struct queue_hand *hand, uint32_t uses)
{
    const struct peal_queue_options options =
        queue_life_options(witness->life, uses, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    *hand = hand_of(witness);
    return queue_hand_open(hand, witness->base.bus, QUEUE_LEDGER_NAME, &options) == PEAL_OK;
}

static void push(struct queue_witness *witness, struct queue_hand *hand, size_t count)
{
    size_t pushed;
    enum peal_status status =
        count == 1 ? queue_hand_push(hand) : queue_hand_push_batch(hand, count, &pushed);
    if (status != PEAL_OK)
        queue_ledger_complain(ledger_of(witness), "push: %s", peal_status_name(status));
}

bool queue_witness_begin(struct queue_witness *witness, const struct queue_life *life,
                         struct witness_times *times, struct queue_call_times *queue_times)
{
    int descriptor;
    *witness = (struct queue_witness){.base = {.times = times}, .life = life, .times = queue_times};
    peal_u64_store_release(&life->ledger->is_strict, life->strict);
    witness->base.bus = life_bus(life->url, EVENTUALLY_TIMEOUT_NS);
    if (!witness->base.bus || !open_hand(witness, &witness->hands[0], PEAL_QUEUE_PUSH) ||
        !open_hand(witness, &witness->hands[1], PEAL_QUEUE_PUSH | PEAL_QUEUE_POP))
        return false;
    for (uint32_t i = 0; i < 3; i++) {
        push(witness, &witness->hands[0], 1);
        push(witness, &witness->hands[1], 2);
        push(witness, &witness->hands[0], 2);
    }
    return peal_bus_fd(witness->base.bus, &descriptor) == PEAL_OK &&
           peal_bus_arm(witness->base.bus) == PEAL_OK;
}

/* Gets all there is, in all ways by turns. */
static void drain(struct queue_witness *witness, struct queue_hand *hand)
{
    enum peal_status status = PEAL_OK;
    for (uint32_t i = 0; i < POPS_MAX && status == PEAL_OK; i++) {
        if (i % 3 == 0)
            status = queue_hand_pop(hand);
        else if (i % 3 == 1)
            status = queue_hand_pop_batch(hand, 3);
        else
            status = queue_hand_take(hand, 2);
        if (i % 3 == 2 && status == PEAL_OK)
            status = queue_hand_done(hand);
    }
    if (status != PEAL_EMPTY)
        queue_ledger_complain(ledger_of(witness), "drain: %s", peal_status_name(status));
}

/* What the hand has pushed so far has come, whoever else is stopped or dead. */
static void expect_own(struct queue_witness *witness, const struct queue_hand *hand, uint64_t first)
{
    const struct queue_account *account = &ledger_of(witness)->accounts[hand->account];
    uint64_t end = peal_u64_load_acquire(&account->next);
    for (uint64_t i = first; i < end; i++)
        if (!peal_u64_load_acquire(&account->entries[i].delivered) &&
            !(peal_u64_load_acquire(&account->entries[i].state) & QUEUE_REFUSED))
            queue_ledger_complain(ledger_of(witness), "message %u of our own is withheld",
                                  (unsigned)i);
}

/* Who has taken and is not done withholds the lane; nobody does when all others are recovered. */
static void push_many(struct queue_witness *witness, struct queue_hand *hand,
                      enum witness_company company)
{
    enum peal_status status = PEAL_OK;
    for (uint32_t i = 0; i < PUSHES && status == PEAL_OK; i++)
        status = queue_hand_push(hand);
    if (status != PEAL_OK && (status != PEAL_FULL || company == WITNESS_ALONE))
        queue_ledger_complain(ledger_of(witness), "push: %s", peal_status_name(status));
}

static void push_and_drain(struct queue_witness *witness, enum witness_company company)
{
    struct queue_hand *consumer = &witness->hands[1];
    uint64_t first[2];
    drain(witness, consumer);
    for (uint32_t i = 0; i < 2; i++) {
        const struct queue_hand *hand = &witness->hands[i];
        first[i] = peal_u64_load_acquire(&ledger_of(witness)->accounts[hand->account].next);
    }
    push(witness, &witness->hands[1], 1);
    push_many(witness, &witness->hands[0], company);
    push(witness, &witness->hands[1], 2);
    /* What is there is there at once: no time need pass. */
    if (queue_hand_wait(consumer, 1000000) != PEAL_OK)
        queue_ledger_complain(ledger_of(witness), "what we have pushed is not there");
    drain(witness, consumer);
    for (uint32_t i = 0; i < 2; i++)
        expect_own(witness, &witness->hands[i], first[i]);
}

/* Somebody joins the queue, pushes, gets, and goes. */
static void come_and_go(struct queue_witness *witness, const char *name,
                        enum witness_company company)
{
    const struct peal_queue_options options = queue_life_options(
        witness->life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand guest = hand_of(witness);
    enum peal_status status = queue_hand_open(&guest, witness->base.bus, name, &options);
    if (status != PEAL_OK) {
        if (company != WITNESS_WITH_STOPPED || status != PEAL_AGAIN)
            queue_ledger_complain(ledger_of(witness), "a guest of %s: %s", name,
                                  peal_error_message());
        return;
    }
    push(witness, &guest, 1);
    drain(witness, &guest);
    expect_own(witness, &guest, 0);
    queue_hand_close(&guest);
}

void queue_witness_work(struct queue_witness *witness, enum witness_company company)
{
    push_and_drain(witness, company);
    come_and_go(witness, QUEUE_LEDGER_NAME, company);
    come_and_go(witness, QUEUE_LIFE_MEETING, company);
    push_and_drain(witness, company);
}

/* All lanes of the queue have ended, and are gone. */
static bool have_ended(void *context)
{
    struct queue_witness *witness = context;
    const struct peal_queue *queue = witness->hands[1].queue;
    const struct peal_topic_shared *topic = &witness->base.bus->region.topics[queue->topic];
    drain(witness, &witness->hands[1]);
    bool is_there = ledger_of(witness)->complaint[0] != 0;
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        lanes += peal_owner_state(peal_owner_load(&topic->lanes[i].owner)) != PEAL_LANE_FREE;
    return is_there || lanes == 1;
}

void queue_witness_compare(struct queue_witness *witness)
{
    struct queue_ledger *ledger = ledger_of(witness);
    const struct peal_topic_shared *topic =
        &witness->base.bus->region.topics[witness->hands[1].queue->topic];
    const struct peal_queue_lane_shared *own = witness->hands[1].queue->producer.lane;
    come_and_go(witness, QUEUE_LIFE_MEETING, WITNESS_ALONE);
    queue_hand_close(&witness->hands[0]);
    if (!eventually(have_ended, witness, EVENTUALLY_TIMEOUT_NS))
        queue_ledger_complain(ledger, "lanes that have ended are still there");
    struct queue_sums sums = {
        .published = peal_u64_load_relaxed(&topic->queue.published) +
                     peal_u64_load_relaxed(&own->producer.published),
        .dropped_oldest = peal_u64_load_relaxed(&topic->queue.dropped_oldest),
        .dropped_newest = peal_u64_load_relaxed(&topic->queue.dropped_newest),
        .lost = peal_u64_load_relaxed(&topic->queue.lost) + peal_queue_lane_lost(own),
    };
    queue_ledger_compare(ledger, &sums);
}

void queue_witness_end(struct queue_witness *witness)
{
    queue_hand_close(&witness->hands[0]);
    queue_hand_close(&witness->hands[1]);
    witness_end(&witness->base);
    char *complaint = witness->base.complaint;
    if (!complaint[0])
        memcpy(complaint, ledger_of(witness)->complaint, sizeof(ledger_of(witness)->complaint));
}
