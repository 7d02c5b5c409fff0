/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/watch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Per thread, for the signal of a bad access comes to the thread that made it. */
static _Thread_local sigjmp_buf way_out;
static _Thread_local volatile sig_atomic_t guarded;

static void on_bus_error(int number)
{
    if (guarded)
        siglongjmp(way_out, 1);
    /* Not ours: as if nobody had handled it, once we return to the instruction. */
    (void)signal(number, SIG_DFL);
}

static void guard(void)
{
    struct sigaction action = {.sa_handler = on_bus_error, .sa_flags = SA_NODEFER};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}

enum peal_status watch_do(struct watch *watch,
                          enum peal_status (*work)(struct peal_observer *observer, void *context),
                          void *context)
{
    if (!watch->observer)
        return PEAL_ENOENT;
    guard();
    if (sigsetjmp(way_out, 1) != 0) {
        guarded = 0;
        /* An observer holds no lock and allocates nothing during a look: it can be left in the middle. */
        watch_close(watch);
        return PEAL_ECORRUPT;
    }
    guarded = 1;
    const enum peal_status status = work(watch->observer, context);
    guarded = 0;
    return status;
}

static enum peal_status take(struct peal_observer *observer, void *context)
{
    return snapshot_take(context, observer);
}

enum peal_status watch_look(struct watch *watch, struct snapshot *snapshot)
{
    enum peal_status status = PEAL_EFORMAT;
    for (int attempt = 0; attempt < 2 && status == PEAL_EFORMAT; attempt++) {
        if (!watch->observer) {
            status = peal_observer_open(&watch->observer, watch->url, NULL);
            if (status != PEAL_OK)
                break;
        }
        status = watch_do(watch, take, snapshot);
        if (status != PEAL_OK)
            watch_close(watch);
    }
    if (status != PEAL_OK) {
        snapshot->client_count = 0;
        snapshot->topic_count = 0;
    }
    return status;
}

void watch_close(struct watch *watch)
{
    peal_observer_close(watch->observer);
    watch->observer = NULL;
}
