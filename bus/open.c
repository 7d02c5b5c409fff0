/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a bus: URL and options, transport, region, registration; and undoing it.
 */
#include "bus/open.h"

#include "bus/bus_internal.h"
#include "bus/descriptor.h"
#include "bus/options.h"
#include "bus/url.h"
#include "core/client.h"
#include "core/cpu.h"
#include "core/error.h"
#include "core/recover.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SIZE_BYTES (UINT64_C(64) << 20)
#define DEFAULT_OPEN_TIMEOUT_NS UINT64_C(5000000000)
#define DEFAULT_SPIN_NS UINT64_C(20000)
#define DEFAULT_SAFETY_NET_NS UINT64_C(100000000)
#define DEFAULT_BELL_RATE_HZ UINT64_C(100000)

#define VDEV_DEVICE "/dev/guest_shm0"
#define ENDPOINT_BUCKETS 64u

/* While another client lays the region out: polls so often, then with pauses from 50 us to 1 ms. */
#define ATTACH_POLLS 64u
#define ATTACH_PAUSE_MIN_NS UINT64_C(50000)
#define ATTACH_PAUSE_MAX_NS UINT64_C(1000000)

static void set_default(uint64_t *value, uint64_t preset)
{
    if (*value == 0)
        *value = preset;
}

static enum peal_status check_options(struct peal_bus_options *options)
{
    if ((options->mode & ~0777u) != 0)
        return peal_fail(PEAL_EINVAL, "mode 0%o has more than permission bits; use 0 to 0777",
                         options->mode);
    if (options->client_name == NULL || options->client_name[0] == '\0')
        options->client_name = program_invocation_short_name;
    else if (strlen(options->client_name) >= PEAL_CLIENT_NAME_BYTES)
        return peal_fail(PEAL_EINVAL, "the client name '%.40s' is longer than %u characters",
                         options->client_name, PEAL_CLIENT_NAME_BYTES - 1);
    set_default(&options->size_bytes, DEFAULT_SIZE_BYTES);
    set_default(&options->open_timeout_ns, DEFAULT_OPEN_TIMEOUT_NS);
    set_default(&options->spin_ns, DEFAULT_SPIN_NS);
    set_default(&options->safety_net_ns, DEFAULT_SAFETY_NET_NS);
    set_default(&options->bell_rate_hz, DEFAULT_BELL_RATE_HZ);
    return PEAL_OK;
}

enum peal_status peal_url_choose_scheme(struct peal_url *url,
                                        const struct peal_bus_options *options)
{
    if (strcmp(url->scheme, "auto") == 0) {
        const char *device = options->device != NULL ? options->device : VDEV_DEVICE;
        const bool vdev = peal_transport_find("vdev") != NULL && access(device, F_OK) == 0;
        strcpy(url->scheme, vdev ? "vdev" : "posix");
    }
    if (peal_transport_find(url->scheme) != NULL)
        return PEAL_OK;
    return peal_fail(
        PEAL_ENOTSUP,
        "there is no transport '%s' in this library; use posix:%s, vdev:%s, local:%s or auto:%s",
        url->scheme, url->name, url->name, url->name, url->name);
}

/* By number or by name. */
static enum peal_status find_group(const char *group, uint32_t *group_id)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(group, &end, 10);
    if (group[0] >= '0' && group[0] <= '9' && *end == '\0' && errno == 0 && number < UINT32_MAX) {
        *group_id = (uint32_t)number;
        return PEAL_OK;
    }
    struct group entry, *found = NULL;
    char text[16384];
    (void)getgrnam_r(group, &entry, text, sizeof(text), &found);
    if (found == NULL)
        return peal_fail(PEAL_EINVAL, "there is no group '%.64s' on this system; see getent group",
                         group);
    *group_id = (uint32_t)found->gr_gid;
    return PEAL_OK;
}

static enum peal_status open_transport(struct peal_bus *bus, const struct peal_url *url,
                                       const struct peal_bus_options *options)
{
    struct peal_transport_options wanted = {
        .struct_bytes = sizeof(wanted),
        .size_bytes = options->size_bytes,
        .mode = options->mode,
        .prefault = options->prefault,
        .lock_memory = options->lock_memory,
        .huge_pages = options->huge_pages,
        .must_exist = options->must_exist,
        .device = options->device,
        .timeout_ns = options->open_timeout_ns,
    };
    if (options->group != NULL && options->group[0] != '\0') {
        enum peal_status status = find_group(options->group, &wanted.group_id);
        if (status != PEAL_OK)
            return status;
        wanted.use_group = true;
    }
    return peal_transport_open(url->scheme, url->name, &wanted, &bus->transport);
}

static uint64_t members_of(void *context)
{
    struct peal_transport *transport = context;
    return transport->ops->members(transport);
}

/* Until nobody else is laying the region out, or the deadline. */
static enum peal_status attach_region(struct peal_bus *bus, const struct peal_bus_options *options)
{
    struct peal_transport *transport = bus->transport;
    const struct peal_authority authority = {.members = members_of, .context = transport};
    const struct peal_region_wish wish = {.topics_max = options->topics_max,
                                          .generation = peal_random_incarnation()};
    const uint64_t incarnation = peal_random_incarnation();
    const uint64_t deadline_ns = peal_deadline_ns(peal_clock_ns(), options->open_timeout_ns);
    uint64_t pause_ns = ATTACH_PAUSE_MIN_NS;
    for (uint32_t attempt = 0;; attempt++) {
        enum peal_status status =
            peal_region_attach(&bus->region, transport->base, transport->size_bytes,
                               transport->index, incarnation, &wish, &authority);
        if (status != PEAL_AGAIN)
            return status;
        if (peal_clock_ns() >= deadline_ns)
            return peal_fail(PEAL_TIMEDOUT,
                             "another client has been laying the region out for more than %llu ms; "
                             "if it is stopped, continue or end it",
                             (unsigned long long)(options->open_timeout_ns / 1000000));
        if (attempt < ATTACH_POLLS) {
            peal_cpu_relax();
            continue;
        }
        peal_clock_pause(pause_ns);
        pause_ns = pause_ns * 2 < ATTACH_PAUSE_MAX_NS ? pause_ns * 2 : ATTACH_PAUSE_MAX_NS;
    }
}

static enum peal_status join(struct peal_bus *bus, const struct peal_url *url,
                             const struct peal_bus_options *options)
{
    enum peal_status status = open_transport(bus, url, options);
    if (status != PEAL_OK)
        return status;
    bus->fences =
        options->always_fence || (bus->transport->capabilities & PEAL_TRANSPORT_BARRIER) == 0;
    status = attach_region(bus, options);
    if (status == PEAL_OK)
        status = peal_client_register(&bus->region, bus->client_name, peal_clock_realtime_ns());
    if (status == PEAL_OK)
        (void)peal_bus_look_for_dead(bus, 0);
    return status;
}

/* What needs no transport; NULL when there is no memory. */
static struct peal_bus *allocate(const struct peal_bus_options *options)
{
    struct peal_bus *bus = calloc(1, sizeof(*bus));
    if (bus == NULL)
        return NULL;
    bus->endpoints = peal_rcu_table(ENDPOINT_BUCKETS);
    if (bus->endpoints == NULL) {
        free(bus);
        return NULL;
    }
    /* Cannot fail with default attributes on Linux. */
    (void)pthread_mutex_init(&bus->members_lock, NULL);
    (void)pthread_mutex_init(&bus->sleepers_lock, NULL);
    peal_descriptor_init(bus);
    peal_reference_init(&bus->references);
    strncpy(bus->client_name, options->client_name, sizeof(bus->client_name) - 1);
    bus->spin_ns = options->spin_ns;
    bus->safety_net_ns = options->safety_net_ns;
    bus->bell_rate_hz = options->bell_rate_hz;
    return bus;
}

void peal_bus_free(struct peal_bus *bus)
{
    peal_descriptor_close(bus);
    if (bus->transport != NULL)
        bus->transport->ops->close(bus->transport);
    peal_rcu_table_free(bus->endpoints);
    (void)pthread_mutex_destroy(&bus->sleepers_lock);
    (void)pthread_mutex_destroy(&bus->members_lock);
    free(bus);
}

enum peal_status peal_bus_open(struct peal_bus **bus, const char *url,
                               const struct peal_bus_options *options)
{
    struct peal_bus_options known;
    struct peal_url parsed;
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "no place for the bus; give a pointer to one");
    *bus = NULL;
    enum peal_status status = peal_options_read(&known, sizeof(known), options, "peal_bus_options");
    if (status == PEAL_OK)
        status = peal_url_parse(&parsed, &known, url);
    if (status == PEAL_OK)
        status = check_options(&known);
    if (status == PEAL_OK)
        status = peal_url_choose_scheme(&parsed, &known);
    if (status != PEAL_OK)
        return status;
    struct peal_bus *made = allocate(&known);
    if (made == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a bus; free some");
    status = join(made, &parsed, &known);
    if (status != PEAL_OK) {
        peal_bus_free(made);
        return peal_fail_context(status, "cannot open %s:%s", parsed.scheme, parsed.name);
    }
    *bus = made;
    return PEAL_OK;
}

enum peal_status peal_unlink(const char *url)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_url parsed;
    enum peal_status status = peal_url_parse(&parsed, &options, url);
    if (status == PEAL_OK)
        status = peal_url_choose_scheme(&parsed, &options);
    return status == PEAL_OK ? peal_transport_unlink(parsed.scheme, parsed.name) : status;
}
