/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iceoryx 2.0: messages are loaned from a pool, written and read in place. Its daemon, RouDi, is started
 * by begin() with a pool for just such trials (roudi.c).
 *
 * By itself iceoryx drops the oldest message of a full queue, or blocks the sender within a call. Here
 * neither happens: each receiver counts, in memory beside it, what it has taken of each sender, and a
 * sender who is as far ahead as the channel is deep finds it full. He looks at the count only when what
 * he saw there last is used up.
 *
 * Connections come about by RouDi; a sender knows that all receivers are there once each has got a
 * probe, a message of four bytes.
 */
#include "bench/peers/peers.h"
#include "bench/peers/roudi.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iceoryx_hoofs/error_handling/error_handling.hpp>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <iceoryx_versions.hpp>
#include <memory>
#include <mutex>
#include <optional>

namespace
{

using iox::mepoo::ChunkHeader;

/* What a publisher may have loaned at once. */
constexpr size_t LOANS_MAX = iox::build::IOX_MAX_CHUNKS_ALLOCATED_PER_PUBLISHER_SIMULTANEOUSLY;

/* Between the first two probes, then always twice as long: a receiver that gets no CPU finds a few of
 * them, and not all of the pool. */
constexpr uint64_t PROBE_AFTER_NS = 200000;

struct End {
    std::optional<iox::popo::UntypedPublisher> publisher;
    std::optional<iox::popo::UntypedSubscriber> subscriber;
    std::optional<iox::popo::WaitSet<1>> waits;
    bench_roudi_taken *taken_counts;
    uint32_t index;
    uint32_t receivers;
    bool is_ready;
    uint64_t probed_ns, probe_after_ns;
    size_t batch;
    /* The sender's; `bound` is the number of the first message that may not go yet. */
    bool is_bounded;
    uint64_t sent, bound, depth;
    /* The receiver's, by sender: who he is to iceoryx, and how much of his was taken. */
    uint32_t senders;
    std::array<iox::popo::UniquePortId, BENCH_WORKERS_MAX> origins;
    std::array<uint64_t, BENCH_WORKERS_MAX> counts;
    bool has_early; /* ready() has taken a message */
    bench_view early;
    void *loans[BENCH_BATCH_MAX];
    size_t prepared, next;
    const void *taken[BENCH_BATCH_MAX];
    size_t held;
};

size_t memory_bytes(const bench_channel *)
{
    return bench_roudi_taken_bytes();
}

/* One for each process, however many ends it has. */
void start_runtime(const bench_channel *channel, bool sends, uint32_t index)
{
    static std::once_flag once;
    char name[80];

    bench_roudi_application(name, channel, sends, index);
    std::call_once(once, [&name] {
        /* Lives as long as the process. An empty pool is no error here. */
        static auto quiet = iox::ErrorHandler::setTemporaryErrorHandler(
            [](const iox::Error error, const std::function<void()>, const iox::ErrorLevel level) {
                if (level != iox::ErrorLevel::MODERATE)
                    bench_contender_die("iceoryx: error %u", static_cast<unsigned>(error));
            });
        iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
            iox::log::LogLevel::kOff, iox::log::LogLevelOutput::kHideLogLevel);
        iox::runtime::PoshRuntime::initRuntime(
            iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name, strlen(name)));
    });
}

iox::capro::ServiceDescription service_of(const bench_channel *channel)
{
    return {
        "peal-bench",
        iox::capro::IdString_t(iox::cxx::TruncateToCapacity, channel->name, strlen(channel->name)),
        "letters"};
}

void open_subscriber(End *self, const bench_channel *channel)
{
    iox::popo::SubscriberOptions options;

    options.queueCapacity =
        channel->pattern == BENCH_PATTERN_LATEST ? 1 : iox::popo::SubscriberOptions{}.queueCapacity;
    self->subscriber.emplace(service_of(channel), options);
    if (!channel->waits)
        return;
    self->waits.emplace();
    if (self->waits->attachState(*self->subscriber, iox::popo::SubscriberState::HAS_DATA)
            .has_error())
        bench_contender_die("iceoryx: cannot attach a subscriber to a wait set");
}

void *open_end(const bench_channel *channel, bool sends, uint32_t index)
{
    End *self = new End{};

    start_runtime(channel, sends, index);
    self->taken_counts = static_cast<bench_roudi_taken *>(channel->memory);
    self->is_bounded = channel->pattern != BENCH_PATTERN_LATEST;
    self->depth = self->bound = channel->depth;
    self->senders = channel->senders;
    self->index = index;
    self->receivers = channel->receivers;
    self->probe_after_ns = PROBE_AFTER_NS;
    self->batch = bench_roudi_batch(channel->size_bytes);
    if (sends)
        self->publisher.emplace(service_of(channel));
    else
        open_subscriber(self, channel);
    return self;
}

void release(void *end)
{
    End *self = static_cast<End *>(end);

    while (self->held > 0)
        self->subscriber->release(self->taken[--self->held]);
}

void close_end(void *end)
{
    End *self = static_cast<End *>(end);

    while (self->next < self->prepared)
        self->publisher->release(self->loans[self->next++]);
    self->waits.reset();
    bench_roudi_taken *taken_counts = self->taken_counts;
    delete self;
    bench_roudi_taken_close(taken_counts);
}

/* ---- connecting ---- */

void send_probe(End *self)
{
    uint64_t now_ns = bench_roudi_now_ns();

    if (self->probed_ns != 0) {
        if (now_ns - self->probed_ns < self->probe_after_ns)
            return;
        self->probe_after_ns *= 2;
    }
    self->probed_ns = now_ns;
    self->publisher->loan(sizeof(self->index)).and_then([self](void *probe) {
        memcpy(probe, &self->index, sizeof(self->index));
        self->publisher->publish(probe);
    });
}

/* True: it was one, and no message. */
bool take_probe(End *self, const ChunkHeader *header, const void *chunk)
{
    uint32_t sender;

    if (header->userPayloadSize() != sizeof(sender))
        return false;
    memcpy(&sender, chunk, sizeof(sender));
    if (sender < BENCH_WORKERS_MAX) {
        self->origins[sender] = header->originId();
        bench_roudi_taken_reach(self->taken_counts, sender, self->index);
    }
    self->subscriber->release(chunk);
    return true;
}

void count(End *self, const ChunkHeader *header)
{
    uint32_t sender = 0;

    while (self->senders > 1 && sender < self->senders &&
           !(self->origins[sender] == header->originId()))
        sender++;
    if (sender < self->senders)
        bench_roudi_taken_count(self->taken_counts, sender, self->index, ++self->counts[sender]);
}

size_t receive(void *end, bench_view views[], size_t max)
{
    End *self = static_cast<End *>(end);

    if (self->has_early) {
        self->has_early = false;
        views[0] = self->early;
        return 1;
    }
    self->held = 0;
    while (self->held < max && self->held < self->batch) {
        auto taken = self->subscriber->take();
        if (taken.has_error())
            break;
        const void *chunk = taken.value();
        const ChunkHeader *header = ChunkHeader::fromUserPayload(chunk);
        if (take_probe(self, header, chunk))
            continue;
        if (self->is_bounded)
            count(self, header);
        views[self->held] = {chunk, header->userPayloadSize()};
        self->taken[self->held++] = chunk;
    }
    return self->held;
}

bool ready(void *end)
{
    End *self = static_cast<End *>(end);

    /* A receiver only takes probes; should the first message have come already, receive() finds it. */
    if (self->subscriber.has_value()) {
        if (!self->has_early)
            self->has_early = receive(self, &self->early, 1) == 1;
        return true;
    }
    if (!self->is_ready) {
        self->is_ready = bench_roudi_has_reached(self->taken_counts, self->index, self->receivers);
        if (!self->is_ready)
            send_probe(self);
    }
    return self->is_ready;
}

/* ---- sending ---- */

/* How many may go now. */
size_t room(End *self, size_t count)
{
    if (!self->is_bounded)
        return count;
    if (self->sent + count > self->bound)
        self->bound = bench_roudi_taken_by_all(self->taken_counts, self->index, self->receivers) +
                      self->depth;
    return self->sent + count <= self->bound ? count : self->bound - self->sent;
}

size_t prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    End *self = static_cast<End *>(end);

    self->prepared = self->next = 0;
    if (!self->is_ready && !ready(self))
        return 0;
    count = room(self, std::min({count, LOANS_MAX, self->batch}));
    while (self->prepared < count) {
        auto loaned = self->publisher->loan(static_cast<uint32_t>(size_bytes));
        if (loaned.has_error())
            bench_contender_die("iceoryx: no loan, error %u",
                                static_cast<unsigned>(loaned.get_error()));
        places[self->prepared] = self->loans[self->prepared] = loaned.value();
        self->prepared++;
    }
    return self->prepared;
}

size_t send(void *end, size_t count)
{
    End *self = static_cast<End *>(end);

    for (size_t done = 0; done < count; done++)
        self->publisher->publish(self->loans[self->next++]);
    self->sent += count;
    return count;
}

void wait(void *end, uint64_t timeout_ns)
{
    End *self = static_cast<End *>(end);

    if (!self->has_early)
        self->waits->timedWait(iox::units::Duration::fromNanoseconds(timeout_ns));
}

} // namespace

extern "C" const bench_contender bench_peer_iceoryx = {
    .name = "iceoryx",
    .package = "libiceoryx-posh-dev " ICEORYX_LATEST_RELEASE_VERSION,
    .note = "loans; at most 240 messages under way; a count beside it keeps senders from dropping "
            "messages, or blocking",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_FAN_IN |
                BENCH_PATTERN_MESH | BENCH_PATTERN_LATEST,
    .reach = BENCH_REACH_PROCESSES,
    .has_loans = true,
    .turn_ms = 14,
    .memory_bytes = memory_bytes,
    .begin = bench_roudi_begin,
    .end = bench_roudi_end,
    .rest = bench_roudi_rest,
    .open = open_end,
    .close = close_end,
    .ready = ready,
    .prepare = prepare,
    .send = send,
    .receive = receive,
    .release = release,
    .wait = wait,
};
