/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process whose memory changes under its hands: after the n-th instruction of an act a word of it becomes another.
 */
#ifndef PEAL_TESTS_SUPPORT_WORD_CHANGE_H
#define PEAL_TESTS_SUPPORT_WORD_CHANGE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static inline int word_change_signal(pid_t pid)
{
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/*
 * `act` raises SIGUSR1 where its instructions begin to count, and SIGUSR2 where they end; what it returns is *code, 128 if it
 * does not come to that. `word`, aligned, becomes `value` in the process that acts. False: it needs less than n instructions.
 */
static inline bool word_change_after(int (*act)(int how), int how, uint64_t n, void *word,
                                     uint64_t value, int *code)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGUSR1, SIG_IGN);
        (void)signal(SIGUSR2, SIG_IGN);
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? act(how) : 3);
    }
    assert_true(pid > 0);
    assert_int_equal(word_change_signal(pid), SIGUSR1);
    bool is_within = true;
    for (uint64_t i = 0; i < n && is_within; i++) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        is_within = word_change_signal(pid) == SIGTRAP;
    }
    assert_int_equal(ptrace(PTRACE_POKEDATA, pid, word, (void *)(uintptr_t)value), 0);
    int status = 0;
    do {
        (void)ptrace(PTRACE_CONT, pid, NULL, NULL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    } while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSEGV);
    if (WIFSTOPPED(status)) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return is_within;
}

#endif
