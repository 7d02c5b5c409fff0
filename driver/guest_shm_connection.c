// SPDX-License-Identifier: GPL-2.0-only
/*
 * The protocol of the shmem vdev. What the device says is checked before it is used: a wrong address would let programs
 * write to the memory of this kernel.
 */
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>

#include "guest_shm_driver.h"

#define FACTORY(field) offsetof(struct guest_shm_factory, field)
#define CONTROL(field) offsetof(struct guest_shm_control, field)
#define CLIENTS_MASK ((1u << GUEST_SHM_MAX_CLIENTS) - 1)
#define ALL_ONES (~0u) /* what reads as if nobody were there */

static unsigned int max_pages = 65536;
module_param(max_pages, uint, 0644);
MODULE_PARM_DESC(max_pages, "pages (4 KiB) that a region may have at most, whatever the host says");

/* What the device answered to a factory transaction; nothing of it is checked yet. */
struct answer {
	u32 status;
	u32 size;
	u32 vector;
	u64 shmem;
};

bool guest_shm_signature_there(void __iomem *factory)
{
	return readq(factory + FACTORY(signature)) == GUEST_SHM_SIGNATURE;
}

static int error_of(u32 status)
{
	switch (status) {
	case GSS_OK:
		return 0;
	case GSS_NOMEM:
		return -ENOMEM;
	case GSS_CLIENT_MAX:
		return -EUSERS;
	case GSS_ILLEGAL_NAME:
		return -EINVAL;
	case GSS_NO_PERMISSION:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* The page is one register set for all regions: under device->lock. */
static int factory_request(struct guest_shm_device *device, const char *name, u32 pages,
			   struct answer *answer)
{
	void __iomem *factory = device->factory;
	u32 i;

	if (!guest_shm_signature_there(factory))
		return -ENODEV;
	/* Byte by byte, with the zero byte: the device refuses wider stores here. */
	for (i = 0; i < GUEST_SHM_MAX_NAME; i++) {
		writeb(name[i], factory + FACTORY(name) + i);
		if (name[i] == '\0')
			break;
	}
	writel(pages, factory + FACTORY(size));
	answer->status = readl(factory + FACTORY(status));
	if (answer->status != GSS_OK)
		return answer->status == ALL_ONES ? -ENODEV : error_of(answer->status);
	answer->size = readl(factory + FACTORY(size));
	answer->vector = readl(factory + FACTORY(vector));
	answer->shmem = readq(factory + FACTORY(shmem));
	return 0;
}

/* Whether nothing that this kernel keeps lies there, and it is memory that can be addressed. */
static bool is_foreign(u64 start, u64 bytes)
{
	if (start == 0 || !IS_ALIGNED(start, GUEST_SHM_PAGE_BYTES) || start + bytes <= start)
		return false;
	if (start + bytes - 1 > iomem_resource.end)
		return false;
	return region_intersects((resource_size_t)start, (size_t)bytes, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

static bool overlaps_bar(struct guest_shm_device *device, int bar, u64 start, u64 bytes)
{
	u64 bar_start = pci_resource_start(device->pci, bar);
	u64 bar_bytes = pci_resource_len(device->pci, bar);

	return bar_bytes != 0 && start < bar_start + bar_bytes && bar_start < start + bytes;
}

/* Where the data are, given the control page; 0: the device can't mean that. */
static u64 data_address_of(struct guest_shm_device *device, u64 control)
{
	const struct guest_shm_windows *windows = &device->windows;
	u64 offset, within;

	if (windows->count == 0)
		return control + GUEST_SHM_PAGE_BYTES;
	if (control < windows->start)
		return 0;
	offset = control - windows->start;
	if (div64_u64(offset, windows->window_bytes) >= windows->count)
		return 0;
	div64_u64_rem(offset, windows->window_bytes, &within);
	if (within >= windows->data_offset)
		return 0;
	return control - within + windows->data_offset;
}

/* Whether the control page may be touched at all, be it only to leave again. */
static bool control_is_sane(struct guest_shm_device *device, u64 control)
{
	struct guest_shm_file *other;

	if (!is_foreign(control, GUEST_SHM_PAGE_BYTES) || data_address_of(device, control) == 0 ||
	    overlaps_bar(device, GUEST_SHM_BAR_FACTORY, control, GUEST_SHM_PAGE_BYTES)) {
		dev_err(&device->pci->dev, "control page at %#llx, which cannot be\n", control);
		return false;
	}
	list_for_each_entry (other, &device->files, in_files) {
		if (other->attached && other->control_address == control) {
			dev_err(&device->pci->dev,
				"control page at %#llx is another connection's already\n", control);
			return false;
		}
	}
	return true;
}

static int check_data(struct guest_shm_device *device, const struct answer *answer, u64 data)
{
	u64 bytes = (u64)answer->size * GUEST_SHM_PAGE_BYTES;
	const struct guest_shm_windows *windows = &device->windows;

	if (answer->size > READ_ONCE(max_pages))
		return -EFBIG;
	if (answer->size == 0 || bytes > SIZE_MAX || !is_foreign(data, bytes) ||
	    overlaps_bar(device, GUEST_SHM_BAR_FACTORY, data, bytes) ||
	    (windows->count != 0 && bytes > windows->window_bytes - windows->data_offset)) {
		dev_err(&device->pci->dev, "%u data pages at %#llx, which cannot be\n",
			answer->size, data);
		return -EIO;
	}
	/* An interrupt that the device has, but the machine could not give us, would never come. */
	if (answer->vector >= device->vectors && answer->vector < device->vectors_offered) {
		dev_err(&device->pci->dev,
			"interrupt %u of %u is needed, and there are only %u for us\n",
			answer->vector, device->vectors_offered, device->vectors);
		return -EIO;
	}
	return 0;
}

/*
 * The one place that reads `status`, for reading clears: what it tells is added to what was not fetched yet. True if it
 * told something. Under file->lock.
 */
static bool look(struct guest_shm_file *file)
{
	u32 status, sources, members;

	if (!file->control)
		return false;
	status = readl(file->control + CONTROL(status));
	/* All clients there and all have rung, or nobody there to answer? The index tells. */
	if (status == ALL_ONES && readl(file->control + CONTROL(idx)) != file->index) {
		if (file->gone)
			return false;
		file->gone = true;
		wake_up_poll(&file->wait, EPOLLIN | EPOLLHUP | EPOLLERR);
		return true;
	}
	sources = status & CLIENTS_MASK;
	members = status >> GUEST_SHM_MAX_CLIENTS;
	if (sources == 0 && members == file->members)
		return false;
	file->sources |= sources;
	file->members = members;
	file->changes++;
	wake_up_poll(&file->wait, EPOLLIN | EPOLLRDNORM);
	return true;
}

/* The connection takes part in interrupts from here on. */
static int connect(struct guest_shm_file *file, const struct answer *answer, void __iomem *control)
{
	struct guest_shm_device *device = file->device;
	u32 index = readl(control + CONTROL(idx));
	unsigned long flags;

	if (index >= GUEST_SHM_MAX_CLIENTS) {
		dev_err(&device->pci->dev, "connection index %u, which cannot be\n", index);
		return index == ALL_ONES ? -ENODEV : -EIO;
	}
	spin_lock_irqsave(&device->interrupt_lock, flags);
	spin_lock(&file->lock);
	file->control = control;
	file->index = index;
	file->vector = answer->vector;
	list_add_tail(&file->in_connections, &device->connections);
	/* A bell before now found no reader, and a pending bell raises no second interrupt. */
	look(file);
	file->changes = 0;
	file->changes_told = 0;
	spin_unlock(&file->lock);
	spin_unlock_irqrestore(&device->interrupt_lock, flags);
	return 0;
}

/* The device has a connection for us: takes it over, or gives it back to the device. */
static int take_over(struct guest_shm_file *file, const struct answer *answer)
{
	struct guest_shm_device *device = file->device;
	u64 data = data_address_of(device, answer->shmem);
	void __iomem *control;
	void *cached = NULL;
	int error;

	if (!control_is_sane(device, answer->shmem))
		return -EIO; /* and it stays attached: there is no place to tell it */
	control = ioremap((phys_addr_t)answer->shmem, GUEST_SHM_PAGE_BYTES);
	if (!control)
		return -ENOMEM;
	error = check_data(device, answer, data);
	if (!error) {
		cached = memremap((resource_size_t)data,
				  (size_t)answer->size * GUEST_SHM_PAGE_BYTES, MEMREMAP_WB);
		error = cached ? connect(file, answer, control) : -ENOMEM;
	}
	if (error) {
		if (cached)
			memunmap(cached);
		writel(1, control + CONTROL(detach));
		iounmap(control);
		return error;
	}
	file->cached = cached;
	file->control_address = (phys_addr_t)answer->shmem;
	file->data_address = (phys_addr_t)data;
	file->pages = answer->size;
	file->attached = true;
	return 0;
}

static int attach_locked(struct guest_shm_file *file, struct guest_shm_attach *request)
{
	struct guest_shm_device *device = file->device;
	struct answer answer = {};
	int error;

	if (device->gone)
		return -ENODEV;
	if (file->attached)
		return -EISCONN;
	/*
	 * A line stays raised until `status` is read, which nobody can do before the control page is known: an endless
	 * interrupt, but for this.
	 */
	if (device->line)
		disable_irq(pci_irq_vector(device->pci, 0));
	error = factory_request(device, request->name, request->pages, &answer);
	request->gss_status = answer.status;
	if (!error)
		error = take_over(file, &answer);
	if (device->line) {
		enable_irq(pci_irq_vector(device->pci, 0));
		/* Where a line is emulated, an interrupt that nobody took meanwhile may not come again. */
		guest_shm_look_vector(device, U32_MAX);
	}
	if (!error) {
		request->index = file->index;
		request->pages = file->pages;
	}
	return error;
}

int guest_shm_attach(struct guest_shm_file *file, struct guest_shm_attach *request)
{
	size_t length = strnlen(request->name, sizeof(request->name));
	int error;

	request->gss_status = GSS_OK;
	if (length == 0 || length >= sizeof(request->name) || request->pages == 0 ||
	    request->reserved != 0)
		return -EINVAL;
	if (request->pages > READ_ONCE(max_pages))
		return -EFBIG;
	if (mutex_lock_interruptible(&file->device->lock))
		return -ERESTARTSYS;
	error = attach_locked(file, request);
	mutex_unlock(&file->device->lock);
	return error;
}

/* Why a connection can't be used now; 0: it can. Under file->lock. */
static int unusable(const struct guest_shm_file *file)
{
	if (file->gone)
		return -ENODEV;
	return file->control ? 0 : -ENOTCONN;
}

/* Asks the device. Not attached is no error, and says so in `info`. */
int guest_shm_members(struct guest_shm_file *file, struct guest_shm_info *info)
{
	unsigned long flags;
	int error;

	*info = (struct guest_shm_info){.abi_version = GUEST_SHM_ABI_VERSION, .index = U32_MAX};
	mutex_lock(&file->device->lock);
	spin_lock_irqsave(&file->lock, flags);
	look(file);
	error = unusable(file);
	if (!error) {
		info->index = file->index;
		info->pages = file->pages;
		info->members = file->members;
	}
	spin_unlock_irqrestore(&file->lock, flags);
	mutex_unlock(&file->device->lock);
	return error == -ENOTCONN ? 0 : error;
}

int guest_shm_notify(struct guest_shm_file *file, u32 targets)
{
	unsigned long flags;
	int error;

	spin_lock_irqsave(&file->lock, flags);
	error = unusable(file);
	if (!error && targets != 0) {
		wmb(); /* what the program stored is visible before the bell; writel alone does not say so for cached memory */
		writel(targets, file->control + CONTROL(notify));
	}
	spin_unlock_irqrestore(&file->lock, flags);
	return error;
}

/* What is new since the last time; -EAGAIN: nothing. */
int guest_shm_take(struct guest_shm_file *file, struct guest_shm_event *event)
{
	unsigned long flags;
	int error;

	spin_lock_irqsave(&file->lock, flags);
	error = unusable(file);
	if (!error && file->sources == 0 && file->changes == file->changes_told)
		error = -EAGAIN;
	if (!error) {
		*event = (struct guest_shm_event){file->sources, file->members, file->changes};
		file->sources = 0;
		file->changes_told = file->changes;
	}
	spin_unlock_irqrestore(&file->lock, flags);
	return error;
}

/* The program did not get it. */
void guest_shm_give_back(struct guest_shm_file *file, const struct guest_shm_event *event)
{
	unsigned long flags;

	spin_lock_irqsave(&file->lock, flags);
	file->sources |= event->sources;
	if (file->changes_told == event->changes)
		file->changes_told--;
	spin_unlock_irqrestore(&file->lock, flags);
}

/*
 * Mostly in an interrupt. A region's vector is that of its own or one for the whole device, or a number that means something
 * else (a line's): a connection is looked at by its own vector, or if its number is none of ours by any; an interrupt
 * that no connection calls its own looks at all.
 */
bool guest_shm_look_vector(struct guest_shm_device *device, u32 vector)
{
	struct guest_shm_file *file;
	unsigned long flags;
	bool owned = false, told = false;

	spin_lock_irqsave(&device->interrupt_lock, flags);
	list_for_each_entry (file, &device->connections, in_connections)
		owned |= file->vector == vector;
	list_for_each_entry (file, &device->connections, in_connections) {
		if (owned && file->vector != vector && file->vector < device->vectors)
			continue;
		spin_lock(&file->lock);
		told |= look(file);
		spin_unlock(&file->lock);
	}
	spin_unlock_irqrestore(&device->interrupt_lock, flags);
	return told;
}

/* Leaves the region, if the file is in one; `gone`: never to come back. Under device->lock. */
void guest_shm_detach(struct guest_shm_file *file, bool gone)
{
	struct guest_shm_device *device = file->device;
	void __iomem *control;
	unsigned long flags;

	spin_lock_irqsave(&device->interrupt_lock, flags);
	spin_lock(&file->lock);
	control = file->control;
	file->control = NULL;
	if (control) {
		list_del_init(&file->in_connections);
		writel(1, control + CONTROL(detach));
	}
	if (gone) {
		file->gone = true;
		wake_up_poll(&file->wait, EPOLLIN | EPOLLHUP | EPOLLERR);
	}
	spin_unlock(&file->lock);
	spin_unlock_irqrestore(&device->interrupt_lock, flags);
	if (control)
		iounmap(control);
}
