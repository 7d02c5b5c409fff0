/* SPDX-License-Identifier: Apache-2.0 */
/* An audit for programs, and what counts in it. */
#include "tools/peal/care/audited.h"
#include "tools/peal/care/put.h"
#include "tools/peal/kit/output.h"

uint64_t audited_count(const struct audited *audited, enum peal_audit_severity least)
{
    uint64_t count = 0;
    for (int s = (int)least; s < PEAL_AUDIT_SEVERITIES; s++)
        count += survey_count(&audited->survey, (enum peal_audit_severity)s, audited->only_old);
    return count;
}

bool audited_tells(const struct audited *audited, const struct survey_finding *finding)
{
    return !audited->only_old || finding->is_old;
}

static void put_place(json_t *object, uint32_t topic, uint32_t index)
{
    if (topic != UINT32_MAX)
        put_number(object, "topic", topic);
    put_number(object, "index", index);
}

static json_t *json_region(const struct audited *audited)
{
    const struct peal_audit *audit = &audited->survey.audit;
    const struct peal_observer_region *region = &audited->snapshot.region;
    json_t *object = json_object();
    put_number(object, "format", region->format);
    put_hex(object, "generation", audit->generation);
    put_number(object, "region_bytes", audit->region_bytes);
    if (region->members_known)
        put_hex(object, "members", region->members);
    put_number(object, "clients", audit->clients);
    put_number(object, "topics", audit->topics);
    put_number(object, "topics_max", audit->topics_max);
    put_number(object, "subscribers", audit->subscribers);
    put_number(object, "lanes", audit->lanes);
    put_number(object, "lanes_ended", audit->lanes_ended);
    put_number(object, "slots", audit->slots);
    put_number(object, "slots_complete", audit->slots_complete);
    put_number(object, "slots_writing", audit->slots_writing);
    put_number(object, "page_bytes", SNAPSHOT_PAGE_BYTES);
    put_number(object, "pages", audit->pages);
    put_number(object, "pages_free", audit->pages_free);
    put_number(object, "pages_used", audit->pages_used);
    put_number(object, "pages_moving", audit->pages_moving);
    put_number(object, "pages_remains", audit->pages_remains);
    put_number(object, "pages_lost", audit->pages_lost);
    return object;
}

static json_t *json_owners(const struct survey *survey)
{
    json_t *array = json_array();
    for (size_t i = 0; i < survey->owner_count; i++) {
        const struct survey_owner *owner = &survey->owners[i];
        json_t *object = json_object();
        put_number(object, "client", owner->client);
        if (owner->has_entry)
            put_text(object, "name", owner->name);
        put_text(object, "life", snapshot_life_text(owner->life));
        put_number(object, "subscribers", owner->subscribers);
        put_number(object, "lanes", owner->lanes);
        put_number(object, "pages", owner->pages);
        (void)json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_findings(const struct audited *audited)
{
    json_t *array = json_array();
    for (size_t i = 0; i < audited->survey.finding_count; i++) {
        const struct survey_finding *finding = &audited->survey.findings[i];
        if (!audited_tells(audited, finding))
            continue;
        json_t *object = json_object();
        put_text(object, "severity", survey_severity_text(finding->severity));
        put_text(object, "kind", survey_kind_text(finding->kind));
        put_place(object, finding->object, finding->index);
        put_text(object, "text", finding->text);
        (void)json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_items(const struct survey *survey)
{
    json_t *array = json_array();
    for (size_t i = 0; i < survey->item_count; i++) {
        const struct peal_audit_item *item = &survey->items[i].seen;
        json_t *object = json_object();
        put_text(object, "kind", survey_kind_text(item->kind));
        put_place(object, item->object, item->index);
        put_text(object, "state", item->state_text);
        put_text(object, "life", snapshot_life_text(item->life));
        if (item->life != PEAL_AUDIT_NOBODY)
            put_number(object, "client", item->client);
        put_number(object, "span_first", item->span.first);
        put_number(object, "span_count", item->span.count);
        put_number(object, "messages_first", item->messages.first);
        put_number(object, "messages_count", item->messages.count);
        put_number(object, "slots_writing", item->writing);
        put_text(object, "name", item->name);
        (void)json_array_append_new(array, object);
    }
    return array;
}

void audited_print_json(const struct audited *audited)
{
    json_t *object = json_object();
    json_t *counts = json_object();
    put_text(object, "bus", audited->watch.url);
    for (int s = 0; s < PEAL_AUDIT_SEVERITIES; s++)
        put_number(counts, survey_severity_text((enum peal_audit_severity)s),
                   survey_count(&audited->survey, (enum peal_audit_severity)s, audited->only_old));
    (void)json_object_set_new(object, "found", counts);
    (void)json_object_set_new(object, "region", json_region(audited));
    (void)json_object_set_new(object, "owners", json_owners(&audited->survey));
    (void)json_object_set_new(object, "findings", json_findings(audited));
    if (audited->survey.wants_items)
        (void)json_object_set_new(object, "items", json_items(&audited->survey));
    print_json(object);
}
