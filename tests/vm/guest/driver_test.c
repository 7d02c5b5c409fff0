/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest driver's device node, tried from inside of a guest: what include/guest_shm_ioctl.h and guest_shm(4) promise.
 *
 *      driver_test [DEVICE [MODULE]]       by default /dev/guest_shm0; with MODULE (guest_shm.ko) it is unloaded as well
 *
 * Must be the only user of the device in this guest, as root; nobody else may be in the regions that it names. Prints a
 * line for each case (PASS, FAIL, SKIPPED), and fails with exit code 1 if one of them failed.
 */
#include "guest_shm.h"
#include "guest_shm_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define PAGES 8u
#define PATIENCE_MS 60000 /* an emulated machine on a busy one */
#define ATTACHES 1000

static const char *device = "/dev/guest_shm0";
static const char *module;
static bool failed;
static const char *skipped; /* why this case can't be run here */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("  line %d: %s (errno %d: %s)\n", __LINE__, #condition, errno,                  \
                   strerror(errno));                                                               \
            failed = true;                                                                         \
        }                                                                                          \
    } while (0)

/* Whether `call` fails, and in this way. */
#define REFUSED(error, call) CHECK((errno = 0, (call) < 0) && errno == (error))

static int open_node(void)
{
    const int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    CHECK(fd >= 0);
    return fd;
}

static int attach(int fd, const char *name, uint32_t pages, struct guest_shm_attach *answer)
{
    *answer = (struct guest_shm_attach){.pages = pages};
    memcpy(answer->name, name, strnlen(name, sizeof(answer->name)));
    return ioctl(fd, GUEST_SHM_IOC_ATTACH, answer);
}

/* A descriptor that is attached; its index. */
static int join(const char *name, uint32_t *index)
{
    struct guest_shm_attach answer;
    const int fd = open_node();
    CHECK(attach(fd, name, PAGES, &answer) == 0);
    CHECK(answer.index < GUEST_SHM_MAX_CLIENTS && answer.pages == PAGES);
    *index = answer.index;
    return fd;
}

static uint32_t members_of(int fd)
{
    struct guest_shm_info info = {0};
    CHECK(ioctl(fd, GUEST_SHM_IOC_INFO, &info) == 0);
    return info.members;
}

static void *map(int fd, uint32_t pages)
{
    void *base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(base != MAP_FAILED);
    return base;
}

static short wait_for(int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};
    CHECK(poll(&entry, 1, PATIENCE_MS) == 1);
    return entry.revents;
}

static short look_at(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

/* The next event, within reason. */
static struct guest_shm_event next_event(int fd)
{
    struct guest_shm_event event = {0};
    CHECK(wait_for(fd, POLLIN) == POLLIN);
    CHECK(read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event));
    return event;
}

/* Also what the device has to tell, but by an interrupt that has not come yet: asking fetches it. */
static void forget_events(int fd)
{
    struct guest_shm_event event;
    (void)members_of(fd);
    while (read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event))
        continue;
}

/* Reads until `bit` is (or is not) a member, which the driver tells by events. */
static bool member_becomes(int fd, uint32_t index, bool there)
{
    while (((members_of(fd) >> index & 1u) != 0) != there)
        if (wait_for(fd, POLLIN) != POLLIN)
            return false;
        else
            forget_events(fd);
    return true;
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

static void a_node_must_be_open_for_reading_and_writing(void)
{
    REFUSED(EACCES, open(device, O_RDONLY | O_CLOEXEC));
    REFUSED(EACCES, open(device, O_WRONLY | O_CLOEXEC));
}

static void without_an_attachment_there_is_nothing_to_use(void)
{
    struct guest_shm_info info = {0};
    struct guest_shm_event event;
    const int fd = open_node();
    CHECK(ioctl(fd, GUEST_SHM_IOC_INFO, &info) == 0);
    CHECK(info.abi_version == GUEST_SHM_ABI_VERSION && info.index == UINT32_MAX);
    CHECK(info.pages == 0 && info.members == 0);
    REFUSED(ENOTCONN, read(fd, &event, sizeof(event)));
    REFUSED(ENOTCONN, ioctl(fd, GUEST_SHM_IOC_NOTIFY, 1ul));
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENOTCONN);
    CHECK(look_at(fd) == 0);
    (void)close(fd);
}

static void bad_requests_are_refused(void)
{
    struct guest_shm_attach answer;
    struct guest_shm_event event;
    char endless[sizeof(answer.name)];
    const int fd = open_node();
    memset(endless, 'x', sizeof(endless));
    REFUSED(ENOTTY, ioctl(fd, _IO(GUEST_SHM_IOC_MAGIC, 99), 0ul));
    REFUSED(ENOTTY, ioctl(fd, FIONREAD, &answer));
    REFUSED(EFAULT, ioctl(fd, GUEST_SHM_IOC_ATTACH, (void *)8));
    REFUSED(EFAULT, ioctl(fd, GUEST_SHM_IOC_INFO, (void *)8));
    REFUSED(EINVAL, attach(fd, "", PAGES, &answer));
    REFUSED(EINVAL, attach(fd, "drv-bad", 0, &answer));
    REFUSED(EINVAL, attach(fd, endless, PAGES, &answer));
    REFUSED(EFBIG, attach(fd, "drv-bad", UINT32_MAX, &answer));
    answer = (struct guest_shm_attach){.name = "drv-bad", .pages = PAGES, .reserved = 1};
    REFUSED(EINVAL, ioctl(fd, GUEST_SHM_IOC_ATTACH, &answer));
    CHECK(attach(fd, "drv-bad", PAGES, &answer) == 0 && answer.gss_status == GSS_OK);
    REFUSED(EISCONN, attach(fd, "drv-bad", PAGES, &answer));
    REFUSED(EINVAL, ioctl(fd, GUEST_SHM_IOC_NOTIFY, 1ul << GUEST_SHM_MAX_CLIENTS));
    REFUSED(EINVAL, read(fd, &event, sizeof(event) - 1));
    forget_events(fd);
    REFUSED(EAGAIN, read(fd, &event, sizeof(event)));
    (void)close(fd);
}

static void a_mapping_is_of_data_pages_alone(void)
{
    uint32_t index;
    const int fd = join("drv-map", &index);
    const int both = PROT_READ | PROT_WRITE;
    CHECK(mmap(NULL, PAGE, both, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, (PAGES + 1) * PAGE, both, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK(mmap(NULL, PAGE, both, MAP_SHARED, fd, PAGES * PAGE) == MAP_FAILED);
    CHECK(mmap(NULL, 2 * PAGE, both, MAP_SHARED, fd, (PAGES - 1) * PAGE) == MAP_FAILED);
    /* Where the control page and the factory page would be, were the offset an address. */
    CHECK(mmap(NULL, PAGE, both, MAP_SHARED, fd, -(off_t)PAGE) == MAP_FAILED);
    CHECK(mmap(NULL, PAGE, both, MAP_SHARED, fd, (off_t)(LONG_MAX - PAGE + 1)) == MAP_FAILED);
    unsigned char *base = map(fd, PAGES);
    unsigned char *last = mmap(NULL, PAGE, both, MAP_SHARED, fd, (PAGES - 1) * PAGE);
    CHECK(last != MAP_FAILED);
    base[PAGES * PAGE - 1] = 0x5a;
    CHECK(last[PAGE - 1] == 0x5a);
    CHECK(mremap(base, PAGES * PAGE, (PAGES + 1) * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK(munmap(base, PAGES * PAGE) == 0 && munmap(last, PAGE) == 0);
    (void)close(fd);
}

/* Page tables and connections that the kernel keeps for this driver. */
static long kept_mappings(void)
{
    char line[512];
    long found = 0;
    FILE *list = fopen("/proc/vmallocinfo", "re");
    if (list == NULL)
        return 0;
    while (fgets(line, sizeof(line), list) != NULL)
        found += strstr(line, "[guest_shm]") != NULL;
    (void)fclose(list);
    return found;
}

static void a_thousand_attachments_leave_nothing_behind(void)
{
    const long before = kept_mappings();
    for (int i = 0; i < ATTACHES && !failed; i++) {
        uint32_t index;
        const int fd = join("drv-thousand", &index);
        unsigned char *base = map(fd, PAGES);
        CHECK(index == 0);
        CHECK(members_of(fd) == 1);
        base[0] = 1;
        CHECK(munmap(base, PAGES * PAGE) == 0 && close(fd) == 0);
    }
    CHECK(kept_mappings() == before);
}

static void an_attachment_lasts_as_long_as_its_last_mapping(void)
{
    uint32_t index, other_index;
    const int fd = join("drv-last", &index);
    const int other = join("drv-last", &other_index);
    unsigned char *base = map(other, PAGES);
    base[1] = 7;
    CHECK(close(other) == 0);
    CHECK((members_of(fd) >> other_index & 1u) == 1);
    CHECK(munmap(base, PAGES * PAGE) == 0);
    CHECK(member_becomes(fd, other_index, false));
    (void)close(fd);
}

/* ---- two of them -------------------------------------------------------------------------------------------------- */

static void two_files_share_a_region_and_its_first_size(void)
{
    struct guest_shm_attach answer;
    uint32_t first_index;
    const int first = join("drv-two", &first_index);
    const int second = open_node();
    CHECK(attach(second, "drv-two", PAGES * 2, &answer) == 0);
    CHECK(answer.pages == PAGES && answer.index != first_index);
    CHECK(members_of(first) == ((1u << first_index) | (1u << answer.index)));
    unsigned char *mine = map(first, PAGES);
    unsigned char *theirs = map(second, PAGES);
    for (uint32_t i = 0; i < PAGES; i++) {
        mine[i * PAGE + i] = (unsigned char)(0x80 + i);
        CHECK(theirs[i * PAGE + i] == 0x80 + i);
    }
    CHECK(munmap(mine, PAGES * PAGE) == 0 && munmap(theirs, PAGES * PAGE) == 0);
    (void)close(first);
    (void)close(second);
}

static void a_bell_is_read_once_and_tells_its_source(void)
{
    struct guest_shm_event event;
    uint32_t ringer_index, rung_index;
    const int ringer = join("drv-bell", &ringer_index);
    const int rung = join("drv-bell", &rung_index);
    forget_events(ringer);
    forget_events(rung);
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 1ul << rung_index) == 0);
    event = next_event(rung);
    CHECK(event.sources == 1u << ringer_index);
    CHECK(event.members == ((1u << ringer_index) | (1u << rung_index)) && event.changes > 0);
    REFUSED(EAGAIN, read(rung, &event, sizeof(event)));
    CHECK(look_at(rung) == 0);
    CHECK(look_at(ringer) == 0);
    /* Asking for the members loses no bell. */
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 1ul << rung_index) == 0);
    (void)members_of(rung);
    CHECK(next_event(rung).sources == 1u << ringer_index);
    /* Everybody but us; ourselves; nobody; somebody who is not there. */
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, ~0ul) == 0);
    CHECK(next_event(rung).sources == 1u << ringer_index);
    CHECK(ioctl(rung, GUEST_SHM_IOC_NOTIFY, 1ul << rung_index) == 0);
    CHECK(next_event(rung).sources == 1u << rung_index);
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 0ul) == 0);
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 1ul << (GUEST_SHM_MAX_CLIENTS - 1)) == 0);
    CHECK(look_at(rung) == 0);
    /* What can't be delivered is not lost. */
    CHECK(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 1ul << rung_index) == 0);
    CHECK(wait_for(rung, POLLIN) == POLLIN);
    REFUSED(EFAULT, syscall(SYS_read, rung, 8ul, sizeof(event)));
    CHECK(next_event(rung).sources == 1u << ringer_index);
    (void)close(rung);
    CHECK(member_becomes(ringer, rung_index, false));
    (void)close(ringer);
}

static void who_comes_and_who_goes_is_news(void)
{
    uint32_t index, guest_index;
    const int fd = join("drv-news", &index);
    forget_events(fd);
    CHECK(look_at(fd) == 0);
    const int guest = join("drv-news", &guest_index);
    CHECK((next_event(fd).members >> guest_index & 1u) == 1);
    (void)close(guest);
    CHECK((next_event(fd).members >> guest_index & 1u) == 0);
    (void)close(fd);
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_sleeper_is_interrupted_by_signals(void)
{
    const struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    const struct itimerval soon = {.it_value.tv_usec = 200000, .it_interval.tv_usec = 200000};
    const struct itimerval never = {0};
    struct guest_shm_event event;
    uint32_t index;
    const int fd = join("drv-signal", &index);
    forget_events(fd);
    CHECK(fcntl(fd, F_SETFL, O_RDWR) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
    REFUSED(EINTR, read(fd, &event, sizeof(event)));
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    (void)close(fd);
}

static void a_sleeper_in_read_is_woken_by_a_bell(void)
{
    uint32_t index, ringer_index;
    int status = 0;
    const int fd = join("drv-sleeper", &index);
    const int ringer = join("drv-sleeper", &ringer_index);
    forget_events(fd);
    CHECK(fcntl(fd, F_SETFL, O_RDWR) == 0);
    for (int round = 0; round < 50 && !failed; round++) {
        struct guest_shm_event event = {0};
        const pid_t child = fork();
        if (child == 0)
            _exit(ioctl(ringer, GUEST_SHM_IOC_NOTIFY, 1ul << index) != 0);
        CHECK(read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event));
        CHECK(event.sources == 1u << ringer_index);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    (void)close(ringer);
    (void)close(fd);
}

/* ---- the device's limits, and processes that die ------------------------------------------------------------------ */

static void the_seventeenth_client_is_refused_and_gets_in_later(void)
{
    struct guest_shm_attach answer;
    uint32_t index, seen = 0;
    int fd[GUEST_SHM_MAX_CLIENTS];
    for (int i = 0; i < GUEST_SHM_MAX_CLIENTS; i++) {
        fd[i] = join("drv-crowd", &index);
        seen |= 1u << index;
    }
    CHECK(seen == 0xffff && members_of(fd[0]) == 0xffff);
    const int late = open_node();
    REFUSED(EUSERS, attach(late, "drv-crowd", PAGES, &answer));
    CHECK(answer.gss_status == GSS_CLIENT_MAX);
    CHECK(close(fd[7]) == 0);
    CHECK(attach(late, "drv-crowd", PAGES, &answer) == 0);
    for (int i = 0; i < GUEST_SHM_MAX_CLIENTS; i++)
        if (i != 7)
            CHECK(close(fd[i]) == 0);
    CHECK(members_of(late) == 1u << answer.index);
    (void)close(late);
}

/* A child that has joined and mapped says so by the region's first byte, then waits for its end. */
static pid_t start_victim(const char *name, volatile unsigned char *flag)
{
    const pid_t child = fork();
    if (child != 0)
        return child;
    uint32_t index;
    unsigned char *base = map(join(name, &index), PAGES);
    base[1] = (unsigned char)index;
    *flag = failed ? 2 : 1;
    for (;;)
        (void)pause();
}

static void a_killed_process_is_detached(void)
{
    uint32_t index;
    const int fd = join("drv-kill", &index);
    volatile unsigned char *base = map(fd, PAGES);
    for (int round = 0; round < 20 && !failed; round++) {
        base[0] = 0;
        const pid_t child = start_victim("drv-kill", base);
        for (int looks = 0; base[0] == 0 && looks < PATIENCE_MS; looks++)
            (void)poll(NULL, 0, 1);
        CHECK(base[0] == 1 && (members_of(fd) >> base[1] & 1u) == 1);
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(member_becomes(fd, base[1], false));
        CHECK(waitpid(child, NULL, 0) == child);
        CHECK(members_of(fd) == 1u << index);
    }
    CHECK(munmap((void *)(uintptr_t)base, PAGES * PAGE) == 0);
    (void)close(fd);
}

static void a_child_inherits_the_mapping(void)
{
    uint32_t index;
    int status = 0;
    const int fd = join("drv-fork", &index);
    volatile unsigned char *base = map(fd, PAGES);
    base[5] = 1;
    const pid_t child = fork();
    if (child == 0) {
        base[PAGE * 3] = (unsigned char)(base[5] + 41);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(base[PAGE * 3] == 42);
    CHECK(munmap((void *)(uintptr_t)base, PAGES * PAGE) == 0);
    (void)close(fd);
}

/* Attaches, rings, looks and leaves until it is killed. */
static void trouble(unsigned seed)
{
    for (;;) {
        struct guest_shm_attach answer;
        const int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 && attach(fd, rand_r(&seed) % 2 ? "drv-t1" : "drv-t2", PAGES, &answer) == 0) {
            unsigned char *base = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (base != MAP_FAILED)
                base[answer.index] = 1;
            for (int i = rand_r(&seed) % 20; i > 0; i--) {
                struct guest_shm_event event;
                (void)ioctl(fd, GUEST_SHM_IOC_NOTIFY, 0xfffful);
                (void)read(fd, &event, sizeof(event));
            }
            if (base != MAP_FAILED)
                (void)munmap(base, PAGE);
        }
        (void)close(fd);
    }
}

static void processes_that_come_go_and_are_killed_do_no_harm(void)
{
    enum { CROWD = 6, KILLS = 60 };
    const long before = kept_mappings();
    pid_t child[CROWD];
    unsigned seed = (unsigned)time(NULL);
    uint32_t first_index, second_index;
    printf("  seed %u\n", seed);
    const int first = join("drv-t1", &first_index);
    const int second = join("drv-t2", &second_index);
    for (int i = 0; i < CROWD + KILLS; i++) {
        const int which = i % CROWD;
        if (i >= CROWD) {
            (void)poll(NULL, 0, (int)(rand_r(&seed) % 50));
            CHECK(kill(child[which], SIGKILL) == 0);
            CHECK(waitpid(child[which], NULL, 0) == child[which]);
        }
        child[which] = fork();
        if (child[which] == 0)
            trouble(seed + (unsigned)i);
    }
    for (int i = 0; i < CROWD; i++) {
        CHECK(kill(child[i], SIGKILL) == 0);
        CHECK(waitpid(child[i], NULL, 0) == child[i]);
    }
    CHECK(members_of(first) == 1u << first_index && members_of(second) == 1u << second_index);
    (void)close(first);
    (void)close(second);
    CHECK(kept_mappings() == before);
}

/* ---- the device goes away ----------------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

/* The PCI address of our device, from its node's place in /sys. */
static bool pci_address(char *address, size_t bytes)
{
    char link[PATH_MAX], place[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/sys/class/misc/%s/device", strrchr(device, '/') + 1);
    if (realpath(link, place) == NULL)
        return false;
    (void)snprintf(address, bytes, "%s", strrchr(place, '/') + 1);
    return true;
}

static bool node_is_back(void)
{
    for (int looks = 0; looks < PATIENCE_MS / 10; looks++) {
        if (access(device, R_OK | W_OK) == 0)
            return true;
        (void)poll(NULL, 0, 10);
    }
    return false;
}

static sigjmp_buf after_fault;

static void on_fault(int number)
{
    siglongjmp(after_fault, number);
}

/* The signal that touching this byte raises; 0: none. */
static int fault_of(volatile unsigned char *byte)
{
    const struct sigaction action = {.sa_handler = on_fault};
    (void)sigaction(SIGBUS, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
    const int number = sigsetjmp(after_fault, 1);
    if (number == 0)
        *byte = 1;
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGSEGV, SIG_DFL);
    return number;
}

static void *sleep_in_read(void *argument)
{
    struct guest_shm_event event;
    const int fd = *(int *)argument;
    ssize_t got;
    do
        got = read(fd, &event, sizeof(event));
    while (got == (ssize_t)sizeof(event));
    return (void *)(intptr_t)(got < 0 ? errno : 0);
}

/* What is left of an open file when its device has gone: nothing, and it says so. */
static void check_gone(int fd, unsigned char *base, unsigned char *untouched)
{
    struct guest_shm_attach answer;
    struct guest_shm_event event;
    struct guest_shm_info info;
    CHECK((wait_for(fd, POLLIN) & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
    REFUSED(ENODEV, read(fd, &event, sizeof(event)));
    REFUSED(ENODEV, ioctl(fd, GUEST_SHM_IOC_NOTIFY, 1ul));
    REFUSED(ENODEV, ioctl(fd, GUEST_SHM_IOC_INFO, &info));
    REFUSED(ENODEV, attach(fd, "drv-gone", PAGES, &answer));
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
    CHECK(fault_of(base) == SIGBUS);
    CHECK(fault_of(untouched) == SIGBUS);
}

/* `leave` takes the device away, `come` brings it back. */
static void device_goes(void (*leave)(const char *address), void (*come)(const char *address))
{
    char address[64] = "";
    uint32_t index, sleeper_index, new_index;
    void *told = NULL;
    pthread_t thread;
    CHECK(pci_address(address, sizeof(address)));
    const int fd = join("drv-gone", &index);
    int sleeper = join("drv-gone", &sleeper_index);
    CHECK(fcntl(sleeper, F_SETFL, O_RDWR) == 0);
    const int idle = open_node();
    unsigned char *base = map(fd, PAGES);
    unsigned char *untouched = map(fd, PAGES);
    CHECK(fault_of(base) == 0);
    CHECK(pthread_create(&thread, NULL, sleep_in_read, &sleeper) == 0);
    leave(address);
    CHECK(pthread_join(thread, &told) == 0 && (intptr_t)told == ENODEV);
    check_gone(fd, base, untouched);
    CHECK((wait_for(idle, POLLIN) & POLLHUP) != 0);
    come(address);
    CHECK(node_is_back());
    /* A new life of the device has nothing to do with what is open from the former. */
    const int fresh = join("drv-gone", &new_index);
    CHECK(members_of(fresh) == 1u << new_index);
    check_gone(fd, base, untouched);
    CHECK(munmap(base, PAGES * PAGE) == 0 && munmap(untouched, PAGES * PAGE) == 0);
    (void)close(fd);
    (void)close(sleeper);
    (void)close(idle);
    CHECK(members_of(fresh) == 1u << new_index);
    (void)close(fresh);
}

static void unbind_driver(const char *address)
{
    write_file("/sys/bus/pci/drivers/guest_shm/unbind", address);
}

static void bind_driver(const char *address)
{
    write_file("/sys/bus/pci/drivers/guest_shm/bind", address);
}

static void unplug(const char *address)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", address);
    write_file(path, "1");
}

static void plug_in(const char *address)
{
    (void)address;
    write_file("/sys/bus/pci/rescan", "1");
}

static void an_unbound_driver_leaves_open_files_dead_but_safe(void)
{
    for (int round = 0; round < 5 && !failed; round++)
        device_goes(unbind_driver, bind_driver);
}

/*
 * QEMU's firmware reserves the addresses in which a large BAR of an emulated AMD machine lies, and Linux would find no
 * place for it a second time, unless told to overlook that.
 */
static bool can_be_plugged_in_again(void)
{
    char line[4096] = "";
    FILE *file = fopen("/proc/cmdline", "re");
    const bool told = file != NULL && fgets(line, sizeof(line), file) != NULL &&
                      strstr(line, "pci=no_e820") != NULL;
    if (file != NULL)
        (void)fclose(file);
    return told;
}

static void an_unplugged_device_leaves_open_files_dead_but_safe(void)
{
    if (!can_be_plugged_in_again()) {
        skipped = "boot with pci=no_e820";
        return;
    }
    for (int round = 0; round < 3 && !failed; round++)
        device_goes(unplug, plug_in);
}

static void *keep_mapping(void *argument)
{
    struct guest_shm_attach answer;
    (void)argument;
    for (int i = 0; i < 200; i++) {
        const int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || attach(fd, "drv-race", PAGES, &answer) != 0) {
            (void)close(fd);
            (void)poll(NULL, 0, 1);
            continue;
        }
        for (int maps = 0; maps < 20; maps++) {
            void *base = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (base == MAP_FAILED)
                break;
            (void)madvise(base, PAGE, MADV_WILLNEED);
            (void)ioctl(fd, GUEST_SHM_IOC_NOTIFY, ~0ul);
            (void)munmap(base, PAGE);
        }
        (void)close(fd);
    }
    return NULL;
}

static void unbinding_beside_busy_threads_does_no_harm(void)
{
    char address[64] = "";
    pthread_t thread[3];
    CHECK(pci_address(address, sizeof(address)));
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, keep_mapping, NULL) == 0);
    for (int round = 0; round < 20 && !failed; round++) {
        unbind_driver(address);
        bind_driver(address);
        CHECK(node_is_back());
    }
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

static void a_module_in_use_stays_and_an_unused_one_goes(void)
{
    uint32_t index;
    if (module == NULL) {
        skipped = "name the module's file";
        return;
    }
    const int fd = join("drv-module", &index);
    CHECK(syscall(SYS_delete_module, "guest_shm", O_NONBLOCK) < 0 && errno == EAGAIN);
    (void)close(fd);
    CHECK(syscall(SYS_delete_module, "guest_shm", O_NONBLOCK) == 0);
    CHECK(access(device, F_OK) != 0);
    const int file = open(module, O_RDONLY | O_CLOEXEC);
    CHECK(syscall(SYS_finit_module, file, "", 0) == 0);
    (void)close(file);
    CHECK(node_is_back());
}

#define CASE(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

static const struct {
    const char *name;
    void (*run)(void);
} CASES[] = {
    CASE(a_node_must_be_open_for_reading_and_writing),
    CASE(without_an_attachment_there_is_nothing_to_use),
    CASE(bad_requests_are_refused),
    CASE(a_mapping_is_of_data_pages_alone),
    CASE(a_thousand_attachments_leave_nothing_behind),
    CASE(an_attachment_lasts_as_long_as_its_last_mapping),
    CASE(two_files_share_a_region_and_its_first_size),
    CASE(a_bell_is_read_once_and_tells_its_source),
    CASE(who_comes_and_who_goes_is_news),
    CASE(a_sleeper_is_interrupted_by_signals),
    CASE(a_sleeper_in_read_is_woken_by_a_bell),
    CASE(the_seventeenth_client_is_refused_and_gets_in_later),
    CASE(a_killed_process_is_detached),
    CASE(a_child_inherits_the_mapping),
    CASE(processes_that_come_go_and_are_killed_do_no_harm),
    CASE(an_unbound_driver_leaves_open_files_dead_but_safe),
    CASE(an_unplugged_device_leaves_open_files_dead_but_safe),
    CASE(unbinding_beside_busy_threads_does_no_harm),
    CASE(a_module_in_use_stays_and_an_unused_one_goes),
};

int main(int argc, char **argv)
{
    int bad = 0;
    if (argc > 3) {
        (void)fprintf(stderr, "usage: driver_test [DEVICE [MODULE]]\n");
        return 2;
    }
    if (argc > 1)
        device = argv[1];
    if (argc > 2)
        module = argv[2];
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        failed = false;
        skipped = NULL;
        CASES[i].run();
        if (skipped != NULL)
            printf("SKIPPED %s: %s\n", CASES[i].name, skipped);
        else
            printf("%s %s\n", failed ? "FAIL" : "PASS", CASES[i].name);
        bad += failed;
    }
    printf("%d of %zu cases failed\n", bad, sizeof(CASES) / sizeof(CASES[0]));
    return bad == 0 ? 0 : 1;
}
