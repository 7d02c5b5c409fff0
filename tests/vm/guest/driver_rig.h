/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cases of the driver's test share: the node, checks that go on, and events that are waited for.
 */
#ifndef PEAL_TESTS_VM_GUEST_DRIVER_RIG_H
#define PEAL_TESTS_VM_GUEST_DRIVER_RIG_H

#include "guest_shm.h"
#include "guest_shm_ioctl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PAGE 4096u
#define PAGES 8u
#define PATIENCE_MS 60000 /* an emulated machine on a busy one */

/* Of the whole run: the node, and the module's file or NULL. */
extern const char *device;
extern const char *module;

/* Of one case. */
extern bool failed;
extern const char *skipped; /* why it can't be run here */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("  %s:%d: %s (errno %d: %s)\n", strrchr("/" __FILE__, '/') + 1, __LINE__,       \
                   #condition, errno, strerror(errno));                                            \
            failed = true;                                                                         \
        }                                                                                          \
    } while (0)

/* Whether `call` fails, and in this way. */
#define REFUSED(error, call) CHECK((errno = 0, (call) < 0) && errno == (error))

int open_node(void);
int attach(int fd, const char *name, uint32_t pages, struct guest_shm_attach *answer);

/* A descriptor that is attached; its index. */
int join(const char *name, uint32_t *index);
uint32_t members_of(int fd);
void *map(int fd, uint32_t pages);

short wait_for(int fd, short events);
short look_at(int fd);

/* The next event, within reason. */
struct guest_shm_event next_event(int fd);

/* Also what the device has to tell, but by an interrupt that has not come yet: asking fetches it. */
void forget_events(int fd);

/* Waits until client `index` is (or is not) a member, which the driver tells by events. */
bool member_becomes(int fd, uint32_t index, bool there);

/* Page tables that the kernel keeps for this driver. */
long kept_mappings(void);

struct driver_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

/* Of driver_death.c, which come after the others; ended by a NULL name. */
extern const struct driver_case DEATH_CASES[];

#endif
