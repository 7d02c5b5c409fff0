/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why Peal may be behind a peer. The report prints it where Peal is, and only there.
 */
#ifndef PEAL_BENCH_CONTEST_REASONS_H
#define PEAL_BENCH_CONTEST_REASONS_H

#include <stdbool.h>
#include <stddef.h>

/* All that holds of this contender in this scenario ("throughput/64/single"), one after the other; false:
 * there is nothing to say. */
bool bench_reasons_of(const char *scenario, const char *contender, char *text, size_t text_bytes);

#endif
