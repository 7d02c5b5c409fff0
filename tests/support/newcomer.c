/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/newcomer.h"

#include "core/audit.h"
#include "core/client.h"

#include <string.h>

#define INDEX 50u

static uint64_t only_the_newcomer(void *context)
{
    (void)context;
    return UINT64_C(1) << INDEX;
}

const char *newcomer_come(struct newcomer *newcomer, void *copy, uint64_t size_bytes)
{
    *newcomer = (struct newcomer){
        .authority = {.members = only_the_newcomer}, .copy = copy, .size_bytes = size_bytes};
    if (peal_region_attach(&newcomer->region, copy, size_bytes, INDEX, 0x77, NULL,
                           &newcomer->authority) != PEAL_OK ||
        peal_client_register(&newcomer->region, "newcomer", 1) != PEAL_OK)
        return "the newcomer is refused";
    return NULL;
}

const char *newcomer_audit(struct newcomer *newcomer)
{
    static char first[256];
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    if (peal_audit_walk_region(newcomer->copy, newcomer->size_bytes, &options, &newcomer->authority,
                               &audit) != PEAL_OK)
        return "there is no region afterwards";
    memcpy(first, audit.first, sizeof(first));
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            return first;
    if (audit.clients != 1 || audit.topics || audit.lanes || audit.subscribers ||
        audit.pages_free != audit.pages)
        return "something is held though all are dead";
    return NULL;
}
