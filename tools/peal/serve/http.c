/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/http.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64u
#define IDLE_S 15u

struct server {
    struct listen_place place;
    const struct http_page *pages;
    void *context;
};

/* What a browser is told with every answer: run nothing that is not ours, show us in nobody's frame, guess no types. */
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

/* Takes the data. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code,
                              struct http_body body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size_bytes, body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(body.data);
        return MHD_NO;
    }
    enum MHD_Result queued =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, body.content_type);
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES)
            queued = MHD_NO;
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") != MHD_YES)
        queued = MHD_NO;
    if (queued == MHD_YES)
        queued = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned code, const char *why)
{
    struct http_body body = {"text/plain; charset=utf-8", strdup(why), strlen(why)};
    return body.data ? answer(connection, code, body) : MHD_NO;
}

static const struct http_page *page_at(const struct server *server, const char *path)
{
    for (const struct http_page *page = server->pages; page->path; page++)
        if (strcmp(page->path, path) == 0)
            return page;
    return NULL;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **request)
{
    const struct server *server = context;
    static int seen;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    if (!*request) { /* the headers are there; answered at once, for nobody's upload is wanted */
        *request = &seen;
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
            return MHD_YES;
    }
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    if (!listen_host_is_ours(&server->place, host))
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "This server does not go by that name. Use localhost, the address that it "
                      "listens on, or start it with --host NAME.\n");
    const struct http_page *page = page_at(server, path);
    if (!page)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "There is no such page.\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
    const struct http_body body = page->make(server->context);
    if (!body.data)
        return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "Not enough memory.\n");
    return answer(connection, MHD_HTTP_OK, body);
}

/* Readers that go away in the middle are nobody's business. */
static void on_log(void *context, const char *format, va_list arguments)
{
    (void)context;
    (void)format;
    (void)arguments;
}

static struct MHD_Daemon *start(struct server *server, int fd)
{
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ERROR_LOG, 0,
                            NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log,
                            NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                            CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
}

int http_serve(const struct listen_place *place, const struct http_page *pages, void *context)
{
    struct server server = {*place, pages, context};
    struct listen_text text;
    const int fd = listen_open(&server.place);
    if (fd < 0)
        return fail(fail_errno_code(errno), "cannot listen on %s: %s; choose another with --listen",
                    listen_print(place, &text), strerror(errno));
    if (listen_is_public(&server.place))
        note("%s is reached from other machines, and whoever reaches it sees the bus; there is no "
             "password",
             listen_print(&server.place, &text));
    struct MHD_Daemon *daemon = start(&server, fd);
    if (!daemon) {
        (void)close(fd);
        return fail(EXIT_FAILED, "cannot start the web server; are there too many open files?");
    }
    note("listening on http://%s%s", listen_print(&server.place, &text), pages[0].path);
    struct pollfd wait = {.fd = stop_fd(), .events = POLLIN};
    while (!stop_requested())
        (void)poll(&wait, 1, -1);
    MHD_stop_daemon(daemon);
    return EXIT_DONE;
}
