/* SPDX-License-Identifier: Apache-2.0 */
/* peal audit: what in a region belongs to whom, and what does not fit together. */
#include "tools/peal/care/audited.h"
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"

#include <inttypes.h>
#include <string.h>

#define PAUSE_NS (50 * NS_PER_MS)

static bool items;
static uint64_t settle_ns = 300 * NS_PER_MS;

/* ---- looking ---- */

/* Whoever works leaves things half done for a moment, and what the dead leave lies about until one of the living looks: both
 * are worth another look before they are told. Where nobody lives nothing moves. */
static enum peal_status settle(struct audited *audited)
{
    const uint64_t end_ns = clock_now_ns() + settle_ns;
    struct survey before = {0};
    enum peal_status status = PEAL_OK;
    while (settle_ns > 0 && audited->snapshot.region.members != 0 &&
           audited_count(audited, PEAL_AUDIT_REMAINS) > 0) {
        const uint64_t now_ns = clock_now_ns();
        if (audited->only_old && now_ns >= end_ns)
            break;
        (void)stop_wait_until(now_ns + PAUSE_NS < end_ns ? now_ns + PAUSE_NS : end_ns);
        if (stop_requested())
            break;
        survey_free(&before);
        before = audited->survey;
        audited->survey = (struct survey){.wants_items = items};
        status = survey_take(&audited->survey, &audited->watch);
        if (status != PEAL_OK)
            break;
        survey_compare(&audited->survey, &before);
        audited->only_old = true;
    }
    survey_free(&before);
    return status;
}

static enum peal_status look(struct audited *audited)
{
    enum peal_status status = watch_look(&audited->watch, &audited->snapshot);
    if (status == PEAL_OK)
        status = survey_take(&audited->survey, &audited->watch);
    return status == PEAL_OK ? settle(audited) : status;
}

/* ---- for people ---- */

static const char *count_of(struct units_text *text, uint64_t pages)
{
    return units_bytes(text, pages * SNAPSHOT_PAGE_BYTES);
}

static void print_pages(const struct peal_audit *audit)
{
    const struct {
        const char *what;
        uint32_t pages;
        bool always;
    } lots[] = {
        {"used", audit->pages_used, true},
        {"free", audit->pages_free, true},
        {"just being taken or given back", audit->pages_moving, false},
        {"left by the dead", audit->pages_remains, false},
        {"lost", audit->pages_lost, false},
    };
    struct units_text text;
    print("pages    %" PRIu32 ":", audit->pages);
    bool first = true;
    for (size_t i = 0; i < sizeof(lots) / sizeof(lots[0]); i++) {
        if (lots[i].pages == 0 && !lots[i].always)
            continue;
        print("%s %" PRIu32 " %s (%s)", first ? "" : ",", lots[i].pages, lots[i].what,
              count_of(&text, lots[i].pages));
        first = false;
    }
    print("\n");
}

static void print_figures(const struct audited *audited)
{
    const struct peal_audit *audit = &audited->survey.audit;
    const struct peal_observer_region *region = &audited->snapshot.region;
    struct units_text text;
    print("%s%s%s  %s, format %" PRIu32 ", generation %016" PRIx64 "\n", paint(PAINT_BOLD),
          audited->watch.url, paint(PAINT_NONE), units_bytes(&text, audit->region_bytes),
          region->format, audit->generation);
    if (region->members_known)
        print("clients  %" PRIu32 ", %d attached\n", audit->clients,
              __builtin_popcountll(region->members));
    else
        print("clients  %" PRIu32 "; who of them lives cannot be told of a file\n", audit->clients);
    print("topics   %" PRIu32 " of %" PRIu32 ", with %" PRIu32 " subscribers and %" PRIu32 " lanes",
          audit->topics, audit->topics_max, audit->subscribers, audit->lanes);
    if (audit->lanes_ended > 0)
        print(", %" PRIu32 " of them ended and not drained", audit->lanes_ended);
    print("\nslots    %" PRIu64 ": %" PRIu64 " with a message, %" PRIu64 " being written\n",
          audit->slots, audit->slots_complete, audit->slots_writing);
    print_pages(audit);
}

static void print_owners(const struct survey *survey)
{
    static const struct table_column columns[] = {
        {"CLIENT", TABLE_RIGHT},     {"NAME", TABLE_LEFT},   {"LIFE", TABLE_LEFT},
        {"SUBSCRIBES", TABLE_RIGHT}, {"LANES", TABLE_RIGHT}, {"PAGES", TABLE_RIGHT},
        {"MEMORY", TABLE_RIGHT}};
    struct units_text text;
    if (survey->owner_count == 0)
        return;
    struct table *table = table_new(columns, 7);
    for (size_t i = 0; i < survey->owner_count; i++) {
        const struct survey_owner *owner = &survey->owners[i];
        const enum paint color = owner->life == PEAL_AUDIT_DEAD ? PAINT_YELLOW : PAINT_NONE;
        table_cell(table, PAINT_NONE, "%" PRIu32, owner->client);
        table_cell(table, PAINT_NONE, "%s", owner->has_entry ? owner->name : "-");
        table_cell(table, color, "%s", snapshot_life_text(owner->life));
        table_cell(table, PAINT_NONE, "%" PRIu64, owner->subscribers);
        table_cell(table, PAINT_NONE, "%" PRIu64, owner->lanes);
        table_cell(table, PAINT_NONE, "%" PRIu64, owner->pages);
        table_cell(table, PAINT_NONE, "%s", count_of(&text, owner->pages));
    }
    print("\n");
    table_print(table);
}

static void print_items(const struct survey *survey)
{
    static const struct table_column columns[] = {
        {"ITEM", TABLE_LEFT},     {"TOPIC", TABLE_RIGHT},  {"INDEX", TABLE_RIGHT},
        {"STATE", TABLE_LEFT},    {"CLIENT", TABLE_RIGHT}, {"LIFE", TABLE_LEFT},
        {"FIRST", TABLE_RIGHT},   {"COUNT", TABLE_RIGHT},  {"MESSAGES", TABLE_RIGHT},
        {"WRITING", TABLE_RIGHT}, {"NAME", TABLE_LEFT}};
    struct table *table = table_new(columns, 11);
    for (size_t i = 0; i < survey->item_count; i++) {
        const struct peal_audit_item *item = &survey->items[i].seen;
        const bool has_owner = item->life != PEAL_AUDIT_NOBODY;
        table_cell(table, PAINT_NONE, "%s", survey_kind_text(item->kind));
        if (item->object != UINT32_MAX)
            table_cell(table, PAINT_NONE, "%" PRIu32, item->object);
        else
            table_cell(table, PAINT_NONE, "-");
        table_cell(table, PAINT_NONE, "%" PRIu32, item->index);
        table_cell(table, PAINT_NONE, "%s", item->state_text);
        if (has_owner)
            table_cell(table, PAINT_NONE, "%" PRIu32, item->client);
        else
            table_cell(table, PAINT_NONE, "-");
        table_cell(table, item->life == PEAL_AUDIT_DEAD ? PAINT_YELLOW : PAINT_NONE, "%s",
                   has_owner ? snapshot_life_text(item->life) : "-");
        table_cell(table, PAINT_NONE, "%" PRIu64, item->span.first);
        table_cell(table, PAINT_NONE, "%" PRIu64, item->span.count);
        table_cell(table, PAINT_NONE, "%" PRIu64, item->messages.count);
        table_cell(table, PAINT_NONE, "%" PRIu32, item->writing);
        table_cell(table, PAINT_NONE, "%s", item->name);
    }
    print("\n");
    table_print(table);
}

static void print_findings(const struct audited *audited)
{
    static const enum paint colors[PEAL_AUDIT_SEVERITIES] = {PAINT_DIM, PAINT_YELLOW, PAINT_RED,
                                                             PAINT_RED};
    const struct survey *survey = &audited->survey;
    print("\n");
    for (int s = PEAL_AUDIT_SEVERITIES - 1; s >= 0; s--)
        for (size_t i = 0; i < survey->finding_count; i++)
            if ((int)survey->findings[i].severity == s &&
                audited_tells(audited, &survey->findings[i]))
                print("%s%-9s%s  %s\n", paint(colors[s]),
                      survey_severity_text((enum peal_audit_severity)s), paint(PAINT_NONE),
                      survey->findings[i].text);
    uint64_t all = 0;
    for (int s = 0; s < PEAL_AUDIT_SEVERITIES; s++)
        all += survey->audit.findings[s];
    if (all > survey->finding_count)
        print("and %" PRIu64 " more\n", all - survey->finding_count);
    const uint64_t remains = survey_count(survey, PEAL_AUDIT_REMAINS, audited->only_old);
    const uint64_t worse = audited_count(audited, PEAL_AUDIT_LOST);
    if (worse + remains == 0)
        print("%sno findings%s: each thing is somebody's, or free\n", paint(PAINT_GREEN),
              paint(PAINT_NONE));
    if (remains > 0)
        print("What the dead have left is cleared away by: peal clean --bus '%s' --yes\n",
              audited->watch.url);
    if (worse > 0)
        print("What is lost or corrupt stays so: end all clients of this bus, then peal clean "
              "--bus '%s' --yes\n",
              audited->watch.url);
}

/* ---- the command ---- */

static int tell(const struct audited *audited)
{
    if (common.json) {
        audited_print_json(audited);
    } else {
        print_figures(audited);
        print_owners(&audited->survey);
        if (items)
            print_items(&audited->survey);
        print_findings(audited);
    }
    if (survey_count(&audited->survey, PEAL_AUDIT_CORRUPT, audited->only_old) > 0)
        return EXIT_SPOILT;
    return audited_count(audited, PEAL_AUDIT_REMAINS) > 0 ? EXIT_FOUND : EXIT_DONE;
}

static int audit_run(char **operands, size_t count)
{
    struct audited audited = {.survey = {.wants_items = items}};
    (void)operands;
    (void)count;
    int code = common_url(&audited.watch.url);
    if (code != EXIT_DONE)
        return code;
    const enum peal_status status = look(&audited);
    code = status == PEAL_OK ? tell(&audited) : watch_fail(&audited.watch, status);
    survey_free(&audited.survey);
    snapshot_free(&audited.snapshot);
    watch_close(&audited.watch);
    return code;
}

static const char *read_settle(const char *text, void *to)
{
    if (strcmp(text, "0") != 0)
        return option_duration(text, to) ? "a time as 500ms or 2s, or 0" : NULL;
    *(uint64_t *)to = 0;
    return NULL;
}

static const struct option_entry audit_options[] = {
    {.name = "items",
     .letter = 'l',
     .help = "list each thing that is held, and by whom",
     .read = option_switch,
     .to = &items},
    {.name = "settle",
     .value = "TIME",
     .help = "on a live bus tell only what is still so after TIME; default 300ms; 0: at once",
     .read = read_settle,
     .to = &settle_ns},
    {0},
};

const struct command command_audit = {
    .name = "audit",
    .operands = "",
    .summary = "check what in a region belongs to whom, and that all of it fits together",
    .details =
        "Only looks. Findings are remains (of clients that died), lost (held, and known to "
        "nobody)\n"
        "and corrupt (nobody honest writes this). Ends with 0 if there are none, 6 if there are,\n"
        "and 5 if something is corrupt, or what is there is no region at all. What would not hold\n"
        "still while it was looked at is told as unsettled, and is no finding.\n\n"
        "  peal audit --bus posix:vehicle\n"
        "  peal audit --bus file:/tmp/copy-of-the-region --items",
    .options = audit_options,
    .has_json = true,
    .run = audit_run,
};
