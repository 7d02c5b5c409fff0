/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/base/memory.h"

#include "core/atomic.h"
#include "core/error.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* More than any machine has, and far from where sums of sizes overflow. */
#define REGION_BYTES_MAX (UINT64_C(1) << 56)

enum peal_status peal_memory_region_bytes(const struct peal_transport_options *options,
                                          uint64_t *region_bytes)
{
    uint64_t wanted = options->size_bytes != 0 ? options->size_bytes : PEAL_TRANSPORT_SIZE_DEFAULT;
    if (wanted > REGION_BYTES_MAX)
        return peal_fail(PEAL_EINVAL,
                         "a region of %" PRIu64 " bytes is more than any machine has; "
                         "is size_bytes in bytes?",
                         wanted);
    *region_bytes = (wanted + PEAL_TRANSPORT_PAGE_BYTES - 1) / PEAL_TRANSPORT_PAGE_BYTES *
                    PEAL_TRANSPORT_PAGE_BYTES;
    return PEAL_OK;
}

/* For kernels before 5.14. Adds nothing, atomically, so that a peer's store is not undone. */
static void touch_pages(unsigned char *start, size_t bytes)
{
    for (size_t offset = 0; offset < bytes; offset += PEAL_TRANSPORT_PAGE_BYTES) {
        /* relaxed: the value is not used, only the page fault is wanted. */
        (void)peal_u32_add_relaxed((peal_u32 *)(void *)(start + offset), 0);
    }
}

static enum peal_status prefault(void *start, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    if (madvise(start, bytes, MADV_POPULATE_WRITE) == 0)
        return PEAL_OK;
    if (errno != EINVAL)
        return peal_fail(PEAL_ENOMEM,
                         "cannot prefault %zu bytes: %s; free memory, raise the memory limit of "
                         "the control group, or do without prefault",
                         bytes, strerror(errno));
#endif
    touch_pages(start, bytes);
    return PEAL_OK;
}

static enum peal_status lock_memory(void *start, size_t bytes)
{
    if (mlock(start, bytes) == 0)
        return PEAL_OK;
    const int error = errno;
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    if (error == EPERM || error == ENOMEM)
        return peal_fail(PEAL_EPERM,
                         "cannot lock %zu bytes in memory: RLIMIT_MEMLOCK is %" PRIu64
                         " bytes; raise it (ulimit -l, LimitMEMLOCK=), grant CAP_IPC_LOCK, or do "
                         "without lock_memory",
                         bytes, (uint64_t)limit.rlim_cur);
    return peal_fail(PEAL_ENOMEM,
                     "cannot lock %zu bytes in memory: %s; free memory, or do without "
                     "lock_memory",
                     bytes, strerror(error));
}

enum peal_status peal_memory_prepare(void *start, size_t bytes,
                                     const struct peal_transport_options *options)
{
    enum peal_status status = PEAL_OK;
    if (options->huge_pages)
        (void)madvise(start, bytes, MADV_HUGEPAGE); /* a hint: the kernel may not offer any */
    if (options->prefault)
        status = prefault(start, bytes);
    if (status == PEAL_OK && options->lock_memory)
        status = lock_memory(start, bytes);
    return status;
}
