/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/mortal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that come from outside. */
static const int from_outside[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGXCPU};

/* Those that the test framework catches. In a mortal it would go on with the tests of its parent. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void begin(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    for (size_t i = 0; i < COUNT(from_outside); i++)
        (void)signal(from_outside[i], SIG_DFL);
#ifndef __SANITIZE_ADDRESS__ /* which reports them itself */
    for (size_t i = 0; i < COUNT(faults); i++)
        (void)signal(faults[i], SIG_DFL);
#else
    (void)faults;
#endif
    if (getppid() != parent)
        _exit(127);
}

pid_t mortal_fork(void)
{
    (void)fflush(NULL);
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        begin(parent);
    else if (pid > 0)
        (void)setpgid(pid, pid); /* it may be stopped before it comes to do so */
    return pid;
}

bool mortal_kill(pid_t pid, int *status)
{
    *status = 0;
    (void)kill(pid, SIGKILL);
    return waitpid(pid, status, 0) == pid && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL;
}

/* Writes the number at the end of the text. */
static size_t append_number(char *text, size_t length, unsigned long number)
{
    char digits[24];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        text[length++] = digits[--count];
    return length;
}

static void tell_and_die(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    char text[96] = "ENDED from outside, by signal ";
    size_t length = append_number(text, strlen(text), (unsigned long)signal_number);
    static const char sender[] = " of process ";
    memcpy(text + length, sender, sizeof(sender) - 1);
    length = append_number(text, length + sizeof(sender) - 1, (unsigned long)info->si_pid);
    text[length++] = '\n';
    if (write(STDERR_FILENO, text, length) < 0)
        _exit(128 + signal_number);
    (void)raise(signal_number); /* SA_RESETHAND: and this time it ends us, when we return */
}

void mortal_last_words(void)
{
    struct sigaction action = {.sa_sigaction = tell_and_die,
                               .sa_flags = SA_SIGINFO | (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT(from_outside); i++) {
        struct sigaction now;
        /* What is ignored (by nohup) stays so. */
        if (sigaction(from_outside[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            (void)sigaction(from_outside[i], &action, NULL);
    }
}
