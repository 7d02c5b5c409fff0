/* SPDX-License-Identifier: Apache-2.0 */
/* The whole screen, composed: heading, list, messages, what the keys do. Knows nothing of terminals. */
#ifndef PEAL_TOOLS_PEAL_TOP_FACE_H
#define PEAL_TOOLS_PEAL_TOP_FACE_H

#include "tools/peal/top/messages.h"
#include "tools/peal/top/page.h"
#include "tools/peal/top/state.h"

struct top_face {
    struct top_page page;
    struct top_grid grid; /* of the view, arranged */
    struct top_layout layout;
    int rows; /* of the grid that have room */
};

void top_face_free(struct top_face *face);

/* Fills the grid of a view. False: the topic is not there. */
bool top_face_fill(struct top_grid *grid, const struct top_state *state,
                   const struct top_scene *scene);

/* Composes face->page. What the state cannot have (a row beyond the last) is put right. */
void top_face_compose(struct top_face *face, struct top_state *state, const struct top_scene *scene,
                      const struct top_messages *messages, int width, int height);

#endif
