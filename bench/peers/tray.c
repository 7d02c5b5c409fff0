/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/tray.h"

#include "core/cpu.h"

#include <stdlib.h>

enum { TRAY_BYTES = 8 << 20 };

void bench_tray_open(struct bench_tray *tray, size_t size_bytes_max, size_t head_bytes)
{
    size_t stride = size_bytes_max + head_bytes;
    size_t places = TRAY_BYTES / stride;
    size_t bytes;

    if (places > BENCH_BATCH_MAX)
        places = BENCH_BATCH_MAX;
    if (places == 0)
        places = 1;
    bytes = (places * stride + PEAL_WRITER_BYTES - 1) / PEAL_WRITER_BYTES * PEAL_WRITER_BYTES;
    *tray = (struct bench_tray){.places_max = places, .head_bytes = head_bytes};
    tray->bytes = aligned_alloc(PEAL_WRITER_BYTES, bytes);
    if (tray->bytes == NULL)
        bench_contender_die("there is no memory for %zu messages of %zu bytes", places, stride);
}

void bench_tray_close(struct bench_tray *tray)
{
    free(tray->bytes);
}

size_t bench_tray_prepare(struct bench_tray *tray, void *places[], size_t size_bytes, size_t count)
{
    if (count > tray->places_max)
        count = tray->places_max;
    tray->size_bytes = size_bytes;
    tray->stride_bytes = size_bytes + tray->head_bytes;
    tray->prepared = count;
    tray->next = 0;
    for (size_t i = 0; i < count; i++)
        places[i] = tray->bytes + i * tray->stride_bytes + tray->head_bytes;
    return count;
}
