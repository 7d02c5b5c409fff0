/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_lock.h"

#include "transport/base/os.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int set_lock(int descriptor, short type, uint64_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    for (int attempt = 0; attempt < 100; attempt++) {
        if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0)
            return 0;
        if (errno != EINTR)
            break;
    }
    return errno == EACCES ? EAGAIN : errno;
}

int peal_posix_lock_try(int descriptor, uint64_t byte)
{
    return set_lock(descriptor, F_WRLCK, byte);
}

int peal_posix_lock_wait(int descriptor, uint64_t byte, uint64_t deadline_ns)
{
    struct timespec pause = {.tv_sec = 0, .tv_nsec = 50000};
    for (;;) {
        const int error = peal_posix_lock_try(descriptor, byte);
        if (error != EAGAIN || peal_os_now_ns() >= deadline_ns)
            return error;
        (void)nanosleep(&pause, NULL);
        if (pause.tv_nsec < 2000000)
            pause.tv_nsec *= 2;
    }
}

void peal_posix_lock_release(int descriptor, uint64_t byte)
{
    (void)set_lock(descriptor, F_UNLCK, byte);
}

/* One lock of another description that touches [first, last], cut to it. If the kernel does not
 * answer, all of them count as held: who is not known to be dead is alive. */
static bool find_holder(int descriptor, uint64_t *first, uint64_t *last)
{
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)*first,
                         .l_len = (off_t)(*last - *first + 1)};
    if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0)
        return true;
    if (lock.l_type == F_UNLCK)
        return false;
    const uint64_t from = (uint64_t)lock.l_start;
    const uint64_t to = lock.l_len == 0 ? UINT64_MAX : from + (uint64_t)lock.l_len - 1;
    if (from > *last || to < *first)
        return false;
    *first = from > *first ? from : *first;
    *last = to < *last ? to : *last;
    return true;
}

uint64_t peal_posix_lock_holders(int descriptor, uint64_t first, uint32_t count)
{
    assert(count >= 1 && count <= 64);
    /* The kernel returns any conflicting lock, not the lowest: what lies on both sides of it is
     * asked for again. Each range on the stack is disjoint from the others, so 64 suffice. */
    struct range {
        uint64_t first, last;
    } stack[64] = {{first, first + count - 1}};
    uint32_t depth = 1;
    uint64_t holders = 0;
    while (depth > 0) {
        const struct range range = stack[--depth];
        struct range held = range;
        if (!find_holder(descriptor, &held.first, &held.last))
            continue;
        for (uint64_t byte = held.first; byte <= held.last; byte++)
            holders |= UINT64_C(1) << (byte - first);
        if (held.first > range.first)
            stack[depth++] = (struct range){range.first, held.first - 1};
        if (held.last < range.last)
            stack[depth++] = (struct range){held.last + 1, range.last};
    }
    return holders;
}

bool peal_posix_lock_is_any(int descriptor)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* length 0: to the end of all */
    return fcntl(descriptor, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
