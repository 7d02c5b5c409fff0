/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/chore.h"

#include "tools/peal/care/survey.h"

#include <stdio.h>
#include <string.h>

static void spare(struct chore *chore, enum peal_status status, const char *reason)
{
    chore->action = CHORE_SPARE;
    chore->status = status;
    (void)snprintf(chore->reason, sizeof(chore->reason), "%s", reason);
}

/* ---- what the dead left beside the living ---- */

static uint64_t count_kind(const struct survey *survey, enum peal_audit_kind kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < survey->finding_count; i++)
        count +=
            survey->findings[i].severity == PEAL_AUDIT_REMAINS && survey->findings[i].kind == kind;
    return count;
}

static uint64_t dead_pages(const struct survey *survey)
{
    uint64_t pages = 0;
    for (size_t i = 0; i < survey->owner_count; i++)
        if (survey->owners[i].life == PEAL_AUDIT_DEAD)
            pages += survey->owners[i].pages;
    return pages;
}

static struct chore_remains remains_in(const struct survey *survey)
{
    return (struct chore_remains){
        .clients = count_kind(survey, PEAL_AUDIT_CLIENT),
        .subscribers = count_kind(survey, PEAL_AUDIT_SUBSCRIBER),
        .lanes = count_kind(survey, PEAL_AUDIT_LANE),
        .pages = dead_pages(survey),
    };
}

/* Somebody may have died, or cleared away, in between. */
static uint64_t less(uint64_t before, uint64_t after)
{
    return before > after ? before - after : 0;
}

static struct chore_remains freed(const struct chore_remains *before,
                                  const struct chore_remains *after)
{
    return (struct chore_remains){
        .clients = less(before->clients, after->clients),
        .subscribers = less(before->subscribers, after->subscribers),
        .lanes = less(before->lanes, after->lanes),
        .pages = before->pages,
        .pages_freed = less(before->pages, after->pages),
    };
}

static enum peal_status audit(const char *url, struct survey *survey, char *reason, size_t bytes)
{
    struct watch watch = {.url = url};
    struct snapshot snapshot = {0};
    enum peal_status status = watch_look(&watch, &snapshot);
    if (status == PEAL_OK)
        status = survey_take(survey, &watch);
    if (status != PEAL_OK)
        (void)snprintf(reason, bytes, "%s", watch.reason);
    snapshot_free(&snapshot);
    watch_close(&watch);
    return status;
}

/* To open is to clear away already; must_exist: never makes a region, and never one of another size. */
static enum peal_status attach_and_recover(const char *url)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    options.must_exist = true;
    options.client_name = "peal clean";
    enum peal_status status = peal_bus_open(&bus, url, &options);
    if (status != PEAL_OK)
        return status;
    status = peal_bus_recover(bus, NULL);
    peal_bus_close(bus);
    return status;
}

static void recover(struct chore *chore, const struct chore_orders *orders)
{
    struct survey before = {0}, after = {0};
    char reason[512];
    enum peal_status status = audit(chore->url, &before, reason, sizeof(reason));
    if (status != PEAL_OK) {
        if (status != PEAL_ENOENT || !chore->left.is_used) /* it may go meanwhile */
            spare(chore, status, reason);
    } else if (before.audit.findings[PEAL_AUDIT_REMAINS] > 0) {
        chore->action = CHORE_RECOVER;
        chore->remains = remains_in(&before);
        status = orders->for_good ? attach_and_recover(chore->url) : PEAL_OK;
        if (status != PEAL_OK) {
            spare(chore, status, peal_error_message());
        } else if (orders->for_good) {
            chore->done = true;
            if (audit(chore->url, &after, reason, sizeof(reason)) == PEAL_OK) {
                const struct chore_remains left = remains_in(&after);
                chore->remains = freed(&chore->remains, &left);
            }
        }
    }
    survey_free(&before);
    survey_free(&after);
}

/* ---- regions that nobody uses ---- */

struct removal {
    const char *url;
    struct peal_unlink_options options;
    struct peal_leftover left;
};

static enum peal_status remove_idle(void *context)
{
    struct removal *removal = context;
    return peal_unlink_if_idle(removal->url, &removal->options, &removal->left);
}

/* A region that stays, be it in use or for its messages, may have remains in it. */
static void look_inside(struct chore *chore, const struct chore_orders *orders,
                        enum peal_status status)
{
    char reason[512];
    (void)snprintf(reason, sizeof(reason), "%s", peal_error_message());
    if (chore->left.kind == PEAL_LEFTOVER_REGION)
        recover(chore, orders);
    else
        spare(chore, status, reason);
    /* Messages are told beside what was cleared away; that others use it is no news. */
    if (status == PEAL_EEXIST && chore->action == CHORE_NOTHING)
        spare(chore, status, reason);
}

static void settle_removal(struct chore *chore, const struct chore_orders *orders,
                           enum peal_status status)
{
    switch (status) {
    case PEAL_OK:
        chore->action = CHORE_REMOVE;
        chore->done = orders->for_good;
        break;
    case PEAL_AGAIN:
    case PEAL_EEXIST:
        look_inside(chore, orders, status);
        break;
    case PEAL_ENOTSUP: /* nothing of it outlives its clients */
        recover(chore, orders);
        break;
    case PEAL_ENOENT:
        if (chore->fifos > 0)
            break;
        spare(chore, status, peal_error_message());
        break;
    default:
        spare(chore, status, peal_error_message());
    }
}

void chore_do(struct chore *chore, const char *url, const struct chore_orders *orders)
{
    struct removal removal = {.options = PEAL_UNLINK_OPTIONS_INIT};
    enum peal_status status;
    *chore = (struct chore){.status = PEAL_OK};
    (void)snprintf(chore->url, sizeof(chore->url), "%s", url);
    removal.url = chore->url;
    removal.left.struct_bytes = sizeof(removal.left);
    removal.options.dry_run = !orders->for_good;
    removal.options.with_messages = orders->with_messages;
    removal.options.with_spoilt = orders->force;
    if (!watch_guarded(remove_idle, &removal, &status)) {
        spare(chore, status, "it was cut short while it was looked at");
        return;
    }
    chore->left = removal.left;
    chore->fifos = removal.left.fifos;
    settle_removal(chore, orders, status);
}
