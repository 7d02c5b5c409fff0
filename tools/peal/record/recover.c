/* SPDX-License-Identifier: Apache-2.0 */
/* peal recover: makes a whole recording of what is left of one that was cut off or damaged. */
#include "tools/peal/mcap/mcap_recover.h"

#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/record/output_file.h"
#include "tools/peal/record/source_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    const char *output;
    unsigned compression;
    bool overwrite;
    bool quiet;
} wish;

static const struct option_entry options[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .help = "where to; default: run.mcap becomes run.recovered.mcap",
     .read = option_text,
     .to = &wish.output,
     .completes = COMPLETES_FILE},
    {.name = "compression",
     .letter = 'z',
     .value = "HOW",
     .help = "compress the new file; default none",
     .choices = "none lz4 zstd",
     .to = &wish.compression},
    {.name = "overwrite",
     .help = "replace the new file if it exists",
     .read = option_switch,
     .to = &wish.overwrite},
    {.name = "quiet",
     .letter = 'q',
     .help = "say nothing unless something was lost",
     .read = option_switch,
     .to = &wish.quiet},
    {0},
};

/* run.mcap: run.recovered.mcap */
static char *output_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    if (!dot || dot == path || dot[-1] == '/')
        return memory_text("%s.recovered.mcap", path);
    return memory_text("%.*s.recovered%s", (int)(dot - path), path, dot);
}

static bool is_same_file(int fd, const char *path)
{
    struct stat from, to;
    return fstat(fd, &from) == 0 && stat(path, &to) == 0 && from.st_dev == to.st_dev &&
           from.st_ino == to.st_ino;
}

static bool lost_something(const struct mcap_recovered *recovered)
{
    return recovered->damaged > 0 || recovered->torn_bytes > 0 || recovered->attachments > 0;
}

static void tell_lost(const char *path, const struct mcap_recovered *recovered)
{
    if (recovered->why.status != MCAP_OK)
        note("%s: %s", path, recovered->why.text);
    if (recovered->torn_bytes > 0)
        note("the last %" PRIu64 " bytes of %s were not a whole chunk%s", recovered->torn_bytes,
             path, recovered->unchecked > 0 ? "" : ": what was in them is lost");
    if (recovered->unchecked > 0)
        note("%" PRIu64 " messages are from a torn chunk: whole, but no checksum vouches for them",
             recovered->unchecked);
    if (recovered->damaged > 0)
        note("%" PRIu64 " chunks or records were spoilt and are lost", recovered->damaged);
    if (recovered->attachments > 0)
        note("%" PRIu64 " attachments are not kept", recovered->attachments);
}

static int tell(const char *path, const char *output, const struct mcap_recovered *recovered)
{
    const bool lost = lost_something(recovered);
    if (common.json) {
        print_json(json_pack(
            "{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "file", path, "output", output,
            "was_whole", recovered->was_whole, "messages", (json_int_t)recovered->messages,
            "unchecked", (json_int_t)recovered->unchecked, "chunks", (json_int_t)recovered->chunks,
            "damaged", (json_int_t)recovered->damaged, "torn_bytes",
            (json_int_t)recovered->torn_bytes, "attachments_lost",
            (json_int_t)recovered->attachments, "why",
            recovered->why.status == MCAP_OK ? "" : recovered->why.text));
        return lost ? EXIT_FOUND : EXIT_DONE;
    }
    if (!wish.quiet || lost)
        note("%" PRIu64 " messages of %" PRIu64 " chunks are in %s", recovered->messages,
             recovered->chunks, output);
    tell_lost(path, recovered);
    return lost ? EXIT_FOUND : EXIT_DONE;
}

static int recover_to(int fd, const char *path, const char *output)
{
    const struct mcap_writer_options how = {.compression = (enum mcap_compression)wish.compression};
    struct mcap_recovered recovered = {0};
    struct output_file file;
    struct mcap_error error;
    if (is_same_file(fd, output))
        return fail(EXIT_USAGE, "%s would be written over itself; say another -o FILE", path);
    int code = output_file_open(&file, output, wish.overwrite);
    if (code != EXIT_DONE)
        return code;
    const enum mcap_status status = mcap_recover(fd, file.fd, &how, &recovered, &error);
    if (status != MCAP_OK) {
        output_file_discard(&file);
        return status == MCAP_SYSTEM ? fail(EXIT_FAILED, "%s: %s", output, error.text)
                                     : source_file_foreign(path, &error);
    }
    if (recovered.was_whole && !wish.output) {
        output_file_discard(&file);
        if (!wish.quiet)
            note("%s is whole, and stays as it is: %" PRIu64 " messages", path, recovered.messages);
        return EXIT_DONE;
    }
    code = output_file_close(&file);
    return code == EXIT_DONE ? tell(path, output, &recovered) : code;
}

static int recover_run(char **operands, size_t count)
{
    int fd;
    (void)count;
    if (wish.output && strcmp(wish.output, "-") == 0 && common.json)
        return fail(EXIT_USAGE, "--json and -o - would be mixed in one output");
    int code = source_file_open(operands[0], &fd);
    if (code != EXIT_DONE)
        return code;
    char *output = wish.output ? memory_text("%s", wish.output) : output_name(operands[0]);
    code = recover_to(fd, operands[0], output);
    free(output);
    (void)close(fd);
    return code;
}

const struct command command_recover = {
    .name = "recover",
    .operands = "FILE",
    .summary = "make a recording whole that was cut off or damaged",
    .details = "Writes a new file with all that is whole in FILE; FILE stays as it is. Exit code 6 "
               "tells that\n"
               "something was lost.\n\n"
               "  peal recover run.mcap",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .completes = COMPLETES_FILE,
    .has_json = true,
    .run = recover_run,
};
