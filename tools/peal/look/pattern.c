/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/pattern.h"

#include "tools/peal/kit/fail.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* In a message, so that it stays a line. */
#define NAMED_MAX 5

bool pattern_matches(const char *pattern, const char *name)
{
    return strcmp(pattern, name) == 0 || fnmatch(pattern, name, 0) == 0;
}

bool patterns_match(const struct patterns *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (pattern_matches(patterns->texts[i], name))
            return true;
    return patterns->count == 0;
}

static bool is_there(const struct snapshot *snapshot, const char *pattern)
{
    for (size_t i = 0; i < snapshot->topic_count; i++)
        if (pattern_matches(pattern, snapshot->topics[i].name))
            return true;
    return false;
}

const char *patterns_unmatched(const struct patterns *patterns, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (!is_there(snapshot, patterns->texts[i]))
            return patterns->texts[i];
    return NULL;
}

int patterns_check(const struct patterns *patterns, const struct snapshot *snapshot,
                   const char *url)
{
    char there[NAMED_MAX * (SNAPSHOT_NAME_BYTES + 2) + 8] = "";
    size_t used = 0;
    const char *missing = patterns_unmatched(patterns, snapshot);
    if (!missing)
        return EXIT_DONE;
    const char *what =
        strpbrk(missing, "*?[") ? "no topic or queue matches" : "there is no topic or queue";
    if (snapshot->topic_count == 0)
        return fail(EXIT_NOT_FOUND, "%s '%s': there is none at all on %s now", what, missing, url);
    for (size_t i = 0; i < snapshot->topic_count && i < NAMED_MAX; i++)
        used += (size_t)snprintf(there + used, sizeof(there) - used, "%s%s", i > 0 ? ", " : "",
                                 snapshot->topics[i].name);
    if (snapshot->topic_count > NAMED_MAX)
        (void)snprintf(there + used, sizeof(there) - used, ", ...");
    return fail(EXIT_NOT_FOUND, "%s '%s' on %s; there are %s", what, missing, url, there);
}
