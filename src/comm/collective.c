/* Agreement, broadcast, reductions: non-blocking calls completed with naps. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "comm_internal.h"

/* Counts of MPI are int; a piece well below lets every transport work. */
enum { PIECE = 1 << 30 };

static xa_status reduce(xa_comm *c, int64_t *value, MPI_Op op, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t mine = *value, all = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    XA__MPI(err, MPI_Iallreduce(&mine, &all, 1, MPI_INT64_T, op, c->world, &request));
    XA_TRY(err, xa__comm_finish(&request, err));
    *value = all;
done:
    return st;
}

xa_status xa_comm_min_i64(xa_comm *c, int64_t *value, xa_err *err)
{
    return reduce(c, value, MPI_MIN, err);
}

xa_status xa_comm_max_i64(xa_comm *c, int64_t *value, xa_err *err)
{
    return reduce(c, value, MPI_MAX, err);
}

xa_status xa_comm_sum_i64(xa_comm *c, int64_t *value, xa_err *err)
{
    return reduce(c, value, MPI_SUM, err);
}

xa_status xa_comm_sum_i64s(xa_comm *c, int64_t *values, int64_t n, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t most = PIECE / (int64_t)sizeof(int64_t);
    for (int64_t first = 0; first < n; first += most) {
        const int64_t count = n - first < most ? n - first : most;
        MPI_Request request = MPI_REQUEST_NULL;
        XA__MPI(err,
                MPI_Iallreduce(MPI_IN_PLACE,
                               values + first,
                               (int)count,
                               MPI_INT64_T,
                               MPI_SUM,
                               c->world,
                               &request));
        XA_TRY(err, xa__comm_finish(&request, err));
    }
done:
    return st;
}

xa_status xa_comm_barrier(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    MPI_Request request = MPI_REQUEST_NULL;
    XA__MPI(err, MPI_Ibarrier(c->world, &request));
    XA_TRY(err, xa__comm_finish(&request, err));
done:
    return st;
}

static xa_status bcast(xa_comm *c, int root, void *data, int count, xa_err *err)
{
    xa_status st = XA_OK;
    MPI_Request request = MPI_REQUEST_NULL;
    XA__MPI(err, MPI_Ibcast(data, count, MPI_BYTE, root, c->world, &request));
    XA_TRY(err, xa__comm_finish(&request, err));
done:
    return st;
}

typedef struct verdict {
    int32_t code;
    char host[MPI_MAX_PROCESSOR_NAME];
    char message[XA_ERR_MESSAGE];
} verdict;

xa_status xa_comm_agree(xa_comm *c, xa_status local, const xa_err *mine, xa_err *out)
{
    xa_status st = XA_OK;
    int64_t failed = local != XA_OK ? c->rank : c->size;
    XA_TRY(out, xa_comm_min_i64(c, &failed, out));
    if (failed == c->size)
        return XA_OK;
    verdict v;
    memset(&v, 0, sizeof v);
    if (failed == c->rank) {
        v.code = (int32_t)local;
        snprintf(v.host, sizeof v.host, "%s", c->host);
        bool explained = mine && mine->message[0] != '\0';
        snprintf(
            v.message, sizeof v.message, "%s", explained ? mine->message : xa_status_text(local));
    }
    XA_TRY(out, bcast(c, (int)failed, &v, (int)sizeof v, out));
    v.host[sizeof v.host - 1] = '\0';
    v.message[sizeof v.message - 1] = '\0';
    st = v.code > XA_OK && v.code < XA_STATUS_COUNT ? (xa_status)v.code : XA_COMM;
    if (!out)
        return st;
    /* The rank that failed keeps its trail. */
    if (failed == c->rank && mine && mine->code != XA_OK) {
        if (out != mine)
            *out = *mine;
    } else {
        XA_ERR(out, st, "%s", v.message);
    }
    out->code = st;
    /* A single rank needs no prefix that names it. */
    if (c->size > 1)
        xa_err_prefix(out, "rank %d on %s", (int)failed, v.host);
done:
    return st;
}

xa_status
xa__comm_broadcast(xa_comm *c, int root, void **data, size_t *size, size_t piece, xa_err *err)
{
    xa_status st = XA_OK;
    unsigned char *fresh = NULL;
    if (root < 0 || root >= c->size)
        XA_FAIL(err, XA_INVALID, "broadcast from rank %d of %d", root, c->size);
    uint64_t total = c->rank == root ? *size : 0;
    XA_TRY(err, bcast(c, root, &total, (int)sizeof total, err));
    /* If one rank had no memory, the other ranks would wait in the transfer: agree first. */
    xa_err local = XA_ERR_INIT;
    unsigned char *bytes = NULL;
    if (c->rank == root) {
        bytes = *data;
    } else if (total < SIZE_MAX) {
        fresh = malloc((size_t)total + 1);
        bytes = fresh;
        if (fresh)
            fresh[total] = '\0';
    }
    xa_status have = XA_OK;
    if (c->rank != root && !fresh)
        have = XA_ERR(
            &local, XA_NOMEM, "out of memory for %" PRIu64 " bytes from rank %d", total, root);
    XA_TRY(err, xa_comm_agree(c, have, &local, err));
    for (size_t at = 0; at < total; at += piece) {
        size_t n = total - at < piece ? (size_t)total - at : piece;
        XA_TRY(err, bcast(c, root, bytes + at, (int)n, err));
    }
    if (c->rank != root) {
        *data = fresh;
        *size = (size_t)total;
        fresh = NULL;
    }
done:
    free(fresh);
    return st;
}

xa_status xa_comm_broadcast(xa_comm *c, int root, void **data, size_t *size, xa_err *err)
{
    return xa__comm_broadcast(c, root, data, size, PIECE, err);
}
