/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/record_options.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/mcap/mcap_codec.h"

#include <string.h>

struct record_wish record_wish = {.chunk_bytes = UINT64_C(1) << 20,
                                  .buffer_bytes = UINT64_C(64) << 20};

const struct option_entry record_options[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .help = "where to; - is standard output",
     .read = option_text,
     .to = &record_wish.output,
     .completes = COMPLETES_FILE},
    {.name = "compression",
     .letter = 'z',
     .value = "HOW",
     .help = "compress; default none",
     .choices = "none lz4 zstd",
     .to = &record_wish.compression},
    {.name = "level",
     .value = "N",
     .help = "of the compression; default: the fast one",
     .read = option_number,
     .to = &record_wish.level},
    {.name = "duration",
     .letter = 'd',
     .value = "TIME",
     .help = "end after so long, as 30s or 5m",
     .read = option_duration,
     .to = &record_wish.duration_ns},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "end after N messages",
     .read = option_count,
     .to = &record_wish.count},
    {.name = "size-max",
     .value = "SIZE",
     .help = "end when the file has about this size, as 500M",
     .read = option_bytes,
     .to = &record_wish.size_max_bytes},
    {.name = "history",
     .value = "N",
     .help = "begin with up to N messages of each publisher that are there already",
     .read = option_number,
     .to = &record_wish.history},
    {.name = "reliable",
     .help = "publishers wait for the recording, as they do for any reliable subscriber",
     .read = option_switch,
     .to = &record_wish.reliable},
    {.name = "overwrite",
     .help = "replace FILE if it exists",
     .read = option_switch,
     .to = &record_wish.overwrite},
    {.name = "chunk-size",
     .value = "SIZE",
     .help = "what is compressed and written at once; default 1M",
     .read = option_bytes,
     .to = &record_wish.chunk_bytes},
    {.name = "chunk-age",
     .value = "TIME",
     .help = "write a chunk that is older though it is not full; default 500ms",
     .read = option_duration,
     .to = &record_wish.chunk_age_ns},
    {.name = "buffer",
     .value = "SIZE",
     .help = "memory for what the disk has not taken yet; default 64M",
     .read = option_bytes,
     .to = &record_wish.buffer_bytes},
    {.name = "progress",
     .help = "show it, though stderr is no terminal",
     .read = option_switch,
     .to = &record_wish.progress},
    {.name = "quiet",
     .letter = 'q',
     .help = "no progress, and no summary unless something was lost",
     .read = option_switch,
     .to = &record_wish.quiet},
    {0},
};

int record_options_check(void)
{
    struct record_wish *wish = &record_wish;
    if (!wish->output)
        return fail(EXIT_USAGE, "where to? say -o FILE");
    if (wish->chunk_bytes < 1024 || wish->chunk_bytes > UINT64_C(64) << 20)
        return fail(EXIT_USAGE, "--chunk-size is between 1K and 64M");
    if (wish->buffer_bytes / wish->chunk_bytes < 2)
        return fail(EXIT_USAGE, "--buffer holds two chunks at least");
    if (wish->buffer_bytes / wish->chunk_bytes > 1024)
        wish->buffer_bytes = 1024 * wish->chunk_bytes;
    if (wish->history > UINT32_MAX)
        wish->history = UINT32_MAX;
    if (wish->level > 22 || (wish->level > 0 && wish->compression == MCAP_COMPRESSION_NONE))
        return fail(EXIT_USAGE, "--level is one of 1 to 12 for lz4, or 1 to 22 for zstd");
    if (common.json && strcmp(wish->output, "-") == 0)
        return fail(EXIT_USAGE, "--json and -o - would be mixed in one output");
    return EXIT_DONE;
}
