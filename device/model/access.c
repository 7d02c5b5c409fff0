/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/access.h"

#include <stdarg.h>
#include <stdio.h>

enum { EVENT_TEXT_BYTES = 160 };

void vdev_event_say(const struct vdev_guest *guest, const char *format, ...)
{
    const struct vdev_model *model = guest->model;
    if (!model->ops->event)
        return;
    char text[EVENT_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct vdev_event event = {.guest = guest, .text = text};
    model->ops->event(model->context, &event);
}

/* Events of the 1st, 2nd, 4th, 8th … only: a guest must not be able to fill a log. */
static enum vdev_access refuse(struct vdev_guest *guest, const char *what)
{
    const uint64_t count = ++guest->counts.refused;
    if ((count & (count - 1)) == 0)
        vdev_event_say(guest, "%s that the device refuses (%" PRIu64 " by now)", what, count);
    return VDEV_ACCESS_REFUSED;
}

enum vdev_access vdev_access_refuse_read(struct vdev_guest *guest, uint32_t width, uint64_t *value)
{
    *value = width > 0 && width < 8 ? (UINT64_C(1) << 8 * width) - 1 : UINT64_MAX;
    return refuse(guest, "a register read");
}

enum vdev_access vdev_access_refuse_write(struct vdev_guest *guest)
{
    return refuse(guest, "a register write");
}
