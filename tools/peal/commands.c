/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order in which --help shows them. Each is declared here only: nobody else calls them. */
#include "tools/peal/command.h"

#include <string.h>

extern const struct command command_ls;
extern const struct command command_info;
extern const struct command command_top;
extern const struct command command_pub;
extern const struct command command_echo;
extern const struct command command_hz;
extern const struct command command_delay;
extern const struct command command_record;
extern const struct command command_replay;
extern const struct command command_recover;
extern const struct command command_audit;
extern const struct command command_clean;
extern const struct command command_doctor;
extern const struct command command_metrics;
extern const struct command command_web;
extern const struct command command_complete;

const struct command *const commands[] = {
    &command_ls,       &command_info,  &command_top,    &command_pub,     &command_echo,
    &command_hz,       &command_delay, &command_record, &command_replay,  &command_recover,
    &command_audit,    &command_clean, &command_doctor, &command_metrics, &command_web,
    &command_complete, NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
