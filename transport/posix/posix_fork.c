/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_fork.h"

#include "core/error.h"

#include <string.h>
#include <unistd.h>

static void close_in_child(struct peal_fork_item *item)
{
    struct peal_posix *posix = PEAL_FORK_OWNER(item, struct peal_posix, fork_item);
    posix->forked = true;
    if (posix->lock_fd >= 0)
        (void)close(posix->lock_fd);
    posix->lock_fd = -1;
    /* relaxed: a fresh child has one thread. */
    const uint32_t fifo_plus_1 = peal_u32_load_relaxed(&posix->fifo_plus_1);
    if (fifo_plus_1 != 0)
        (void)close((int)(fifo_plus_1 - 1));
    peal_u32_store_relaxed(&posix->fifo_plus_1, 0);
    for (size_t i = 0; i < PEAL_POSIX_CLIENTS; i++) {
        if (posix->peers[i].descriptor >= 0)
            (void)close(posix->peers[i].descriptor);
        posix->peers[i] = (struct peal_posix_peer){.fifo = 0, .descriptor = -1};
    }
}

enum peal_status peal_posix_fork_add(struct peal_posix *posix)
{
    const int error = peal_fork_watch();
    if (error != 0)
        return peal_fail(PEAL_ENOMEM, "cannot install a fork handler: %s; free memory",
                         strerror(error));
    posix->fork_item.in_child = close_in_child;
    peal_fork_lock();
    peal_fork_add(&posix->fork_item);
    peal_fork_unlock();
    return PEAL_OK;
}

void peal_posix_fork_remove(struct peal_posix *posix)
{
    peal_fork_lock();
    peal_fork_remove(&posix->fork_item);
    peal_fork_unlock();
}
