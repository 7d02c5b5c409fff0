/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shmem vdev as a deterministic state machine: one host with its regions, and the guests that each see a factory page
 * and, for each of their connections, a control page. No threads, no I/O, no time: what happens outside (memory, interrupts)
 * is asked for through `struct vdev_ops`. The server (device/server) and tests put it behind real registers.
 *
 * Words:
 *  host        all regions and all guests; one vdev_model
 *  guest       one instance of the device, in one virtual machine: a register set (factory page) and a rule set
 *  region      named memory, `slot` is its place in the host's table
 *  connection  one attachment of one guest to one region; has an index 0..15 in the region. A guest that attaches twice
 *              has two. `window`: 0..15, its ordinal among the connections of that guest to that region, the lowest that is free
 *
 * Not thread-safe: one thread, or the caller's lock. The callbacks must not call back into the model.
 */
#ifndef PEAL_DEVICE_MODEL_MODEL_H
#define PEAL_DEVICE_MODEL_MODEL_H

#include <guest_shm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_REGIONS_MAX 64u
#define VDEV_GUESTS_MAX 256u
#define VDEV_PAGE_BYTES 4096u
#define VDEV_NO_PLACE UINT64_MAX

struct vdev_model;
struct vdev_guest;
struct vdev_rules; /* rules.h: allow, deny, create, subst of one guest */

/* What the documentation leaves open; see docs/reference/vdev.md for the evidence of each. */
enum vdev_vector_setting {
    VDEV_VECTOR_PER_DEVICE, /* every region of a guest has vector 0: one interrupt a device */
    VDEV_VECTOR_PER_REGION, /* the region's slot */
};

enum vdev_memory_setting {
    VDEV_MEMORY_ZEROED, /* a new region is zero */
    VDEV_MEMORY_STALE,  /* it has what was there before */
};

/* A zero field means the default. */
struct vdev_settings {
    enum vdev_vector_setting vector;
    enum vdev_memory_setting memory;
    bool without_find;         /* an old device, which has no `find` */
    uint32_t regions_max;      /* default and limit VDEV_REGIONS_MAX */
    uint32_t region_pages_max; /* a larger region is GSS_NOMEM; default 2^20 pages (4 GiB) */
    uint64_t pages_max;        /* data pages of all regions together; default: no limit */
};

/* Something happened that a log may want; `text` is a phrase for people, valid during the call only. */
struct vdev_event {
    const struct vdev_guest *guest;
    const char *text;
};

struct vdev_ops {
    /* Memory for a new region; `zeroed`: its first `pages` pages must read as zero. False means GSS_NOMEM. */
    bool (*region_begin)(void *context, uint32_t slot, uint32_t pages, bool zeroed);
    /* The last client has gone, and the region is no more (not called for those made by `create`, which stay). */
    void (*region_end)(void *context, uint32_t slot, uint32_t pages);
    /*
     * Guest-physical address of the control page of a connection; asked at attach and at `find`. VDEV_NO_PLACE: there is
     * none, and the request fails with GSS_UNKNOWN_FAILURE.
     */
    uint64_t (*place)(void *context, struct vdev_guest *guest, uint32_t slot, uint32_t window);
    /*
     * The value of `status` of a connection changed: an interrupt for the guest, one for each connection and change. Not for
     * the guest's own read, which clears the lower half; nor for the birth of a connection, or the end of its guest.
     */
    void (*interrupt)(void *context, struct vdev_guest *guest, uint32_t vector);
    /* May be NULL. */
    void (*event)(void *context, const struct vdev_event *event);
};

/* NULL: no memory, settings beyond a limit, or an op missing. `settings` NULL: all defaults. `ops` must outlive the model. */
struct vdev_model *vdev_model_new(const struct vdev_settings *settings, const struct vdev_ops *ops,
                                  void *context);

/* All guests end first. region_end() is not called for what is left: the permanent regions. */
void vdev_model_free(struct vdev_model *model);

/*
 * A guest with its rules (copied; NULL: everything is allowed). Regions that the rules create are made now. NULL: VDEV_GUESTS_MAX,
 * or no memory, also for one of these regions: then none of them was made. `user`: whatever the embedder wants to find again by vdev_guest_user().
 */
struct vdev_guest *vdev_guest_new(struct vdev_model *model, const struct vdev_rules *rules,
                                  void *user);

/* The virtual machine ended, orderly or not: all its connections are detached, the others are told. */
void vdev_guest_end(struct vdev_guest *guest);

/* The guest's device is reset: as vdev_guest_end(), but it stays, with registers as at the beginning. The counts go on. */
void vdev_guest_reset(struct vdev_guest *guest);

void *vdev_guest_user(const struct vdev_guest *guest);

/*
 * Whether an interrupt line of the guest is raised: `status` of one of its connections has changed and was not read since. The
 * line is level-triggered; who shows it to a guest raises it again for as long as this holds.
 */
bool vdev_guest_line(const struct vdev_guest *guest);

enum vdev_access {
    VDEV_ACCESS_OK,
    VDEV_ACCESS_REFUSED, /* the real device faults, or answers all ones and ignores writes under PCI */
};

/*
 * Registers, by offset within their page and width of the access in bytes (1, 2, 4, 8). `signature` and `shmem`: one access of
 * 8 or two aligned of 4. `name`: bytes only. All others: 4, aligned. Anything else, write-only registers read and read-only ones
 * written, and all of a window that has no connection, is refused: reads give all ones, writes do nothing.
 */
enum vdev_access vdev_factory_read(struct vdev_guest *guest, uint64_t offset, uint32_t width,
                                   uint64_t *value);
enum vdev_access vdev_factory_write(struct vdev_guest *guest, uint64_t offset, uint32_t width,
                                    uint64_t value);
enum vdev_access vdev_control_read(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                                   uint64_t offset, uint32_t width, uint64_t *value);
enum vdev_access vdev_control_write(struct vdev_guest *guest, uint32_t slot, uint32_t window,
                                    uint64_t offset, uint32_t width, uint64_t value);

/*
 * How often a guest touched its registers, each access a trap. Those that were refused are in `refused` alone, so that the sum is that
 * of all traps.
 */
struct vdev_access_counts {
    uint64_t factory_reads;
    uint64_t factory_writes;
    uint64_t status_reads;
    uint64_t idx_reads;
    uint64_t notify_writes;
    uint64_t detach_writes;
    uint64_t refused;
    uint64_t interrupts; /* raised for this guest */
};

struct vdev_access_counts vdev_guest_counts(const struct vdev_guest *guest);

/* What is known of a region, for logs and tests; false: there is none in that slot. */
struct vdev_region_info {
    char name[GUEST_SHM_MAX_NAME];
    uint32_t pages;
    uint32_t members; /* bit i: connection i is in use */
    bool permanent;   /* made by a `create` rule */
};

bool vdev_model_region(const struct vdev_model *model, uint32_t slot,
                       struct vdev_region_info *info);

/* The connections of a guest: the window's connection index in the region, or -1. */
int vdev_guest_connection(const struct vdev_guest *guest, uint32_t slot, uint32_t window);

#endif
