/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest driver's device node, tried from inside of a guest: what include/guest_shm_ioctl.h and guest_shm(4) promise.
 *
 *      driver_test [DEVICE [MODULE]]       by default /dev/guest_shm0; with MODULE (guest_shm.ko) it is unloaded as well
 *
 * Must be the only user of the device in this guest, as root; nobody else may be in the regions that it names. Prints a
 * line for each case (PASS, FAIL, SKIPPED), and fails with exit code 1 if one of them failed.
 */
#include "tests/vm/guest/driver_rig.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACHES 1000

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

static void bells_add_up_until_they_are_read(void)
{
    uint32_t rung_index, ringer_index[2];
    const int rung = join("drv-sum", &rung_index);
    const int ringer[2] = {join("drv-sum", &ringer_index[0]), join("drv-sum", &ringer_index[1])};
    forget_events(rung);
    for (int i = 0; i < 2; i++) {
        CHECK(ioctl(ringer[i], GUEST_SHM_IOC_NOTIFY, 1ul << rung_index) == 0);
        (void)members_of(rung); /* the device has told it by now, and forgotten it */
    }
    CHECK(next_event(rung).sources == ((1u << ringer_index[0]) | (1u << ringer_index[1])));
    (void)close(ringer[0]);
    (void)close(ringer[1]);
    (void)close(rung);
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

static const struct driver_case CASES[] = {
    CASE(a_node_must_be_open_for_reading_and_writing),
    CASE(without_an_attachment_there_is_nothing_to_use),
    CASE(bad_requests_are_refused),
    CASE(a_mapping_is_of_data_pages_alone),
    CASE(a_thousand_attachments_leave_nothing_behind),
    CASE(an_attachment_lasts_as_long_as_its_last_mapping),
    CASE(two_files_share_a_region_and_its_first_size),
    CASE(a_bell_is_read_once_and_tells_its_source),
    CASE(bells_add_up_until_they_are_read),
    CASE(who_comes_and_who_goes_is_news),
    CASE(a_sleeper_is_interrupted_by_signals),
    CASE(a_sleeper_in_read_is_woken_by_a_bell),
    {NULL, NULL},
};

/* How many there were; adds those that failed to *bad. */
static int run_cases(const struct driver_case *cases, int *bad)
{
    int count = 0;
    for (; cases[count].name != NULL; count++) {
        failed = false;
        skipped = NULL;
        cases[count].run();
        if (skipped != NULL)
            printf("SKIPPED %s: %s\n", cases[count].name, skipped);
        else
            printf("%s %s\n", failed ? "FAIL" : "PASS", cases[count].name);
        *bad += failed;
    }
    return count;
}

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
    const int count = run_cases(CASES, &bad) + run_cases(DEATH_CASES, &bad);
    printf("%d of %d cases failed\n", bad, count);
    return bad == 0 ? 0 : 1;
}
