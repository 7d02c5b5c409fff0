/* SPDX-License-Identifier: Apache-2.0 */
/* Does systemd-logind take regions away when their user logs out? (RemoveIPC in logind.conf, and its drop-ins.) */
#include "tools/peal/care/doctor.h"
#include "tools/peal/care/leftovers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SYSTEM_USERS_MAX 999u /* SYS_UID_MAX, unless login.defs has another */
#define FOLDERS 3
#define DROP_INS_MAX 64u

/* Whichever comes first hides files of the same name in the others. */
static const char *const folders[FOLDERS] = {"/etc/systemd", "/run/systemd", "/usr/lib/systemd"};

/* Is the value of the last line NAME=VALUE "yes"? Untouched without one. */
static void apply(const char *text, bool *removes)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n \t");
        if (strncmp(line, "RemoveIPC", 9) != 0)
            continue;
        const char *value = line + 9 + strspn(line + 9, " \t");
        if (*value != '=')
            continue;
        value += 1 + strspn(value + 1, " \t");
        if (strchr("\n#", *value) != NULL)
            *removes = true; /* empty: the default */
        else if (strncasecmp(value, "yes", 3) == 0 || strncasecmp(value, "true", 4) == 0 ||
                 strncasecmp(value, "on", 2) == 0 || *value == '1')
            *removes = true;
        else if (strncasecmp(value, "no", 2) == 0 || strncasecmp(value, "false", 5) == 0 ||
                 strncasecmp(value, "off", 3) == 0 || *value == '0')
            *removes = false;
    }
}

struct drop_ins {
    char names[DROP_INS_MAX][128];
    unsigned count;
};

static void on_drop_in(void *context, const char *name)
{
    struct drop_ins *drop_ins = context;
    const size_t length = strlen(name);
    if (length < 5 || length > 127 || strcmp(name + length - 5, ".conf") != 0 ||
        drop_ins->count == DROP_INS_MAX)
        return;
    for (unsigned i = 0; i < drop_ins->count; i++)
        if (strcmp(drop_ins->names[i], name) == 0)
            return;
    (void)snprintf(drop_ins->names[drop_ins->count++], sizeof(drop_ins->names[0]), "%.127s", name);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

static const char *read_first(const struct host *host, const char *rest)
{
    const char *text = NULL;
    for (unsigned i = 0; i < FOLDERS && !text; i++)
        text = host_read(host, "%s/%s", folders[i], rest);
    return text;
}

/* As logind reads it: the file, then all drop-ins in the order of their names, wherever they lie. */
static bool removes_ipc(const struct host *host)
{
    static struct drop_ins drop_ins;
    bool removes = true;
    char path[192];
    drop_ins.count = 0;
    const char *text = read_first(host, "logind.conf");
    if (text)
        apply(text, &removes);
    for (unsigned i = 0; i < FOLDERS; i++) {
        (void)snprintf(path, sizeof(path), "%s/logind.conf.d", folders[i]);
        (void)host_list(host, path, on_drop_in, &drop_ins);
    }
    qsort(drop_ins.names, drop_ins.count, sizeof(drop_ins.names[0]), by_name);
    for (unsigned i = 0; i < drop_ins.count; i++) {
        (void)snprintf(path, sizeof(path), "logind.conf.d/%s", drop_ins.names[i]);
        text = read_first(host, path);
        if (text)
            apply(text, &removes);
    }
    return removes;
}

static uint32_t system_users_max(const struct host *host)
{
    char value[32];
    const char *text = host_read(host, "/etc/login.defs");
    if (text && host_field(text, "SYS_UID_MAX", value, sizeof(value)))
        return (uint32_t)strtoul(value, NULL, 10);
    return SYSTEM_USERS_MAX;
}

/* ---- regions of this user ---- */

struct owned {
    const struct host *host;
    uint32_t user;
    unsigned count;
};

static void on_file(void *context, const char *name)
{
    struct owned *owned = context;
    struct stat status;
    char region[32];
    char path[HOST_PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/dev/shm/%s", name);
    if (leftovers_region_of(name, region) && !strchr(name, '~') &&
        host_stat(owned->host, &status, path) && status.st_uid == owned->user)
        owned->count++;
}

void check_removeipc(struct doctor *doctor)
{
    static const char remedy[] =
        "sudo mkdir -p /etc/systemd/logind.conf.d && printf '[Login]\\nRemoveIPC=no\\n' | sudo tee "
        "/etc/systemd/logind.conf.d/peal.conf && sudo systemctl restart systemd-logind, or run "
        "services as system users";
    const struct host *host = &doctor->host;
    const struct host_user user = host_user(host);
    struct owned owned = {.host = host, .user = user.id};
    if (!host_exists(host, "/run/systemd/system"))
        doctor_ok(doctor, "there is no systemd-logind that could remove regions");
    else if (!removes_ipc(host))
        doctor_ok(doctor, "RemoveIPC=no: regions stay when their user logs out");
    else if (user.id <= system_users_max(host))
        doctor_ok(doctor,
                  "RemoveIPC=yes, which spares user %u: he is a system user. Regions of others go "
                  "when they log out",
                  user.id);
    else if (user.name[0] != '\0' && host_exists(host, "/var/lib/systemd/linger/%s", user.name))
        doctor_ok(doctor, "RemoveIPC=yes, but %s lingers, and so never logs out", user.name);
    else {
        (void)host_list(host, "/dev/shm", on_file, &owned);
        if (owned.count > 0)
            doctor_bad(doctor, remedy,
                       "RemoveIPC=yes: %u region%s of user %u %s removed when he logs out; who is "
                       "attached goes on, and who comes next makes another",
                       owned.count, owned.count == 1 ? "" : "s", user.id,
                       owned.count == 1 ? "is" : "are");
        else
            doctor_warn(doctor, remedy,
                        "RemoveIPC=yes: regions that user %u makes are removed when he logs out",
                        user.id);
    }
}
