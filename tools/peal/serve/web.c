/* SPDX-License-Identifier: Apache-2.0 */
/* peal web: a page with live charts of a bus. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/serve/bus_json.h"
#include "tools/peal/serve/http.h"
#include "tools/peal/serve/page_files.h"

#include <stdlib.h>
#include <string.h>

static struct listen_place place;

static const struct option_entry options[] = {
    {.name = "listen",
     .letter = 'l',
     .value = "[ADDR:]PORT",
     .help = "default 8428; without ADDR on 127.0.0.1 only; port 0: any",
     .read = listen_read,
     .to = &place},
    {.name = "host",
     .value = "NAME",
     .help = "another name that this machine is asked by",
     .read = option_text,
     .to = &place.also_host},
    {0},
};

/* ---- pages ---- */

static struct http_body file_body(const char *name, const char *content_type)
{
    struct http_body body = {.content_type = content_type};
    for (const struct page_file *file = page_files; file->name; file++) {
        if (strcmp(file->name, name) != 0)
            continue;
        body.data = memory_zeroed(1, file->size_bytes);
        body.size_bytes = file->size_bytes;
        memcpy(body.data, file->data, file->size_bytes);
    }
    return body;
}

#define JAVASCRIPT "text/javascript; charset=utf-8"
#define FILE_PAGE(function, name, content_type)                                                    \
    static struct http_body function(void *context)                                                \
    {                                                                                              \
        (void)context;                                                                             \
        return file_body(name, content_type);                                                      \
    }
FILE_PAGE(index_html, "index.html", "text/html; charset=utf-8")
FILE_PAGE(page_css, "page.css", "text/css; charset=utf-8")
FILE_PAGE(page_js, "page.js", JAVASCRIPT)
FILE_PAGE(chart_js, "chart.js", JAVASCRIPT)
FILE_PAGE(model_js, "model.js", JAVASCRIPT)
FILE_PAGE(units_js, "units.js", JAVASCRIPT)

static struct http_body snapshot_json(void *context)
{
    struct scene *scene = context;
    struct http_body body = {.content_type = "application/json"};
    (void)scene_look(scene);
    json_t *json = bus_json(scene->buses[0]);
    body.data = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(json);
    body.size_bytes = body.data ? strlen(body.data) : 0;
    return body;
}

static const struct http_page pages[] = {
    {"/", index_html},
    {"/page.css", page_css},
    {"/page.js", page_js},
    {"/chart.js", chart_js},
    {"/model.js", model_js},
    {"/units.js", units_js},
    {"/api/snapshot", snapshot_json},
    {NULL, NULL},
};

static int web_run(char **operands, size_t count)
{
    struct scene scene;
    const char *url;
    (void)operands;
    (void)count;
    int code = common_url(&url);
    if (code != EXIT_DONE)
        return code;
    if (!listen_is_set(&place))
        (void)listen_parse("8428", &place);
    scene_init(&scene, url);
    (void)scene_look(&scene);
    const enum peal_status status = scene.buses[0]->status;
    if (status != PEAL_OK)
        code = fail_peal(status, "cannot look at %s", url);
    /* One that is not there yet may come; one that cannot be never will. */
    if (status != PEAL_EINVAL && status != PEAL_ENOTSUP)
        code = http_serve(&place, pages, &scene);
    scene_free(&scene);
    return code;
}

const struct command command_web = {
    .name = "web",
    .operands = "",
    .summary = "show live charts of a bus in a web browser",
    .details =
        "Serves http://127.0.0.1:8428/ until Ctrl-C: rates, bandwidth, lag and losses of each\n"
        "topic, and who takes part. Only this machine reaches it; for others say\n"
        "--listen 0.0.0.0:8428. It looks, and changes nothing.",
    .options = options,
    .run = web_run,
};
