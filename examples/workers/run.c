/* SPDX-License-Identifier: Apache-2.0 */
/* Starts posters and workers, kills workers at random and starts others, and keeps the account. */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "workers/workers.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 12u
#define POSTERS_MAX 8u
#define POP_AT_ONCE 64u

struct run_options {
    const char *bus_url;
    uint64_t posters;
    uint64_t workers;
    uint64_t jobs; /* of each poster */
    uint64_t work_us;
    uint64_t kill_ms; /* one worker is killed so often; 0: none */
    double duration_s;
};

struct account {
    unsigned char *done; /* [jobs]: how often */
    uint64_t total;
    uint64_t different; /* jobs done at least once */
    uint64_t reports;
    uint64_t again;
    uint64_t kills;
};

/* Starts this very program with another command. */
static pid_t start(const char *command, const struct run_options *options, uint64_t first)
{
    char jobs[24], number[24], work_us[24];
    snprintf(jobs, sizeof jobs, "%" PRIu64, options->jobs);
    snprintf(number, sizeof number, "%" PRIu64, first);
    snprintf(work_us, sizeof work_us, "%" PRIu64, options->work_us);
    const bool posts = command[0] == 'p';
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (posts)
        execl("/proc/self/exe", "workers", command, "--bus", options->bus_url, "--jobs", jobs,
              "--first", number, "--work-us", work_us, (char *)NULL);
    else
        execl("/proc/self/exe", "workers", command, "--bus", options->bus_url, (char *)NULL);
    _exit(127);
}

static enum peal_status count_reports(struct peal_queue *reports, struct account *account)
{
    struct report buffer[POP_AT_ONCE];
    struct peal_queue_message messages[POP_AT_ONCE];
    size_t count;
    enum peal_status status =
        peal_queue_pop_batch(reports, buffer, sizeof buffer[0], messages, POP_AT_ONCE, &count);
    for (size_t i = 0; status == PEAL_OK && i < count; i++) {
        if (messages[i].size_bytes != sizeof buffer[i] || buffer[i].number >= account->total)
            continue;
        account->reports++;
        account->again += buffer[i].is_again;
        account->different += account->done[buffer[i].number] == 0;
        account->done[buffer[i].number] = 1;
    }
    return status;
}

/* Until every job is done, or time is up. */
static int keep_account(const struct run_options *options, struct peal_queue *reports,
                        struct account *account, pid_t *workers, struct stop *stop)
{
    const uint64_t kill_ns = options->kill_ms * 1000000;
    uint64_t end_ns = clock_deadline_ns(options->duration_s);
    uint64_t next_kill_ns = kill_ns ? clock_now_ns() + kill_ns : UINT64_MAX;
    while (account->different < account->total && !stop_requested(stop) &&
           clock_now_ns() < end_ns) {
        enum peal_status status = count_reports(reports, account);
        if (status == PEAL_EMPTY)
            status = peal_queue_wait(reports, STOP_POLL_NS / 10);
        if (status != PEAL_OK && status != PEAL_TIMEDOUT)
            return report_status("counting", status);
        if (clock_now_ns() < next_kill_ns)
            continue;
        uint64_t victim = (uint64_t)random() % options->workers;
        kill(workers[victim], SIGKILL);
        waitpid(workers[victim], NULL, 0);
        workers[victim] = start("work", options, 0);
        account->kills++;
        next_kill_ns = clock_now_ns() + kill_ns;
    }
    printf("%" PRIu64 " of %" PRIu64 " jobs done, %" PRIu64 " reports, %" PRIu64
           " of them of jobs given out again, %" PRIu64 " workers killed\n",
           account->different, account->total, account->reports, account->again, account->kills);
    return account->different == account->total ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct run_options *options, struct peal_bus *bus, struct stop *stop)
{
    struct account account = {.total = options->posters * options->jobs};
    pid_t posters[POSTERS_MAX], workers[WORKERS_MAX];
    struct peal_queue *reports = workers_queue(bus, WORKERS_REPORTS, PEAL_QUEUE_POP);
    account.done = calloc((size_t)account.total + 1, 1);
    if (!reports || !account.done) {
        peal_queue_close(reports);
        free(account.done);
        return EXIT_FAILED;
    }
    for (uint64_t i = 0; i < options->posters; i++)
        posters[i] = start("post", options, i * options->jobs);
    for (uint64_t i = 0; i < options->workers; i++)
        workers[i] = start("work", options, 0);
    int code = keep_account(options, reports, &account, workers, stop);
    for (uint64_t i = 0; i < options->posters; i++) {
        if (code != EXIT_OK)
            kill(posters[i], SIGTERM);
        waitpid(posters[i], NULL, 0);
    }
    for (uint64_t i = 0; i < options->workers; i++) {
        kill(workers[i], SIGTERM);
        waitpid(workers[i], NULL, 0);
    }
    peal_queue_close(reports);
    free(account.done);
    return code;
}

int workers_run(int argc, char **argv)
{
    struct run_options options = {.bus_url = ARGS_DEFAULT_BUS,
                                  .posters = 2,
                                  .workers = 4,
                                  .jobs = 2000,
                                  .work_us = 100,
                                  .kill_ms = 50};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " ARGS_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "posters",
         .value = "N",
         .help = "default 2",
         .to_integer = &options.posters,
         .at_least = 1,
         .at_most = POSTERS_MAX},
        {.name = "workers",
         .value = "N",
         .help = "default 4",
         .to_integer = &options.workers,
         .at_least = 1,
         .at_most = WORKERS_MAX},
        {.name = "jobs",
         .value = "N",
         .help = "of each poster, default 2000",
         .to_integer = &options.jobs,
         .at_least = 1,
         .at_most = 1e8},
        {.name = "work-us",
         .value = "N",
         .help = "a job's length, default 100",
         .to_integer = &options.work_us},
        {.name = "kill-ms",
         .value = "N",
         .help = "kill a worker so often, default 50; 0: never",
         .to_integer = &options.kill_ms},
        {.name = "duration-s",
         .value = "N",
         .help = "give up after N seconds",
         .to_real = &options.duration_s,
         .at_least = 0,
         .at_most = 1e6},
    };
    int code = args_parse("workers run", "Starts all, kills workers, keeps the account.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    struct stop stop;
    struct peal_bus *bus;
    stop_init(&stop);
    srandom((unsigned)getpid());
    if (peal_bus_open(&bus, options.bus_url, NULL) != PEAL_OK)
        return report_setup("cannot open the bus");
    code = run(&options, bus, &stop);
    peal_bus_close(bus);
    return code;
}
