/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small web server, by libmicrohttpd: some pages that are read and never written, for any number of readers at once. Each
 * page is made anew when it is asked for, in one thread of the server's own.
 */
#ifndef PEAL_TOOLS_PEAL_SERVE_HTTP_H
#define PEAL_TOOLS_PEAL_SERVE_HTTP_H

#include "tools/peal/serve/listen.h"

#include <stddef.h>

struct http_body {
    const char *content_type;
    void *data; /* from malloc(): freed by who gets it; NULL: there is no memory */
    size_t size_bytes;
};

struct http_page {
    const char *path; /* NULL ends a table */
    /* Called by one thread at a time. */
    struct http_body (*make)(void *context);
};

/*
 * Serves the pages until stop is requested; says on stderr where. The first page is the one that is named there. Answers
 * the exit code, why having been told.
 */
int http_serve(const struct listen_place *place, const struct http_page *pages, void *context);

#endif
