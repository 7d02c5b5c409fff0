/* SPDX-License-Identifier: Apache-2.0 */
/* A poster: puts jobs into the queue and goes; the jobs stay. */
#include "common/args.h"
#include "common/report.h"
#include "workers/workers.h"

#include <inttypes.h>
#include <stdio.h>

int workers_post(int argc, char **argv)
{
    const char *bus_url = ARGS_DEFAULT_BUS;
    uint64_t first = 0, jobs = 1000, work_us = 100;
    const struct args_option table[] = {
        {.name = "bus", .value = "URL", .help = "default " ARGS_DEFAULT_BUS, .to_text = &bus_url},
        {.name = "jobs", .value = "N", .help = "how many, default 1000", .to_integer = &jobs},
        {.name = "first",
         .value = "N",
         .help = "number of the first, default 0",
         .to_integer = &first},
        {.name = "work-us",
         .value = "N",
         .help = "a job's length, default 100",
         .to_integer = &work_us},
    };
    int code = args_parse("workers post", "Puts jobs into the queue.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct peal_bus *bus;
    if (peal_bus_open(&bus, bus_url, NULL) != PEAL_OK)
        return report_setup("cannot open the bus");
    struct peal_queue *queue = workers_queue(bus, WORKERS_JOBS, PEAL_QUEUE_PUSH);
    enum peal_status status = PEAL_OK;
    for (uint64_t i = 0; queue && i < jobs && status == PEAL_OK; i++) {
        const struct job job = {.number = first + i, .work_ns = work_us * 1000};
        status = peal_queue_push(queue, &job, sizeof job); /* waits while the workers are behind */
    }
    code = queue && status == PEAL_OK ? EXIT_OK : EXIT_FAILED;
    if (status != PEAL_OK)
        report_status("pushing", status);
    else if (queue)
        printf("posted %" PRIu64 " jobs\n", jobs);
    peal_queue_close(queue);
    peal_bus_close(bus);
    return code;
}
