/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile process that writes random and well-aimed words all over a region, and over the bells beside it, at full
 * speed, and rings everybody for ever. Honest processes work in that region all the time and in another one as well. In
 * the first they may be told anything, but no call crashes or takes long; in the second nothing is lost. Run it under
 * sanitizers, too (scripts/suite.sh asan).
 *
 *      scribbler_test                            eight seconds
 *      PEAL_CAMPAIGN_SECONDS=N scribbler_test    N seconds
 */
#include "core/atomic.h"
#include "core/lane_shared.h"
#include "core/region.h"
#include "tests/support/eventually.h"
#include "tests/support/first_wrong.h"
#include "tests/support/random.h"
#include "tests/support/scribble.h"
#include "transport/posix/posix_shared.h"

#include <peal/peal.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECONDS_SHORT 8u
#define HONEST 3u
#define REGION_BYTES (UINT64_C(1) << 20)
#define QUEUE_MESSAGE_BYTES 48u

/* CPU time of one call, under a sanitizer and beside others. A call that goes round for ever is far beyond. */
#define CALL_NS_MAX UINT64_C(1000000000)

enum kind {
    OPEN,
    CREATE,
    PUBLISH,
    TAKE,
    WAIT,
    RECOVER,
    AUDIT,
    CLOSE,
    QUEUE_CREATE,
    PUSH,
    PUSH_BATCH,
    POP,
    POP_BATCH,
    QUEUE_TAKE,
    DONE,
    QUEUE_WAIT,
    STATS,
    QUEUE_CLOSE,
    KINDS
};
static const char *const kind_texts[KINDS] = {"open",
                                              "create",
                                              "publish",
                                              "take",
                                              "wait",
                                              "recover",
                                              "audit",
                                              "close",
                                              "create a queue",
                                              "push",
                                              "push_batch",
                                              "pop",
                                              "pop_batch",
                                              "take of a queue",
                                              "done",
                                              "wait at a queue",
                                              "stats of a queue",
                                              "close a queue"};

struct report {
    peal_u64 stop; /* 1: everybody comes to an end */
    peal_u64 scribbled;
    peal_u64 rung;
    peal_u64 calls[KINDS];
    peal_u64 longest_ns[KINDS];
    peal_u64 corrupt; /* PEAL_ECORRUPT answers */
    peal_u64 clean;   /* messages taken in the other region */
    peal_u64 popped;  /* from queues there */
    peal_u64 wrong;   /* line of the first thing that was not as it must be */
    peal_u64 cpu_ns;  /* of one who waits beside a ringer */
};

static struct report *report;
static char spoilt_url[64];
static char clean_url[64];

#define EXPECT(condition) EXPECT_OR_NOTE(&report->wrong, condition)

static bool is_over(void)
{
    return peal_u64_load_acquire(&report->stop) != 0;
}

/* ---- the hostile one ---- */

static int scribble(uint64_t seed)
{
    struct peal_transport *transport;
    if (peal_transport_open("posix", strchr(spoilt_url, ':') + 1, NULL, &transport) != PEAL_OK)
        return 1;
    peal_u64 *words = (peal_u64 *)(void *)transport->base;
    peal_u64 *bells = (peal_u64 *)(void *)(transport->base - PEAL_POSIX_CONTROL_BYTES +
                                           PEAL_POSIX_CLIENTS_OFFSET);
    const size_t count = (size_t)transport->size_bytes / 8;
    for (uint64_t round = 0; !is_over(); round++) {
        /* Full speed, and now and then a pause in which honest clients get farther. */
        for (uint32_t i = 0; i < 2000; i++) {
            peal_u64 *word = &words[scribble_aim(&seed, count) % count];
            peal_u64_store_relaxed(word, scribble_lie(&seed, peal_u64_load_relaxed(word)));
        }
        (void)peal_u64_add_relaxed(&report->scribbled, 2000);
        for (uint32_t i = 0; i < 20; i++) {
            peal_u64 *word = &bells[random_below(&seed, 64 * 16)];
            peal_u64_store_relaxed(word, scribble_lie(&seed, peal_u64_load_relaxed(word)));
        }
        transport->ops->notify(transport, UINT64_MAX);
        (void)peal_u64_add_relaxed(&report->rung, 1);
        if (round % 4 == 0) {
            const struct timespec pause = {.tv_nsec = (long)random_below(&seed, 3000000)};
            (void)nanosleep(&pause, NULL);
        }
    }
    return 0;
}

/* ---- the honest ones ---- */

static uint64_t cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* One call, its status counted and its time held against the bound. */
static enum peal_status finish(enum kind kind, uint64_t begin_ns, enum peal_status status)
{
    uint64_t took_ns = cpu_ns() - begin_ns;
    uint64_t longest = peal_u64_load_relaxed(&report->longest_ns[kind]);
    (void)peal_u64_add_relaxed(&report->calls[kind], 1);
    while (took_ns > longest && !peal_u64_cas_acq_rel(&report->longest_ns[kind], &longest, took_ns))
        continue;
    if (status == PEAL_ECORRUPT)
        (void)peal_u64_add_relaxed(&report->corrupt, 1);
    EXPECT(took_ns < CALL_NS_MAX);
    EXPECT((unsigned)status <= PEAL_ESYSTEM);
    return status;
}

/* Opens with short patience. */
static struct peal_bus *open_bus(const char *url, uint64_t timeout_ns)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = REGION_BYTES;
    options.topics_max = SCRIBBLE_TOPICS;
    options.spin_ns = 1000;
    options.safety_net_ns = 5000000;
    options.open_timeout_ns = timeout_ns;
    uint64_t begin_ns = cpu_ns();
    (void)finish(OPEN, begin_ns, peal_bus_open(&bus, url, &options));
    return bus;
}

struct part {
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    struct peal_queue *queue;
};

/* In the spoilt region, of any kind, and of one kind for each name: default, strict, dropping what the dead held. */
static struct peal_queue *begin_queue(struct peal_bus *bus, uint64_t *seed)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *queue = NULL;
    const uint32_t which = random_below(seed, 3);
    static const char *const names[] = {"q", "strict", "drops"};
    options.depth = 2u << random_below(seed, 6);
    options.full_policy = (enum peal_queue_full_policy)random_below(seed, 4);
    options.full_timeout_ns = 500000;
    options.message_bytes_max = random_below(seed, 2) ? 0 : QUEUE_MESSAGE_BYTES;
    options.strict = which == 1;
    options.drops_held = which == 2;
    options.uses = random_below(seed, 4);
    uint64_t begin_ns = cpu_ns();
    (void)finish(QUEUE_CREATE, begin_ns, peal_queue_create(bus, names[which], &options, &queue));
    return queue;
}

static void begin(struct part *part, const char *url, const char *topic, uint64_t *seed)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_subscriber_options listening = PEAL_SUBSCRIBER_OPTIONS_INIT;
    *part = (struct part){.bus = open_bus(url, 20000000)};
    if (!part->bus)
        return;
    options.depth = 2u << random_below(seed, 6);
    options.full_policy = (enum peal_full_policy)random_below(seed, 4);
    options.full_timeout_ns = 500000;
    options.message_bytes_max = random_below(seed, 2) ? 48 : 3000;
    options.payload_bytes = random_below(seed, 2) ? 0 : 8192;
    options.crc32c = random_below(seed, 2);
    options.timestamp = random_below(seed, 2);
    options.type_name = random_below(seed, 4) ? NULL : "wheel";
    listening.reliability = (enum peal_reliability)random_below(seed, 2);
    listening.history = random_below(seed, 20);
    listening.latest = random_below(seed, 4) == 0;
    uint64_t begin_ns = cpu_ns();
    (void)finish(CREATE, begin_ns,
                 peal_subscriber_create(part->bus, topic, &listening, &part->subscriber));
    begin_ns = cpu_ns();
    (void)finish(CREATE, begin_ns,
                 peal_publisher_create(part->bus, topic, &options, &part->publisher));
    part->queue = begin_queue(part->bus, seed);
}

static void end(struct part *part)
{
    uint64_t begin_ns = cpu_ns();
    peal_queue_close(part->queue);
    (void)finish(QUEUE_CLOSE, begin_ns, PEAL_OK);
    begin_ns = cpu_ns();
    peal_publisher_close(part->publisher);
    peal_subscriber_close(part->subscriber);
    peal_bus_close(part->bus);
    (void)finish(CLOSE, begin_ns, PEAL_OK);
}

static void publish_somehow(struct peal_publisher *publisher, uint64_t *seed)
{
    static unsigned char bytes[3000];
    void *rooms[8];
    size_t size_bytes = random_below(seed, 2) ? random_below(seed, 48) : random_below(seed, 3000);
    size_t loaned = 0;
    uint64_t begin_ns = cpu_ns();
    enum peal_status status;
    if (random_below(seed, 3)) {
        status = peal_publisher_publish(publisher, bytes, size_bytes);
    } else {
        status = peal_publisher_loan_batch(publisher, size_bytes, 1 + random_below(seed, 8), rooms,
                                           &loaned);
        for (size_t i = 0; status == PEAL_OK && i < loaned; i++)
            memset(rooms[i], 1, size_bytes);
        if (status == PEAL_OK)
            status =
                peal_publisher_commit_batch(publisher, random_below(seed, (uint32_t)loaned + 1));
    }
    (void)finish(PUBLISH, begin_ns, status);
}

/* Reads all of what is said to be the message: it must be there. */
static void take_somehow(struct peal_subscriber *subscriber, uint64_t *seed)
{
    static unsigned char bytes[4096];
    struct peal_message messages[8] = {{0}};
    size_t count = 0;
    uint64_t begin_ns = cpu_ns();
    if (random_below(seed, 2)) {
        enum peal_status status =
            peal_subscriber_take_copy(subscriber, bytes, sizeof(bytes), &messages[0]);
        EXPECT(status != PEAL_OK || messages[0].size_bytes <= sizeof(bytes));
        (void)finish(TAKE, begin_ns, status);
        return;
    }
    enum peal_status status = peal_subscriber_take_batch(subscriber, messages, 8, &count);
    for (size_t i = 0; status == PEAL_OK && i < count; i++) {
        /* No lane here has longer messages than its payload ring or its slots. */
        EXPECT(messages[i].size_bytes <= REGION_BYTES);
        size_t left = messages[i].size_bytes;
        const unsigned char *from = messages[i].data;
        for (; left > sizeof(bytes); left -= sizeof(bytes), from += sizeof(bytes))
            memcpy(bytes, from, sizeof(bytes));
        memcpy(bytes, from, left);
    }
    if (status == PEAL_OK)
        (void)peal_subscriber_release_batch(subscriber, messages, count, NULL);
    (void)finish(TAKE, begin_ns, status);
}

/* All of what is said to be a message must be there, and no longer than was agreed. */
static void read_queued(const struct peal_queue *queue, const struct peal_queue_message *messages,
                        size_t count)
{
    static unsigned char bytes[4096];
    for (size_t i = 0; i < count; i++) {
        size_t size_bytes = messages[i].size_bytes;
        EXPECT(size_bytes <= peal_queue_message_bytes_max(queue));
        memcpy(bytes, messages[i].data, size_bytes < sizeof(bytes) ? size_bytes : sizeof(bytes));
    }
}

static void push_somehow(struct peal_queue *queue, uint64_t *seed)
{
    static unsigned char bytes[8 * QUEUE_MESSAGE_BYTES];
    size_t size_bytes = random_below(seed, QUEUE_MESSAGE_BYTES + 1);
    size_t count = 1 + random_below(seed, 8);
    size_t pushed = 0;
    uint64_t begin_ns = cpu_ns();
    struct peal_slice slices[8];
    switch (random_below(seed, 4)) {
    case 0:
    case 1:
        (void)finish(PUSH, begin_ns, peal_queue_push(queue, bytes, size_bytes));
        return;
    case 2:
        for (size_t i = 0; i < count; i++)
            slices[i] = (struct peal_slice){bytes, random_below(seed, (uint32_t)size_bytes + 1)};
        (void)finish(PUSH_BATCH, begin_ns, peal_queue_push_slices(queue, slices, count, &pushed));
        EXPECT(pushed <= count);
        return;
    default:
        break;
    }
    (void)finish(PUSH_BATCH, begin_ns,
                 peal_queue_push_batch(queue, bytes, size_bytes, count, &pushed));
    EXPECT(pushed <= count);
}

static void pop_somehow(struct peal_queue *queue, uint64_t *seed)
{
    struct peal_queue_message messages[8] = {{0}};
    const size_t room = peal_queue_message_bytes_max(queue);
    size_t count = 0;
    enum peal_status status;
    /* Of just the size that was agreed, so that a sanitizer sees one byte more. */
    unsigned char *bytes = room <= 65536 ? malloc(8 * room + 1) : NULL;
    uint64_t begin_ns = cpu_ns();
    switch (bytes ? random_below(seed, 3) : 2) {
    case 0:
        status = finish(POP, begin_ns, peal_queue_pop(queue, bytes, room, messages));
        if (status == PEAL_OK)
            read_queued(queue, messages, 1);
        break;
    case 1:
        status = finish(POP_BATCH, begin_ns,
                        peal_queue_pop_batch(queue, bytes, room, messages, 8, &count));
        if (status == PEAL_OK)
            read_queued(queue, messages, count);
        break;
    default:
        status = finish(QUEUE_TAKE, begin_ns, peal_queue_take(queue, messages, 8, &count));
        if (status == PEAL_OK)
            read_queued(queue, messages, count);
        begin_ns = cpu_ns();
        if (status == PEAL_OK && random_below(seed, 16)) /* or closes with it */
            (void)finish(DONE, begin_ns, peal_queue_done(queue));
    }
    EXPECT(count <= 8);
    free(bytes);
}

static void use_queue_somehow(struct peal_queue *queue, uint64_t *seed)
{
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    for (uint32_t i = 0; i < 30; i++) {
        push_somehow(queue, seed);
        pop_somehow(queue, seed);
    }
    uint64_t begin_ns = cpu_ns();
    (void)finish(STATS, begin_ns, peal_queue_stats(queue, &stats));
    begin_ns = cpu_ns();
    if (random_below(seed, 4) == 0)
        (void)finish(QUEUE_WAIT, begin_ns, peal_queue_wait(queue, random_below(seed, 2000000)));
}

static void look_after(struct peal_bus *bus)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    uint64_t begin_ns = cpu_ns();
    (void)finish(RECOVER, begin_ns, peal_bus_recover(bus, NULL));
    begin_ns = cpu_ns();
    (void)finish(AUDIT, begin_ns, peal_bus_audit(bus, NULL, &audit));
}

static void suffer(struct part *part, uint64_t *seed)
{
    for (uint32_t i = 0; i < 30 && part->publisher; i++)
        publish_somehow(part->publisher, seed);
    for (uint32_t i = 0; i < 40 && part->subscriber; i++)
        take_somehow(part->subscriber, seed);
    if (part->subscriber && random_below(seed, 4) == 0) {
        uint64_t begin_ns = cpu_ns();
        (void)finish(WAIT, begin_ns,
                     peal_subscriber_wait(part->subscriber, random_below(seed, 2000000)));
    }
    if (part->queue)
        use_queue_somehow(part->queue, seed);
    if (part->bus && random_below(seed, 4) == 0)
        look_after(part->bus);
}

/* The other region: what we publish ourselves comes back to us, all of it, in order. */
struct clean {
    struct part part;
    uint64_t incarnation;
    uint64_t published;
    uint64_t taken;
    uint64_t pushed;
    uint64_t popped;
};

static void begin_clean(struct clean *clean, const char *topic)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    options.depth = 64;
    options.full_policy = PEAL_FULL_REFUSE;
    *clean = (struct clean){.part.bus = open_bus(clean_url, EVENTUALLY_TIMEOUT_NS)};
    EXPECT(clean->part.bus);
    if (!clean->part.bus)
        return;
    EXPECT(peal_subscriber_create(clean->part.bus, topic, NULL, &clean->part.subscriber) ==
           PEAL_OK);
    EXPECT(peal_publisher_create(clean->part.bus, topic, &options, &clean->part.publisher) ==
           PEAL_OK);
    struct peal_queue_options queueing = PEAL_QUEUE_OPTIONS_INIT;
    char name[16];
    (void)snprintf(name, sizeof(name), "queue-%s", topic);
    queueing.depth = 64;
    queueing.message_bytes_max = 8;
    queueing.full_policy = PEAL_QUEUE_FULL_REFUSE;
    queueing.strict = topic[1] % 2;
    EXPECT(peal_queue_create(clean->part.bus, name, &queueing, &clean->part.queue) == PEAL_OK);
    (void)peal_publisher_stats(clean->part.publisher, &stats);
    clean->incarnation = stats.incarnation;
}

static void work_clean(struct clean *clean)
{
    for (uint32_t i = 0; i < 50; i++) {
        enum peal_status status =
            peal_publisher_publish(clean->part.publisher, &clean->published, 8);
        EXPECT(status == PEAL_OK || status == PEAL_FULL);
        clean->published += status == PEAL_OK;
    }
    uint64_t word;
    struct peal_message message;
    enum peal_status status;
    while ((status = peal_subscriber_take_copy(clean->part.subscriber, &word, sizeof(word),
                                               &message)) == PEAL_OK) {
        EXPECT(message.lost == 0 && word == message.number);
        if (message.publisher == clean->incarnation)
            EXPECT(word == clean->taken++);
        (void)peal_u64_add_relaxed(&report->clean, 1);
    }
    EXPECT(status == PEAL_EMPTY);
    EXPECT(clean->taken == clean->published);
}

/* Its queue, to which only we push and from which only we pop: nothing lost, doubled or out of order. */
static void work_clean_queue(struct clean *clean)
{
    uint64_t words[16];
    struct peal_queue_message messages[16];
    size_t count = 0;
    struct peal_queue *queue = clean->part.queue;
    for (uint32_t i = 0; i < 16; i++)
        words[i] = clean->pushed + i;
    enum peal_status status = peal_queue_push_batch(queue, words, 8, 16, &count);
    EXPECT(status == PEAL_OK && count == 16);
    clean->pushed += count;
    status = peal_queue_push(queue, &clean->pushed, 8);
    EXPECT(status == PEAL_OK);
    clean->pushed += status == PEAL_OK;
    while ((status = peal_queue_pop_batch(queue, words, 8, messages, 5, &count)) == PEAL_OK) {
        for (size_t i = 0; i < count; i++) {
            EXPECT(words[i] == clean->popped && messages[i].number == clean->popped &&
                   !messages[i].is_redelivered);
            clean->popped++;
        }
        (void)peal_u64_add_relaxed(&report->popped, count);
    }
    EXPECT(status == PEAL_EMPTY && clean->popped == clean->pushed);
}

static int be_honest(uint64_t seed)
{
    struct clean clean;
    char topic[8];
    (void)snprintf(topic, sizeof(topic), "c%u", (unsigned)(seed % HONEST));
    begin_clean(&clean, topic);
    while (!is_over() && clean.part.bus) {
        struct part part;
        begin(&part, spoilt_url, random_below(&seed, 2) ? "a" : "b", &seed);
        for (uint32_t i = random_below(&seed, 20); i > 0 && !is_over(); i--) {
            suffer(&part, &seed);
            work_clean(&clean);
            work_clean_queue(&clean);
        }
        work_clean(&clean);
        work_clean_queue(&clean);
        end(&part);
    }
    end(&clean.part);
    return 0;
}

/* ---- processes ---- */

static pid_t start(int (*body)(uint64_t seed), uint64_t seed)
{
    (void)fflush(NULL);
    const pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(getppid() == parent ? body(seed) : 127);
}

static void pass_time(uint64_t duration_ns)
{
    const uint64_t end_ns = test_now_ns() + duration_ns;
    const struct timespec pause = {.tv_nsec = 20000000};
    while (test_now_ns() < end_ns && !peal_u64_load_acquire(&report->wrong))
        (void)nanosleep(&pause, NULL);
}

/* Ends in time, whatever it is doing; 0: well. */
static int reap(pid_t pid)
{
    int status = 0;
    for (const uint64_t end_ns = test_now_ns() + EVENTUALLY_TIMEOUT_NS;;) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (test_now_ns() > end_ns)
            break;
        (void)usleep(1000);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return -1;
}

static void a_scribbler_harms_nobody_who_is_honest(void **state)
{
    (void)state;
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    uint64_t seed = random_seed();
    pid_t honest[HONEST];
    struct peal_bus *bus = open_bus(spoilt_url, EVENTUALLY_TIMEOUT_NS); /* made in its full size */
    assert_non_null(bus);
    peal_bus_close(bus);
    pid_t hostile = start(scribble, random_next(&seed));
    for (uint32_t i = 0; i < HONEST; i++)
        honest[i] = start(be_honest, random_next(&seed) / HONEST * HONEST + i);
    pass_time((seconds ? strtoull(seconds, NULL, 10) : SECONDS_SHORT) * UINT64_C(1000000000));
    peal_u64_store_release(&report->stop, 1);
    int worst = 0;
    for (uint32_t i = 0; i < HONEST; i++) {
        int code = reap(honest[i]);
        worst = code ? code : worst;
    }
    assert_int_equal(reap(hostile), 0);
    print_message("%" PRIu64 " hostile writes, %" PRIu64 " rings to all; %" PRIu64
                  " lanes given up; %" PRIu64 " messages and %" PRIu64
                  " queued ones in the other region, none lost\n",
                  peal_u64_load_acquire(&report->scribbled), peal_u64_load_acquire(&report->rung),
                  peal_u64_load_acquire(&report->corrupt), peal_u64_load_acquire(&report->clean),
                  peal_u64_load_acquire(&report->popped));
    for (int i = 0; i < KINDS; i++)
        print_message("%-16s %9" PRIu64 " calls, longest %9.3f ms of CPU\n", kind_texts[i],
                      peal_u64_load_acquire(&report->calls[i]),
                      (double)peal_u64_load_acquire(&report->longest_ns[i]) / 1e6);
    if (peal_u64_load_acquire(&report->wrong))
        fail_msg("scribbler_test.c:%" PRIu64 ": not so", peal_u64_load_acquire(&report->wrong));
    assert_int_equal(worst, 0);
    assert_true(peal_u64_load_acquire(&report->scribbled) > 100000);
    assert_true(peal_u64_load_acquire(&report->clean) > 1000);
    assert_true(peal_u64_load_acquire(&report->popped) > 1000);
    for (int i = 0; i < KINDS; i++)
        assert_true(peal_u64_load_acquire(&report->calls[i]) > 0);
}

/* ---- bells for ever ---- */

static int ring_for_ever(uint64_t seed)
{
    struct peal_transport *transport;
    (void)seed;
    if (peal_transport_open("posix", strchr(spoilt_url, ':') + 1, NULL, &transport) != PEAL_OK)
        return 1;
    while (!is_over()) {
        transport->ops->notify(transport, UINT64_MAX);
        (void)peal_u64_add_relaxed(&report->rung, 1);
    }
    return 0;
}

#define WAIT_NS UINT64_C(2000000000)

static int wait_for_nothing(uint64_t seed)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    struct peal_subscriber *subscriber;
    (void)seed;
    options.size_bytes = REGION_BYTES;
    options.bell_rate_hz = 10000;
    if (peal_bus_open(&bus, spoilt_url, &options) != PEAL_OK ||
        peal_subscriber_create(bus, "quiet", NULL, &subscriber) != PEAL_OK)
        return 1;
    uint64_t before_ns = cpu_ns();
    EXPECT(peal_subscriber_wait(subscriber, WAIT_NS) == PEAL_TIMEDOUT);
    peal_u64_store_release(&report->cpu_ns, cpu_ns() - before_ns);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    return 0;
}

/* One wake in a millisecond is what the limit allows here, and some microseconds a wake. */
static void bells_for_ever_cost_a_bounded_share_of_a_cpu(void **state)
{
    (void)state;
    (void)peal_unlink(spoilt_url);
    memset(report, 0, sizeof(*report));
    struct peal_bus *bus = open_bus(spoilt_url, EVENTUALLY_TIMEOUT_NS);
    assert_non_null(bus);
    pid_t hostile = start(ring_for_ever, 0);
    pid_t honest = start(wait_for_nothing, 0);
    assert_int_equal(reap(honest), 0);
    peal_u64_store_release(&report->stop, 1);
    assert_int_equal(reap(hostile), 0);
    uint64_t spent_ns = peal_u64_load_acquire(&report->cpu_ns);
    print_message("%" PRIu64 " rings in %.1f s cost the sleeper %.1f ms of CPU (%.1f %%)\n",
                  peal_u64_load_acquire(&report->rung), (double)WAIT_NS / 1e9,
                  (double)spent_ns / 1e6, 100.0 * (double)spent_ns / (double)WAIT_NS);
    peal_bus_close(bus);
    assert_int_equal(peal_u64_load_acquire(&report->wrong), 0);
    assert_true(peal_u64_load_acquire(&report->rung) > 10000);
    assert_true(spent_ns < WAIT_NS / 4);
}

static int open_stage(void **state)
{
    (void)state;
    void *mapped =
        mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return 1;
    report = mapped;
    (void)snprintf(spoilt_url, sizeof(spoilt_url), "posix:spoilt-%d", (int)getpid());
    (void)snprintf(clean_url, sizeof(clean_url), "posix:clean-%d", (int)getpid());
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    (void)peal_unlink(spoilt_url);
    (void)peal_unlink(clean_url);
    return munmap(report, sizeof(*report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scribbler_harms_nobody_who_is_honest),
        cmocka_unit_test(bells_for_ever_cost_a_bounded_share_of_a_cpu),
    };
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
