/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the Linux guest driver of the shmem vdev (PCI 1C05:0001).
 *
 *	guest_shm_pci.c		finds the device, its windows and its interrupts; comes and goes with it
 *	guest_shm_connection.c	the device's protocol: factory transaction, control page, detach
 *	guest_shm_file.c	/dev/guest_shmN: what programs see of it
 *
 * A PCI function is a guest_shm_device; an open file is a guest_shm_file, which is at most one connection to one
 * region. A file outlives its device when that is unplugged; then `gone` is set and no register is touched again.
 *
 * Locks, outermost first:
 *	mmap_lock		the kernel's; held when a page fault comes to us, hence nothing is copied from or to
 *				user memory under the locks below
 *	device->lock		mutex: the factory page, the list of files, attaching and detaching
 *	device->interrupt_lock	which connections the interrupt handler looks at
 *	file->lock		the control page of the connection and what it has told
 * The latter two are taken in interrupts.
 */
#ifndef GUEST_SHM_DRIVER_H
#define GUEST_SHM_DRIVER_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "guest_shm.h"
#include "guest_shm_ioctl.h"
#include "guest_shm_pci.h"

#define GUEST_SHM_PAGE_BYTES 4096u
#define GUEST_SHM_VECTORS_MAX 64u

struct guest_shm_device;

struct guest_shm_vector {
	struct guest_shm_device *device;
	u32 number;
};

/* Where Peal's own device keeps regions (guest_shm_pci.h); count 0: a device without windows. */
struct guest_shm_windows {
	phys_addr_t start;
	u64 window_bytes;
	u32 data_offset;
	u32 count;
};

struct guest_shm_device {
	struct kref references; /* the PCI binding, and each open file */
	struct pci_dev *pci;	/* until `gone` */
	struct miscdevice node;
	char name[24]; /* of the node */
	int number;
	struct guest_shm_windows windows;
	u32 vectors;	     /* interrupts that we have */
	u32 vectors_offered; /* that the device has */
	bool line;	     /* one interrupt line, perhaps with others upon it */
	struct guest_shm_vector vector[GUEST_SHM_VECTORS_MAX];

	struct mutex lock;
	void __iomem *factory; /* NULL once gone */
	bool gone;
	struct list_head files;

	spinlock_t interrupt_lock;
	struct list_head connections;
};

struct guest_shm_file {
	struct guest_shm_device *device;
	struct address_space *mapping; /* of the node that was opened: all its mappings */
	wait_queue_head_t wait;

	/* Under device->lock. Constant from attach on, but for `cached`. */
	struct list_head in_files;
	bool attached;
	phys_addr_t control_address;
	phys_addr_t data_address;
	u32 pages;
	void *cached; /* keeps the data's memory type write-back; nobody looks through it */

	struct list_head in_connections; /* under device->interrupt_lock */

	spinlock_t lock;
	void __iomem *control; /* NULL: not connected, or no more */
	bool gone;	       /* was connected, or could have been, and never will be again */
	u32 index;
	u32 vector;
	u32 sources; /* who rang since the last read() */
	u32 members;
	u64 changes;
	u64 changes_told;
};

/* guest_shm_connection.c */
int guest_shm_attach(struct guest_shm_file *file, struct guest_shm_attach *request);
int guest_shm_members(struct guest_shm_file *file, struct guest_shm_info *info);
int guest_shm_notify(struct guest_shm_file *file, u32 targets);
int guest_shm_take(struct guest_shm_file *file, struct guest_shm_event *event);
void guest_shm_give_back(struct guest_shm_file *file, const struct guest_shm_event *event);
bool guest_shm_look_vector(struct guest_shm_device *device, u32 vector);
void guest_shm_detach(struct guest_shm_file *file, bool gone);
bool guest_shm_signature_there(void __iomem *factory);

/* guest_shm_file.c */
extern const struct file_operations guest_shm_file_operations;
void guest_shm_device_free(struct kref *references);
void guest_shm_files_end(struct guest_shm_device *device);

#endif
