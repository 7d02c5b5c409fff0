/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A campaign ends when it is over, or says why: tests/support/mortal.h.
 */
#include "tests/support/mortal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe_ends {
    int out;
    int in;
};

/* Does nothing until it is killed. */
static pid_t start_mortal(void)
{
    pid_t pid = mortal_fork();
    if (pid != 0)
        return pid;
    for (;;)
        (void)pause();
}

/* Stops a mortal, says "s", and when it is asked afterwards says "a": it is alive. */
static void run_campaign(struct pipe_ends question, struct pipe_ends answer)
{
    char letter;
    int status;
    (void)setpgid(0, 0);
    pid_t mortal = start_mortal();
    if (mortal <= 0 || kill(mortal, SIGSTOP) != 0 ||
        waitpid(mortal, &status, WUNTRACED) != mortal || write(answer.in, "s", 1) != 1)
        _exit(1);
    if (read(question.out, &letter, 1) == 1)
        (void)!write(answer.in, "a", 1);
    (void)mortal_kill(mortal, &status);
    _exit(0);
}

/* A session of its own, and in it the campaign in a process group of its own; it ends at a letter. */
static pid_t start_shell(struct pipe_ends end, struct pipe_ends question, struct pipe_ends answer)
{
    char letter;
    pid_t shell = fork();
    if (shell != 0)
        return shell;
    (void)setsid();
    (void)close(question.in);
    (void)close(end.in);
    pid_t campaign = fork();
    if (campaign == 0)
        run_campaign(question, answer);
    (void)!read(end.out, &letter, 1);
    _exit(0);
}

static struct pipe_ends make_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    return (struct pipe_ends){.out = ends[0], .in = ends[1]};
}

static void a_campaign_goes_on_when_its_shell_ends_while_somebody_is_stopped(void **state)
{
    (void)state;
    char letter = 0;
    struct pipe_ends end = make_pipe();
    struct pipe_ends question = make_pipe();
    struct pipe_ends answer = make_pipe();
    pid_t shell = start_shell(end, question, answer);
    assert_true(shell > 0);
    (void)close(answer.in); /* so that its death is the end of the file */
    assert_int_equal(read(answer.out, &letter, 1), 1);
    assert_int_equal(letter, 's');
    assert_int_equal(write(end.in, "e", 1), 1);
    assert_int_equal(waitpid(shell, NULL, 0), shell);
    /* Whatever the kernel sends to the group it has sent by now. */
    assert_int_equal(write(question.in, "q", 1), 1);
    assert_int_equal(read(answer.out, &letter, 1), 1);
    assert_int_equal(letter, 'a');
    (void)close(end.in);
    (void)close(end.out);
    (void)close(question.in);
    (void)close(question.out);
    (void)close(answer.out);
}

static void who_is_ended_from_outside_says_so(void **state)
{
    (void)state;
    char text[128] = {0};
    char expected[128];
    int status = 0;
    struct pipe_ends words = make_pipe();
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(words.in, STDERR_FILENO);
        (void)signal(SIGTERM, SIG_DFL);
        mortal_last_words();
        (void)!write(STDERR_FILENO, "\n", 1);
        while (getppid() == parent)
            (void)pause();
        _exit(127);
    }
    assert_true(pid > 0);
    (void)close(words.in);
    assert_int_equal(read(words.out, text, 1), 1);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    (void)snprintf(expected, sizeof(expected), "ENDED from outside, by signal 15 of process %d\n",
                   (int)parent);
    assert_int_equal(read(words.out, text, sizeof(text) - 1), strlen(expected));
    assert_string_equal(text, expected);
    (void)close(words.out);
}

static void a_mortal_that_ended_by_itself_is_noticed(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = start_mortal();
    assert_true(pid > 0);
    assert_true(mortal_kill(pid, &status));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(3);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(mortal_kill(pid, &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_goes_on_when_its_shell_ends_while_somebody_is_stopped),
        cmocka_unit_test(who_is_ended_from_outside_says_so),
        cmocka_unit_test(a_mortal_that_ended_by_itself_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
