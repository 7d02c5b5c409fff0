/* SPDX-License-Identifier: Apache-2.0 */
/* How `peal echo` prints a message. */
#ifndef PEAL_TOOLS_PEAL_TALK_ECHO_PRINT_H
#define PEAL_TOOLS_PEAL_TALK_ECHO_PRINT_H

#include "tools/peal/talk/subscription.h"

/* In the order of the words of --format. */
enum echo_format { ECHO_AUTO = 0, ECHO_TEXT, ECHO_HEX, ECHO_JSON, ECHO_RAW };

struct echo;

/* `ages`: our clock tells the age of messages. `bytes_max`: of each message; 0: all. */
struct echo *echo_new(enum echo_format format, bool headers, bool ages, uint64_t bytes_max);

/* The subscription's message. */
void echo_message(struct echo *echo, struct subscription *subscription);

/* A message of its topic was spoilt. */
void echo_spoilt(struct echo *echo, const struct subscription *subscription);

void echo_free(struct echo *echo);

#endif
