/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/transport.h"

#include "core/error.h"
#include "transport/local/local.h"
#include "transport/posix/posix.h"
#include "transport/removal.h"
#include "transport/vdev/vdev.h"

#include <assert.h>
#include <string.h>

static const struct peal_transport_ops *const backends[] = {
    &peal_transport_posix_ops,
    &peal_transport_local_ops,
    &peal_transport_vdev_ops,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

static void assert_complete(const struct peal_transport_ops *ops)
{
    assert(ops->scheme != NULL && ops->open != NULL && ops->close != NULL);
    assert(ops->notify != NULL && ops->epoch != NULL && ops->wait != NULL);
    assert(ops->wake_all != NULL && ops->fd != NULL && ops->members != NULL);
    assert(ops->barrier != NULL && ops->unlink != NULL);
    (void)ops;
}

const struct peal_transport_ops *peal_transport_find(const char *scheme)
{
    if (scheme == NULL)
        return NULL;
    for (size_t i = 0; i < BACKENDS; i++) {
        assert_complete(backends[i]);
        if (strcmp(backends[i]->scheme, scheme) == 0)
            return backends[i];
    }
    return NULL;
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

enum peal_status peal_transport_check_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return peal_fail(PEAL_EINVAL,
                         "the name of the region is empty; use 1 to %u characters of A-Z a-z 0-9 "
                         "'.' '_' '-'",
                         PEAL_TRANSPORT_NAME_MAX);
    if (name[0] == '.' || name[0] == '-')
        return peal_fail(PEAL_EINVAL,
                         "the name of the region begins with '%c'; begin it with a letter, a digit "
                         "or '_'",
                         name[0]);
    for (size_t i = 0; name[i] != '\0'; i++) {
        if (i >= PEAL_TRANSPORT_NAME_MAX)
            return peal_fail(PEAL_EINVAL,
                             "the name of the region '%.*s...' is too long; use at most %u "
                             "characters",
                             (int)PEAL_TRANSPORT_NAME_MAX, name, PEAL_TRANSPORT_NAME_MAX);
        const unsigned char c = (unsigned char)name[i];
        if (is_name_character(name[i]))
            continue;
        if (c >= 0x20 && c < 0x7f)
            return peal_fail(PEAL_EINVAL,
                             "the name of the region has the character '%c' at place %zu; use "
                             "A-Z a-z 0-9 '.' '_' '-'",
                             c, i + 1);
        return peal_fail(PEAL_EINVAL,
                         "the name of the region has the byte 0x%02x at place %zu; use A-Z a-z 0-9 "
                         "'.' '_' '-'",
                         c, i + 1);
    }
    return PEAL_OK;
}

/* Reads the caller's options as far as both sides know them; what it has beyond must be zero. */
static enum peal_status read_options(const struct peal_transport_options *given,
                                     struct peal_transport_options *options)
{
    *options = (struct peal_transport_options){.struct_bytes = sizeof(*options)};
    if (given == NULL)
        return PEAL_OK;
    const size_t bytes = given->struct_bytes;
    if (bytes < sizeof(given->struct_bytes) || bytes > PEAL_TRANSPORT_PAGE_BYTES)
        return peal_fail(PEAL_EINVAL,
                         "struct_bytes of the transport options is %zu; set it to "
                         "sizeof(struct peal_transport_options)",
                         bytes);
    for (size_t i = sizeof(*options); i < bytes; i++) {
        if (((const unsigned char *)given)[i] != 0)
            return peal_fail(PEAL_ENOTSUP,
                             "the transport options set a field at byte %zu that this library does "
                             "not know; update the library",
                             i);
    }
    memcpy(options, given, bytes < sizeof(*options) ? bytes : sizeof(*options));
    options->struct_bytes = sizeof(*options);
    return PEAL_OK;
}

static enum peal_status find(const char *scheme, const struct peal_transport_ops **ops)
{
    *ops = peal_transport_find(scheme);
    if (*ops != NULL)
        return PEAL_OK;
    return peal_fail(PEAL_EINVAL,
                     "there is no transport '%s'; this library has posix, local and vdev",
                     scheme != NULL ? scheme : "");
}

enum peal_status peal_transport_open(const char *scheme, const char *name,
                                     const struct peal_transport_options *options,
                                     struct peal_transport **transport)
{
    const struct peal_transport_ops *ops;
    struct peal_transport_options known;
    *transport = NULL;
    enum peal_status status = find(scheme, &ops);
    if (status == PEAL_OK)
        status = peal_transport_check_name(name);
    if (status == PEAL_OK)
        status = read_options(options, &known);
    if (status == PEAL_OK)
        status = ops->open(name, &known, transport);
    assert(status != PEAL_OK || (*transport)->ops == ops);
    return status;
}

enum peal_status peal_transport_unlink(const char *scheme, const char *name)
{
    const struct peal_transport_ops *ops;
    enum peal_status status = find(scheme, &ops);
    if (status == PEAL_OK)
        status = peal_transport_check_name(name);
    return status == PEAL_OK ? ops->unlink(name) : status;
}

enum peal_status peal_transport_remove_idle(const char *scheme, const char *name,
                                            struct peal_removal *removal)
{
    const struct peal_transport_ops *ops;
    enum peal_status status = find(scheme, &ops);
    if (status == PEAL_OK)
        status = peal_transport_check_name(name);
    if (status == PEAL_OK && !ops->remove_idle)
        status = peal_fail(PEAL_ENOTSUP,
                           "a region of %s: leaves nothing behind that could be removed; it goes "
                           "with its last client",
                           scheme);
    return status == PEAL_OK ? ops->remove_idle(name, removal) : status;
}
