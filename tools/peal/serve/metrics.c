/* SPDX-License-Identifier: Apache-2.0 */
/* peal metrics: the counters of a bus for Prometheus, once or over HTTP. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/serve/exposition.h"
#include "tools/peal/serve/http.h"

#include <stdlib.h>

static struct listen_place place;
static bool all;

static const struct option_entry options[] = {
    {.name = "listen",
     .letter = 'l',
     .value = "[ADDR:]PORT",
     .help = "serve /metrics over HTTP; without ADDR on 127.0.0.1 only; port 0: any",
     .read = listen_read,
     .to = &place},
    {.name = "host",
     .value = "NAME",
     .help = "another name that this machine is asked by",
     .read = option_text,
     .to = &place.also_host},
    {.name = "all",
     .letter = 'a',
     .help = "of all buses that this machine has",
     .read = option_switch,
     .to = &all},
    {0},
};

/* ---- once ---- */

static struct http_body make(void *context)
{
    struct http_body body = {.content_type = EXPOSITION_CONTENT_TYPE};
    char *text = NULL;
    FILE *to = open_memstream(&text, &body.size_bytes);
    if (!to)
        return body;
    exposition_write(to, context);
    const bool failed = ferror(to) != 0;
    if (fclose(to) == 0 && !failed)
        body.data = text;
    else
        free(text);
    return body;
}

/* Of one bus the answer says whether it could be looked at. With all, one that others have spoilt is theirs to mend: it is
 * told, and does not fail a script that asks for the rest. */
static int tell_trouble(const struct scene *scene, enum peal_status listed)
{
    if (listed != PEAL_OK)
        return fail_peal(listed, "cannot look for regions");
    if (scene->url && scene->buses[0]->status != PEAL_OK)
        return fail_peal(scene->buses[0]->status, "cannot look at %s", scene->url);
    for (size_t i = 0; i < scene->count; i++)
        if (scene->buses[i]->status != PEAL_OK)
            (void)fail_status(scene->buses[i]->status, "cannot look at %s", scene->buses[i]->url);
    return EXIT_DONE;
}

static int print_once(struct scene *scene)
{
    const enum peal_status listed = scene_look(scene);
    const struct http_body body = make(scene);
    if (!body.data)
        return fail(EXIT_FAILED, "there is not enough memory");
    print_bytes(body.data, body.size_bytes);
    free(body.data);
    const int code = output_flush();
    return code != EXIT_DONE ? code : tell_trouble(scene, listed);
}

/* ---- served ---- */

static struct http_body look_and_make(void *context)
{
    (void)scene_look(context);
    return make(context);
}

static int serve(struct scene *scene)
{
    static const struct http_page pages[] = {{"/metrics", look_and_make}, {NULL, NULL}};
    const enum peal_status listed = scene_look(scene);
    for (size_t i = 0; i < scene->count; i++)
        if (scene->buses[i]->status == PEAL_EINVAL || scene->buses[i]->status == PEAL_ENOTSUP)
            return tell_trouble(scene, listed); /* it will never be there */
    (void)tell_trouble(scene, listed);
    return http_serve(&place, pages, scene);
}

static int metrics_run(char **operands, size_t count)
{
    struct scene scene;
    const char *url = NULL;
    (void)operands;
    (void)count;
    if (all && common.bus)
        return fail(EXIT_USAGE, "--all or --bus, not both");
    if (place.also_host && !listen_is_set(&place))
        return fail(EXIT_USAGE, "--host goes with --listen");
    const int code = all ? EXIT_DONE : common_url(&url);
    if (code != EXIT_DONE)
        return code;
    scene_init(&scene, url);
    const int done = listen_is_set(&place) ? serve(&scene) : print_once(&scene);
    scene_free(&scene);
    return done;
}

const struct command command_metrics = {
    .name = "metrics",
    .operands = "",
    .summary = "print or serve all counters, for Prometheus",
    .details =
        "  peal metrics                    prints them once, as for a textfile collector\n"
        "  peal metrics --all --listen 9464\n"
        "                                  serves http://127.0.0.1:9464/metrics until Ctrl-C\n"
        "A bus that cannot be looked at has peal_up 0. Only this machine reaches 127.0.0.1; for\n"
        "others say --listen 0.0.0.0:9464. docs/reference/metrics.md tells each metric.",
    .options = options,
    .run = metrics_run,
};
