/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that can be measured, Peal's first. peers.cmake says what there is.
 */
#include "bench/contest/peal.h"
#include "bench/peers/peers.h"

const struct bench_contender *const bench_contenders[] = {
    &bench_peal_topic_loan,
    &bench_peal_topic_copy,
    &bench_peal_topic_latest,
    &bench_peal_spsc,
    &bench_peal_spsc_copy,
    &bench_peal_queue_take,
    &bench_peal_queue_copy,
    &bench_peal_queue_strict,
#if PEAL_BENCH_HAS_CK
    &bench_peer_ck,
#endif
#if PEAL_BENCH_HAS_DPDK
    &bench_peer_rte,
    &bench_peer_rte_rts,
#endif
    &bench_peer_vyukov,
#if PEAL_BENCH_HAS_BOOST
    &bench_peer_boost_spsc,
    &bench_peer_boost_queue,
    &bench_peer_boost_message_queue,
#endif
#if PEAL_BENCH_HAS_READER_WRITER_QUEUE
    &bench_peer_reader_writer_queue,
#endif
#if PEAL_BENCH_HAS_CONCURRENT_QUEUE
    &bench_peer_concurrent_queue,
#endif
#if PEAL_BENCH_HAS_ICEORYX
    &bench_peer_iceoryx,
#endif
#if PEAL_BENCH_HAS_ZMQ
    &bench_peer_zmq,
#endif
#if PEAL_BENCH_HAS_NNG
    &bench_peer_nng,
    &bench_peer_nng_pubsub,
#endif
#if PEAL_BENCH_HAS_NANOMSG
    &bench_peer_nanomsg,
    &bench_peer_nanomsg_pubsub,
#endif
    &bench_peer_mqueue,
    &bench_peer_pipe,
    &bench_peer_socket,
    NULL,
};

const char *const bench_contenders_missing =
    sizeof(PEAL_BENCH_MISSING) > 1 ? PEAL_BENCH_MISSING : NULL;
