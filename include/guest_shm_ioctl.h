/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only WITH Linux-syscall-note */
/*
 * guest_shm_ioctl.h - what a program says to the Linux guest driver of the shmem vdev (/dev/guest_shmN).
 *
 * One open file is at most one attachment:
 *
 *      fd = open("/dev/guest_shm0", O_RDWR)
 *      ioctl(fd, GUEST_SHM_IOC_ATTACH, &attach)      by name and pages; tells index and real pages
 *      mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)      cached memory
 *      ioctl(fd, GUEST_SHM_IOC_NOTIFY, bits)         rings: a bitset of client indexes
 *      poll(fd, POLLIN), read(fd, &event, 16)        who rang since the last read, who is attached
 *      close(fd)                                     detaches, after the last mapping is gone as well
 *
 * Structs are the same for 32- and 64-bit programs. ioctl errors are errno values; ATTACH leaves the device's own
 * answer in gss_status:
 *      EINVAL    name or pages are not valid; GSS_ILLEGAL_NAME
 *      EACCES    GSS_NO_PERMISSION: the host forbids this region to this guest
 *      EUSERS    GSS_CLIENT_MAX: all connections of the region are taken
 *      ENOMEM    GSS_NOMEM: the host has no room for the region
 *      EFBIG     the region has, or was to get, more pages than the driver's parameter max_pages
 *      EISCONN   this file is attached already          ENOTCONN  it is not attached yet
 *      EIO       GSS_UNKNOWN_FAILURE, or the device answered what cannot be
 *      ENODEV    the device is gone (unplugged, driver unbound); poll says POLLHUP | POLLERR as well
 */
#ifndef GUEST_SHM_IOCTL_H
#define GUEST_SHM_IOCTL_H

#ifdef __KERNEL__
#include <linux/ioctl.h>
#include <linux/types.h>
#else
#include <stdint.h>
#include <sys/ioctl.h>
#endif

#define GUEST_SHM_ABI_VERSION 1

struct guest_shm_attach {
    char name[32];       /* in: NUL-terminated, at most 31 characters */
    uint32_t pages;      /* in: of 4 KiB, wanted if the region is made; out: what it has */
    uint32_t index;      /* out: our own connection index, 0..15 */
    uint32_t gss_status; /* out: enum guest_shm_status, also on failure */
    uint32_t reserved;   /* in: 0 */
};

struct guest_shm_info {
    uint32_t abi_version; /* GUEST_SHM_ABI_VERSION */
    uint32_t index;       /* ours; UINT32_MAX: not attached */
    uint32_t pages;       /* 0: not attached */
    uint32_t
        members; /* bit i: client i is attached, as the device says now; pending bells stay unread */
};

/*
 * What read() gives: always the whole struct, or EINVAL for a smaller buffer. Reading clears `sources`. It blocks while
 * there is nothing new (EAGAIN with O_NONBLOCK); news are a source, or a change of `members`, since the last read.
 */
struct guest_shm_event {
    uint32_t sources; /* bit i: client i rang since the last read */
    uint32_t members; /* bit i: client i is attached */
    uint64_t changes; /* how often the device told a change since attach */
};

#define GUEST_SHM_IOC_MAGIC 0xb7
#define GUEST_SHM_IOC_ATTACH _IOWR(GUEST_SHM_IOC_MAGIC, 1, struct guest_shm_attach)
#define GUEST_SHM_IOC_INFO _IOR(GUEST_SHM_IOC_MAGIC, 2, struct guest_shm_info)
#define GUEST_SHM_IOC_NOTIFY _IO(GUEST_SHM_IOC_MAGIC, 3) /* the argument is the bitset itself */

#endif
