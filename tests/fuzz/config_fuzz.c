/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over what peal-vdev is told by people: files for --config, options, and the rules in both, which then judge
 * names. The first byte odd: the rest is a file; even: arguments, one a line.
 */
#include "device/server/memory.h"
#include "device/server/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool load(struct vdev_config *config, const uint8_t *data, size_t size, char *error)
{
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    must(lseek(fd, 0, SEEK_SET) == 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool done = vdev_config_load(config, path, error, VDEV_CONFIG_ERROR_BYTES) &&
                vdev_config_check(config, error, VDEV_CONFIG_ERROR_BYTES);
    (void)close(fd);
    return done;
}

static bool read_options(struct vdev_config *config, const uint8_t *data, size_t size, char *error)
{
    char *arguments[ARGUMENTS_MAX];
    int count = 0;
    char *text = malloc(size + 1);
    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    bool names_file = false;
    for (char *at = text; at && count < ARGUMENTS_MAX;) {
        arguments[count++] = at;
        names_file = names_file || strncmp(at, "--config", 8) == 0; /* files of this machine */
        at = strchr(at, '\n');
        if (at)
            *at++ = '\0';
    }
    error[0] = '\0';
    enum vdev_options_result result =
        names_file ? VDEV_OPTIONS_HELP
                   : vdev_options_read(config, count, arguments, error, VDEV_CONFIG_ERROR_BYTES);
    must(result != VDEV_OPTIONS_WRONG || error[0] != '\0');
    free(text);
    return result == VDEV_OPTIONS_RUN;
}

/* What was accepted is within its bounds, and says of any name whether it may be, within the name's bounds. */
static void judge(const struct vdev_config *config)
{
    static const char *const names[] = {"", "a", "peal", "0123456789012345678901234567890",
                                        "[a-z]*"};
    char host_name[GUEST_SHM_MAX_NAME];
    must(config->guest_count >= 1 && config->guest_count <= VDEV_CONFIG_GUESTS_MAX);
    must(config->windows >= 1 && config->windows <= VDEV_REGIONS_MAX);
    must(config->window_bytes >= VDEV_WINDOW_BYTES_MIN &&
         config->window_bytes <= VDEV_WINDOWS_BYTES_MAX / config->windows);
    must(config->connections >= 1 && config->connections <= VDEV_GUESTS_MAX);
    must((config->mode & ~(mode_t)0777) == 0);
    for (uint32_t i = 0; i < config->guest_count; i++) {
        const struct vdev_rules *rules = &config->guests[i].rules;
        must(rules->count <= sizeof(rules->rules) / sizeof(rules->rules[0]));
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            if (!vdev_rules_name(rules, names[j], host_name))
                continue;
            must(strnlen(host_name, sizeof(host_name)) < sizeof(host_name));
            (void)vdev_rules_permit(rules, host_name);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vdev_config config;
    char error[VDEV_CONFIG_ERROR_BYTES] = "";
    if (size == 0)
        return 0;
    vdev_config_init(&config);
    if (data[0] % 2 ? load(&config, data + 1, size - 1, error)
                    : read_options(&config, data + 1, size - 1, error))
        judge(&config);
    vdev_config_end(&config);
    must(memchr(error, '\0', sizeof(error)) != NULL);
    return 0;
}
