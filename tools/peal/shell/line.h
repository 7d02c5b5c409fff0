/* SPDX-License-Identifier: Apache-2.0 */
/* A command line that is still being typed: what does the word stand for at which the cursor is? */
#ifndef PEAL_TOOLS_PEAL_SHELL_LINE_H
#define PEAL_TOOLS_PEAL_SHELL_LINE_H

#include "tools/peal/command.h"

enum line_wants {
    LINE_WANTS_NOTHING = 0, /* nothing that we know of may stand here */
    LINE_WANTS_COMMAND,
    LINE_WANTS_OPTION,
    LINE_WANTS_VALUE, /* of `option` */
    LINE_WANTS_OPERAND,
};

#define LINE_TABLES 3u

struct line {
    enum line_wants wants;
    const struct command *command;                  /* NULL: there is none yet */
    const struct option_entry *option;              /* that wants a value */
    const struct option_entry *tables[LINE_TABLES]; /* of all options that may stand here */
    const char *bus;                                /* --bus in the words before; NULL: none */
    size_t operands;                                /* of the command in the words before */
    const char *word;                               /* the word; of a value: what there is of it */
    size_t ahead_bytes; /* of the word, that stand before the value: those of "--bus=" or "-b" */
    const char *ahead;  /* the word from its beginning */
};

/* `words` are those after "peal" up to the cursor; the last one, which may be empty, is the one to be completed. At least one. */
void line_read(struct line *line, char **words, size_t count);

#endif
