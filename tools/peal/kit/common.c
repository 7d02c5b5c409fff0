/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/common.h"

#include "tools/peal/kit/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct common common;

const struct option_entry common_options[] = {
    {.name = "bus",
     .letter = 'b',
     .value = "URL",
     .help = "which bus, as posix:vehicle; default: PEAL_BUS, else the only one",
     .read = option_text,
     .to = &common.bus,
     .completes = COMPLETES_BUS},
    {.name = "color",
     .value = "WHEN",
     .help = "when to use colours",
     .choices = "auto always never",
     .to = &common.color},
    {.name = "help", .letter = 'h', .help = "show this", .read = option_switch, .to = &common.help},
    {.name = "version", .help = "show the version", .read = option_switch, .to = &common.version},
    {0},
};

const struct option_entry common_json_option[] = {
    {.name = "json",
     .letter = 'j',
     .help = "as JSON, for programs",
     .read = option_switch,
     .to = &common.json},
    {0},
};

/* ---- which bus ---- */

struct found {
    char urls[512]; /* for the message */
    char first[128];
    unsigned count;
};

static void on_region(void *context, const char *url)
{
    struct found *found = context;
    const size_t used = strlen(found->urls);
    if (found->count++ == 0)
        (void)snprintf(found->first, sizeof(found->first), "%s", url);
    (void)snprintf(found->urls + used, sizeof(found->urls) - used, "%s%s", used > 0 ? ", " : "",
                   url);
}

/* NULL: by nobody. */
static const char *named(void)
{
    const char *url = common.bus ? common.bus : getenv("PEAL_BUS");
    return url && url[0] != '\0' ? url : NULL;
}

bool common_bus_is_named(void)
{
    return named() != NULL;
}

int common_url(const char **url)
{
    static struct found found;
    *url = named();
    if (*url)
        return EXIT_DONE;
    found = (struct found){0};
    const enum peal_status status = peal_observer_regions("posix", on_region, &found);
    if (status != PEAL_OK)
        return fail_peal(status, "cannot look for regions; say --bus URL");
    if (found.count == 0)
        return fail(EXIT_NOT_FOUND,
                    "there is no bus on this machine now; say --bus URL, or set PEAL_BUS");
    if (found.count > 1)
        return fail(EXIT_USAGE, "which bus? say --bus URL, or set PEAL_BUS; there are %s",
                    found.urls);
    *url = found.first;
    return EXIT_DONE;
}

/* ---- opening ---- */

int common_observe(struct peal_observer **observer)
{
    const char *url;
    *observer = NULL;
    const int code = common_url(&url);
    if (code != EXIT_DONE)
        return code;
    const enum peal_status status = peal_observer_open(observer, url, NULL);
    return status == PEAL_OK ? EXIT_DONE : fail_peal(status, "cannot look at %s", url);
}

int common_open(struct peal_bus **bus, bool make)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    const char *url;
    *bus = NULL;
    const int code = common_url(&url);
    if (code != EXIT_DONE)
        return code;
    options.client_name = fail_name_now();
    options.must_exist = true;
    enum peal_status status = peal_bus_open(bus, url, &options);
    if (status == PEAL_ENOENT && make) {
        options.must_exist = false;
        status = peal_bus_open(bus, url, &options);
        if (status == PEAL_OK)
            note("there was no %s; made it", url);
    }
    return status == PEAL_OK ? EXIT_DONE : fail_peal(status, "cannot open %s", url);
}
