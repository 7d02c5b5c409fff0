/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of an MCAP file are UTF-8. */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_TEXT_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_TEXT_H

#include "tools/peal/mcap/mcap_records.h"

#include <stdbool.h>

/* Well-formed UTF-8 without a NUL. */
bool mcap_text_valid(struct mcap_span text);

/* A copy with a NUL behind it; NULL without memory. */
char *mcap_text_copy(struct mcap_span text);

#endif
