/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal complete: what may stand at the cursor of a command line, for the shells. They hand over the words, and know nothing
 * of `peal` themselves: all comes from the tables of commands and options, and from what there is on this machine now.
 *
 *      peal complete -- WORD... LAST       LAST is the word at the cursor, maybe empty
 *
 * A line for each candidate: the whole word, a tab, what it is. One that ends in ':' is not finished yet. A line that begins
 * with a tab asks the shell for names of files, behind what stands after the second tab: "\tfiles\t--output=".
 * Whatever goes wrong, nothing is said: who presses Tab wants no messages among what is being typed.
 */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/exit_code.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/look/rates.h"
#include "tools/peal/look/watch.h"
#include "tools/peal/shell/line.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void offer(const struct line *line, const char *candidate, const char *what)
{
    if (strncmp(candidate, line->word, strlen(line->word)) == 0)
        print("%.*s%s\t%s\n", (int)line->ahead_bytes, line->ahead, candidate, what);
}

static void offer_files(const struct line *line, size_t more_bytes)
{
    print("\tfiles\t%.*s\n", (int)(line->ahead_bytes + more_bytes), line->ahead);
}

static void offer_commands(const struct line *line)
{
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->internal)
            offer(line, commands[i]->name, commands[i]->summary);
}

/* Also those that stand there already: some may be given again. */
static void offer_options(const struct line *line)
{
    for (size_t t = 0; t < LINE_TABLES; t++) {
        for (const struct option_entry *option = line->tables[t]; option && option->name;
             option++) {
            char text[64];
            (void)snprintf(text, sizeof(text), "--%s", option->name);
            offer(line, text, option->help);
        }
    }
}

static void offer_choices(const struct line *line, const char *choices)
{
    char text[64];
    for (const char *at = choices; *at != '\0';) {
        const size_t length = strcspn(at, " ");
        (void)snprintf(text, sizeof(text), "%.*s", (int)length, at);
        offer(line, text, "");
        at += length + strspn(at + length, " ");
    }
}

/* ---- what there is on this machine ---- */

static void on_region(void *context, const char *url)
{
    offer(context, url, "a region of this machine");
}

/* A device does not tell the names of its regions. */
static void offer_devices(const struct line *line)
{
    glob_t nodes;
    if (glob("/dev/guest_shm[0-9]*", 0, NULL, &nodes) == 0)
        offer(line, "vdev:", "a region of the hypervisor; its name follows");
    globfree(&nodes);
}

static void offer_buses(struct line *line)
{
    static const char file[] = "file:";
    (void)peal_observer_regions("posix", on_region, line);
    offer_devices(line);
    if (strncmp(line->word, file, sizeof(file) - 1) == 0)
        offer_files(line, sizeof(file) - 1);
    else
        offer(line, file, "a copy of a region; its path follows");
}

static void on_region_count(void *context, const char *url)
{
    char **only = context;
    if (!*only)
        *only = strdup(url);
    else
        (*only)[0] = '\0';
}

/* The bus whose topics are meant; NULL: not to be told, or not to be looked at without being noticed. The caller frees it. */
static char *bus_of(const struct line *line)
{
    const char *named = line->bus ? line->bus : getenv("PEAL_BUS");
    char *url = NULL;
    if (named && named[0] != '\0')
        url = strdup(named);
    else
        (void)peal_observer_regions("posix", on_region_count, &url);
    /* Through a device an observer takes one of 16 indexes, interrupts everybody, and may wait: not for a Tab. */
    if (url && strncmp(url, "posix:", 6) != 0 && strncmp(url, "file:", 5) != 0 &&
        !(strncmp(url, "auto:", 5) == 0 && access("/dev/guest_shm0", F_OK) != 0)) {
        free(url);
        url = NULL;
    }
    return url;
}

static void offer_topic(const struct line *line, const struct snapshot_topic *topic)
{
    char what[128];
    const struct topic_sums sums = topic_sums(topic);
    (void)snprintf(what, sizeof(what), "%s%s%s, %u -> %u", topic->seen.is_queue ? "queue" : "topic",
                   topic->type_name[0] != '\0' ? " of " : "", topic->type_name, sums.publishers,
                   sums.subscribers);
    offer(line, topic->name, what);
}

static void offer_topics(const struct line *line)
{
    char *url = bus_of(line);
    struct watch watch = {.url = url};
    struct snapshot now = {0};
    if (url && watch_look(&watch, &now) == PEAL_OK)
        for (size_t i = 0; i < now.topic_count; i++)
            offer_topic(line, &now.topics[i]);
    snapshot_free(&now);
    watch_close(&watch);
    free(url);
}

/* ---- the command ---- */

static void offer_all(struct line *line, enum option_completes completes)
{
    switch (completes) {
    case COMPLETES_NOTHING:
        break;
    case COMPLETES_TOPIC:
        offer_topics(line);
        break;
    case COMPLETES_BUS:
        offer_buses(line);
        break;
    case COMPLETES_FILE:
        offer_files(line, 0);
        break;
    case COMPLETES_COMMAND:
        offer_commands(line);
        break;
    }
}

/* Name of an operand in "FILE [TOPIC]...", without what stands around it: of the last, if there are not so many. */
static void operand_name(const char *operands, size_t index, char name[32])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    name[0] = '\0';
    for (size_t i = 0; i <= index; i++) {
        const char *begin = operands + strcspn(operands, letters);
        const size_t length = strspn(begin, letters);
        if (length == 0)
            break;
        (void)snprintf(name, 32, "%.*s", (int)length, begin);
        operands = begin + strcspn(begin, " ");
    }
}

/* The table knows what the first operand is; others are of its kind if they have its name. */
static void offer_operands(struct line *line)
{
    char first[32];
    char name[32];
    operand_name(line->command->operands, 0, first);
    operand_name(line->command->operands, line->operands, name);
    if (strcmp(first, name) == 0)
        offer_all(line, line->command->completes);
}

static int complete_run(char **operands, size_t count)
{
    struct line line;
    line_read(&line, operands, count);
    switch (line.wants) {
    case LINE_WANTS_NOTHING:
        break;
    case LINE_WANTS_COMMAND:
        offer_commands(&line);
        break;
    case LINE_WANTS_OPTION:
        offer_options(&line);
        break;
    case LINE_WANTS_VALUE:
        if (line.option->choices)
            offer_choices(&line, line.option->choices);
        else
            offer_all(&line, line.option->completes);
        break;
    case LINE_WANTS_OPERAND:
        offer_operands(&line);
        break;
    }
    return EXIT_DONE;
}

const struct command command_complete = {
    .name = "complete",
    .operands = "-- WORD...",
    .summary = "print what may stand at the end of a command line, for the shells",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .internal = true,
    .run = complete_run,
};
