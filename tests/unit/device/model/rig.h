/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for tests: the model, an embedder that notes each of its requests, and guests that are told apart by a number. Each
 * region has one word of memory, which a new region may find as it was left.
 */
#ifndef PEAL_TESTS_UNIT_DEVICE_MODEL_RIG_H
#define PEAL_TESTS_UNIT_DEVICE_MODEL_RIG_H

#include "device/model/model.h"
#include "device/model/rules.h"

#include <guest_shm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FACTORY(field) ((uint32_t)offsetof(struct guest_shm_factory, field))
#define CONTROL(field) ((uint32_t)offsetof(struct guest_shm_control, field))

enum rig_kind { RIG_BEGIN, RIG_END, RIG_INTERRUPT };

struct rig_record {
    enum rig_kind kind;
    uint32_t subject; /* slot, or number of the guest */
    uint32_t value;   /* pages, or vector */
    uint32_t zeroed;  /* RIG_BEGIN only */
};

#define RIG_RECORDS_MAX 4096u

struct rig {
    struct vdev_model *model;
    struct rig_record records[RIG_RECORDS_MAX];
    uint32_t records_count;
    uint64_t memory[VDEV_REGIONS_MAX];
    bool without_memory;
    bool without_place;
    char event[256]; /* the last one */
    uint32_t events;
};

/* The user pointer of guest number n. */
static inline void *rig_user(uint32_t number)
{
    return (void *)(uintptr_t)(number + 1u);
}

static inline uint32_t rig_number(const struct vdev_guest *guest)
{
    return (uint32_t)(uintptr_t)vdev_guest_user(guest) - 1u;
}

/* Where the control page of a connection lies for its guest. */
static inline uint64_t rig_address(uint32_t number, uint32_t slot, uint32_t window)
{
    return (uint64_t)(number + 1u) << 40 | (uint64_t)slot << 32 | (uint64_t)window << 24 | 0x5000u;
}

static inline void rig_note(struct rig *rig, enum rig_kind kind, uint32_t subject, uint32_t value,
                            uint32_t zeroed)
{
    assert_true(rig->records_count < RIG_RECORDS_MAX);
    rig->records[rig->records_count++] =
        (struct rig_record){.kind = kind, .subject = subject, .value = value, .zeroed = zeroed};
}

static inline bool rig_region_begin(void *context, uint32_t slot, uint32_t pages, bool zeroed)
{
    struct rig *rig = context;
    if (rig->without_memory)
        return false;
    if (zeroed)
        rig->memory[slot] = 0;
    rig_note(rig, RIG_BEGIN, slot, pages, zeroed ? 1 : 0);
    return true;
}

static inline void rig_region_end(void *context, uint32_t slot, uint32_t pages)
{
    rig_note(context, RIG_END, slot, pages, 0);
}

static inline uint64_t rig_place(void *context, struct vdev_guest *guest, uint32_t slot,
                                 uint32_t window)
{
    const struct rig *rig = context;
    return rig->without_place ? VDEV_NO_PLACE : rig_address(rig_number(guest), slot, window);
}

static inline void rig_interrupt(void *context, struct vdev_guest *guest, uint32_t vector)
{
    rig_note(context, RIG_INTERRUPT, rig_number(guest), vector, 0);
}

static inline void rig_event(void *context, const struct vdev_event *event)
{
    struct rig *rig = context;
    (void)snprintf(rig->event, sizeof(rig->event), "%u: %s", (unsigned)rig_number(event->guest),
                   event->text);
    rig->events++;
}

static const struct vdev_ops rig_ops = {.region_begin = rig_region_begin,
                                        .region_end = rig_region_end,
                                        .place = rig_place,
                                        .interrupt = rig_interrupt,
                                        .event = rig_event};

static inline void rig_begin(struct rig *rig, const struct vdev_settings *settings)
{
    memset(rig, 0, sizeof(*rig));
    rig->model = vdev_model_new(settings, &rig_ops, rig);
    assert_non_null(rig->model);
}

static inline struct vdev_guest *rig_guest(struct rig *rig, uint32_t number)
{
    struct vdev_guest *guest = vdev_guest_new(rig->model, NULL, rig_user(number));
    assert_non_null(guest);
    return guest;
}

static inline void rig_rule(struct vdev_rules *rules, const char *word, const char *argument)
{
    char error[256] = "";
    if (!vdev_rules_add(rules, word, argument, error, sizeof(error)))
        fail_msg("%s", error);
}

/* How many interrupts guest `number` had since the last rig_forget(). */
static inline uint32_t rig_interrupts(const struct rig *rig, uint32_t number)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rig->records_count; i++)
        count += rig->records[i].kind == RIG_INTERRUPT && rig->records[i].subject == number;
    return count;
}

static inline uint32_t rig_count(const struct rig *rig, enum rig_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rig->records_count; i++)
        count += rig->records[i].kind == kind;
    return count;
}

static inline void rig_forget(struct rig *rig)
{
    rig->records_count = 0;
}

/* ---- registers, by accesses that the device accepts ---- */

static inline uint64_t factory_get(struct vdev_guest *guest, uint32_t offset, uint32_t width)
{
    uint64_t value = 0;
    assert_int_equal(vdev_factory_read(guest, offset, width, &value), VDEV_ACCESS_OK);
    return value;
}

static inline void factory_put(struct vdev_guest *guest, uint32_t offset, uint32_t width,
                               uint64_t value)
{
    assert_int_equal(vdev_factory_write(guest, offset, width, value), VDEV_ACCESS_OK);
}

static inline void factory_put_name(struct vdev_guest *guest, const char *name)
{
    const uint32_t length = (uint32_t)strlen(name);
    for (uint32_t i = 0; i <= length; i++)
        factory_put(guest, FACTORY(name) + i, 1, (unsigned char)name[i]);
}

static inline void factory_get_name(struct vdev_guest *guest, char name[GUEST_SHM_MAX_NAME + 1])
{
    for (uint32_t i = 0; i < GUEST_SHM_MAX_NAME; i++)
        name[i] = (char)factory_get(guest, FACTORY(name) + i, 1);
    name[GUEST_SHM_MAX_NAME] = '\0';
}

/* The whole transaction; gives GSS_*. */
static inline uint32_t factory_attach(struct vdev_guest *guest, const char *name, uint32_t pages)
{
    factory_put_name(guest, name);
    factory_put(guest, FACTORY(size), 4, pages);
    return (uint32_t)factory_get(guest, FACTORY(status), 4);
}

static inline void assert_attaches(struct vdev_guest *guest, const char *name, uint32_t pages)
{
    assert_int_equal(factory_attach(guest, name, pages), GSS_OK);
}

static inline uint32_t control_get(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                                   uint32_t offset)
{
    uint64_t value = 0;
    assert_int_equal(vdev_control_read(guest, slot, window, offset, 4, &value), VDEV_ACCESS_OK);
    return (uint32_t)value;
}

static inline void control_put(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                               uint32_t offset, uint32_t value)
{
    assert_int_equal(vdev_control_write(guest, slot, window, offset, 4, value), VDEV_ACCESS_OK);
}

/* The first connection of a guest to the region in slot 0. */
static inline uint32_t status_of(struct vdev_guest *guest)
{
    return control_get(guest, 0, 0, CONTROL(status));
}

static inline void notify(struct vdev_guest *guest, uint32_t targets)
{
    control_put(guest, 0, 0, CONTROL(notify), targets);
}

static inline void detach(struct vdev_guest *guest)
{
    control_put(guest, 0, 0, CONTROL(detach), 1);
}

/* Guests 0..count-1, each attached once to the region "r" in slot 0, as connections 0..count-1; nothing pending. */
static inline void rig_attached(struct rig *rig, const struct vdev_settings *settings,
                                struct vdev_guest **guests, uint32_t count)
{
    rig_begin(rig, settings);
    for (uint32_t i = 0; i < count; i++) {
        guests[i] = rig_guest(rig, i);
        assert_attaches(guests[i], "r", 4);
    }
    rig_forget(rig);
}

static inline void rig_end(struct rig *rig, struct vdev_guest **guests, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (guests[i])
            vdev_guest_end(guests[i]);
    }
    vdev_model_free(rig->model);
}

#endif
