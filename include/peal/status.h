/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call of Peal answers.
 *
 * Calls on the data path (publish, take, ...) return a status and nothing else. Set-up calls (open,
 * create) also leave a message in the calling thread that says what went wrong and what to do about
 * it: peal_error_message().
 */
#ifndef PEAL_STATUS_H
#define PEAL_STATUS_H

#include <peal/export.h>

PEAL_BEGIN_DECLS

/* X(name, value, text). The values are part of the ABI: new ones are added at the end. */
#define PEAL_STATUS_MAP(X)                                                                         \
    X(OK, 0, "success")                                                                            \
    X(EMPTY, 1, "nothing to take now")                                                             \
    X(FULL, 2, "a reliable subscriber has not made room yet")                                      \
    X(DROPPED, 3, "the message was dropped and counted, as the topic's full policy says")          \
    X(ELAPPED, 4, "the message was overwritten while it was read in place")                        \
    X(AGAIN, 5, "contended or not ready; call again")                                              \
    X(TIMEDOUT, 6, "the deadline passed")                                                          \
    X(CLOSED, 7, "the object was closed")                                                          \
    X(ETRUNC, 8, "the buffer is smaller than the message; nothing was consumed")                   \
    X(EINVAL, 9, "an argument is not valid")                                                       \
    X(ENOMEM, 10, "not enough memory")                                                             \
    X(ENOSPC, 11, "the region has no room left")                                                   \
    X(ELIMIT, 12, "a fixed limit is reached")                                                      \
    X(EPERM, 13, "permission denied")                                                              \
    X(ENOENT, 14, "no such object")                                                                \
    X(EEXIST, 15, "the object exists with other properties")                                       \
    X(EFORMAT, 16, "the object has another format or version")                                     \
    X(EMISMATCH, 17, "the type or the geometry of the topic differs")                              \
    X(ECORRUPT, 18, "a peer has spoilt shared memory")                                             \
    X(EMSGSIZE, 19, "the message is longer than the topic allows")                                 \
    X(ENOTSUP, 20, "not supported by this transport or platform")                                  \
    X(ESYSTEM, 21, "the operating system refused")

enum peal_status {
#define PEAL_STATUS_ENUM(name, value, text) PEAL_##name = value,
    PEAL_STATUS_MAP(PEAL_STATUS_ENUM)
#undef PEAL_STATUS_ENUM
};

/*
 * A short English text for a status, "unknown status" for a value that is none.
 * The string is static. Thread-safe; does not block; cannot fail.
 */
PEAL_API const char *peal_status_text(enum peal_status status);

/* The name of a status as it is written in C, for example "PEAL_FULL". Static; thread-safe. */
PEAL_API const char *peal_status_name(enum peal_status status);

/*
 * What the last failing set-up call of this thread had to say, in a sentence that also tells what
 * to do; an empty string if none has failed. Valid until the next failing call of this thread.
 * Thread-safe (each thread has its own); does not block; cannot fail.
 */
PEAL_API const char *peal_error_message(void);

PEAL_END_DECLS

#endif
