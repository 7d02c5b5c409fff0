/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"

#include "core/error.h"
#include "core/fault.h"
#include "core/owner.h"
#include "core/recover.h"
#include "core/text.h"

#define NAME_WORDS (PEAL_CLIENT_NAME_BYTES / 8)
#define ATTEMPTS 16u

static void write_fields(const struct peal_region *region, struct peal_client_shared *client,
                         const char *name, uint64_t started_ns)
{
    uint64_t words[NAME_WORDS];
    peal_text_pack(name, words, NAME_WORDS);
    peal_text_store(client->name, words, NAME_WORDS);
    /* relaxed: published by the owner word */
    peal_u64_store_relaxed(&client->incarnation, region->incarnation);
    peal_u64_store_relaxed(&client->started_ns, started_ns);
    peal_u64 *counters = &client->counters.heartbeat_ns;
    for (size_t i = 0; i < sizeof(client->counters) / sizeof(peal_u64); i++)
        peal_u64_store_relaxed(&counters[i], 0); /* relaxed: for observers only */
    PEAL_FAULT("client.written");
}

static void clear_armed(struct peal_region *region)
{
    /* CLIENT-F1: pairs with CLIENT-F1 (itself); a bell that was wanted is not wanted any more. */
    (void)peal_u64_and_seq_cst(&region->header->sleepers.armed, ~(UINT64_C(1) << region->index));
    PEAL_FAULT("client.disarmed");
}

/* The authority gave us the index, so whatever stands in its entry is by a dead client. */
enum peal_status peal_client_register(struct peal_region *region, const char *name,
                                      uint64_t started_ns)
{
    struct peal_client_shared *client = &region->clients[region->index];
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t word = peal_owner_load(&client->owner);
        if (peal_owner_state(word) != PEAL_CLIENT_FREE) {
            (void)peal_owner_swap(&client->owner, word, peal_owner_next(word, PEAL_CLIENT_FREE));
            PEAL_FAULT("client.cleared");
            continue;
        }
        write_fields(region, client, name, started_ns);
        clear_armed(region);
        uint64_t own =
            peal_owner_take(word, PEAL_CLIENT_ACTIVE, region->index, (uint32_t)region->incarnation);
        if (peal_owner_swap(&client->owner, word, own)) {
            PEAL_FAULT("client.active");
            /* From here on everybody can tell our predecessor's words from ours. */
            (void)peal_recover(region);
            return PEAL_OK;
        }
    }
    return peal_fail(PEAL_AGAIN, "somebody keeps changing the entry of client %u; try again",
                     (unsigned)region->index);
}

void peal_client_unregister(struct peal_region *region)
{
    struct peal_client_shared *client = &region->clients[region->index];
    clear_armed(region);
    uint64_t word = peal_owner_load(&client->owner);
    struct peal_owner owner = peal_owner_unpack(word);
    if (owner.state == PEAL_CLIENT_ACTIVE && owner.incarnation == (uint32_t)region->incarnation)
        (void)peal_owner_swap(&client->owner, word, peal_owner_next(word, PEAL_CLIENT_FREE));
    PEAL_FAULT("client.freed");
}

void peal_client_view(const struct peal_region *region, uint32_t index,
                      struct peal_client_view *view)
{
    *view = (struct peal_client_view){0};
    if (index >= PEAL_CLIENTS_MAX)
        return;
    const struct peal_client_shared *client = &region->clients[index];
    struct peal_owner owner = peal_owner_unpack(peal_owner_load(&client->owner));
    uint64_t words[NAME_WORDS];
    peal_text_load(client->name, words, NAME_WORDS);
    peal_text_unpack(words, NAME_WORDS, view->name, sizeof(view->name));
    view->active = owner.state == PEAL_CLIENT_ACTIVE && owner.client == index;
    view->incarnation = peal_u64_load_relaxed(&client->incarnation); /* relaxed: for observers */
}
