/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/spoilt_run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run that takes longer, or says more, is ended by a signal. */
#define SECONDS_MAX 30u
#define CPU_SECONDS_MAX 10u
#define OUTPUT_BYTES_MAX (UINT64_C(16) << 20)
#define STREAM_NOTES_MAX 64u

struct spoilt_figures spoilt_figures;

struct output {
    int descriptor;
    char *text; /* ended by a zero byte */
    size_t size_bytes;
};

static struct output outputs[2];

/* ---- running ---- */

static bool empty(struct output *output, const char *name)
{
    if (output->descriptor <= STDERR_FILENO)
        output->descriptor = memfd_create(name, MFD_CLOEXEC);
    return output->descriptor > STDERR_FILENO && ftruncate(output->descriptor, 0) == 0 &&
           lseek(output->descriptor, 0, SEEK_SET) == 0;
}

static bool read_back(struct output *output)
{
    const off_t end = lseek(output->descriptor, 0, SEEK_END);
    output->size_bytes = end > 0 ? (size_t)end : 0;
    char *text = realloc(output->text, output->size_bytes + 1);
    if (!text || end < 0)
        return false;
    output->text = text;
    text[output->size_bytes] = '\0';
    return pread(output->descriptor, text, output->size_bytes, 0) == end;
}

static void limit(int resource, rlim_t most)
{
    const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    (void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void become(const char *peal, char **arguments, const char *url)
{
    (void)setenv("PEAL_BUS", url, 1);
    (void)dup2(outputs[0].descriptor, STDOUT_FILENO);
    (void)dup2(outputs[1].descriptor, STDERR_FILENO);
    limit(RLIMIT_FSIZE, OUTPUT_BYTES_MAX);
    limit(RLIMIT_CPU, CPU_SECONDS_MAX);
    limit(RLIMIT_CORE, 0);
    (void)alarm(SECONDS_MAX);
    (void)execv(peal, arguments);
    _exit(127);
}

/* What waitpid() answers, or -1. */
static int run(const char *peal, char **arguments, const char *url)
{
    struct rusage used;
    int status;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        become(peal, arguments, url);
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return -1;
    const uint64_t took_ns =
        ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) * UINT64_C(1000000000) +
        ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000;
    if (took_ns > spoilt_figures.longest_ns)
        spoilt_figures.longest_ns = took_ns;
    return status;
}

/* ---- judging ---- */

/* Nothing that a terminal takes for a command. */
static bool is_clean(const struct output *output)
{
    for (size_t i = 0; i < output->size_bytes; i++) {
        const unsigned char byte = (unsigned char)output->text[i];
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
            return false;
    }
    json_t *text = json_stringn(output->text, output->size_bytes); /* NULL: no UTF-8 */
    json_decref(text);
    return text != NULL;
}

/* One value, or one after the other. */
static bool is_json(const struct output *output)
{
    size_t at = 0;
    while (at + strspn(output->text + at, " \n") < output->size_bytes) {
        json_error_t error;
        json_t *value =
            json_loadb(output->text + at, output->size_bytes - at,
                       JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (!value)
            return false;
        json_decref(value);
        at += (size_t)error.position;
    }
    return true;
}

static size_t count_lines(const struct output *output)
{
    size_t lines = 0;
    for (size_t i = 0; i < output->size_bytes; i++)
        lines += output->text[i] == '\n';
    return lines + (output->size_bytes > 0 && output->text[output->size_bytes - 1] != '\n');
}

/* Not that the system refused, the command line was wrong, or somebody has no right: nothing here is so. */
static bool is_expected(int code)
{
    switch (code) {
    case 0: /* done */
    case 3: /* no such region, or topic */
    case 5: /* spoilt */
    case 6: /* there is something to look at */
    case 7: /* it did not come in time */
    case 8: /* no room */
        return true;
    default:
        return false;
    }
}

/* NULL: all is well. */
static const char *judge(const struct spoilt_command *command, int status, bool as_json)
{
    const size_t notes = count_lines(&outputs[1]);
    if (status < 0 || !WIFEXITED(status))
        return "ended by a signal";
    if (!is_expected(WEXITSTATUS(status)))
        return "an exit code that is not for this";
    if (notes > (command->is_stream ? STREAM_NOTES_MAX : 1))
        return "more than a line on stderr";
    if (!is_clean(&outputs[1]) || !is_clean(&outputs[0]))
        return "control characters, or no UTF-8";
    if (WEXITSTATUS(status) == 0 && !command->is_stream && outputs[0].size_bytes == 0)
        return "nothing was said";
    if (as_json && !is_json(&outputs[0]))
        return "no valid JSON";
    return NULL;
}

static void tell(const char *reason, char **arguments, const char *url, int status)
{
    fprintf(stderr, "FAILED: %s: PEAL_BUS=%s peal", reason, url);
    for (size_t i = 1; arguments[i]; i++)
        fprintf(stderr, " '%s'", arguments[i]);
    fprintf(stderr, ": %s %d; stderr: %.2000s\nstdout: %.500s\n",
            WIFSIGNALED(status) ? "signal" : "exit code",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            outputs[1].text ? outputs[1].text : "", outputs[0].text ? outputs[0].text : "");
}

bool spoilt_run(const char *peal, const struct spoilt_command *command, const char *url,
                bool as_json)
{
    char words[SPOILT_WORDS_MAX + 3][256] = {"peal"};
    char *arguments[SPOILT_WORDS_MAX + 3] = {words[0]};
    size_t count = 1;
    for (size_t i = 0; i < SPOILT_WORDS_MAX && command->words[i]; i++, count++)
        (void)snprintf(words[count], sizeof(words[0]), "%s", command->words[i]);
    if (as_json)
        (void)snprintf(words[count++], sizeof(words[0]), "--json");
    for (size_t i = 0; i < count; i++)
        arguments[i] = words[i];
    if (!empty(&outputs[0], "stdout") || !empty(&outputs[1], "stderr")) {
        perror("spoilt: no files for the output");
        return false;
    }
    const int status = run(peal, arguments, url);
    if (!read_back(&outputs[0]) || !read_back(&outputs[1])) {
        perror("spoilt: cannot read the output");
        return false;
    }
    spoilt_figures.runs++;
    if (status >= 0 && WIFEXITED(status))
        spoilt_figures.codes[WEXITSTATUS(status) % 16]++;
    const char *reason = judge(command, status, as_json);
    if (reason)
        tell(reason, arguments, url, status);
    return !reason;
}
