/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line on stderr that is written over again twice a second: how long, how much, how fast; and a bar, where the end is known.
 */
#ifndef PEAL_TOOLS_PEAL_RECORD_PROGRESS_H
#define PEAL_TOOLS_PEAL_RECORD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum progress_when { PROGRESS_AUTO = 0, PROGRESS_ALWAYS, PROGRESS_NEVER };

/* What is shown. */
struct progress_view {
    uint64_t elapsed_ns;
    uint64_t messages;
    uint64_t bytes;
    double bytes_per_s;
    uint64_t lost;
    bool has_lost;    /* `lost` is shown, though 0 */
    uint32_t waiting; /* chunks; shown if not 0 */
    double share;     /* 0 to 1 of what there is to do; negative: not known */
};

/* The line for a terminal of so many columns, without an escape sequence. */
void progress_text(const struct progress_view *view, unsigned columns, char *text,
                   size_t text_bytes);

struct progress {
    bool shown;    /* at all */
    bool is_drawn; /* there is a line to write over */
    uint64_t begun_ns;
    uint64_t drawn_ns;
    uint64_t drawn_bytes;
};

/* AUTO: if stderr is a terminal. */
void progress_begin(struct progress *progress, enum progress_when when);

/* When the line is due again; UINT64_MAX: never. */
uint64_t progress_due_ns(const struct progress *progress);

/* Draws it if it is due. Fills in elapsed_ns and bytes_per_s. */
void progress_update(struct progress *progress, struct progress_view *view);

/* Takes the line away, so that other text can be printed. */
void progress_clear(struct progress *progress);

#endif
