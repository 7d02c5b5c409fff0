/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics are meant: names, or patterns as the shell's ("wheel*", "left_?", "[ab].rpm"; a * takes dots and slashes as
 * well). A name that is also a pattern means itself too.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_PATTERN_H
#define PEAL_TOOLS_PEAL_LOOK_PATTERN_H

#include "tools/peal/look/snapshot.h"

/* The command's operands stay the caller's. Without any, every topic is meant. */
struct patterns {
    char *const *texts;
    size_t count;
};

bool pattern_matches(const char *pattern, const char *name);

/* Any of them. */
bool patterns_match(const struct patterns *patterns, const char *name);

/* The first that no topic of the snapshot matches; NULL: there is none. */
const char *patterns_unmatched(const struct patterns *patterns, const struct snapshot *snapshot);

/*
 * A command was given topics that must be there: EXIT_DONE if each pattern matches one. Otherwise EXIT_NOT_FOUND, and it is
 * told which is not there, and which there are.
 */
int patterns_check(const struct patterns *patterns, const struct snapshot *snapshot,
                   const char *url);

#endif
