/* SPDX-License-Identifier: Apache-2.0 */
/* All that is known of a topic or queue, for people. */
#ifndef PEAL_TOOLS_PEAL_LIST_TOPIC_DETAILS_H
#define PEAL_TOOLS_PEAL_LIST_TOPIC_DETAILS_H

#include "tools/peal/list/looks.h"

void topic_details_print(const struct looks *looks, const struct snapshot_topic *topic);

#endif
