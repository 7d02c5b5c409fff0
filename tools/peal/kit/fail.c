/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *name = "peal";

void fail_name(const char *new_name)
{
    name = new_name;
}

const char *fail_name_now(void)
{
    return name;
}

/* Names and words of the command line may hold anything. */
static void clean(char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
}

/* One line, by one write, so that lines of several programs do not mix. */
static void line(const char *format, va_list arguments, const char *reason)
{
    char text[1024];
    const int length = vsnprintf(text, sizeof(text), format, arguments);
    if (length < 0)
        text[0] = '\0';
    const size_t used = strlen(text);
    /* Peal's own messages may begin with the very words: "cannot look at posix:a: there is ..." */
    if (reason && strncmp(reason, text, used) == 0)
        (void)snprintf(text, sizeof(text), "%s", reason);
    else if (reason)
        (void)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ": " : "", reason);
    clean(text);
    (void)fflush(stdout); /* what was said before comes before */
    (void)fprintf(stderr, "%s: %s\n", name, text);
}

int fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line(format, arguments, NULL);
    va_end(arguments);
    return (int)code;
}

void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line(format, arguments, NULL);
    va_end(arguments);
}

enum exit_code fail_status_code(enum peal_status status)
{
    switch (status) {
    case PEAL_OK:
        return EXIT_DONE;
    case PEAL_EINVAL:
    case PEAL_ENOTSUP:
        return EXIT_USAGE;
    case PEAL_ENOENT:
        return EXIT_NOT_FOUND;
    case PEAL_EPERM:
        return EXIT_DENIED;
    case PEAL_EFORMAT:
    case PEAL_ECORRUPT:
    case PEAL_EMISMATCH:
        return EXIT_SPOILT;
    case PEAL_TIMEDOUT:
        return EXIT_TIMED_OUT;
    case PEAL_ENOSPC:
    case PEAL_ELIMIT:
    case PEAL_EMSGSIZE:
        return EXIT_NO_ROOM;
    default:
        return EXIT_FAILED;
    }
}

int fail_peal(enum peal_status status, const char *format, ...)
{
    const char *said = peal_error_message();
    va_list arguments;
    va_start(arguments, format);
    line(format, arguments, said[0] != '\0' ? said : peal_status_text(status));
    va_end(arguments);
    return (int)fail_status_code(status);
}

int fail_reason(enum peal_status status, const char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line(format, arguments, reason[0] != '\0' ? reason : peal_status_text(status));
    va_end(arguments);
    return (int)fail_status_code(status);
}

int fail_status(enum peal_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line(format, arguments, peal_status_text(status));
    va_end(arguments);
    return (int)fail_status_code(status);
}

enum exit_code fail_errno_code(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return EXIT_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return EXIT_DENIED;
    default:
        return EXIT_FAILED;
    }
}
