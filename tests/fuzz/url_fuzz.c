/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over the parser of URLs, and of the plans of fault points.
 */
#include "bus/url.h"
#include "tests/support/fault_plan.h"
#include "transport/local/local.h"
#include "transport/posix/posix.h"
#include "transport/vdev/vdev.h"

#include <stdlib.h>
#include <string.h>

/* The registry of backends checks names; the backends themselves are not opened here. */
const struct peal_transport_ops peal_transport_posix_ops = {.scheme = "posix"};
const struct peal_transport_ops peal_transport_local_ops = {.scheme = "local"};
const struct peal_transport_ops peal_transport_vdev_ops = {.scheme = "vdev"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peal_url url;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct fault_plan plan;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (peal_url_parse(&url, &options, text) == PEAL_OK &&
        (strlen(url.scheme) == 0 || strlen(url.name) == 0))
        abort();
    (void)fault_plan_parse(text, &plan);
    free(text);
    return 0;
}
