/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boost::lockfree::queue with a capacity known to the compiler: its nodes lie within it and name each
 * other by index, so it works between processes. It is lock-free: nobody can wedge it.
 */
#include "bench/queue/peer.h"

#include <boost/lockfree/queue.hpp>
#include <new>

namespace
{

using Queue = boost::lockfree::queue<bench_letter, boost::lockfree::capacity<BENCH_PEER_DEPTH>>;

/* The one before is not destroyed: what lies in it owns nothing. */
void init(void *memory, const bench_peer_setup *)
{
    new (memory) Queue;
}

size_t push(void *end, const bench_letter *letters, size_t count)
{
    size_t done = 0;

    while (done < count && static_cast<Queue *>(end)->push(letters[done]))
        done++;
    return done;
}

size_t pop(void *end, bench_letter *letters, size_t max)
{
    size_t done = 0;

    while (done < max && static_cast<Queue *>(end)->pop(letters[done]))
        done++;
    return done;
}

} // namespace

extern "C" const bench_peer bench_peer_boost = {
    "boost::lockfree", false, false, false, sizeof(Queue), init, nullptr, push, pop, nullptr};
