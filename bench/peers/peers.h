/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peers, a file each, and what several of them need. Which of them there are says peers.cmake.
 */
#ifndef PEAL_BENCH_PEERS_PEERS_H
#define PEAL_BENCH_PEERS_PEERS_H

#include "bench/contest/contender.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed; ends the program if there is none. For free(). */
void *bench_peer_new(size_t bytes);

/* One line on stderr, for a begin() that fails. `error`: an errno, or 0. */
void bench_peer_complain(const char *what, int error);

/* Sleeps until the descriptor is readable. */
void bench_peer_poll(int fd, uint64_t timeout_ns);

extern const struct bench_contender bench_peer_ck;
extern const struct bench_contender bench_peer_vyukov;
extern const struct bench_contender bench_peer_rte;
extern const struct bench_contender bench_peer_rte_rts;
extern const struct bench_contender bench_peer_boost_spsc;
extern const struct bench_contender bench_peer_boost_queue;
extern const struct bench_contender bench_peer_boost_message_queue;
extern const struct bench_contender bench_peer_reader_writer_queue;
extern const struct bench_contender bench_peer_concurrent_queue;
extern const struct bench_contender bench_peer_iceoryx;
extern const struct bench_contender bench_peer_zmq;
extern const struct bench_contender bench_peer_nng;
extern const struct bench_contender bench_peer_nng_pubsub;
extern const struct bench_contender bench_peer_nanomsg;
extern const struct bench_contender bench_peer_nanomsg_pubsub;
extern const struct bench_contender bench_peer_mqueue;
extern const struct bench_contender bench_peer_pipe;
extern const struct bench_contender bench_peer_socket;

#ifdef __cplusplus
}
#endif

#endif
