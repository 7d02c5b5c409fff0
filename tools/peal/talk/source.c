/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/source.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MARK "{n}"
#define NUMBER_DIGITS 20

static const char *name_of(const struct source *source)
{
    return source->options.file && strcmp(source->options.file, "-") != 0 ? source->options.file
                                                                          : "stdin";
}

static bool is_stdin(const struct source_options *options)
{
    return options->file ? strcmp(options->file, "-") == 0 : true;
}

bool source_is_lines(const struct source *source)
{
    return source->options.lines;
}

uint64_t source_bytes_max(const struct source *source)
{
    if (source->options.lines)
        return source->options.message_bytes_max;
    if (!source->options.expand)
        return source->size_bytes;
    uint64_t marks = 0;
    for (const char *at = source->options.text; (at = strstr(at, NUMBER_MARK)); marks++)
        at += strlen(NUMBER_MARK);
    return source->size_bytes + marks * NUMBER_DIGITS;
}

/* ---- reading ---- */

/* Waits until there is something to read, or stop is requested. Answers what read() does; -1 with EINTR for stop. */
static ssize_t read_some(struct source *source)
{
    struct pollfd waits[] = {{.fd = source->fd, .events = POLLIN},
                             {.fd = stop_fd(), .events = POLLIN}};
    for (;;) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (stop_requested()) {
            errno = EINTR;
            return -1;
        }
        const ssize_t got = read(source->fd, source->data + source->size_bytes,
                                 source->room_bytes - source->size_bytes);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
    }
}

static int reading_failed(const struct source *source)
{
    const int error = errno;
    return fail(fail_errno_code(error), "cannot read %s: %s", name_of(source), strerror(error));
}

static void make_room(struct source *source)
{
    if (source->size_bytes < source->room_bytes)
        return;
    const size_t room_bytes = source->room_bytes ? source->room_bytes * 2 : 65536;
    char *data = memory_zeroed(room_bytes, 1);
    if (source->size_bytes > 0)
        memcpy(data, source->data, source->size_bytes);
    free(source->data);
    source->data = data;
    source->room_bytes = room_bytes;
}

/* The whole file is one message. */
static int read_all(struct source *source)
{
    for (;;) {
        make_room(source);
        const ssize_t got = read_some(source);
        if (got < 0 && !stop_requested())
            return reading_failed(source);
        if (got <= 0)
            break;
        source->size_bytes += (size_t)got;
        if (source->size_bytes > UINT32_MAX / 2)
            return fail(EXIT_USAGE, "%s is too long for a message; --lines makes each line one",
                        name_of(source));
    }
    source->has_ended = stop_requested();
    return EXIT_DONE;
}

/* ---- opening ---- */

static void generate(struct source *source)
{
    source->data = memory_zeroed((size_t)source->options.size_bytes + 8, 1);
    source->size_bytes = (size_t)source->options.size_bytes;
    for (size_t at = 0; at < source->size_bytes; at += 8)
        for (size_t i = 0; i < 8; i++) /* little-endian on any machine */
            source->data[at + i] = (char)((uint64_t)(at / 8) >> (8 * i));
}

static int open_file(struct source *source)
{
    source->fd = is_stdin(&source->options) ? dup(STDIN_FILENO)
                                            : open(source->options.file, O_RDONLY | O_CLOEXEC);
    if (source->fd >= 0)
        return EXIT_DONE;
    const int error = errno;
    return fail(fail_errno_code(error), "cannot open %s: %s", name_of(source), strerror(error));
}

static int check(const struct source_options *options)
{
    const int ways = (options->text != NULL) + (options->file != NULL) + (options->size_bytes > 0);
    if (ways == 0)
        return fail(EXIT_USAGE, "what shall be published? a TEXT, - for the lines of stdin, "
                                "--file F, or --size BYTES");
    if (ways > 1)
        return fail(EXIT_USAGE, "a text, --file and --size exclude one another");
    if (options->lines && !options->file)
        return fail(EXIT_USAGE, "--lines goes with --file");
    if (options->expand && (!options->text || strcmp(options->text, "-") == 0))
        return fail(EXIT_USAGE, "--expand goes with a TEXT that contains " NUMBER_MARK);
    if (options->size_bytes > UINT32_MAX / 2)
        return fail(EXIT_USAGE, "--size is at most 2G - 1");
    return EXIT_DONE;
}

int source_open(struct source *source, const struct source_options *options)
{
    *source = (struct source){.options = *options, .fd = -1};
    int code = check(options);
    if (code != EXIT_DONE)
        return code;
    if (options->text && strcmp(options->text, "-") == 0) {
        source->options.text = NULL;
        source->options.lines = true;
    }
    if (source->options.lines && source->options.message_bytes_max == 0)
        source->options.message_bytes_max = SOURCE_LINE_BYTES;
    if (options->size_bytes > 0) {
        generate(source);
    } else if (source->options.text) {
        source->size_bytes = strlen(options->text);
        source->data = memory_zeroed((size_t)source_bytes_max(source) + 1, 1);
        memcpy(source->data, options->text, source->size_bytes);
    } else {
        code = open_file(source);
        if (code == EXIT_DONE && !source->options.lines)
            code = read_all(source);
    }
    return code;
}

/* ---- the next one ---- */

static size_t expand(struct source *source)
{
    const char *from = source->options.text;
    char *to = source->data;
    for (const char *mark; (mark = strstr(from, NUMBER_MARK)); from = mark + strlen(NUMBER_MARK)) {
        memcpy(to, from, (size_t)(mark - from));
        to += mark - from;
        to += snprintf(to, NUMBER_DIGITS + 1, "%" PRIu64, source->number);
    }
    const size_t rest = strlen(from);
    memcpy(to, from, rest);
    return (size_t)(to - source->data) + rest;
}

static void number_generated(struct source *source)
{
    for (size_t i = 0; i < 8; i++)
        source->data[i] = (char)(source->number >> (8 * i));
}

/* The next line in what has been read, up to its end; or what is left when no more comes. */
static bool cut_line(struct source *source, const void **data, size_t *size_bytes)
{
    const size_t left = source->size_bytes - source->taken_bytes;
    const char *begin = source->data + source->taken_bytes;
    const char *end = left > 0 ? memchr(begin, '\n', left) : NULL;
    if (!end && !(source->has_ended && left > 0))
        return false;
    *data = begin;
    *size_bytes = end ? (size_t)(end - begin) : left;
    source->taken_bytes += *size_bytes + (end ? 1 : 0);
    return true;
}

static void forget_taken(struct source *source)
{
    if (source->taken_bytes == 0)
        return;
    source->size_bytes -= source->taken_bytes;
    memmove(source->data, source->data + source->taken_bytes, source->size_bytes);
    source->taken_bytes = 0;
}

static int line_too_long(const struct source *source)
{
    return fail(EXIT_USAGE,
                "line %" PRIu64 " of %s is longer than %" PRIu64
                " bytes; --message-bytes-max BYTES allows more",
                source->number + 1, name_of(source), source->options.message_bytes_max);
}

static enum source_answer next_line(struct source *source, const void **data, size_t *size_bytes,
                                    int *code)
{
    while (!cut_line(source, data, size_bytes)) {
        if (source->has_ended)
            return SOURCE_END;
        forget_taken(source);
        if (source->size_bytes > source->options.message_bytes_max) {
            *code = line_too_long(source);
            return SOURCE_FAILED;
        }
        make_room(source);
        const ssize_t got = read_some(source);
        if (got < 0 && stop_requested())
            return SOURCE_END;
        if (got < 0) {
            *code = reading_failed(source);
            return SOURCE_FAILED;
        }
        source->size_bytes += (size_t)got;
        source->has_ended = got == 0;
    }
    if (*size_bytes <= source->options.message_bytes_max)
        return SOURCE_MESSAGE;
    *code = line_too_long(source);
    return SOURCE_FAILED;
}

enum source_answer source_next(struct source *source, const void **data, size_t *size_bytes,
                               int *code)
{
    enum source_answer answer = SOURCE_MESSAGE;
    if (source->options.lines) {
        answer = next_line(source, data, size_bytes, code);
    } else {
        if (source->has_ended)
            return SOURCE_END;
        if (source->options.size_bytes > 0)
            number_generated(source);
        *data = source->data;
        *size_bytes = source->options.expand ? expand(source) : source->size_bytes;
    }
    source->number += answer == SOURCE_MESSAGE;
    return answer;
}

void source_close(struct source *source)
{
    free(source->data);
    if (source->fd >= 0)
        (void)close(source->fd);
}
