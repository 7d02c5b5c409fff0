/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waitsets: a look that finds one ready member among so many, or none.
 */
#include "bench/account/account.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS_MAX = 16 };

struct waitset {
    struct peal_waitset *waitset;
    struct peal_publisher *publishers[MEMBERS_MAX];
    struct peal_subscriber *subscribers[MEMBERS_MAX];
    uint32_t members;
    uint32_t turn;
};

static void *account_waitset_open(struct peal_bus *bus, uint32_t members)
{
    struct waitset *waitset = account_allocate(sizeof(*waitset));
    account_must(peal_waitset_create(bus, &waitset->waitset), PEAL_OK, "waitset");
    waitset->members = members;
    for (uint32_t i = 0; i < members; i++) {
        char name[32];
        snprintf(name, sizeof(name), "account-%u", (unsigned)i);
        account_must(peal_subscriber_create(bus, name, NULL, &waitset->subscribers[i]), PEAL_OK,
                     "subscriber");
        account_must(peal_publisher_create(bus, name, NULL, &waitset->publishers[i]), PEAL_OK,
                     "publisher");
        account_must(
            peal_waitset_add(waitset->waitset, waitset->subscribers[i], NULL, &waitset->members),
            PEAL_OK, "add");
        /* It joins the publisher's lane when it looks. */
        struct peal_message message;
        account_must(peal_subscriber_take(waitset->subscribers[i], &message), PEAL_EMPTY, "take");
    }
    return waitset;
}

static void account_waitset_close(void *state)
{
    struct waitset *waitset = state;
    for (uint32_t i = 0; i < waitset->members; i++) {
        peal_publisher_close(waitset->publishers[i]);
        peal_subscriber_close(waitset->subscribers[i]);
    }
    peal_waitset_close(waitset->waitset);
    free(waitset);
}

static void account_waitset_find(void *state)
{
    struct waitset *waitset = state;
    struct peal_message message;
    void *contexts[MEMBERS_MAX];
    uint64_t word = 1;
    size_t count = 0;
    uint32_t member = waitset->turn++ % waitset->members;
    account_must(peal_publisher_publish(waitset->publishers[member], &word, sizeof(word)), PEAL_OK,
                 "publish");
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_waitset_wait(waitset->waitset, PEAL_FOREVER, contexts, MEMBERS_MAX, &count));
    if (count != 1)
        account_die("not one member is ready");
    account_must(
        peal_subscriber_take_copy(waitset->subscribers[member], &word, sizeof(word), &message),
        PEAL_OK, "take");
}

static void account_waitset_find_none(void *state)
{
    struct waitset *waitset = state;
    void *contexts[MEMBERS_MAX];
    size_t count = 0;
    ACCOUNT_CALL(0, PEAL_TIMEDOUT,
                 peal_waitset_wait(waitset->waitset, 0, contexts, MEMBERS_MAX, &count));
}

#define WAITSET(name_, step_, members_)                                                            \
    {                                                                                              \
        .name = name_, .open = account_waitset_open, .step = step_,                                \
        .close = account_waitset_close, .calls = {"wait"}, .messages = 1, .value = members_        \
    }

const struct account_scenario account_waitsets[] = {
    WAITSET("waitset/ready/1", account_waitset_find, 1),
    WAITSET("waitset/ready/16", account_waitset_find, 16),
    WAITSET("waitset/empty/1", account_waitset_find_none, 1),
    WAITSET("waitset/empty/16", account_waitset_find_none, 16),
    {0},
};
