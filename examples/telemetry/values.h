/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a message as one line of text. */
#ifndef EXAMPLES_TELEMETRY_VALUES_H
#define EXAMPLES_TELEMETRY_VALUES_H

#include "telemetry/messages.h"

/* Cut to `text_bytes` if need be. The message may hold anything; its size was checked. */
void values_format(enum telemetry_kind kind, const union telemetry_message *message, char *text,
                   size_t text_bytes);

#endif
