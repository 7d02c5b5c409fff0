/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bucket.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define ATTEMPTS 16

bool peal_bucket_take(struct peal_bucket *bucket, uint64_t now_ns, uint64_t rate_hz, uint32_t burst)
{
    if (rate_hz >= NS_PER_SECOND || rate_hz == 0)
        return rate_hz != 0;
    const uint64_t interval_ns = NS_PER_SECOND / rate_hz;
    /* relaxed: the word is the whole state, and nothing else is read by it. */
    uint64_t spent_ns = peal_u64_load_relaxed(&bucket->spent_until_ns);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        const uint64_t from_ns = spent_ns > now_ns ? spent_ns : now_ns;
        if (from_ns - now_ns > interval_ns * (burst - 1))
            return false;
        /* BUCKET-R1: pairs with BUCKET-R1: only for the value itself */
        if (peal_u64_cas_acq_rel(&bucket->spent_until_ns, &spent_ns, from_ns + interval_ns))
            return true;
    }
    return true; /* so much contention is a burst of our own threads: one event more does no harm */
}
