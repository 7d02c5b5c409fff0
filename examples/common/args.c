/* SPDX-License-Identifier: Apache-2.0 */
#include "common/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void options_print(const struct args_option *options, size_t count)
{
    printf("\noptions:\n");
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", options[i].name,
                 options[i].value ? options[i].value : "");
        printf("  %-20s %s\n", left, options[i].help);
    }
    printf("  %-20s %s\n", "--help", "show this");
}

static bool real_parse(const char *text, double *real)
{
    char *end;
    errno = 0;
    *real = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*real);
}

static bool integer_parse(const char *text, uint64_t *integer)
{
    static const char suffixes[] = "KMG";
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false; /* strtoull would take "-1" */
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    const char *suffix = *end != '\0' ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
    if (suffix != NULL) {
        unsigned shift = 10u * (unsigned)(suffix - suffixes + 1);
        if (value > (UINT64_MAX >> shift))
            return false;
        value <<= shift;
        end++;
    }
    *integer = value;
    return *end == '\0';
}

static bool in_limits(const struct args_option *option, double value)
{
    if (option->at_least == 0 && option->at_most == 0)
        return true;
    return value >= option->at_least && value <= option->at_most;
}

/* Stores a value; false if it is not one. */
static bool option_store(const struct args_option *option, const char *text)
{
    if (option->to_text != NULL) {
        *option->to_text = text;
        return text[0] != '\0';
    }
    if (option->to_real != NULL)
        return real_parse(text, option->to_real) && in_limits(option, *option->to_real);
    return integer_parse(text, option->to_integer) &&
           in_limits(option, (double)*option->to_integer);
}

static const struct args_option *option_find(const struct args_option *options, size_t count,
                                             const char *name, size_t name_length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == name_length &&
            memcmp(options[i].name, name, name_length) == 0)
            return &options[i];
    return NULL;
}

static int usage_error(const char *program, const char *what, const char *word)
{
    fprintf(stderr, "%s: %s '%s'; try %s --help\n", program, what, word, program);
    return EXIT_USAGE;
}

int args_parse(const char *program, const char *help, const struct args_option *options,
               size_t count, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            printf("usage: %s [options]\n%s\n", program, help);
            options_print(options, count);
            return EXIT_OK;
        }
        if (strncmp(word, "--", 2) != 0)
            return usage_error(program, "do not know what to do with", word);

        const char *name = word + 2;
        size_t name_length = strcspn(name, "=");
        const struct args_option *option = option_find(options, count, name, name_length);
        if (option == NULL)
            return usage_error(program, "there is no option", word);

        const char *value = name[name_length] == '=' ? name + name_length + 1 : NULL;
        if (option->to_flag != NULL) {
            if (value != NULL)
                return usage_error(program, "this option takes no value:", word);
            *option->to_flag = true;
            continue;
        }
        if (value == NULL) {
            if (i + 1 == argc)
                return usage_error(program, "a value is missing after", word);
            value = argv[++i];
        }
        if (!option_store(option, value)) {
            fprintf(stderr, "%s: '%s' is not a valid %s for --%s", program, value, option->value,
                    option->name);
            if (option->at_least != 0 || option->at_most != 0)
                fprintf(stderr, " (%.15g to %.15g)", option->at_least, option->at_most);
            fprintf(stderr, "; try %s --help\n", program);
            return EXIT_USAGE;
        }
    }
    return ARGS_RUN;
}

int args_dispatch(const char *program, const char *help, const struct args_command *commands,
                  size_t count, int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "%s: a command is missing; try %s --help\n", program, program);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
        return usage_error(program, "there is no command", argv[1]);

    printf("usage: %s COMMAND [options]\n%s\n\ncommands:\n", program, help);
    for (size_t i = 0; i < count; i++)
        printf("  %-20s %s\n", commands[i].name, commands[i].help);
    printf("\n%s COMMAND --help shows the options of a command.\n", program);
    return EXIT_OK;
}
