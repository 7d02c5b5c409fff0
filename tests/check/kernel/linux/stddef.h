/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the kernel's header of this name that guest_shm.h relies on. */
#ifndef PEAL_TESTS_CHECK_KERNEL_LINUX_STDDEF_H
#define PEAL_TESTS_CHECK_KERNEL_LINUX_STDDEF_H

#define offsetof(type, member) __builtin_offsetof(type, member)

#endif
