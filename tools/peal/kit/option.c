/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/option.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/near.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/units.h"

#include <stdio.h>
#include <string.h>

const char *option_switch(const char *text, void *to)
{
    (void)text;
    *(bool *)to = true;
    return NULL;
}

const char *option_text(const char *text, void *to)
{
    *(const char **)to = text;
    return text[0] != '\0' ? NULL : "a text";
}

const char *option_number(const char *text, void *to)
{
    return units_read_count(text, to) ? NULL : "a whole number";
}

const char *option_count(const char *text, void *to)
{
    return units_read_count(text, to) && *(uint64_t *)to > 0 ? NULL : "a whole number from 1 on";
}

const char *option_bytes(const char *text, void *to)
{
    return units_read_bytes(text, to) && *(uint64_t *)to > 0 ? NULL : "a size as 4096, 64K or 1M";
}

const char *option_duration(const char *text, void *to)
{
    return units_read_duration(text, to) && *(uint64_t *)to > 0 ? NULL
                                                                : "a time as 2s, 500ms or 1.5m";
}

const char *option_rate(const char *text, void *to)
{
    return units_read_real(text, to) && *(double *)to > 0 ? NULL : "a number of Hz as 100 or 0.5";
}

static bool choose(const struct option_entry *option, const char *text)
{
    const size_t length = strlen(text);
    unsigned index = 0;
    for (const char *at = option->choices; *at != '\0'; index++) {
        const size_t word = strcspn(at, " ");
        if (word == length && length > 0 && memcmp(at, text, length) == 0) {
            *(unsigned *)option->to = index;
            return true;
        }
        at += word + strspn(at + word, " ");
    }
    return false;
}

static int store(const struct option_entry *option, const char *text)
{
    const char *valid;
    if (option->choices) {
        if (choose(option, text))
            return EXIT_DONE;
        valid = option->choices;
        return fail(EXIT_USAGE, "--%s is one of: %s; not '%s'", option->name, valid, text);
    }
    valid = option->read(text, option->to);
    if (!valid)
        return EXIT_DONE;
    return fail(EXIT_USAGE, "--%s wants %s, not '%s'", option->name, valid, text);
}

const struct option_entry *option_find(const struct option_entry *const *tables, size_t count,
                                       const char *name, size_t length, char letter)
{
    for (size_t t = 0; t < count; t++)
        for (const struct option_entry *option = tables[t]; option && option->name; option++)
            if (letter != 0
                    ? option->letter == letter
                    : strlen(option->name) == length && memcmp(option->name, name, length) == 0)
                return option;
    return NULL;
}

static int unknown(const struct option_entry *const *tables, size_t count, const char *name,
                   size_t length)
{
    char typed[32];
    struct near_word near = {.typed = typed};
    (void)snprintf(typed, sizeof(typed), "%.*s", (int)length, name);
    for (size_t t = 0; t < count; t++)
        for (const struct option_entry *option = tables[t]; option && option->name; option++)
            near_offer(&near, option->name);
    if (near.word)
        return fail(EXIT_USAGE, "there is no option '--%.*s'; is --%s meant? --help shows all",
                    (int)length, name, near.word);
    return fail(EXIT_USAGE, "there is no option '--%.*s'; --help shows all", (int)length, name);
}

/* The words that are left. */
struct words {
    char **argv;
    size_t count;
    size_t next;
};

static int read_long(const struct option_entry *const *tables, size_t count, struct words *words)
{
    const char *word = words->argv[words->next++] + 2;
    const size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    const struct option_entry *option = option_find(tables, count, word, length, 0);
    if (!option)
        return unknown(tables, count, word, length);
    if (!option->value)
        return value ? fail(EXIT_USAGE, "--%s takes no value", option->name) : store(option, "");
    if (!value && words->next == words->count)
        return fail(EXIT_USAGE, "--%s needs a value: %s", option->name, option->value);
    return store(option, value ? value : words->argv[words->next++]);
}

static int read_letters(const struct option_entry *const *tables, size_t count, struct words *words)
{
    const char *at = words->argv[words->next++] + 1;
    while (*at != '\0') {
        const struct option_entry *option = option_find(tables, count, NULL, 0, *at);
        if (!option)
            return fail(EXIT_USAGE, "there is no option '-%c'; --help shows all", *at);
        at++;
        if (option->value) {
            if (*at == '\0' && words->next == words->count)
                return fail(EXIT_USAGE, "-%c needs a value: %s", option->letter, option->value);
            return store(option, *at != '\0' ? at : words->argv[words->next++]);
        }
        const int code = store(option, "");
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

int option_parse(const struct option_entry *const *tables, size_t table_count, char **argv,
                 size_t argc, size_t *operands)
{
    struct words words = {.argv = argv, .count = argc};
    bool all_operands = false;
    *operands = 0;
    while (words.next < words.count) {
        char *word = argv[words.next];
        int code = EXIT_DONE;
        if (all_operands || word[0] != '-' || word[1] == '\0') { /* "-" is an operand */
            argv[(*operands)++] = word;
            words.next++;
        } else if (strcmp(word, "--") == 0) {
            all_operands = true;
            words.next++;
        } else if (word[1] == '-') {
            code = read_long(tables, table_count, &words);
        } else {
            code = read_letters(tables, table_count, &words);
        }
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

#define HELP_COLUMN 29
#define HELP_WIDTH_MAX 71

/* In lines that fit beside the options' names, on a terminal of 100 columns. */
static void print_folded(const char *text)
{
    while (strlen(text) > HELP_WIDTH_MAX) {
        int length = HELP_WIDTH_MAX;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0)
            break;
        print("%.*s\n%*s", length, text, HELP_COLUMN, "");
        text += length + 1;
    }
    print("%s\n", text);
}

void option_print(const struct option_entry *table)
{
    for (const struct option_entry *option = table; option && option->name; option++) {
        char left[64];
        char right[512];
        char letter[] = "    ";
        if (option->letter != 0)
            (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
                       option->value ? " " : "", option->value ? option->value : "");
        (void)snprintf(right, sizeof(right), "%s%s%s", option->help, option->choices ? ": " : "",
                       option->choices ? option->choices : "");
        if (strlen(left) > HELP_COLUMN - 3)
            print("  %s\n%*s", left, HELP_COLUMN, "");
        else
            print("  %-*s", HELP_COLUMN - 2, left);
        print_folded(right);
    }
}
