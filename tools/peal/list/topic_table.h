/* SPDX-License-Identifier: Apache-2.0 */
/* The topics and queues of a bus as a table, a row each, and in the long form a row for each who takes part. */
#ifndef PEAL_TOOLS_PEAL_LIST_TOPIC_TABLE_H
#define PEAL_TOOLS_PEAL_LIST_TOPIC_TABLE_H

#include "tools/peal/list/looks.h"
#include "tools/peal/look/pattern.h"

void topic_table_print(const struct looks *looks, const struct patterns *patterns, bool is_long);

#endif
