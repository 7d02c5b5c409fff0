/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/name.h"

#include <stddef.h>

bool vdev_name_is_legal(const char name[GUEST_SHM_MAX_NAME])
{
    for (size_t i = 0; i < GUEST_SHM_MAX_NAME; i++) {
        if (name[i] == '\0')
            return i > 0;
        if (name[i] < ' ' || name[i] > '~' || name[i] == '/')
            return false;
    }
    return false;
}
