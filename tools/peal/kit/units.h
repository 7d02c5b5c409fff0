/* SPDX-License-Identifier: Apache-2.0 */
/* Figures for people, short enough for a column, and figures from people. JSON gets plain numbers in base units instead. */
#ifndef PEAL_TOOLS_PEAL_KIT_UNITS_H
#define PEAL_TOOLS_PEAL_KIT_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each writes into the caller's text and answers it. */
struct units_text {
    char text[32];
};

const char *units_count(struct units_text *text, uint64_t count); /* 999, 12.3k, 4.56M */
const char *units_bytes(struct units_text *text, uint64_t bytes); /* 48 B, 1.50 KiB, 64.0 MiB */
const char *units_rate(struct units_text *text, double per_s);    /* 0, 0.50/s, 12.3k/s */
const char *units_bandwidth(struct units_text *text, double bytes_per_s); /* 1.50 MiB/s */
const char *units_duration(struct units_text *text, uint64_t ns); /* 120 ns, 1.50 ms, 3 h 20 min */
const char *units_time(struct units_text *text,
                       uint64_t ns_since_1970); /* 2026-01-31 12:00:00, local */

/* Each reads the whole text, or answers false. */
bool units_read_count(const char *text, uint64_t *count); /* decimal digits */
bool units_read_bytes(const char *text, uint64_t *bytes); /* 64, 64K, 1M, 2G: powers of 1024 */
bool units_read_duration(const char *text, uint64_t *ns); /* 2, 2s, 1.5ms, 10us, 100ns, 3m, 1h */
bool units_read_real(const char *text, double *real);     /* 0.5: finite, not negative */

#endif
