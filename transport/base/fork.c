/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/base/fork.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;
static struct peal_fork_item *first;

void peal_fork_lock(void)
{
    (void)pthread_mutex_lock(&mutex);
}

void peal_fork_unlock(void)
{
    (void)pthread_mutex_unlock(&mutex);
}

static void after_in_child(void)
{
    struct peal_fork_item *item = first;
    first = NULL;
    while (item != NULL) {
        struct peal_fork_item *next = item->next;
        item->in_child(item);
        item = next;
    }
    peal_fork_unlock();
}

static void install_handlers(void)
{
    once_error = pthread_atfork(peal_fork_lock, peal_fork_unlock, after_in_child);
}

int peal_fork_watch(void)
{
    (void)pthread_once(&once, install_handlers);
    return once_error;
}

void peal_fork_add(struct peal_fork_item *item)
{
    item->next = first;
    first = item;
}

void peal_fork_remove(struct peal_fork_item *item)
{
    struct peal_fork_item **link = &first;
    while (*link != NULL && *link != item)
        link = &(*link)->next;
    if (*link != NULL)
        *link = item->next;
}
