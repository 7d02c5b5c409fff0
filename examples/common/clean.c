/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clean.h"

#include "common/args.h"
#include "common/report.h"

#include <peal/bus.h>
#include <stdio.h>

int clean_run(const char *program, const char *default_bus, int argc, char **argv)
{
    const char *bus_url = default_bus;
    const struct args_option options[] = {
        {.name = "bus", .value = "URL", .help = "whose region to remove", .to_text = &bus_url},
    };
    int code = args_parse(program,
                          "Removes a bus's region. Who is attached goes on undisturbed; the next "
                          "program\nthat opens the bus makes a new one.",
                          options, sizeof options / sizeof options[0], argc, argv);
    if (code != ARGS_RUN)
        return code;

    switch (peal_unlink(bus_url)) {
    case PEAL_OK:
        printf("removed %s\n", bus_url);
        return EXIT_OK;
    case PEAL_ENOENT:
        printf("there is no %s\n", bus_url);
        return EXIT_OK;
    default:
        return report_setup("cannot remove the region");
    }
}
