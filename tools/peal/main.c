/* SPDX-License-Identifier: Apache-2.0 */
/* peal: see, touch and record a live bus. Finds the command, reads its options, runs it. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/near.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"

#include <errno.h>
#include <locale.h>
#include <peal/version.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void print_commands(void)
{
    print("usage: peal COMMAND [OPTION]... [OPERAND]...\n"
          "Sees, touches and records a live bus.\n\ncommands:\n");
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->internal)
            print("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    print("\nEach has --help. The bus is named by --bus URL or PEAL_BUS; if there is only one "
          "region\n"
          "on this machine it need not be named. man peal has all of it.\n");
}

static void print_help(const struct command *command)
{
    print("usage: peal %s [OPTION]...%s%s\n", command->name,
          command->operands[0] != '\0' ? " " : "", command->operands);
    print("peal %s: %s.\n", command->name, command->summary);
    if (command->details)
        print("\n%s\n", command->details);
    print("\noptions:\n");
    option_print(command->options);
    if (command->has_json)
        option_print(common_json_option);
    option_print(common_options);
}

static int run(const struct command *command, char **argv, size_t argc)
{
    const struct option_entry *const tables[] = {common_options, command->options,
                                                 command->has_json ? common_json_option : NULL};
    static char name[32];
    size_t operands;
    (void)snprintf(name, sizeof(name), "peal %s", command->name);
    fail_name(name);
    const int code = option_parse(tables, 3, argv, argc, &operands);
    if (code != EXIT_DONE)
        return code;
    output_color((enum color_when)common.color);
    if (common.help) {
        print_help(command);
        return EXIT_DONE;
    }
    if (common.version) {
        print("peal %s\n", PEAL_VERSION_TEXT);
        return EXIT_DONE;
    }
    if (operands < command->operands_min)
        return fail(EXIT_USAGE, "something is missing: peal %s %s", command->name,
                    command->operands);
    if (operands > command->operands_max)
        return fail(EXIT_USAGE, "what to do with '%s'? peal %s --help", argv[command->operands_max],
                    command->name);
    return command->run(argv, operands);
}

static int unknown(const char *name)
{
    struct near_word near = {.typed = name};
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->internal)
            near_offer(&near, commands[i]->name);
    if (near.word)
        return fail(EXIT_USAGE, "there is no command '%s'; is %s meant? peal --help shows all",
                    name, near.word);
    return fail(EXIT_USAGE, "there is no command '%s'; peal --help shows all", name);
}

/* `peal --bus URL ls` as well as `peal ls --bus URL`: the command is the first word that is neither an option of all
 * commands nor the value of one. It is moved to the front. */
static bool command_to_front(char **argv, size_t argc)
{
    size_t at = 0;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        const bool value_follows = strcmp(argv[at], "--bus") == 0 || strcmp(argv[at], "-b") == 0 ||
                                   strcmp(argv[at], "--color") == 0;
        at += value_follows ? 2 : 1;
    }
    if (at >= argc)
        return false;
    char *name = argv[at];
    memmove(&argv[1], &argv[0], at * sizeof(argv[0]));
    argv[0] = name;
    return true;
}

static int begin(char **argv, size_t argc)
{
    static const struct option_entry *const tables[] = {common_options};
    size_t operands;
    if (!command_to_front(argv, argc)) {
        const int code = option_parse(tables, 1, argv, argc, &operands);
        if (code != EXIT_DONE)
            return code;
        if (common.version)
            print("peal %s\n", PEAL_VERSION_TEXT);
        else if (common.help)
            print_commands();
        else
            return fail(EXIT_USAGE, "a command is missing; peal --help shows all");
        return EXIT_DONE;
    }
    const struct command *command = command_find(argv[0]);
    if (!command)
        return unknown(argv[0]);
    return run(command, argv + 1, argc - 1);
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C"); /* figures are read by scripts too */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told as a full disk is */
    if (!stop_init())
        return fail(EXIT_FAILED, "cannot handle signals: %s", strerror(errno));
    const int code = begin(argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
    const int written = output_flush();
    return written != EXIT_DONE ? written : code;
}
