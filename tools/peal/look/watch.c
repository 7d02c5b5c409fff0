/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/watch.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- bad accesses ---- */

/* Per thread, for the signal of a bad access comes to the thread that made it. Of the innermost guarded work, or NULL. It is stored
 * before the work begins: a compiler knows that this may come back here. */
static _Thread_local sigjmp_buf *way_out;
static struct sigaction before_us;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (way_out && info->si_code == BUS_ADRERR)
        siglongjmp(*way_out, 1);
    /* Not ours. A bad access happens again when we return, a signal that somebody sent does not. */
    (void)sigaction(number, &before_us, NULL);
    if (info->si_code <= 0)
        (void)raise(number);
}

/* Looks each time: somebody else may have installed a handler since. Whoever was there is known before ours can run. */
static void install(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction now;
    (void)sigemptyset(&action.sa_mask);
    (void)pthread_mutex_lock(&mutex);
    (void)sigaction(SIGBUS, NULL, &now);
    if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_bus_error) {
        before_us = now;
        (void)sigaction(SIGBUS, &action, NULL);
    }
    (void)pthread_mutex_unlock(&mutex);
}

bool watch_guarded(enum peal_status (*work)(void *context), void *context, enum peal_status *status)
{
    sigjmp_buf *const outer = way_out;
    sigjmp_buf inner;
    install();
    /* With the signal mask: a handler may run with signals blocked that are not meant to stay so. */
    if (sigsetjmp(inner, 1) != 0) {
        way_out = outer;
        *status = PEAL_ECORRUPT;
        return false;
    }
    way_out = &inner;
    *status = work(context);
    way_out = outer;
    return true;
}

/* Without the words that the library begins with, and watch_fail() as well. */
static void say(struct watch *watch, const char *reason)
{
    char context[160];
    const int length = snprintf(context, sizeof(context), "cannot look at %.128s: ", watch->url);
    if (length > 0 && strncmp(reason, context, (size_t)length) == 0)
        reason += length;
    (void)snprintf(watch->reason, sizeof(watch->reason), "%s", reason);
}

static void say_bad_access(struct watch *watch)
{
    say(watch, "its memory cannot be read: it was cut short while it was looked at, or "
               "/dev/shm is full (df -h /dev/shm)");
}

/* ---- which file ---- */

/* The file that a URL names. False: it is none that can be seen. */
static bool path_of(const char *url, char *path, size_t path_bytes)
{
    const char *name = strchr(url, ':');
    if (!name)
        return false;
    const size_t scheme = (size_t)(name++ - url);
    if (scheme == 4 && memcmp(url, "file", 4) == 0)
        return snprintf(path, path_bytes, "%s", name) < (int)path_bytes;
    if ((scheme == 5 && memcmp(url, "posix", 5) == 0) ||
        (scheme == 4 && memcmp(url, "auto", 4) == 0))
        return snprintf(path, path_bytes, "/dev/shm/peal.%.*s", (int)strcspn(name, "?"), name) <
               (int)path_bytes;
    return false;
}

static struct watch_file file_of(const char *url)
{
    struct stat what;
    char path[4096];
    if (!path_of(url, path, sizeof(path)) || stat(path, &what) != 0)
        return (struct watch_file){.exists = false};
    return (struct watch_file){.exists = true, .device = what.st_dev, .inode = what.st_ino};
}

static bool is_same_file(const struct watch_file *one, const struct watch_file *other)
{
    return one->exists == other->exists && one->device == other->device &&
           one->inode == other->inode;
}

/* ---- looking ---- */

static enum peal_status open_it(void *context)
{
    struct watch *watch = context;
    return peal_observer_open(&watch->observer, watch->url, NULL);
}

/* A bad access in the middle of opening leaves a mapping behind: that is rare, and better than an end. */
static enum peal_status open_guarded(struct watch *watch)
{
    watch->file = file_of(watch->url);
    enum peal_status status;
    if (!watch_guarded(open_it, watch, &status)) {
        watch->observer = NULL;
        say_bad_access(watch);
    } else if (status != PEAL_OK) {
        say(watch, peal_error_message());
    }
    return status;
}

struct job {
    struct peal_observer *observer;
    enum peal_status (*work)(struct peal_observer *observer, void *context);
    void *context;
};

static enum peal_status do_job(void *context)
{
    const struct job *job = context;
    return job->work(job->observer, job->context);
}

enum peal_status watch_do(struct watch *watch,
                          enum peal_status (*work)(struct peal_observer *observer, void *context),
                          void *context)
{
    struct job job = {.observer = watch->observer, .work = work, .context = context};
    if (!watch->observer)
        return PEAL_ENOENT;
    enum peal_status status;
    if (!watch_guarded(do_job, &job, &status)) {
        /* An observer holds no lock and allocates nothing during a look: it can be left in the middle. */
        watch_close(watch);
        say_bad_access(watch);
    }
    return status;
}

static enum peal_status take(struct peal_observer *observer, void *context)
{
    return snapshot_take(context, observer);
}

static enum peal_status look_once(struct watch *watch, struct snapshot *snapshot)
{
    if (watch->observer) {
        const struct watch_file file = file_of(watch->url);
        if (!is_same_file(&file, &watch->file))
            watch_close(watch);
    }
    enum peal_status status = watch->observer ? PEAL_OK : open_guarded(watch);
    if (status != PEAL_OK)
        return status;
    status = watch_do(watch, take, snapshot);
    if (status != PEAL_OK && watch->observer) {
        say(watch, peal_error_message());
        watch_close(watch);
    }
    return status;
}

/* Who just lays a region out is done within a millisecond, unless it is stopped. What was no region for so long is none. */
#define LAYING_OUT_NS (100 * NS_PER_MS)

enum peal_status watch_look(struct watch *watch, struct snapshot *snapshot)
{
    const uint64_t deadline_ns = clock_now_ns() + LAYING_OUT_NS;
    const struct watch_file no_region = watch->no_region;
    watch->reason[0] = '\0';
    enum peal_status status = look_once(watch, snapshot);
    watch->no_region = (struct watch_file){.exists = false};
    while (status == PEAL_EFORMAT && clock_now_ns() < deadline_ns && !stop_requested() &&
           !(no_region.exists && is_same_file(&no_region, &watch->file))) {
        (void)stop_wait_until(clock_now_ns() + NS_PER_MS);
        status = look_once(watch, snapshot);
    }
    if (status == PEAL_EFORMAT)
        watch->no_region = watch->file;
    if (status != PEAL_OK)
        snapshot_clear(snapshot);
    return status;
}

int watch_fail(const struct watch *watch, enum peal_status status)
{
    return fail_reason(status, watch->reason, "cannot look at %s", watch->url);
}

void watch_close(struct watch *watch)
{
    peal_observer_close(watch->observer);
    watch->observer = NULL;
}
