/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a region when nobody is attached: what it is, what is still in it, and its end.
 */
#include "bus/open.h"
#include "bus/options.h"
#include "bus/url.h"
#include "core/error.h"
#include "core/observe.h"
#include "core/owner.h"
#include "transport/removal.h"

#include <string.h>

static_assert((int)PEAL_LEFTOVER_REGION == (int)PEAL_REMOVAL_REGION, "the same kinds");
static_assert((int)PEAL_LEFTOVER_UNFINISHED == (int)PEAL_REMOVAL_UNFINISHED, "the same kinds");
static_assert((int)PEAL_LEFTOVER_SPOILT == (int)PEAL_REMOVAL_SPOILT, "the same kinds");
static_assert((int)PEAL_LEFTOVER_OTHER_FORMAT == (int)PEAL_REMOVAL_OTHER_FORMAT, "the same kinds");
static_assert((int)PEAL_LEFTOVER_FOREIGN == (int)PEAL_REMOVAL_FOREIGN, "the same kinds");

/* ---- messages of queues ---- */

struct count {
    uint64_t messages;
    bool is_queue; /* the topic at hand */
    bool drops_held;
};

static void on_topic(void *context, const struct peal_observer_topic *topic)
{
    struct count *count = context;
    count->is_queue = topic->is_queue;
    count->drops_held = topic->drops_held;
}

static void add(struct count *count, uint64_t messages, uint32_t depth)
{
    messages = messages < depth ? messages : depth;
    count->messages += count->messages <= UINT64_MAX - messages ? messages : 0;
}

static void on_publisher(void *context, const struct peal_observer_publisher *publisher)
{
    struct count *count = context;
    if (count->is_queue)
        add(count, publisher->pending, publisher->depth);
}

/* What the dead had taken and were not done with: others get it, unless the queue drops it. */
static void on_subscriber(void *context, const struct peal_observer_subscriber *subscriber)
{
    struct count *count = context;
    if (count->is_queue && !count->drops_held)
        add(count, subscriber->held, UINT32_MAX);
}

/* ---- what a region is ---- */

/* No region to be looked at: was it just never finished? */
static enum peal_removal_kind judge_header(const struct peal_region_header *header)
{
    const uint64_t word = peal_owner_load(&header->layout.state);
    const struct peal_owner owner = peal_owner_unpack(word);
    /* relaxed: nobody is attached; whatever is read is judged alone. */
    const uint64_t magic = peal_u64_load_relaxed(&header->layout.magic);
    const uint32_t version = peal_u32_load_relaxed(&header->layout.format_version);
    const bool is_tagged = owner.version == PEAL_REGION_TAG;
    if (word == 0 || (is_tagged && owner.state == PEAL_REGION_LAYING_OUT))
        return PEAL_REMOVAL_UNFINISHED;
    if (is_tagged && owner.state == PEAL_REGION_READY && magic == PEAL_REGION_MAGIC &&
        version != PEAL_FORMAT_VERSION)
        return PEAL_REMOVAL_OTHER_FORMAT;
    return PEAL_REMOVAL_SPOILT;
}

static enum peal_removal_kind judge(const void *memory, uint64_t size_bytes, uint64_t *messages)
{
    struct count count = {0};
    struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
    visitor.context = &count;
    visitor.topic = on_topic;
    visitor.publisher = on_publisher;
    visitor.subscriber = on_subscriber;
    if (peal_observe_region(memory, size_bytes, &visitor, NULL) != PEAL_OK)
        return judge_header(memory);
    *messages = count.messages;
    return PEAL_REMOVAL_REGION;
}

enum peal_status peal_unlink_if_idle(const char *url, const struct peal_unlink_options *options,
                                     struct peal_leftover *leftover)
{
    struct peal_bus_options keys = PEAL_BUS_OPTIONS_INIT;
    struct peal_unlink_options known;
    struct peal_removal removal = {.judge = judge};
    struct peal_url parsed;
    enum peal_status status =
        peal_options_read(&known, sizeof(known), options, "peal_unlink_options");
    if (status == PEAL_OK && leftover) /* what could not be told is not done */
        status = peal_stats_write(leftover, &(struct peal_leftover){0}, sizeof(*leftover),
                                  "peal_leftover");
    if (status == PEAL_OK)
        status = peal_url_parse(&parsed, &keys, url);
    if (status == PEAL_OK)
        status = peal_url_choose_scheme(&parsed, &keys);
    if (status == PEAL_OK) {
        removal.dry_run = known.dry_run;
        removal.with_messages = known.with_messages;
        removal.with_spoilt = known.with_spoilt;
        status = peal_transport_remove_idle(parsed.scheme, parsed.name, &removal);
    }
    const struct peal_leftover found = {
        .struct_bytes = sizeof(found),
        .kind = (enum peal_leftover_kind)removal.kind,
        .is_used = removal.is_used,
        .members = removal.members,
        .messages = removal.messages,
        .object_bytes = removal.object_bytes,
        .memory_bytes = removal.memory_bytes,
        .owner_id = removal.owner_id,
        .fifos = removal.fifos,
    };
    const enum peal_status written =
        leftover ? peal_stats_write(leftover, &found, sizeof(found), "peal_leftover") : PEAL_OK;
    return status == PEAL_OK ? written : status;
}
