/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/options.h"

#include <stdio.h>
#include <string.h>

const char vdev_options_help[] =
    "usage: peal-vdev [--config FILE] --guest PATH [RULE...] [--guest PATH [RULE...]]... "
    "[OPTION...]\n"
    "\n"
    "Serves the shared-memory device of the QNX Hypervisor (guest_shm) to virtual machines and\n"
    "processes, over vfio-user.\n"
    "\n"
    "  --config FILE         read words from FILE: one a line, as the options below without --\n"
    "  --guest PATH          a guest: the unix socket on which it connects\n"
    "  --allow PATTERN       the guest may have regions of such names (* ? [ ]), and no others\n"
    "  --deny PATTERN        it may not; others it may\n"
    "  --create NAME,BYTES   this region is there from the start\n"
    "  --subst [MATCH],PREFIX  its names (those that match) get the prefix in front\n"
    "\n"
    "  --window BYTES        of each region's place in the guest; a power of two (128M)\n"
    "  --windows N           so many regions at once; a power of two, at most 64 (16)\n"
    "  --vector WHICH        interrupt of a region: per-device or per-region (per-device)\n"
    "  --memory WHICH        what a new region holds: zeroed or stale (zeroed)\n"
    "  --find yes|no         whether the device has the register 'find' (yes)\n"
    "  --limit BYTES         of all regions together (no limit)\n"
    "  --connections N       at once on one socket (32)\n"
    "  --intx                an interrupt pin beside MSI-X\n"
    "  --mode OCTAL          permissions of the sockets (0600)\n"
    "  --log LEVEL           to standard error: quiet, info or debug (info)\n"
    "  --help, --version\n"
    "\n"
    "Prints 'ready' once all sockets listen. Ends with SIGTERM or SIGINT. See peal-vdev(8).\n";

#define WORD_BYTES 32

/* Splits "--word=argument"; the argument may be the next one. Returns how many arguments that took, 0: it is no option. */
static int split(char *const *arguments, int left, char word[WORD_BYTES], const char **argument)
{
    const char *option = arguments[0];
    *argument = NULL;
    if (strncmp(option, "--", 2) != 0)
        return 0;
    const size_t length = strcspn(option + 2, "=");
    if (length == 0 || length >= WORD_BYTES)
        return 0;
    memcpy(word, option + 2, length);
    word[length] = '\0';
    if (option[2 + length] == '=') {
        *argument = option + 2 + length + 1;
        return 1;
    }
    if (strcmp(word, "intx") == 0) {
        *argument = "on";
        return 1;
    }
    if (left < 2)
        return 1;
    *argument = arguments[1];
    return 2;
}

static bool apply(struct vdev_config *config, const char *word, const char *argument, char *error,
                  size_t error_bytes)
{
    char text[VDEV_CONFIG_ERROR_BYTES];
    if (strcmp(word, "config") == 0 && argument)
        return vdev_config_load(config, argument, error, error_bytes);
    if (vdev_config_set(config, word, argument, text, sizeof(text)))
        return true;
    (void)snprintf(error, error_bytes, "--%s", text);
    return false;
}

enum vdev_options_result vdev_options_read(struct vdev_config *config, int count,
                                           char *const *arguments, char *error, size_t error_bytes)
{
    for (int i = 0; i < count;) {
        char word[WORD_BYTES];
        const char *argument;
        if (strcmp(arguments[i], "--help") == 0)
            return VDEV_OPTIONS_HELP;
        if (strcmp(arguments[i], "--version") == 0)
            return VDEV_OPTIONS_VERSION;
        const int taken = split(arguments + i, count - i, word, &argument);
        if (taken == 0) {
            (void)snprintf(error, error_bytes, "'%s' is not an option; peal-vdev --help lists all",
                           arguments[i]);
            return VDEV_OPTIONS_WRONG;
        }
        if (!apply(config, word, argument, error, error_bytes))
            return VDEV_OPTIONS_WRONG;
        i += taken;
    }
    return vdev_config_check(config, error, error_bytes) ? VDEV_OPTIONS_RUN : VDEV_OPTIONS_WRONG;
}
