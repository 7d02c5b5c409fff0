/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over what a device server answers, as a guest by its socket reads it: version, descriptions of the device and its
 * BARs, configuration space, the list of windows, descriptors, registers. The input is a list of lies
 * (tests/support/mock_device.h) that a server tells which is otherwise right.
 */
#include "tests/support/mock_device.h"
#include "transport/vdev/registers.h"

#include <dirent.h>
#include <stdlib.h>

#define TIMEOUT_NS UINT64_C(30000000) /* a reply that is said to be longer than it is costs it */
#define LIES_MAX 64u
#define PAGES 2u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mock_device mock;

static uint32_t descriptors(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        abort();
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

static void use(struct peal_vdev_registers *registers)
{
    const struct peal_vdev_registers_ops *ops = registers->ops;
    unsigned char *base = NULL;
    uint64_t value = 0;
    (void)ops->read(registers, registers->factory, 8, &value);
    (void)ops->write(registers, registers->factory + 24, 4, PAGES, false);
    (void)ops->read(registers, registers->factory + 24, 4, &value);
    for (uint32_t window = 0; window < MOCK_WINDOWS; window++) {
        if (ops->map(registers, registers->factory + window * (uint64_t)MOCK_WINDOW_BYTES, PAGES,
                     &base) == PEAL_OK)
            ops->unmap(registers, base, PAGES);
    }
    ops->acknowledge(registers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peal_vdev_registers *registers = NULL;
    if (size > 4 * LIES_MAX)
        return 0;
    const uint32_t before = descriptors();
    mock_prepare(&mock);
    mock.lies = data;
    mock.lies_bytes = size;
    mock_start(&mock);
    if (peal_vdev_socket_open(mock.path, TIMEOUT_NS, &registers) == PEAL_OK) {
        use(registers);
        registers->ops->close(registers);
    }
    mock_abandon(&mock);
    if (descriptors() != before)
        abort(); /* an opening that fails leaves nothing behind */
    return 0;
}
