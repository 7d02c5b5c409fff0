/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_fork.h"

#include "core/error.h"

#include <string.h>
#include <unistd.h>

static pthread_mutex_t fork_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;
static struct peal_posix *first;

void peal_posix_fork_lock(void)
{
    (void)pthread_mutex_lock(&fork_mutex);
}

void peal_posix_fork_unlock(void)
{
    (void)pthread_mutex_unlock(&fork_mutex);
}

static void close_in_child(struct peal_posix *posix)
{
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

static void after_in_child(void)
{
    for (struct peal_posix *posix = first; posix != NULL; posix = posix->next) {
        if (!posix->forked)
            close_in_child(posix);
    }
    peal_posix_fork_unlock();
}

static void install_handlers(void)
{
    once_error = pthread_atfork(peal_posix_fork_lock, peal_posix_fork_unlock, after_in_child);
}

enum peal_status peal_posix_fork_add(struct peal_posix *posix)
{
    (void)pthread_once(&once, install_handlers);
    if (once_error != 0)
        return peal_fail(PEAL_ENOMEM, "cannot install a fork handler: %s; free memory",
                         strerror(once_error));
    peal_posix_fork_lock();
    posix->next = first;
    first = posix;
    peal_posix_fork_unlock();
    return PEAL_OK;
}

void peal_posix_fork_remove(struct peal_posix *posix)
{
    peal_posix_fork_lock();
    struct peal_posix **link = &first;
    while (*link != NULL && *link != posix)
        link = &(*link)->next;
    if (*link == posix)
        *link = posix->next;
    peal_posix_fork_unlock();
}
