/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stage.h"

#include <peal/peal.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool stage_open(struct stage *stage, const char *name, size_t size_bytes)
{
    void *memory =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *stage = (struct stage){.memory = memory, .size_bytes = size_bytes};
    (void)snprintf(stage->url, sizeof(stage->url), "posix:%s-%d", name, (int)getpid());
    return true;
}

void stage_clear(struct stage *stage)
{
    memset(stage->memory, 0, stage->size_bytes);
    (void)peal_unlink(stage->url);
}

void stage_close(struct stage *stage)
{
    if (!stage->memory)
        return;
    (void)peal_unlink(stage->url);
    (void)munmap(stage->memory, stage->size_bytes);
    stage->memory = NULL;
}
