/* SPDX-License-Identifier: Apache-2.0 */
#include "core/audit.h"

#include "core/client.h"
#include "core/error.h"
#include "core/owner.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Enough for every pair of two thousand topics. */
#define NAME_LOOKS (UINT64_C(1) << 21)

static enum peal_audit_life life_of(struct peal_audit_walk *walk, uint64_t word)
{
    if (!walk->members_known)
        return PEAL_AUDIT_UNKNOWN;
    if (!peal_region_is_dead_by(&walk->region, word, walk->members))
        return PEAL_AUDIT_ALIVE;
    /* It may have come after the first answer. */
    if (walk->authority) {
        walk->members = peal_authority_members(walk->authority);
        if (!peal_region_is_dead_by(&walk->region, word, walk->members))
            return PEAL_AUDIT_ALIVE;
    }
    return PEAL_AUDIT_DEAD;
}

struct peal_audit_item peal_audit_item_of(struct peal_audit_walk *walk, enum peal_audit_kind kind,
                                          uint64_t word, bool is_held)
{
    struct peal_owner owner = peal_owner_unpack(word);
    struct peal_audit_item item = {
        .struct_bytes = sizeof(item),
        .kind = kind,
        .object = PEAL_AUDIT_NO_OBJECT,
        .state = owner.state,
        .state_text = "",
        .name = "",
        .type_name = "",
        .life = PEAL_AUDIT_NOBODY,
    };
    if (is_held) {
        item.life = life_of(walk, word);
        item.client = owner.client;
        item.incarnation = owner.incarnation;
    }
    return item;
}

void peal_audit_show(struct peal_audit_walk *walk, const struct peal_audit_item *item)
{
    if (walk->options->item)
        walk->options->item(walk->options->context, item);
}

void peal_audit_judge(struct peal_audit_verdict *verdict, enum peal_audit_severity severity,
                      const char *format, ...)
{
    if (verdict->is_wrong && verdict->severity >= severity)
        return;
    verdict->is_wrong = true;
    verdict->severity = severity;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
    va_end(arguments);
}

/* "lane 3 of topic 1 'wheel' of dead client 2 (incarnation 1a2b): ..." */
static void write_text(struct peal_audit_walk *walk, const struct peal_audit_item *item,
                       const char *what)
{
    static const char *const kinds[] = {"region", "client", "topic",  "subscriber",
                                        "lane",   "slots",  "reader", "pages"};
    static const char *const lives[] = {"nobody's", "client", "dead client", "client"};
    char place[96];
    char owner[64] = "";
    if (item->kind == PEAL_AUDIT_TOPIC)
        (void)snprintf(place, sizeof(place), "topic %" PRIu32 " '%.40s'", item->object, item->name);
    else if (item->kind == PEAL_AUDIT_PAGES)
        (void)snprintf(place, sizeof(place), "pages %" PRIu64 " +%" PRIu64, item->span.first,
                       item->span.count);
    else if (item->object != PEAL_AUDIT_NO_OBJECT)
        (void)snprintf(place, sizeof(place), "%s %" PRIu32 " of topic %" PRIu32, kinds[item->kind],
                       item->index, item->object);
    else
        (void)snprintf(place, sizeof(place), "%s %" PRIu32, kinds[item->kind], item->index);
    if (item->life != PEAL_AUDIT_NOBODY)
        (void)snprintf(owner, sizeof(owner), " of %s %" PRIu32 " (incarnation %08" PRIx32 ")",
                       lives[item->life], item->client, item->incarnation);
    (void)snprintf(walk->text, sizeof(walk->text), "%s%s: %s", place, owner, what);
    peal_text_clean(walk->text); /* a name may have been cut within a character */
}

void peal_audit_report(struct peal_audit_walk *walk, const struct peal_audit_item *item,
                       const struct peal_audit_verdict *verdict)
{
    if (!verdict->is_wrong)
        return;
    struct peal_audit *audit = walk->audit;
    audit->findings[verdict->severity]++;
    write_text(walk, item, verdict->text);
    if (!audit->first[0] || verdict->severity > walk->worst) {
        walk->worst = verdict->severity;
        (void)snprintf(audit->first, sizeof(audit->first), "%.255s", walk->text);
        peal_text_clean(audit->first);
    }
    const struct peal_audit_finding finding = {
        .struct_bytes = sizeof(finding),
        .severity = verdict->severity,
        .item = item,
        .text = walk->text,
    };
    if (walk->options->finding)
        walk->options->finding(walk->options->context, &finding);
}

void peal_audit_unsettled(struct peal_audit_walk *walk, const struct peal_audit_item *item)
{
    struct peal_audit_verdict verdict = {0};
    peal_audit_judge(&verdict, PEAL_AUDIT_UNSETTLED, "it kept changing");
    peal_audit_report(walk, item, &verdict);
}

/* Judges client entry `index` under `word`. */
static void judge_client(struct peal_audit_walk *walk, uint64_t word, uint64_t incarnation,
                         const struct peal_audit_item *item, struct peal_audit_verdict *verdict)
{
    struct peal_owner owner = peal_owner_unpack(word);
    (void)walk;
    if (owner.state != PEAL_CLIENT_ACTIVE || owner.client != item->index)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "its owner word %016" PRIx64 " is impossible",
                         word);
    else if (item->life == PEAL_AUDIT_DEAD)
        peal_audit_judge(verdict, PEAL_AUDIT_REMAINS, "its entry was not cleared");
    else if ((uint32_t)incarnation != owner.incarnation)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT,
                         "its incarnation %016" PRIx64 " contradicts its owner word", incarnation);
}

static void audit_client(struct peal_audit_walk *walk, uint32_t index)
{
    const peal_u64 *shared = &walk->region.clients[index].owner;
    struct peal_audit_item item = {0};
    for (uint32_t look = 0; look < PEAL_AUDIT_LOOKS; look++) {
        uint64_t word = peal_owner_load(shared);
        bool is_held = peal_owner_state(word) != PEAL_CLIENT_FREE;
        struct peal_client_view view;
        struct peal_audit_verdict verdict = {0};
        peal_client_view(&walk->region, index, &view);
        peal_text_clean(view.name);
        item = peal_audit_item_of(walk, PEAL_AUDIT_CLIENT, word, is_held);
        item.index = index;
        item.name = view.name;
        item.state_text = is_held ? "active" : "free";
        if (is_held)
            judge_client(walk, word, view.incarnation, &item, &verdict);
        if (peal_owner_load(shared) != word)
            continue;
        if (!is_held)
            return;
        walk->audit->clients++;
        peal_audit_show(walk, &item);
        peal_audit_report(walk, &item, &verdict);
        return;
    }
    item.name = "";
    peal_audit_unsettled(walk, &item);
}

static void audit_header(struct peal_audit_walk *walk)
{
    const struct peal_region *region = &walk->region;
    struct peal_audit *audit = walk->audit;
    audit->generation = region->generation;
    audit->region_bytes = region->size_bytes;
    audit->topics_max = region->topics_max;
    audit->pages = region->page_count - region->first_data_page;
    /* relaxed: a bit is on its way at any time */
    audit->armed = peal_u64_load_relaxed(&region->header->sleepers.armed);
    struct peal_audit_item item = peal_audit_item_of(walk, PEAL_AUDIT_REGION, 0, false);
    item.state = PEAL_REGION_READY;
    item.state_text = "ready";
    item.span = (struct peal_audit_span){0, region->size_bytes};
    peal_audit_show(walk, &item);
}

enum peal_status peal_audit_walk_region(const void *memory, uint64_t size_bytes,
                                        const struct peal_audit_options *options,
                                        const struct peal_authority *authority,
                                        struct peal_audit *audit)
{
    struct peal_audit_walk walk = {
        .authority = authority,
        .members_known = authority || options->members_known,
        .members = authority ? peal_authority_members(authority) : options->members,
        .options = options,
        .audit = audit,
        .name_looks_left = NAME_LOOKS,
    };
    enum peal_status status = peal_region_look(&walk.region, memory, size_bytes);
    if (status != PEAL_OK)
        return status;
    /* Honest lanes do not overlap, and each is looked at a few times at most. */
    walk.page_looks_left = 2u * PEAL_AUDIT_LOOKS * (uint64_t)walk.region.page_count;
    audit_header(&walk);
    for (uint32_t i = 0; i < PEAL_CLIENTS_MAX; i++)
        audit_client(&walk, i);
    peal_audit_topics(&walk);
    peal_audit_pages(&walk);
    return PEAL_OK;
}
