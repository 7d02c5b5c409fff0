/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fault.h"

#if defined(PEAL_FAULT_POINTS) && PEAL_FAULT_POINTS
void (*peal_fault_hook)(const char *point);
#else
/* ISO C forbids an empty translation unit. */
enum { peal_fault_points_are_off = 1 };
#endif
