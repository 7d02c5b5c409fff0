/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/config.h"

#include "device/server/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 1024
#define CONNECTIONS_DEFAULT 32u

void vdev_config_init(struct vdev_config *config)
{
    *config = (struct vdev_config){.window_bytes = UINT64_C(128) << 20,
                                   .windows = 16,
                                   .connections = CONNECTIONS_DEFAULT,
                                   .mode = 0600,
                                   .log = VDEV_LOG_INFO};
}

void vdev_config_end(struct vdev_config *config)
{
    free(config->guests);
    config->guests = NULL;
    config->guest_count = 0;
}

/* Where a complaint goes. */
struct complaint {
    char *text;
    size_t bytes;
};

__attribute__((format(printf, 2, 3))) static bool complain(const struct complaint *complaint,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint->text, complaint->bytes, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* A decimal (or with base 8, octal) number of at most `most`, nothing else. `rest`: what follows it. */
static bool parse_number(const char *text, unsigned int base, uint64_t most, uint64_t *value,
                         const char **rest)
{
    *value = 0;
    *rest = text;
    for (; **rest >= '0' && **rest < (char)('0' + (int)base); (*rest)++) {
        const uint64_t digit = (uint64_t)(**rest - '0');
        if (*value > (most - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return *rest != text;
}

static bool parse_bytes(const char *text, uint64_t *value)
{
    static const char units[] = "KMG";
    const char *rest;
    if (!parse_number(text, 10, VDEV_WINDOWS_BYTES_MAX, value, &rest))
        return false;
    const char *unit = *rest != '\0' ? strchr(units, toupper((unsigned char)*rest)) : NULL;
    if (unit) {
        *value <<= 10 * (unit - units + 1);
        rest++;
    }
    return *rest == '\0' && *value <= VDEV_WINDOWS_BYTES_MAX;
}

static bool parse_count(const char *text, uint64_t most, uint32_t *value)
{
    const char *rest;
    uint64_t number;
    if (!parse_number(text, 10, most, &number, &rest) || *rest != '\0' || number == 0)
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Index of the text among the choices, or -1. */
static int choose(const char *text, const char *const *choices, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, choices[i]) == 0)
            return i;
    }
    return -1;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool set_guest(struct vdev_config *config, const char *argument,
                      const struct complaint *complaint)
{
    if (strlen(argument) >= VDEV_PATH_BYTES)
        return complain(complaint, "the path of a socket has at most %zu characters",
                        VDEV_PATH_BYTES - 1);
    for (uint32_t i = 0; i < config->guest_count; i++) {
        if (strcmp(config->guests[i].path, argument) == 0)
            return complain(complaint, "%s is the socket of another guest already", argument);
    }
    if (config->guest_count == VDEV_CONFIG_GUESTS_MAX)
        return complain(complaint, "there are more than %u guests; start a second server",
                        VDEV_CONFIG_GUESTS_MAX);
    struct vdev_config_guest *guests =
        realloc(config->guests, (config->guest_count + 1) * sizeof(*guests));
    if (!guests)
        return complain(complaint, "there is no memory for another guest");
    config->guests = guests;
    struct vdev_config_guest *guest = &guests[config->guest_count++];
    memset(guest, 0, sizeof(*guest));
    (void)snprintf(guest->path, sizeof(guest->path), "%s", argument);
    return true;
}

static bool set_rule(struct vdev_config *config, const char *word, const char *argument,
                     const struct complaint *complaint)
{
    if (config->guest_count == 0)
        return complain(complaint,
                        "it stands before the first 'guest PATH', whose rule it would be");
    struct vdev_rules *rules = &config->guests[config->guest_count - 1].rules;
    return vdev_rules_add(rules, word, argument, complaint->text, complaint->bytes);
}

static bool set_window(struct vdev_config *config, const char *argument,
                       const struct complaint *complaint)
{
    uint64_t bytes;
    if (!parse_bytes(argument, &bytes) || !is_power_of_two(bytes) || bytes < VDEV_WINDOW_BYTES_MIN)
        return complain(complaint,
                        "'%s' is not a power of two from %" PRIu64 "K to %" PRIu64
                        "G; write 128M, for example",
                        argument, VDEV_WINDOW_BYTES_MIN >> 10, VDEV_WINDOWS_BYTES_MAX >> 30);
    config->window_bytes = bytes;
    return true;
}

static bool set_windows(struct vdev_config *config, const char *argument,
                        const struct complaint *complaint)
{
    uint32_t count;
    if (!parse_count(argument, VDEV_REGIONS_MAX, &count) || !is_power_of_two(count))
        return complain(complaint, "'%s' is not a power of two from 1 to %u", argument,
                        VDEV_REGIONS_MAX);
    config->windows = count;
    return true;
}

static bool set_limit(struct vdev_config *config, const char *argument,
                      const struct complaint *complaint)
{
    uint64_t bytes;
    if (!parse_bytes(argument, &bytes) || bytes < VDEV_PAGE_BYTES)
        return complain(complaint,
                        "'%s' is not a number of bytes from 4K to %" PRIu64
                        "G; write 512M, for example",
                        argument, VDEV_WINDOWS_BYTES_MAX >> 30);
    config->limit_bytes = bytes;
    return true;
}

static bool set_connections(struct vdev_config *config, const char *argument,
                            const struct complaint *complaint)
{
    if (parse_count(argument, VDEV_GUESTS_MAX, &config->connections))
        return true;
    return complain(complaint, "'%s' is not a number from 1 to %u", argument, VDEV_GUESTS_MAX);
}

static bool set_mode(struct vdev_config *config, const char *argument,
                     const struct complaint *complaint)
{
    const char *rest;
    uint64_t mode;
    if (!parse_number(argument, 8, 0777, &mode, &rest) || *rest != '\0')
        return complain(complaint, "'%s' is not a file mode; write 0660, for example", argument);
    config->mode = (mode_t)mode;
    return true;
}

/* Words whose argument is one of a few. */
struct choice {
    const char *word;
    const char *choices[3];
    int count;
};

static const struct choice choices[] = {{"vector", {"per-device", "per-region"}, 2},
                                        {"memory", {"zeroed", "stale"}, 2},
                                        {"find", {"yes", "no"}, 2},
                                        {"intx", {"off", "on"}, 2},
                                        {"log", {"quiet", "info", "debug"}, 3}};

static void apply_choice(struct vdev_config *config, const char *word, int chosen)
{
    if (strcmp(word, "vector") == 0)
        config->vector = chosen == 0 ? VDEV_VECTOR_PER_DEVICE : VDEV_VECTOR_PER_REGION;
    else if (strcmp(word, "memory") == 0)
        config->memory = chosen == 0 ? VDEV_MEMORY_ZEROED : VDEV_MEMORY_STALE;
    else if (strcmp(word, "find") == 0)
        config->without_find = chosen != 0;
    else if (strcmp(word, "intx") == 0)
        config->intx = chosen != 0;
    else
        config->log = (enum vdev_log_level)chosen;
}

static bool set_choice(struct vdev_config *config, const struct choice *choice,
                       const char *argument, const struct complaint *complaint)
{
    const int chosen = choose(argument, choice->choices, choice->count);
    if (chosen < 0)
        return complain(complaint, "'%s' is none of: %s %s %s", argument, choice->choices[0],
                        choice->choices[1], choice->count > 2 ? choice->choices[2] : "");
    apply_choice(config, choice->word, chosen);
    return true;
}

static const struct {
    const char *word;
    bool (*set)(struct vdev_config *config, const char *argument,
                const struct complaint *complaint);
} words[] = {{"guest", set_guest}, {"window", set_window},           {"windows", set_windows},
             {"limit", set_limit}, {"connections", set_connections}, {"mode", set_mode}};

static const char *const rule_words[] = {"allow", "deny", "create", "subst"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool set_word(struct vdev_config *config, const char *word, const char *argument,
                     const struct complaint *complaint)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(word, words[i].word) == 0)
            return words[i].set(config, argument, complaint);
    }
    for (size_t i = 0; i < COUNT(choices); i++) {
        if (strcmp(word, choices[i].word) == 0)
            return set_choice(config, &choices[i], argument, complaint);
    }
    if (choose(word, rule_words, COUNT(rule_words)) >= 0)
        return set_rule(config, word, argument, complaint);
    return complain(complaint, "there is no such word; peal-vdev --help lists all");
}

bool vdev_config_set(struct vdev_config *config, const char *word, const char *argument,
                     char *error, size_t error_bytes)
{
    char text[VDEV_CONFIG_ERROR_BYTES];
    const struct complaint complaint = {.text = text, .bytes = sizeof(text)};
    const bool done =
        argument && argument[0] != '\0'
            ? set_word(config, word, argument, &complaint)
            : complain(&complaint, "there is no argument; peal-vdev --help lists all");
    if (!done)
        (void)snprintf(error, error_bytes, "%s: %s", word, text);
    return done;
}

/* ---- files ----------------------------------------------------------------------------------- */

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (size_t end = strlen(text); end > 0 && isspace((unsigned char)text[end - 1]); end--)
        text[end - 1] = '\0';
    return text;
}

static bool set_line(struct vdev_config *config, char *line, char *error, size_t error_bytes)
{
    char *word = trim(line);
    if (word[0] == '\0' || word[0] == '#')
        return true;
    char *end = word;
    while (*end != '\0' && !isspace((unsigned char)*end))
        end++;
    char *argument = *end == '\0' ? NULL : trim(end + 1);
    *end = '\0';
    return vdev_config_set(config, word, argument, error, error_bytes);
}

static bool load_lines(struct vdev_config *config, const char *path, FILE *file, char *error,
                       size_t error_bytes)
{
    char line[LINE_BYTES];
    char text[VDEV_CONFIG_ERROR_BYTES];
    for (unsigned int number = 1; fgets(line, sizeof(line), file); number++) {
        const size_t length = strlen(line);
        const bool cut = length == sizeof(line) - 1 && line[length - 1] != '\n';
        if (cut)
            (void)snprintf(text, sizeof(text), "the line is longer than %d characters",
                           LINE_BYTES - 2);
        if (cut || !set_line(config, line, text, sizeof(text))) {
            (void)snprintf(error, error_bytes, "%s:%u: %s", path, number, text);
            return false;
        }
    }
    if (!ferror(file))
        return true;
    (void)snprintf(error, error_bytes, "%s: cannot read it: %s", path, strerror(errno));
    return false;
}

bool vdev_config_load(struct vdev_config *config, const char *path, char *error, size_t error_bytes)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)snprintf(error, error_bytes, "%s: cannot open it: %s", path, strerror(errno));
        return false;
    }
    const bool done = load_lines(config, path, file, error, error_bytes);
    (void)fclose(file);
    return done;
}

bool vdev_config_check(const struct vdev_config *config, char *error, size_t error_bytes)
{
    const struct complaint complaint = {.text = error, .bytes = error_bytes};
    if (config->guest_count == 0)
        return complain(&complaint,
                        "there is no guest; name its socket with --guest PATH, or 'guest PATH' in "
                        "a file for --config");
    if (config->window_bytes > VDEV_WINDOWS_BYTES_MAX / config->windows)
        return complain(&complaint,
                        "%" PRIu32 " windows of %" PRIu64 "M are more than %" PRIu64
                        "G; make them fewer or smaller",
                        config->windows, config->window_bytes >> 20, VDEV_WINDOWS_BYTES_MAX >> 30);
    return true;
}
