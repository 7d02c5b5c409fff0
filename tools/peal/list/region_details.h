/* SPDX-License-Identifier: Apache-2.0 */
/* A region and its clients, for people. */
#ifndef PEAL_TOOLS_PEAL_LIST_REGION_DETAILS_H
#define PEAL_TOOLS_PEAL_LIST_REGION_DETAILS_H

#include "tools/peal/look/snapshot.h"

void region_details_print(const struct snapshot *snapshot, const char *url);

#endif
