/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of the header of that name: its blocking queue, with the one moment made long that hardly ever
 * is: the element is in the queue, and the signal that it is has not been given. peek() shows it then, and
 * pop() refuses.
 */
#ifndef PEAL_TESTS_BENCH_LATE_SIGNAL_READERWRITERQUEUE_READERWRITERQUEUE_H
#define PEAL_TESTS_BENCH_LATE_SIGNAL_READERWRITERQUEUE_READERWRITERQUEUE_H

#include <chrono>
#include <cstdint>
#include <mutex>
#include_next <readerwriterqueue/readerwriterqueue.h>
#include <sched.h>
#include <thread>

namespace moodycamel
{

template <class T> class LateReaderWriterQueue
{
  public:
    explicit LateReaderWriterQueue(size_t capacity) : inner(capacity)
    {
    }
    bool try_enqueue(const T &element)
    {
        if (!inner.try_enqueue(element))
            return false;
        for (unsigned i = 0; i < 20; i++)
            (void)sched_yield();
        std::lock_guard<std::mutex> guard(lock);
        signals++;
        return true;
    }
    bool try_dequeue(T &element)
    {
        return take_signal() && inner.try_dequeue(element);
    }
    T *peek()
    {
        return inner.peek();
    }
    bool pop()
    {
        return take_signal() && inner.pop();
    }
    bool wait_dequeue_timed(T &element, int64_t timeout_us)
    {
        auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);

        while (!try_dequeue(element)) {
            if (std::chrono::steady_clock::now() > until)
                return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return true;
    }

  private:
    bool take_signal()
    {
        std::lock_guard<std::mutex> guard(lock);

        if (signals == 0)
            return false;
        signals--;
        return true;
    }
    ReaderWriterQueue<T> inner;
    std::mutex lock;
    uint64_t signals = 0;
};

} // namespace moodycamel

#define BlockingReaderWriterQueue LateReaderWriterQueue

#endif
