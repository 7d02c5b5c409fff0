/* SPDX-License-Identifier: Apache-2.0 */
/* peal clean: removes what the dead left, never what lives. */
#include "tools/peal/care/chore.h"
#include "tools/peal/care/leftovers.h"
#include "tools/peal/care/put.h"
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/look/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/dev/shm"

static struct chore_orders orders;
static bool all;

/* What was done, or would be. */
struct sum {
    struct table *table;
    json_t *json;
    size_t rows;
    size_t wanted; /* things to be cleaned */
    size_t in_use; /* regions with nothing to clean */
    uint64_t freed_bytes;
    int code; /* of the first bus that was named and cannot be cleaned */
};

/* ---- telling ---- */

static const char *action_text(const struct chore *chore)
{
    switch (chore->action) {
    case CHORE_REMOVE:
        return chore->done ? "removed" : "remove";
    case CHORE_RECOVER:
        return chore->done ? "recovered" : "recover";
    case CHORE_SPARE:
        return "left alone";
    default:
        return chore->fifos == 0 ? "nothing" : orders.for_good ? "removed" : "remove";
    }
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* Why a region goes; and if it is no region, what it is. */
static const char *kind_text(enum peal_leftover_kind kind)
{
    switch (kind) {
    case PEAL_LEFTOVER_REGION:
        return "nobody is attached";
    case PEAL_LEFTOVER_UNFINISHED:
        return "its maker died before it was finished";
    case PEAL_LEFTOVER_SPOILT:
        return "cut short or overwritten, and nobody is attached";
    case PEAL_LEFTOVER_OTHER_FORMAT:
        return "of another release of Peal, and nobody has a lock on it";
    case PEAL_LEFTOVER_FOREIGN:
        return "not made by Peal, and nobody has a lock on it";
    default:
        return "the region has gone";
    }
}

/* What would have to be said for it to go. */
static const char *remedy(const struct chore *chore)
{
    if (chore->status == PEAL_EEXIST)
        return " (--with-messages removes it)";
    if ((chore->status == PEAL_EFORMAT || chore->status == PEAL_ECORRUPT) &&
        chore->left.kind != PEAL_LEFTOVER_NOTHING && chore->left.object_bytes > 0)
        return " (--force removes it)";
    return "";
}

static void write_remains(const struct chore *chore, char *text, size_t bytes)
{
    const struct chore_remains *remains = &chore->remains;
    struct units_text memory;
    int used = snprintf(
        text, bytes, "of %" PRIu64 " dead client%s: %" PRIu64 " subscription%s, %" PRIu64 " lane%s",
        remains->clients, plural(remains->clients), remains->subscribers,
        plural(remains->subscribers), remains->lanes, plural(remains->lanes));
    if (remains->pages == 0)
        return;
    const uint64_t pages = chore->done ? remains->pages_freed : remains->pages;
    used += snprintf(text + used, bytes - (size_t)used, ", %s",
                     units_bytes(&memory, pages * SNAPSHOT_PAGE_BYTES));
    if (chore->done && remains->pages_freed < remains->pages)
        (void)snprintf(text + used, bytes - (size_t)used, " and %s when all have read it",
                       units_bytes(&memory, (remains->pages - pages) * SNAPSHOT_PAGE_BYTES));
}

static void write_why(const struct chore *chore, char *text, size_t bytes)
{
    size_t used;
    text[0] = '\0';
    if (chore->action == CHORE_REMOVE)
        (void)snprintf(text, bytes, "%s", kind_text(chore->left.kind));
    else if (chore->action == CHORE_RECOVER)
        write_remains(chore, text, bytes);
    else if (chore->action == CHORE_SPARE)
        (void)snprintf(text, bytes, "%.400s%s", chore->reason, remedy(chore));
    used = strlen(text);
    if (chore->left.messages > 0 && chore->action != CHORE_SPARE)
        used += (size_t)snprintf(text + used, bytes - used, "; with %" PRIu64 " message%s%s",
                                 chore->left.messages, plural(chore->left.messages),
                                 chore->action == CHORE_REMOVE ? " in its queues"
                                                               : " in its queues, which stay");
    if (chore->fifos > 0 && used < bytes)
        (void)snprintf(text + used, bytes - used, "%s%" PRIu32 " FIFO%s of dead clients",
                       used > 0 ? "; " : "", chore->fifos, plural(chore->fifos));
}

static void tell_row(struct sum *sum, const struct chore *chore)
{
    static const struct table_column columns[] = {
        {"BUS", TABLE_LEFT}, {"ACTION", TABLE_LEFT}, {"MEMORY", TABLE_RIGHT}, {"WHY", TABLE_LEFT}};
    struct units_text memory;
    char why[480];
    const enum paint color = chore->action == CHORE_SPARE ? PAINT_DIM
                             : chore->done                ? PAINT_GREEN
                                                          : PAINT_YELLOW;
    if (!sum->table)
        sum->table = table_new(columns, 4);
    write_why(chore, why, sizeof(why));
    table_cell(sum->table, PAINT_NONE, "%s", chore->url);
    table_cell(sum->table, color, "%s", action_text(chore));
    table_cell(sum->table, PAINT_NONE, "%s",
               chore->left.object_bytes > 0 ? units_bytes(&memory, chore->left.memory_bytes) : "-");
    table_cell(sum->table, PAINT_NONE, "%s", why);
    sum->rows++;
}

static const char *kind_word(enum peal_leftover_kind kind)
{
    static const char *const words[] = {"nothing", "region",       "unfinished",
                                        "spoilt",  "other format", "foreign"};
    return (unsigned)kind < sizeof(words) / sizeof(words[0]) ? words[kind] : "?";
}

static void tell_json(struct sum *sum, const struct chore *chore)
{
    json_t *object = json_object();
    put_text(object, "bus", chore->url);
    put_text(object, "action",
             chore->action == CHORE_REMOVE    ? "remove"
             : chore->action == CHORE_RECOVER ? "recover"
             : chore->action == CHORE_SPARE   ? "spare"
                                              : "none");
    put_bool(object, "done", chore->done);
    put_text(object, "kind", kind_word(chore->left.kind));
    put_bool(object, "in_use", chore->left.is_used);
    put_hex(object, "members", chore->left.members);
    put_number(object, "messages", chore->left.messages);
    put_number(object, "object_bytes", chore->left.object_bytes);
    put_number(object, "memory_bytes", chore->left.memory_bytes);
    put_number(object, "owner_id", chore->left.owner_id);
    put_number(object, "fifos", chore->fifos);
    put_number(object, "dead_clients", chore->remains.clients);
    put_number(object, "dead_subscribers", chore->remains.subscribers);
    put_number(object, "dead_lanes", chore->remains.lanes);
    put_number(object, "dead_pages", chore->remains.pages);
    if (chore->done && chore->action == CHORE_RECOVER)
        put_number(object, "dead_pages_freed", chore->remains.pages_freed);
    if (chore->action == CHORE_SPARE) {
        put_text(object, "status", peal_status_name(chore->status));
        put_text(object, "reason", chore->reason);
    }
    (void)json_array_append_new(sum->json, object);
}

/* ---- doing ---- */

static void do_one(struct sum *sum, const char *url, bool is_named)
{
    struct chore chore;
    if (strncmp(url, "file:", 5) == 0) {
        sum->code =
            fail(EXIT_USAGE, "%s is a copy, in which nobody lives and nobody has died", url);
        return;
    }
    chore_do(&chore, url, &orders);
    if (chore.action == CHORE_SPARE && chore.status == PEAL_ENOENT && !is_named)
        return; /* somebody else was faster */
    const bool is_wanted =
        chore.action == CHORE_REMOVE || chore.action == CHORE_RECOVER || chore.fifos > 0;
    sum->wanted += is_wanted;
    sum->in_use += chore.action == CHORE_NOTHING && chore.left.is_used;
    if (chore.action == CHORE_REMOVE)
        sum->freed_bytes += chore.left.memory_bytes;
    if (chore.action == CHORE_SPARE && chore.status != PEAL_EEXIST && is_named &&
        sum->code == EXIT_DONE) {
        sum->code = fail_reason(chore.status, chore.reason, "cannot clean %s", url);
        if (!common.json)
            return; /* it has been told */
    }
    if (common.json)
        tell_json(sum, &chore);
    else if (is_wanted || chore.action == CHORE_SPARE)
        tell_row(sum, &chore);
}

static int do_all(struct sum *sum)
{
    struct leftovers leftovers = {0};
    if (!leftovers_list(&leftovers, FOLDER))
        return fail(fail_errno_code(errno), "cannot read " FOLDER ": %s", strerror(errno));
    for (size_t i = 0; i < leftovers.count; i++)
        do_one(sum, leftovers.urls[i], false);
    if (leftovers.strange > 0)
        note("%zu file%s in " FOLDER ", the first %s, begin%s with peal. and are not Peal's: left "
             "alone; remove them by hand if they are yours",
             leftovers.strange, plural(leftovers.strange), leftovers.first_strange,
             leftovers.strange == 1 ? "s" : "");
    leftovers_free(&leftovers);
    return EXIT_DONE;
}

static void tell_sum(struct sum *sum)
{
    struct units_text memory;
    if (common.json) {
        print_json(sum->json);
        return;
    }
    if (sum->table)
        table_print(sum->table);
    if (sum->in_use > 0)
        print("%zu region%s in use, with nothing of the dead in %s\n", sum->in_use,
              plural(sum->in_use), sum->in_use == 1 ? "it" : "them");
    if (sum->wanted == 0 && sum->code == EXIT_DONE)
        print("there is nothing to clean\n");
    else if (sum->wanted > 0 && !orders.for_good && sum->freed_bytes == 0)
        print("Nothing was changed. --yes does it.\n");
    else if (sum->wanted > 0 && !orders.for_good)
        print("Nothing was changed. --yes does it; %s come free then.\n",
              units_bytes(&memory, sum->freed_bytes));
    else if (sum->freed_bytes > 0)
        print("%s came free\n", units_bytes(&memory, sum->freed_bytes));
}

static int clean_run(char **operands, size_t count)
{
    struct sum sum = {.json = common.json ? json_array() : NULL};
    const char *bus = common.bus ? common.bus : getenv("PEAL_BUS");
    int code = EXIT_DONE;
    if (all && (common.bus || count > 0))
        return fail(EXIT_USAGE, "--all and a bus: say one of them");
    for (size_t i = 0; i < count; i++)
        do_one(&sum, operands[i], true);
    if (common.bus || (count == 0 && !all && bus && bus[0] != '\0'))
        do_one(&sum, bus, true);
    else if (count == 0)
        code = do_all(&sum);
    if (code == EXIT_DONE)
        tell_sum(&sum);
    if (code == EXIT_DONE)
        code = sum.code;
    return code == EXIT_DONE && sum.wanted > 0 && !orders.for_good ? EXIT_FOUND : code;
}

static const struct option_entry clean_options[] = {
    {.name = "yes",
     .letter = 'y',
     .help = "do it; without, only tell what would be done",
     .read = option_switch,
     .to = &orders.for_good},
    {.name = "all",
     .letter = 'a',
     .help = "all of this machine, also if PEAL_BUS is set",
     .read = option_switch,
     .to = &all},
    {.name = "with-messages",
     .help = "remove regions without clients also if their queues hold messages",
     .read = option_switch,
     .to = &orders.with_messages},
    {.name = "force",
     .help = "remove what is spoilt, of another release, or not Peal's, if nobody locks it",
     .read = option_switch,
     .to = &orders.force},
    {0},
};

const struct command command_clean = {
    .name = "clean",
    .operands = "[BUS]...",
    .summary = "remove what the dead left, never what lives; only tells, without --yes",
    .details =
        "Without a BUS all of this machine is looked at. A region that nobody is attached to goes\n"
        "as a whole. From one that is in use goes what dead clients have left in it; for that, a\n"
        "client of our own joins for a moment. Messages in queues are for who comes next: they\n"
        "keep their region. Whoever is just opening a region does not lose it.\n\n"
        "Ends with 0, or with 6 if there is something to clean and --yes was not said; if a BUS\n"
        "that was named cannot be cleaned, with the code for that.\n\n"
        "  peal clean\n"
        "  peal clean --bus posix:vehicle --yes",
    .options = clean_options,
    .operands_max = 1000,
    .completes = COMPLETES_BUS,
    .has_json = true,
    .run = clean_run,
};
