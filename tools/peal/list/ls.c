/* SPDX-License-Identifier: Apache-2.0 */
/* peal ls: the buses of this machine, or the topics and queues of one. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/look/rates.h"
#include "tools/peal/look/watch.h"

static int ls_run(char **operands, size_t count)
{
    static const struct table_column columns[] = {
        {"TOPIC", TABLE_LEFT}, {"PUBLISHERS", TABLE_RIGHT}, {"SUBSCRIBERS", TABLE_RIGHT}};
    struct snapshot now = {0};
    struct watch watch = {0};
    (void)operands;
    (void)count;
    int code = common_url(&watch.url);
    if (code != EXIT_DONE)
        return code;
    const enum peal_status status = watch_look(&watch, &now);
    if (status != PEAL_OK)
        return watch_fail(&watch, status);
    struct table *table = table_new(columns, 3);
    for (size_t i = 0; i < now.topic_count; i++) {
        const struct topic_sums sums = topic_sums(&now.topics[i]);
        table_cell(table, PAINT_NONE, "%s", now.topics[i].name);
        table_cell(table, PAINT_NONE, "%u", sums.publishers);
        table_cell(table, PAINT_NONE, "%u", sums.subscribers);
    }
    table_print(table);
    snapshot_free(&now);
    watch_close(&watch);
    return EXIT_DONE;
}

const struct command command_ls = {
    .name = "ls",
    .operands = "",
    .summary = "list buses, or the topics and queues of one",
    .has_json = true,
    .completes = COMPLETES_TOPIC,
    .run = ls_run,
};
