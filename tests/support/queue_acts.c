/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_acts.h"

#include "core/atomic.h"
#include "tests/support/lives.h"
#include "tests/support/stepper.h"

#include <string.h>

static struct peal_bus *bus;
static struct peal_queue *queue;

struct queue_act_job queue_act_job(bool is_mortals, uint32_t number)
{
    const uint64_t words = (uint64_t)is_mortals << 32 | number;
    return (struct queue_act_job){is_mortals, number, (words + 1) * UINT64_C(0x9e3779b97f4a7c15)};
}

bool queue_act_job_is_sound(const struct queue_act_job *job)
{
    return job->is_mortals <= 1 && job->check == queue_act_job(job->is_mortals, job->number).check;
}

struct peal_bus *queue_act_bus(const char *url)
{
    return life_bus(url, UINT64_C(20000000000));
}

struct peal_queue_options queue_act_options(unsigned setting, uint32_t uses)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.uses = uses;
    options.message_bytes_max = sizeof(struct queue_act_job);
    options.depth = QUEUE_ACT_DEPTH;
    options.full_policy = PEAL_QUEUE_FULL_REFUSE;
    options.strict = setting & QUEUE_ACT_STRICT;
    options.drops_held = setting & QUEUE_ACT_DROPS_HELD;
    return options;
}

/* ---- pieces of acts ---- */

static bool open_bus(const struct queue_act_life *life)
{
    bus = queue_act_bus(life->url);
    return bus != NULL;
}

static bool create(const struct queue_act_life *life, const char *name, uint32_t uses,
                   enum peal_queue_full_policy policy)
{
    struct peal_queue_options options = queue_act_options(life->act->setting, uses);
    options.full_policy = policy;
    return peal_queue_create(bus, name, &options, &queue) == PEAL_OK;
}

static bool create_to_push(const struct queue_act_life *life)
{
    return create(life, "new", PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
}

static bool create_to_pop(const struct queue_act_life *life)
{
    return create(life, "new", PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
}

static bool join_to_push(const struct queue_act_life *life)
{
    return create(life, QUEUE_ACT_NAME, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
}

static bool join_to_pop(const struct queue_act_life *life)
{
    return create(life, QUEUE_ACT_NAME, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
}

enum how { AT_ONCE, IN_SLICES };

static bool push_how(const struct queue_act_life *life, uint32_t count, enum how how)
{
    struct queue_act_job jobs[QUEUE_ACT_DEPTH];
    struct peal_slice slices[QUEUE_ACT_DEPTH];
    struct queue_act_book *book = life->book;
    size_t pushed = 0;
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = queue_act_job(true, book->pushed + i);
        slices[i] = (struct peal_slice){&jobs[i], sizeof(jobs[i])};
    }
    book->begun = book->pushed + count;
    peal_fence_compiler(); /* written before the first instruction of the push */
    enum peal_status status;
    if (how == IN_SLICES) {
        status = peal_queue_push_slices(queue, slices, count, &pushed);
    } else if (count == 1) {
        status = peal_queue_push(queue, jobs, sizeof(jobs[0]));
        pushed = status == PEAL_OK;
    } else {
        status = peal_queue_push_batch(queue, jobs, sizeof(jobs[0]), count, &pushed);
    }
    peal_fence_compiler();
    book->pushed += (uint32_t)pushed;
    book->refused += status == PEAL_DROPPED ? count - (uint32_t)pushed : 0;
    peal_fence_compiler();
    book->begun = book->pushed;
    return status == PEAL_OK || status == PEAL_DROPPED;
}

static bool push(const struct queue_act_life *life, uint32_t count)
{
    return push_how(life, count, AT_ONCE);
}

static bool push_one(const struct queue_act_life *life)
{
    return push(life, 1);
}

static bool push_three(const struct queue_act_life *life)
{
    return push(life, 3);
}

static bool push_slices(const struct queue_act_life *life)
{
    return push_how(life, 3, IN_SLICES);
}

static bool pop(const struct queue_act_life *life, size_t max)
{
    struct queue_act_book *book = life->book;
    struct peal_queue_message messages[QUEUE_ACT_HELD];
    size_t count = 0;
    enum peal_status status;
    if (max == 1) {
        status =
            peal_queue_pop(queue, &book->hands[book->popped], sizeof(book->hands[0]), messages);
        count = status == PEAL_OK;
    } else {
        status = peal_queue_pop_batch(queue, &book->hands[book->popped], sizeof(book->hands[0]),
                                      messages, max, &count);
    }
    peal_fence_compiler();
    book->popped += (uint32_t)count;
    return status == PEAL_OK;
}

static bool pop_one(const struct queue_act_life *life)
{
    return pop(life, 1);
}

static bool pop_three(const struct queue_act_life *life)
{
    return pop(life, 3);
}

/* In place; what it has looked at is in its hands. */
static bool take(const struct queue_act_life *life)
{
    struct queue_act_book *book = life->book;
    struct peal_queue_message messages[3];
    size_t count = 0;
    if (peal_queue_take(queue, messages, 3, &count) != PEAL_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        memcpy(&book->hands[book->popped + i], messages[i].data, sizeof(book->hands[0]));
    return true;
}

static bool take_and_be_done(const struct queue_act_life *life, size_t max)
{
    struct queue_act_book *book = life->book;
    struct peal_queue_message messages[QUEUE_ACT_HELD];
    size_t count = 0;
    if (peal_queue_take(queue, messages, max, &count) != PEAL_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        memcpy(&book->hands[book->popped + i], messages[i].data, sizeof(book->hands[0]));
    peal_fence_compiler(); /* in its hands before it is done */
    if (peal_queue_done(queue) != PEAL_OK)
        return false;
    peal_fence_compiler();
    book->popped += (uint32_t)count;
    return true;
}

static bool take_two(const struct queue_act_life *life)
{
    return take_and_be_done(life, 2);
}

static bool take_the_rest(const struct queue_act_life *life)
{
    return take_and_be_done(life, QUEUE_ACT_JUDGES);
}

static bool close_queue(const struct queue_act_life *life)
{
    (void)life;
    peal_queue_close(queue);
    return true;
}

/* ---- what comes before an act ---- */

/* The first message has looked at the gate and rung the judge. */
static bool prepare_to_push(const struct queue_act_life *life)
{
    return open_bus(life) && join_to_push(life) && push(life, 1);
}

static bool prepare_full(const struct queue_act_life *life, enum peal_queue_full_policy policy)
{
    return open_bus(life) && create(life, QUEUE_ACT_NAME, PEAL_QUEUE_PUSH, policy) &&
           push(life, QUEUE_ACT_DEPTH);
}

static bool prepare_full_of_oldest(const struct queue_act_life *life)
{
    return prepare_full(life, PEAL_QUEUE_FULL_DROP_OLDEST);
}

/* The next batch goes round the end of the ring. */
static bool prepare_full_near_the_end(const struct queue_act_life *life)
{
    bool is_well = prepare_full_of_oldest(life);
    for (uint32_t i = 0; i < QUEUE_ACT_DEPTH - 2 && is_well; i++)
        is_well = push(life, 1);
    return is_well;
}

static bool prepare_full_of_newest(const struct queue_act_life *life)
{
    return prepare_full(life, PEAL_QUEUE_FULL_DROP_NEWEST);
}

/* The first message has joined the lanes. */
static bool prepare_to_pop(const struct queue_act_life *life)
{
    return open_bus(life) && join_to_pop(life) && pop(life, 1);
}

static bool prepare_to_pop_first(const struct queue_act_life *life)
{
    return open_bus(life) && join_to_pop(life);
}

static bool prepare_to_close_holding(const struct queue_act_life *life)
{
    return prepare_to_pop(life) && take(life);
}

static bool prepare_to_close_both(const struct queue_act_life *life)
{
    return open_bus(life) &&
           create(life, QUEUE_ACT_NAME, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE) &&
           push(life, 3) && take(life);
}

bool queue_act_live(void *context)
{
    const struct queue_act_life *life = context;
    if (!life->act->prepare(life))
        return false;
    stepper_begin();
    return life->act->perform(life);
}

const struct queue_act queue_acts[] = {
    {"create-to-push", 0, open_bus, create_to_push},
    {"create-to-pop", 0, open_bus, create_to_pop},
    {"join-to-push", 0, open_bus, join_to_push},
    {"join-to-pop", 0, open_bus, join_to_pop},
    {"push", 0, prepare_to_push, push_one},
    {"push-batch", 0, prepare_to_push, push_three},
    {"push-slices", 0, prepare_to_push, push_slices},
    {"push-strict", QUEUE_ACT_STRICT, prepare_to_push, push_one},
    {"push-batch-strict", QUEUE_ACT_STRICT, prepare_to_push, push_three},
    {"push-drop-oldest", 0, prepare_full_of_oldest, push_one},
    {"push-batch-drop-oldest", 0, prepare_full_near_the_end, push_three},
    {"push-slices-drop-oldest", 0, prepare_full_near_the_end, push_slices},
    {"push-drop-newest", 0, prepare_full_of_newest, push_three},
    {"first-pop", QUEUE_ACT_RELEASES, prepare_to_pop_first, pop_one},
    {"pop", QUEUE_ACT_RELEASES, prepare_to_pop, pop_one},
    {"pop-batch", QUEUE_ACT_RELEASES, prepare_to_pop, pop_three},
    {"pop-batch-strict", QUEUE_ACT_STRICT | QUEUE_ACT_RELEASES, prepare_to_pop, pop_three},
    {"pop-batch-drops-held", QUEUE_ACT_DROPS_HELD | QUEUE_ACT_RELEASES, prepare_to_pop, pop_three},
    {"pop-left-behind", QUEUE_ACT_HAS_LEFT | QUEUE_ACT_RELEASES, prepare_to_pop_first, pop_one},
    {"take-done", QUEUE_ACT_RELEASES, prepare_to_pop, take_two},
    {"take-done-rest", QUEUE_ACT_RELEASES | QUEUE_ACT_TAKES_ALL, prepare_to_pop, take_the_rest},
    {"take-done-left-behind", QUEUE_ACT_HAS_LEFT | QUEUE_ACT_RELEASES, prepare_to_pop_first,
     take_two},
    {"take-done-drops-held", QUEUE_ACT_DROPS_HELD | QUEUE_ACT_RELEASES, prepare_to_pop, take_two},
    {"close-pusher", 0, prepare_to_push, close_queue},
    {"close-popper-holding", 0, prepare_to_close_holding, close_queue},
    {"close-popper-holding-drops-held", QUEUE_ACT_DROPS_HELD, prepare_to_close_holding,
     close_queue},
    {"close-both-holding", 0, prepare_to_close_both, close_queue},
};
const size_t queue_act_count = sizeof(queue_acts) / sizeof(queue_acts[0]);
