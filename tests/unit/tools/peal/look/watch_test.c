/* SPDX-License-Identifier: Apache-2.0 */
/* A watch goes on whatever becomes of its region, and takes only those bad accesses for its own that are. */
#include "tools/peal/look/watch.h"

#include "tests/support/child.h"
#include "tests/unit/tools/peal/look/region_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#define KILLED_BY(signal) (128 + (signal))
#define TAKEN_BY_THE_FIRST_HANDLER 77

static struct snapshot snapshot;

static struct watch watch_on(const char *url)
{
    return (struct watch){.url = url};
}

static void end(struct watch *watch)
{
    watch_close(watch);
    snapshot_free(&snapshot);
}

static void assert_is_empty(void)
{
    assert_int_equal(snapshot.client_count, 0);
    assert_int_equal(snapshot.topic_count, 0);
    assert_int_equal(snapshot.region.region_bytes, 0);
}

/* ---- SIGBUS of others ---- */

/* A page of a file that has become empty. */
static char *bad_page(void)
{
    const int fd = memfd_create("bad", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 4096) != 0)
        _exit(1);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || ftruncate(fd, 0) != 0)
        _exit(1);
    (void)close(fd);
    return page;
}

static enum peal_status nothing(void *context)
{
    (void)context;
    return PEAL_OK;
}

static enum peal_status send_signal(void *context)
{
    (void)context;
    (void)raise(SIGBUS);
    return PEAL_OK;
}

/* Who has it before us. */
typedef void (*handler)(int number);

static int access_unguarded(struct child_link *link, void *context)
{
    enum peal_status status;
    (void)link;
    (void)signal(SIGBUS, *(handler *)context);
    if (!watch_guarded(nothing, NULL, &status))
        return 1;
    return *bad_page();
}

static int signal_guarded(struct child_link *link, void *context)
{
    enum peal_status status;
    (void)link;
    (void)signal(SIGBUS, *(handler *)context);
    (void)watch_guarded(send_signal, NULL, &status);
    return 0;
}

static int end_of(int (*body)(struct child_link *link, void *context), handler before)
{
    struct child child;
    assert_true(child_start(&child, body, &before));
    return child_reap(&child);
}

static void a_bus_error_elsewhere_kills_as_ever(void **state)
{
    (void)state;
    assert_int_equal(end_of(access_unguarded, SIG_DFL), KILLED_BY(SIGBUS));
    assert_int_equal(end_of(signal_guarded, SIG_DFL), KILLED_BY(SIGBUS));
}

/* Ends the child with a code of its own. */
static void first_handler(int number)
{
    (void)number;
    _exit(TAKEN_BY_THE_FIRST_HANDLER);
}

/* The child has a handler of ours already, from the tests before; the new one is found all the same. */
static void a_bus_error_elsewhere_goes_to_whoever_handled_it_before(void **state)
{
    (void)state;
    assert_int_equal(end_of(access_unguarded, first_handler), TAKEN_BY_THE_FIRST_HANDLER);
    assert_int_equal(end_of(signal_guarded, first_handler), TAKEN_BY_THE_FIRST_HANDLER);
}

/* ---- guarded work ---- */

static enum peal_status access_bad_page(void *context)
{
    char *page = context;
    return page[0] == 1 ? PEAL_AGAIN : PEAL_OK;
}

static enum peal_status access_twice(void *context)
{
    enum peal_status inner;
    if (watch_guarded(access_bad_page, context, &inner))
        return PEAL_OK;
    return access_bad_page(context);
}

static void guarded_work_may_guard_work_of_its_own(void **state)
{
    enum peal_status status = PEAL_OK;
    char *page = bad_page();
    (void)state;
    assert_false(watch_guarded(access_twice, page, &status));
    assert_int_equal(status, PEAL_ECORRUPT);
    /* And afterwards all is as it was before. */
    assert_true(watch_guarded(nothing, NULL, &status));
    assert_int_equal(status, PEAL_OK);
    assert_int_equal(munmap(page, 4096), 0);
}

static sem_t is_inside, may_go_on;

/* While it waits here, another thread begins guarded work. */
static enum peal_status access_after_the_other(void *context)
{
    (void)sem_post(&is_inside);
    (void)sem_wait(&may_go_on);
    return access_bad_page(context);
}

static void *access_in_a_thread(void *context)
{
    enum peal_status status;
    return watch_guarded(access_after_the_other, context, &status) ? NULL : context;
}

/* The other one has its bad access while this one is at work. */
static enum peal_status let_the_other_go_on(void *context)
{
    void *survived = NULL;
    (void)sem_post(&may_go_on);
    return pthread_join(*(pthread_t *)context, &survived) == 0 && survived ? PEAL_OK : PEAL_AGAIN;
}

static void each_thread_finds_its_own_way_out(void **state)
{
    pthread_t thread;
    enum peal_status status;
    char *page = bad_page();
    (void)state;
    assert_int_equal(sem_init(&is_inside, 0, 0) | sem_init(&may_go_on, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, access_in_a_thread, page), 0);
    assert_int_equal(sem_wait(&is_inside), 0);
    assert_true(watch_guarded(let_the_other_go_on, &thread, &status));
    assert_int_equal(status, PEAL_OK);
    assert_int_equal(munmap(page, 4096), 0);
}

/* ---- regions that come and go ---- */

static void a_region_is_found_once_it_is_there(void **state)
{
    struct watch watch = watch_on(region_url);
    (void)state;
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_ENOENT);
    assert_non_null(strstr(watch.reason, "there is no region"));
    assert_is_empty();
    struct peal_bus *bus = region_open(MIB, "engine");
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_string_equal(watch.reason, "");
    assert_int_equal(snapshot.client_count, 1);
    assert_string_equal(snapshot.clients[0].name, "engine");
    end(&watch);
    peal_bus_close(bus);
}

static void a_region_that_is_removed_has_gone(void **state)
{
    struct watch watch = watch_on(region_url);
    struct peal_bus *bus = region_open(MIB, "engine");
    (void)state;
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(peal_unlink(region_url), PEAL_OK);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_ENOENT);
    assert_is_empty();
    assert_null(watch.observer);
    end(&watch);
    peal_bus_close(bus);
}

static void a_region_that_is_removed_and_made_anew_is_looked_at_anew(void **state)
{
    struct watch watch = watch_on(region_url);
    struct peal_bus *old = region_open(MIB, "old");
    (void)state;
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(peal_unlink(region_url), PEAL_OK);
    struct peal_bus *new = region_open(2 * MIB, "new"); /* while the old one lives on */
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(snapshot.region.region_bytes, 2 * MIB);
    assert_int_equal(snapshot.client_count, 1);
    assert_string_equal(snapshot.clients[0].name, "new");
    end(&watch);
    peal_bus_close(old);
    peal_bus_close(new);
}

static void a_region_that_is_laid_out_anew_in_place_is_looked_at_anew(void **state)
{
    struct watch watch = watch_on(region_url);
    (void)state;
    peal_bus_close(region_open(2 * MIB, "old"));
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(snapshot.region.region_bytes, 2 * MIB);
    struct peal_bus *bus = region_open(MIB, "new");
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(snapshot.region.region_bytes, MIB);
    end(&watch);
    peal_bus_close(bus);
}

static void a_file_that_is_replaced_is_looked_at_anew(void **state)
{
    char url[128], path[96], next[112];
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/peal-watch-%d", (int)getpid());
    (void)snprintf(next, sizeof(next), "%s.next", path);
    (void)snprintf(url, sizeof(url), "file:%s", path);
    struct watch watch = watch_on(url);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_ENOENT);
    struct peal_bus *bus = region_open(MIB, "engine");
    file_copy(region_path, path);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(snapshot.client_count, 1);
    assert_false(snapshot.region.members_known);
    struct peal_bus *other = region_open(MIB, "gauge");
    file_copy(region_path, next);
    assert_int_equal(rename(next, path), 0);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(snapshot.client_count, 2);
    assert_int_equal(unlink(path), 0);
    end(&watch);
    peal_bus_close(bus);
    peal_bus_close(other);
}

static void what_is_no_region_is_said_to_be_none(void **state)
{
    char path[64], url[80];
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/peal-watch-%d", (int)getpid());
    (void)snprintf(url, sizeof(url), "file:%s", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 100000; i++)
        (void)fputs("no region", file);
    assert_int_equal(fclose(file), 0);
    struct watch watch = watch_on(url);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_EFORMAT);
    assert_true(strlen(watch.reason) > 10);
    watch.url = "nonsense";
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_EINVAL);
    assert_int_equal(unlink(path), 0);
    end(&watch);
}

/* ---- regions in the making ---- */

#define HEADER_BYTES 4096

/* Of a copy of a region. */
struct making {
    int fd;
    int looks; /* inotify: tells of who has looked and gone */
    char header[HEADER_BYTES];
};

static void *finish_after_a_look(void *context)
{
    const struct making *making = context;
    char event[sizeof(struct inotify_event) + 256];
    if (read(making->looks, event, sizeof(event)) <= 0 ||
        pwrite(making->fd, making->header, HEADER_BYTES, 0) != HEADER_BYTES)
        return NULL;
    return context;
}

static void a_region_that_is_just_being_laid_out_is_waited_for(void **state)
{
    static const char none[HEADER_BYTES];
    static struct making making;
    char path[64], url[80];
    pthread_t maker;
    void *made = NULL;
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/peal-watch-%d", (int)getpid());
    (void)snprintf(url, sizeof(url), "file:%s", path);
    peal_bus_close(region_open(MIB, "engine"));
    file_copy(region_path, path);
    making.fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(making.fd >= 0);
    assert_int_equal(pread(making.fd, making.header, HEADER_BYTES, 0), HEADER_BYTES);
    assert_int_equal(pwrite(making.fd, none, HEADER_BYTES, 0), HEADER_BYTES);
    making.looks = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(making.looks, path, IN_CLOSE_NOWRITE) >= 0);
    struct watch watch = watch_on(url);
    assert_int_equal(pthread_create(&maker, NULL, finish_after_a_look, &making), 0);
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_int_equal(pthread_join(maker, &made), 0);
    assert_ptr_equal(made, &making);
    end(&watch);
    assert_int_equal(close(making.looks) | close(making.fd) | unlink(path), 0);
}

/* ---- regions that are cut short ---- */

static void a_region_that_was_cut_short_is_found_again_once_it_is_whole(void **state)
{
    struct watch watch = watch_on(region_url);
    (void)state;
    peal_bus_close(region_open(MIB, "old"));
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    file_cut(region_path, 0);
    assert_int_not_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_is_empty();
    assert_true(strlen(watch.reason) > 10);
    assert_int_equal(unlink(region_path), 0);
    struct peal_bus *new = region_open(MIB, "new");
    assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
    assert_string_equal(snapshot.clients[0].name, "new");
    end(&watch);
    peal_bus_close(new);
}

static void cut_now(void *context, const struct peal_observer_region *region)
{
    (void)region;
    file_cut(context, 0);
}

static void count_client(void *context, const struct peal_observer_client *client)
{
    (void)client;
    (*(int *)context)++;
}

/* The region's header is read first, and what comes next has gone. */
static enum peal_status visit_and_cut(struct peal_observer *observer, void *context)
{
    struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
    visitor.context = context;
    visitor.region = cut_now;
    visitor.client = count_client;
    return peal_observer_visit(observer, &visitor);
}

static void a_region_that_is_cut_short_in_the_middle_of_a_look_is_survived(void **state)
{
    char path[64], url[80];
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/peal-watch-%d", (int)getpid());
    (void)snprintf(url, sizeof(url), "file:%s", path);
    struct peal_bus *bus = region_open(MIB, "engine");
    struct watch watch = watch_on(url);
    file_copy(region_path, path);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(watch_look(&watch, &snapshot), PEAL_OK);
        assert_int_equal(watch_do(&watch, visit_and_cut, path), PEAL_ECORRUPT);
        assert_null(watch.observer);
        assert_non_null(strstr(watch.reason, "cut short"));
        assert_int_equal(watch_do(&watch, visit_and_cut, path), PEAL_ENOENT);
        assert_int_not_equal(watch_look(&watch, &snapshot), PEAL_OK);
        assert_is_empty();
        file_copy(region_path, path);
    }
    assert_int_equal(unlink(path), 0);
    end(&watch);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, region_set_up, region_tear_down)
        TEST(a_bus_error_elsewhere_kills_as_ever),
        TEST(a_bus_error_elsewhere_goes_to_whoever_handled_it_before),
        TEST(guarded_work_may_guard_work_of_its_own),
        TEST(each_thread_finds_its_own_way_out),
        TEST(a_region_is_found_once_it_is_there),
        TEST(a_region_that_is_removed_has_gone),
        TEST(a_region_that_is_removed_and_made_anew_is_looked_at_anew),
        TEST(a_region_that_is_laid_out_anew_in_place_is_looked_at_anew),
        TEST(a_file_that_is_replaced_is_looked_at_anew),
        TEST(what_is_no_region_is_said_to_be_none),
        TEST(a_region_that_is_just_being_laid_out_is_waited_for),
        TEST(a_region_that_was_cut_short_is_found_again_once_it_is_whole),
        TEST(a_region_that_is_cut_short_in_the_middle_of_a_look_is_survived),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
