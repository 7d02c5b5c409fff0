/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of an audit, and what its parts share: core/audit.c (region, clients, findings),
 * core/audit_topic.c, core/audit_lane.c, core/audit_pages.c. The words are those of peal/audit.h.
 *
 * Each thing is judged under its owner word: read the word, judge, read the word again. If it has moved
 * the judgement is thrown away and made anew, PEAL_AUDIT_LOOKS times at most. So an honest client that
 * is at work is never a finding, and a hostile one that flickers costs a bounded number of steps.
 */
#ifndef PEAL_CORE_AUDIT_H
#define PEAL_CORE_AUDIT_H

#include "core/region.h"

#include <peal/audit.h>

#define PEAL_AUDIT_LOOKS 4u
#define PEAL_AUDIT_NO_OBJECT UINT32_MAX

struct peal_audit_walk {
    struct peal_region region; /* only looked at; belongs to nobody: its index is no client's */
    const struct peal_authority *authority; /* NULL: `members` is all that is known */
    bool members_known;
    uint64_t members; /* as of the beginning */
    const struct peal_audit_options *options;
    struct peal_audit *audit;
    enum peal_audit_severity worst;
    uint64_t page_looks_left; /* bound of all looks at the pages of lanes */
    uint64_t name_looks_left; /* bound of all comparisons of names */
    char text[320];
};

/* The first thing that is wrong with an item, before it is known whether the item held still. */
struct peal_audit_verdict {
    bool is_wrong;
    enum peal_audit_severity severity;
    char text[128];
};

/* `options` not NULL; *audit is zeroed but for its size. `authority`: asked anew about who seems dead;
 * may be NULL. OK, EFORMAT, EINVAL. */
enum peal_status peal_audit_walk_region(const void *memory, uint64_t size_bytes,
                                        const struct peal_audit_options *options,
                                        const struct peal_authority *authority,
                                        struct peal_audit *audit);

/* The parts. */
void peal_audit_topics(struct peal_audit_walk *walk);
void peal_audit_lane(struct peal_audit_walk *walk, uint32_t topic, uint32_t lane);
void peal_audit_pages(struct peal_audit_walk *walk);

/* An item of `kind` with the owner that `word` names. `is_held`: not free. */
struct peal_audit_item peal_audit_item_of(struct peal_audit_walk *walk, enum peal_audit_kind kind,
                                          uint64_t word, bool is_held);

void peal_audit_show(struct peal_audit_walk *walk, const struct peal_audit_item *item);

/* Notes in *verdict what is wrong, unless something as bad is noted already. */
void peal_audit_judge(struct peal_audit_verdict *verdict, enum peal_audit_severity severity,
                      const char *format, ...) PEAL_PRINTF(3, 4);

/* Reports a verdict about the item, if anything is wrong. */
void peal_audit_report(struct peal_audit_walk *walk, const struct peal_audit_item *item,
                       const struct peal_audit_verdict *verdict);

/* For a thing whose word never rested. */
void peal_audit_unsettled(struct peal_audit_walk *walk, const struct peal_audit_item *item);

#endif
