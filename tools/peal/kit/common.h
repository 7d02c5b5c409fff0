/* SPDX-License-Identifier: Apache-2.0 */
/* The options that every command has, and what most begin with: which bus is meant? */
#ifndef PEAL_TOOLS_PEAL_KIT_COMMON_H
#define PEAL_TOOLS_PEAL_KIT_COMMON_H

#include "tools/peal/kit/option.h"

#include <peal/bus.h>
#include <peal/observer.h>

struct common {
    const char *bus; /* --bus, else PEAL_BUS, else NULL */
    bool json;
    bool help;
    bool version;
    unsigned color; /* enum color_when */
};

extern struct common common;
extern const struct option_entry common_options[];
extern const struct option_entry common_json_option[];

/*
 * The bus that is meant: --bus, else PEAL_BUS, else the only region there is on this machine. Otherwise *url is NULL, and the
 * answer is the exit code, why having been told. The text stays valid.
 */
int common_url(const char **url);

/* A bus is named: by --bus or PEAL_BUS. */
bool common_bus_is_named(void);

/* Looks, without taking part. Answers EXIT_DONE, or the exit code, why having been told. */
int common_observe(struct peal_observer **observer);

/*
 * Takes part, as client "peal COMMAND". With `make` the region is made if there is none, and that is told on stderr; without,
 * that is EXIT_NOT_FOUND. Answers as common_observe().
 */
int common_open(struct peal_bus **bus, bool make);

#endif
