/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers: jobs from several posters, a pool of workers, and nobody minds if workers are killed.
 *
 *      workers post    puts jobs into a queue
 *      workers work    takes jobs, works, reports what is done into another queue
 *      workers run     starts posters and workers, kills and restarts workers at random, and keeps the
 *                      account: every job must be done at least once
 */
#ifndef EXAMPLES_WORKERS_WORKERS_H
#define EXAMPLES_WORKERS_WORKERS_H

#include <assert.h>
#include <peal/peal.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS_JOBS "workers.jobs"
#define WORKERS_REPORTS "workers.reports"
#define WORKERS_TYPE_NAME "workers"
#define WORKERS_SCHEMA_HASH UINT64_C(1) /* counted up with each change of the structs below */

struct job {
    uint64_t number;
    uint64_t work_ns; /* how long it takes */
};

struct report {
    uint64_t number;
    uint64_t is_again; /* 1: somebody had the job before and died over it, or just after it */
};

static_assert(sizeof(struct job) == 16 && sizeof(struct report) == 16, "message layout");

/* Joins one of the queues. Prints what went wrong; NULL then. */
struct peal_queue *workers_queue(struct peal_bus *bus, const char *name, uint32_t uses);

int workers_post(int argc, char **argv);
int workers_work(int argc, char **argv);
int workers_run(int argc, char **argv);

#endif
