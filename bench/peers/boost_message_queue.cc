/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boost::interprocess::message_queue: messages are copied in and out under a lock in shared memory. Its
 * name is gone as soon as it is made: the workers inherit the mapping, so that nothing is left whoever
 * is killed.
 */
#include "bench/peers/peers.h"
#include "bench/peers/tray.h"

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/version.hpp>

namespace
{

using boost::interprocess::message_queue;

struct End {
    message_queue *queue;
    bench_tray tray;     /* the receiver's as well */
    size_t waited_bytes; /* wait() has received one of this size; 0: none */
};

bool begin(bench_channel *channel)
{
    try {
        message_queue::remove(channel->name);
        channel->state = new message_queue(boost::interprocess::create_only, channel->name,
                                           channel->depth, channel->size_bytes);
        message_queue::remove(channel->name);
        return true;
    } catch (const std::exception &failure) {
        message_queue::remove(channel->name);
        bench_peer_complain(failure.what(), 0);
        return false;
    }
}

void end_channel(bench_channel *channel)
{
    message_queue::remove(channel->name); /* there only if a conductor was killed in begin() */
    delete static_cast<message_queue *>(channel->state);
}

void *open_end(const bench_channel *channel, bool, uint32_t)
{
    End *self = new End{static_cast<message_queue *>(channel->state), {}, 0};

    bench_tray_open(&self->tray, channel->size_bytes, 0);
    self->tray.stride_bytes = channel->size_bytes;
    return self;
}

void close_end(void *end)
{
    End *self = static_cast<End *>(end);

    bench_tray_close(&self->tray);
    delete self;
}

size_t prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    return bench_tray_prepare(&static_cast<End *>(end)->tray, places, size_bytes, count);
}

size_t send(void *end, size_t count)
{
    End *self = static_cast<End *>(end);
    size_t done = 0;

    count = bench_tray_left(&self->tray, count);
    while (done < count &&
           self->queue->try_send(bench_tray_next(&self->tray), self->tray.size_bytes, 0)) {
        self->tray.next++;
        done++;
    }
    return done;
}

size_t receive(void *end, bench_view views[], size_t max)
{
    End *self = static_cast<End *>(end);
    size_t count = 0, size_bytes;
    unsigned priority;

    if (self->waited_bytes > 0) {
        views[count++] = {self->tray.bytes, self->waited_bytes};
        self->waited_bytes = 0;
    }
    if (max > self->tray.places_max)
        max = self->tray.places_max;
    for (; count < max; count++) {
        char *place = self->tray.bytes + count * self->tray.stride_bytes;

        if (!self->queue->try_receive(place, self->tray.stride_bytes, size_bytes, priority))
            break;
        views[count] = {place, size_bytes};
    }
    return count;
}

void release(void *)
{
}

void wait(void *end, uint64_t timeout_ns)
{
    End *self = static_cast<End *>(end);
    auto until = boost::posix_time::microsec_clock::universal_time() +
                 boost::posix_time::microseconds(timeout_ns / 1000);
    size_t size_bytes;
    unsigned priority;

    if (self->waited_bytes == 0 &&
        self->queue->timed_receive(self->tray.bytes, self->tray.stride_bytes, size_bytes, priority,
                                   until))
        self->waited_bytes = size_bytes;
}

} // namespace

extern "C" const bench_contender bench_peer_boost_message_queue = {
    .name = "boost message_queue",
    .package = "libboost-dev " BOOST_LIB_VERSION,
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .can_be_wedged = true,
    .begin = begin,
    .end = end_channel,
    .open = open_end,
    .close = close_end,
    .prepare = prepare,
    .send = send,
    .receive = receive,
    .release = release,
    .wait = wait,
};
