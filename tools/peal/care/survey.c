/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/survey.h"

#include "tools/peal/kit/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- owners ---- */

static struct survey_owner *owner_of(struct survey *survey, const struct peal_audit_item *item)
{
    for (size_t i = 0; i < survey->owner_count; i++) {
        struct survey_owner *owner = &survey->owners[i];
        if (owner->client == item->client && owner->incarnation == item->incarnation)
            return owner;
    }
    survey->owners = memory_room(survey->owners, survey->owner_count, &survey->owner_room,
                                 sizeof(*survey->owners));
    struct survey_owner *owner = &survey->owners[survey->owner_count++];
    *owner = (struct survey_owner){
        .client = item->client, .incarnation = item->incarnation, .life = item->life};
    return owner;
}

/* A hostile region may name other owners with each page; more than these are nobody's. */
#define OWNERS_MAX 1024u

static void count_item(struct survey *survey, const struct peal_audit_item *item)
{
    if (item->life == PEAL_AUDIT_NOBODY || survey->owner_count >= OWNERS_MAX)
        return;
    switch (item->kind) {
    case PEAL_AUDIT_CLIENT: {
        struct survey_owner *owner = owner_of(survey, item);
        owner->has_entry = true;
        (void)snprintf(owner->name, sizeof(owner->name), "%s", item->name);
        break;
    }
    case PEAL_AUDIT_SUBSCRIBER:
        owner_of(survey, item)->subscribers++;
        break;
    case PEAL_AUDIT_LANE:
        owner_of(survey, item)->lanes++;
        break;
    case PEAL_AUDIT_PAGES:
        owner_of(survey, item)->pages += item->span.count;
        break;
    default:
        break;
    }
}

static int by_index(const void *left, const void *right)
{
    const struct survey_owner *one = left;
    const struct survey_owner *other = right;
    if (one->client != other->client)
        return one->client < other->client ? -1 : 1;
    if (one->life != other->life)
        return one->life < other->life ? -1 : 1;
    return one->incarnation < other->incarnation ? -1 : one->incarnation > other->incarnation;
}

/* ---- what the audit calls ---- */

static void on_item(void *context, const struct peal_audit_item *item)
{
    struct survey *survey = context;
    count_item(survey, item);
    if (!survey->wants_items)
        return;
    survey->items =
        memory_room(survey->items, survey->item_count, &survey->item_room, sizeof(*survey->items));
    struct survey_item *kept = &survey->items[survey->item_count++];
    kept->seen = *item;
    (void)snprintf(kept->name, sizeof(kept->name), "%s", item->name ? item->name : "");
    (void)snprintf(kept->type_name, sizeof(kept->type_name), "%s",
                   item->type_name ? item->type_name : "");
}

static void on_finding(void *context, const struct peal_audit_finding *finding)
{
    struct survey *survey = context;
    if (survey->finding_count >= SURVEY_FINDINGS_MAX)
        return;
    survey->findings = memory_room(survey->findings, survey->finding_count, &survey->finding_room,
                                   sizeof(*survey->findings));
    struct survey_finding *kept = &survey->findings[survey->finding_count++];
    *kept = (struct survey_finding){.severity = finding->severity,
                                    .kind = finding->item->kind,
                                    .object = finding->item->object,
                                    .index = finding->item->index};
    (void)snprintf(kept->text, sizeof(kept->text), "%s", finding->text);
}

static enum peal_status walk(struct peal_observer *observer, void *context)
{
    struct survey *survey = context;
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    options.item = on_item;
    options.finding = on_finding;
    options.context = survey;
    return peal_observer_audit(observer, &options, &survey->audit);
}

enum peal_status survey_take(struct survey *survey, struct watch *watch)
{
    survey->audit = (struct peal_audit){.struct_bytes = sizeof(survey->audit)};
    survey->item_count = 0;
    survey->finding_count = 0;
    survey->owner_count = 0;
    const enum peal_status status = watch_do(watch, walk, survey);
    for (size_t i = 0; i < survey->item_count; i++) { /* the array does not move any more */
        survey->items[i].seen.name = survey->items[i].name;
        survey->items[i].seen.type_name = survey->items[i].type_name;
    }
    if (survey->owner_count > 0)
        qsort(survey->owners, survey->owner_count, sizeof(*survey->owners), by_index);
    return status;
}

/* ---- two looks ---- */

static bool has_finding(const struct survey *survey, const struct survey_finding *finding)
{
    for (size_t i = 0; i < survey->finding_count; i++)
        if (survey->findings[i].severity == finding->severity &&
            strcmp(survey->findings[i].text, finding->text) == 0)
            return true;
    return false;
}

void survey_compare(struct survey *survey, const struct survey *before)
{
    for (size_t i = 0; i < survey->finding_count; i++)
        survey->findings[i].is_old = has_finding(before, &survey->findings[i]);
}

uint64_t survey_count(const struct survey *survey, enum peal_audit_severity severity, bool only_old)
{
    uint64_t count = 0;
    if (!only_old)
        return survey->audit.findings[severity];
    for (size_t i = 0; i < survey->finding_count; i++)
        count += survey->findings[i].severity == severity && survey->findings[i].is_old;
    return count;
}

void survey_free(struct survey *survey)
{
    free(survey->items);
    free(survey->findings);
    free(survey->owners);
    *survey = (struct survey){0};
}

/* ---- words ---- */

const char *survey_severity_text(enum peal_audit_severity severity)
{
    static const char *const texts[PEAL_AUDIT_SEVERITIES] = {"unsettled", "remains", "lost",
                                                             "corrupt"};
    return (unsigned)severity < PEAL_AUDIT_SEVERITIES ? texts[severity] : "?";
}

const char *survey_kind_text(enum peal_audit_kind kind)
{
    static const char *const texts[] = {"region", "client", "topic",  "subscriber",
                                        "lane",   "slots",  "reader", "pages"};
    return (unsigned)kind < sizeof(texts) / sizeof(texts[0]) ? texts[kind] : "?";
}
