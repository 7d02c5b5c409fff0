/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/survey.h"

#include "tools/peal/care/audited.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct survey_finding finding(enum peal_audit_severity severity, const char *text)
{
    struct survey_finding made = {.severity = severity};
    (void)snprintf(made.text, sizeof(made.text), "%s", text);
    return made;
}

static void only_what_two_looks_found_alike_counts(void **state)
{
    (void)state;
    struct survey_finding first[] = {
        finding(PEAL_AUDIT_REMAINS, "a lane"),
        finding(PEAL_AUDIT_LOST, "some pages"),
    };
    struct survey_finding second[] = {
        finding(PEAL_AUDIT_REMAINS, "a lane"),
        finding(PEAL_AUDIT_REMAINS, "another lane"),
        finding(PEAL_AUDIT_REMAINS, "some pages"), /* not as bad any more */
        finding(PEAL_AUDIT_CORRUPT, "a header"),
    };
    const struct survey before = {.findings = first, .finding_count = 2};
    struct audited audited = {.survey = {.findings = second, .finding_count = 4}};
    audited.survey.audit.findings[PEAL_AUDIT_REMAINS] = 3;
    audited.survey.audit.findings[PEAL_AUDIT_CORRUPT] = 1;
    assert_int_equal(audited_count(&audited, PEAL_AUDIT_REMAINS), 4);
    assert_int_equal(audited_count(&audited, PEAL_AUDIT_LOST), 1);
    assert_true(audited_tells(&audited, &second[3]));
    survey_compare(&audited.survey, &before);
    audited.only_old = true;
    assert_int_equal(audited_count(&audited, PEAL_AUDIT_REMAINS), 1);
    assert_int_equal(audited_count(&audited, PEAL_AUDIT_LOST), 0);
    assert_true(audited_tells(&audited, &second[0]));
    assert_false(audited_tells(&audited, &second[1]));
    assert_false(audited_tells(&audited, &second[2]));
    assert_false(audited_tells(&audited, &second[3]));
}

static void words_are_there_for_every_number(void **state)
{
    (void)state;
    assert_string_equal(survey_severity_text(PEAL_AUDIT_UNSETTLED), "unsettled");
    assert_string_equal(survey_severity_text(PEAL_AUDIT_CORRUPT), "corrupt");
    assert_string_equal(survey_severity_text((enum peal_audit_severity)77), "?");
    assert_string_equal(survey_kind_text(PEAL_AUDIT_REGION), "region");
    assert_string_equal(survey_kind_text(PEAL_AUDIT_PAGES), "pages");
    assert_string_equal(survey_kind_text((enum peal_audit_kind)77), "?");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(only_what_two_looks_found_alike_counts),
        cmocka_unit_test(words_are_there_for_every_number),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
