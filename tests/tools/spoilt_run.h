/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs `peal` and judges how it ends: with a code that is documented, soon, with little on stderr, and with clean text or
 * valid JSON on stdout, as far as that came.
 */
#ifndef PEAL_TESTS_TOOLS_SPOILT_RUN_H
#define PEAL_TESTS_TOOLS_SPOILT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#define SPOILT_WORDS_MAX 16u

struct spoilt_command {
    const char
        *words[SPOILT_WORDS_MAX]; /* the subcommand, its options and operands; ended by NULL */
    bool has_json;
    bool is_stream; /* it may say more than one line on stderr: what was lost, who came back */
};

struct spoilt_figures {
    uint64_t runs;
    uint64_t codes[16];
    uint64_t longest_ns; /* CPU time */
};

extern struct spoilt_figures spoilt_figures;

/* Over the bus at `url`. False: not as it must be, which has been told. */
bool spoilt_run(const char *peal, const struct spoilt_command *command, const char *url,
                bool as_json);

#endif
