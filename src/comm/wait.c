/* Reports of failed MPI calls, and waits that leave the core to others: below all other files of
 * comm.
 */
#include <sched.h>
#include <time.h>

#include "comm_internal.h"

void xa__nap_once(xa__nap *nap)
{
    /* First some yields, in case the message is about to arrive; then 50 us, doubled every 16 naps.
     */
    enum { YIELDS = 32, STEP = 16 };
    if (nap->count < YIELDS) {
        nap->count++;
        sched_yield();
        return;
    }
    double seconds = 50e-6;
    for (int i = YIELDS + STEP; i <= nap->count && seconds < XA__NAP_LONGEST; i += STEP)
        seconds *= 2;
    if (seconds < XA__NAP_LONGEST)
        nap->count++;
    else
        seconds = XA__NAP_LONGEST;
    struct timespec t = {.tv_nsec = (long)(seconds * 1e9)};
    nanosleep(&t, NULL); /* a signal may cut it short, which is welcome */
}

xa_status xa__mpi_fail(xa_err *err, const char *file, const char *func, int line, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len = 0;
    if (MPI_Error_string(code, text, &len) != MPI_SUCCESS)
        snprintf(text, sizeof text, "error %d", code);
    return xa_err_set(err, XA_COMM, file, func, line, "MPI reports: %s", text);
}

xa_status xa__comm_finish(MPI_Request *request, xa_err *err)
{
    xa_status st = XA_OK;
    xa__nap nap = {0};
    for (;;) {
        int flag = 0;
        XA__MPI(err, MPI_Test(request, &flag, MPI_STATUS_IGNORE));
        if (flag)
            break;
        xa__nap_once(&nap);
    }
done:
    return st;
}
