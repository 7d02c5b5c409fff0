/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/base/os.h"

#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t peal_os_now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t peal_os_deadline_ns(uint64_t timeout_ns)
{
    uint64_t now_ns = peal_os_now_ns();
    return timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
}

uint64_t peal_os_random(void)
{
    uint64_t value = 0;
    for (int attempt = 0; attempt < 16; attempt++) {
        if (getrandom(&value, sizeof(value), 0) == (ssize_t)sizeof(value) && value != 0)
            return value;
    }
    /* No getrandom here (an old sandbox): unique is enough, for nothing secret hangs on it. */
    value = peal_os_now_ns() ^ ((uint64_t)getpid() << 40) ^ (uint64_t)(uintptr_t)&value;
    value *= UINT64_C(0x9e3779b97f4a7c15);
    return value != 0 ? value : 1;
}

static bool membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0u, 0) == 0;
}

bool peal_os_barrier_register(void)
{
    return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

enum peal_status peal_os_barrier(void)
{
    return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) ? PEAL_OK : PEAL_ENOTSUP;
}
