/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's test, second part: the device's limits, processes that die, and a device that goes away.
 */
#include "core/atomic.h"
#include "tests/vm/guest/driver_rig.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static void write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

/* The device has let us in already when the driver finds the region too large. */
static void an_attachment_that_fails_half_way_is_taken_back(void)
{
    static const char limit[] = "/sys/module/guest_shm/parameters/max_pages";
    struct guest_shm_attach answer;
    uint32_t index;
    const long before = kept_mappings();
    const int fd = join("drv-half", &index);
    const int refused = open_node();
    write_file(limit, "4");
    for (int i = 0; i < 2 * GUEST_SHM_MAX_CLIENTS; i++)
        REFUSED(EFBIG, attach(refused, "drv-half", 2, &answer));
    write_file(limit, "65536");
    CHECK(members_of(fd) == 1u << index);
    CHECK(attach(refused, "drv-half", 2, &answer) == 0 && answer.pages == PAGES);
    (void)close(refused);
    (void)close(fd);
    CHECK(kept_mappings() == before);
}

/* A child that has joined and mapped says so by the region's first word: its index + 1. Then it waits for its end. */
static pid_t start_victim(const char *name, peal_u32 *word)
{
    const pid_t child = fork();
    if (child != 0)
        return child;
    uint32_t index;
    unsigned char *base = map(join(name, &index), PAGES);
    base[PAGE] = 1;
    peal_u32_store_release(word, failed ? UINT32_MAX : index + 1);
    for (;;)
        (void)pause();
}

static void a_killed_process_is_detached(void)
{
    uint32_t index;
    const int fd = join("drv-kill", &index);
    peal_u32 *word = map(fd, PAGES);
    for (int round = 0; round < 20 && !failed; round++) {
        peal_u32_store_release(word, 0);
        const pid_t child = start_victim("drv-kill", word);
        uint32_t told = 0;
        for (int looks = 0; told == 0 && looks < PATIENCE_MS; looks++) {
            (void)poll(NULL, 0, 1);
            told = peal_u32_load_acquire(word);
        }
        CHECK(told != 0 && told <= GUEST_SHM_MAX_CLIENTS);
        const uint32_t victim = (told - 1) % GUEST_SHM_MAX_CLIENTS;
        CHECK((members_of(fd) >> victim & 1u) == 1);
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(member_becomes(fd, victim, false));
        CHECK(waitpid(child, NULL, 0) == child);
        CHECK(members_of(fd) == 1u << index);
    }
    CHECK(munmap(word, PAGES * PAGE) == 0);
    (void)close(fd);
}

static void a_child_inherits_the_mapping(void)
{
    uint32_t index;
    int status = 0;
    const int fd = join("drv-fork", &index);
    peal_u32 *base = map(fd, PAGES);
    peal_u32 *other = base + 3 * PAGE / sizeof(*base);
    peal_u32_store_relaxed(base, 1);
    const pid_t child = fork();
    if (child == 0) {
        peal_u32_store_relaxed(other, peal_u32_load_relaxed(base) + 41);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(peal_u32_load_relaxed(other) == 42);
    CHECK(munmap(base, PAGES * PAGE) == 0);
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

/* The signal that touching this word raises; 0: none. */
static int fault_of(peal_u32 *word)
{
    const struct sigaction action = {.sa_handler = on_fault};
    (void)sigaction(SIGBUS, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
    const int number = sigsetjmp(after_fault, 1);
    if (number == 0)
        peal_u32_store_seq_cst(word, 1);
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
static void check_gone(int fd, peal_u32 *base, peal_u32 *untouched)
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
    peal_u32 *base = map(fd, PAGES);
    peal_u32 *untouched = map(fd, PAGES);
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

const struct driver_case DEATH_CASES[] = {
    CASE(the_seventeenth_client_is_refused_and_gets_in_later),
    CASE(an_attachment_that_fails_half_way_is_taken_back),
    CASE(a_killed_process_is_detached),
    CASE(a_child_inherits_the_mapping),
    CASE(processes_that_come_go_and_are_killed_do_no_harm),
    CASE(an_unbound_driver_leaves_open_files_dead_but_safe),
    CASE(an_unplugged_device_leaves_open_files_dead_but_safe),
    CASE(unbinding_beside_busy_threads_does_no_harm),
    CASE(a_module_in_use_stays_and_an_unused_one_goes),
    {NULL, NULL},
};
