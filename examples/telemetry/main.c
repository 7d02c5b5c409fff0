/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry: live figures of machines over a bus.
 *
 *      telemetry pub       reads /proc and publishes, ten times a second     (pub.c, machine.c)
 *      telemetry sub       shows what all publishers say, as a live table    (sub.c, table.c)
 *      telemetry clean     removes the region
 *
 * Any number of each, started and stopped in any order.
 */
#include "common/args.h"
#include "common/clean.h"
#include "telemetry/telemetry.h"

static int telemetry_clean(int argc, char **argv)
{
    return clean_run("telemetry clean", ARGS_DEFAULT_BUS, argc, argv);
}

int main(int argc, char **argv)
{
    const struct args_command commands[] = {
        {"pub", "publish the figures of this machine", telemetry_pub},
        {"sub", "show a live table of all publishers", telemetry_sub},
        {"clean", "remove the region of the bus", telemetry_clean},
    };
    return args_dispatch("telemetry", "Live figures of machines over a Peal bus.", commands,
                         sizeof commands / sizeof commands[0], argc, argv);
}
