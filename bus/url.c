/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/url.h"

#include "core/error.h"

#include <stdio.h>
#include <string.h>

/* A part of the text; not terminated. */
struct span {
    const char *start;
    size_t length;
};

struct target {
    struct peal_url *url;
    struct peal_bus_options *options;
};

struct key {
    const char *name;
    const char *form; /* completes "... is not ..." */
    bool (*set)(struct target *target, struct span value);
};

static bool equals(struct span span, const char *text)
{
    return strlen(text) == span.length && memcmp(span.start, text, span.length) == 0;
}

/* Digits of `base` and nothing else; false on overflow. */
static bool read_number(struct span span, unsigned base, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < span.length; i++) {
        const char c = span.start[i];
        if (c < '0' || c >= (char)('0' + base))
            return false;
        const uint64_t digit = (uint64_t)(c - '0');
        if (*number > (UINT64_MAX - digit) / base)
            return false;
        *number = *number * base + digit;
    }
    return span.length > 0;
}

static bool read_size(struct span span, uint64_t *bytes)
{
    unsigned shift = 0;
    switch (span.length > 0 ? span.start[span.length - 1] : '\0') {
    case 'K':
        shift = 10;
        break;
    case 'M':
        shift = 20;
        break;
    case 'G':
        shift = 30;
        break;
    default:
        break;
    }
    if (shift != 0)
        span.length--;
    if (!read_number(span, 10, bytes) || *bytes == 0 || *bytes > UINT64_MAX >> shift)
        return false;
    *bytes <<= shift;
    return true;
}

static bool read_flag(struct span span, bool *flag)
{
    *flag = equals(span, "1");
    return *flag || equals(span, "0");
}

static bool read_text(struct span span, char *text, size_t text_bytes)
{
    if (span.length == 0 || span.length >= text_bytes)
        return false;
    memcpy(text, span.start, span.length);
    text[span.length] = '\0';
    return true;
}

static bool set_size(struct target *target, struct span value)
{
    return read_size(value, &target->options->size_bytes);
}

static bool set_topics(struct target *target, struct span value)
{
    uint64_t number;
    if (!read_number(value, 10, &number) || number == 0 || number > UINT32_MAX)
        return false;
    target->options->topics_max = (uint32_t)number;
    return true;
}

static bool set_mode(struct target *target, struct span value)
{
    uint64_t mode;
    if (!read_number(value, 8, &mode) || mode == 0 || mode > 0777)
        return false;
    target->options->mode = (uint32_t)mode;
    return true;
}

static bool set_group(struct target *target, struct span value)
{
    target->options->group = target->url->group;
    return read_text(value, target->url->group, sizeof(target->url->group));
}

static bool set_device(struct target *target, struct span value)
{
    target->options->device = target->url->device;
    return read_text(value, target->url->device, sizeof(target->url->device));
}

static bool set_prefault(struct target *target, struct span value)
{
    return read_flag(value, &target->options->prefault);
}

static bool set_mlock(struct target *target, struct span value)
{
    return read_flag(value, &target->options->lock_memory);
}

static bool set_huge(struct target *target, struct span value)
{
    return read_flag(value, &target->options->huge_pages);
}

static bool set_exist(struct target *target, struct span value)
{
    return read_flag(value, &target->options->must_exist);
}

static const struct key keys[] = {
    {"size", "a size such as 65536, 512K, 64M or 2G", set_size},
    {"topics", "a number of topics from 1", set_topics},
    {"mode", "an octal mode from 1 to 0777, such as 0660", set_mode},
    {"group", "a group's name or number of 1 to 63 characters", set_group},
    {"prefault", "0 or 1", set_prefault},
    {"mlock", "0 or 1", set_mlock},
    {"huge", "0 or 1", set_huge},
    {"exist", "0 or 1", set_exist},
    {"device", "a path of 1 to 255 characters", set_device},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Printable at any length: messages are cut at 511 characters. */
#define SHOW(span) ((span).length < 64 ? (int)(span).length : 64), (span).start

static const struct key *find_key(struct span name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (equals(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

static enum peal_status unknown_key(struct span name)
{
    char known[128] = "";
    size_t length = 0;
    for (size_t i = 0; i < KEYS; i++) {
        int written =
            snprintf(known + length, sizeof(known) - length, "%s%s", i ? " " : "", keys[i].name);
        if (written > 0)
            length += (size_t)written;
    }
    return peal_fail(PEAL_EINVAL, "the URL has an unknown key '%.*s'; known are: %s", SHOW(name),
                     known);
}

static enum peal_status parse_pair(struct target *target, struct span pair, uint32_t *seen)
{
    const char *equal = memchr(pair.start, '=', pair.length);
    if (equal == NULL)
        return peal_fail(PEAL_EINVAL, "'%.*s' in the URL has no value; write KEY=VALUE",
                         SHOW(pair));
    const struct span name = {pair.start, (size_t)(equal - pair.start)};
    const struct span value = {equal + 1, pair.length - name.length - 1};
    const struct key *key = find_key(name);
    if (key == NULL)
        return unknown_key(name);
    const uint32_t bit = 1u << (key - keys);
    if ((*seen & bit) != 0)
        return peal_fail(PEAL_EINVAL, "the URL has the key '%s' twice; remove one", key->name);
    *seen |= bit;
    if (!key->set(target, value))
        return peal_fail(PEAL_EINVAL, "'%.*s' for '%s' in the URL is not %s", SHOW(value),
                         key->name, key->form);
    return PEAL_OK;
}

static enum peal_status parse_query(struct target *target, const char *query)
{
    uint32_t seen = 0;
    for (;;) {
        const size_t length = strcspn(query, "&");
        enum peal_status status = parse_pair(target, (struct span){query, length}, &seen);
        if (status != PEAL_OK || query[length] == '\0')
            return status;
        query += length + 1;
    }
}

static enum peal_status parse_scheme(struct peal_url *url, struct span scheme)
{
    bool valid = scheme.length > 0 && scheme.length < sizeof(url->scheme);
    for (size_t i = 0; valid && i < scheme.length; i++)
        valid = scheme.start[i] >= 'a' && scheme.start[i] <= 'z';
    if (!valid)
        return peal_fail(
            PEAL_EINVAL,
            "'%.*s' is not a transport; use posix:NAME, vdev:NAME, local:NAME or auto:NAME",
            SHOW(scheme));
    (void)read_text(scheme, url->scheme, sizeof(url->scheme));
    return PEAL_OK;
}

enum peal_status peal_url_parse(struct peal_url *url, struct peal_bus_options *options,
                                const char *text)
{
    memset(url, 0, sizeof(*url));
    if (text == NULL)
        return peal_fail(PEAL_EINVAL, "no URL is given; write for example posix:vehicle");
    const size_t scheme_length = strcspn(text, ":?");
    if (text[scheme_length] != ':')
        return peal_fail(PEAL_EINVAL,
                         "'%.64s' does not say which transport to use; write for example "
                         "posix:vehicle or auto:vehicle",
                         text);
    enum peal_status status = parse_scheme(url, (struct span){text, scheme_length});
    if (status != PEAL_OK)
        return status;
    const char *name = text + scheme_length + 1;
    const struct span name_span = {name, strcspn(name, "?")};
    /* One character too many is kept, so that the check below can say that it is too long. */
    char kept[PEAL_TRANSPORT_NAME_MAX + 2] = "";
    memcpy(kept, name, name_span.length < sizeof(kept) ? name_span.length : sizeof(kept) - 1);
    status = peal_transport_check_name(kept);
    if (status != PEAL_OK)
        return status;
    memcpy(url->name, kept, sizeof(url->name));
    if (name[name_span.length] == '\0')
        return PEAL_OK;
    struct target target = {url, options};
    return parse_query(&target, name + name_span.length + 1);
}
