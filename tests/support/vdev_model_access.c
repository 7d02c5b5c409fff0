/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/vdev_model_access.h"

#include "core/error.h"
#include "transport/vdev/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define FACTORY_ADDRESS UINT64_C(0xfe000000)
#define WINDOWS_ADDRESS UINT64_C(0x4000000000)
#define WINDOW_BYTES (UINT64_C(1) << 36)
#define PAGE ((uint64_t)VDEV_PAGE_BYTES)
#define DATA_OFFSET (GUEST_SHM_MAX_CLIENTS * PAGE)
#define WORD_BYTES 32

/* A guest, and how many ways lead to it. */
struct user {
    struct user *next;
    struct vdev_guest *guest; /* NULL: it has ended */
    unsigned ways;
    pthread_mutex_t lock; /* around factory transactions */
    char word[WORD_BYTES];
};

struct way {
    struct peal_vdev_registers registers;
    struct way *next;
    struct user *user;
    bool unplugged;
    /* The last connection made over it, to find it by region and index. */
    uint64_t control;
    unsigned char *base;
};

static struct host {
    pthread_mutex_t mutex; /* around everything */
    struct vdev_model *model;
    struct user *users;
    struct way *ways;
    struct vdev_rules *rules;
    int memory[VDEV_REGIONS_MAX];
    int fail_at; /* -1: never */
    bool failed;
    bool fail_map;
    bool narrow;
    bool lies[MODEL_REGISTERS];
    uint64_t lie[MODEL_REGISTERS];
    void (*watch)(void *context, enum model_access_register which);
    void *watch_context;
    uint64_t last_notify;
    uint32_t widest_name;
} host = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fail_at = -1};

static void enter(void)
{
    (void)pthread_mutex_lock(&host.mutex);
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&host.mutex);
}

/* ---- what the model asks for; under the mutex ---- */

static bool region_begin(void *context, uint32_t slot, uint32_t pages, bool zeroed)
{
    (void)context;
    (void)zeroed; /* a memfd always is; stale memory is the model's own affair in its tests */
    host.memory[slot] = memfd_create("vdev-model", MFD_CLOEXEC);
    if (host.memory[slot] >= 0 &&
        ftruncate(host.memory[slot], (off_t)((uint64_t)pages * PAGE)) == 0)
        return true;
    if (host.memory[slot] >= 0)
        (void)close(host.memory[slot]);
    host.memory[slot] = -1;
    return false;
}

static void region_end(void *context, uint32_t slot, uint32_t pages)
{
    (void)context;
    (void)pages;
    (void)close(host.memory[slot]);
    host.memory[slot] = -1;
}

static uint64_t place(void *context, struct vdev_guest *guest, uint32_t slot, uint32_t window)
{
    (void)context;
    (void)guest;
    return WINDOWS_ADDRESS + slot * WINDOW_BYTES + DATA_OFFSET - (window + 1) * PAGE;
}

static void interrupt(void *context, struct vdev_guest *guest, uint32_t vector)
{
    const uint64_t one = 1;
    (void)context;
    (void)vector;
    for (struct way *way = host.ways; way != NULL; way = way->next)
        if (way->user == vdev_guest_user(guest))
            (void)!write(way->registers.fd, &one, sizeof(one));
}

static const struct vdev_ops OPS = {
    .region_begin = region_begin, .region_end = region_end, .place = place, .interrupt = interrupt};

/* ---- registers ---- */

static struct way *way_of(struct peal_vdev_registers *registers)
{
    return (struct way *)(void *)registers;
}

/* Which register the tests may lie about; MODEL_REGISTERS: none of them. */
static enum model_access_register register_at(uint64_t address)
{
    static const struct {
        uint64_t offset, bytes;
        enum model_access_register which;
    } factory[] = {{0, 8, MODEL_SIGNATURE},
                   {8, 8, MODEL_SHMEM},
                   {16, 4, MODEL_VECTOR},
                   {20, 4, MODEL_GSS_STATUS},
                   {24, 4, MODEL_SIZE}};
    if (address >= WINDOWS_ADDRESS)
        return address % PAGE == 0   ? MODEL_STATUS
               : address % PAGE == 4 ? MODEL_IDX
                                     : MODEL_REGISTERS;
    for (size_t i = 0; i < sizeof(factory) / sizeof(factory[0]); i++)
        if (address - FACTORY_ADDRESS - factory[i].offset < factory[i].bytes)
            return factory[i].which;
    return MODEL_REGISTERS;
}

/* Counts down to the access that fails; under the mutex. */
static bool is_reachable(const struct way *way)
{
    if (way->unplugged)
        return false;
    if (host.fail_at < 0 || host.fail_at-- != 0)
        return true;
    host.failed = true;
    return false;
}

static enum peal_status unreachable(const struct way *way)
{
    return peal_fail(PEAL_ESYSTEM, "the model %s cannot be reached", way->registers.device);
}

static void read_model(const struct way *way, uint64_t address, uint32_t width, uint64_t *value)
{
    struct vdev_guest *guest = way->user->guest;
    enum vdev_access access = VDEV_ACCESS_REFUSED;
    if (guest != NULL && address >= WINDOWS_ADDRESS) {
        const uint64_t offset = (address - WINDOWS_ADDRESS) % WINDOW_BYTES;
        const uint32_t slot = (uint32_t)((address - WINDOWS_ADDRESS) / WINDOW_BYTES);
        if (offset < DATA_OFFSET)
            access = vdev_control_read(guest, slot, (uint32_t)((DATA_OFFSET - 1 - offset) / PAGE),
                                       offset % PAGE, width, value);
    } else if (guest != NULL && !(host.narrow && width == 8)) {
        access = vdev_factory_read(guest, address - FACTORY_ADDRESS, width, value);
    }
    if (access != VDEV_ACCESS_OK)
        *value = UINT64_MAX >> (64 - 8 * width);
}

static enum peal_status way_read(struct peal_vdev_registers *registers, uint64_t address,
                                 uint32_t width, uint64_t *value)
{
    const struct way *way = way_of(registers);
    const enum model_access_register which = register_at(address);
    enter();
    const bool reachable = is_reachable(way);
    if (reachable)
        read_model(way, address, width, value);
    if (reachable && which != MODEL_REGISTERS && host.lies[which])
        *value = width == 8 ? host.lie[which]
                            : (uint32_t)(address % 8 == 4 &&
                                                 (which == MODEL_SIGNATURE || which == MODEL_SHMEM)
                                             ? host.lie[which] >> 32
                                             : host.lie[which]);
    void (*watch)(void *context, enum model_access_register which) = host.watch;
    void *context = host.watch_context;
    leave();
    if (watch != NULL)
        watch(context, which);
    return reachable ? PEAL_OK : unreachable(way);
}

static void write_model(struct way *way, uint64_t address, uint32_t width, uint64_t value)
{
    struct vdev_guest *guest = way->user->guest;
    if (address >= WINDOWS_ADDRESS && address % PAGE == 8)
        host.last_notify = value;
    if (address - FACTORY_ADDRESS - 28 < 32 && width > host.widest_name)
        host.widest_name = width;
    if (guest == NULL)
        return;
    if (address < WINDOWS_ADDRESS) {
        (void)vdev_factory_write(guest, address - FACTORY_ADDRESS, width, value);
        return;
    }
    const uint64_t offset = (address - WINDOWS_ADDRESS) % WINDOW_BYTES;
    if (offset < DATA_OFFSET)
        (void)vdev_control_write(guest, (uint32_t)((address - WINDOWS_ADDRESS) / WINDOW_BYTES),
                                 (uint32_t)((DATA_OFFSET - 1 - offset) / PAGE), offset % PAGE,
                                 width, value);
}

static enum peal_status way_write(struct peal_vdev_registers *registers, uint64_t address,
                                  uint32_t width, uint64_t value, bool posted)
{
    struct way *way = way_of(registers);
    (void)posted;
    enter();
    const bool reachable = is_reachable(way);
    if (reachable)
        write_model(way, address, width, value);
    leave();
    return reachable ? PEAL_OK : unreachable(way);
}

static enum peal_status way_map(struct peal_vdev_registers *registers, uint64_t control,
                                uint32_t pages, unsigned char **base)
{
    struct way *way = way_of(registers);
    const size_t bytes = (size_t)pages * VDEV_PAGE_BYTES;
    enter();
    const bool fails = host.fail_map;
    host.fail_map = false;
    const uint64_t slot = (control - WINDOWS_ADDRESS) / WINDOW_BYTES;
    void *start = MAP_FAILED;
    if (!fails && control >= WINDOWS_ADDRESS && slot < VDEV_REGIONS_MAX && host.memory[slot] >= 0)
        start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, host.memory[slot], 0);
    leave();
    if (start == MAP_FAILED)
        return peal_fail(PEAL_ENOMEM, "cannot map %zu bytes; raise the limit (ulimit -v)", bytes);
    way->control = control;
    way->base = start;
    *base = start;
    return PEAL_OK;
}

static void way_unmap(struct peal_vdev_registers *registers, unsigned char *base, uint32_t pages)
{
    (void)registers;
    (void)munmap(base, (size_t)pages * VDEV_PAGE_BYTES);
}

static void way_acknowledge(struct peal_vdev_registers *registers)
{
    uint64_t count;
    (void)!read(registers->fd, &count, sizeof(count));
}

static void way_lock(struct peal_vdev_registers *registers)
{
    (void)pthread_mutex_lock(&way_of(registers)->user->lock);
}

static void way_unlock(struct peal_vdev_registers *registers)
{
    (void)pthread_mutex_unlock(&way_of(registers)->user->lock);
}

/* ---- guests and ways; under the mutex ---- */

static struct user *make_user(const char *word)
{
    struct user *user = calloc(1, sizeof(*user));
    if (user == NULL)
        return NULL;
    user->guest = vdev_guest_new(host.model, host.rules, user);
    if (user->guest == NULL) {
        free(user);
        return NULL;
    }
    (void)pthread_mutex_init(&user->lock, NULL);
    (void)snprintf(user->word, sizeof(user->word), "%s", word);
    user->next = host.users;
    host.users = user;
    return user;
}

static struct user *find_user(const char *word)
{
    for (struct user *user = host.users; user != NULL; user = user->next)
        if (word[0] != '\0' && user->guest != NULL && strcmp(user->word, word) == 0)
            return user;
    return make_user(word);
}

static void end_guest(struct user *user)
{
    if (user->guest != NULL)
        vdev_guest_end(user->guest);
    user->guest = NULL;
}

static void drop_user(struct user *user)
{
    if (--user->ways != 0)
        return;
    end_guest(user);
    struct user **at = &host.users;
    while (*at != user)
        at = &(*at)->next;
    *at = user->next;
    (void)pthread_mutex_destroy(&user->lock);
    free(user);
}

static void way_close(struct peal_vdev_registers *registers)
{
    struct way *way = way_of(registers);
    enter();
    struct way **at = &host.ways;
    while (*at != way)
        at = &(*at)->next;
    *at = way->next;
    drop_user(way->user);
    leave();
    (void)close(registers->fd);
    free(way);
}

static const struct peal_vdev_registers_ops WAY_OPS = {
    .read = way_read,
    .write = way_write,
    .map = way_map,
    .unmap = way_unmap,
    .acknowledge = way_acknowledge,
    .lock = way_lock,
    .unlock = way_unlock,
    .close = way_close,
};

/* The model answers GSS_NOMEM without descriptors; what we want to see is the limit by its name. */
static enum peal_status check_descriptors(void)
{
    const int spare = eventfd(0, EFD_CLOEXEC);
    if (spare < 0)
        return peal_fail(PEAL_ESYSTEM, "the model has no descriptor: %s; raise RLIMIT_NOFILE",
                         strerror(errno));
    (void)close(spare);
    return PEAL_OK;
}

static enum peal_status way_open(const char *rest, struct peal_vdev_registers **registers)
{
    struct way *way = calloc(1, sizeof(*way));
    if (way == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory");
    way->registers = (struct peal_vdev_registers){
        .ops = &WAY_OPS, .factory = FACTORY_ADDRESS, .device = "model", .fd = -1};
    way->registers.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (way->registers.fd < 0 || check_descriptors() != PEAL_OK) {
        if (way->registers.fd >= 0)
            (void)close(way->registers.fd);
        free(way);
        return peal_fail(PEAL_ESYSTEM, "the model has no descriptor: %s; raise RLIMIT_NOFILE",
                         strerror(errno));
    }
    enter();
    way->user = find_user(rest);
    if (way->user != NULL) {
        way->user->ways++;
        way->next = host.ways;
        host.ways = way;
    }
    leave();
    if (way->user == NULL) {
        (void)close(way->registers.fd);
        free(way);
        return peal_fail(PEAL_ELIMIT, "the model has no room for another guest");
    }
    *registers = &way->registers;
    return PEAL_OK;
}

static const struct peal_vdev_hook HOOK = {.kind = "model", .open = way_open};

/* ---- for the tests ---- */

/* Regions of the host's configuration are there to the end. Under the mutex. */
static void forget(void)
{
    for (uint32_t slot = 0; host.model != NULL && slot < VDEV_REGIONS_MAX; slot++)
        if (host.memory[slot] >= 0)
            (void)close(host.memory[slot]);
    vdev_model_free(host.model);
    host.model = NULL;
    free(host.rules);
    host.rules = NULL;
}

bool model_access_start(const struct vdev_settings *settings)
{
    enter();
    forget();
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++)
        host.memory[slot] = -1;
    host.model = vdev_model_new(settings, &OPS, NULL);
    host.widest_name = 0;
    const bool good = host.model != NULL;
    leave();
    model_access_be_honest();
    peal_vdev_set_hook(&HOOK);
    return good;
}

void model_access_stop(void)
{
    peal_vdev_set_hook(NULL);
    enter();
    forget();
    leave();
}

void model_access_rules(const struct vdev_rules *rules)
{
    enter();
    free(host.rules);
    host.rules = rules != NULL ? malloc(sizeof(*rules)) : NULL;
    if (host.rules != NULL)
        memcpy(host.rules, rules, sizeof(*rules));
    leave();
}

/* By where its memory is mapped; under the mutex. */
static struct way *way_to(const struct peal_transport *transport)
{
    struct way *way = host.ways;
    while (way != NULL && way->base != transport->base)
        way = way->next;
    return way;
}

void model_access_kill(struct peal_transport *transport)
{
    enter();
    struct way *way = way_to(transport);
    if (way != NULL)
        end_guest(way->user);
    leave();
}

void model_access_unplug(struct peal_transport *transport)
{
    const uint64_t one = 1;
    enter();
    struct way *way = way_to(transport);
    if (way != NULL) {
        way->unplugged = true;
        end_guest(way->user);
        (void)!write(way->registers.fd, &one, sizeof(one));
    }
    leave();
}

struct vdev_access_counts model_access_counts(void)
{
    struct vdev_access_counts sum = {0};
    enter();
    for (struct user *user = host.users; user != NULL; user = user->next) {
        if (user->guest == NULL)
            continue;
        const struct vdev_access_counts one = vdev_guest_counts(user->guest);
        sum.factory_reads += one.factory_reads;
        sum.factory_writes += one.factory_writes;
        sum.status_reads += one.status_reads;
        sum.idx_reads += one.idx_reads;
        sum.notify_writes += one.notify_writes;
        sum.detach_writes += one.detach_writes;
        sum.refused += one.refused;
        sum.interrupts += one.interrupts;
    }
    leave();
    return sum;
}

unsigned model_access_connections(void)
{
    struct vdev_region_info info;
    unsigned count = 0;
    enter();
    for (uint32_t slot = 0; slot < VDEV_REGIONS_MAX; slot++)
        if (vdev_model_region(host.model, slot, &info))
            count += (unsigned)__builtin_popcount(info.members);
    leave();
    return count;
}

unsigned model_access_ways(void)
{
    unsigned count = 0;
    enter();
    for (struct way *way = host.ways; way != NULL; way = way->next)
        count++;
    leave();
    return count;
}

void model_access_fail_at(int access)
{
    enter();
    host.fail_at = access;
    host.failed = false;
    leave();
}

bool model_access_has_failed(void)
{
    enter();
    const bool failed = host.failed;
    host.failed = false;
    host.fail_at = -1;
    leave();
    return failed;
}

void model_access_lie(enum model_access_register which, uint64_t value)
{
    enter();
    host.lies[which] = true;
    host.lie[which] = value;
    leave();
}

void model_access_narrow(bool narrow)
{
    enter();
    host.narrow = narrow;
    leave();
}

void model_access_be_honest(void)
{
    enter();
    memset(host.lies, 0, sizeof(host.lies));
    host.fail_at = -1;
    host.failed = false;
    host.fail_map = false;
    host.narrow = false;
    host.watch = NULL;
    leave();
}

void model_access_fail_map(void)
{
    enter();
    host.fail_map = true;
    leave();
}

void model_access_watch(void (*watch)(void *context, enum model_access_register which),
                        void *context)
{
    enter();
    host.watch = watch;
    host.watch_context = context;
    leave();
}

uint64_t model_access_last_notify(void)
{
    enter();
    const uint64_t value = host.last_notify;
    leave();
    return value;
}

uint32_t model_access_widest_name(void)
{
    enter();
    const uint32_t width = host.widest_name;
    leave();
    return width;
}
