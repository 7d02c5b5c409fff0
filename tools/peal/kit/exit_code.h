/* SPDX-License-Identifier: Apache-2.0 */
/* What `peal` ends with. Scripts rely on these numbers: docs/man/peal.1 has them too. */
#ifndef PEAL_TOOLS_PEAL_KIT_EXIT_CODE_H
#define PEAL_TOOLS_PEAL_KIT_EXIT_CODE_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,    /* the system refused: a full disk, a closed pipe, no memory */
    EXIT_USAGE = 2,     /* the command line is not valid */
    EXIT_NOT_FOUND = 3, /* there is no such region, topic or file */
    EXIT_DENIED = 4,    /* no permission */
    EXIT_SPOILT = 5,    /* no region or file of a known format, or one that somebody has spoilt */
    EXIT_FOUND = 6,     /* done, and there is something to look at: findings, messages lost */
    EXIT_TIMED_OUT = 7, /* what was waited for did not come */
    EXIT_NO_ROOM = 8,   /* the region is full, or a limit of it is reached */
};

#endif
