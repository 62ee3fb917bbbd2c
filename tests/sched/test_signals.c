/* The signal flag. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xaudit/sched.h"

static volatile sig_atomic_t other;

static void on_other(int number)
{
    other = number;
}

static void test_each(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        xa_signals_install();
        xa_signals_install(); /* harmless */
        assert_int_equal(xa_signals_pending(), 0);
        raise(numbers[i]);
        assert_int_equal(xa_signals_pending(), numbers[i]);
        raise(SIGTERM); /* the first one counts */
        assert_int_equal(xa_signals_pending(), numbers[i]);
        xa_signals_remove();
        assert_int_equal(xa_signals_pending(), 0);
    }
}

static void test_handlers_come_back(void **state)
{
    (void)state;
    signal(SIGUSR1, on_other);
    xa_signals_install();
    raise(SIGUSR1);
    assert_int_equal(other, 0);
    xa_signals_remove();
    raise(SIGUSR1);
    assert_int_equal(other, SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
}

/* MPICH takes SIGUSR1 when it starts, and a run alone hangs if it learns of one. */
static void test_handlers_taken_back(void **state)
{
    (void)state;
    other = 0;
    xa_signals_install();
    raise(SIGTERM);
    signal(SIGUSR1, on_other);
    xa_signals_install();
    raise(SIGUSR1);
    assert_int_equal(other, 0);
    assert_int_equal(xa_signals_pending(), SIGTERM); /* what came meanwhile is kept */
    xa_signals_remove();
    assert_int_equal(xa_signals_pending(), 0);
}

/* The child's way to end: 0 for a normal exit, else the signal. */
static int child_signal(int interrupts)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        xa_signals_install();
        for (int i = 0; i < interrupts; i++)
            raise(SIGINT);
        _exit(xa_signals_pending() == SIGINT ? 0 : 1);
    }
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    if (WIFEXITED(how))
        assert_int_equal(WEXITSTATUS(how), 0);
    return WIFSIGNALED(how) ? WTERMSIG(how) : 0;
}

static void test_second_interrupt(void **state)
{
    (void)state;
    assert_int_equal(child_signal(1), 0);
    assert_int_equal(child_signal(2), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_handlers_come_back),
        cmocka_unit_test(test_handlers_taken_back),
        cmocka_unit_test(test_second_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
