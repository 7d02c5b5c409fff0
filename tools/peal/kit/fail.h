/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong is told in one line on stderr, that says what to do, and becomes the exit code:
 *
 *      return fail(EXIT_NOT_FOUND, "there is no topic '%s' on %s; peal ls shows those there are", topic, url);
 */
#ifndef PEAL_TOOLS_PEAL_KIT_FAIL_H
#define PEAL_TOOLS_PEAL_KIT_FAIL_H

#include "tools/peal/kit/exit_code.h"

#include <peal/status.h>

/* The name that lines begin with: "peal" or "peal COMMAND". Kept, not copied. */
void fail_name(const char *name);

/* What fail_name() was told. */
const char *fail_name_now(void);

/* Prints "NAME: TEXT" and answers `code`. */
int fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "NAME: TEXT: what Peal said", and answers the code that goes with the status. For calls that
 * leave a message: set-up calls. */
int fail_peal(enum peal_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Likewise with a message that was kept; "": says what the status means. */
int fail_reason(enum peal_status status, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Likewise for a call that leaves no message: says what the status means. */
int fail_status(enum peal_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The codes for a status, and for errno; ENOSPC and the like are EXIT_FAILED. */
enum exit_code fail_status_code(enum peal_status status);
enum exit_code fail_errno_code(int error);

/* Prints "NAME: TEXT" and goes on. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
