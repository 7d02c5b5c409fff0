// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/guest_shmN: one open file is at most one connection (include/guest_shm_ioctl.h).
 *
 * Data pages are put into a mapping by its page faults and not by mmap() itself: a mapping in the making is not yet
 * known to unmap_mapping_range(), and would keep the pages of a device that is unplugged at this moment.
 */
#include <linux/compat.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "guest_shm_driver.h"

#define PAGES_AT_A_TIME 512 /* then others may run */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* Since then the flags can't be written otherwise. */
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

void guest_shm_device_free(struct kref *references)
{
	kfree(container_of(references, struct guest_shm_device, references));
}

/* misc_open() calls this under the lock of misc_deregister(): the device's binding is still there. */
static int guest_shm_open(struct inode *inode, struct file *filp)
{
	struct guest_shm_device *device =
		container_of(filp->private_data, struct guest_shm_device, node);
	struct guest_shm_file *file;

	if ((filp->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE))
		return -EACCES;
	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	file->device = device;
	file->mapping = filp->f_mapping;
	init_waitqueue_head(&file->wait);
	spin_lock_init(&file->lock);
	INIT_LIST_HEAD(&file->in_connections);
	kref_get(&device->references);
	mutex_lock(&device->lock);
	file->gone = device->gone;
	list_add_tail(&file->in_files, &device->files);
	mutex_unlock(&device->lock);
	filp->private_data = file;
	return stream_open(inode, filp);
}

/* Comes when descriptors and mappings are gone, also those of a killed process. */
static int guest_shm_release(struct inode *inode, struct file *filp)
{
	struct guest_shm_file *file = filp->private_data;
	struct guest_shm_device *device = file->device;

	mutex_lock(&device->lock);
	list_del(&file->in_files);
	guest_shm_detach(file, false);
	mutex_unlock(&device->lock);
	if (file->cached)
		memunmap(file->cached);
	kfree(file);
	kref_put(&device->references, guest_shm_device_free);
	return 0;
}

/* The device goes away while files are open: nobody reaches it from here on. Under device->lock. */
void guest_shm_files_end(struct guest_shm_device *device)
{
	struct guest_shm_file *file;

	list_for_each_entry (file, &device->files, in_files) {
		guest_shm_detach(file, true);
		unmap_mapping_range(file->mapping, 0, 0, 1);
		if (file->cached)
			memunmap(file->cached);
		file->cached = NULL;
	}
}

static long guest_shm_ioctl_attach(struct guest_shm_file *file, void __user *user)
{
	struct guest_shm_attach request;
	long error;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	error = guest_shm_attach(file, &request);
	/* The device's answer is told on failure as well. */
	if (error != -ERESTARTSYS && copy_to_user(user, &request, sizeof(request)))
		return -EFAULT;
	return error;
}

static long guest_shm_ioctl_info(struct guest_shm_file *file, void __user *user)
{
	struct guest_shm_info info;
	long error = guest_shm_members(file, &info);

	if (!error && copy_to_user(user, &info, sizeof(info)))
		return -EFAULT;
	return error;
}

/* A bitset of the 16 clients, or all ones for everybody else; in a 32-bit program these are fewer. */
static long guest_shm_ioctl_notify(struct guest_shm_file *file, unsigned long bits)
{
	if (bits >> GUEST_SHM_MAX_CLIENTS != 0 && bits != ~0ul && bits != U32_MAX)
		return -EINVAL;
	return guest_shm_notify(file, (u32)bits);
}

static long guest_shm_ioctl(struct file *filp, unsigned int request, unsigned long argument)
{
	struct guest_shm_file *file = filp->private_data;

	switch (request) {
	case GUEST_SHM_IOC_ATTACH:
		return guest_shm_ioctl_attach(file, (void __user *)argument);
	case GUEST_SHM_IOC_INFO:
		return guest_shm_ioctl_info(file, (void __user *)argument);
	case GUEST_SHM_IOC_NOTIFY:
		return guest_shm_ioctl_notify(file, argument);
	default:
		return -ENOTTY;
	}
}

static ssize_t guest_shm_read(struct file *filp, char __user *buffer, size_t bytes,
			      loff_t *position)
{
	struct guest_shm_file *file = filp->private_data;
	struct guest_shm_event event;
	int error;

	if (bytes < sizeof(event))
		return -EINVAL;
	error = guest_shm_take(file, &event);
	if (error == -EAGAIN && !(filp->f_flags & O_NONBLOCK) &&
	    wait_event_interruptible(file->wait, (error = guest_shm_take(file, &event)) != -EAGAIN))
		return -ERESTARTSYS;
	if (error)
		return error;
	if (copy_to_user(buffer, &event, sizeof(event))) {
		guest_shm_give_back(file, &event);
		return -EFAULT;
	}
	return sizeof(event);
}

static __poll_t guest_shm_poll(struct file *filp, poll_table *table)
{
	struct guest_shm_file *file = filp->private_data;
	__poll_t ready = 0;

	poll_wait(filp, &file->wait, table);
	spin_lock_irq(&file->lock);
	if (file->gone)
		ready = EPOLLHUP | EPOLLERR;
	else if (file->sources != 0 || file->changes != file->changes_told)
		ready = EPOLLIN | EPOLLRDNORM;
	spin_unlock_irq(&file->lock);
	return ready;
}

/* All pages of the mapping at the first touch, so that no fault comes later. Under device->lock. */
static vm_fault_t guest_shm_insert(struct vm_area_struct *vma, const struct guest_shm_file *file)
{
	unsigned long pfn = (unsigned long)(file->data_address >> PAGE_SHIFT) + vma->vm_pgoff;
	unsigned long pages = vma_pages(vma);
	vm_fault_t result = VM_FAULT_NOPAGE;
	unsigned long i;

	for (i = 0; i < pages && !(result & VM_FAULT_ERROR); i++) {
		result = vmf_insert_pfn(vma, vma->vm_start + (i << PAGE_SHIFT), pfn + i);
		if (i % PAGES_AT_A_TIME == PAGES_AT_A_TIME - 1)
			cond_resched();
	}
	return result;
}

static vm_fault_t guest_shm_fault(struct vm_fault *vmf)
{
	struct guest_shm_file *file = vmf->vma->vm_file->private_data;
	vm_fault_t result = VM_FAULT_SIGBUS;

	mutex_lock(&file->device->lock);
	if (!file->device->gone && file->attached)
		result = guest_shm_insert(vmf->vma, file);
	mutex_unlock(&file->device->lock);
	return result;
}

static const struct vm_operations_struct guest_shm_vm_operations = {
	.fault = guest_shm_fault,
};

/* Data pages only: there is no offset at which the control page would be. Cached, as vm_page_prot is. */
static int guest_shm_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct guest_shm_file *file = filp->private_data;
	unsigned long pages = vma_pages(vma);
	int error = 0;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&file->device->lock);
	if (file->device->gone)
		error = -ENODEV;
	else if (!file->attached)
		error = -ENOTCONN;
	else if (pages > file->pages || vma->vm_pgoff > file->pages - pages)
		error = -EINVAL;
	mutex_unlock(&file->device->lock);
	if (error)
		return error;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &guest_shm_vm_operations;
	return 0;
}

const struct file_operations guest_shm_file_operations = {
	.owner = THIS_MODULE,
	.open = guest_shm_open,
	.release = guest_shm_release,
	.unlocked_ioctl = guest_shm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = guest_shm_read,
	.poll = guest_shm_poll,
	.mmap = guest_shm_mmap,
};
