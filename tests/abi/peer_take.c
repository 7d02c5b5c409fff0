/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/abi/peer.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 8u
#define SENDERS 4

/* What is known of one publisher's messages. */
struct sender {
    uint64_t incarnation;
    uint64_t next;
    uint64_t timestamp_ns;
};

struct task {
    struct peal_subscriber *subscriber;
    uint64_t least;
    uint64_t most;
    uint64_t options; /* enum abi_option of the publishers */
    struct sender senders[SENDERS];
    struct abi_answer *answer;
};

static enum peal_status create(struct peer *peer, const uint64_t *argument)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    char topic[32];
    (void)snprintf(topic, sizeof(topic), "topic %u", (unsigned)argument[1]);
    options.reliability = (enum peal_reliability)argument[2];
    options.history = (uint32_t)argument[3];
    options.type_name = "message";
    options.schema_hash = argument[4];
    return peal_subscriber_create(peer->bus, topic, &options, &peer->subscribers[argument[0]]);
}

static enum peal_status read_stats(struct peal_subscriber *subscriber, uint64_t *value)
{
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    enum peal_status status = peal_subscriber_stats(subscriber, &stats);
    value[0] = stats.delivered;
    value[1] = stats.lost;
    value[2] = stats.corrupt;
    value[3] = stats.restarts;
    return status;
}

/* The first message of a sender tells where it begins: at 0, or where an earlier request left off. */
static struct sender *sender_of(struct task *task, const struct peal_message *message)
{
    for (int i = 0; i < SENDERS; i++) {
        struct sender *sender = &task->senders[i];
        if (sender->incarnation == 0)
            *sender = (struct sender){.incarnation = message->publisher,
                                      .next = message->number - message->lost};
        if (sender->incarnation == message->publisher)
            return sender;
    }
    return NULL;
}

static bool has_timestamp(const struct task *task, const struct sender *sender,
                          const struct peal_message *message)
{
    if ((task->options & ABI_TIMESTAMP) == 0)
        return message->timestamp_ns == 0;
    return message->timestamp_ns != 0 && message->timestamp_ns >= sender->timestamp_ns &&
           message->timestamp_ns <= peer_now_ns();
}

/* What holds even of a message in place that is just being overwritten. */
static enum peal_status check_number(struct task *task, const struct peal_message *message)
{
    struct abi_answer *answer = task->answer;
    struct sender *sender = sender_of(task, message);
    if (!sender)
        return peer_complain(answer, "a publisher too many: %" PRIx64, message->publisher);
    if (message->number != sender->next + message->lost)
        return peer_complain(answer, "number %" PRIu64 " after %" PRIu64 " with %" PRIu64 " lost",
                             message->number, sender->next, message->lost);
    sender->next = message->number + 1;
    answer->value[ABI_LOST] += message->lost;
    if ((message->flags & PEAL_MESSAGE_RESTARTED) != 0) {
        answer->value[ABI_RESTARTED]++;
        answer->value[ABI_PREVIOUS_NUMBER] = message->previous_number;
    }
    return PEAL_OK;
}

static bool content_is_right(const struct peal_message *message)
{
    return content_is(message->data, message->size_bytes, message->publisher, message->number);
}

/* What holds once the message is known to be whole. `right`: its content was, when looked at. */
static enum peal_status deliver(struct task *task, const struct peal_message *message, bool right)
{
    struct abi_answer *answer = task->answer;
    struct sender *sender = sender_of(task, message);
    if (message->size_bytes != abi_size(message->number, task->least, task->most))
        return peer_complain(answer, "message %" PRIu64 " has %zu bytes", message->number,
                             message->size_bytes);
    if (!right)
        return peer_complain(answer, "message %" PRIu64 " (%zu bytes) has wrong content",
                             message->number, message->size_bytes);
    if (!has_timestamp(task, sender, message))
        return peer_complain(answer, "message %" PRIu64 " is of time %" PRIu64 ", now is %" PRIu64,
                             message->number, message->timestamp_ns, peer_now_ns());
    sender->timestamp_ns = message->timestamp_ns;
    answer->value[ABI_DELIVERED]++;
    return PEAL_OK;
}

static enum peal_status by_copy(struct task *task, unsigned char *buffer)
{
    struct peal_message message;
    enum peal_status status =
        peal_subscriber_take_copy(task->subscriber, buffer, (size_t)task->most, &message);
    if (status == PEAL_OK)
        status = check_number(task, &message);
    return status == PEAL_OK ? deliver(task, &message, content_is_right(&message)) : status;
}

/* In place a best-effort message may change while we read it; the release tells. */
static enum peal_status release(struct task *task, const struct peal_message *message)
{
    const bool right = content_is_right(message);
    enum peal_status status = peal_subscriber_release(task->subscriber, message);
    if (status == PEAL_OK)
        return deliver(task, message, right);
    if (status != PEAL_ELAPPED)
        return status;
    task->answer->value[ABI_ELAPSED]++;
    return PEAL_OK;
}

static enum peal_status in_place(struct task *task, size_t batch)
{
    struct peal_message messages[BATCH];
    size_t count = 0;
    enum peal_status status =
        batch == 1 ? peal_subscriber_take(task->subscriber, messages)
                   : peal_subscriber_take_batch(task->subscriber, messages, batch, &count);
    if (status == PEAL_OK && batch == 1)
        count = 1;
    for (size_t i = 0; i < count && status == PEAL_OK; i++)
        status = check_number(task, &messages[i]);
    for (size_t i = 0; i < count && status == PEAL_OK; i++)
        status = release(task, &messages[i]);
    return status;
}

static bool is_done(const struct task *task, uint64_t total)
{
    const uint64_t *value = task->answer->value;
    return value[ABI_DELIVERED] + value[ABI_LOST] + value[ABI_ELAPSED] >= total;
}

static enum peal_status take(struct peer *peer, const uint64_t *argument, struct abi_answer *answer)
{
    struct task task = {
        .subscriber = peer->subscribers[argument[0]],
        .least = argument[3],
        .most = argument[4],
        .options = argument[5],
        .answer = answer,
    };
    unsigned char *buffer = malloc((size_t)task.most + 1);
    enum peal_status status = buffer ? PEAL_OK : PEAL_ENOMEM;
    while (status == PEAL_OK && !is_done(&task, argument[2])) {
        status = argument[1] == ABI_TAKE_COPY
                     ? by_copy(&task, buffer)
                     : in_place(&task, argument[1] == ABI_TAKE_BATCH ? BATCH : 1);
        if (status == PEAL_EMPTY)
            status = peal_subscriber_wait(task.subscriber, ABI_TIMEOUT_NS);
    }
    if (status == PEAL_OK) /* finds nothing, and so acknowledges all that was taken */
        (void)peal_subscriber_wait(task.subscriber, 0);
    free(buffer);
    return status;
}

bool peer_do_take(struct peer *peer, const struct abi_request *request, struct abi_answer *answer)
{
    const uint64_t *argument = request->argument;
    enum peal_status status = PEAL_OK;
    switch (request->operation) {
    case ABI_SUBSCRIBER_CREATE:
        status = create(peer, argument);
        break;
    case ABI_SUBSCRIBER_CLOSE:
        peal_subscriber_close(peer->subscribers[argument[0]]);
        peer->subscribers[argument[0]] = NULL;
        break;
    case ABI_SUBSCRIBER_STATS:
        status = read_stats(peer->subscribers[argument[0]], answer->value);
        break;
    case ABI_SUBSCRIBER_WAIT:
        status = peal_subscriber_wait(peer->subscribers[argument[0]], ABI_TIMEOUT_NS);
        break;
    case ABI_TAKE:
        status = take(peer, argument, answer);
        break;
    default:
        return false;
    }
    answer->status = (uint64_t)status;
    return true;
}
