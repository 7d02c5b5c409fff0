/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/peers.h"

const struct bench_contender *const bench_contenders[] = {&bench_peer_reader_writer_queue, NULL};
