/* One block of memory per node: an MPI-3 shared window, after a check that there is room for it.
 *
 * The window lives in a file of a memory file system (/dev/shm). A container often gives it 64 MB.
 * Too little room shows late and in bad ways: the allocation fails on one rank and hangs the
 * others, or a first touch ends in SIGBUS. So the leader looks first, and touches every page in a
 * way that reports instead of killing, before anybody relies on the block. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "comm_internal.h"

typedef struct block {
    MPI_Win win;
    void *own; /* private memory, else the window's */
} block;

/* Where Open MPI keeps shared windows: its setting, else /dev/shm, else (NULL) its session folder
 * on some disk. The library's own table of settings is not asked: reading it (MPI_T) loads all
 * plug-ins anew and leaks them. */
static const char *backing_folder(void)
{
    const char *set = getenv("OMPI_MCA_osc_sm_backing_directory");
    if (set && set[0] != '\0')
        return set;
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NULL;
}

/* Leader: is there room for the block, and for what MPI itself keeps there? */
static bool has_room(const xa_comm *c, size_t bytes, const char *what, uint64_t limit)
{
    const char *folder = backing_folder();
    struct statvfs fs;
    uint64_t room = 0;
    if (!folder)
        room = UINT64_MAX; /* the claim has the last word */
    else if (statvfs(folder, &fs) == 0)
        room = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (room > limit)
        room = limit;
    /* Each rank's message segment of 4 MiB is there already, but sparse. */
    const uint64_t reserve = ((uint64_t)c->node_size * 4 + 1) << 20;
    if (room >= reserve && room - reserve >= bytes)
        return true;
    xa_log(XA_LOG_WARN,
           "host %s: %s has %.1f MiB of room, %.1f MiB are needed to share %s:"
           " each of the %d ranks keeps its own. A larger %s avoids it (docker: --shm-size)",
           c->host,
           folder ? folder : "shared memory",
           (double)room / 1048576,
           (double)(bytes + reserve) / 1048576,
           what,
           c->node_size,
           folder ? folder : "/dev/shm");
    return false;
}

bool xa__shared_claim(const xa_comm *c, void *data, size_t bytes, const char *what)
{
#ifdef MADV_POPULATE_WRITE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const size_t before = (uintptr_t)data & (page - 1);
    if (madvise((char *)data - before, before + bytes, MADV_POPULATE_WRITE) != 0 &&
        errno != EINVAL) {
        xa_log(XA_LOG_WARN,
               "host %s: the shared memory of %.1f MiB could not be filled (%s): each of the %d "
               "ranks keeps %s for itself",
               c->host,
               (double)bytes / 1048576,
               strerror(errno),
               c->node_size,
               what);
        return false;
    }
#else
    (void)c;
    (void)data;
    (void)bytes;
    (void)what;
#endif
    return true;
}

/* True on all ranks of the node when it is true on all. */
static xa_status node_all(xa_comm *c, bool *flag, xa_err *err)
{
    xa_status st = XA_OK;
    int mine = *flag ? 1 : 0, all = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    XA__MPI(err, MPI_Iallreduce(&mine, &all, 1, MPI_INT, MPI_MIN, c->node, &request));
    XA_TRY(err, xa__comm_finish(&request, err));
    *flag = all != 0;
done:
    return st;
}

/* Collective on the node. *data stays NULL where the window could not be had. */
static xa_status
open_window(xa_comm *c, size_t bytes, const char *what, block *b, void **data, xa_err *err)
{
    xa_status st = XA_OK;
    unsigned char *base = NULL;
    const size_t mine = c->node_rank == 0 ? bytes + XA_ALIGN : 0;
    int code = MPI_Win_allocate_shared((MPI_Aint)mine, 1, MPI_INFO_NULL, c->node, &base, &b->win);
    bool good = code == MPI_SUCCESS;
    if (!good) {
        xa_err why = XA_ERR_INIT;
        xa__mpi_fail(&why, __FILE__, __func__, __LINE__, code);
        xa_log(XA_LOG_WARN, "host %s: no shared memory: %s", c->host, why.message);
        b->win = MPI_WIN_NULL;
    }
    MPI_Aint size = 0;
    int unit = 0;
    good = good && MPI_Win_set_errhandler(b->win, MPI_ERRORS_RETURN) == MPI_SUCCESS &&
           MPI_Win_shared_query(b->win, 0, &size, &unit, &base) == MPI_SUCCESS && base &&
           size >= (MPI_Aint)(bytes + XA_ALIGN) &&
           MPI_Win_lock_all(MPI_MODE_NOCHECK, b->win) == MPI_SUCCESS;
    XA_TRY(err, node_all(c, &good, err));
    /* The library aligns to 8 bytes only. One offset for all, whatever address each has got. */
    uint64_t offset = 0;
    if (good && c->node_rank == 0)
        offset = (XA_ALIGN - (uintptr_t)base % XA_ALIGN) % XA_ALIGN;
    XA__MPI(err, MPI_Bcast(&offset, 1, MPI_UINT64_T, 0, c->node));
    good = good && ((uintptr_t)base + offset) % XA_ALIGN == 0;
    if (good && c->node_rank == 0)
        good = xa__shared_claim(c, base + offset, bytes, what);
    XA_TRY(err, node_all(c, &good, err));
    if (good)
        *data = base + offset;
    else if (b->win != MPI_WIN_NULL) {
        MPI_Win_unlock_all(b->win);
        MPI_Win_free(&b->win);
    }
done:
    return st;
}

static xa_status same_size(xa_comm *c, size_t bytes, xa_err *err)
{
    int64_t low = (int64_t)bytes, high = (int64_t)bytes;
    XA_RETURN_TRY(err, xa_comm_min_i64(c, &low, err));
    XA_RETURN_TRY(err, xa_comm_max_i64(c, &high, err));
    if (low != high)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "the ranks want shared blocks of different sizes: %" PRId64 " to %" PRId64
                       " bytes",
                       low,
                       high);
    if (low <= 0 || low > INT64_MAX / 4)
        XA_RETURN_FAIL(err, XA_INVALID, "a shared block of %" PRId64 " bytes", low);
    return XA_OK;
}

xa_status xa__shared_alloc(
    xa_comm *c, size_t bytes, const char *what, uint64_t room, xa_shared *out, xa_err *err)
{
    xa_status st = XA_OK;
    block *b = NULL;
    xa_shared s = {.bytes = bytes, .leader = c->node_rank == 0};
    XA_TRY(err, same_size(c, bytes, err));
    xa_err mine = XA_ERR_INIT;
    b = xa_alloc(1, sizeof *b);
    if (!b)
        XA_ERR(&mine, XA_NOMEM, "out of memory for a shared block");
    else
        b->win = MPI_WIN_NULL;
    st = xa_comm_agree(c, mine.code, &mine, err);
    if (st != XA_OK || !b)
        goto done;
    if (c->node_size > 1) {
        bool shared = c->node_rank != 0 || has_room(c, bytes, what, room);
        XA_TRY(err, node_all(c, &shared, err));
        if (shared)
            XA_TRY(err, open_window(c, bytes, what, b, &s.data, err));
        if (!s.data) {
            s.is_private = true;
            s.leader = true;
        }
    }
    if (!s.data) {
        b->own = xa_alloc_aligned(bytes);
        s.data = b->own;
        if (!b->own)
            XA_ERR(&mine, XA_NOMEM, "out of memory for %zu bytes of %s", bytes, what);
    }
    s.handle = b;
    /* All have their block or nobody: the next step is collective, too. */
    st = xa_comm_agree(c, mine.code, &mine, err);
    if (st != XA_OK) {
        xa_shared_free(c, &s);
        b = NULL;
        goto done;
    }
    *out = s;
    b = NULL;
done:
    free(b);
    return st;
}

xa_status xa_shared_alloc(xa_comm *c, size_t bytes, const char *what, xa_shared *out, xa_err *err)
{
    return xa__shared_alloc(c, bytes, what, UINT64_MAX, out, err);
}

xa_status xa_shared_ready(xa_comm *c, xa_shared *s, xa_err *err)
{
    xa_status st = XA_OK;
    const block *b = s->handle;
    if (b->win == MPI_WIN_NULL)
        return XA_OK;
    XA__MPI(err, MPI_Win_sync(b->win));
    MPI_Request request = MPI_REQUEST_NULL;
    XA__MPI(err, MPI_Ibarrier(c->node, &request));
    XA_TRY(err, xa__comm_finish(&request, err));
    XA__MPI(err, MPI_Win_sync(b->win));
done:
    return st;
}

void xa_shared_free(xa_comm *c, xa_shared *s)
{
    (void)c;
    if (!s || !s->handle)
        return;
    block *b = s->handle;
    if (b->win != MPI_WIN_NULL) {
        MPI_Win_unlock_all(b->win);
        MPI_Win_free(&b->win);
    }
    free(b->own);
    free(b);
    *s = (xa_shared){0};
}
