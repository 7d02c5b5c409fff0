/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines of the examples: PROGRAM [COMMAND] [--option VALUE]...
 *
 * A program lists its options in a table, each with a pointer to the variable that receives the
 * value; the variable's value before parsing is the default. --help comes for free, and a mistake
 * gives one line on stderr.
 */
#ifndef EXAMPLES_COMMON_ARGS_H
#define EXAMPLES_COMMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of the examples. */
#define EXIT_OK 0
#define EXIT_FAILED 1 /* something went wrong while running */
#define EXIT_USAGE 2  /* the command line is not valid */

#define ARGS_DEFAULT_BUS "auto:peal-demo"

struct args_option {
    const char *name;  /* without the dashes */
    const char *value; /* what --help calls the value; NULL for a switch, which has none */
    const char *help;
    /* Where the value goes; exactly one is set. */
    bool *to_flag;
    const char **to_text;
    double *to_real;
    uint64_t *to_integer; /* takes the suffixes K, M and G (powers of 1024) */
    /* Limits of to_real and to_integer, both included; both 0 means none. */
    double at_least;
    double at_most;
};

struct args_command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit code */
};

/* Runs the command that argv[1] names. Returns the exit code of the program. */
int args_dispatch(const char *program, const char *help, const struct args_command *commands,
                  size_t count, int argc, char **argv);

/* What args_parse() answers if the program shall go on; everything else is its exit code. */
#define ARGS_RUN (-1)

/* Parses argv[1..argc). `program` and `help` are for messages and --help. */
int args_parse(const char *program, const char *help, const struct args_option *options,
               size_t count, int argc, char **argv);

#endif
