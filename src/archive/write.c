/* Writing rows: opened by all ranks with the MPI driver, written independently, synced. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive_internal.h"

/* ---- open ------------------------------------------------------------------------------------ */

/* Rank 0's word on every start-up step; alone its own. */
static xa_status agree(xa_comm *comm, xa_status local, const xa_err *mine, xa_err *err)
{
    if (comm)
        return xa_comm_agree(comm, local, mine, err);
    if (local != XA_OK && err)
        *err = *mine;
    return local;
}

static bool same_shape(const xa__rows *r, const xa__field *f)
{
    bool same =
        r->info.type == f->type && r->info.item_bytes == f->item_bytes && r->info.ndim == f->ndim;
    for (int d = 0; same && d < f->ndim; d++)
        same = r->info.dim[d] == f->dim[d];
    return same;
}

static xa_status open_fields(xa_archive *a, const xa_schema *schema, xa_err *err)
{
    xa_status st = XA_OK;
    a->field = xa_alloc(schema->nfields + 1, sizeof *a->field);
    if (!a->field)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", a->path);
    for (size_t i = 0; i < schema->nfields; i++) {
        const xa__field *f = &schema->field[i];
        xa__rows *r = &a->field[i];
        if (xa_field_owner(f->kind) ==
            XA_OWNER_TEXT) { /* written at creation, by a job of other comments perhaps */
            *r = (xa__rows){.dataset = -1, .space = -1, .type = -1};
            a->nfields++;
            continue;
        }
        st = xa__rows_open(a->file, f->path, XA__NATIVE, r, err);
        if (st == XA_NOT_FOUND)
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s: has no dataset %s; was it made by another job?",
                    a->path,
                    f->path);
        XA_TRY(err, st);
        a->nfields++;
        if (!same_shape(r, f)) {
            char found[128], expected[128];
            xa__shape_text(r->info.ndim, r->info.dim, found, sizeof found);
            xa__shape_text(f->ndim, f->dim, expected, sizeof expected);
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s: %s is %s [%s] of %zu bytes, expected %s [%s] of %zu bytes; was it made by "
                    "another job?",
                    a->path,
                    f->path,
                    xa_type_name(r->info.type),
                    found,
                    r->info.item_bytes,
                    xa_type_name(f->type),
                    expected,
                    f->item_bytes);
        }
    }
done:
    return st;
}

static void nap(long milliseconds)
{
    struct timespec t = {.tv_sec = 0, .tv_nsec = milliseconds * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Opens this rank's descriptor. On a network file system a rank may still see the folder, or the
 * file's size, as they were before rank 0's rename: it looks again for a few seconds. */
static xa_status open_descriptor(const char *path, int64_t size, int *out, xa_err *err)
{
    long wait = 5;
    for (int tries = 0;; tries++) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        int cause = errno;
        struct stat info = {.st_size = 0};
        if (fd >= 0 && fstat(fd, &info) == 0 && (size < 0 || info.st_size == size)) {
            *out = fd;
            return XA_OK;
        }
        if (fd >= 0)
            close(fd);
        const bool hopeless = fd < 0 && cause != ENOENT && cause != ESTALE;
        if (size < 0 || hopeless || tries == 10) {
            if (fd < 0)
                XA_RETURN_FAIL(err,
                               xa__errno_status(cause),
                               "%s: cannot open it for writing: %s",
                               path,
                               strerror(cause));
            XA_RETURN_FAIL(err,
                           XA_IO,
                           "%s: this host sees %" PRId64 " bytes, rank 0 %" PRId64
                           ": do they share the folder?",
                           path,
                           info.st_size,
                           size);
        }
        nap(wait);
        wait = wait < 800 ? 2 * wait : wait;
    }
}

/* Rank 0 looks whether it is an archive at all, then all open their own descriptor. */
static xa_status prepare(xa_archive *a, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    struct stat info = {.st_size = 0};
    const bool first = !a->comm || xa_comm_rank(a->comm) == 0;
    hid_t file = -1;
    int64_t size = -1;
    if (first) {
        st = xa__open_serial(a->path, H5F_ACC_RDONLY, &file, &mine);
        if (st == XA_OK)
            (void)H5Fclose(file);
        if (st == XA_OK)
            st = open_descriptor(a->path, -1, &a->fd, &mine);
        if (st == XA_OK && fstat(a->fd, &info) == 0)
            size = (int64_t)info.st_size;
    }
    XA_RETURN_TRY(err, agree(a->comm, st, &mine, err));
    if (!a->comm)
        return XA_OK;
    XA_RETURN_TRY(err, xa_comm_max_i64(a->comm, &size, err));
    if (!first && a->writes)
        st = open_descriptor(a->path, size, &a->fd, &mine);
    XA_RETURN_TRY(err, agree(a->comm, st, &mine, err));
    return XA_OK;
}

static xa_status open_file(xa_archive *a, MPI_Comm writers, int nwriters, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    hid_t access = -1;
    if (a->writes) {
        access = a->comm ? H5Pcreate(H5P_FILE_ACCESS) : xa__serial_access();
        if (access >= 0 && a->comm && H5Pset_fapl_mpio(access, writers, MPI_INFO_NULL) < 0)
            xa__close_plist(&access);
        if (access < 0)
            st = xa__h5_fail(
                &mine, XA_IO, __FILE__, __func__, __LINE__, "%s: cannot set its driver", a->path);
    }
    /* The opening is collective: nobody goes in unless all do. */
    st = agree(a->comm, st, &mine, err);
    if (st != XA_OK)
        goto done;
    if (a->writes)
        a->file = H5Fopen(a->path, H5F_ACC_RDWR, access);
    if (a->writes && a->file < 0)
        st = xa__h5_fail(
            &mine, XA_IO, __FILE__, __func__, __LINE__, "%s: cannot open it for writing", a->path);
    int64_t opened = a->file >= 0;
    if (a->comm) {
        XA_TRY(err, xa_comm_sum_i64(a->comm, &opened, err));
        if (opened > 0 && opened < nwriters) {
            /* Closing is collective too, so those who have it open can only leave it. */
            a->file = -1;
            XA_FAIL(err,
                    XA_COMM,
                    "%s: only %d of %d ranks could open it",
                    a->path,
                    (int)opened,
                    nwriters);
        }
    }
    st = agree(a->comm, st, &mine, err);
done:
    xa__close_plist(&access);
    return st;
}

xa_status xa_archive_open(const char *path,
                          xa_comm *comm,
                          xa_writers who,
                          const xa_schema *schema,
                          xa_archive **out,
                          xa_err *err)
{
    const bool leaders = comm && who == XA_WRITERS_LEADERS;
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    xa_archive *a = xa_alloc(1, sizeof *a);
    if (a) {
        a->file = -1;
        a->fd = -1;
        a->comm = comm;
        a->writes = !leaders || xa_comm_node_rank(comm) == 0;
        a->path = xa_strdup(path);
    }
    if (!a || !a->path) {
        st = XA_NOMEM;
        XA_ERR(&mine, st, "%s: out of memory", path);
    }
    st = agree(comm, st, &mine, err);
    if (st != XA_OK || !a || !a->path)
        goto done;
    XA_TRY(err, prepare(a, err));
    XA_TRY(err,
           open_file(a,
                     leaders ? xa_comm_leaders(comm)
                     : comm  ? xa_comm_mpi(comm)
                             : MPI_COMM_NULL,
                     leaders ? xa_comm_nodes(comm)
                     : comm  ? xa_comm_size(comm)
                             : 1,
                     err));
    st = a->writes ? open_fields(a, schema, &mine) : XA_OK;
    st = agree(comm, st, &mine, err);
    if (st != XA_OK)
        goto done;
    *out = a;
    a = NULL;
done:
    xa__quiet_end(&quiet);
    if (a) {
        /* All ranks come here together, so that the collective closing cannot hang. */
        xa_status closed = xa_archive_close(a, NULL);
        (void)closed; /* the first failure is the one that is reported */
    }
    return st;
}

/* ---- write ----------------------------------------------------------------------------------- */

/* What the system said is lost in the MPI driver: a full disk is recognised by looking. */
static bool looks_full(const xa_archive *a, const xa__rows *r, int64_t n)
{
    int64_t left = xa__free_bytes(a->fd);
    size_t bytes;
    return left >= 0 && xa_size_mul(r->row_bytes, (size_t)n, &bytes) && (uint64_t)left < bytes;
}

xa_status
xa_archive_write(xa_archive *a, int field, int64_t first, int64_t n, const void *data, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t at = first;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    if (!a->writes)
        XA_FAIL(err, XA_INVALID, "%s: this rank leads no node and does not write", a->path);
    if (field < 0 || field >= a->nfields)
        XA_FAIL(err, XA_INVALID, "%s: no field %d, it has %d", a->path, field, a->nfields);
    const xa__rows *r = &a->field[field];
    if (r->dataset < 0)
        XA_FAIL(err, XA_INVALID, "%s: field %d is a text, written at creation", a->path, field);
    XA_TRY(err, xa__rows_check(r, first, n, err));
    if (n == 0)
        goto done;
    a->unsynced = true;
    if (!xa__rows_move(r, first, n, NULL, data, &at)) {
        a->broken = true;
        XA_H5_FAIL(err,
                   looks_full(a, r, n) ? XA_NOSPACE : XA_IO,
                   "%s: cannot write rows %" PRId64 " to %" PRId64 " of %s",
                   a->path,
                   first,
                   (first + n - 1),
                   r->info.path);
    }
done:
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_sync(xa_archive *a, xa_err *err)
{
    if (!a->unsynced || a->fd < 0)
        return XA_OK;
    int rc;
    do {
        rc = fdatasync(a->fd);
    } while (rc != 0 && errno == EINTR);
    const int cause = errno;
    a->broken = a->broken || rc != 0;
    if (rc != 0)
        XA_RETURN_FAIL(err,
                       xa__errno_status(cause),
                       "%s: cannot bring its rows to the disk: %s",
                       a->path,
                       strerror(cause));
    a->unsynced = false;
    return XA_OK;
}

bool xa_archive_is_broken(const xa_archive *a)
{
    return a->broken;
}

xa_status xa_archive_check_place(const xa_archive *a, xa_err *err)
{
    struct stat named, open;
    if (!a->writes)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: this rank leads no node and does not write", a->path);
    if (stat(a->path, &named) != 0)
        XA_RETURN_FAIL(err,
                       errno == ENOENT ? XA_NOT_FOUND : xa__errno_status(errno),
                       "%s: it was moved or deleted while it was written: %s",
                       a->path,
                       strerror(errno));
    if (a->fd >= 0 && fstat(a->fd, &open) == 0 &&
        (named.st_dev != open.st_dev || named.st_ino != open.st_ino))
        XA_RETURN_FAIL(
            err, XA_MISMATCH, "%s: it was replaced by another file while it was written", a->path);
    return XA_OK;
}

xa_status xa_archive_close(xa_archive *a, xa_err *err)
{
    xa_status st = XA_OK;
    if (!a)
        return XA_OK;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    /* With the MPI driver a file does not close while anything in it is open. */
    for (int i = 0; i < a->nfields; i++)
        xa__rows_close(&a->field[i]);
    if (a->file >= 0 && H5Fclose(a->file) < 0)
        st = xa__h5_fail(err, XA_IO, __FILE__, __func__, __LINE__, "%s: cannot close it", a->path);
    if (a->fd >= 0 && close(a->fd) != 0 && st == XA_OK)
        st = XA_ERR(
            err, xa__errno_status(errno), "%s: cannot close it: %s", a->path, strerror(errno));
    free(a->field);
    free(a->path);
    free(a);
    xa__quiet_end(&quiet);
    return st;
}
