/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open file description locks (F_OFD_*): the kernel drops them when the last descriptor of the
 * description is closed, however the process ends. No pid is involved, so nothing is confused by pid
 * namespaces or reuse.
 */
#ifndef PEAL_TRANSPORT_POSIX_LOCK_H
#define PEAL_TRANSPORT_POSIX_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the write lock on one byte. 0, EAGAIN (another description holds it) or another errno. */
int peal_posix_lock_try(int descriptor, uint64_t byte);

/* The same, polling until deadline_ns of peal_os_now_ns(). EAGAIN: not obtained in time. */
int peal_posix_lock_wait(int descriptor, uint64_t byte, uint64_t deadline_ns);

void peal_posix_lock_release(int descriptor, uint64_t byte);

/*
 * Bit i: another description holds a lock on byte first + i, for i in 0..count-1 (at most 64). Costs
 * at most 2 * holders + 1 system calls. Our own locks are not among them.
 */
uint64_t peal_posix_lock_holders(int descriptor, uint64_t first, uint32_t count);

/* Does another description, or a process, hold any lock on this file? Also if the kernel does not answer. */
bool peal_posix_lock_is_any(int descriptor);

#endif
