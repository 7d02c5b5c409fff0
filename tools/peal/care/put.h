/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON objects, in a line each. */
#ifndef PEAL_TOOLS_PEAL_CARE_PUT_H
#define PEAL_TOOLS_PEAL_CARE_PUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void put_number(json_t *object, const char *key, uint64_t value);
void put_bool(json_t *object, const char *key, bool value);
void put_hex(json_t *object, const char *key, uint64_t value); /* 64 bits, as text */
void put_text(json_t *object, const char *key, const char *text);

#endif
