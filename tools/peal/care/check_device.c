/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's shared-memory device: is this a guest, does it have the device, a driver for it, a node, and may we use
 * that? docs/inter-vm.md tells how it should be.
 */
#include "tools/peal/care/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define PCI "/sys/bus/pci/devices"
#define MODULE "guest_shm"
#define VENDOR_ID 0x1c05u
#define DEVICE_ID 0x0001u

/* ---- what is there ---- */

struct devices {
    const struct host *host;
    unsigned count;
    unsigned without_driver;
    char first_idle[64];  /* address of the first that has no driver */
    char first[64];       /* address */
    char other[64];       /* a driver that is not ours */
    unsigned vectors;     /* MSI or MSI-X, of all */
    unsigned line_driven; /* have our driver, and neither */
};

static unsigned read_hex(const struct host *host, const char *name, const char *attribute)
{
    const char *text = host_read(host, PCI "/%.64s/%s", name, attribute);
    return text ? (unsigned)strtoul(text, NULL, 16) : 0;
}

/* The driver that a device has, by its link. False: none. */
static bool driver_of(const struct host *host, const char *name, char *driver, size_t bytes)
{
    char path[HOST_PATH_BYTES], target[HOST_PATH_BYTES];
    const ssize_t length =
        readlink(host_path(host, path, PCI "/%.64s/driver", name), target, sizeof(target) - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    (void)snprintf(driver, bytes, "%.60s", slash ? slash + 1 : target);
    return true;
}

static void count_vector(void *context, const char *name)
{
    unsigned *count = context;
    (void)name;
    (*count)++;
}

static void on_function(void *context, const char *name)
{
    struct devices *devices = context;
    char driver[64], path[HOST_PATH_BYTES];
    unsigned vectors = 0;
    if (read_hex(devices->host, name, "vendor") != VENDOR_ID ||
        read_hex(devices->host, name, "device") != DEVICE_ID)
        return;
    if (devices->count++ == 0)
        (void)snprintf(devices->first, sizeof(devices->first), "%.63s", name);
    if (!driver_of(devices->host, name, driver, sizeof(driver))) {
        if (devices->without_driver++ == 0)
            (void)snprintf(devices->first_idle, sizeof(devices->first_idle), "%.63s", name);
        return;
    }
    if (strcmp(driver, MODULE) != 0) {
        (void)snprintf(devices->other, sizeof(devices->other), "%.63s", driver);
        return;
    }
    (void)snprintf(path, sizeof(path), PCI "/%.64s/msi_irqs", name);
    (void)host_list(devices->host, path, count_vector, &vectors);
    devices->vectors += vectors;
    devices->line_driven += vectors == 0;
}

static struct devices find_devices(const struct host *host)
{
    struct devices devices = {.host = host};
    (void)host_list(host, PCI, on_function, &devices);
    return devices;
}

/* ---- guest ---- */

/* The hypervisor's signature in CPUID, "" if it has none. */
static void cpu_signature(const struct host *host, char text[13])
{
    text[0] = '\0';
#if defined(__x86_64__) || defined(__i386__)
    unsigned eax, words[3];
    if (host->root[0] != '\0')
        return;
    __cpuid(0x40000000u, eax, words[0], words[1], words[2]);
    (void)eax;
    memcpy(text, words, sizeof(words));
    text[12] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
#else
    (void)host;
#endif
}

static bool has_hypervisor_flag(const struct host *host)
{
    char flags[8192];
    const char *text = host_read(host, "/proc/cpuinfo");
    return text && host_field(text, "flags\t\t", flags, sizeof(flags)) &&
           strstr(flags, " hypervisor") != NULL;
}

/* By what QNX's hypervisor shows of itself: its signature, its name in the tables of the machine or in the device tree. */
static bool is_qnx(const struct host *host, const char *signature)
{
    const char *vendor = host_read(host, "/sys/class/dmi/id/sys_vendor");
    if (strncmp(signature, "QNX", 3) == 0 || (vendor && strstr(vendor, "QNX")))
        return true;
    const char *tree = host_read(host, "/proc/device-tree/hypervisor/compatible");
    return (tree && strstr(tree, "qnx")) || host_exists(host, "/proc/device-tree/vdevs");
}

void check_guest(struct doctor *doctor)
{
    char signature[13] = "";
    const struct host *host = &doctor->host;
    const bool is_guest = has_hypervisor_flag(host) || host_exists(host, "/sys/hypervisor/type") ||
                          host_exists(host, "/proc/device-tree/hypervisor");
    if (is_guest)
        cpu_signature(host, signature);
    const char *vendor = host_read(host, "/sys/class/dmi/id/sys_vendor");
    if (is_guest)
        doctor_ok(doctor, "a virtual machine%s%s%s%.40s", signature[0] != '\0' ? ", under " : "",
                  signature, vendor ? ", made by " : "", vendor ? vendor : "");
    else
        doctor_ok(doctor, "no virtual machine, as far as can be seen");
}

void check_device(struct doctor *doctor)
{
    char signature[13] = "";
    const struct host *host = &doctor->host;
    const struct devices devices = find_devices(host);
    if (devices.count > 0) {
        doctor_ok(doctor, "%u shared-memory device%s of the hypervisor (%s)", devices.count,
                  devices.count == 1 ? "" : "s", devices.first);
        return;
    }
    if (has_hypervisor_flag(host))
        cpu_signature(host, signature);
    if (is_qnx(host, signature))
        doctor_bad(
            doctor,
            "write vdev shmem, with an allow line for each bus and without loc and intr, into "
            "this guest's configuration on the host; lspci -n -d 1c05:0001 then has a line",
            "a guest of the QNX Hypervisor without its shared-memory device on the PCI bus: "
            "vdev: does not work");
    else
        doctor_ok(doctor, "no shared-memory device: auto: takes posix:, and vdev: needs the socket "
                          "of a peal-vdev");
}

/* ---- driver ---- */

void check_driver(struct doctor *doctor)
{
    const struct host *host = &doctor->host;
    const struct devices devices = find_devices(host);
    const bool is_loaded = host_exists(host, "/sys/module/" MODULE);
    char remedy[320];
    if (devices.count == 0) {
        doctor_ok(doctor, is_loaded ? "the driver is loaded, and has no device"
                                    : "no device, and so no driver is needed");
    } else if (devices.other[0] != '\0') {
        (void)snprintf(remedy, sizeof(remedy),
                       "echo %s | sudo tee " PCI "/%s/driver/unbind && sudo modprobe " MODULE,
                       devices.first, devices.first);
        doctor_bad(doctor, remedy, "the device is in the hands of the driver %s", devices.other);
    } else if (devices.without_driver == 0) {
        doctor_ok(doctor, "the driver " MODULE " has the device");
    } else if (is_loaded) {
        (void)snprintf(remedy, sizeof(remedy),
                       "sudo dmesg | grep " MODULE
                       " tells why; then echo %s | sudo tee /sys/bus/pci/drivers/" MODULE "/bind",
                       devices.first_idle);
        doctor_bad(doctor, remedy, "the driver " MODULE " is loaded, and does not take device %s",
                   devices.first_idle);
    } else {
        doctor_bad(doctor,
                   "sudo modprobe " MODULE " (if there is no such module: dkms add -m guest-shm -v "
                   "VERSION && dkms install -m guest-shm -v VERSION, or make -C driver)",
                   "the driver " MODULE " is not loaded: vdev: does not work");
    }
}

/* ---- node ---- */

struct nodes {
    struct doctor *doctor;
    unsigned count;
};

static void on_node(void *context, const char *name)
{
    struct nodes *nodes = context;
    struct stat node;
    char path[128], remedy[256];
    if (strncmp(name, MODULE, strlen(MODULE)) != 0)
        return;
    (void)snprintf(path, sizeof(path), "/dev/%.63s", name);
    if (!host_stat(&nodes->doctor->host, &node, path))
        return;
    nodes->count++;
    const struct host_user user = host_user(&nodes->doctor->host);
    const unsigned mode = (unsigned)node.st_mode & 07777u;
    if (!host_may_use(&nodes->doctor->host, &node)) {
        if (user.name[0] != '\0')
            (void)snprintf(remedy, sizeof(remedy),
                           "sudo usermod -a -G " MODULE " %s, and log in anew", user.name);
        else
            (void)snprintf(remedy, sizeof(remedy), "add the user to the group of %s", path);
        doctor_bad(nodes->doctor, remedy, "%s has mode %04o and group %u: user %u may not use it",
                   path, mode, (unsigned)node.st_gid, user.id);
    } else if ((mode & 0006u) != 0) {
        doctor_warn(
            nodes->doctor, "install the udev rule: peal doctor udev",
            "%s has mode %04o: every user of this guest may write each region that the host "
            "allows",
            path, mode);
    } else {
        doctor_ok(nodes->doctor, "%s may be used by user %u", path, user.id);
    }
}

void check_node(struct doctor *doctor)
{
    const struct devices devices = find_devices(&doctor->host);
    struct nodes nodes = {.doctor = doctor};
    (void)host_list(&doctor->host, "/dev", on_node, &nodes);
    if (nodes.count > 0)
        return;
    if (devices.count > devices.without_driver && devices.other[0] == '\0')
        doctor_bad(doctor, "sudo udevadm trigger, or mount -t devtmpfs devtmpfs /dev",
                   "the driver has a device, and there is no /dev/" MODULE "0");
    else
        doctor_ok(doctor, "no node, for there is no device with its driver");
}

/* ---- udev ---- */

static bool has_group(const struct host *host, const char *name)
{
    const char *text = host_read(host, "/etc/group");
    const size_t length = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return true;
    }
    return false;
}

void check_udev(struct doctor *doctor)
{
    static const char *const folders[] = {"/etc/udev/rules.d", "/run/udev/rules.d",
                                          "/usr/lib/udev/rules.d", "/lib/udev/rules.d",
                                          "/usr/local/lib/udev/rules.d"};
    const struct devices devices = find_devices(&doctor->host);
    bool is_there = false;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        is_there |= host_exists(&doctor->host, "%s/60-guest_shm.rules", folders[i]);
    if (devices.count == 0)
        doctor_ok(doctor, "no device, and so no rule is needed");
    else if (!is_there)
        doctor_warn(
            doctor,
            "sudo cp driver/60-guest_shm.rules /etc/udev/rules.d/ && sudo groupadd --system " MODULE
            " && sudo udevadm control --reload && sudo udevadm trigger",
            "the udev rule 60-guest_shm.rules is not installed: only root may use the "
            "device");
    else if (!has_group(&doctor->host, MODULE))
        doctor_bad(doctor, "sudo groupadd --system " MODULE " && sudo udevadm trigger",
                   "the udev rule gives the device to the group " MODULE ", and there is none");
    else
        doctor_ok(doctor, "the udev rule gives the device to the group " MODULE);
}

/* ---- interrupts ---- */

void check_interrupts(struct doctor *doctor)
{
    const struct host *host = &doctor->host;
    const struct devices devices = find_devices(host);
    const char *text = host_read(host, "/sys/module/" MODULE "/parameters/line_interrupt");
    const bool is_chosen = text && (*text == 'Y' || *text == '1');
    text = host_read(host, "/proc/interrupts");
    const bool is_registered = text && strstr(text, MODULE) != NULL;
    const char *vendor = host_read(host, "/sys/class/dmi/id/sys_vendor");
    const bool is_qemu = vendor && strstr(vendor, "QEMU") != NULL;
    if (devices.count == devices.without_driver || devices.other[0] != '\0')
        doctor_ok(doctor, "no device with its driver, and so no interrupts");
    else if (!is_registered)
        doctor_bad(doctor, "sudo dmesg | grep " MODULE,
                   "no interrupt of " MODULE " in /proc/interrupts: nobody here is woken");
    else if (devices.line_driven > 0 && (is_chosen || is_qemu))
        doctor_warn(doctor,
                    is_chosen ? "sudo modprobe -r " MODULE " && sudo modprobe " MODULE
                                " line_interrupt=0"
                              : "take --intx from the command line of peal-vdev",
                    "the device interrupts by its line%s: under QEMU each access to memory is slow "
                    "after the first one",
                    is_chosen ? ", for the driver was told so" : "");
    else if (devices.line_driven > 0)
        doctor_ok(doctor, "the device interrupts by its line, as a QNX host has it");
    else
        doctor_ok(doctor, "%u interrupt vector%s (MSI)", devices.vectors,
                  devices.vectors == 1 ? "" : "s");
}
