/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance: nothing leaks, neither when all goes well nor when the process runs out of something.
 */
#include "tests/conformance/backend.h"

#include <dirent.h>
#include <sys/resource.h>

#if defined(PEAL_SANITIZE_ADDRESS) || defined(PEAL_SANITIZE_THREAD)
#define SANITIZED true /* the sanitizers reserve terabytes, and map as they like */
#else
#define SANITIZED false
#endif

/* It maps for itself, and has no patience with a limit. */
static bool is_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

static unsigned count_mappings(void)
{
    unsigned lines = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        lines += c == '\n';
    (void)fclose(file);
    return lines;
}

static void a_thousand_openings_leave_no_descriptor_and_no_mapping(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    close_one(open_one(backend, name));
    const unsigned descriptors = count_descriptors();
    const unsigned mappings = count_mappings();
    for (int i = 0; i < 1000; i++) {
        struct peal_transport *other = open_one(backend, name);
        if (i % 4 == 0)
            assert_true(other->ops->fd(other) >= 0);
        t->ops->notify(t, bit_of(other));
        close_one(other);
    }
    /* One each is allowed: the peer's descriptor that is kept for its next ring, and the heap. */
    assert_in_range(count_descriptors(), descriptors, descriptors + 1);
    if (!SANITIZED)
        assert_in_range(count_mappings(), 0, mappings + 1);
    close_one(t);
    assert_in_range(count_descriptors(), 0, descriptors);
    remove_region(backend, name);
}

enum scarce { SCARCE_DESCRIPTORS, SCARCE_ADDRESSES };

/* Sets the soft limit; returns the former one. */
static rlim_t set_limit(enum scarce scarce, rlim_t soft)
{
    struct rlimit limit;
    const bool descriptors = scarce == SCARCE_DESCRIPTORS;
    assert_int_equal(descriptors ? getrlimit(RLIMIT_NOFILE, &limit) : getrlimit(RLIMIT_AS, &limit),
                     0);
    const rlim_t former = limit.rlim_cur;
    limit.rlim_cur = soft;
    assert_int_equal(descriptors ? setrlimit(RLIMIT_NOFILE, &limit) : setrlimit(RLIMIT_AS, &limit),
                     0);
    return former;
}

static enum peal_status open_with_limit(const struct backend *backend, const char *name,
                                        enum scarce scarce, rlim_t soft, struct peal_transport **t)
{
    const rlim_t former = set_limit(scarce, soft);
    enum peal_status status = try_open(backend, name, UINT64_C(64) << 20, t);
    if (status == PEAL_OK && (*t)->ops->fd(*t) < 0) {
        close_one(*t);
        *t = NULL;
        status = PEAL_ESYSTEM;
    }
    (void)set_limit(scarce, former);
    return status;
}

static void running_out_of_descriptors_is_an_error_that_leaves_nothing(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    bool opened = false;
    unsigned refused = 0;
    unique_name(name);
    const unsigned descriptors = count_descriptors();
    for (rlim_t limit = 0; !opened; limit++) {
        struct peal_transport *t = NULL;
        assert_true(limit < 10000);
        const enum peal_status status =
            open_with_limit(backend, name, SCARCE_DESCRIPTORS, limit, &t);
        if (status == PEAL_OK) {
            opened = true;
            close_one(t);
        } else {
            refused++;
            assert_refused(status, PEAL_ESYSTEM, "RLIMIT_NOFILE");
            assert_null(t);
        }
        assert_int_equal(count_descriptors(), descriptors);
    }
    assert_true(refused > 0);
    remove_region(backend, name);
}

static void running_out_of_address_space_is_an_error_that_leaves_nothing(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(!SANITIZED && !is_under_valgrind());
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t = NULL;
    unique_name(name);
    const unsigned descriptors = count_descriptors();
    const enum peal_status status = open_with_limit(backend, name, SCARCE_ADDRESSES, 32u << 20, &t);
    assert_refused(status, PEAL_ENOMEM, "ulimit -v");
    assert_int_equal(count_descriptors(), descriptors);
    assert_true(is_absent(backend, name));
}

/* Answers with the status of open() with lock_memory and without the right to lock anything. */
static int open_without_memlock(struct child_link *link, void *context)
{
    struct peer *peer = context;
    struct peal_transport *t = NULL;
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    struct peal_transport_options options = options_of(peer->backend, REGION_BYTES);
    options.lock_memory = true;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 1;
    const enum peal_status status =
        peal_transport_open(peer->backend->scheme, peer->name, &options, &t);
    const bool has_remedy = strstr(peal_error_message(), "RLIMIT_MEMLOCK") != NULL;
    const bool is_gone = is_absent(peer->backend, peer->name);
    (void)child_say(link, has_remedy && is_gone ? (uint64_t)status : 99);
    return 0;
}

static void lock_memory_beyond_the_limit_is_refused_with_a_remedy(void **state)
{
    ONLY_IF(!SANITIZED); /* the sanitizers make mlock do nothing */
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peer peer = {.backend = backend_of(state), .name = name};
    uint64_t word = 0;
    unique_name(name);
    assert_true(child_start(&peer.child, open_without_memlock, &peer));
    assert_true(child_hear(&peer.child.link, &word));
    assert_int_equal(word, PEAL_EPERM);
    assert_int_equal(child_reap(&peer.child), 0);
}

static void memory_can_be_locked_where_that_is_allowed(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t = NULL;
    struct peal_transport_options options = options_of(backend, REGION_BYTES);
    options.lock_memory = true;
    options.prefault = true;
    unique_name(name);
    assert_int_equal(peal_transport_open(backend->scheme, name, &options, &t), PEAL_OK);
    close_one(t);
    remove_region(backend, name);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_thousand_openings_leave_no_descriptor_and_no_mapping),
        cmocka_unit_test(running_out_of_descriptors_is_an_error_that_leaves_nothing),
        cmocka_unit_test(running_out_of_address_space_is_an_error_that_leaves_nothing),
        cmocka_unit_test(lock_memory_beyond_the_limit_is_refused_with_a_remedy),
        cmocka_unit_test(memory_can_be_locked_where_that_is_allowed),
    };
    return run_over_backends("resource", cases, COUNT(cases));
}
