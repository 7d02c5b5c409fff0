/* SPDX-License-Identifier: Apache-2.0 */
#include "core/audit.h"
#include "bus/bus_internal.h"
#include "bus/options.h"
#include "core/error.h"

enum peal_status peal_audit_memory(const void *memory, uint64_t size_bytes,
                                   const struct peal_audit_options *given,
                                   const struct peal_authority *authority,
                                   struct peal_audit *audited)
{
    struct peal_audit_options options;
    struct peal_audit known = {.struct_bytes = sizeof(known)};
    enum peal_status status =
        peal_options_read(&options, sizeof(options), given, "peal_audit_options");
    if (status == PEAL_OK)
        status = peal_audit_walk_region(memory, size_bytes, &options, authority, &known);
    enum peal_status written = peal_stats_write(audited, &known, sizeof(known), "peal_audit");
    return status == PEAL_OK ? written : status;
}

enum peal_status peal_region_audit(const void *memory, uint64_t size_bytes,
                                   const struct peal_audit_options *options,
                                   struct peal_audit *audited)
{
    return peal_audit_memory(memory, size_bytes, options, NULL, audited);
}

enum peal_status peal_bus_audit(struct peal_bus *bus, const struct peal_audit_options *options,
                                struct peal_audit *audited)
{
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "no bus to audit; open one first");
    return peal_audit_memory(bus->transport->base, bus->transport->size_bytes, options,
                             &bus->region.authority, audited);
}
