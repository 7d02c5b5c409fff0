/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/device.h"

#include "core/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const struct peal_vdev_hook *the_hook;

void peal_vdev_set_hook(const struct peal_vdev_hook *hook)
{
    the_hook = hook;
}

/* What follows "KIND:", or NULL if the device is none of the hook's. */
static const char *rest_of(const char *device)
{
    if (the_hook == NULL)
        return NULL;
    const size_t length = strlen(the_hook->kind);
    return strncmp(device, the_hook->kind, length) == 0 && device[length] == ':'
               ? device + length + 1
               : NULL;
}

static enum peal_status no_device(const char *device, int error)
{
    if (error == EACCES)
        return peal_fail(PEAL_EPERM,
                         "no permission to reach the device %s; let this user search the folders "
                         "on the way to it",
                         device);
    if (error != ENOENT && error != ENOTDIR)
        return peal_fail(PEAL_ESYSTEM, "cannot look at the device %s: %s", device, strerror(error));
    return peal_fail(PEAL_ENOENT,
                     "there is no device %s; load the driver of the shmem vdev (modprobe "
                     "guest_shm), or name another one, or a socket of peal-vdev, by device=",
                     device);
}

enum peal_status peal_vdev_device_attach(const char *device, const char *name, uint32_t pages,
                                         uint64_t timeout_ns, struct peal_vdev_link **link)
{
    struct peal_vdev_registers *registers = NULL;
    struct stat what;
    *link = NULL;
    if (device == NULL || device[0] == '\0')
        device = PEAL_VDEV_DEVICE_DEFAULT;
    const char *rest = rest_of(device);
    enum peal_status status;
    if (rest != NULL)
        status = the_hook->open(rest, &registers);
    else if (stat(device, &what) != 0)
        return no_device(device, errno);
    else if (S_ISCHR(what.st_mode))
        return peal_vdev_node_attach(device, name, pages, link);
    else if (S_ISSOCK(what.st_mode))
        status = peal_vdev_socket_open(device, timeout_ns, &registers);
    else
        return peal_fail(PEAL_EINVAL,
                         "%s is neither a device node nor a socket; give device= the node of the "
                         "guest_shm driver (/dev/guest_shm0), or a socket of peal-vdev",
                         device);
    return status == PEAL_OK ? peal_vdev_protocol_attach(registers, name, pages, link) : status;
}
