/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random SIGKILL: eight processes publish to one topic and take from it, are killed, stopped and continued at
 * random, and started again. A survivor takes part all the time: what it hears has no gap that it is not
 * told, nothing of it grows, and in the end the region is as empty as in the beginning.
 *
 *      soak_test                            ten seconds
 *      PEAL_CAMPAIGN_SECONDS=N soak_test    N seconds
 */
#include "core/atomic.h"
#include "tests/support/eventually.h"
#include "tests/support/first_wrong.h"
#include "tests/support/random.h"

#include <peal/peal.h>

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROCESSES 8u
#define SECONDS_SHORT 10u
#define VOICES 64u
#define DEPTH 64u

/* What a message says of itself. */
struct words {
    uint64_t publisher;
    uint64_t number;
    uint64_t check;
};

struct tally {
    peal_u64 published;
    peal_u64 taken;
    peal_u64 lost;
    peal_u64 wrong; /* line of the first thing that was not as it must be */
};

static struct tally *tally;
static char url[64];

#define EXPECT(condition) EXPECT_OR_NOTE(&tally->wrong, condition)

/* ---- one that takes part ---- */

struct voice {
    uint64_t publisher;
    uint64_t next;
    uint64_t heard_at;
};

struct part {
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    uint64_t incarnation;
    uint64_t next;
    struct voice voices[VOICES];
    uint64_t heard;
    uint64_t longest_ns[3]; /* publish, take, wait for at most 2 ms */
};

static void note_time(struct part *part, int call, uint64_t begin_ns)
{
    uint64_t took_ns = test_now_ns() - begin_ns;
    if (took_ns > part->longest_ns[call])
        part->longest_ns[call] = took_ns;
}

static bool part_begin(struct part *part, uint64_t *seed)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_subscriber_options listening = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    memset(part, 0, sizeof(*part));
    bus_options.size_bytes = UINT64_C(2) << 20;
    bus_options.topics_max = 8;
    bus_options.spin_ns = 1000;
    bus_options.safety_net_ns = 10000000;
    options.depth = DEPTH;
    options.full_policy = random_below(seed, 4) ? PEAL_FULL_REFUSE : PEAL_FULL_EVICT;
    options.timestamp = random_below(seed, 2);
    options.crc32c = random_below(seed, 2);
    listening.reliability = random_below(seed, 2) ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    listening.history = random_below(seed, DEPTH);
    if (peal_bus_open(&part->bus, url, &bus_options) != PEAL_OK)
        return false;
    enum peal_status status =
        peal_subscriber_create(part->bus, "soak", &listening, &part->subscriber);
    if (status == PEAL_OK)
        status = peal_publisher_create(part->bus, "soak", &options, &part->publisher);
    /* Stopped ones may keep lanes that they have not read. */
    if (status != PEAL_OK) {
        EXPECT(status == PEAL_ELIMIT || status == PEAL_AGAIN || status == PEAL_ENOSPC);
        return false;
    }
    (void)peal_publisher_stats(part->publisher, &stats);
    part->incarnation = stats.incarnation;
    return true;
}

static void part_end(struct part *part)
{
    peal_publisher_close(part->publisher);
    peal_subscriber_close(part->subscriber);
    peal_bus_close(part->bus);
}

static bool publish(struct part *part)
{
    const struct words words = {part->incarnation, part->next, part->incarnation ^ part->next};
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_publisher_publish(part->publisher, &words, sizeof(words));
    note_time(part, 0, begin_ns);
    EXPECT(status == PEAL_OK || status == PEAL_FULL);
    if (status != PEAL_OK)
        return false;
    part->next++;
    (void)peal_u64_add_relaxed(&tally->published, 1);
    return true;
}

/* The voice of that publisher; a new one takes the place of the one that was silent for longest. */
static struct voice *voice_of(struct part *part, const struct peal_message *message)
{
    struct voice *oldest = &part->voices[0];
    for (uint32_t i = 0; i < VOICES; i++) {
        struct voice *voice = &part->voices[i];
        if (voice->publisher == message->publisher)
            return voice;
        if (voice->heard_at < oldest->heard_at)
            oldest = voice;
    }
    /* Where it begins, history and the time of our coming say. */
    *oldest =
        (struct voice){.publisher = message->publisher, .next = message->number - message->lost};
    return oldest;
}

static bool take(struct part *part)
{
    struct words words;
    struct peal_message message;
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status =
        peal_subscriber_take_copy(part->subscriber, &words, sizeof(words), &message);
    note_time(part, 1, begin_ns);
    EXPECT(status == PEAL_OK || status == PEAL_EMPTY);
    if (status != PEAL_OK)
        return false;
    EXPECT(message.size_bytes == sizeof(words));
    EXPECT(words.publisher == message.publisher && words.number == message.number);
    EXPECT(words.check == (words.publisher ^ words.number));
    struct voice *voice = voice_of(part, &message);
    /* Nothing is lost silently. */
    if (message.number - voice->next != message.lost) {
        fprintf(stderr,
                "process %d: message %" PRIu64 " of lane %" PRIu32 " of %016" PRIx64 ": %" PRIu64
                " was due, %" PRIu64 " are told lost, flags %" PRIu32 ", heard at %" PRIu64
                " of %" PRIu64 "\n",
                (int)getpid(), message.number, message.lane, message.publisher, voice->next,
                message.lost, message.flags, voice->heard_at, part->heard);
        first_wrong_note(&tally->wrong, __LINE__);
    }
    voice->next = message.number + 1;
    voice->heard_at = ++part->heard;
    (void)peal_u64_add_relaxed(&tally->taken, 1);
    (void)peal_u64_add_relaxed(&tally->lost, message.lost);
    return true;
}

/* A bit of work, then perhaps a sleep. */
static void work(struct part *part, uint64_t *seed)
{
    for (uint32_t i = random_below(seed, 40); i > 0 && publish(part); i--)
        continue;
    for (uint32_t i = random_below(seed, 200); i > 0 && take(part); i--)
        continue;
    if (random_below(seed, 4) != 0)
        return;
    const uint64_t begin_ns = test_now_ns();
    (void)peal_subscriber_wait(part->subscriber, 1 + random_below(seed, 2000000));
    note_time(part, 2, begin_ns);
}

/* ---- the mortals ---- */

static void live(uint64_t seed)
{
    struct part part;
    for (;;) {
        if (part_begin(&part, &seed)) {
            for (uint32_t i = random_below(&seed, 300); i > 0; i--)
                work(&part, &seed);
        }
        part_end(&part);
    }
}

static pid_t start(uint64_t seed)
{
    (void)fflush(NULL);
    const pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        live(seed);
    _exit(127);
}

/* ---- what must not grow ---- */

static uint64_t count_entries(const char *path, const char *prefix)
{
    uint64_t count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    (void)closedir(folder);
    return count;
}

struct footprint {
    uint64_t descriptors;
    uint64_t mappings;
    uint64_t resident_kb;
    uint64_t objects; /* of the region, in /dev/shm */
};

static struct footprint footprint_now(void)
{
    struct footprint now = {.descriptors = count_entries("/proc/self/fd", "")};
    char object[80];
    (void)snprintf(object, sizeof(object), "peal.%s", strchr(url, ':') + 1);
    now.objects = count_entries("/dev/shm", object);
    char line[256];
    FILE *file = fopen("/proc/self/maps", "re");
    while (file && fgets(line, sizeof(line), file))
        now.mappings++;
    if (file)
        (void)fclose(file);
    file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            now.resident_kb = strtoull(line + 6, NULL, 10);
    if (file)
        (void)fclose(file);
    return now;
}

static void print_footprint(const char *when, const struct footprint *now)
{
    print_message("%s: %" PRIu64 " descriptors, %" PRIu64 " mappings, %" PRIu64
                  " KiB resident, %" PRIu64 " objects\n",
                  when, now->descriptors, now->mappings, now->resident_kb, now->objects);
}

/* ---- the soak ---- */

struct soak {
    pid_t mortals[PROCESSES];
    uint64_t stopped_until_ns[PROCESSES]; /* 0: runs */
    uint64_t kills;
    uint64_t stops;
    uint64_t seed;
};

static void strike(struct soak *soak)
{
    const uint64_t now_ns = test_now_ns();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        if (soak->stopped_until_ns[i] == 0 || soak->stopped_until_ns[i] > now_ns)
            continue;
        soak->stopped_until_ns[i] = 0;
        (void)kill(soak->mortals[i], SIGCONT);
    }
    uint32_t victim = random_below(&soak->seed, PROCESSES);
    if (random_below(&soak->seed, 4) == 0) {
        (void)kill(soak->mortals[victim], SIGSTOP);
        soak->stopped_until_ns[victim] = now_ns + random_below(&soak->seed, 30000000);
        soak->stops++;
        return;
    }
    (void)kill(soak->mortals[victim], SIGKILL);
    assert_int_equal(waitpid(soak->mortals[victim], NULL, 0), soak->mortals[victim]);
    soak->stopped_until_ns[victim] = 0;
    soak->mortals[victim] = start(random_next(&soak->seed));
    soak->kills++;
}

static void assert_empty(struct part *survivor)
{
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_bus_recover(survivor->bus, NULL), PEAL_OK);
    while (take(survivor))
        continue;
    peal_publisher_close(survivor->publisher);
    peal_subscriber_close(survivor->subscriber);
    assert_int_equal(peal_bus_audit(survivor->bus, NULL, &audit), PEAL_OK);
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            fail_msg("in the end: %s", audit.first);
    assert_int_equal(audit.clients, 1);
    assert_int_equal(audit.topics + audit.subscribers + audit.lanes, 0);
    assert_int_equal(audit.pages_free, audit.pages);
    peal_bus_close(survivor->bus);
}

static void processes_killed_at_random_leave_nothing_behind(void **state)
{
    (void)state;
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t duration_ns =
        (seconds ? strtoull(seconds, NULL, 10) : SECONDS_SHORT) * UINT64_C(1000000000);
    struct soak soak = {.seed = random_seed()};
    struct part survivor;
    struct footprint early = {0};
    uint64_t bad = 0;
    assert_true(part_begin(&survivor, &soak.seed));
    for (uint32_t i = 0; i < PROCESSES; i++)
        soak.mortals[i] = start(random_next(&soak.seed));
    const uint64_t begin_ns = test_now_ns();
    for (uint64_t now_ns = begin_ns; now_ns - begin_ns < duration_ns && !bad;) {
        strike(&soak);
        work(&survivor, &soak.seed);
        now_ns = test_now_ns();
        if (early.mappings == 0 && now_ns - begin_ns > duration_ns / 5)
            early = footprint_now();
        bad = peal_u64_load_acquire(&tally->wrong);
    }
    const struct footprint late = footprint_now();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        (void)kill(soak.mortals[i], SIGKILL);
        (void)waitpid(soak.mortals[i], NULL, 0);
    }
    print_message("%" PRIu64 " kills, %" PRIu64 " stops; %" PRIu64 " published, %" PRIu64
                  " taken, %" PRIu64 " told lost\n",
                  soak.kills, soak.stops, peal_u64_load_acquire(&tally->published),
                  peal_u64_load_acquire(&tally->taken), peal_u64_load_acquire(&tally->lost));
    print_message("longest of the survivor: publish %.3f ms, take %.3f ms, wait %.3f ms\n",
                  (double)survivor.longest_ns[0] / 1e6, (double)survivor.longest_ns[1] / 1e6,
                  (double)survivor.longest_ns[2] / 1e6);
    print_footprint("early", &early);
    print_footprint("late ", &late);
    if (bad)
        fail_msg("soak_test.c:%" PRIu64 ": not so", bad);
    assert_true(soak.kills > 20 && peal_u64_load_acquire(&tally->taken) > 1000);
    assert_int_equal(late.descriptors, early.descriptors);
    assert_true(late.mappings <= early.mappings + 2);
    assert_true(late.resident_kb <= early.resident_kb + 2048);
    assert_true(late.objects <= early.objects + PROCESSES);
    assert_empty(&survivor);
    assert_int_equal(peal_u64_load_acquire(&tally->wrong), 0);
}

static int open_stage(void **state)
{
    (void)state;
    void *mapped =
        mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return 1;
    tally = mapped;
    (void)snprintf(url, sizeof(url), "posix:soak-%d", (int)getpid());
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    (void)peal_unlink(url);
    return munmap(tally, sizeof(*tally));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_killed_at_random_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
