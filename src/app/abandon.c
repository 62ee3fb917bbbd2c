/* The end where an orderly one could hang: ranks that have lost each other, or an archive that some
 * rank could not write. Its closing is collective, and a rank whose own part of it fails leaves the
 * others in there for ever. */
#include <time.h>

#include "app.h"

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
