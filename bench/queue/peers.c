/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/peer.h"

#if PEAL_BENCH_HAS_RTE
#define MISSING_RTE ""
#else
#define MISSING_RTE "rte_ring (libdpdk-dev) "
#endif
#if PEAL_BENCH_HAS_BOOST
#define MISSING_BOOST ""
#else
#define MISSING_BOOST "boost::lockfree::queue (libboost-dev) "
#endif

const struct bench_peer *const bench_peers[BENCH_PEERS_MAX + 1] = {
    &bench_peer_peal,  &bench_peer_peal_strict,
#if PEAL_BENCH_HAS_RTE
    &bench_peer_rte,   &bench_peer_rte_rts,
#endif
    &bench_peer_ck,    &bench_peer_vyukov,
#if PEAL_BENCH_HAS_BOOST
    &bench_peer_boost,
#endif
};

const char *const bench_peers_missing =
    sizeof(MISSING_RTE MISSING_BOOST) > 1 ? MISSING_RTE MISSING_BOOST : NULL;
