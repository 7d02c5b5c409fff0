/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An audit: walks a whole region, live or dead, and tells what everything in it belongs to, and what
 * does not fit together. It only reads. For tests ("no page, slot or entry was lost"), for looking at
 * what a crash has left, and for tools.
 *
 *      struct peal_audit audit = {.struct_bytes = sizeof(audit)};
 *      peal_bus_audit(bus, NULL, &audit);
 *      if (audit.findings[PEAL_AUDIT_LOST] || audit.findings[PEAL_AUDIT_CORRUPT])
 *          puts(audit.first);
 *
 * Of a region in use it takes no snapshot: it looks at one thing after the other. What changes while it
 * is looked at is looked at again a few times, and counted as unsettled if it never rests, so that
 * honest clients at work are no findings. The time of a walk grows with the size of the region and
 * with nothing else, whatever the bytes are.
 */
#ifndef PEAL_AUDIT_H
#define PEAL_AUDIT_H

#include <peal/export.h>
#include <peal/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PEAL_BEGIN_DECLS

struct peal_bus;

/* What an item is. New kinds are added at the end: leave out what you do not know. */
enum peal_audit_kind {
    PEAL_AUDIT_REGION = 0,     /* the header; span: bytes */
    PEAL_AUDIT_CLIENT = 1,     /* entry `index` of the client table */
    PEAL_AUDIT_TOPIC = 2,      /* entry `object` of the directory */
    PEAL_AUDIT_SUBSCRIBER = 3, /* entry `index` of topic `object` */
    PEAL_AUDIT_LANE = 4,  /* lane `index` of topic `object`; span: pages; messages: what it keeps */
    PEAL_AUDIT_SLOTS = 5, /* slots of the lane; span: slots in use; messages: oldest and next */
    PEAL_AUDIT_READER = 6, /* a subscriber's line in the lane; span.first: its entry;
                                  messages.first: its cursor */
    PEAL_AUDIT_PAGES = 7,  /* a run of pages that one word describes; span: pages */
};

/* Is the client that an owner word names alive? */
enum peal_audit_life {
    PEAL_AUDIT_NOBODY = 0,  /* the thing is free */
    PEAL_AUDIT_ALIVE = 1,   /* a member, and its entry does not say that it is another by now */
    PEAL_AUDIT_DEAD = 2,    /* no member, or its index is held by a successor */
    PEAL_AUDIT_UNKNOWN = 3, /* the members are not known */
};

/* How bad a finding is. */
enum peal_audit_severity {
    PEAL_AUDIT_UNSETTLED = 0, /* kept changing while it was looked at: says nothing */
    PEAL_AUDIT_REMAINS = 1,   /* of a dead client; recovery clears it away */
    PEAL_AUDIT_LOST =
        2, /* held by the living or by nobody, referred to by nothing: lost for good */
    PEAL_AUDIT_CORRUPT = 3, /* no honest client writes this */
};
#define PEAL_AUDIT_SEVERITIES 4

/* A run: [first, first + count). */
struct peal_audit_span {
    uint64_t first;
    uint64_t count;
};

struct peal_audit_item {
    size_t struct_bytes; /* of the library's struct; read no field beyond it */
    enum peal_audit_kind kind;
    uint32_t object; /* index in the directory; UINT32_MAX where there is none */
    uint32_t index;  /* of the thing in its table */
    uint32_t state;  /* as stored */
    const char *state_text;
    const char *name;      /* "" where it has none; UTF-8, others and control characters replaced */
    const char *type_name; /* of a topic */
    enum peal_audit_life life;
    uint32_t client;      /* whose it is, unless life is PEAL_AUDIT_NOBODY */
    uint32_t incarnation; /* low half of its incarnation */
    struct peal_audit_span span;
    struct peal_audit_span messages; /* numbers */
    uint32_t writing;                /* slots whose message is being written, or was discarded */
};

struct peal_audit_finding {
    size_t struct_bytes;
    enum peal_audit_severity severity;
    const struct peal_audit_item *item; /* about what */
    const char *text;                   /* a sentence, with place and owner */
};

/* How to walk. Zero means "the default" in every field; start from PEAL_AUDIT_OPTIONS_INIT. */
struct peal_audit_options {
    size_t struct_bytes;
    bool members_known; /* peal_region_audit(): `members` is meant */
    uint64_t members;   /* bit i: client i is attached; without it nothing is taken for remains */
    /* Called in the walk's thread for what is held (free entries and pages are only counted), and for
     * each finding. The pointers in it are valid during the call. May be NULL. */
    void (*item)(void *context, const struct peal_audit_item *item);
    void (*finding)(void *context, const struct peal_audit_finding *finding);
    void *context;
};

#ifdef __cplusplus
#define PEAL_AUDIT_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(struct peal_audit_options)                                                          \
    }
#else
#define PEAL_AUDIT_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .struct_bytes = sizeof(struct peal_audit_options)                                          \
    }
#endif

/* What a walk counted. */
struct peal_audit {
    size_t struct_bytes; /* in: sizeof(struct peal_audit) */
    uint64_t findings[PEAL_AUDIT_SEVERITIES];
    char first[256]; /* text of the first finding of the worst severity; "" if there is none */
    uint64_t generation;
    uint64_t region_bytes;
    uint32_t topics_max;
    uint32_t pages; /* data pages: each is in exactly one of the next five */
    uint32_t pages_free;
    uint32_t pages_used;    /* of a lane or another object that refers to them */
    uint32_t pages_moving;  /* being taken or given back by a live client */
    uint32_t pages_remains; /* of dead clients */
    uint32_t pages_lost;    /* neither, or spoilt */
    uint32_t clients;
    uint32_t topics;
    uint32_t subscribers;
    uint32_t lanes;
    uint32_t
        lanes_ended; /* of these: orphans that subscribers have still to read, or nobody cleared */
    uint64_t slots;  /* of all lanes whose slots could be looked at */
    uint64_t slots_complete;
    uint64_t slots_writing;
    uint64_t armed; /* bit i: client i wants to be rung */
};

/*
 * Audits the region in memory[0..size_bytes), which must begin at a multiple of 8 bytes and may be mapped
 * read-only, a copy, or one that nobody is attached to. `options` may be NULL.
 * OK: the walk was made, *audit tells what it found. EFORMAT: there is no region of this format, or it
 * is just being laid out; EINVAL: arguments. Thread-safe; does not block; writes nothing but *audit.
 * Memory that vanishes under the walk (a file that is cut short) raises SIGBUS as for any reader.
 */
PEAL_API enum peal_status peal_region_audit(const void *memory, uint64_t size_bytes,
                                            const struct peal_audit_options *options,
                                            struct peal_audit *audit);

/* The same of the region of a bus; the transport says who is a member. */
PEAL_API enum peal_status peal_bus_audit(struct peal_bus *bus,
                                         const struct peal_audit_options *options,
                                         struct peal_audit *audit);

PEAL_END_DECLS

#endif
