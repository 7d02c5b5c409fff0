/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed between two calls, as a text. An assertion that fails in between is not seen: keep it short. */
#ifndef PEAL_TESTS_UNIT_TOOLS_PEAL_CAPTURE_H
#define PEAL_TESTS_UNIT_TOOLS_PEAL_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int capture_of;   /* STDOUT_FILENO or STDERR_FILENO */
static int capture_kept; /* what that was before */

static inline void capture_begin(int descriptor)
{
    const int file = memfd_create("capture", MFD_CLOEXEC);
    (void)fflush(stdout);
    (void)fflush(stderr);
    capture_of = descriptor;
    capture_kept = dup(descriptor);
    assert_true(file >= 0 && capture_kept >= 0);
    assert_int_equal(dup2(file, descriptor), descriptor);
    (void)close(file);
}

/* Valid until the next one. */
static inline const char *capture_end(void)
{
    static char text[65536];
    (void)fflush(stdout);
    (void)fflush(stderr);
    const ssize_t length = pread(capture_of, text, sizeof(text) - 1, 0);
    (void)dup2(capture_kept, capture_of);
    (void)close(capture_kept);
    assert_true(length >= 0);
    text[length] = '\0';
    return text;
}

#endif
