/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_client: what the test of virtual machines asks of a guest below the bus: the driver alone, without libpeal. A
 * connection, its memory and its news.
 *
 *      vm_client add REGION COUNT GUESTS      all GUESTS add COUNT to one word at the same time; prints the sum
 *      vm_client hold REGION COUNT            attaches COUNT times, says so, and holds that until it is killed
 *      vm_client watch REGION                 prints who is attached at each change, until it is killed
 *
 * Exit code: 0 done, 1 not (one line on stderr), 2 wrong arguments.
 */
#include "core/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <guest_shm.h>
#include <guest_shm_ioctl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/guest_shm0"
#define PAGES 16u
#define PAGE_BYTES 4096u
#define LIMIT_S 240 /* of one meeting: the others may still be at work on a busy machine */

/* What guests that add share: each has a word of its own to say how far it is, by its index. */
struct meeting {
    peal_u64 sum;
    unsigned char padding[120];
    peal_u32 phase[GUEST_SHM_MAX_CLIENTS];
};

static int failed(const char *what, const char *region)
{
    fprintf(stderr, "vm_client: %s %s: %s\n", what, region, strerror(errno));
    return 1;
}

/* An attached descriptor, or -1 with errno set and the device's own answer told. */
static int attach(const char *region, struct guest_shm_attach *attachment)
{
    *attachment = (struct guest_shm_attach){.pages = PAGES};
    if (strlen(region) >= sizeof attachment->name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(attachment->name, region, strlen(region));
    const int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (ioctl(fd, GUEST_SHM_IOC_ATTACH, attachment) == 0)
        return fd;
    const int error = errno;
    fprintf(stderr, "vm_client: the device answered %" PRIu32 "\n", attachment->gss_status);
    close(fd);
    errno = error;
    return -1;
}

static uint64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

/* Says that we are at `phase`, and waits until as many guests are. */
static bool meet(struct meeting *meeting, uint32_t index, uint32_t phase, uint32_t guests)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    const uint64_t end_s = now_s() + LIMIT_S;
    peal_u32_store_release(&meeting->phase[index], phase);
    while (now_s() < end_s) {
        uint32_t there = 0;
        for (size_t i = 0; i < GUEST_SHM_MAX_CLIENTS; i++)
            there += peal_u32_load_acquire(&meeting->phase[i]) >= phase;
        if (there >= guests)
            return true;
        nanosleep(&pause, NULL);
    }
    errno = ETIMEDOUT;
    return false;
}

static int add(const char *region, uint64_t count, uint32_t guests)
{
    struct guest_shm_attach attachment;
    const int fd = attach(region, &attachment);
    if (fd < 0)
        return failed("cannot attach to", region);
    struct meeting *meeting = mmap(NULL, (size_t)attachment.pages * PAGE_BYTES,
                                   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (meeting == MAP_FAILED)
        return failed("cannot map", region);
    if (!meet(meeting, attachment.index, 1, guests))
        return failed("nobody came to", region);
    for (uint64_t i = 0; i < count; i++)
        (void)peal_u64_add_relaxed(&meeting->sum, 1);
    if (!meet(meeting, attachment.index, 2, guests))
        return failed("somebody did not end in", region);
    printf("sum %" PRIu64 "\n", peal_u64_load_acquire(&meeting->sum));
    /* Nobody leaves before all have read: the region ends with its last client. */
    return meet(meeting, attachment.index, 3, guests) ? 0 : failed("somebody left", region);
}

static int hold(const char *region, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct guest_shm_attach attachment;
        if (attach(region, &attachment) < 0)
            return failed("cannot attach once more to", region);
        printf("attached as %" PRIu32 "\n", attachment.index);
    }
    printf("holds %" PRIu64 "\n", count);
    fflush(stdout);
    for (;;)
        pause();
}

static int watch(const char *region)
{
    struct guest_shm_attach attachment;
    struct guest_shm_info info;
    struct guest_shm_event event;
    const int fd = attach(region, &attachment);
    if (fd < 0)
        return failed("cannot attach to", region);
    if (ioctl(fd, GUEST_SHM_IOC_INFO, &info) != 0)
        return failed("cannot ask about", region);
    printf("index %" PRIu32 "\nmembers %04" PRIx32 "\n", info.index, info.members);
    fflush(stdout);
    while (read(fd, &event, sizeof event) == (ssize_t)sizeof event) {
        printf("members %04" PRIx32 "\n", event.members);
        fflush(stdout);
    }
    return failed("cannot watch", region);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "add") == 0)
        return add(argv[2], strtoull(argv[3], NULL, 10), (uint32_t)strtoul(argv[4], NULL, 10));
    if (argc == 4 && strcmp(argv[1], "hold") == 0)
        return hold(argv[2], strtoull(argv[3], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "watch") == 0)
        return watch(argv[2]);
    fprintf(stderr,
            "usage: vm_client add REGION COUNT GUESTS | hold REGION COUNT | watch REGION\n");
    return 2;
}
