/* Messages between two ranks: sends that keep their bytes, receives that never block.
 *
 * A receive is started as soon as its message shows up and completed by later polls: a large
 * message moves only while its sender is inside MPI, and a rank that waited for it in a blocking
 * receive would stand still for as long as the sender computes. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "comm_internal.h"

/* Receives under way at a time; further messages wait on the sender's side. */
enum { ARRIVING_MOST = 256 };

static xa_status reap(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    for (size_t i = 0; i < c->nposted;) {
        int flag = 0;
        XA__MPI(err, MPI_Test(&c->posted[i].request, &flag, MPI_STATUS_IGNORE));
        if (!flag) {
            i++;
            continue;
        }
        free(c->posted[i].data);
        c->posted[i] = c->posted[--c->nposted];
    }
done:
    return st;
}

xa_status xa_comm_post(xa_comm *c, int dest, int tag, const void *data, size_t size, xa_err *err)
{
    xa_status st = XA_OK;
    unsigned char *copy = NULL;
    if (dest < 0 || dest >= c->size)
        XA_FAIL(err, XA_INVALID, "message to rank %d of %d", dest, c->size);
    if (tag < 0 || tag > 32767)
        XA_FAIL(err, XA_INVALID, "message tag %d, 0 to 32767 allowed", tag);
    if (size > INT_MAX)
        XA_FAIL(err,
                XA_LIMIT,
                "a message of %zu bytes to rank %d: at most %d bytes (2 GB) can be sent at once",
                size,
                dest,
                INT_MAX);
    XA_TRY(err, reap(c, err));
    XA_TRY(err, xa_grow(&c->posted, &c->posted_cap, c->nposted + 1, sizeof *c->posted, err));
    copy = malloc(size + 1);
    if (!copy)
        XA_FAIL(err, XA_NOMEM, "out of memory for a message of %zu bytes to rank %d", size, dest);
    if (size > 0)
        memcpy(copy, data, size);
    xa__posted p = {.request = MPI_REQUEST_NULL, .data = copy};
    XA__MPI(err, MPI_Isend(copy, (int)size, MPI_BYTE, dest, tag, c->world, &p.request));
    c->posted[c->nposted++] = p;
    copy = NULL; /* c->posted owns it */
done:
    free(copy); /* NOLINT(clang-analyzer-unix.Malloc) */
    return st;
}

/* Starts a receive for each message that shows up. */
static xa_status match(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    while (c->narriving < ARRIVING_MOST) {
        int flag = 0;
        MPI_Status s;
        XA__MPI(err, MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, c->world, &flag, &s));
        if (!flag)
            break;
        int count = 0;
        XA__MPI(err, MPI_Get_count(&s, MPI_BYTE, &count));
        if (count < 0)
            XA_FAIL(err, XA_COMM, "a message of unknown size from rank %d", s.MPI_SOURCE);
        XA_TRY(err,
               xa_grow(&c->arriving, &c->arriving_cap, c->narriving + 1, sizeof *c->arriving, err));
        xa__arriving a = {
            .request = MPI_REQUEST_NULL,
            .m = {.source = s.MPI_SOURCE, .tag = s.MPI_TAG, .size = (size_t)count},
        };
        a.m.data = malloc((size_t)count + 1);
        if (!a.m.data)
            XA_FAIL(err,
                    XA_NOMEM,
                    "out of memory for a message of %d bytes from rank %d",
                    count,
                    s.MPI_SOURCE);
        a.m.data[count] = '\0';
        int code =
            MPI_Irecv(a.m.data, count, MPI_BYTE, s.MPI_SOURCE, s.MPI_TAG, c->world, &a.request);
        if (code != MPI_SUCCESS)
            free(a.m.data);
        XA__MPI(err, code);
        c->arriving[c->narriving++] = a;
    }
done:
    return st;
}

static bool earlier_from(const xa_comm *c, size_t before, int source)
{
    for (size_t i = 0; i < before; i++) {
        if (c->arriving[i].m.source == source)
            return true;
    }
    return false;
}

xa_status xa_comm_poll(xa_comm *c, xa_message *m, bool *got, xa_err *err)
{
    xa_status st = XA_OK;
    XA_TRY(err, reap(c, err));
    XA_TRY(err, match(c, err));
    bool found = false;
    for (size_t i = 0; i < c->narriving && !found; i++) {
        /* A small message may be complete before a large one sent earlier: keep the order. */
        if (earlier_from(c, i, c->arriving[i].m.source))
            continue;
        int flag = 0;
        XA__MPI(err, MPI_Test(&c->arriving[i].request, &flag, MPI_STATUS_IGNORE));
        if (!flag)
            continue;
        *m = c->arriving[i].m;
        c->narriving--;
        memmove(c->arriving + i, c->arriving + i + 1, (c->narriving - i) * sizeof *c->arriving);
        found = true;
    }
    *got = found;
done:
    return st;
}

xa_status
xa_comm_wait(xa_comm *c, xa_message *m, bool (*tick)(void *arg), void *arg, bool *got, xa_err *err)
{
    xa__nap nap = {0};
    for (;;) {
        bool found = false;
        XA_RETURN_TRY(err, xa_comm_poll(c, m, &found, err));
        if (found || (tick && !tick(arg))) {
            *got = found;
            return XA_OK;
        }
        xa__nap_once(&nap);
    }
}

xa_status xa_comm_flush(xa_comm *c, xa_err *err)
{
    xa__nap nap = {0};
    for (;;) {
        XA_RETURN_TRY(err, reap(c, err));
        if (c->nposted == 0)
            return XA_OK;
        xa__nap_once(&nap);
    }
}

void xa__messages_free(xa_comm *c)
{
    /* After an error some messages may never be taken; MPI may not lose their bytes before it ends,
     * so those stay allocated. */
    const double until = xa_time() + 1;
    xa__nap nap = {0};
    while (c->nposted > 0 && reap(c, NULL) == XA_OK && c->nposted > 0 && xa_time() < until)
        xa__nap_once(&nap);
    for (size_t i = 0; i < c->nposted; i++)
        MPI_Request_free(&c->posted[i].request);
    free(c->posted);
    c->posted = NULL;
    c->nposted = 0;
    for (size_t i = 0; i < c->narriving; i++) {
        int flag = 0;
        if (MPI_Test(&c->arriving[i].request, &flag, MPI_STATUS_IGNORE) == MPI_SUCCESS && flag)
            free(c->arriving[i].m.data);
        else if (c->arriving[i].request != MPI_REQUEST_NULL)
            MPI_Request_free(&c->arriving[i].request);
    }
    free(c->arriving);
    c->arriving = NULL;
    c->narriving = 0;
}
