/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observers do not slow a publisher: it publishes in windows of some milliseconds, by turns with `peal top` looking at the
 * region once a millisecond and with `peal top` held still, and the windows are compared.
 *
 *      undisturbed PEAL BUS compare        with and without `peal top`: fails if it makes publishing slower
 *      undisturbed PEAL BUS guilty         the same, with somebody who really is in the way: fails if that is not found out
 *      undisturbed PEAL BUS takes_no_part  what top must not do, told without a clock
 *      undisturbed PEAL BUS figures [SECONDS [INTERVAL]]   prints a table
 */
#include "tests/tools/undisturbed_bursts.h"
#include "tests/tools/undisturbed_guilty.h"
#include "tests/tools/undisturbed_pty.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <peal/observer.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW_NS UINT64_C(3000000) /* about a slice of the scheduler: both of us run */
#define WINDOWS_EACH 30
#define BURST 64
#define TRIES 12
#define REGION_BYTES (UINT64_C(1) << 20)
#define SKIPPED 77

/* They take much time, and need system calls of their own. */
#if defined(PEAL_SANITIZE_ADDRESS) || defined(PEAL_SANITIZE_THREAD)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static const char *program, *url;
static char object[256]; /* the region's file */

#define FAIL(...) (printf("FAILED: "), printf(__VA_ARGS__), printf("\n"), 1)

/* ---- the publisher ---- */

/* We on the first CPU that we may use, the other on the second: in each other's way if anybody is. */
static void take_cpu(pid_t pid, int number)
{
    cpu_set_t all, one;
    if (sched_getaffinity(getpid(), sizeof(all), &all) != 0 || CPU_COUNT(&all) < 2)
        return;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all) && number-- == 0)
            CPU_SET(cpu, &one);
    (void)sched_setaffinity(pid, sizeof(one), &one);
    (void)setpriority(PRIO_PROCESS, (id_t)pid, -20); /* where we may: others keep them apart less */
}

struct rig {
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct pty_program top;
};

static bool rig_publish(struct rig *rig)
{
    struct peal_bus_options bus = PEAL_BUS_OPTIONS_INIT;
    struct peal_publisher_options lane = PEAL_PUBLISHER_OPTIONS_INIT;
    bus.size_bytes = REGION_BYTES;
    lane.depth =
        16; /* who looks at the newest messages, looks at the lines that are written next */
    return peal_bus_open(&rig->bus, url, &bus) == PEAL_OK &&
           peal_publisher_create(rig->bus, "undisturbed", &lane, &rig->publisher) == PEAL_OK;
}

static bool rig_look(struct rig *rig, const char *interval)
{
    char *const argv[] = {(char *)program, "top",       "--interval", (char *)interval,
                          "--bus",         (char *)url, NULL};
    if (!pty_start(&rig->top, argv))
        return false;
    take_cpu(rig->top.pid, 1);
    take_cpu(getpid(), 0);
    return pty_wait_sleeps(&rig->top, 3);
}

static void rig_end(struct rig *rig)
{
    peal_publisher_close(rig->publisher);
    peal_bus_close(rig->bus);
    (void)peal_unlink(url);
}

/* ---- comparing ---- */

/* Who does what in the windows "with". */
struct other {
    const char *name;
    void (*let_go)(const void *context);
    bool (*hold)(const void *context);
    const void *context;
};

static double take_window(struct rig *rig, uint32_t burst)
{
    static struct samples samples;
    if (!samples.ns && !samples_begin(&samples, 1 << 16))
        return 0;
    samples.count = 0;
    samples_take(&samples, rig->publisher, burst, WINDOW_NS);
    return samples_middle(&samples) / burst;
}

static bool take_windows(struct rig *rig, const struct other *other, struct windows *without,
                         struct windows *with)
{
    without->count = 0;
    with->count = 0;
    (void)take_window(rig, BURST); /* warm */
    for (unsigned i = 0; i < 2 * WINDOWS_EACH; i++) {
        const bool is_with = (i + i / 2) % 2 != 0; /* without, with, with, without... */
        struct windows *windows = is_with ? with : without;
        if (is_with)
            other->let_go(other->context);
        windows->ns[windows->count++] = take_window(rig, BURST);
        if (is_with && !other->hold(other->context))
            return false;
    }
    return true;
}

/* Slow twice in a row: once is what a neighbour of this machine may do. */
static int compare(struct rig *rig, const struct other *other, bool *slower)
{
    struct windows without, with;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!take_windows(rig, other, &without, &with))
            return FAIL("%s has ended", other->name);
        const struct verdict verdict = verdict_of(&without, &with);
        printf("a publish takes %.1f ns, with %s %.1f ns: ratio %.2f, p %.2g\n", verdict.without_ns,
               other->name, verdict.with_ns, verdict.ratio, verdict.p);
        *slower = verdict.slower;
        if (!*slower)
            break;
    }
    return 0;
}

/* Answers when it has looked: at the least once a window, then. */
static void top_let_go(const void *context)
{
    pty_let_go(context);
    (void)pty_wait_sleeps(context, 1);
}

static bool top_hold(const void *context)
{
    return pty_hold(context);
}

static int compare_with_top(void)
{
    struct rig rig;
    bool slower = false;
    if (!rig_publish(&rig) || !rig_look(&rig, "1ms"))
        return FAIL("%s", peal_error_message());
    const struct other top = {"peal top", top_let_go, top_hold, &rig.top};
    const uint64_t sleeps = pty_sleeps(&rig.top);
    int code = pty_hold(&rig.top) ? compare(&rig, &top, &slower) : 1;
    const uint64_t looks = pty_sleeps(&rig.top) - sleeps;
    printf("peal top looked some %" PRIu64 " times\n", looks);
    if (looks < WINDOWS_EACH)
        code = FAIL("peal top did not look");
    if (slower)
        code = FAIL("peal top slows the publisher");
    if (pty_end(&rig.top) != 0)
        code = FAIL("peal top did not end well");
    rig_end(&rig);
    return code;
}

/* ---- somebody who is in the way ---- */

struct object_map {
    unsigned char *bytes;
    size_t size_bytes;
};

static bool map_object(struct object_map *map, int protection)
{
    struct stat what;
    const int file = open(object, (protection & PROT_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (file < 0 || fstat(file, &what) != 0)
        return false;
    map->size_bytes = (size_t)what.st_size;
    map->bytes = mmap(NULL, map->size_bytes, protection, MAP_SHARED, file, 0);
    (void)close(file);
    return map->bytes != MAP_FAILED;
}

/* Where the messages of the lane lie. */
static peal_u64 *find_lane(const struct rig *rig, const struct object_map *map)
{
    static const char mark[] = "here are the messages of this lane";
    for (int i = 0; i < GUILTY_LINES; i++)
        (void)peal_publisher_publish(rig->publisher, mark, sizeof(mark));
    unsigned char *found = memmem(map->bytes, map->size_bytes, mark, sizeof(mark));
    return found ? (peal_u64 *)(void *)(map->bytes + (size_t)(found - map->bytes) / 64 * 64) : NULL;
}

static int compare_with_guilty(void)
{
    struct rig rig;
    struct object_map map;
    cpu_set_t cpus;
    bool slower = false;
    if (IS_SANITIZED) {
        printf("what sanitizers add to each publish hides who is in its way\n");
        return SKIPPED;
    }
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) < 2) {
        printf("two cannot be in each other's way on one CPU\n");
        return SKIPPED;
    }
    if (!rig_publish(&rig) || !map_object(&map, PROT_READ | PROT_WRITE))
        return FAIL("%s", peal_error_message());
    peal_u64 *lane = find_lane(&rig, &map);
    if (!lane)
        return FAIL("the lane is not in %s", object);
    struct guilty guilty;
    if (!guilty_begin(&guilty, lane))
        return FAIL("cannot start another process");
    const struct other other = {"a guilty one", guilty_let_go, guilty_hold, &guilty};
    take_cpu(guilty.pid, 1);
    take_cpu(getpid(), 0);
    int code = 0;
    /* Where the machine is so busy that the two hardly ever run at the same time, it takes more than one try. */
    for (int i = 0; code == 0 && !slower && i < TRIES; i++)
        code = compare(&rig, &other, &slower);
    if (!slower)
        code = FAIL("a guilty one was not found out");
    guilty_end(&guilty);
    rig_end(&rig);
    return code;
}

/* ---- without a clock ---- */

static void see_region(void *context, const struct peal_observer_region *region)
{
    *(uint64_t *)context = region->members;
}

static uint64_t members(void)
{
    struct peal_observer *observer;
    struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
    uint64_t mask = 0;
    visitor.context = &mask;
    visitor.region = see_region;
    if (peal_observer_open(&observer, url, NULL) == PEAL_OK) {
        (void)peal_observer_visit(observer, &visitor);
        peal_observer_close(observer);
    }
    return mask;
}

/* All mappings of the object in that process allow reading and nothing else. */
static bool maps_read_only(pid_t pid)
{
    char path[64], line[512];
    unsigned seen = 0, other = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        const char *rights = strchr(line, ' ');
        if (!strstr(line, object) || !rights)
            continue;
        seen++;
        other += strncmp(rights, " r--s ", 6) != 0;
    }
    if (file)
        (void)fclose(file);
    return seen > 0 && other == 0;
}

/* From now on: exit, and nothing else. */
static bool forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog all = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}

/* Publishes where each system call is the end. */
static int publish_without_system_calls(void)
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        struct rig rig;
        if (!rig_publish(&rig) || !forbid_system_calls())
            _exit(SKIPPED);
        for (int i = 0; i < 300000; i++)
            (void)peal_publisher_publish(rig.publisher, &i, sizeof(i));
        _exit(0);
    }
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int check_no_part(struct rig *rig, const struct object_map *map, unsigned char *copy,
                         uint64_t members_before)
{
    /* Nobody publishes: whatever changes is top's doing. */
    if (!pty_wait_sleeps(&rig->top, 100))
        return FAIL("peal top does not look");
    if (memcmp(copy, map->bytes, map->size_bytes) != 0)
        return FAIL("bytes of the region changed while nobody but peal top was there");
    if (members() != members_before)
        return FAIL("peal top is a member");
    if (!maps_read_only(rig->top.pid))
        return FAIL("peal top has mapped the region otherwise than for reading");
    const uint64_t sleeps = pty_sleeps(&rig->top);
    const int code = IS_SANITIZED ? SKIPPED : publish_without_system_calls();
    if (code == SKIPPED)
        printf("no filter of system calls here\n");
    else if (code != 0)
        return FAIL("publishing needed a system call while peal top looked: %d", code);
    else if (pty_sleeps(&rig->top) == sleeps && !pty_wait_sleeps(&rig->top, 1))
        return FAIL("peal top does not look any more");
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    if (peal_bus_stats(rig->bus, &stats) != PEAL_OK || stats.bells_rung != 0 || stats.sleeps != 0)
        return FAIL("the publisher rang or slept");
    return 0;
}

static int takes_no_part(void)
{
    struct rig rig;
    struct object_map map;
    if (!rig_publish(&rig) || !map_object(&map, PROT_READ))
        return FAIL("%s", peal_error_message());
    for (int i = 0; i < 1000; i++)
        (void)peal_publisher_publish(rig.publisher, &i, sizeof(i));
    const uint64_t members_before = members();
    unsigned char *copy = malloc(map.size_bytes);
    if (!copy)
        return FAIL("no memory");
    memcpy(copy, map.bytes, map.size_bytes);
    if (!rig_look(&rig, "1ms"))
        return FAIL("peal top does not start");
    int code = check_no_part(&rig, &map, copy, members_before);
    if (pty_end(&rig.top) != 0)
        code = FAIL("peal top did not end well");
    free(copy);
    rig_end(&rig);
    return code;
}

/* ---- figures for people ---- */

static void print_figures(const char *name, struct samples *samples)
{
    const double middle = samples_middle(samples);
    printf("%-16s %8zu  %6.1f  %6" PRIu32 "  %6" PRIu32 "  %6" PRIu32 "  %6" PRIu32 "\n", name,
           samples->count, middle, samples_at(samples, 0.5), samples_at(samples, 0.99),
           samples_at(samples, 0.999), samples_at(samples, 1));
}

/* Each publish is timed on its own, and the clock with it. */
static int figures(double seconds, const char *interval)
{
    struct samples without, with;
    struct rig rig;
    if (!samples_begin(&without, 1 << 23) || !samples_begin(&with, 1 << 23))
        return FAIL("no memory");
    if (!rig_publish(&rig) || !rig_look(&rig, interval) || !pty_hold(&rig.top))
        return FAIL("%s", peal_error_message());
    const uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);
    const uint64_t sleeps = pty_sleeps(&rig.top);
    while (now_ns() < end_ns && without.count < without.room && with.count < with.room) {
        samples_take(&without, rig.publisher, 1, WINDOW_NS);
        pty_let_go(&rig.top);
        samples_take(&with, rig.publisher, 1, WINDOW_NS);
        if (!pty_hold(&rig.top))
            return FAIL("peal top has ended");
    }
    printf("ns a publish of 48 bytes, the reading of the clock included; peal top --interval %s "
           "looked %" PRIu64 " times\n",
           interval, pty_sleeps(&rig.top) - sleeps);
    printf("%-16s %8s  %6s  %6s  %6s  %6s  %6s\n", "", "samples", "middle", "p50", "p99", "p99.9",
           "most");
    print_figures("without", &without);
    print_figures("with peal top", &with);
    (void)pty_end(&rig.top);
    rig_end(&rig);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: undisturbed PEAL BUS compare|guilty|takes_no_part|figures\n");
        return 2;
    }
    program = argv[1];
    url = argv[2];
    (void)snprintf(object, sizeof(object), "/dev/shm/peal.%s", strchr(url, ':') + 1);
    setbuf(stdout, NULL);
    if (strcmp(argv[3], "compare") == 0)
        return compare_with_top();
    if (strcmp(argv[3], "guilty") == 0)
        return compare_with_guilty();
    if (strcmp(argv[3], "takes_no_part") == 0)
        return takes_no_part();
    return figures(argc > 4 ? atof(argv[4]) : 1, argc > 5 ? argv[5] : "1ms");
}
