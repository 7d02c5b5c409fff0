/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys do and what the columns mean. */
#ifndef PEAL_TOOLS_PEAL_TOP_HELP_H
#define PEAL_TOOLS_PEAL_TOP_HELP_H

#include "tools/peal/top/page.h"

/* As much of it as there is room for. */
void top_help_draw(struct top_page *page);

#endif
