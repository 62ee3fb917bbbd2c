/* Leaving where an orderly end could hang: ranks have lost each other, or some rank could not write
 * the archive. Closing it is collective, and if one rank fails in it, the others wait for ever. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "run_internal.h"

/* Far more than closing takes, since all rows are on the disk before. */
enum { CLOSING_SECONDS = 120 };

static void too_long(int signal)
{
    static const char text[] =
        "xaudit: closing the archive takes too long: its disk may be gone. Rows that are done are "
        "safe; run the same command again\n";
    (void)signal;
    const ssize_t told = write(STDERR_FILENO, text, sizeof text - 1);
    (void)told;
    _exit(XA_EXIT_FAILED); /* the launcher ends the other ranks */
}

xa_status xa_close_archive(xa_comm *comm, xa_archive *archive, xa_err *err)
{
    struct sigaction watch = {.sa_handler = too_long}, before;
    if (xa_comm_size(comm) == 1 || sigaction(SIGALRM, &watch, &before) != 0)
        return xa_archive_close(archive, err);
    /* a little later on the other ranks, so that only one prints it */
    alarm(xa_comm_rank(comm) == 0 ? CLOSING_SECONDS : CLOSING_SECONDS + 2);
    const xa_status st = xa_archive_close(archive, err);
    alarm(0);
    (void)sigaction(SIGALRM, &before, NULL);
    return st;
}

bool xa_is_lost(xa_comm *comm, const xa_archive *archive, xa_status st)
{
    if (st == XA_OK || st == XA_INTERRUPTED || xa_comm_size(comm) == 1)
        return false;
    if (st == XA_COMM)
        return true;
    int64_t broken = archive && xa_archive_is_broken(archive);
    return xa_comm_max_i64(comm, &broken, NULL) != XA_OK || broken;
}

void xa_abandon(xa_comm *comm, int code)
{
    /* Rank 0 has printed the error and knows the code, so the others wait for it; if it is gone,
     * they end by themselves. */
    enum { PATIENCE = 20 };
    const double until = xa_time() + PATIENCE;
    while (xa_comm_rank(comm) != 0 && xa_time() < until) {
        const struct timespec t = {.tv_nsec = 50000000};
        nanosleep(&t, NULL);
    }
    xa_comm_abort(comm, code);
}
