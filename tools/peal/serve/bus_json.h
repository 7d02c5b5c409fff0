/* SPDX-License-Identifier: Apache-2.0 */
/* A bus as `peal web` tells it to its page: everything that was seen, in base units. */
#ifndef PEAL_TOOLS_PEAL_SERVE_BUS_JSON_H
#define PEAL_TOOLS_PEAL_SERVE_BUS_JSON_H

#include "tools/peal/serve/scene.h"

#include <jansson.h>

/* A page that lives for hours cannot remember more. */
#define BUS_JSON_TOPICS_MAX 500

/* As it was when it was last looked at. The caller's reference; NULL: no memory. */
json_t *bus_json(const struct scene_bus *bus);

#endif
