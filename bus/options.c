/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/options.h"

#include "core/error.h"

#include <string.h>

/* No struct of the interface will ever be so large: it is a size that was not set. */
#define SANE_BYTES 4096u

static enum peal_status check_bytes(size_t bytes, const char *what)
{
    if (bytes >= sizeof(size_t) && bytes <= SANE_BYTES)
        return PEAL_OK;
    return peal_fail(PEAL_EINVAL, "struct_bytes of struct %s is %zu; set it to sizeof(struct %s)",
                     what, bytes, what);
}

enum peal_status peal_options_read(void *known, size_t known_bytes, const void *given,
                                   const char *what)
{
    memset(known, 0, known_bytes);
    if (given == NULL)
        return PEAL_OK;
    size_t bytes;
    memcpy(&bytes, given, sizeof(bytes));
    enum peal_status status = check_bytes(bytes, what);
    if (status != PEAL_OK)
        return status;
    for (size_t i = known_bytes; i < bytes; i++) {
        if (((const unsigned char *)given)[i] != 0)
            return peal_fail(PEAL_ENOTSUP,
                             "struct %s sets a field at byte %zu that this library does not know; "
                             "use the library that its header came with",
                             what, i);
    }
    memcpy(known, given, bytes < known_bytes ? bytes : known_bytes);
    return PEAL_OK;
}

enum peal_status peal_stats_write(void *given, const void *known, size_t known_bytes,
                                  const char *what)
{
    if (given == NULL)
        return peal_fail(PEAL_EINVAL, "no struct %s to write to; give a pointer to one", what);
    size_t bytes;
    memcpy(&bytes, given, sizeof(bytes));
    enum peal_status status = check_bytes(bytes, what);
    if (status != PEAL_OK)
        return status;
    memset(given, 0, bytes);
    memcpy(given, known, bytes < known_bytes ? bytes : known_bytes);
    memcpy(given, &bytes, sizeof(bytes));
    return PEAL_OK;
}
