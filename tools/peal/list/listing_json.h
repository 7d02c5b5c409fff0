/* SPDX-License-Identifier: Apache-2.0 */
/* What ls and info show, for programs. Times are ages, for the clocks in a region are their writers'; what is not known is null. */
#ifndef PEAL_TOOLS_PEAL_LIST_LISTING_JSON_H
#define PEAL_TOOLS_PEAL_LIST_LISTING_JSON_H

#include "tools/peal/kit/output.h"
#include "tools/peal/list/looks.h"
#include "tools/peal/look/pattern.h"

json_t *region_json(const struct looks *looks);

json_t *clients_json(const struct snapshot *snapshot);
json_t *client_json(const struct snapshot *snapshot, const struct snapshot_client *client);

/* Those that are meant; `with_people`: and who takes part in each. */
json_t *topics_json(const struct looks *looks, const struct patterns *patterns, bool with_people);
json_t *topic_json(const struct looks *looks, const struct snapshot_topic *topic, bool with_people);

#endif
