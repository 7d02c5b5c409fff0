/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vm/guest/driver_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

const char *device = "/dev/guest_shm0";
const char *module;
bool failed;
const char *skipped;

int open_node(void)
{
    const int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    CHECK(fd >= 0);
    return fd;
}

int attach(int fd, const char *name, uint32_t pages, struct guest_shm_attach *answer)
{
    *answer = (struct guest_shm_attach){.pages = pages};
    memcpy(answer->name, name, strnlen(name, sizeof(answer->name)));
    return ioctl(fd, GUEST_SHM_IOC_ATTACH, answer);
}

int join(const char *name, uint32_t *index)
{
    struct guest_shm_attach answer;
    const int fd = open_node();
    CHECK(attach(fd, name, PAGES, &answer) == 0);
    CHECK(answer.index < GUEST_SHM_MAX_CLIENTS && answer.pages == PAGES);
    *index = answer.index;
    return fd;
}

uint32_t members_of(int fd)
{
    struct guest_shm_info info = {0};
    CHECK(ioctl(fd, GUEST_SHM_IOC_INFO, &info) == 0);
    return info.members;
}

void *map(int fd, uint32_t pages)
{
    void *base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(base != MAP_FAILED);
    return base;
}

short wait_for(int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};
    CHECK(poll(&entry, 1, PATIENCE_MS) == 1);
    return entry.revents;
}

short look_at(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

struct guest_shm_event next_event(int fd)
{
    struct guest_shm_event event = {0};
    CHECK(wait_for(fd, POLLIN) == POLLIN);
    CHECK(read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event));
    return event;
}

void forget_events(int fd)
{
    struct guest_shm_event event;
    (void)members_of(fd);
    while (read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event))
        continue;
}

bool member_becomes(int fd, uint32_t index, bool there)
{
    while (((members_of(fd) >> index & 1u) != 0) != there)
        if (wait_for(fd, POLLIN) != POLLIN)
            return false;
        else
            forget_events(fd);
    return true;
}

long kept_mappings(void)
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
