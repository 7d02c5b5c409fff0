/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of regions: 1 to 31 printable ASCII characters, none of them a slash (the host keeps a region as a named object
 * below a folder), and a zero byte. What is illegal beyond "too long" and "empty" is not documented.
 */
#ifndef PEAL_DEVICE_MODEL_NAME_H
#define PEAL_DEVICE_MODEL_NAME_H

#include <guest_shm.h>
#include <stdbool.h>

/* False as well if there is no zero byte among the first GUEST_SHM_MAX_NAME. */
bool vdev_name_is_legal(const char name[GUEST_SHM_MAX_NAME]);

#endif
