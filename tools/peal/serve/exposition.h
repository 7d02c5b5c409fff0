/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text exposition format, version 0.0.4: for each metric of the table its HELP and TYPE lines, whether there is
 * one or not, and all its samples together. No series comes twice, whatever a hostile peer calls its topics.
 */
#ifndef PEAL_TOOLS_PEAL_SERVE_EXPOSITION_H
#define PEAL_TOOLS_PEAL_SERVE_EXPOSITION_H

#include "tools/peal/serve/scene.h"

#include <stdio.h>

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* As the scene was when it was last looked at. */
void exposition_write(FILE *to, const struct scene *scene);

/* The value of a label, without the quotes. For tests. */
void exposition_write_escaped(FILE *to, const char *text);

#endif
