/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the kernel's header of this name that guest_shm.h relies on. */
#ifndef PEAL_TESTS_CHECK_KERNEL_LINUX_TYPES_H
#define PEAL_TESTS_CHECK_KERNEL_LINUX_TYPES_H

typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __SIZE_TYPE__ size_t;

#endif
