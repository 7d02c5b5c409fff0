/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iceoryx 2.0: messages are loaned from a pool, written and read in place. Its daemon, RouDi, is started
 * by begin() with a pool for just this trial (roudi.c).
 *
 * Nothing is lost and nobody blocks in the library, for the pool has no more chunks than a subscriber's
 * queue has places (256): who finds no chunk finds the channel full. Connections come about by RouDi; a
 * sender knows that all receivers are there once each has got a probe, a message of four bytes.
 */
#include "bench/peers/peers.h"
#include "bench/peers/roudi.h"

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
constexpr uint64_t PROBE_EVERY_NS = 500000;
/* Finding no chunk is slow, for it is told to a log; so not each look at a full channel asks. */
constexpr unsigned LOOKS_WHEN_FULL = 16;

struct End {
    std::optional<iox::popo::UntypedPublisher> publisher;
    std::optional<iox::popo::UntypedSubscriber> subscriber;
    std::optional<iox::popo::WaitSet<1>> waits;
    bench_roudi_reached *reached;
    uint32_t index;
    uint32_t receivers;
    bool is_ready;
    uint64_t probed_ns;
    unsigned looks;
    void *loans[BENCH_BATCH_MAX];
    size_t prepared, next;
    const void *taken[BENCH_BATCH_MAX];
    size_t held;
};

size_t memory_bytes(const bench_channel *)
{
    return bench_roudi_reached_bytes();
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
    self->reached = static_cast<bench_roudi_reached *>(channel->memory);
    self->index = index;
    self->receivers = channel->receivers;
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
    delete self;
}

/* ---- connecting ---- */

void send_probe(End *self)
{
    uint64_t now_ns = bench_roudi_now_ns();

    if (now_ns - self->probed_ns < PROBE_EVERY_NS)
        return;
    self->probed_ns = now_ns;
    self->publisher->loan(sizeof(self->index)).and_then([self](void *probe) {
        memcpy(probe, &self->index, sizeof(self->index));
        self->publisher->publish(probe);
    });
}

/* True: it was one, and no message. */
bool take_probe(End *self, const void *chunk, size_t size_bytes)
{
    uint32_t sender;

    if (size_bytes != sizeof(sender))
        return false;
    memcpy(&sender, chunk, sizeof(sender));
    bench_roudi_reach(self->reached, sender, self->index);
    self->subscriber->release(chunk);
    return true;
}

size_t receive(void *end, bench_view views[], size_t max)
{
    End *self = static_cast<End *>(end);

    self->held = 0;
    while (self->held < max && self->held < BENCH_BATCH_MAX) {
        auto taken = self->subscriber->take();
        if (taken.has_error())
            break;
        const void *chunk = taken.value();
        size_t size_bytes = ChunkHeader::fromUserPayload(chunk)->userPayloadSize();
        if (take_probe(self, chunk, size_bytes))
            continue;
        views[self->held] = {chunk, size_bytes};
        self->taken[self->held++] = chunk;
    }
    return self->held;
}

bool ready(void *end)
{
    End *self = static_cast<End *>(end);
    bench_view view;

    /* A receiver's part is done by receive(), and there are no messages yet. */
    if (self->subscriber.has_value()) {
        (void)receive(self, &view, 1);
        return true;
    }
    if (!self->is_ready) {
        self->is_ready = bench_roudi_has_reached(self->reached, self->index, self->receivers);
        if (!self->is_ready)
            send_probe(self);
    }
    return self->is_ready;
}

/* ---- sending ---- */

size_t prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    End *self = static_cast<End *>(end);

    self->prepared = self->next = 0;
    if (!self->is_ready && !ready(self))
        return 0;
    if (self->looks > 0) {
        self->looks--;
        return 0;
    }
    if (count > LOANS_MAX)
        count = LOANS_MAX;
    while (self->prepared < count) {
        auto loaned = self->publisher->loan(static_cast<uint32_t>(size_bytes));
        if (loaned.has_error())
            break;
        places[self->prepared] = self->loans[self->prepared] = loaned.value();
        self->prepared++;
    }
    if (self->prepared == 0)
        self->looks = LOOKS_WHEN_FULL;
    return self->prepared;
}

size_t send(void *end, size_t count)
{
    End *self = static_cast<End *>(end);

    for (size_t done = 0; done < count; done++)
        self->publisher->publish(self->loans[self->next++]);
    return count;
}

void wait(void *end, uint64_t timeout_ns)
{
    End *self = static_cast<End *>(end);

    self->waits->timedWait(iox::units::Duration::fromNanoseconds(timeout_ns));
}

} // namespace

extern "C" const bench_contender bench_peer_iceoryx = {
    .name = "iceoryx",
    .package = "libiceoryx-posh-dev " ICEORYX_LATEST_RELEASE_VERSION,
    .note = "loans; at most 256 messages under way",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_FAN_IN |
                BENCH_PATTERN_MESH | BENCH_PATTERN_LATEST,
    .reach = BENCH_REACH_PROCESSES,
    .has_loans = true,
    .memory_bytes = memory_bytes,
    .begin = bench_roudi_begin,
    .end = bench_roudi_end,
    .open = open_end,
    .close = close_end,
    .ready = ready,
    .prepare = prepare,
    .send = send,
    .receive = receive,
    .release = release,
    .wait = wait,
};
