/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal_unlink_if_idle(): what nobody uses goes, what anybody uses stays, however openers and removers meet.
 */
#include "tests/conformance/backend.h"
#include "tests/support/footprint.h"
#include "tests/support/random.h"

#include "core/region.h"
#include "transport/posix/posix_lock.h"
#include "transport/posix/posix_shared.h"

#include <fcntl.h>
#include <peal/observer.h>
#include <peal/queue.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NOBODY 65534u
#define RACE_NS UINT64_C(300000000)
#define SIZE_BYTES (UINT64_C(1) << 20)

struct scene {
    char url[64];
    char shm[64];
    char path[96];
};

static void scene_make(struct scene *scene)
{
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    (void)snprintf(scene->url, sizeof(scene->url), "posix:%s", name);
    (void)snprintf(scene->shm, sizeof(scene->shm), "/peal.%s", name);
    (void)snprintf(scene->path, sizeof(scene->path), "/dev/shm/peal.%s", name);
}

static struct peal_bus *bus_open(const struct scene *scene)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = SIZE_BYTES;
    options.topics_max = 4;
    (void)peal_bus_open(&bus, scene->url, &options);
    return bus;
}

static struct peal_queue *queue_open(struct peal_bus *bus, uint32_t uses, bool drops_held)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *queue = NULL;
    options.uses = uses;
    options.depth = 16;
    options.drops_held = drops_held;
    (void)peal_queue_create(bus, "jobs", &options, &queue);
    return queue;
}

enum way { FOR_GOOD = 0, ONLY_LOOK = 1, MESSAGES = 2, SPOILT = 4 };

static enum peal_status removes(const struct scene *scene, int way, struct peal_leftover *left)
{
    struct peal_unlink_options options = PEAL_UNLINK_OPTIONS_INIT;
    options.dry_run = (way & ONLY_LOOK) != 0;
    options.with_messages = (way & MESSAGES) != 0;
    options.with_spoilt = (way & SPOILT) != 0;
    *left = (struct peal_leftover){.struct_bytes = sizeof(*left)};
    return peal_unlink_if_idle(scene->url, &options, left);
}

static bool is_there(const struct scene *scene)
{
    return access(scene->path, F_OK) == 0;
}

static uint64_t count_files(const struct scene *scene)
{
    return footprint_entries("/dev/shm", scene->path + strlen("/dev/shm/"));
}

static void a_region_that_nobody_uses_is_removed(void **state)
{
    (void)state;
    struct scene scene;
    struct peal_leftover left;
    scene_make(&scene);
    assert_refused(removes(&scene, FOR_GOOD, &left), PEAL_ENOENT, "no region");
    assert_int_equal(left.kind, PEAL_LEFTOVER_NOTHING);
    peal_bus_close(bus_open(&scene));
    assert_int_equal(removes(&scene, ONLY_LOOK, &left), PEAL_OK);
    assert_true(is_there(&scene));
    assert_int_equal(left.kind, PEAL_LEFTOVER_REGION);
    assert_int_equal(left.object_bytes, SIZE_BYTES + 65536);
    assert_true(left.memory_bytes > 0 && left.memory_bytes <= left.object_bytes);
    assert_int_equal(left.owner_id, geteuid());
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_OK);
    assert_false(is_there(&scene));
    assert_false(left.is_used);
    assert_int_equal(left.members, 0);
}

static int hold_a_bus(struct child_link *link, void *context)
{
    uint64_t word;
    int fd;
    struct peal_bus *bus = bus_open(context);
    if (bus == NULL || peal_bus_fd(bus, &fd) != PEAL_OK || !child_say(link, 1))
        return 1;
    (void)child_hear(link, &word);
    peal_bus_close(bus);
    return 0;
}

static void a_region_of_a_stopped_client_stays(void **state)
{
    (void)state;
    struct scene scene;
    struct child child;
    struct peal_leftover left;
    uint64_t word;
    scene_make(&scene);
    assert_true(child_start(&child, hold_a_bus, &scene));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(kill(child.pid, SIGSTOP), 0);
    for (int way = 0; way < 8; way++) {
        assert_refused(removes(&scene, way, &left), PEAL_AGAIN, "in use by 1 client");
        assert_true(left.is_used);
        assert_int_equal(left.members, 1);
        assert_int_equal(left.kind, PEAL_LEFTOVER_REGION);
        assert_int_equal(left.fifos, 0);
        assert_int_equal(count_files(&scene), 2); /* the object and its FIFO */
    }
    assert_int_equal(kill(child.pid, SIGCONT), 0);
    assert_true(child_say(&child.link, 0));
    assert_int_equal(child_reap(&child), 0);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_OK);
    assert_int_equal(count_files(&scene), 0);
}

static void fifos_of_the_dead_go_also_beside_the_living_and_without_a_region(void **state)
{
    (void)state;
    struct scene scene;
    struct child children[2];
    struct peal_leftover left;
    uint64_t word;
    scene_make(&scene);
    for (int i = 0; i < 2; i++) {
        assert_true(child_start(&children[i], hold_a_bus, &scene));
        assert_true(child_hear(&children[i].link, &word));
    }
    assert_int_equal(count_files(&scene), 3);
    child_kill(&children[0]);
    assert_int_equal(removes(&scene, ONLY_LOOK, &left), PEAL_AGAIN);
    assert_int_equal(left.fifos, 1);
    assert_int_equal(count_files(&scene), 3);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_AGAIN);
    assert_int_equal(left.fifos, 1);
    assert_int_equal(left.members, 2);
    assert_int_equal(count_files(&scene), 2);
    /* The name goes from under the other, who dies then. */
    assert_int_equal(peal_unlink(scene.url), PEAL_OK);
    child_kill(&children[1]);
    assert_int_equal(count_files(&scene), 1);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_ENOENT);
    assert_int_equal(left.fifos, 1);
    assert_int_equal(count_files(&scene), 0);
}

/* Pushes five, and leaves one of two that it has taken undone. */
static int die_with_messages(struct child_link *link, void *context)
{
    struct peal_queue_message messages[2];
    size_t count;
    struct peal_bus *bus = bus_open(context);
    struct peal_queue *queue = queue_open(bus, 0, false);
    for (uint64_t i = 0; i < 5; i++)
        if (peal_queue_push(queue, &i, sizeof(i)) != PEAL_OK)
            return 1;
    if (peal_queue_take(queue, messages, 1, &count) != PEAL_OK || !child_say(link, count))
        return 1;
    (void)pause();
    return 0;
}

static void messages_for_who_comes_next_keep_their_region(void **state)
{
    (void)state;
    struct scene scene;
    struct child child;
    struct peal_leftover left;
    struct peal_queue_message message;
    uint64_t number;
    unsigned char bytes[64];
    scene_make(&scene);
    assert_true(child_start(&child, die_with_messages, &scene));
    assert_true(child_hear(&child.link, &number));
    child_kill(&child);
    for (int way = 0; way < 8; way++) {
        if (way & MESSAGES)
            continue;
        assert_refused(removes(&scene, way, &left), PEAL_EEXIST, "hold messages");
        assert_int_equal(left.messages, 5); /* four, and the one that the dead had */
    }
    struct peal_bus *bus = bus_open(&scene);
    struct peal_queue *queue = queue_open(bus, PEAL_QUEUE_POP, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(peal_queue_pop(queue, bytes, sizeof(bytes), &message), PEAL_OK);
    peal_queue_close(queue);
    peal_bus_close(bus);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_EEXIST);
    assert_int_equal(left.messages, 1);
    assert_int_equal(removes(&scene, MESSAGES | ONLY_LOOK, &left), PEAL_OK);
    assert_true(is_there(&scene));
    assert_int_equal(removes(&scene, MESSAGES, &left), PEAL_OK);
    assert_false(is_there(&scene));
}

/* ---- what is no region ---- */

static int make_object(struct scene *scene, const void *bytes, size_t count, off_t size)
{
    scene_make(scene);
    const int descriptor = shm_open(scene->shm, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, size), 0);
    assert_int_equal(pwrite(descriptor, bytes, count, 0), count);
    return descriptor;
}

/* Left alone, unless asked; and then only if nobody has a lock on it. */
static void assert_spared(const struct scene *scene, int descriptor, enum peal_status expected,
                          enum peal_leftover_kind kind)
{
    struct peal_leftover left;
    for (int way = 0; way < 4; way++) {
        assert_refused(removes(scene, way, &left), expected, "left alone");
        assert_int_equal(left.kind, kind);
        assert_true(is_there(scene));
    }
    assert_int_equal(peal_posix_lock_try(descriptor, 12345), 0);
    assert_int_equal(removes(scene, SPOILT, &left), PEAL_AGAIN);
    assert_int_equal(removes(scene, SPOILT | ONLY_LOOK, &left), PEAL_AGAIN);
    peal_posix_lock_release(descriptor, 12345);
    assert_int_equal(removes(scene, SPOILT | ONLY_LOOK, &left), PEAL_OK);
    assert_true(is_there(scene));
    assert_int_equal(removes(scene, SPOILT, &left), PEAL_OK);
    assert_int_equal(left.kind, kind);
    assert_false(is_there(scene));
    (void)close(descriptor);
}

static void what_is_no_region_of_ours_is_left_alone_unless_it_is_asked_for(void **state)
{
    (void)state;
    static const char text[] = "not a region of ours, but somebody's data";
    struct peal_posix_header header = {.magic = PEAL_POSIX_MAGIC,
                                       .version = PEAL_POSIX_VERSION + 1};
    struct scene scene;
    int descriptor = make_object(&scene, text, sizeof(text), 1 << 20);
    assert_spared(&scene, descriptor, PEAL_EFORMAT, PEAL_LEFTOVER_FOREIGN);
    descriptor = make_object(&scene, &header, sizeof(header), 1 << 20);
    assert_spared(&scene, descriptor, PEAL_EFORMAT, PEAL_LEFTOVER_OTHER_FORMAT);
    header.version = PEAL_POSIX_VERSION;
    descriptor = make_object(&scene, &header, sizeof(header), 1 << 20);
    assert_spared(&scene, descriptor, PEAL_ECORRUPT, PEAL_LEFTOVER_SPOILT);

    scene_make(&scene);
    peal_bus_close(bus_open(&scene));
    descriptor = shm_open(scene.shm, O_RDWR, 0);
    const uint32_t version = PEAL_FORMAT_VERSION + 1;
    assert_int_equal(pwrite(descriptor, &version, 4, 65536 + 16), 4);
    assert_spared(&scene, descriptor, PEAL_EFORMAT, PEAL_LEFTOVER_OTHER_FORMAT);

    scene_make(&scene);
    peal_bus_close(bus_open(&scene));
    descriptor = shm_open(scene.shm, O_RDWR, 0);
    assert_int_equal(pwrite(descriptor, "spoilt", 6, 65536 + 24), 6);
    assert_spared(&scene, descriptor, PEAL_ECORRUPT, PEAL_LEFTOVER_SPOILT);
}

static void what_is_no_file_is_never_touched(void **state)
{
    (void)state;
    struct scene scene;
    struct peal_leftover left;
    scene_make(&scene);
    assert_int_equal(mkfifo(scene.path, 0600), 0);
    assert_int_equal(removes(&scene, SPOILT | MESSAGES, &left), PEAL_EFORMAT);
    assert_int_equal(left.kind, PEAL_LEFTOVER_FOREIGN);
    assert_int_equal(unlink(scene.path), 0);
    assert_int_equal(symlink("/dev/null", scene.path), 0);
    assert_int_equal(removes(&scene, SPOILT | MESSAGES, &left), PEAL_EFORMAT);
    assert_int_equal(unlink(scene.path), 0);
    assert_int_equal(mkdir(scene.path, 0700), 0);
    assert_int_equal(removes(&scene, SPOILT | MESSAGES, &left), PEAL_EFORMAT);
    assert_int_equal(rmdir(scene.path), 0);
}

static void an_unfinished_object_goes_unless_somebody_is_just_at_it(void **state)
{
    (void)state;
    struct scene scene;
    struct peal_leftover left;
    int descriptor = make_object(&scene, "", 0, 0);
    assert_int_equal(peal_posix_lock_try(descriptor, PEAL_POSIX_LOCK_INIT), 0);
    assert_refused(removes(&scene, FOR_GOOD, &left), PEAL_AGAIN, "just opening");
    assert_refused(removes(&scene, ONLY_LOOK, &left), PEAL_AGAIN, "just opening");
    assert_true(left.is_used);
    (void)close(descriptor);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_OK);
    assert_int_equal(left.kind, PEAL_LEFTOVER_UNFINISHED);
    assert_false(is_there(&scene));

    /* The object was finished, and its maker died before it laid the region out. */
    scene_make(&scene);
    struct peal_transport *transport = open_sized(&backends[0], scene.url + 6, SIZE_BYTES);
    close_one(transport);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_OK);
    assert_int_equal(left.kind, PEAL_LEFTOVER_UNFINISHED);
}

/* ---- rights ---- */

static int look_as_nobody(struct child_link *link, void *context)
{
    struct peal_leftover left;
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        return 1;
    return child_say(link, (uint64_t)removes(context, ONLY_LOOK, &left)) &&
                   child_say(link, (uint64_t)removes(context, MESSAGES | SPOILT, &left)) &&
                   child_say(link, left.owner_id)
               ? 0
               : 1;
}

static void another_users_region_is_not_removed(void **state)
{
    (void)state;
    ONLY_IF(geteuid() == 0);
    static const mode_t modes[] = {0600, 0644, 0666};
    struct scene scene;
    struct child child;
    uint64_t word = 0;
    scene_make(&scene);
    peal_bus_close(bus_open(&scene));
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(scene.path, modes[i]), 0);
        assert_true(child_start(&child, look_as_nobody, &scene));
        assert_true(child_hear(&child.link, &word));
        assert_int_equal(word, PEAL_EPERM);
        assert_true(child_hear(&child.link, &word));
        assert_int_equal(word, PEAL_EPERM);
        assert_true(child_hear(&child.link, &word));
        assert_int_equal(word, 0);
        assert_int_equal(child_reap(&child), 0);
        assert_true(is_there(&scene));
    }
    assert_int_equal(peal_unlink(scene.url), PEAL_OK);
}

static void bad_arguments_and_other_transports_are_refused(void **state)
{
    (void)state;
    struct peal_leftover left = {.struct_bytes = 0};
    struct scene scene;
    scene_make(&scene);
    peal_bus_close(bus_open(&scene));
    assert_int_equal(peal_unlink_if_idle(NULL, NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_unlink_if_idle("posix:", NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_unlink_if_idle("local:x", NULL, NULL), PEAL_ENOTSUP);
    assert_int_equal(peal_unlink_if_idle("vdev:x", NULL, NULL), PEAL_ENOTSUP);
    assert_int_equal(peal_unlink_if_idle(scene.url, NULL, &left), PEAL_EINVAL);
    assert_true(is_there(&scene)); /* what would not be told is not done */
    assert_int_equal(peal_unlink_if_idle(scene.url, NULL, NULL), PEAL_OK);
}

/* ---- against who opens ---- */

struct race {
    const struct scene *scene;
    uint64_t sender;
    uint64_t until_ns;
};

static bool pops(struct peal_queue *queue, uint64_t sender, uint64_t number)
{
    unsigned char bytes[64];
    struct peal_queue_message message;
    return peal_queue_pop(queue, bytes, sizeof(bytes), &message) == PEAL_OK &&
           content_is(bytes, sizeof(bytes), sender, number);
}

/* Who has opened the region is found there by who opens it afterwards, and what he leaves in the queue
 * is there when he comes back. */
static int live_there(const struct race *race, uint64_t number)
{
    unsigned char bytes[64];
    content_fill(bytes, sizeof(bytes), race->sender, number);
    struct peal_bus *bus = bus_open(race->scene);
    if (bus == NULL)
        return 2;
    struct peal_bus *second = bus_open(race->scene);
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    if (second == NULL || peal_bus_stats(second, &stats) != PEAL_OK || stats.members < 2)
        return 3;
    peal_bus_close(second);
    struct peal_queue *queue = queue_open(bus, PEAL_QUEUE_PUSH, false);
    if (queue == NULL || peal_queue_push(queue, bytes, sizeof(bytes)) != PEAL_OK)
        return 4;
    peal_queue_close(queue);
    peal_bus_close(bus);
    bus = bus_open(race->scene);
    if (bus == NULL)
        return 5;
    queue = queue_open(bus, PEAL_QUEUE_POP, false);
    if (queue == NULL || !pops(queue, race->sender, number))
        return 6;
    peal_queue_close(queue);
    peal_bus_close(bus);
    return 0;
}

static int live_there_again_and_again(struct child_link *link, void *context)
{
    const struct race *race = context;
    uint64_t number = 0, seed = race->sender;
    int wrong = 0;
    while (wrong == 0 && test_now_ns() < race->until_ns) {
        wrong = live_there(race, ++number);
        const uint64_t idle_until_ns = test_now_ns() + random_below(&seed, 60000);
        while (test_now_ns() < idle_until_ns) /* the region is nobody's now */
            continue;
    }
    if (wrong != 0)
        (void)fprintf(stderr, "number %llu: %s\n", (unsigned long long)number,
                      peal_error_message());
    (void)child_say(link, number);
    return wrong;
}

/* A second one, for removers are in each other's way as well. */
static int remove_again_and_again(struct child_link *link, void *context)
{
    const struct race *race = context;
    struct peal_leftover left;
    uint64_t removed = 0;
    while (test_now_ns() < race->until_ns)
        removed += removes(race->scene, FOR_GOOD, &left) == PEAL_OK;
    return child_say(link, removed) ? 0 : 1;
}

static void nobody_loses_a_region_or_a_message_to_who_removes(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    struct scene scene;
    struct child child, rival;
    struct peal_leftover left;
    uint64_t removed = 0, spared = 0, lives = 0, word = 0;
    scene_make(&scene);
    struct race race = {
        .scene = &scene, .sender = random_next(&seed), .until_ns = test_now_ns() + RACE_NS};
    assert_true(child_start(&child, live_there_again_and_again, &race));
    assert_true(child_start(&rival, remove_again_and_again, &race));
    while (test_now_ns() < race.until_ns) {
        const int way = random_below(&seed, 8) == 0 ? ONLY_LOOK : FOR_GOOD;
        const enum peal_status status = removes(&scene, way | SPOILT, &left);
        removed += status == PEAL_OK && way == FOR_GOOD;
        spared += status == PEAL_AGAIN || status == PEAL_EEXIST;
        if (status != PEAL_OK && status != PEAL_AGAIN && status != PEAL_EEXIST)
            assert_int_equal(status, PEAL_ENOENT);
    }
    assert_true(child_hear(&rival.link, &word));
    assert_int_equal(child_reap(&rival), 0);
    assert_true(child_hear(&child.link, &lives));
    assert_int_equal(child_reap(&child), 0);
    removed += word;
    removed += removes(&scene, FOR_GOOD, &left) == PEAL_OK;
    print_message("%llu lives, %llu removals, %llu times spared\n", (unsigned long long)lives,
                  (unsigned long long)removed, (unsigned long long)spared);
    assert_true(lives > 0 && spared > 0);
    assert_false(is_there(&scene));
}

static void who_looks_into_a_region_does_not_keep_it(void **state)
{
    (void)state;
    struct scene scene;
    struct peal_leftover left;
    struct peal_observer *observer;
    scene_make(&scene);
    peal_bus_close(bus_open(&scene));
    assert_int_equal(peal_observer_open(&observer, scene.url, NULL), PEAL_OK);
    assert_int_equal(removes(&scene, FOR_GOOD, &left), PEAL_OK);
    peal_observer_close(observer);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_region_that_nobody_uses_is_removed),
        cmocka_unit_test(a_region_of_a_stopped_client_stays),
        cmocka_unit_test(fifos_of_the_dead_go_also_beside_the_living_and_without_a_region),
        cmocka_unit_test(messages_for_who_comes_next_keep_their_region),
        cmocka_unit_test(what_is_no_region_of_ours_is_left_alone_unless_it_is_asked_for),
        cmocka_unit_test(what_is_no_file_is_never_touched),
        cmocka_unit_test(an_unfinished_object_goes_unless_somebody_is_just_at_it),
        cmocka_unit_test(another_users_region_is_not_removed),
        cmocka_unit_test(bad_arguments_and_other_transports_are_refused),
        cmocka_unit_test(nobody_loses_a_region_or_a_message_to_who_removes),
        cmocka_unit_test(who_looks_into_a_region_does_not_keep_it),
    };
    if (given_device() != NULL)
        return 0; /* posix alone */
    return cmocka_run_group_tests(cases, NULL, NULL);
}
