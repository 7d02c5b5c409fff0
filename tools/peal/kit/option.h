/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a command: a table, from which come parsing, --help, and what the shells complete. Each names the variable that
 * gets its value; what that holds before is the default.
 *
 *      static uint64_t count;
 *      static const struct option_entry options[] = {
 *          {.name = "count", .letter = 'n', .value = "N", .help = "end after N messages",
 *           .read = option_count, .to = &count},
 *          {0},
 *      };
 *
 * Options may stand before, between and after operands; "--" ends them. --name=value and --name value, -n5 and -n 5.
 */
#ifndef PEAL_TOOLS_PEAL_KIT_OPTION_H
#define PEAL_TOOLS_PEAL_KIT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the shells offer for a word. */
enum option_completes {
    COMPLETES_NOTHING = 0,
    COMPLETES_TOPIC,
    COMPLETES_BUS,
    COMPLETES_FILE,
    COMPLETES_COMMAND,
};

struct option_entry {
    const char *name;  /* without dashes; NULL ends a table */
    char letter;       /* or 0 */
    const char *value; /* what --help calls the value; NULL: a switch */
    const char *help;  /* one line; begins with a small letter, ends without a stop */
    /* Stores the text's value at `to`; answers NULL, or what would be valid ("a time as 500ms or 2s"). */
    const char *(*read)(const char *text, void *to);
    void *to;
    /* Instead of `read`: words with a space between; the index of the one that was given is stored, as unsigned. */
    const char *choices;
    enum option_completes completes;
};

/* Readers. `to` is: */
const char *option_switch(const char *text, void *to);   /* bool *: true */
const char *option_text(const char *text, void *to);     /* const char **: not empty */
const char *option_count(const char *text, void *to);    /* uint64_t *: 1 and more */
const char *option_number(const char *text, void *to);   /* uint64_t *: 0 and more */
const char *option_bytes(const char *text, void *to);    /* uint64_t *: 1 and more, with K, M, G */
const char *option_duration(const char *text, void *to); /* uint64_t * ns, more than 0 */
const char *option_rate(const char *text, void *to);     /* double *: Hz, more than 0 */

/* Options that every command has are in a table of their own. Reads them out of argv, in place: operands are moved to the
 * front, *operands gets their number. Answers EXIT_DONE, or EXIT_USAGE having told why. */
int option_parse(const struct option_entry *const *tables, size_t table_count, char **argv,
                 size_t argc, size_t *operands);

/* The option of a long name, of which `length` bytes count, or of a letter (then the name does not count); or NULL. */
const struct option_entry *option_find(const struct option_entry *const *tables, size_t table_count,
                                       const char *name, size_t length, char letter);

/* For --help. */
void option_print(const struct option_entry *table);

#endif
