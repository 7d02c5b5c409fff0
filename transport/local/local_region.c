/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/local/local_region.h"

#include "core/error.h"
#include "transport/local/local.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_BYTES 65536u

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct peal_local_region *first;
static uint64_t fill_seed;
static uint32_t next_capacity = PEAL_TRANSPORT_CLIENTS_MAX;

void peal_local_lock(void)
{
    (void)pthread_mutex_lock(&list_mutex);
}

void peal_local_unlock(void)
{
    (void)pthread_mutex_unlock(&list_mutex);
}

void peal_local_set_fill(uint64_t seed)
{
    peal_local_lock();
    fill_seed = seed;
    peal_local_unlock();
}

void peal_local_set_capacity(uint32_t capacity)
{
    peal_local_lock();
    next_capacity = capacity == 0 || capacity > PEAL_TRANSPORT_CLIENTS_MAX
                        ? PEAL_TRANSPORT_CLIENTS_MAX
                        : capacity;
    peal_local_unlock();
}

/* Memory between two guards, so that an access out of bounds does not go unseen. */
static unsigned char *map_memory(uint64_t size_bytes)
{
    if (size_bytes > SIZE_MAX - 2u * GUARD_BYTES)
        return NULL;
    const size_t total = (size_t)size_bytes + 2u * GUARD_BYTES;
    unsigned char *map =
        mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    if (mprotect(map + GUARD_BYTES, (size_t)size_bytes, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(map, total);
        return NULL;
    }
    return map + GUARD_BYTES;
}

static void unmap_memory(unsigned char *base, uint64_t size_bytes)
{
    (void)munmap(base - GUARD_BYTES, (size_t)size_bytes + 2u * GUARD_BYTES);
}

static void fill(unsigned char *base, uint64_t size_bytes, uint64_t seed)
{
    uint64_t state = seed;
    if (seed == 0)
        return; /* fresh pages are zero */
    for (uint64_t offset = 0; offset < size_bytes; offset += sizeof(state)) {
        state ^= state << 13; /* xorshift64: any bytes will do, if they are the same for a seed */
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(base + offset, &state, sizeof(state));
    }
}

struct peal_local_region *peal_local_region_find(const char *name)
{
    struct peal_local_region *region = first;
    while (region != NULL && strcmp(region->name, name) != 0)
        region = region->next;
    return region;
}

static void free_region(struct peal_local_region *region)
{
    unmap_memory(region->base, region->size_bytes);
    (void)pthread_mutex_destroy(&region->fd_mutex);
    free(region);
}

enum peal_status peal_local_region_create(const char *name, uint64_t size_bytes,
                                          struct peal_local_region **result)
{
    *result = NULL;
    struct peal_local_region *region = aligned_alloc(PEAL_WRITER_BYTES, sizeof(*region));
    if (region == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for local region '%s'; free some", name);
    memset(region, 0, sizeof(*region));
    region->base = map_memory(size_bytes);
    if (region->base == NULL || pthread_mutex_init(&region->fd_mutex, NULL) != 0) {
        if (region->base != NULL)
            unmap_memory(region->base, size_bytes);
        free(region);
        return peal_fail(PEAL_ENOMEM,
                         "cannot map %" PRIu64
                         " bytes for local region '%s'; free memory or address "
                         "space (ulimit -v), or make the region smaller",
                         size_bytes, name);
    }
    (void)snprintf(region->name, sizeof(region->name), "%s", name);
    region->size_bytes = size_bytes;
    region->capacity = next_capacity;
    fill(region->base, size_bytes, fill_seed);
    for (uint32_t i = 0; i < PEAL_TRANSPORT_CLIENTS_MAX; i++)
        region->clients[i].fd = -1;
    region->named = true;
    region->next = first;
    first = region;
    *result = region;
    return PEAL_OK;
}

void peal_local_region_unname(struct peal_local_region *region)
{
    struct peal_local_region **link = &first;
    while (*link != NULL && *link != region)
        link = &(*link)->next;
    if (*link == region)
        *link = region->next;
    region->named = false;
    if (region->handles == 0)
        free_region(region);
}

void peal_local_region_drop(struct peal_local_region *region)
{
    region->handles--;
    if (region->handles == 0 && !region->named)
        free_region(region);
}
