/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/abi/peer.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 8u

/* What is published: messages from..end-1, their sizes by abi_size(). */
struct task {
    struct peal_publisher *publisher;
    uint64_t sender; /* the contents tell who sent them */
    uint64_t from;
    uint64_t end;
    uint64_t least;
    uint64_t most;
};

static enum peal_status create(struct peer *peer, const uint64_t *argument)
{
    struct peal_publisher **publisher = &peer->publishers[argument[0]];
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    char topic[32];
    (void)snprintf(topic, sizeof(topic), "topic %u", (unsigned)argument[1]);
    options.message_bytes_max = (uint32_t)argument[2];
    options.depth = (uint32_t)argument[3];
    options.timestamp = (argument[4] & ABI_TIMESTAMP) != 0;
    options.crc32c = (argument[4] & ABI_CRC32C) != 0;
    options.full_policy = (enum peal_full_policy)argument[5];
    options.full_timeout_ns = ABI_TIMEOUT_NS;
    options.type_name = "message";
    options.schema_hash = argument[6];
    options.payload_bytes = argument[7];
    enum peal_status status = peal_publisher_create(peer->bus, topic, &options, publisher);
    if (status == PEAL_OK)
        status = peal_publisher_stats(*publisher, &stats);
    peer->incarnations[argument[0]] = stats.incarnation;
    return status;
}

static enum peal_status read_stats(struct peal_publisher *publisher, uint64_t *value)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    enum peal_status status = peal_publisher_stats(publisher, &stats);
    value[0] = stats.published;
    value[1] = stats.waits;
    value[2] = stats.subscribers;
    value[3] = stats.reliable;
    return status;
}

static size_t size_of(const struct task *task, uint64_t number)
{
    return (size_t)abi_size(number, task->least, task->most);
}

static size_t batch_of(uint64_t left)
{
    return left < BATCH ? (size_t)left : BATCH;
}

static enum peal_status by_copy(struct task *task, unsigned char *buffer)
{
    const size_t size = size_of(task, task->from);
    content_fill(buffer, size, task->sender, task->from);
    task->from++;
    return peal_publisher_publish(task->publisher, buffer, size);
}

static enum peal_status by_loan(struct task *task)
{
    const size_t size = size_of(task, task->from);
    void *data = NULL;
    enum peal_status status = peal_publisher_loan(task->publisher, size, &data);
    if (status != PEAL_OK)
        return status;
    content_fill(data, size, task->sender, task->from);
    task->from++;
    return peal_publisher_commit(task->publisher, size);
}

static enum peal_status by_batch(struct task *task, unsigned char *buffer)
{
    const size_t count = batch_of(task->end - task->from);
    struct peal_slice slices[BATCH];
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char *bytes = buffer + i * (size_t)task->most;
        slices[i] = (struct peal_slice){bytes, size_of(task, task->from + i)};
        content_fill(bytes, slices[i].size_bytes, task->sender, task->from + i);
    }
    enum peal_status status = peal_publisher_publish_batch(task->publisher, slices, count, &done);
    task->from += done;
    return status;
}

static enum peal_status by_loan_batch(struct task *task)
{
    const size_t size = (size_t)task->most;
    void *data[BATCH];
    size_t loaned = 0;
    enum peal_status status = peal_publisher_loan_batch(
        task->publisher, size, batch_of(task->end - task->from), data, &loaned);
    if (status != PEAL_OK)
        return status;
    for (size_t i = 0; i < loaned; i++)
        content_fill(data[i], size, task->sender, task->from + i);
    task->from += loaned;
    return peal_publisher_commit_batch(task->publisher, loaned);
}

static enum peal_status publish(struct peer *peer, const uint64_t *argument)
{
    struct task task = {
        .publisher = peer->publishers[argument[0]],
        .sender = peer->incarnations[argument[0]],
        .from = argument[2],
        .end = argument[3],
        .least = argument[4],
        .most = argument[5],
    };
    unsigned char *buffer = malloc((size_t)(BATCH * task.most) + 1);
    enum peal_status status = buffer ? PEAL_OK : PEAL_ENOMEM;
    while (status == PEAL_OK && task.from < task.end) {
        switch (argument[1]) {
        case ABI_PUBLISH_COPY:
            status = by_copy(&task, buffer);
            break;
        case ABI_PUBLISH_LOAN:
            status = by_loan(&task);
            break;
        case ABI_PUBLISH_BATCH:
            status = by_batch(&task, buffer);
            break;
        default:
            status = by_loan_batch(&task);
        }
    }
    free(buffer);
    return status;
}

bool peer_do_publish(struct peer *peer, const struct abi_request *request,
                     struct abi_answer *answer)
{
    const uint64_t *argument = request->argument;
    enum peal_status status = PEAL_OK;
    switch (request->operation) {
    case ABI_PUBLISHER_CREATE:
        status = create(peer, argument);
        break;
    case ABI_PUBLISHER_CLOSE:
        peal_publisher_close(peer->publishers[argument[0]]);
        peer->publishers[argument[0]] = NULL;
        break;
    case ABI_PUBLISHER_STATS:
        status = read_stats(peer->publishers[argument[0]], answer->value);
        break;
    case ABI_PUBLISH:
        status = publish(peer, argument);
        break;
    default:
        return false;
    }
    answer->status = (uint64_t)status;
    return true;
}
