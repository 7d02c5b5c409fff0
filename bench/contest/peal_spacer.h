/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room taken in the region of a bus, so that what is opened after it lies in other pages.
 *
 * Where memory lies decides by some percent what a cache line costs, and a region gives the same pages
 * again to who asks again. Without this all rounds of a run would share one such chance, their spread
 * would not contain it, and the next run would lie outside of it.
 */
#ifndef PEAL_BENCH_CONTEST_PEAL_SPACER_H
#define PEAL_BENCH_CONTEST_PEAL_SPACER_H

#include <stdint.h>

struct peal_bus;
struct peal_publisher;

struct bench_spacer {
    struct peal_bus *bus; /* and the publisher: NULL if there is no room */
    struct peal_publisher *publisher;
};

/* `number`: by which the size is drawn. Closed again once all is open that shall lie behind it. */
void bench_spacer_open(struct bench_spacer *spacer, const char *url, uint64_t number);
void bench_spacer_close(struct bench_spacer *spacer);

/* The same for who has the bus open: to be closed; NULL: there is no room. `name`: by which it is drawn. */
struct peal_publisher *bench_spacer_take(struct peal_bus *bus, const char *name);

#endif
