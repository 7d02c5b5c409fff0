// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the shmem vdev as a PCI function, and comes and goes with it.
 */
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "guest_shm_driver.h"

#define CAPABILITIES_MAX 48 /* as many as configuration space holds */

static bool line_interrupt;
module_param(line_interrupt, bool, 0444);
MODULE_PARM_DESC(line_interrupt, "use the interrupt line (INTx) even if there are MSI or MSI-X");

static DEFINE_IDA(numbers);

static irqreturn_t guest_shm_interrupt(int irq, void *context)
{
	struct guest_shm_vector *vector = context;
	bool told = guest_shm_look_vector(vector->device, vector->number);

	/* A line may be another device's; a message is ours, though another connection's reader may have been faster. */
	return told || !vector->device->line ? IRQ_HANDLED : IRQ_NONE;
}

static u32 config_u32(struct pci_dev *pci, int offset)
{
	u32 value = 0;

	pci_read_config_dword(pci, offset, &value);
	return value;
}

#define CAPABILITY(field) offsetof(struct guest_shm_window_capability, field)

/* Reads the windows from a capability of ours, and believes only what fits into its BAR. */
static int read_windows(struct pci_dev *pci, int at, struct guest_shm_windows *windows)
{
	u32 head = config_u32(pci, at);
	u32 place = config_u32(pci, at + CAPABILITY(bar));
	u32 data_offset = config_u32(pci, at + CAPABILITY(data_offset));
	u64 window_bytes = config_u32(pci, at + CAPABILITY(window_bytes_low)) |
			   (u64)config_u32(pci, at + CAPABILITY(window_bytes_high)) << 32;
	u32 count = config_u32(pci, at + CAPABILITY(windows));
	u32 bar = place & 0xff;

	if (head >> 24 != GUEST_SHM_WINDOW_VERSION) {
		dev_err(&pci->dev, "windows of version %u, this driver knows %u; update it\n",
			head >> 24, GUEST_SHM_WINDOW_VERSION);
		return -EPROTO;
	}
	if (bar < PCI_STD_NUM_BARS && pci_resource_flags(pci, bar) & IORESOURCE_UNSET) {
		dev_err(&pci->dev, "BAR %u has no address: this machine has no room for it\n", bar);
		return -ENOSPC;
	}
	if ((head >> 16 & 0xff) < GUEST_SHM_WINDOW_CAPABILITY_BYTES || place >> 8 != 0 ||
	    bar >= PCI_STD_NUM_BARS || bar == GUEST_SHM_BAR_FACTORY ||
	    !(pci_resource_flags(pci, bar) & IORESOURCE_MEM) || data_offset == 0 ||
	    !IS_ALIGNED(data_offset, GUEST_SHM_PAGE_BYTES) ||
	    !IS_ALIGNED(window_bytes, GUEST_SHM_PAGE_BYTES) || window_bytes <= data_offset ||
	    count == 0 || count > div64_u64(pci_resource_len(pci, bar), window_bytes)) {
		dev_err(&pci->dev, "%u windows of %#llx bytes in BAR %u, which cannot be\n", count,
			window_bytes, bar);
		return -EPROTO;
	}
	*windows = (struct guest_shm_windows){
		.start = pci_resource_start(pci, bar),
		.window_bytes = window_bytes,
		.data_offset = data_offset,
		.count = count,
	};
	return 0;
}

static int find_windows(struct pci_dev *pci, struct guest_shm_windows *windows)
{
	int at = pci_find_capability(pci, PCI_CAP_ID_VNDR);
	int i;

	for (i = 0; i < CAPABILITIES_MAX && at != 0; i++) {
		if (at + GUEST_SHM_WINDOW_CAPABILITY_BYTES <= PCI_CFG_SPACE_SIZE &&
		    config_u32(pci, at + CAPABILITY(magic)) == GUEST_SHM_WINDOW_MAGIC)
			return read_windows(pci, at, windows);
		at = pci_find_next_capability(pci, at, PCI_CAP_ID_VNDR);
	}
	return 0;
}

static void free_interrupts(struct guest_shm_device *device, u32 requested)
{
	while (requested-- > 0)
		free_irq(pci_irq_vector(device->pci, requested), &device->vector[requested]);
	pci_free_irq_vectors(device->pci);
}

static int request_interrupts(struct guest_shm_device *device)
{
	struct pci_dev *pci = device->pci;
	int offered = pci_msix_vec_count(pci);
	int got = -ENOSPC;
	u32 i;

	device->vectors_offered = 1;
	if (!line_interrupt && offered > 0) {
		got = pci_alloc_irq_vectors(pci, 1, min_t(int, offered, GUEST_SHM_VECTORS_MAX),
					    PCI_IRQ_MSIX);
		if (got > 0)
			device->vectors_offered = offered;
	}
	if (got < 0)
		got = pci_alloc_irq_vectors(pci, 1, 1,
					    line_interrupt ? PCI_IRQ_ALL_TYPES &
								     ~(PCI_IRQ_MSIX | PCI_IRQ_MSI)
							   : PCI_IRQ_ALL_TYPES);
	if (got < 0) {
		dev_err(&pci->dev, "no interrupt to be had\n");
		return got;
	}
	device->vectors = got;
	device->line = !pci->msix_enabled && !pci->msi_enabled;
	for (i = 0; i < device->vectors; i++) {
		int error;

		device->vector[i] = (struct guest_shm_vector){device, i};
		error = request_irq(pci_irq_vector(pci, i), guest_shm_interrupt,
				    device->line ? IRQF_SHARED : 0, device->name,
				    &device->vector[i]);
		if (error) {
			dev_err(&pci->dev, "interrupt %u is not to be had: %d\n", i, error);
			free_interrupts(device, i);
			return error;
		}
	}
	return 0;
}

static int map_factory(struct guest_shm_device *device)
{
	struct pci_dev *pci = device->pci;

	if (!(pci_resource_flags(pci, GUEST_SHM_BAR_FACTORY) & IORESOURCE_MEM) ||
	    pci_resource_len(pci, GUEST_SHM_BAR_FACTORY) < GUEST_SHM_PAGE_BYTES) {
		dev_err(&pci->dev, "BAR 0 is no factory page\n");
		return -ENODEV;
	}
	device->factory = pci_ioremap_bar(pci, GUEST_SHM_BAR_FACTORY);
	if (!device->factory)
		return -ENOMEM;
	if (!guest_shm_signature_there(device->factory)) {
		dev_err(&pci->dev, "no signature in BAR 0: this is no shmem vdev\n");
		iounmap(device->factory);
		return -ENODEV;
	}
	return 0;
}

/* Makes /dev/guest_shmN; programs come from here on. */
static int show_node(struct guest_shm_device *device)
{
	device->node = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = device->name,
		.fops = &guest_shm_file_operations,
		.parent = &device->pci->dev,
	};
	return misc_register(&device->node);
}

static struct guest_shm_device *new_device(struct pci_dev *pci)
{
	struct guest_shm_device *device = kzalloc(sizeof(*device), GFP_KERNEL);

	if (!device)
		return NULL;
	kref_init(&device->references);
	device->pci = pci;
	mutex_init(&device->lock);
	spin_lock_init(&device->interrupt_lock);
	INIT_LIST_HEAD(&device->files);
	INIT_LIST_HEAD(&device->connections);
	device->number = ida_alloc(&numbers, GFP_KERNEL);
	if (device->number < 0) {
		kfree(device);
		return NULL;
	}
	snprintf(device->name, sizeof(device->name), "guest_shm%d", device->number);
	return device;
}

static int guest_shm_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct guest_shm_device *device;
	int bars, error;

	if (PAGE_SIZE != GUEST_SHM_PAGE_BYTES) {
		dev_err(&pci->dev,
			"the device's pages are of 4 KiB; run a kernel whose are as well\n");
		return -EOPNOTSUPP;
	}
	device = new_device(pci);
	if (!device)
		return -ENOMEM;
	error = pci_enable_device_mem(pci);
	if (error)
		goto free;
	bars = pci_select_bars(pci, IORESOURCE_MEM);
	error = pci_request_selected_regions(pci, bars, "guest_shm");
	if (error)
		goto disable;
	error = map_factory(device);
	if (error)
		goto release;
	error = find_windows(pci, &device->windows);
	if (error)
		goto unmap;
	pci_set_master(pci); /* messages of interrupts are writes of the device */
	error = request_interrupts(device);
	if (error)
		goto unmap;
	pci_set_drvdata(pci, device);
	error = show_node(device);
	if (error)
		goto interrupts;
	dev_info(&pci->dev, "/dev/%s, %u interrupts%s, %u windows\n", device->name, device->vectors,
		 device->line ? " (line)" : "", device->windows.count);
	return 0;

interrupts:
	free_interrupts(device, device->vectors);
unmap:
	iounmap(device->factory);
release:
	pci_release_selected_regions(pci, bars);
disable:
	pci_disable_device(pci);
free:
	ida_free(&numbers, device->number);
	kfree(device);
	return error;
}

/* Detaches all; a device that has been pulled out does not hear it. Registers are touched no more. */
static void end_device(struct guest_shm_device *device)
{
	mutex_lock(&device->lock);
	if (!device->gone)
		guest_shm_files_end(device);
	device->gone = true;
	mutex_unlock(&device->lock);
}

static void guest_shm_remove(struct pci_dev *pci)
{
	struct guest_shm_device *device = pci_get_drvdata(pci);

	misc_deregister(&device->node);
	end_device(device);
	free_interrupts(device, device->vectors);
	iounmap(device->factory);
	device->factory = NULL;
	device->pci = NULL;
	pci_release_selected_regions(pci, pci_select_bars(pci, IORESOURCE_MEM));
	pci_disable_device(pci);
	ida_free(&numbers, device->number);
	kref_put(&device->references, guest_shm_device_free);
}

/* A kernel that is started next (kexec) must not find our connections. */
static void guest_shm_shutdown(struct pci_dev *pci)
{
	end_device(pci_get_drvdata(pci));
	pci_clear_master(pci);
}

static const struct pci_device_id guest_shm_ids[] = {
	{PCI_DEVICE(PCI_VID_BlackBerry_QNX, PCI_DID_QNX_GUEST_SHM)},
	{},
};
MODULE_DEVICE_TABLE(pci, guest_shm_ids);

static struct pci_driver guest_shm_driver = {
	.name = "guest_shm",
	.id_table = guest_shm_ids,
	.probe = guest_shm_probe,
	.remove = guest_shm_remove,
	.shutdown = guest_shm_shutdown,
};
module_pci_driver(guest_shm_driver);

MODULE_DESCRIPTION("Guest driver of the QNX hypervisor's shared-memory device (shmem vdev)");
MODULE_AUTHOR("Peal developers");
MODULE_LICENSE("GPL");
