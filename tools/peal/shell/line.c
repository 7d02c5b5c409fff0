/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/shell/line.h"

#include "tools/peal/kit/common.h"

#include <string.h>

/* A word that begins like an option; and the option whose value it has, or whose value has to follow. */
struct reading {
    const struct option_entry *option; /* NULL: no option that takes a value */
    const char *value;                 /* in the word itself; NULL: it has to follow */
};

static struct reading read_option(const struct line *line, const char *word)
{
    struct reading reading = {0};
    if (word[1] == '-') {
        const size_t length = strcspn(word + 2, "=");
        reading.option = option_find(line->tables, LINE_TABLES, word + 2, length, 0);
        if (word[2 + length] == '=')
            reading.value = word + 2 + length + 1;
    } else {
        /* Letters in one word: the first that takes a value takes the rest. */
        const char *at = word + 1;
        while (*at != '\0' && !(reading.option && reading.option->value))
            reading.option = option_find(line->tables, LINE_TABLES, NULL, 0, *at++);
        if (*at != '\0')
            reading.value = at;
    }
    if (reading.option && !reading.option->value)
        reading = (struct reading){0};
    return reading;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static void take_value(struct line *line, const struct option_entry *option, const char *value)
{
    if (option->to == &common.bus)
        line->bus = value;
}

/* False: no known command. */
static bool take_operand(struct line *line, const char *word)
{
    if (line->command) {
        line->operands++;
        return true;
    }
    line->command = command_find(word);
    if (!line->command)
        return false;
    line->tables[1] = line->command->options;
    line->tables[2] = line->command->has_json ? common_json_option : NULL;
    return true;
}

static void value_wanted(struct line *line, const struct option_entry *option, const char *word,
                         const char *value)
{
    line->wants = LINE_WANTS_VALUE;
    line->option = option;
    line->ahead = word;
    line->ahead_bytes = (size_t)(value - word);
    line->word = value;
}

/* The word at the cursor, none before it wanting a value. */
static void read_last(struct line *line, const char *word, bool options_end)
{
    line->word = word;
    line->ahead = word;
    if (!options_end && word[0] == '-') {
        const struct reading reading = read_option(line, word);
        if (reading.option && reading.value)
            value_wanted(line, reading.option, word, reading.value);
        else
            line->wants = LINE_WANTS_OPTION;
    } else if (!line->command) {
        line->wants = LINE_WANTS_COMMAND;
    } else if (line->operands < line->command->operands_max) {
        line->wants = LINE_WANTS_OPERAND;
    }
}

void line_read(struct line *line, char **words, size_t count)
{
    const struct option_entry *waits = NULL; /* for its value */
    bool options_end = false;
    *line = (struct line){.tables = {common_options}, .word = "", .ahead = ""};
    for (size_t i = 0; i + 1 < count; i++) {
        const char *word = words[i];
        if (waits) {
            take_value(line, waits, word);
            waits = NULL;
        } else if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && is_option(word)) {
            const struct reading reading = read_option(line, word);
            if (reading.option && reading.value)
                take_value(line, reading.option, reading.value);
            else
                waits = reading.option;
        } else if (!take_operand(line, word)) {
            return;
        }
    }
    const char *last = words[count - 1];
    if (waits)
        value_wanted(line, waits, last, last);
    else
        read_last(line, last, options_end);
}
