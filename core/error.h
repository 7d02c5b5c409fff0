/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message that a failing set-up call leaves for its caller, per thread.
 *
 * peal_fail() is how every set-up path returns: `return peal_fail(PEAL_EINVAL, "queue depth %u is
 * not a power of two; round it up", depth);`. Not for the data path: it formats text.
 */
#ifndef PEAL_CORE_ERROR_H
#define PEAL_CORE_ERROR_H

#include <peal/status.h>

/* Formats the message of this thread and returns `status`. Truncates at 511 characters. */
enum peal_status peal_fail(enum peal_status status, const char *format, ...) PEAL_PRINTF(2, 3);

/* Puts "context: " before the present message, for a caller that knows more. Returns `status`. */
enum peal_status peal_fail_context(enum peal_status status, const char *format, ...)
    PEAL_PRINTF(2, 3);

#endif
