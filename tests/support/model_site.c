/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in the source, and the labels of their orders: the last one that a comment gives on the
 * site's own line or on the few before it.
 */
#include "tests/support/model_checker.h"
#include "tests/support/model_seam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_BEFORE 6u
#define LABELS_MAX 64u

int model_mutant;

static struct model_site *sites;
static char labels[LABELS_MAX][16];
static unsigned label_count;
static char weakened[16];

_Noreturn void model_abort(const char *text)
{
    (void)fprintf(stderr, "model: the checker is too small: %s\n", text);
    abort();
}

/* Copies the last "NAME-A1:" of the line to `label`. */
static void find_label(const char *line, char label[16])
{
    for (const char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
        const char *begin = colon;
        while (begin > line && (begin[-1] == '-' || (begin[-1] >= '0' && begin[-1] <= '9') ||
                                (begin[-1] >= 'A' && begin[-1] <= 'Z')))
            begin--;
        const char *dash = memchr(begin, '-', (size_t)(colon - begin));
        size_t length = (size_t)(colon - begin);
        if (!dash || dash == begin || length >= 16 || colon - dash < 3 || !strchr("RAF", dash[1]))
            continue;
        memset(label, 0, 16);
        memcpy(label, begin, length);
    }
}

static void read_label(struct model_site *site)
{
    FILE *file = fopen(site->file, "r");
    char line[512];
    for (unsigned number = 1; file && fgets(line, sizeof(line), file); number++) {
        if (number + LINES_BEFORE < site->line)
            continue;
        if (number > site->line)
            break;
        if (line[0] == '}') /* the end of another function */
            memset(site->label, 0, sizeof(site->label));
        find_label(line, site->label);
    }
    if (file)
        (void)fclose(file);
}

static void know(struct model_site *site)
{
    site->is_known = true;
    site->next = sites;
    sites = site;
    read_label(site);
    site->is_weakened = weakened[0] && strcmp(site->label, weakened) == 0;
}

static void pass(struct model_site *site)
{
    site->is_passed = true;
    for (unsigned i = 0; i < label_count; i++) {
        if (strcmp(labels[i], site->label) == 0)
            return;
    }
    if (site->label[0] && label_count < LABELS_MAX)
        memcpy(labels[label_count++], site->label, sizeof(site->label));
}

enum model_order model_site_order(struct model_site *site, enum model_order order)
{
    if (order == MODEL_RELAXED || !site)
        return order;
    if (!site->is_known)
        know(site);
    if (!site->is_passed && model_is_in_thread())
        pass(site);
    return site->is_weakened ? MODEL_RELAXED : order;
}

void model_forget_labels(void)
{
    label_count = 0;
    for (struct model_site *site = sites; site; site = site->next)
        site->is_passed = false;
}

unsigned model_label_count(void)
{
    return label_count;
}

const char *model_label(unsigned i)
{
    return labels[i];
}

void model_weaken(const char *label)
{
    memset(weakened, 0, sizeof(weakened));
    if (label)
        (void)snprintf(weakened, sizeof(weakened), "%s", label);
    for (struct model_site *site = sites; site; site = site->next)
        site->is_weakened = label && strcmp(site->label, label) == 0;
}
