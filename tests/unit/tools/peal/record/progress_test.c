/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct progress_view some(double share)
{
    return (struct progress_view){.elapsed_ns = UINT64_C(754) * 1000000000,
                                  .messages = 12345,
                                  .bytes = (uint64_t)64 << 20,
                                  .bytes_per_s = 1.5 * (1 << 20),
                                  .share = share};
}

static void the_line_has_what_happened(void **state)
{
    (void)state;
    char text[256];
    struct progress_view view = some(-1);
    progress_text(&view, 120, text, sizeof(text));
    assert_string_equal(text, "12:34  12.3k messages  64.0 MiB  1.50 MiB/s");
    view.has_lost = true;
    view.waiting = 3;
    progress_text(&view, 120, text, sizeof(text));
    assert_string_equal(text,
                        "12:34  12.3k messages  64.0 MiB  1.50 MiB/s  0 lost  3 chunks waiting");
}

static void the_bar_shows_the_share_and_never_more_than_all(void **state)
{
    (void)state;
    char text[256];
    struct progress_view view = some(0.5);
    progress_text(&view, 120, text, sizeof(text));
    assert_non_null(strstr(text, "[====================>                   ]  50%  12:34"));
    view.share = 0;
    progress_text(&view, 120, text, sizeof(text));
    assert_non_null(strstr(text, "[>                                       ]   0%  "));
    view.share = 1;
    progress_text(&view, 120, text, sizeof(text));
    assert_non_null(strstr(text, "[========================================] 100%  "));
    view.share = 7;
    progress_text(&view, 120, text, sizeof(text));
    assert_non_null(strstr(text, "=] 100%  "));
}

static void the_line_fits_every_terminal(void **state)
{
    (void)state;
    char text[256];
    struct progress_view view = some(0.3);
    view.lost = UINT64_MAX;
    view.waiting = UINT32_MAX;
    view.bytes_per_s = 1e300;
    view.elapsed_ns = UINT64_MAX;
    for (unsigned columns = 1; columns < 250; columns++) {
        progress_text(&view, columns, text, sizeof(text));
        assert_true(strlen(text) < columns);
    }
    view = some(0.3);
    progress_text(&view, 80, text, sizeof(text));
    assert_true(text[0] == '[');
    progress_text(&view, 60, text, sizeof(text)); /* no room for a bar worth the name */
    assert_true(text[0] == '1');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_what_happened),
        cmocka_unit_test(the_bar_shows_the_share_and_never_more_than_all),
        cmocka_unit_test(the_line_fits_every_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
