/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How everything here tells what became of a call: a status to branch on, and one line for people that says where in the file
 * and what is wrong.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_ERROR_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_ERROR_H

#include <stdint.h>

enum mcap_status {
    MCAP_OK,
    MCAP_END,     /* there is no more */
    MCAP_BUSY,    /* it would have to wait, and was told not to; nothing was taken */
    MCAP_INVALID, /* the caller asks for what cannot be */
    MCAP_NOMEM,
    MCAP_SYSTEM, /* the operating system refused: `system` is its errno */
    MCAP_TORN,   /* the file ends in the middle of something */
    MCAP_BROKEN, /* bytes that cannot be right */
    MCAP_LIMIT,  /* may be right, but needs more memory than was allowed */
};

/* For errors that are of no place in a file. */
#define MCAP_NOWHERE UINT64_MAX

struct mcap_error {
    enum mcap_status status;
    int system;
    uint64_t offset;
    char text[256];
};

/* Fills in `error`, with "at byte OFFSET: " before the text unless it is MCAP_NOWHERE. Answers `status`. */
__attribute__((format(printf, 4, 5))) enum mcap_status mcap_fail(struct mcap_error *error,
                                                                 enum mcap_status status,
                                                                 uint64_t offset,
                                                                 const char *format, ...);

/* The same for MCAP_SYSTEM: `number` is the errno, and its words are put behind "WHAT: ". */
enum mcap_status mcap_fail_system(struct mcap_error *error, int number, uint64_t offset,
                                  const char *what);

#endif
