/* SPDX-License-Identifier: Apache-2.0 */
/* A subcommand of `peal`: what it is called, what it takes, and the function that does it. commands.c has the list. */
#ifndef PEAL_TOOLS_PEAL_COMMAND_H
#define PEAL_TOOLS_PEAL_COMMAND_H

#include "tools/peal/kit/option.h"

struct command {
    const char *name;
    const char *operands; /* as in "TOPIC [TEXT]"; "" if there are none */
    const char *summary;  /* one line; begins with a small letter, ends without a stop */
    const char *details;  /* more lines for --help; or NULL */
    const struct option_entry *options; /* ended by an empty one; NULL: none of its own */
    size_t operands_min;
    size_t operands_max;
    enum option_completes completes; /* what its operands are */
    bool has_json;                   /* --json means something to it */
    bool internal;                   /* for scripts of ours: not in the list of commands */
    /* Answers the exit code. common (kit/common.h) holds the options that all commands have. */
    int (*run)(char **operands, size_t count);
};

/* Ended by NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);

#endif
