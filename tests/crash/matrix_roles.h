/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles of the kill matrix.
 */
#ifndef PEAL_TESTS_CRASH_MATRIX_ROLES_H
#define PEAL_TESTS_CRASH_MATRIX_ROLES_H

#include "tests/crash/matrix.h"

/* matrix_bus.c */
extern const struct matrix_role matrix_publisher;
extern const struct matrix_role matrix_subscriber;
extern const struct matrix_role matrix_rivals;
extern const struct matrix_role matrix_recoverer;
extern const struct matrix_role matrix_formatter;

/* matrix_ring.c */
extern const struct matrix_role matrix_producer;
extern const struct matrix_role matrix_consumer;

/* matrix_queue.c; where nothing else is said, what the dead held is redelivered, and there is no order over producers. */
extern const struct matrix_role matrix_queue_producer;
extern const struct matrix_role matrix_queue_producer_strict;
extern const struct matrix_role matrix_queue_consumer;
extern const struct matrix_role matrix_queue_consumer_strict;
extern const struct matrix_role matrix_queue_consumer_drops;
extern const struct matrix_role matrix_queue_rivals;
extern const struct matrix_role matrix_queue_rivals_strict;
extern const struct matrix_role matrix_queue_recoverer;
extern const struct matrix_role matrix_queue_recoverer_drops;

#endif
