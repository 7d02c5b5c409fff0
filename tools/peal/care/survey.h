/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an audit told, kept: its figures, its findings, and who owns what. Items are kept only if they are wanted, for there
 * may be as many as a region has pages.
 */
#ifndef PEAL_TOOLS_PEAL_CARE_SURVEY_H
#define PEAL_TOOLS_PEAL_CARE_SURVEY_H

#include "tools/peal/look/watch.h"

#include <peal/audit.h>

#define SURVEY_NAME_BYTES 64
#define SURVEY_TEXT_BYTES 512
#define SURVEY_FINDINGS_MAX 4096u /* told one by one; a spoilt region may have as many as words */

struct survey_item {
    struct peal_audit_item seen; /* its texts point into what follows */
    char name[SURVEY_NAME_BYTES];
    char type_name[SURVEY_NAME_BYTES];
};

struct survey_finding {
    enum peal_audit_severity severity;
    enum peal_audit_kind kind;
    uint32_t object;
    uint32_t index;
    bool is_old; /* it was there in the look before, too */
    char text[SURVEY_TEXT_BYTES];
};

/* A client, as owner. One that has gone is another than who has its index now. */
struct survey_owner {
    uint32_t client;
    uint32_t incarnation;
    enum peal_audit_life life;
    bool has_entry; /* in the client table; then it has a name */
    char name[SURVEY_NAME_BYTES];
    uint64_t subscribers;
    uint64_t lanes;
    uint64_t pages; /* by the page map */
};

struct survey {
    struct peal_audit audit;
    bool wants_items;
    struct survey_item *items;
    size_t item_count;
    size_t item_room;
    struct survey_finding *findings;
    size_t finding_count;
    size_t finding_room;
    struct survey_owner *owners; /* by index, the living before the dead */
    size_t owner_count;
    size_t owner_room;
};

/* Walks the region that the watch has open; as peal_observer_audit(), ECORRUPT if it was cut short. What was kept before goes. */
enum peal_status survey_take(struct survey *survey, struct watch *watch);

/* Marks the findings that `before` has as well. */
void survey_compare(struct survey *survey, const struct survey *before);

/* How many findings of this severity; with `only_old` such as have been marked. */
uint64_t survey_count(const struct survey *survey, enum peal_audit_severity severity,
                      bool only_old);

void survey_free(struct survey *survey);

/* "unsettled", "remains", "lost", "corrupt"; and what an item is: "region", "client", ... */
const char *survey_severity_text(enum peal_audit_severity severity);
const char *survey_kind_text(enum peal_audit_kind kind);

#endif
