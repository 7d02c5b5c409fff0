/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket in one word: so many events per second, and so many at once after a pause.
 *
 * The word is a time: how far the tokens are spent. An event moves it on by one interval, from now
 * or from where it stands; it may run ahead of the clock by `burst` intervals at most.
 */
#ifndef PEAL_BUS_BUCKET_H
#define PEAL_BUS_BUCKET_H

#include "core/atomic.h"

struct peal_bucket {
    peal_u64 spent_until_ns; /* starts as 0: full */
};

/* Takes a token; false if there is none. Any threads; does not block. */
bool peal_bucket_take(struct peal_bucket *bucket, uint64_t now_ns, uint64_t rate_hz,
                      uint32_t burst);

#endif
