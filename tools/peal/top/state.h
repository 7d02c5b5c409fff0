/* SPDX-License-Identifier: Apache-2.0 */
/* What the user has made of the screen with his keys: which view, which row, in what order, what is left out. */
#ifndef PEAL_TOOLS_PEAL_TOP_STATE_H
#define PEAL_TOOLS_PEAL_TOP_STATE_H

#include "tools/peal/top/lists.h"

/* Keys that are no characters. Characters are their code points. */
enum top_key {
    TOP_KEY_NONE = 0,
    TOP_KEY_TAB = '\t',
    TOP_KEY_ENTER = '\n',
    TOP_KEY_ESCAPE = 27,
    TOP_KEY_UP = 0x110000,
    TOP_KEY_DOWN,
    TOP_KEY_LEFT,
    TOP_KEY_RIGHT,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_BACKSPACE,
    TOP_KEY_RESIZE,
    TOP_KEY_GONE, /* there will be none any more */
};

enum top_dump { TOP_DUMP_AUTO = 0, TOP_DUMP_TEXT, TOP_DUMP_HEX };

/* Of one list. */
struct top_choice {
    int sort; /* a column; -1: as they come */
    bool descending;
    char filter[TOP_TEXT_BYTES];
    bool chosen; /* the user has moved to a row: it is followed wherever it goes */
    uint64_t id; /* of that row */
    int at;      /* where the mark is */
    int first;   /* the first row on the screen */
};

struct top_state {
    enum top_list view;
    struct top_choice choices[TOP_LISTS];
    uint64_t topic_id; /* in TOP_LIST_PARTS */
    char topic_name[TOP_TEXT_BYTES];
    int scrolled; /* lines of messages that are above the screen */
    enum top_dump dump;
    bool editing; /* keys go to the filter */
    bool help;
    bool paused;
    bool quit;
    uint64_t interval_ns;
};

#define TOP_INTERVAL_MIN_NS UINT64_C(1000000)
#define TOP_INTERVAL_MAX_NS UINT64_C(3600000000000)

void top_state_begin(struct top_state *state, enum top_list view, uint64_t interval_ns);

static inline struct top_choice *top_state_choice(struct top_state *state)
{
    return &state->choices[state->view];
}

/* Shows one topic. */
void top_state_open(struct top_state *state, uint64_t topic_id, const char *name);

/* Sorts by a column, in the direction that is of use for it: texts upwards, figures downwards. */
void top_choice_sort(struct top_choice *choice, const struct top_column *columns, int sort);

/* Sets the mark on the row that was chosen, and scrolls so that it is seen. `grid` is arranged. */
void top_choice_follow(struct top_choice *choice, const struct top_grid *grid, int rows);

/*
 * A key is pressed while `grid`, arranged, is shown in so many rows, its columns laid out as told. True: it meant something.
 */
bool top_state_key(struct top_state *state, uint32_t key, const struct top_grid *grid, int rows,
                   const struct top_layout *layout);

#endif
