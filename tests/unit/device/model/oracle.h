/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shmem vdev does, a second time: written from its description (docs/reference/vdev.md), not from the model, and as
 * naively as can be. One list of clients, searched for everything; the factory page is 64 bytes of memory; an interrupt is
 * found by comparing the value of each `status` before and after. The embedder's side is that of rig.h.
 */
#ifndef PEAL_TESTS_UNIT_DEVICE_MODEL_ORACLE_H
#define PEAL_TESTS_UNIT_DEVICE_MODEL_ORACLE_H

#include "tests/unit/device/model/oracle_rules.h"
#include "tests/unit/device/model/rig.h"

#define ORACLE_GUESTS 16u
#define ORACLE_CLIENTS_MAX 1024u

struct oracle_client {
    uint32_t guest;
    uint32_t slot;
    uint32_t index;
    uint32_t window;
    uint32_t number;
    uint32_t born; /* tells a client from the next one in the same place */
    bool rung_by[16];
    char name[32];
};

struct oracle_region {
    bool exists;
    bool stays;
    uint32_t pages;
    char name[32];
};

struct oracle_guest {
    bool exists;
    bool deaf;
    uint32_t profile;
    unsigned char page[64]; /* the factory page as it reads */
    struct vdev_access_counts counts;
};

struct oracle {
    struct vdev_settings settings; /* no zero limits */
    bool without_memory;
    bool without_place;
    uint32_t births;
    uint32_t clients_count;
    struct oracle_client clients[ORACLE_CLIENTS_MAX];
    struct oracle_region regions[VDEV_REGIONS_MAX];
    struct oracle_guest guests[ORACLE_GUESTS];
    struct rig_record records[RIG_RECORDS_MAX];
    uint32_t records_count;
    uint32_t answers[7]; /* how often each GSS_* was given */
};

static void oracle_note(struct oracle *oracle, enum rig_kind kind, uint32_t subject, uint32_t value,
                        uint32_t zeroed)
{
    assert_true(oracle->records_count < RIG_RECORDS_MAX);
    struct rig_record *record = &oracle->records[oracle->records_count++];
    record->kind = kind;
    record->subject = subject;
    record->value = value;
    record->zeroed = zeroed;
}

/* ---- the list of clients ---- */

static struct oracle_client *oracle_client_at(struct oracle *oracle, uint32_t slot, uint32_t index)
{
    for (uint32_t i = 0; i < oracle->clients_count; i++) {
        if (oracle->clients[i].slot == slot && oracle->clients[i].index == index)
            return &oracle->clients[i];
    }
    return NULL;
}

static struct oracle_client *oracle_client_of(struct oracle *oracle, uint32_t guest, uint32_t slot,
                                              uint32_t window)
{
    for (uint32_t i = 0; i < oracle->clients_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->guest == guest && client->slot == slot && client->window == window)
            return client;
    }
    return NULL;
}

static struct oracle_client *oracle_client_numbered(struct oracle *oracle, uint32_t guest,
                                                    uint32_t number)
{
    for (uint32_t i = 0; i < oracle->clients_count; i++) {
        if (oracle->clients[i].guest == guest && oracle->clients[i].number == number)
            return &oracle->clients[i];
    }
    return NULL;
}

static uint32_t oracle_status(struct oracle *oracle, const struct oracle_client *client)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < 16; i++) {
        if (client->rung_by[i])
            value += 1u << i;
        if (oracle_client_at(oracle, client->slot, i))
            value += 0x10000u << i;
    }
    return value;
}

/* ---- interrupts: what a change does to the values of a region's clients ---- */

struct oracle_values {
    uint32_t born[16]; /* 0: nobody */
    uint32_t value[16];
};

static void oracle_look(struct oracle *oracle, uint32_t slot, struct oracle_values *values)
{
    for (uint32_t i = 0; i < 16; i++) {
        const struct oracle_client *client = oracle_client_at(oracle, slot, i);
        values->born[i] = client ? client->born : 0;
        values->value[i] = client ? oracle_status(oracle, client) : 0;
    }
}

static void oracle_raise(struct oracle *oracle, uint32_t slot, const struct oracle_values *before)
{
    struct oracle_values after;
    oracle_look(oracle, slot, &after);
    for (uint32_t i = 0; i < 16; i++) {
        if (after.born[i] == 0 || after.born[i] != before->born[i] ||
            after.value[i] == before->value[i])
            continue;
        const uint32_t guest = oracle_client_at(oracle, slot, i)->guest;
        if (oracle->guests[guest].deaf)
            continue;
        oracle->guests[guest].counts.interrupts++;
        oracle_note(oracle, RIG_INTERRUPT, guest,
                    oracle->settings.vector == VDEV_VECTOR_PER_REGION ? slot : 0, 0);
    }
}

/* ---- regions ---- */

static uint64_t oracle_pages(const struct oracle *oracle)
{
    uint64_t pages = 0;
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++)
        pages += oracle->regions[slot].exists ? oracle->regions[slot].pages : 0;
    return pages;
}

static bool oracle_find_region(const struct oracle *oracle, const char *name, uint32_t *slot)
{
    for (*slot = 0; *slot < VDEV_REGIONS_MAX; (*slot)++) {
        if (oracle->regions[*slot].exists && strcmp(oracle->regions[*slot].name, name) == 0)
            return true;
    }
    return false;
}

static uint32_t oracle_create(struct oracle *oracle, const char *name, uint32_t pages,
                              uint32_t *slot)
{
    if (pages == 0)
        return GSS_UNKNOWN_FAILURE;
    if (pages > oracle->settings.region_pages_max ||
        oracle_pages(oracle) + pages > oracle->settings.pages_max || oracle->without_memory)
        return GSS_NOMEM;
    for (*slot = 0; *slot < oracle->settings.regions_max; (*slot)++) {
        struct oracle_region *region = &oracle->regions[*slot];
        if (region->exists)
            continue;
        region->exists = true;
        region->stays = false;
        region->pages = pages;
        strcpy(region->name, name);
        oracle_note(oracle, RIG_BEGIN, *slot, pages, oracle->settings.memory == VDEV_MEMORY_ZEROED);
        return GSS_OK;
    }
    return GSS_NOMEM;
}

static void oracle_end_if_unused(struct oracle *oracle, uint32_t slot)
{
    struct oracle_region *region = &oracle->regions[slot];
    for (uint32_t i = 0; i < 16; i++) {
        if (oracle_client_at(oracle, slot, i))
            return;
    }
    if (region->stays)
        return;
    region->exists = false;
    oracle_note(oracle, RIG_END, slot, region->pages, 0);
}

/* ---- attach, detach, find, end ---- */

static void oracle_store(struct oracle *oracle, uint32_t guest, uint32_t offset, uint32_t bytes,
                         uint64_t value)
{
    for (uint32_t i = 0; i < bytes; i++)
        oracle->guests[guest].page[offset + i] = (unsigned char)(value >> 8 * i);
}

static void oracle_answer(struct oracle *oracle, uint32_t guest, uint32_t status, uint64_t shmem,
                          uint32_t vector)
{
    oracle_store(oracle, guest, 8, 8, shmem);
    oracle_store(oracle, guest, 16, 4, vector);
    oracle_store(oracle, guest, 20, 4, status);
    oracle->answers[status]++;
}

static void oracle_show(struct oracle *oracle, const struct oracle_client *client)
{
    const uint32_t guest = client->guest;
    if (oracle->without_place) {
        oracle_answer(oracle, guest, GSS_UNKNOWN_FAILURE, 0, 0);
        return;
    }
    oracle_answer(oracle, guest, GSS_OK, rig_address(guest, client->slot, client->window),
                  oracle->settings.vector == VDEV_VECTOR_PER_REGION ? client->slot : 0);
    oracle_store(oracle, guest, 24, 4, oracle->regions[client->slot].pages);
    memcpy(oracle->guests[guest].page + 28, client->name, 32);
}

static uint32_t oracle_join(struct oracle *oracle, uint32_t guest, uint32_t slot)
{
    struct oracle_client client = {.guest = guest, .slot = slot, .born = ++oracle->births};
    while (client.index < 16 && oracle_client_at(oracle, slot, client.index))
        client.index++;
    if (client.index == 16)
        return GSS_CLIENT_MAX;
    if (oracle->without_place)
        return GSS_UNKNOWN_FAILURE;
    while (oracle_client_of(oracle, guest, slot, client.window))
        client.window++;
    while (oracle_client_numbered(oracle, guest, client.number))
        client.number++;
    memcpy(client.name, oracle->guests[guest].page + 28, 32);
    struct oracle_values before;
    oracle_look(oracle, slot, &before);
    assert_true(oracle->clients_count < ORACLE_CLIENTS_MAX);
    oracle->clients[oracle->clients_count++] = client;
    oracle_raise(oracle, slot, &before);
    oracle_show(oracle, &client);
    return GSS_OK;
}

static uint32_t oracle_request(struct oracle *oracle, uint32_t guest, uint32_t pages)
{
    char name[33];
    char host_name[64];
    uint32_t slot;
    memcpy(name, oracle->guests[guest].page + 28, 32);
    name[32] = '\0';
    const struct oracle_profile *profile = &oracle_profiles[oracle->guests[guest].profile];
    if (!oracle_name_is_legal(name))
        return GSS_ILLEGAL_NAME;
    profile->rename(name, host_name);
    if (strlen(host_name) > 31)
        return GSS_ILLEGAL_NAME;
    if (!profile->permits(host_name))
        return GSS_NO_PERMISSION;
    uint32_t status = GSS_OK;
    if (!oracle_find_region(oracle, host_name, &slot))
        status = oracle_create(oracle, host_name, pages, &slot);
    if (status != GSS_OK)
        return status;
    status = oracle_join(oracle, guest, slot);
    if (status != GSS_OK)
        oracle_end_if_unused(oracle, slot);
    return status;
}

static void oracle_attach(struct oracle *oracle, uint32_t guest, uint32_t pages)
{
    oracle_store(oracle, guest, 24, 4, pages);
    const uint32_t status = oracle_request(oracle, guest, pages);
    if (status != GSS_OK)
        oracle_answer(oracle, guest, status, 0, 0);
}

static void oracle_find(struct oracle *oracle, uint32_t guest, uint32_t number)
{
    oracle_store(oracle, guest, 60, 4, number);
    const struct oracle_client *client = oracle_client_numbered(oracle, guest, number);
    if (client)
        oracle_show(oracle, client);
    else
        oracle_answer(oracle, guest, GSS_DOES_NOT_EXIST, 0, 0);
}

static void oracle_detach(struct oracle *oracle, struct oracle_client *client)
{
    const uint32_t slot = client->slot;
    struct oracle_values before;
    oracle_look(oracle, slot, &before);
    *client = oracle->clients[--oracle->clients_count];
    oracle_raise(oracle, slot, &before);
    oracle_end_if_unused(oracle, slot);
}

static void oracle_notify(struct oracle *oracle, const struct oracle_client *source,
                          uint32_t targets)
{
    struct oracle_values before;
    oracle_look(oracle, source->slot, &before);
    const uint32_t index = source->index;
    for (uint32_t i = 0; i < 16; i++) {
        struct oracle_client *target = oracle_client_at(oracle, source->slot, i);
        if (target && (targets >> i & 1) && !(targets == UINT32_MAX && i == index))
            target->rung_by[index] = true;
    }
    oracle_raise(oracle, source->slot, &before);
}

/* All connections of a guest, region by region in the order of slots and indexes. */
static void oracle_detach_all(struct oracle *oracle, uint32_t guest)
{
    oracle->guests[guest].deaf = true;
    for (uint32_t place = 0; place < VDEV_REGIONS_MAX * 16; place++) {
        struct oracle_client *client = oracle_client_at(oracle, place / 16, place % 16);
        if (client && client->guest == guest)
            oracle_detach(oracle, client);
    }
    oracle->guests[guest].deaf = false;
}

static void oracle_reset(struct oracle *oracle, uint32_t guest)
{
    static const unsigned char signature[8] = {'Q', 'V', 'M', 'G', '2', 'G', 'S', 'M'};
    oracle_detach_all(oracle, guest);
    memset(oracle->guests[guest].page, 0, 64);
    memcpy(oracle->guests[guest].page, signature, sizeof(signature));
}

static void oracle_end_guest(struct oracle *oracle, uint32_t guest)
{
    oracle_detach_all(oracle, guest);
    oracle->guests[guest].exists = false;
}

/* False: the regions that the guest's options create find no memory. */
static bool oracle_new_guest(struct oracle *oracle, uint32_t guest, uint32_t profile)
{
    bool changed[VDEV_REGIONS_MAX] = {false};
    for (const struct oracle_created *created = oracle_profiles[profile].created; created->name;
         created++) {
        uint32_t slot;
        if (!oracle_find_region(oracle, created->name, &slot) &&
            oracle_create(oracle, created->name, created->pages, &slot) != GSS_OK) {
            for (slot = 0; slot < VDEV_REGIONS_MAX; slot++) {
                if (changed[slot]) {
                    oracle->regions[slot].stays = false;
                    oracle_end_if_unused(oracle, slot);
                }
            }
            return false;
        }
        if (!oracle->regions[slot].stays)
            changed[slot] = true;
        oracle->regions[slot].stays = true;
    }
    memset(&oracle->guests[guest], 0, sizeof(oracle->guests[guest]));
    oracle->guests[guest].exists = true;
    oracle->guests[guest].profile = profile;
    oracle_reset(oracle, guest);
    return true;
}

#endif
