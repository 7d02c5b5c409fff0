/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/rules.h"

#include "device/model/name.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS_MAX (GUEST_SHM_MAX_NAME - 1)
#define PAGE_BYTES UINT64_C(4096)

struct complaint {
    char *text;
    size_t text_bytes;
};

__attribute__((format(printf, 2, 3))) static bool complain(const struct complaint *complaint,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (complaint->text && complaint->text_bytes > 0)
        (void)vsnprintf(complaint->text, complaint->text_bytes, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- what the rules mean ---------------------------------------------------------------------------------------- */

/* The first `subst` that matches counts. */
static const struct vdev_rule *find_subst(const struct vdev_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct vdev_rule *rule = &rules->rules[i];
        if (rule->kind == VDEV_RULE_SUBST &&
            strncmp(name, rule->pattern, strlen(rule->pattern)) == 0)
            return rule;
    }
    return NULL;
}

bool vdev_rules_name(const struct vdev_rules *rules, const char *name,
                     char host_name[GUEST_SHM_MAX_NAME])
{
    const struct vdev_rule *rule = find_subst(rules, name);
    const char *prefix = rule ? rule->prefix : "";
    const char *rest = rule && !rules->subst_keeps_match ? name + strlen(rule->pattern) : name;
    const size_t prefix_bytes = strlen(prefix);
    const size_t rest_bytes = strlen(rest);
    if (prefix_bytes + rest_bytes > NAME_CHARACTERS_MAX)
        return false;
    memset(host_name, 0, GUEST_SHM_MAX_NAME);
    memcpy(host_name, prefix, prefix_bytes);
    memcpy(host_name + prefix_bytes, rest, rest_bytes);
    return true;
}

bool vdev_rules_permit(const struct vdev_rules *rules, const char *host_name)
{
    bool has_allow = false;
    bool allowed = false;
    for (size_t i = 0; i < rules->count; i++) {
        const struct vdev_rule *rule = &rules->rules[i];
        if (rule->kind != VDEV_RULE_ALLOW && rule->kind != VDEV_RULE_DENY)
            continue;
        const bool matches = fnmatch(rule->pattern, host_name, 0) == 0;
        if (rule->kind == VDEV_RULE_DENY && matches)
            return false;
        has_allow |= rule->kind == VDEV_RULE_ALLOW;
        allowed |= rule->kind == VDEV_RULE_ALLOW && matches;
    }
    return allowed || !has_allow;
}

/* ---- how they are written --------------------------------------------------------------------------------------- */

static bool take_text(char target[GUEST_SHM_MAX_NAME], const char *text, size_t text_bytes,
                      const char *what, const struct complaint *complaint)
{
    if (text_bytes > NAME_CHARACTERS_MAX)
        return complain(complaint, "%s '%.*s' has %zu characters; write at most %d", what, 80, text,
                        text_bytes, NAME_CHARACTERS_MAX);
    memset(target, 0, GUEST_SHM_MAX_NAME);
    memcpy(target, text, text_bytes);
    if (text_bytes > 0 && !vdev_name_is_legal(target))
        return complain(complaint,
                        "%s '%.*s' can match no name: names are printable ASCII without '/'", what,
                        80, text);
    return true;
}

static bool take_pattern(struct vdev_rule *rule, const char *word, const char *argument,
                         const struct complaint *complaint)
{
    if (argument[0] == '\0')
        return complain(complaint, "%s without a pattern; write '%s vehicle*' or '%s *'", word,
                        word, word);
    return take_text(rule->pattern, argument, strlen(argument), "the pattern", complaint);
}

/* Bytes: decimal, octal or 0x hexadecimal, with K, M or G; whole pages, rounded up. */
static bool take_bytes(struct vdev_rule *rule, const char *text, const struct complaint *complaint)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return complain(complaint, "'%s' is no size; write bytes, such as 65536, 0xf0000 or 4M",
                        text);
    const unsigned long long number = strtoull(text, &end, 0);
    unsigned shift = 0;
    switch (*end) {
    case 'K':
    case 'k':
        shift = 10;
        break;
    case 'M':
    case 'm':
        shift = 20;
        break;
    case 'G':
    case 'g':
        shift = 30;
        break;
    default:
        break;
    }
    if (shift != 0)
        end++;
    if (*end == ',')
        return complain(complaint,
                        "'%s': mode and group of a region have no meaning here; write NAME,BYTES",
                        text);
    if (*end != '\0')
        return complain(complaint, "'%s' is no size; write bytes, such as 65536, 0xf0000 or 4M",
                        text);
    const uint64_t bytes_max = UINT32_MAX * PAGE_BYTES;
    if (number == 0 || number > bytes_max >> shift)
        return complain(complaint, "a region of %s bytes cannot be; write 1 to %" PRIu64, text,
                        bytes_max);
    rule->pages = (uint32_t)(((number << shift) + PAGE_BYTES - 1) / PAGE_BYTES);
    return true;
}

static bool take_create(struct vdev_rule *rule, const char *argument,
                        const struct complaint *complaint)
{
    const char *comma = strchr(argument, ',');
    if (!comma || comma == argument)
        return complain(complaint, "create '%s' needs a name and a size; write 'create NAME,BYTES'",
                        argument);
    return take_text(rule->pattern, argument, (size_t)(comma - argument), "the region name",
                     complaint) &&
           take_bytes(rule, comma + 1, complaint);
}

static bool take_subst(struct vdev_rule *rule, const char *argument,
                       const struct complaint *complaint)
{
    const char *comma = strchr(argument, ',');
    if (!comma || comma[1] == '\0')
        return complain(complaint,
                        "subst '%s' needs a prefix; write 'subst MATCH,PREFIX', or 'subst ,PREFIX' "
                        "for all names",
                        argument);
    return take_text(rule->pattern, argument, (size_t)(comma - argument), "the match", complaint) &&
           take_text(rule->prefix, comma + 1, strlen(comma + 1), "the prefix", complaint);
}

/* Whether all regions to be created have room for the prefix they get, whichever of the two rules came first. */
static bool created_names_fit(const struct vdev_rules *rules, const struct complaint *complaint)
{
    char host_name[GUEST_SHM_MAX_NAME];
    for (size_t i = 0; i < rules->count; i++) {
        const struct vdev_rule *rule = &rules->rules[i];
        if (rule->kind == VDEV_RULE_CREATE && !vdev_rules_name(rules, rule->pattern, host_name))
            return complain(complaint,
                            "the region '%s' to be created has more than %d characters with its "
                            "prefix '%s'; shorten one of them",
                            rule->pattern, NAME_CHARACTERS_MAX,
                            find_subst(rules, rule->pattern)->prefix);
    }
    return true;
}

static bool has_room(const struct vdev_rules *rules, enum vdev_rule_kind kind)
{
    size_t same = 0;
    for (size_t i = 0; i < rules->count; i++)
        same += rules->rules[i].kind == kind;
    return same < VDEV_RULES_MAX;
}

static bool take_rule(struct vdev_rule *rule, const char *word, const char *argument,
                      const struct complaint *complaint)
{
    if (strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0) {
        rule->kind = word[0] == 'a' ? VDEV_RULE_ALLOW : VDEV_RULE_DENY;
        return take_pattern(rule, word, argument, complaint);
    }
    if (strcmp(word, "create") == 0) {
        rule->kind = VDEV_RULE_CREATE;
        return take_create(rule, argument, complaint);
    }
    if (strcmp(word, "subst") == 0) {
        rule->kind = VDEV_RULE_SUBST;
        return take_subst(rule, argument, complaint);
    }
    return complain(complaint, "'%s' is no rule; the rules are allow, deny, create and subst",
                    word);
}

bool vdev_rules_add(struct vdev_rules *rules, const char *word, const char *argument, char *error,
                    size_t error_bytes)
{
    const struct complaint complaint = {.text = error, .text_bytes = error_bytes};
    struct vdev_rule rule;
    memset(&rule, 0, sizeof(rule));
    if (!take_rule(&rule, word, argument, &complaint))
        return false;
    if (!has_room(rules, rule.kind))
        return complain(&complaint, "more than %u rules '%s'; use wildcards", VDEV_RULES_MAX, word);
    rules->rules[rules->count++] = rule;
    if (created_names_fit(rules, &complaint))
        return true;
    rules->count--;
    return false;
}
