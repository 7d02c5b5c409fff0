/* SPDX-License-Identifier: Apache-2.0 */
/* `top` for scripts: look after look as text, or as lines of JSON. */
#ifndef PEAL_TOOLS_PEAL_TOP_BATCH_H
#define PEAL_TOOLS_PEAL_TOP_BATCH_H

#include "tools/peal/top/scene.h"
#include "tools/peal/top/state.h"

/* Prints `count` looks, 0: until stopped. The first rates need two looks, so that the first comes after one interval. Answers
 * the exit code. */
int top_batch(struct top_scene *scene, const struct top_state *state, uint64_t count, bool json);

#endif
