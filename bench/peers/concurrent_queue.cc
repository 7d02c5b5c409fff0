/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moodycamel::ConcurrentQueue, for many senders and receivers, with a token for each and in bulk: its
 * fast path. Its blocks lie on the heap, so it works within one process only. Where receivers wait it is
 * the blocking one of the same library. It keeps the order of each sender's messages.
 */
#include "bench/peers/ring.h"

#include <array>
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>
#include <optional>

namespace
{

template <size_t bytes> struct Element {
    std::array<uint64_t, bytes / 8> content;
};

struct Operations {
    void *(*make)(const bench_ring_shape *shape);
    void (*destroy)(void *queue);
    void *(*attach)(void *queue, bool pushes);
    void (*detach)(void *token);
    size_t (*push)(void *queue, void *token, const void *elements, size_t count);
    size_t (*pop)(void *queue, void *token, void *elements, size_t max);
    bool (*wait)(void *queue, void *token, void *element, uint64_t timeout_ns);
};

/* What an end keeps: how to call its queue, and one of the library's tokens. */
struct Token {
    const Operations *operations;
    std::optional<moodycamel::ProducerToken> producer;
    std::optional<moodycamel::ConsumerToken> consumer;
};

template <class T, class Queue> struct Common {
    static void *make(const bench_ring_shape *shape)
    {
        return new Queue(shape->capacity, shape->producers, 0);
    }
    static void destroy(void *queue)
    {
        delete static_cast<Queue *>(queue);
    }
    static void *attach(void *queue, bool pushes)
    {
        Token *token = new Token{};
        if (pushes)
            token->producer.emplace(*static_cast<Queue *>(queue));
        else
            token->consumer.emplace(*static_cast<Queue *>(queue));
        return token;
    }
    static void detach(void *token)
    {
        delete static_cast<Token *>(token);
    }
    static size_t push(void *queue, void *token, const void *elements, size_t count)
    {
        auto *self = static_cast<Queue *>(queue);
        auto &producer = *static_cast<Token *>(token)->producer;
        const T *from = static_cast<const T *>(elements);
        size_t done = 0;

        /* In bulk all go or none; near the end some may still go one by one. */
        if (count > 1 && self->enqueue_bulk(producer, from, count))
            return count;
        while (done < count && self->enqueue(producer, from[done]))
            done++;
        return done;
    }
    static size_t pop(void *queue, void *token, void *elements, size_t max)
    {
        auto *self = static_cast<Queue *>(queue);
        auto &consumer = *static_cast<Token *>(token)->consumer;
        T *into = static_cast<T *>(elements);

        return max == 1 ? self->try_dequeue(consumer, *into)
                        : self->try_dequeue_bulk(consumer, into, max);
    }
};

/* Blocks go to who asks first and stay with him, so a queue that never allocates may have none left for
 * a sender. Therefore it may allocate, and what is bounded is how many of one sender are under way; 0:
 * not at all. */
template <size_t bound> struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static constexpr size_t MAX_SUBQUEUE_SIZE =
        bound > 0 ? bound : moodycamel::details::const_numeric_max<size_t>::value;
};

template <size_t bytes, size_t bound> struct Polling {
    using T = Element<bytes>;
    using Of = Common<T, moodycamel::ConcurrentQueue<T, Traits<bound>>>;
    static constexpr Operations operations = {Of::make, Of::destroy, Of::attach, Of::detach,
                                              Of::push, Of::pop,     nullptr};
};

template <size_t bytes, size_t bound> struct Blocking {
    using T = Element<bytes>;
    using Queue = moodycamel::BlockingConcurrentQueue<T, Traits<bound>>;
    using Of = Common<T, Queue>;

    static bool wait(void *queue, void *token, void *element, uint64_t timeout_ns)
    {
        return static_cast<Queue *>(queue)->wait_dequeue_timed(
            *static_cast<Token *>(token)->consumer, *static_cast<T *>(element),
            static_cast<int64_t>(timeout_ns / 1000));
    }
    static constexpr Operations operations = {Of::make, Of::destroy, Of::attach, Of::detach,
                                              Of::push, Of::pop,     wait};
};

template <size_t bytes, size_t bound> const Operations *by_waiting(const bench_ring_shape *shape)
{
    return shape->waits ? &Blocking<bytes, bound>::operations : &Polling<bytes, bound>::operations;
}

template <size_t bytes> const Operations *by_bound(const bench_ring_shape *shape)
{
    return !shape->is_bounded        ? by_waiting<bytes, 0>(shape)
           : shape->capacity <= 64   ? by_waiting<bytes, 64>(shape)
           : shape->capacity <= 1024 ? by_waiting<bytes, 1024>(shape)
                                     : by_waiting<bytes, 16384>(shape);
}

const Operations *operations_of(const bench_ring_shape *shape)
{
    return shape->element_bytes == 8    ? by_bound<8>(shape)
           : shape->element_bytes == 64 ? by_bound<64>(shape)
                                        : by_bound<256>(shape);
}

void *make(void *, const bench_ring_shape *shape)
{
    return operations_of(shape)->make(shape);
}

void destroy(void *queue, const bench_ring_shape *shape)
{
    operations_of(shape)->destroy(queue);
}

void attach(bench_ring *ring, bool pushes)
{
    const Operations *operations = operations_of(&ring->shape);

    ring->token = operations->attach(ring->memory, pushes);
    static_cast<Token *>(ring->token)->operations = operations;
}

const Operations *of(const bench_ring *ring)
{
    return static_cast<const Token *>(ring->token)->operations;
}

void detach(bench_ring *ring, bool)
{
    of(ring)->detach(ring->token);
}

size_t push(bench_ring *ring, const void *elements, size_t count)
{
    return of(ring)->push(ring->memory, ring->token, elements, count);
}

size_t pop(bench_ring *ring, void *elements, size_t max)
{
    return of(ring)->pop(ring->memory, ring->token, elements, max);
}

bool wait(bench_ring *ring, void *element, uint64_t timeout_ns)
{
    return of(ring)->wait(ring->memory, ring->token, element, timeout_ns);
}

constexpr bench_ring_kind kind = {
    .is_on_heap = true,
    .make = make,
    .destroy = destroy,
    .attach = attach,
    .detach = detach,
    .push = push,
    .pop = pop,
    .wait = wait,
};

BENCH_RING_FUNCTIONS(mcq, &kind);

void mcq_wait(void *end, uint64_t timeout_ns)
{
    bench_ring_wait(end, timeout_ns, &kind);
}

} // namespace

extern "C" const bench_contender bench_peer_concurrent_queue = {
    .name = "ConcurrentQueue",
    .package = "libconcurrentqueue-dev",
    .note = "moodycamel's, with tokens; " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_THREADS,
    .has_batches = true,
    .has_loans = true,
    .memory_bytes = mcq_memory_bytes,
    .begin = mcq_begin,
    .end = mcq_end,
    .open = mcq_open,
    .close = mcq_close,
    .prepare = mcq_prepare,
    .send = mcq_send,
    .receive = mcq_receive,
    .release = mcq_release,
    .wait = mcq_wait,
};
