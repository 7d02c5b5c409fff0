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

/* Each of those in `needed`, a list that ends with NULL, is. */
void run_these_orders_are_needed(const struct model_program *program, const char *const *needed);

/* Each mutant of `model` (in mutants.txt) makes the program fail. */
void run_each_mutant_fails(const char *model, const struct model_program *program);

#endif
