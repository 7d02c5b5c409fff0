/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a recording: topics, publishers, how many messages, how long, what was lost. */
#ifndef PEAL_TOOLS_PEAL_RECORD_CONTENTS_H
#define PEAL_TOOLS_PEAL_RECORD_CONTENTS_H

#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/record/topic_map.h"

/* For people, or with --json. Topics under the names that they would be published by. */
void contents_print(const char *path, struct mcap_reader *reader, const struct topic_map *map);

#endif
