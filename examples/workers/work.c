/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker. The order of its steps is what makes it safe to kill: it takes a job, does it, reports it,
 * and only then is done with it. Killed before the report, the job goes to another; killed between the
 * report and being done, it is done and reported once more, with the flag.
 */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "workers/workers.h"

#include <inttypes.h>
#include <stdio.h>

/* The queues, and how many jobs it did. */
struct worker {
    struct peal_queue *jobs;
    struct peal_queue *reports;
    uint64_t done;
};

static void do_job(const struct job *job)
{
    uint64_t end_ns = clock_now_ns() + job->work_ns;
    while (clock_now_ns() < end_ns)
        continue;
}

static enum peal_status work_once(struct worker *worker)
{
    struct peal_queue_message message;
    size_t count;
    enum peal_status status = peal_queue_take(worker->jobs, &message, 1, &count);
    if (status == PEAL_EMPTY) {
        status = peal_queue_wait(worker->jobs, STOP_POLL_NS);
        return status == PEAL_TIMEDOUT ? PEAL_OK : status;
    }
    if (status != PEAL_OK)
        return status;
    if (message.size_bytes == sizeof(struct job)) {
        const struct job *job = message.data; /* stays where it is until we are done */
        struct report report = {.number = job->number, .is_again = message.is_redelivered};
        do_job(job);
        status = peal_queue_push(worker->reports, &report, sizeof report);
        if (status != PEAL_OK)
            return status; /* not done: the job goes to another when we close */
        worker->done++;
    }
    return peal_queue_done(worker->jobs);
}

int workers_work(int argc, char **argv)
{
    const char *bus_url = ARGS_DEFAULT_BUS;
    const struct args_option table[] = {
        {.name = "bus", .value = "URL", .help = "default " ARGS_DEFAULT_BUS, .to_text = &bus_url},
    };
    int code = args_parse("workers work", "Takes jobs and does them; Ctrl-C stops.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus;
    stop_init(&stop);
    if (peal_bus_open(&bus, bus_url, NULL) != PEAL_OK)
        return report_setup("cannot open the bus");
    struct worker worker = {.jobs = workers_queue(bus, WORKERS_JOBS, PEAL_QUEUE_POP),
                            .reports = workers_queue(bus, WORKERS_REPORTS, PEAL_QUEUE_PUSH)};
    enum peal_status status = worker.jobs && worker.reports ? PEAL_OK : PEAL_EINVAL;
    code = status == PEAL_OK ? EXIT_OK : EXIT_FAILED;
    while (status == PEAL_OK && !stop_requested(&stop))
        status = work_once(&worker);
    if (code == EXIT_OK && status != PEAL_OK)
        code = report_status("working", status);
    if (code == EXIT_OK)
        printf("did %" PRIu64 " jobs\n", worker.done);
    peal_queue_close(worker.jobs);
    peal_queue_close(worker.reports);
    peal_bus_close(bus);
    return code;
}
