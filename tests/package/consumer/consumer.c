/* SPDX-License-Identifier: Apache-2.0 */
/* Uses the installed package: its version, and a bus of its own process. */
#include <peal/peal.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;

    if (argc != 2 || strcmp(argv[1], PEAL_VERSION_TEXT) != 0) {
        fprintf(stderr, "headers are of version %s\n", PEAL_VERSION_TEXT);
        return 1;
    }
    options.client_name = "consumer";
    if (peal_bus_open(&bus, "local:package", &options) != PEAL_OK) {
        fprintf(stderr, "cannot open a bus: %s\n", peal_error_message());
        return 1;
    }
    peal_bus_close(bus);
    if (peal_bus_open(&bus, "nonsense", &options) == PEAL_OK || bus != NULL) {
        fprintf(stderr, "a URL without a scheme was accepted\n");
        return 1;
    }
    return 0;
}
