/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs that start with their size, so that programs built against another version go on working:
 * a shorter struct is an older caller, who gets the defaults for the rest; a longer one is a newer
 * caller, who is refused only if he asks for what this library does not know.
 */
#ifndef PEAL_BUS_OPTIONS_H
#define PEAL_BUS_OPTIONS_H

#include <peal/status.h>
#include <stddef.h>

/*
 * Copies the options at `given` (NULL: none) over known[0..known_bytes), which is zeroed before.
 * `what` names the struct in messages: "peal_bus_options". EINVAL: struct_bytes is not set; ENOTSUP:
 * a field that we do not know is set.
 */
enum peal_status peal_options_read(void *known, size_t known_bytes, const void *given,
                                   const char *what);

/*
 * Copies statistics the other way, as far as the caller's struct goes; what it has beyond is zeroed,
 * its struct_bytes stays. EINVAL as above, or if `given` is NULL.
 */
enum peal_status peal_stats_write(void *given, const void *known, size_t known_bytes,
                                  const char *what);

#endif
