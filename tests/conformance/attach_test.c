/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance: how a region is found or made, and who gets which index.
 */
#include "tests/conformance/backend.h"

#include "core/atomic.h"

#include <pthread.h>

static void the_first_client_makes_a_region_in_whole_pages(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    struct peal_transport *t = open_sized(backend, name, 5000);
    assert_int_equal(t->size_bytes, 8192);
    assert_int_equal((uintptr_t)t->base % PEAL_TRANSPORT_PAGE_BYTES, 0);
    assert_int_equal(t->index, 0);
    assert_int_equal(t->capacity, backend->capacity);
    assert_ptr_equal(t->ops, peal_transport_find(backend->scheme));
    assert_int_equal(t->ops->members(t), 1);
    for (uint64_t i = 0; i < t->size_bytes; i++)
        assert_int_equal(t->base[i], 0);
    memset(t->base, 0xa5, (size_t)t->size_bytes);
    close_one(t);
    remove_region(backend, name);
}

static void a_region_has_a_default_size(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t = NULL;
    unique_name(name);
    const struct peal_transport_options options = options_of(backend, 0);
    assert_int_equal(peal_transport_open(backend->scheme, name, &options, &t), PEAL_OK);
    assert_int_equal(t->size_bytes, PEAL_TRANSPORT_SIZE_DEFAULT);
    close_one(t);
    remove_region(backend, name);
}

static void clients_share_memory_whatever_size_they_ask_for(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    struct peal_transport *first = open_sized(backend, name, REGION_BYTES);
    struct peal_transport *bigger = open_sized(backend, name, 4 * REGION_BYTES);
    struct peal_transport *smaller = open_sized(backend, name, 4096);
    assert_int_equal(bigger->size_bytes, REGION_BYTES);
    assert_int_equal(smaller->size_bytes, REGION_BYTES);
    first->base[0] = 17;
    bigger->base[REGION_BYTES - 1] = 42;
    assert_int_equal(smaller->base[0], 17);
    assert_int_equal(first->base[REGION_BYTES - 1], 42);
    close_one(first);
    assert_int_equal(smaller->base[REGION_BYTES - 1], 42);
    close_one(smaller);
    close_one(bigger);
    remove_region(backend, name);
}

static void each_client_has_an_index_of_its_own_and_the_lowest_free_one(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t[4];
    unique_name(name);
    for (uint32_t i = 0; i < 4; i++) {
        t[i] = open_one(backend, name);
        assert_int_equal(t[i]->index, i);
        assert_int_equal(t[i]->ops->members(t[0]), (1u << (i + 1)) - 1);
    }
    close_one(t[1]);
    assert_int_equal(t[0]->ops->members(t[0]), 0xd);
    t[1] = open_one(backend, name);
    assert_int_equal(t[1]->index, 1);
    for (uint32_t i = 0; i < 4; i++)
        close_one(t[i]);
    remove_region(backend, name);
}

static void the_client_too_many_is_refused_and_comes_in_after_another_has_left(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t[PEAL_TRANSPORT_CLIENTS_MAX], *late = NULL;
    const uint64_t all = UINT64_MAX >> (64 - backend->capacity);
    unique_name(name);
    for (uint32_t i = 0; i < backend->capacity; i++)
        t[i] = open_one(backend, name);
    for (uint32_t i = 0; i < backend->capacity; i++)
        assert_true(t[i]->ops->members(t[i]) == all);
    assert_refused(try_open(backend, name, REGION_BYTES, &late), PEAL_ELIMIT, "close one");
    assert_null(late);
    close_one(t[7]);
    late = open_one(backend, name);
    assert_int_equal(late->index, 7);
    t[7] = late;
    for (uint32_t i = 0; i < backend->capacity; i++)
        close_one(t[i]);
    remove_region(backend, name);
}

static void bad_names_are_refused_by_a_message_that_shows_why(void **state)
{
    const struct backend *backend = backend_of(state);
    static const struct {
        const char *name, *word;
    } cases[] = {
        {"", "empty"},
        {".hidden", "begins with '.'"},
        {"-option", "begins with '-'"},
        {"..", "begins with '.'"},
        {"a/b", "'/' at place 2"},
        {"../etc", "begins with '.'"},
        {"a b", "' ' at place 2"},
        {"a~b", "'~' at place 2"},
        {"name:", "':' at place 5"},
        {"caf\xc3\xa9", "0xc3 at place 4"},
        {"line\n", "0x0a at place 5"},
        {"a234567890123456789012345678901_2", "too long"},
        {"a2345678901234567890123456789012", "at most 31"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peal_transport *t = NULL;
        assert_refused(try_open(backend, cases[i].name, 0, &t), PEAL_EINVAL, cases[i].word);
        assert_null(t);
        assert_int_equal(peal_transport_unlink(backend->scheme, cases[i].name), PEAL_EINVAL);
    }
}

static void a_name_may_have_every_allowed_character_and_31_of_them(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    (void)snprintf(name, sizeof(name), "_aZ09.-%024d", (int)getpid());
    assert_int_equal(strlen(name), PEAL_TRANSPORT_NAME_MAX);
    close_one(open_one(backend, name));
    remove_region(backend, name);
}

static void bad_options_are_refused(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t = NULL;
    unique_name(name);
    struct peal_transport_options options = options_of(backend, REGION_BYTES);
    options.struct_bytes = 0;
    assert_refused(peal_transport_open(backend->scheme, name, &options, &t), PEAL_EINVAL, "sizeof");
    options = options_of(backend, UINT64_MAX);
    assert_refused(peal_transport_open(backend->scheme, name, &options, &t), PEAL_EINVAL, "bytes");
    assert_true(is_absent(backend, name));
    assert_refused(peal_transport_open("pigeon", name, NULL, &t), PEAL_EINVAL, "pigeon");
}

static void what_must_exist_is_not_made(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    struct peal_transport *t = NULL;
    struct peal_transport_options options = options_of(backend, 2 * REGION_BYTES);
    options.must_exist = true;
    unique_name(name);
    assert_refused(peal_transport_open(backend->scheme, name, &options, &t), PEAL_ENOENT, name);
    assert_null(t);
    struct peal_transport *maker = open_one(backend, name);
    assert_int_equal(peal_transport_open(backend->scheme, name, &options, &t), PEAL_OK);
    assert_int_equal(t->size_bytes, REGION_BYTES);
    close_one(t);
    close_one(maker);
    remove_region(backend, name);
}

static void an_unlinked_region_goes_on_and_its_name_leads_to_a_new_one(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->named);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    struct peal_transport *old = open_one(backend, name);
    struct peal_transport *old_too = open_one(backend, name);
    assert_int_equal(peal_transport_unlink(backend->scheme, name), PEAL_OK);
    assert_refused(peal_transport_unlink(backend->scheme, name), PEAL_ENOENT, name);
    struct peal_transport *fresh = open_one(backend, name);
    assert_int_equal(fresh->index, 0);
    fresh->base[9] = 1;
    old->base[9] = 2;
    assert_int_equal(old_too->base[9], 2);
    assert_int_equal(fresh->base[9], 1);
    (void)drain(old_too);
    (void)drain(fresh);
    old->ops->notify(old, UINT64_MAX);
    assert_int_equal(drain(old_too), bit_of(old));
    assert_int_equal(drain(fresh), 0);
    close_one(old);
    close_one(old_too);
    close_one(fresh);
    remove_region(backend, name);
}

static void a_region_that_has_no_name_of_its_own_goes_with_its_last_client(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(!backend->named);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unique_name(name);
    struct peal_transport *t = open_one(backend, name);
    struct peal_transport *other = open_one(backend, name);
    assert_refused(peal_transport_unlink(backend->scheme, name), PEAL_ENOTSUP, "last client");
    close_one(t);
    assert_false(is_absent(backend, name));
    close_one(other);
    assert_true(is_absent(backend, name));
    t = open_sized(backend, name, 3 * REGION_BYTES);
    assert_int_equal(t->size_bytes, 3 * REGION_BYTES);
    close_one(t);
}

#define RACERS 8

struct racer {
    const struct backend *backend;
    const char *name;
    pthread_barrier_t *start;
    uint32_t rounds;
    struct peal_transport *transport;
    uint32_t failures;
};

static void *race_to_open(void *context)
{
    struct racer *racer = context;
    (void)pthread_barrier_wait(racer->start);
    if (try_open(racer->backend, racer->name, REGION_BYTES, &racer->transport) != PEAL_OK)
        return NULL;
    /* relaxed: the threads are joined before the sum is looked at. */
    (void)peal_u32_add_relaxed((peal_u32 *)(void *)racer->transport->base, 1);
    return NULL;
}

static void eight_threads_that_race_to_open_get_one_region_and_eight_indexes(void **state)
{
    const struct backend *backend = backend_of(state);
    for (int round = 0; round < 20; round++) {
        char name[PEAL_TRANSPORT_NAME_MAX + 1];
        pthread_barrier_t start;
        pthread_t threads[RACERS];
        struct racer racers[RACERS];
        uint64_t indexes = 0;
        unique_name(name);
        assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
        for (int i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){.backend = backend, .name = name, .start = &start};
            assert_int_equal(pthread_create(&threads[i], NULL, race_to_open, &racers[i]), 0);
        }
        for (int i = 0; i < RACERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < RACERS; i++) {
            assert_non_null(racers[i].transport);
            indexes |= bit_of(racers[i].transport);
        }
        assert_int_equal(indexes, 0xff);
        /* relaxed: the threads are joined. */
        assert_int_equal(
            peal_u32_load_relaxed((const peal_u32 *)(const void *)racers[0].transport->base),
            RACERS);
        for (int i = 0; i < RACERS; i++)
            close_one(racers[i].transport);
        (void)pthread_barrier_destroy(&start);
        remove_region(backend, name);
    }
}

static int open_when_told(struct child_link *link, void *context)
{
    struct racer *racer = context;
    uint64_t word;
    if (!child_hear(link, &word))
        return 1;
    if (try_open(racer->backend, racer->name, REGION_BYTES, &racer->transport) != PEAL_OK)
        return 2;
    /* relaxed: the pipe orders it before the parent's look. */
    (void)peal_u32_add_relaxed((peal_u32 *)(void *)racer->transport->base, 1);
    (void)child_say(link, racer->transport->index);
    if (!child_hear(link, &word))
        return 3;
    close_one(racer->transport);
    return 0;
}

static void eight_processes_that_race_to_open_get_one_region_and_eight_indexes(void **state)
{
    const struct backend *backend = backend_of(state);
    ONLY_IF(backend->processes);
    for (int round = 0; round < 5; round++) {
        char name[PEAL_TRANSPORT_NAME_MAX + 1];
        struct child children[RACERS];
        uint64_t indexes = 0, word = 0;
        unique_name(name);
        struct racer racer = {.backend = backend, .name = name};
        for (int i = 0; i < RACERS; i++)
            assert_true(child_start(&children[i], open_when_told, &racer));
        for (int i = 0; i < RACERS; i++)
            assert_true(child_say(&children[i].link, 0));
        for (int i = 0; i < RACERS; i++) {
            assert_true(child_hear(&children[i].link, &word));
            indexes |= UINT64_C(1) << word;
        }
        assert_int_equal(indexes, 0xff);
        struct peal_transport *t = open_one(backend, name);
        /* relaxed: the pipes ordered the additions before. */
        assert_int_equal(peal_u32_load_relaxed((const peal_u32 *)(const void *)t->base), RACERS);
        assert_int_equal(t->ops->members(t), 0x1ff);
        for (int i = 0; i < RACERS; i++)
            assert_true(child_say(&children[i].link, 0));
        for (int i = 0; i < RACERS; i++)
            assert_int_equal(child_reap(&children[i]), 0);
        assert_int_equal(t->ops->members(t), bit_of(t));
        close_one(t);
        remove_region(backend, name);
    }
}

static void *open_and_close(void *context)
{
    struct racer *racer = context;
    (void)pthread_barrier_wait(racer->start);
    for (uint32_t i = 0; i < racer->rounds; i++) {
        struct peal_transport *t = NULL;
        if (try_open(racer->backend, racer->name, REGION_BYTES, &t) != PEAL_OK) {
            racer->failures++;
            print_error("%s\n", peal_error_message());
            continue;
        }
        if ((t->ops->members(t) & bit_of(t)) == 0)
            racer->failures++;
        close_one(t);
    }
    return NULL;
}

static void *unlink_again_and_again(void *context)
{
    struct racer *racer = context;
    (void)pthread_barrier_wait(racer->start);
    for (uint32_t i = 0; i < racer->rounds; i++) {
        const enum peal_status status = peal_transport_unlink(racer->backend->scheme, racer->name);
        if (status != PEAL_OK && status != PEAL_ENOENT &&
            (racer->backend->named || status != PEAL_ENOTSUP))
            racer->failures++;
    }
    return NULL;
}

static void opening_closing_and_unlinking_may_run_side_by_side(void **state)
{
    const struct backend *backend = backend_of(state);
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    pthread_barrier_t start;
    pthread_t threads[4];
    struct racer racers[4];
    unique_name(name);
    assert_int_equal(pthread_barrier_init(&start, NULL, 4), 0);
    for (int i = 0; i < 4; i++) {
        racers[i] =
            (struct racer){.backend = backend, .name = name, .start = &start, .rounds = 100};
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i == 0 ? unlink_again_and_again : open_and_close,
                                        &racers[i]),
                         0);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(racers[i].failures, 0);
    (void)pthread_barrier_destroy(&start);
    remove_region(backend, name);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_first_client_makes_a_region_in_whole_pages),
        cmocka_unit_test(a_region_has_a_default_size),
        cmocka_unit_test(clients_share_memory_whatever_size_they_ask_for),
        cmocka_unit_test(each_client_has_an_index_of_its_own_and_the_lowest_free_one),
        cmocka_unit_test(the_client_too_many_is_refused_and_comes_in_after_another_has_left),
        cmocka_unit_test(bad_names_are_refused_by_a_message_that_shows_why),
        cmocka_unit_test(a_name_may_have_every_allowed_character_and_31_of_them),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(what_must_exist_is_not_made),
        cmocka_unit_test(an_unlinked_region_goes_on_and_its_name_leads_to_a_new_one),
        cmocka_unit_test(a_region_that_has_no_name_of_its_own_goes_with_its_last_client),
        cmocka_unit_test(eight_threads_that_race_to_open_get_one_region_and_eight_indexes),
        cmocka_unit_test(eight_processes_that_race_to_open_get_one_region_and_eight_indexes),
        cmocka_unit_test(opening_closing_and_unlinking_may_run_side_by_side),
    };
    return run_over_backends("attach", cases, COUNT(cases));
}
