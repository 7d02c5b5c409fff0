/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_hand.h"

#include "tests/support/eventually.h"

#define MESSAGE_BYTES_MAX (QUEUE_WORDS_MAX * sizeof(uint64_t))

const char *queue_call_text(enum queue_call call)
{
    static const char *const texts[] = {"create a queue", "push",        "pop",  "take",
                                        "done",           "wait (1 ms)", "close"};
    return texts[call];
}

static uint64_t begin(const struct queue_hand *hand)
{
    return hand->times ? test_now_ns() : 0;
}

static void end(struct queue_hand *hand, enum queue_call call, uint64_t begin_ns)
{
    if (!hand->times)
        return;
    uint64_t took_ns = test_now_ns() - begin_ns;
    hand->times->calls[call]++;
    if (took_ns > hand->times->longest_ns[call])
        hand->times->longest_ns[call] = took_ns;
}

struct peal_queue_options queue_hand_options(uint32_t uses, uint32_t depth,
                                             enum peal_queue_full_policy policy)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.uses = uses;
    options.message_bytes_max = MESSAGE_BYTES_MAX;
    options.depth = depth;
    options.full_policy = policy;
    options.full_timeout_ns = 1000000;
    return options;
}

enum peal_status queue_hand_open(struct queue_hand *hand, struct peal_bus *bus, const char *name,
                                 const struct peal_queue_options *options)
{
    hand->queue = NULL;
    hand->held_count = 0;
    hand->account =
        options->uses & PEAL_QUEUE_PUSH ? queue_ledger_open(hand->ledger, name) : UINT32_MAX;
    if (options->uses & PEAL_QUEUE_PUSH && hand->account == UINT32_MAX)
        return PEAL_ELIMIT;
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_create(bus, name, options, &hand->queue);
    end(hand, QUEUE_CALL_CREATE, begin_ns);
    return status;
}

void queue_hand_close(struct queue_hand *hand)
{
    uint64_t begin_ns = begin(hand);
    if (!hand->queue)
        return;
    peal_queue_close(hand->queue);
    end(hand, QUEUE_CALL_CLOSE, begin_ns);
    hand->queue = NULL;
    hand->held_count = 0;
}

/* ---- pushing ---- */

enum peal_status queue_hand_push(struct queue_hand *hand)
{
    uint64_t words[QUEUE_WORDS_MAX];
    uint64_t number = queue_ledger_begin(hand->ledger, hand->account, 1, words);
    uint64_t begin_ns = begin(hand);
    enum peal_status status =
        peal_queue_push(hand->queue, words, queue_ledger_words(number) * sizeof(words[0]));
    end(hand, QUEUE_CALL_PUSH, begin_ns);
    queue_ledger_push(hand->ledger, hand->account, number, 1,
                      status == PEAL_OK        ? QUEUE_PUSHED
                      : status == PEAL_DROPPED ? QUEUE_DROPPED
                                               : QUEUE_REFUSED);
    return status;
}

static void note_pushed(struct queue_hand *hand, uint64_t first, size_t count, size_t pushed,
                        enum peal_status status)
{
    queue_ledger_push(hand->ledger, hand->account, first, pushed, QUEUE_PUSHED);
    queue_ledger_push(hand->ledger, hand->account, first + pushed, count - pushed,
                      status == PEAL_DROPPED ? QUEUE_DROPPED : QUEUE_REFUSED);
}

enum peal_status queue_hand_push_batch(struct queue_hand *hand, size_t count, size_t *pushed)
{
    uint64_t words[QUEUE_HAND_BATCH_MAX * QUEUE_WORDS_MAX];
    uint64_t first = queue_ledger_begin(hand->ledger, hand->account, count, words);
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_push_batch(
        hand->queue, words, queue_ledger_words(first) * sizeof(words[0]), count, pushed);
    end(hand, QUEUE_CALL_PUSH, begin_ns);
    note_pushed(hand, first, count, *pushed, status);
    return status;
}

enum peal_status queue_hand_push_slices(struct queue_hand *hand, size_t count, size_t *pushed)
{
    uint64_t words[QUEUE_HAND_BATCH_MAX][QUEUE_WORDS_MAX];
    struct peal_slice slices[QUEUE_HAND_BATCH_MAX];
    uint64_t first = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = queue_ledger_begin(hand->ledger, hand->account, 1, words[i]);
        slices[i] = (struct peal_slice){
            .data = words[i], .size_bytes = queue_ledger_words(number) * sizeof(uint64_t)};
        first = i == 0 ? number : first;
    }
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_push_slices(hand->queue, slices, count, pushed);
    end(hand, QUEUE_CALL_PUSH, begin_ns);
    note_pushed(hand, first, count, *pushed, status);
    return status;
}

/* ---- getting ---- */

static void receive(struct queue_hand *hand, const struct peal_queue_message *messages,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct queue_entry *entry = queue_ledger_receive(hand->ledger, hand->actor, &messages[i]);
        if (entry)
            hand->held[hand->held_count++] = entry;
    }
}

static void deliver(struct queue_hand *hand)
{
    for (size_t i = 0; i < hand->held_count; i++)
        queue_ledger_deliver(hand->ledger, hand->held[i]);
    hand->held_count = 0;
}

enum peal_status queue_hand_pop(struct queue_hand *hand)
{
    struct peal_queue_message message;
    unsigned char bytes[MESSAGE_BYTES_MAX];
    peal_u64_store_release(&hand->actor->in_flight, 1);
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_pop(hand->queue, bytes, sizeof(bytes), &message);
    end(hand, QUEUE_CALL_POP, begin_ns);
    receive(hand, &message, status == PEAL_OK);
    deliver(hand);
    peal_u64_store_release(&hand->actor->in_flight, 0);
    return status;
}

enum peal_status queue_hand_pop_batch(struct queue_hand *hand, size_t max)
{
    struct peal_queue_message messages[QUEUE_HAND_BATCH_MAX];
    unsigned char bytes[QUEUE_HAND_BATCH_MAX * MESSAGE_BYTES_MAX];
    size_t count;
    peal_u64_store_release(&hand->actor->in_flight, max);
    uint64_t begin_ns = begin(hand);
    enum peal_status status =
        peal_queue_pop_batch(hand->queue, bytes, MESSAGE_BYTES_MAX, messages, max, &count);
    end(hand, QUEUE_CALL_POP, begin_ns);
    receive(hand, messages, count);
    deliver(hand);
    peal_u64_store_release(&hand->actor->in_flight, 0);
    return status;
}

enum peal_status queue_hand_take(struct queue_hand *hand, size_t max)
{
    struct peal_queue_message messages[QUEUE_HAND_BATCH_MAX];
    size_t count;
    peal_u64_store_release(&hand->actor->in_flight, max);
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_take(hand->queue, messages, max, &count);
    end(hand, QUEUE_CALL_TAKE, begin_ns);
    receive(hand, messages, count);
    peal_u64_store_release(&hand->actor->in_flight, 0);
    return status;
}

enum peal_status queue_hand_done(struct queue_hand *hand)
{
    for (size_t i = 0; i < hand->held_count; i++)
        (void)peal_u64_or_acq_rel(&hand->held[i]->state, QUEUE_FINISHING);
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_done(hand->queue);
    end(hand, QUEUE_CALL_DONE, begin_ns);
    deliver(hand);
    return status;
}

enum peal_status queue_hand_wait(struct queue_hand *hand, uint64_t timeout_ns)
{
    uint64_t begin_ns = begin(hand);
    enum peal_status status = peal_queue_wait(hand->queue, timeout_ns);
    end(hand, QUEUE_CALL_WAIT, begin_ns);
    return status;
}
