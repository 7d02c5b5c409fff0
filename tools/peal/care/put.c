/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/put.h"

#include <inttypes.h>
#include <stdio.h>

void put_number(json_t *object, const char *key, uint64_t value)
{
    /* Integers of JSON are signed here. Who counts more than these lies. */
    (void)json_object_set_new(object, key,
                              value <= INT64_MAX ? json_integer((json_int_t)value)
                                                 : json_real((double)value));
}

void put_bool(json_t *object, const char *key, bool value)
{
    (void)json_object_set_new(object, key, json_boolean(value));
}

void put_hex(json_t *object, const char *key, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%016" PRIx64, value);
    put_text(object, key, text);
}

void put_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);
    (void)json_object_set_new(object, key, value ? value : json_string("?")); /* not UTF-8 */
}
