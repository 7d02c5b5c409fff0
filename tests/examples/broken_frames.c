/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broken_frames BUS FRAME_BYTES first|middle|last|header: publishes three frames as `frames pub`
 * does, the second with one bit wrong in that place. So that a test sees the subscriber find it.
 */
#include "frames/frame.h"

#include <peal/peal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t place_find(const char *place, size_t frame_bytes)
{
    if (strcmp(place, "first") == 0)
        return sizeof(struct frame_header);
    if (strcmp(place, "middle") == 0)
        return sizeof(struct frame_header) + frame_bytes / 2;
    if (strcmp(place, "last") == 0)
        return sizeof(struct frame_header) + frame_bytes - 1;
    return offsetof(struct frame_header, number);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    size_t frame_bytes = (size_t)strtoull(argv[2], NULL, 10);
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.message_bytes_max = (uint32_t)frame_message_bytes(frame_bytes);
    options.depth = FRAMES_DEPTH;
    options.type_name = FRAMES_TYPE_NAME;
    options.schema_hash = FRAMES_SCHEMA_HASH;
    if (peal_bus_open(&bus, argv[1], NULL) != PEAL_OK ||
        peal_publisher_create(bus, FRAMES_TOPIC, &options, &publisher) != PEAL_OK) {
        fprintf(stderr, "%s\n", peal_error_message());
        return 1;
    }
    for (uint64_t number = 0; number < 3; number++) {
        void *memory;
        if (peal_publisher_loan(publisher, frame_message_bytes(frame_bytes), &memory) != PEAL_OK)
            return 1;
        frame_write(memory, frame_bytes, number);
        if (number == 1)
            ((unsigned char *)memory)[place_find(argv[3], frame_bytes)] ^= 0x10;
        if (peal_publisher_commit(publisher, frame_message_bytes(frame_bytes)) != PEAL_OK)
            return 1;
    }
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return 0;
}
