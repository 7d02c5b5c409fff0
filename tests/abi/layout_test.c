/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of both widths see the same bytes at the same places.
 */
#include "tests/abi/pair.h"

#include <glob.h>
#include <sys/wait.h>

#define TEXT_BYTES (1u << 20)

/* What the peer of this width prints. The caller frees it. */
static char *layout_of(unsigned width)
{
    char *text = calloc(1, TEXT_BYTES);
    struct peer_start start = {peer_program(width), "layout", NULL};
    struct child child;
    size_t length = 0;
    ssize_t got;
    assert_non_null(text);
    assert_true(child_start(&child, peer_become, &start));
    while ((got = read(child.link.in, text + length, TEXT_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    assert_int_equal(child_reap(&child), 0);
    assert_in_range(length, 1000, TEXT_BYTES - 2);
    return text;
}

static void all_shared_structs_lie_the_same_in_both_widths(void **state)
{
    char *text32 = layout_of(32);
    char *text64 = layout_of(64);
    (void)state;
    if (strcmp(text32, text64) != 0) {
        size_t line = 0, i = 0;
        for (; text32[i] == text64[i]; i++)
            line = text32[i] == '\n' ? i + 1 : line;
        fail_msg("32 bits: %.*s -- 64 bits: %.*s", (int)strcspn(text32 + line, "\n"), text32 + line,
                 (int)strcspn(text64 + line, "\n"), text64 + line);
    }
    free(text32);
    free(text64);
}

/* The structs of one header; how many. */
static unsigned assert_all_are_printed(const char *path, const char *text)
{
    char line[256], name[128], wanted[160];
    unsigned found = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "struct %127[a-z0-9_] {", name) != 1 || strchr(line, '{') == NULL)
            continue;
        found++;
        (void)snprintf(wanted, sizeof(wanted), "struct %s: ", name);
        if (strstr(text, wanted) == NULL)
            fail_msg("%s: the peer does not print struct %s", path, name);
    }
    (void)fclose(file);
    return found;
}

static void no_shared_struct_is_left_out(void **state)
{
    static const char *const patterns[] = {"core/*_shared.h", "transport/*/*_shared.h"};
    const size_t root = strlen(__FILE__) - strlen("tests/abi/layout_test.c");
    char *text = layout_of(64);
    unsigned found = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        char pattern[512];
        glob_t headers;
        (void)snprintf(pattern, sizeof(pattern), "%.*s%s", (int)root, __FILE__, patterns[i]);
        assert_int_equal(glob(pattern, 0, NULL, &headers), 0);
        for (size_t header = 0; header < headers.gl_pathc; header++)
            found += assert_all_are_printed(headers.gl_pathv[header], text);
        globfree(&headers);
    }
    assert_in_range(found, 10, 100);
    free(text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(all_shared_structs_lie_the_same_in_both_widths),
    cmocka_unit_test(no_shared_struct_is_left_out),
};

ABI_MAIN(cases)
