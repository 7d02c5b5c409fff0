/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus_internal.h"
#include "bus/open.h"
#include "bus/options.h"
#include "bus/url.h"
#include "core/audit.h"
#include "core/error.h"
#include "core/observe.h"
#include "core/owner.h"
#include "transport/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SCHEME "file:"

/* While a dead client's entry stands at the index that a vdev gave us: so often, with such pauses. */
#define ATTEMPTS 10u
#define PAUSE_NS UINT64_C(50000000)

struct peal_observer {
    struct peal_view view;
    struct peal_authority authority;
};

static uint64_t members_of(void *context)
{
    return peal_view_members(context);
}

static const struct peal_authority *authority_of(const struct peal_observer *observer)
{
    return observer->view.members_known ? &observer->authority : NULL;
}

/*
 * A member without an entry of its own: if a dead client's entry stands at our index, all others take
 * that client for alive as long as we are there, and what it left would not be cleared away.
 */
static bool hides_a_death(const struct peal_view *view, const struct peal_region *region)
{
    return view->index < PEAL_CLIENTS_MAX &&
           peal_owner_state(peal_owner_load(&region->clients[view->index].owner)) !=
               PEAL_CLIENT_FREE;
}

static enum peal_status open_view(struct peal_observer *observer, const char *scheme,
                                  const char *name, const struct peal_transport_options *options)
{
    struct peal_view *view = &observer->view;
    for (uint32_t attempt = 0;; attempt++) {
        struct peal_region region;
        enum peal_status status = peal_view_open(view, scheme, name, options);
        if (status != PEAL_OK)
            return status;
        status = peal_region_look(&region, view->base, view->size_bytes);
        if (status == PEAL_OK && !hides_a_death(view, &region))
            return PEAL_OK;
        const uint32_t index = view->index;
        peal_view_close(view);
        if (status != PEAL_OK)
            return status;
        if (attempt == ATTEMPTS)
            return peal_fail(PEAL_AGAIN,
                             "client %" PRIu32 " has died, and nobody has cleared away what it "
                             "left: open the bus with any program, which does that, and look then",
                             index);
        peal_clock_pause(PAUSE_NS);
    }
}

static enum peal_status open_url(struct peal_observer *observer, const char *url,
                                 const struct peal_observer_options *options)
{
    struct peal_transport_options transport = {.struct_bytes = sizeof(transport)};
    if (url != NULL && strncmp(url, FILE_SCHEME, strlen(FILE_SCHEME)) == 0)
        return open_view(observer, "file", url + strlen(FILE_SCHEME), &transport);
    struct peal_bus_options known = PEAL_BUS_OPTIONS_INIT;
    struct peal_url parsed;
    known.device = options->device;
    enum peal_status status = peal_url_parse(&parsed, &known, url);
    if (status == PEAL_OK)
        status = peal_url_choose_scheme(&parsed, &known);
    if (status != PEAL_OK)
        return status;
    transport.device = known.device;
    return open_view(observer, parsed.scheme, parsed.name, &transport);
}

enum peal_status peal_observer_open(struct peal_observer **observer, const char *url,
                                    const struct peal_observer_options *options)
{
    struct peal_observer_options known;
    if (observer == NULL)
        return peal_fail(PEAL_EINVAL, "no place for the observer; give a pointer to one");
    *observer = NULL;
    enum peal_status status =
        peal_options_read(&known, sizeof(known), options, "peal_observer_options");
    if (status != PEAL_OK)
        return status;
    struct peal_observer *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for an observer; free some");
    status = open_url(made, url, &known);
    if (status != PEAL_OK) {
        free(made);
        return peal_fail_context(status, "cannot look at %.64s", url != NULL ? url : "nothing");
    }
    made->authority = (struct peal_authority){.members = members_of, .context = &made->view};
    *observer = made;
    return PEAL_OK;
}

void peal_observer_close(struct peal_observer *observer)
{
    if (observer == NULL)
        return;
    peal_view_close(&observer->view);
    free(observer);
}

static enum peal_status no_observer(void)
{
    return peal_fail(PEAL_EINVAL, "no observer; open one first");
}

enum peal_status peal_observer_visit(struct peal_observer *observer,
                                     const struct peal_observer_visitor *visitor)
{
    struct peal_observer_visitor known;
    if (observer == NULL)
        return no_observer();
    enum peal_status status =
        peal_options_read(&known, sizeof(known), visitor, "peal_observer_visitor");
    if (status == PEAL_OK)
        status = peal_view_check(&observer->view);
    if (status != PEAL_OK)
        return status;
    return peal_observe_region(observer->view.base, observer->view.size_bytes, &known,
                               authority_of(observer));
}

enum peal_status peal_observer_audit(struct peal_observer *observer,
                                     const struct peal_audit_options *options,
                                     struct peal_audit *audit)
{
    if (observer == NULL)
        return no_observer();
    enum peal_status status = peal_view_check(&observer->view);
    if (status != PEAL_OK)
        return status;
    return peal_audit_memory(observer->view.base, observer->view.size_bytes, options,
                             authority_of(observer), audit);
}

enum peal_status peal_observer_peek(struct peal_observer *observer, uint32_t topic, uint32_t lane,
                                    uint64_t number, void *buffer, size_t capacity_bytes,
                                    struct peal_message *message)
{
    if (observer == NULL)
        return no_observer();
    if (message == NULL || (buffer == NULL && capacity_bytes != 0))
        return peal_fail(PEAL_EINVAL, "no place for the message; give a buffer and a message");
    enum peal_status status = peal_view_check(&observer->view);
    if (status != PEAL_OK)
        return status;
    return peal_observe_message(observer->view.base, observer->view.size_bytes, topic, lane, number,
                                buffer, capacity_bytes, message);
}

struct listing {
    void (*found)(void *context, const char *url);
    void *context;
    const char *scheme;
};

static void tell_url(void *context, const char *name)
{
    const struct listing *listing = context;
    char url[PEAL_URL_SCHEME_BYTES + PEAL_TRANSPORT_NAME_MAX + 2];
    (void)snprintf(url, sizeof(url), "%.15s:%.31s", listing->scheme, name);
    listing->found(listing->context, url);
}

enum peal_status peal_observer_regions(const char *scheme,
                                       void (*found)(void *context, const char *url), void *context)
{
    if (scheme == NULL || found == NULL)
        return peal_fail(PEAL_EINVAL, "give a scheme such as \"posix\", and whom to call");
    struct listing listing = {.found = found, .context = context, .scheme = scheme};
    return peal_view_list(scheme, tell_url, &listing);
}
