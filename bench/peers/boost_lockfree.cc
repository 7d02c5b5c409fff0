/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boost::lockfree::spsc_queue and queue, with a capacity known to the compiler: all then lies within the
 * object, and nodes name each other by index, so they work between processes. queue is lock-free: nobody
 * can wedge it.
 */
#include "bench/peers/ring.h"

#include <array>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/version.hpp>
#include <cstdio>
#include <new>

namespace
{

template <size_t bytes> struct Element {
    alignas(bytes < 64 ? 8 : 64) std::array<char, bytes> content;
};

/* What a queue of one size and capacity can do. */
struct Operations {
    size_t bytes;
    void *(*make)(void *memory);
    size_t (*push)(void *queue, const void *elements, size_t count);
    size_t (*pop)(void *queue, void *elements, size_t max);
    const void *(*front)(void *queue);
    void (*drop_front)(void *queue);
};

/* What lay there before owns nothing and is not destroyed. */
template <class Queue> void *make(void *memory)
{
    return new (memory) Queue;
}

template <size_t element, size_t capacity> struct Spsc {
    using T = Element<element>;
    using Queue = boost::lockfree::spsc_queue<T, boost::lockfree::capacity<capacity>>;

    static size_t push(void *queue, const void *elements, size_t count)
    {
        return static_cast<Queue *>(queue)->push(static_cast<const T *>(elements), count);
    }
    static size_t pop(void *queue, void *elements, size_t max)
    {
        return static_cast<Queue *>(queue)->pop(static_cast<T *>(elements), max);
    }
    static const void *front(void *queue)
    {
        auto *self = static_cast<Queue *>(queue);
        return self->read_available() > 0 ? &self->front() : nullptr;
    }
    static void drop_front(void *queue)
    {
        static_cast<Queue *>(queue)->pop();
    }
    static constexpr Operations operations = {sizeof(Queue), make<Queue>, push,
                                              pop,           front,       drop_front};
};

template <size_t element, size_t capacity> struct Mpmc {
    using T = Element<element>;
    using Queue = boost::lockfree::queue<T, boost::lockfree::capacity<capacity>>;

    static size_t push(void *queue, const void *elements, size_t count)
    {
        size_t done = 0;
        while (done < count &&
               static_cast<Queue *>(queue)->push(static_cast<const T *>(elements)[done]))
            done++;
        return done;
    }
    static size_t pop(void *queue, void *elements, size_t max)
    {
        size_t done = 0;
        while (done < max && static_cast<Queue *>(queue)->pop(static_cast<T *>(elements)[done]))
            done++;
        return done;
    }
    static constexpr Operations operations = {sizeof(Queue), make<Queue>, push,
                                              pop,           nullptr,     nullptr};
};

template <template <size_t, size_t> class Kind, size_t element>
const Operations *by_capacity(size_t capacity)
{
    return capacity <= 64      ? &Kind<element, 64>::operations
           : capacity <= 256   ? &Kind<element, 256>::operations
           : capacity <= 1024  ? &Kind<element, 1024>::operations
           : capacity <= 4096  ? &Kind<element, 4096>::operations
           : capacity <= 16384 ? &Kind<element, 16384>::operations
                               : nullptr;
}

template <template <size_t, size_t> class Kind>
const Operations *operations_of(const bench_ring_shape *shape)
{
    return shape->element_bytes == 8    ? by_capacity<Kind, 8>(shape->capacity)
           : shape->element_bytes == 64 ? by_capacity<Kind, 64>(shape->capacity)
                                        : by_capacity<Kind, 256>(shape->capacity);
}

template <template <size_t, size_t> class Kind> size_t bytes(const bench_ring_shape *shape)
{
    const Operations *operations = operations_of<Kind>(shape);
    return operations != nullptr ? operations->bytes : 0;
}

template <template <size_t, size_t> class Kind>
void *make_queue(void *memory, const bench_ring_shape *shape)
{
    const Operations *operations = operations_of<Kind>(shape);
    if (operations == nullptr)
        bench_peer_complain("boost::lockfree: no queue of fixed size is so deep (at most 16384)",
                            0);
    return operations != nullptr ? operations->make(memory) : nullptr;
}

template <template <size_t, size_t> class Kind> void attach(bench_ring *ring, bool)
{
    ring->token = const_cast<Operations *>(operations_of<Kind>(&ring->shape));
}

const Operations *of(const bench_ring *ring)
{
    return static_cast<const Operations *>(ring->token);
}

size_t push(bench_ring *ring, const void *elements, size_t count)
{
    return of(ring)->push(ring->memory, elements, count);
}

size_t pop(bench_ring *ring, void *elements, size_t max)
{
    return of(ring)->pop(ring->memory, elements, max);
}

size_t peek(bench_ring *ring, const void *places[], size_t)
{
    places[0] = of(ring)->front(ring->memory);
    return places[0] != nullptr;
}

void finish(bench_ring *ring, size_t count)
{
    if (count > 0)
        of(ring)->drop_front(ring->memory);
}

constexpr bench_ring_kind spsc_kind = {
    .bytes = bytes<Spsc>,
    .make = make_queue<Spsc>,
    .attach = attach<Spsc>,
    .push = push,
    .pop = pop,
    .peek = peek,
    .finish = finish,
};

constexpr bench_ring_kind mpmc_kind = {
    .bytes = bytes<Mpmc>,
    .make = make_queue<Mpmc>,
    .attach = attach<Mpmc>,
    .push = push,
    .pop = pop,
};

BENCH_RING_FUNCTIONS(spsc, &spsc_kind);
BENCH_RING_FUNCTIONS(mpmc, &mpmc_kind);

} // namespace

#define PACKAGE "libboost-dev " BOOST_LIB_VERSION

extern "C" const bench_contender bench_peer_boost_spsc = {
    .name = "boost spsc_queue",
    .package = PACKAGE,
    .note =
        "of a capacity known to the compiler; single messages are read in place; " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_PAIR,
    .reach = BENCH_REACH_PROCESSES,
    .has_batches = true,
    .has_loans = true,
    .memory_bytes = spsc_memory_bytes,
    .begin = spsc_begin,
    .end = spsc_end,
    .open = spsc_open,
    .close = spsc_close,
    .prepare = spsc_prepare,
    .send = spsc_send,
    .receive = spsc_receive,
    .release = spsc_release,
};

extern "C" const bench_contender bench_peer_boost_queue = {
    .name = "boost lockfree queue",
    .package = PACKAGE,
    .note = "of a capacity known to the compiler; " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .has_loans = true,
    .memory_bytes = mpmc_memory_bytes,
    .begin = mpmc_begin,
    .end = mpmc_end,
    .open = mpmc_open,
    .close = mpmc_close,
    .prepare = mpmc_prepare,
    .send = mpmc_send,
    .receive = mpmc_receive,
    .release = mpmc_release,
};
