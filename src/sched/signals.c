/* The signals that ask a run to stop. A flag and nothing else happens in the handler. */
#include <signal.h>
#include <stddef.h>

#include "xaudit/sched.h"

/* Process-wide by nature, as signal dispositions are. */
static volatile sig_atomic_t pending;
static volatile sig_atomic_t interrupts;
static const int caught[] = {SIGTERM, SIGINT, SIGUSR1};
enum { NCAUGHT = sizeof caught / sizeof caught[0] };
static struct sigaction before[NCAUGHT];
static bool installed;

static void on_signal(int number)
{
    if (pending == 0)
        pending = number;
    if (number != SIGINT)
        return;
    /* Whoever presses Ctrl-C twice does not want to wait for the batch. */
    if (interrupts == 1) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(SIGINT, &plain, NULL);
        raise(SIGINT);
    }
    interrupts = 1;
}

void xa_signals_install(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&act.sa_mask);
    if (!installed) {
        pending = 0;
        interrupts = 0;
    }
    for (int i = 0; i < NCAUGHT; i++)
        sigaction(caught[i], &act, installed ? NULL : &before[i]);
    installed = true;
}

void xa_signals_remove(void)
{
    if (!installed)
        return;
    for (int i = 0; i < NCAUGHT; i++)
        sigaction(caught[i], &before[i], NULL);
    installed = false;
    pending = 0;
    interrupts = 0;
}

int xa_signals_pending(void)
{
    return (int)pending;
}
