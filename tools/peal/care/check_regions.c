/* SPDX-License-Identifier: Apache-2.0 */
/* The regions of this machine: left over, with remains of the dead, of another format, open to all. */
#include "tools/peal/care/chore.h"
#include "tools/peal/care/doctor.h"
#include "tools/peal/care/leftovers.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/look/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct regions {
    struct doctor *doctor;
    unsigned in_order;
    unsigned idle; /* nobody is attached */
    unsigned with_messages;
    unsigned fifos;
    uint64_t idle_bytes;
};

static void check_mode(struct regions *regions, const char *url)
{
    struct stat object;
    char path[HOST_PATH_BYTES], remedy[256];
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.%s", url + strlen("posix:"));
    if (!host_stat(&regions->doctor->host, &object, path) || !S_ISREG(object.st_mode) ||
        (object.st_mode & S_IWOTH) == 0)
        return;
    (void)snprintf(remedy, sizeof(remedy), "chmod 0660 %.200s, and mode=0660&group=NAME in its URL",
                   path);
    doctor_warn(regions->doctor, remedy,
                "%s has mode %04o: every user of this machine may write all of it", url,
                (unsigned)object.st_mode & 07777u);
}

static void on_spared(struct regions *regions, const struct chore *chore)
{
    char remedy[320];
    (void)snprintf(remedy, sizeof(remedy),
                   "end its users, then peal clean %.100s --force --yes; or use another name",
                   chore->url);
    switch (chore->status) {
    case PEAL_EEXIST:
        regions->with_messages++;
        break;
    case PEAL_EPERM: /* somebody else's */
        regions->in_order++;
        break;
    case PEAL_EFORMAT:
    case PEAL_ECORRUPT:
        doctor_bad(regions->doctor, remedy, "%s: %.300s", chore->url, chore->reason);
        break;
    case PEAL_ENOENT:
    case PEAL_AGAIN:
        break;
    default:
        doctor_warn(regions->doctor, "peal audit", "%s: %.300s", chore->url, chore->reason);
    }
}

static void look_here(struct regions *regions, const char *url)
{
    static const struct chore_orders only_look = {.for_good = false};
    struct chore chore;
    char remedy[320];
    chore_do(&chore, url, &only_look);
    regions->fifos += chore.fifos;
    switch (chore.action) {
    case CHORE_REMOVE:
        regions->idle++;
        regions->idle_bytes += chore.left.memory_bytes;
        break;
    case CHORE_RECOVER:
        (void)snprintf(remedy, sizeof(remedy), "peal clean %.200s --yes", url);
        doctor_warn(regions->doctor, remedy,
                    "%s has remains of %u dead clients, which nobody has cleared away", url,
                    (unsigned)chore.remains.clients);
        break;
    case CHORE_SPARE:
        on_spared(regions, &chore);
        break;
    default:
        regions->in_order++;
    }
}

/* What was copied from another machine: who lives there cannot be told. */
static void look_there(struct regions *regions, const char *url)
{
    struct watch watch = {.url = NULL};
    struct snapshot snapshot = {0};
    char path[HOST_PATH_BYTES], file[HOST_PATH_BYTES + 8];
    (void)host_path(&regions->doctor->host, path, "/dev/shm/peal.%s", url + strlen("posix:"));
    (void)snprintf(file, sizeof(file), "file:%s", path);
    watch.url = file;
    const enum peal_status status = watch_look(&watch, &snapshot);
    if (status == PEAL_OK)
        regions->in_order++;
    else if (status != PEAL_ENOENT)
        doctor_bad(regions->doctor, "use another name, or remove it", "%s: %.300s", url,
                   watch.reason);
    snapshot_free(&snapshot);
    watch_close(&watch);
}

static void tell(const struct regions *regions)
{
    struct units_text memory;
    struct doctor *doctor = regions->doctor;
    if (regions->with_messages > 0)
        doctor_ok(doctor, "%u region%s without clients hold%s messages for who comes next",
                  regions->with_messages, regions->with_messages == 1 ? "" : "s",
                  regions->with_messages == 1 ? "s" : "");
    if (regions->idle > 0 || regions->fifos > 0)
        doctor_warn(doctor, "peal clean --all --yes",
                    "%u region%s that nobody uses take%s %s, with %u FIFO%s of dead clients",
                    regions->idle, regions->idle == 1 ? "" : "s", regions->idle == 1 ? "s" : "",
                    units_bytes(&memory, regions->idle_bytes), regions->fifos,
                    regions->fifos == 1 ? "" : "s");
    doctor_ok(doctor, "%u region%s in order", regions->in_order,
              regions->in_order == 1 ? " is" : "s are");
}

void check_regions(struct doctor *doctor)
{
    struct regions regions = {.doctor = doctor};
    struct leftovers leftovers = {0};
    char path[HOST_PATH_BYTES];
    if (!leftovers_list(&leftovers, host_path(&doctor->host, path, "/dev/shm"))) {
        doctor_bad(doctor, "ls -ld /dev/shm", "cannot read /dev/shm: %s", strerror(errno));
        return;
    }
    for (size_t i = 0; i < leftovers.count; i++) {
        check_mode(&regions, leftovers.urls[i]);
        if (doctor->host.root[0] == '\0')
            look_here(&regions, leftovers.urls[i]);
        else
            look_there(&regions, leftovers.urls[i]);
    }
    leftovers_free(&leftovers);
    tell(&regions);
}
