/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames: a stream of video-size frames, zero copy.
 *
 *      frames pub      draws a test picture into the lane itself: loan, draw, commit      (pub.c)
 *      frames sub      checks every byte of it where it lies: take, check, release        (sub.c)
 *      frames clean    removes the region
 *
 * A frame is written once and read once; nothing is copied between.
 */
#include "common/args.h"
#include "common/clean.h"
#include "frames/frame.h"
#include "frames/frames.h"

static int frames_clean(int argc, char **argv)
{
    return clean_run("frames clean", FRAMES_DEFAULT_BUS, argc, argv);
}

int main(int argc, char **argv)
{
    const struct args_command commands[] = {
        {"pub", "publish frames of a moving test picture", frames_pub},
        {"sub", "receive frames, check and count them", frames_sub},
        {"clean", "remove the region of the bus", frames_clean},
    };
    return args_dispatch("frames", "Video-size frames over a Peal bus, zero copy.", commands,
                         sizeof commands / sizeof commands[0], argc, argv);
}
