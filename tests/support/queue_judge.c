/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_judge.h"

#include "bus/queue_internal.h"
#include "core/queue_consumer.h"
#include "core/recover.h"
#include "tests/support/newcomer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* After so many times nothing, nothing is left: a lane is left when it is found empty after it has ended. */
#define IDLE 3u

/* More than there can be. */
#define POPS_MAX 100u

static __attribute__((format(printf, 2, 3))) void complain(struct queue_judge *judge,
                                                           const char *format, ...)
{
    if (judge->complaint[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(judge->complaint, sizeof(judge->complaint), format, arguments);
    va_end(arguments);
}

/* ---- what comes ---- */

static void note(struct queue_judge *judge, const struct queue_act_job *job, size_t size_bytes,
                 bool is_flagged)
{
    if (size_bytes != sizeof(*job) || !queue_act_job_is_sound(job) ||
        job->number >= QUEUE_ACT_MORTALS) {
        complain(judge, "a message comes that nobody has pushed");
        return;
    }
    struct queue_judge_message *message = &judge->messages[job->is_mortals][job->number];
    message->flagged += is_flagged;
    if (is_flagged)
        return;
    message->plain++;
    if (job->number < judge->next[job->is_mortals])
        complain(judge, "message %" PRIu32 " comes where %" PRIu32 " is due", job->number,
                 judge->next[job->is_mortals]);
    judge->next[job->is_mortals] = job->number + 1;
    /* All of the judge's were pushed before the process came. */
    if ((judge->act->setting & QUEUE_ACT_STRICT) && !job->is_mortals && judge->next[1] != 0)
        complain(judge, "message %" PRIu32 " comes after what was pushed later", job->number);
}

/* ---- what is summed up ---- */

/* What the queue has counted. */
struct sums {
    uint64_t published; /* by those whose lanes have ended */
    uint64_t oldest;
    uint64_t newest;
    uint64_t lost;
};

/* Where in its hands; QUEUE_ACT_HELD: nowhere. */
static uint32_t find_in_hands(const struct queue_act_book *book, bool is_mortals, uint32_t number)
{
    uint32_t i = 0;
    while (i < QUEUE_ACT_HELD &&
           !(queue_act_job_is_sound(&book->hands[i]) && book->hands[i].is_mortals == is_mortals &&
             book->hands[i].number == number && book->hands[i].check))
        i++;
    return i;
}

/* What became of those that are gone. */
struct gone {
    uint64_t released; /* they are in its hands, and it may be done with them */
    uint64_t others;
};

/* A message that was pushed and not dropped for room. */
static void judge_message(struct queue_judge *judge, bool is_mortals, uint32_t number,
                          struct gone *gone)
{
    const struct queue_judge_message *message = &judge->messages[is_mortals][number];
    const uint32_t place = find_in_hands(judge->book, is_mortals, number);
    const bool is_done = place < judge->book->popped;
    const unsigned setting = judge->act->setting;
    const char *whose = is_mortals ? "its" : "the judge's";
    if (message->plain + message->flagged > 1)
        complain(judge, "%s message %" PRIu32 " comes twice", whose, number);
    if (is_done && message->plain + message->flagged)
        complain(judge, "%s message %" PRIu32 " comes again, though it was done with", whose,
                 number);
    if (place < QUEUE_ACT_HELD && message->plain)
        complain(judge, "%s message %" PRIu32 " comes again without the flag", whose, number);
    if ((setting & QUEUE_ACT_HAS_LEFT) && !is_mortals && number < QUEUE_ACT_LEFT && message->plain)
        complain(judge, "message %" PRIu32 " was left and comes without the flag", number);
    if ((setting & QUEUE_ACT_DROPS_HELD) && message->flagged)
        complain(judge, "%s message %" PRIu32 " comes again, though it is to be dropped", whose,
                 number);
    if (is_done || message->plain + message->flagged)
        return;
    bool is_released = place < QUEUE_ACT_HELD && (setting & QUEUE_ACT_RELEASES);
    gone->released += is_released;
    gone->others += !is_released;
}

/* How many messages the process has pushed: all of a batch or none. */
static uint32_t count_pushed(struct queue_judge *judge, const struct sums *sums, bool is_judge_dead)
{
    const struct queue_act_book *book = judge->book;
    uint64_t pushed = sums->published - (is_judge_dead ? QUEUE_ACT_JUDGES : 0u);
    if (pushed != book->pushed && pushed != book->begun) {
        complain(judge, "%" PRIu64 " messages were pushed where %" PRIu32 " or %" PRIu32 " may be",
                 pushed, book->pushed, book->begun);
        return book->pushed;
    }
    return (uint32_t)pushed;
}

static void judge_all(struct queue_judge *judge, const struct sums *sums, bool is_judge_dead)
{
    const struct queue_act_book *book = judge->book;
    struct gone gone = {0};
    uint32_t pushed = count_pushed(judge, sums, is_judge_dead);
    for (uint32_t i = 0; i < QUEUE_ACT_MORTALS; i++) {
        const struct queue_judge_message *message = &judge->messages[1][i];
        bool is_there = i >= sums->oldest && i < pushed;
        if (is_there)
            judge_message(judge, true, i, &gone);
        else if (message->plain + message->flagged)
            complain(judge,
                     "its message %" PRIu32 " comes, though %" PRIu64 " to %" PRIu32 " are there",
                     i, sums->oldest, pushed);
        if (i < QUEUE_ACT_JUDGES)
            judge_message(judge, false, i, &gone);
    }
    if (gone.others && !(judge->act->setting & QUEUE_ACT_DROPS_HELD))
        complain(judge, "%" PRIu64 " messages are lost", gone.others);
    /* One claim: it was dropped, or was done with. */
    if (sums->lost != gone.others + gone.released && (sums->lost || gone.others))
        complain(judge,
                 "%" PRIu64 " are counted as lost where %" PRIu64 " and %" PRIu64 " are gone",
                 sums->lost, gone.others, gone.released);
    if (sums->newest < book->refused || sums->newest > book->refused + book->begun - book->pushed)
        complain(judge, "%" PRIu64 " are counted as newest dropped where %" PRIu32 " were",
                 sums->newest, book->refused);
}

static struct sums sums_of(const struct peal_region *region, uint32_t topic)
{
    const struct peal_topic_queue_shared *queue = &region->topics[topic].queue;
    return (struct sums){
        .published = peal_u64_load_relaxed(&queue->published),
        .oldest = peal_u64_load_relaxed(&queue->dropped_oldest),
        .newest = peal_u64_load_relaxed(&queue->dropped_newest),
        .lost = peal_u64_load_relaxed(&queue->lost),
    };
}

/* ---- alive ---- */

static bool push(struct queue_judge *judge, uint32_t number)
{
    const struct queue_act_job job = queue_act_job(false, number);
    return peal_queue_push(judge->queue, &job, sizeof(job)) == PEAL_OK;
}

/* Takes some and leaves before it is done with them. */
static bool somebody_leaves(struct queue_judge *judge)
{
    struct peal_queue *queue;
    struct peal_queue_message messages[QUEUE_ACT_LEFT];
    size_t count = 0;
    struct peal_queue_options options = queue_act_options(judge->act->setting, PEAL_QUEUE_POP);
    if (peal_queue_create(judge->bus, QUEUE_ACT_NAME, &options, &queue) != PEAL_OK)
        return false;
    bool is_taken = peal_queue_take(queue, messages, QUEUE_ACT_LEFT, &count) == PEAL_OK;
    peal_queue_close(queue);
    return is_taken && count == QUEUE_ACT_LEFT;
}

bool queue_judge_begin(struct queue_judge *judge, const char *url, const struct queue_act *act,
                       const struct queue_act_book *book)
{
    *judge = (struct queue_judge){.act = act, .book = book, .bus = queue_act_bus(url)};
    struct peal_queue_options options =
        queue_act_options(act->setting, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP);
    if (!judge->bus ||
        peal_queue_create(judge->bus, QUEUE_ACT_NAME, &options, &judge->queue) != PEAL_OK)
        return false;
    for (uint32_t i = 0; i < QUEUE_ACT_JUDGES; i++)
        if (!push(judge, i))
            return false;
    return !(act->setting & QUEUE_ACT_HAS_LEFT) || somebody_leaves(judge);
}

static void pop_all(struct queue_judge *judge)
{
    struct queue_act_job job;
    struct peal_queue_message message;
    uint32_t pops = 0;
    for (uint32_t idle = 0; idle < IDLE && pops < POPS_MAX; pops++) {
        enum peal_status status = peal_queue_pop(judge->queue, &job, sizeof(job), &message);
        if (status == PEAL_OK)
            note(judge, &job, message.size_bytes, message.is_redelivered);
        else if (status == PEAL_EMPTY)
            idle++;
        else
            complain(judge, "pop: %s", peal_status_name(status));
        if (judge->complaint[0])
            return;
    }
    if (pops == POPS_MAX)
        complain(judge, "messages come without end");
}

/* Nothing of what the process has left is in the way. */
static void go_on(struct queue_judge *judge)
{
    struct queue_act_job job;
    struct peal_queue_message message;
    for (uint32_t i = 0; i < 2 * QUEUE_ACT_DEPTH; i++)
        if (!push(judge, i) ||
            peal_queue_pop(judge->queue, &job, sizeof(job), &message) != PEAL_OK ||
            job.number != i || message.is_redelivered)
            complain(judge, "afterwards message %" PRIu32 " does not come", i);
}

static void leave(struct queue_judge *judge)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    peal_queue_close(judge->queue);
    if (judge->bus && peal_bus_audit(judge->bus, NULL, &audit) != PEAL_OK)
        complain(judge, "audit: %s", peal_error_message());
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            complain(judge, "in the end: %s", audit.first);
    if (audit.clients != 1 || audit.topics || audit.subscribers || audit.lanes ||
        audit.pages_free != audit.pages)
        complain(judge, "in the end something is held");
    peal_bus_close(judge->bus);
}

void queue_judge_end(struct queue_judge *judge)
{
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    if (peal_bus_recover(judge->bus, NULL) != PEAL_OK)
        complain(judge, "recover: %s", peal_error_message());
    pop_all(judge);
    struct sums sums = sums_of(&judge->bus->region, judge->queue->topic);
    (void)peal_queue_stats(judge->queue, &stats);
    sums.lost = stats.lost; /* what its own lane has lost is in no sum yet */
    if (stats.pending || stats.lanes != 1)
        complain(judge, "afterwards there are %" PRIu32 " lanes, %" PRIu64 " messages pending",
                 stats.lanes, stats.pending);
    judge_all(judge, &sums, false);
    go_on(judge);
    leave(judge);
}

/* ---- dead ---- */

static void take_all(struct queue_judge *judge, struct peal_queue_consumer *consumer)
{
    struct peal_queue_batch batch;
    uint32_t pops = 0;
    for (uint32_t idle = 0; idle < IDLE && pops < POPS_MAX; pops++) {
        enum peal_status status = peal_queue_consumer_take(consumer, 1, &batch);
        const void *data;
        size_t size_bytes;
        struct queue_act_job job = {0};
        idle += status == PEAL_EMPTY;
        if (status == PEAL_EMPTY)
            continue;
        if (status != PEAL_OK || !peal_queue_batch_message(&batch, 0, &data, &size_bytes)) {
            complain(judge, "take: %s", peal_status_name(status));
            return;
        }
        memcpy(&job, data, size_bytes < sizeof(job) ? size_bytes : sizeof(job));
        note(judge, &job, size_bytes, batch.is_redelivered);
        peal_queue_consumer_finish(consumer, &batch);
    }
    if (pops == POPS_MAX)
        complain(judge, "messages come without end");
}

const char *queue_judge_copy(const struct queue_act *act, const struct queue_act_book *book,
                             void *copy, uint64_t size_bytes)
{
    static struct queue_judge judge;
    static struct peal_queue_consumer consumer;
    struct newcomer newcomer;
    const struct peal_queue_wish wish = {
        .kind = PEAL_TOPIC_IS_QUEUE,
        .options = ((act->setting & QUEUE_ACT_DROPS_HELD) ? (uint32_t)PEAL_QUEUE_DROPS_HELD : 0u) |
                   ((act->setting & QUEUE_ACT_STRICT) ? (uint32_t)PEAL_QUEUE_STRICT : 0u),
        .message_bytes_max = sizeof(struct queue_act_job),
    };
    const struct peal_topic_type type = {.queue = &wish};
    judge = (struct queue_judge){.act = act, .book = book};
    const char *wrong = newcomer_come(&newcomer, copy, size_bytes);
    if (wrong)
        return wrong;
    (void)peal_recover(&newcomer.region);
    if (peal_queue_consumer_open(&consumer, &newcomer.region, QUEUE_ACT_NAME, &type) != PEAL_OK)
        return "the newcomer may not pop";
    take_all(&judge, &consumer);
    struct sums sums = sums_of(&newcomer.region, consumer.topic);
    /* A queue that held nothing has gone, with its figures. */
    if ((act->setting & QUEUE_ACT_TAKES_ALL) && sums.published == 0)
        sums.published = QUEUE_ACT_JUDGES;
    judge_all(&judge, &sums, true);
    peal_queue_consumer_close(&consumer);
    if (judge.complaint[0])
        return judge.complaint;
    return newcomer_audit(&newcomer);
}
