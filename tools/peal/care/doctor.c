/* SPDX-License-Identifier: Apache-2.0 */
/* peal doctor: what is wrong with this machine or guest, and what to do about it. */
#include "tools/peal/care/doctor.h"

#include "tools/peal/care/put.h"
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct doctor_check checks[] = {
    {"version", check_version},
    {"kernel", check_kernel},
    {"membarrier", check_membarrier},
    {"container", check_container},
    {"shm", check_shm},
    {"space", check_space},
    {"regions", check_regions},
    {"removeipc", check_removeipc},
    {"hugepages", check_hugepages},
    {"memlock", check_memlock},
    {"nofile", check_nofile},
    {"cores", check_cores},
    {"quota", check_quota},
    {"governor", check_governor},
    {"clocksource", check_clocksource},
    {"isolated", check_isolated},
    {"guest", check_guest},
    {"device", check_device},
    {"driver", check_driver},
    {"node", check_node},
    {"udev", check_udev},
    {"interrupts", check_interrupts},
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* ---- results ---- */

/* What comes from files may hold anything. */
static void make_harmless(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void tell(struct doctor *doctor, enum doctor_verdict verdict, const char *remedy,
                 const char *format, va_list arguments)
{
    static const char *const words[] = {"ok", "warn", "bad"};
    static const enum paint colors[] = {PAINT_GREEN, PAINT_YELLOW, PAINT_RED};
    char text[768];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    make_harmless(text);
    doctor->counts[verdict]++;
    if (doctor->json) {
        json_t *object = json_object();
        put_text(object, "check", doctor->check);
        put_text(object, "verdict", words[verdict]);
        put_text(object, "text", text);
        if (remedy)
            put_text(object, "remedy", remedy);
        (void)json_array_append_new(doctor->json, object);
        return;
    }
    print("%s%-4s%s  %-11s  %s\n", paint(colors[verdict]), words[verdict], paint(PAINT_NONE),
          doctor->check, text);
    if (remedy)
        print("%19sdo: %s\n", "", remedy);
}

void doctor_ok(struct doctor *doctor, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(doctor, DOCTOR_OK, NULL, format, arguments);
    va_end(arguments);
}

void doctor_warn(struct doctor *doctor, const char *remedy, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(doctor, DOCTOR_WARN, remedy, format, arguments);
    va_end(arguments);
}

void doctor_bad(struct doctor *doctor, const char *remedy, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(doctor, DOCTOR_BAD, remedy, format, arguments);
    va_end(arguments);
}

/* ---- the command ---- */

static const char *root = "";

static const struct doctor_check *find(const char *name)
{
    for (size_t i = 0; i < CHECKS; i++)
        if (strcmp(checks[i].name, name) == 0)
            return &checks[i];
    return NULL;
}

static int fail_check(const char *name)
{
    char names[512] = "";
    for (size_t i = 0; i < CHECKS; i++) {
        const size_t used = strlen(names);
        (void)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? " " : "",
                       checks[i].name);
    }
    return fail(EXIT_USAGE, "there is no check '%s'; there are: %s", name, names);
}

static void examine(struct doctor *doctor, const struct doctor_check *check)
{
    doctor->check = check->name;
    check->run(doctor);
}

static int check_root(void)
{
    struct stat status;
    if (root[0] == '\0')
        return EXIT_DONE;
    if (stat(root, &status) != 0)
        return fail(fail_errno_code(errno), "cannot look at %s: %s", root, strerror(errno));
    return S_ISDIR(status.st_mode) ? EXIT_DONE : fail(EXIT_USAGE, "%s is no folder", root);
}

static int doctor_run(char **operands, size_t count)
{
    struct doctor doctor = {.host = {.root = root}, .json = common.json ? json_array() : NULL};
    for (size_t i = 0; i < count; i++)
        if (!find(operands[i]))
            return fail_check(operands[i]);
    const int code = check_root();
    if (code != EXIT_DONE)
        return code;
    if (strcmp(root, "/") == 0)
        doctor.host.root = "";
    for (size_t i = 0; i < count; i++)
        examine(&doctor, find(operands[i]));
    for (size_t i = 0; i < CHECKS && count == 0; i++)
        examine(&doctor, &checks[i]);
    if (common.json)
        print_json(doctor.json);
    else if (doctor.counts[DOCTOR_BAD] > 0)
        print("\n%u thing%s wrong\n", doctor.counts[DOCTOR_BAD],
              doctor.counts[DOCTOR_BAD] == 1 ? " is" : "s are");
    else
        print("\nnothing is wrong%s\n",
              doctor.counts[DOCTOR_WARN] > 0 ? "; what is told with warn could be better" : "");
    return doctor.counts[DOCTOR_BAD] > 0 ? EXIT_FOUND : EXIT_DONE;
}

static const struct option_entry doctor_options[] = {
    {.name = "root",
     .value = "FOLDER",
     .help = "look at the files below FOLDER as if it were a machine; for tests",
     .read = option_text,
     .to = &root,
     .completes = COMPLETES_FILE},
    {0},
};

const struct command command_doctor = {
    .name = "doctor",
    .operands = "[CHECK]...",
    .summary = "tell what is wrong with this machine or guest, and what to do about it",
    .details =
        "Looks at what a bus needs of its machine, and says of each thing ok, warn (it works, but\n"
        "could do better, or will not always) or bad; and of the latter two what to type. Changes\n"
        "nothing. With names of checks it makes only these. Ends with 6 if something is bad.\n\n"
        "checks: version kernel membarrier container shm space regions removeipc hugepages "
        "memlock\n"
        "nofile cores quota governor clocksource isolated guest device driver node udev "
        "interrupts\n\n"
        "  peal doctor\n"
        "  peal doctor shm space regions",
    .options = doctor_options,
    .operands_max = CHECKS,
    .has_json = true,
    .run = doctor_run,
};
