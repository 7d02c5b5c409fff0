/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moodycamel::ReaderWriterQueue, for one sender and one receiver. Its blocks lie on the heap, so it works
 * within one process only. Where receivers wait it is the blocking one of the same library.
 */
#include "bench/peers/ring.h"

#include <array>
#include <readerwriterqueue/readerwriterqueue.h>
#include <sched.h>

namespace
{

template <size_t bytes> struct Element {
    std::array<uint64_t, bytes / 8> content;
};

struct Operations {
    void *(*make)(size_t capacity);
    void (*destroy)(void *queue);
    size_t (*push)(void *queue, const void *elements, size_t count);
    size_t (*pop)(void *queue, void *elements, size_t max);
    const void *(*peek)(void *queue);
    void (*drop)(void *queue);
    bool (*wait)(void *queue, void *element, uint64_t timeout_ns);
};

template <class T, class Queue> struct Common {
    static void *make(size_t capacity)
    {
        return new Queue(capacity);
    }
    static void destroy(void *queue)
    {
        delete static_cast<Queue *>(queue);
    }
    static size_t push(void *queue, const void *elements, size_t count)
    {
        size_t done = 0;
        while (done < count &&
               static_cast<Queue *>(queue)->try_enqueue(static_cast<const T *>(elements)[done]))
            done++;
        return done;
    }
    static size_t pop(void *queue, void *elements, size_t max)
    {
        size_t done = 0;
        while (done < max &&
               static_cast<Queue *>(queue)->try_dequeue(static_cast<T *>(elements)[done]))
            done++;
        return done;
    }
    static const void *peek(void *queue)
    {
        return static_cast<Queue *>(queue)->peek();
    }
    static void drop(void *queue)
    {
        static_cast<Queue *>(queue)->pop();
    }
};

/*
 * The blocking one hands in an element first and signals it then, and its pop() wants the signal: in
 * between, what peek() has shown stays. The sender is about to signal, at most without a CPU just now.
 */
template <class Queue> void drop_signalled(void *queue)
{
    while (!static_cast<Queue *>(queue)->pop())
        (void)sched_yield();
}

template <size_t bytes> struct Polling {
    using T = Element<bytes>;
    using Of = Common<T, moodycamel::ReaderWriterQueue<T>>;
    static constexpr Operations operations = {Of::make, Of::destroy, Of::push, Of::pop,
                                              Of::peek, Of::drop,    nullptr};
};

template <size_t bytes> struct Blocking {
    using T = Element<bytes>;
    using Queue = moodycamel::BlockingReaderWriterQueue<T>;
    using Of = Common<T, Queue>;

    static bool wait(void *queue, void *element, uint64_t timeout_ns)
    {
        return static_cast<Queue *>(queue)->wait_dequeue_timed(
            *static_cast<T *>(element), static_cast<int64_t>(timeout_ns / 1000));
    }
    static constexpr Operations operations = {Of::make, Of::destroy,           Of::push, Of::pop,
                                              Of::peek, drop_signalled<Queue>, wait};
};

const Operations *operations_of(const bench_ring_shape *shape)
{
    switch (shape->element_bytes) {
    case 8:
        return shape->waits ? &Blocking<8>::operations : &Polling<8>::operations;
    case 64:
        return shape->waits ? &Blocking<64>::operations : &Polling<64>::operations;
    default:
        return shape->waits ? &Blocking<256>::operations : &Polling<256>::operations;
    }
}

void *make(void *, const bench_ring_shape *shape)
{
    return operations_of(shape)->make(shape->capacity);
}

void destroy(void *queue, const bench_ring_shape *shape)
{
    operations_of(shape)->destroy(queue);
}

void attach(bench_ring *ring, bool)
{
    ring->token = const_cast<Operations *>(operations_of(&ring->shape));
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
    places[0] = of(ring)->peek(ring->memory);
    return places[0] != nullptr;
}

void finish(bench_ring *ring, size_t count)
{
    if (count > 0)
        of(ring)->drop(ring->memory);
}

bool wait(bench_ring *ring, void *element, uint64_t timeout_ns)
{
    return of(ring)->wait(ring->memory, element, timeout_ns);
}

constexpr bench_ring_kind kind = {
    .is_on_heap = true,
    .make = make,
    .destroy = destroy,
    .attach = attach,
    .push = push,
    .pop = pop,
    .peek = peek,
    .finish = finish,
    .wait = wait,
};

BENCH_RING_FUNCTIONS(rwq, &kind);

void rwq_wait(void *end, uint64_t timeout_ns)
{
    bench_ring_wait(end, timeout_ns, &kind);
}

} // namespace

extern "C" const bench_contender bench_peer_reader_writer_queue = {
    .name = "ReaderWriterQueue",
    .package = "libreaderwriterqueue-dev",
    .note = "moodycamel's; single messages are read in place; " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_PAIR,
    .reach = BENCH_REACH_THREADS,
    .has_loans = true,
    .memory_bytes = rwq_memory_bytes,
    .begin = rwq_begin,
    .end = rwq_end,
    .open = rwq_open,
    .close = rwq_close,
    .prepare = rwq_prepare,
    .send = rwq_send,
    .receive = rwq_receive,
    .release = rwq_release,
    .wait = rwq_wait,
};
