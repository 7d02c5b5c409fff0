/* SPDX-License-Identifier: Apache-2.0 */
/* Error messages of the examples: one line on stderr, "PROGRAM: WHAT: WHY". */
#ifndef EXAMPLES_COMMON_REPORT_H
#define EXAMPLES_COMMON_REPORT_H

#include <peal/status.h>

/*
 * For set-up calls (open, create...), which leave a message that says what to do about it.
 * Returns EXIT_FAILED, so that a caller can `return report_setup("cannot open the bus");`
 */
int report_setup(const char *what);

/* For the calls on messages (publish, take...), which have nothing but their status. */
int report_status(const char *what, enum peal_status status);

/* For the operating system's calls: errno. */
int report_errno(const char *what);

#endif
