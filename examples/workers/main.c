/* SPDX-License-Identifier: Apache-2.0 */
#include "common/args.h"
#include "common/clean.h"
#include "common/report.h"
#include "workers/workers.h"

struct peal_queue *workers_queue(struct peal_bus *bus, const char *name, uint32_t uses)
{
    struct peal_queue *queue;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.uses = uses;
    options.message_bytes_max = 16;
    options.depth = 256;
    options.full_policy = PEAL_QUEUE_FULL_WAIT;
    options.type_name = WORKERS_TYPE_NAME;
    options.schema_hash = WORKERS_SCHEMA_HASH;
    if (peal_queue_create(bus, name, &options, &queue) != PEAL_OK)
        report_setup(name);
    return queue;
}

static int clean_main(int argc, char **argv)
{
    return clean_run("workers clean", ARGS_DEFAULT_BUS, argc, argv);
}

int main(int argc, char **argv)
{
    const struct args_command commands[] = {
        {"post", "put jobs into the queue", workers_post},
        {"work", "take jobs and do them", workers_work},
        {"run", "start both, kill workers at random, keep the account", workers_run},
        {"clean", "remove the region from the system", clean_main},
    };
    return args_dispatch("workers", "A pool of workers that may be killed.", commands,
                         sizeof commands / sizeof commands[0], argc, argv);
}
