/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the models are run: short in each build, long with PEAL_MODEL_LONG=1 in the environment.
 */
#ifndef PEAL_TESTS_MODEL_RUN_H
#define PEAL_TESTS_MODEL_RUN_H

#include "tests/support/model_checker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

bool run_is_long(void);

/* The whole space holds. */
void run_holds(const struct model_program *program);

/*
 * Each order that the program passes is needed: without it, it fails. But for those in `spared`, a
 * list that ends with NULL: the program does not need them.
 */
void run_each_order_is_needed(const struct model_program *program, const char *const *spared);

/* Each mutant of `model` (in mutants.txt) makes one of the programs fail, which is prepared by `prepare`. */
void run_each_mutant_fails(const char *model, const struct model_program *program);

#endif
