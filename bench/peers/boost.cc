/* SPDX-License-Identifier: Apache-2.0 */
/* boost::lockfree::queue with a fixed capacity: its nodes lie in it and are named by index. */
#include "bench/peers/queues.h"

#include <boost/lockfree/queue.hpp>
#include <new>

using queue = boost::lockfree::queue<queues_message, boost::lockfree::capacity<QUEUES_DEPTH>>;

static void init(void *memory)
{
    new (memory) queue;
}

static void *open(void *memory, int)
{
    return memory;
}

static size_t push(void *end, const queues_message *messages, size_t count)
{
    size_t done = 0;
    while (done < count && static_cast<queue *>(end)->push(messages[done]))
        done++;
    return done;
}

static size_t pop(void *end, queues_message *messages, size_t count)
{
    size_t done = 0;
    while (done < count && static_cast<queue *>(end)->pop(messages[done]))
        done++;
    return done;
}

extern "C" const queues_peer queues_boost = {
    "boost::lockfree::queue", sizeof(queue), init, open, push, pop};
