/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program was built from. Defined in a file that built.cmake makes at each build.
 */
#ifndef PEAL_BENCH_BUILT_H
#define PEAL_BENCH_BUILT_H

extern const char bench_built_version[];  /* "0.9.0" */
extern const char bench_built_commit[];   /* "1a2b3c4d5e6f-dirty"; "unknown" outside of git */
extern const char bench_built_compiler[]; /* "GNU 12.2.0" */
extern const char bench_built_flags[];    /* "-O2 -g -DNDEBUG" */

#endif
