/* The end where an orderly one could hang: ranks that have lost each other, or an archive that some
 * rank could not write. Its closing is collective, and a rank whose own part of it fails leaves the
 * others in there for ever. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "run_internal.h"

/* Far more than a closing takes: all rows are on the disk before it. */
enum { CLOSING_SECONDS = 120 };

static void too_long(int signal)
{
    static const char text[] =
        "xaudit: closing the archive does not end: its disk may be gone. Rows that are done are "
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
    /* a little later on the other ranks, so that one tells it */
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
    /* Rank 0 has the message and the code; the others end with it, or alone if it is gone. */
    enum { PATIENCE = 20 };
    const double until = xa_time() + PATIENCE;
    while (xa_comm_rank(comm) != 0 && xa_time() < until) {
        const struct timespec t = {.tv_nsec = 50000000};
        nanosleep(&t, NULL);
    }
    xa_comm_abort(comm, code);
}
