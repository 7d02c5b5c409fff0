/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/undisturbed_guilty.h"

#include "tests/tools/undisturbed_bursts.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(peal_u64 *lane, peal_u64 *rounds)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        (void)peal_u64_add_relaxed(rounds, 1); /* relaxed: it only says that we are at it */
        for (size_t line = 0; line < GUILTY_LINES; line++)
            (void)peal_u64_add_relaxed(&lane[8 * line + 4], 0); /* relaxed: tells nobody anything */
    }
}

bool guilty_begin(struct guilty *guilty, peal_u64 *lane)
{
    guilty->rounds = mmap(NULL, sizeof(*guilty->rounds), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (guilty->rounds == MAP_FAILED)
        return false;
    guilty->pid = fork();
    if (guilty->pid == 0)
        work(lane, guilty->rounds);
    return guilty->pid > 0 && guilty_hold(guilty);
}

void guilty_end(struct guilty *guilty)
{
    (void)kill(guilty->pid, SIGKILL);
    (void)waitpid(guilty->pid, NULL, 0);
    (void)munmap(guilty->rounds, sizeof(*guilty->rounds));
}

void guilty_let_go(const void *context)
{
    const struct guilty *guilty = context;
    const uint64_t before = peal_u64_load_relaxed(guilty->rounds); /* relaxed: it only counts */
    const uint64_t until_ns = now_ns() + UINT64_C(1000000000);
    (void)kill(guilty->pid, SIGCONT);
    /* We keep our CPU meanwhile: both shall run at the same time. */
    while (peal_u64_load_relaxed(guilty->rounds) == before && now_ns() < until_ns)
        continue; /* relaxed: it only counts */
}

bool guilty_hold(const void *context)
{
    int status = 0;
    const pid_t pid = ((const struct guilty *)context)->pid;
    return kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
}
