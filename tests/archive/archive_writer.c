/* What a run does, without the science: the rows of an archive that are not done yet, by the crash
 * protocol. Killed by test_kill at any moment.
 *
 *   archive_writer PATH ROWS SIDE mpi|alone
 *
 * The archive is created when it is not there. Each rank writes its process number to
 * PATH.pid.RANK. Rows are dealt out by rank, GROUP at a time: written, synced, and then told to
 * rank 0, which alone writes and syncs their status. */
#include <time.h>

#include "archive/archive_test.h"

enum { GROUP = 8, TAG_SYNCED = 1, TAG_END = 2 };

typedef struct writer {
    xa_comm *comm;
    xa_archive *a;
    sample s;
    int rank, size, ended; /* ended: ranks that have nothing more to tell */
} writer;

static xa_status mark(writer *w, const int64_t *rows, size_t n, xa_err *err)
{
    const uint8_t done = XA_SAMPLE_DONE;
    for (size_t i = 0; i < n; i++)
        XA_RETURN_TRY(err, xa_archive_write(w->a, w->s.status, rows[i], 1, &done, err));
    XA_RETURN_TRY(err, xa_archive_sync(w->a, err));
    return XA_OK;
}

static xa_status take(writer *w, const xa_message *m, xa_err *err)
{
    int64_t rows[GROUP];
    if (m->tag == TAG_END) {
        w->ended++;
        return XA_OK;
    }
    if (m->size > sizeof rows)
        return XA_FORMAT;
    memcpy(rows, m->data, m->size);
    return mark(w, rows, m->size / sizeof *rows, err);
}

static xa_status finish_group(writer *w, const int64_t *rows, size_t n, xa_err *err)
{
    xa_message m;
    bool got = true;
    XA_RETURN_TRY(err, xa_archive_sync(w->a, err));
    if (w->rank != 0)
        return xa_comm_post(w->comm, 0, TAG_SYNCED, rows, n * sizeof *rows, err);
    XA_RETURN_TRY(err, mark(w, rows, n, err));
    while (w->comm != NULL && got) {
        XA_RETURN_TRY(err, xa_comm_poll(w->comm, &m, &got, err));
        if (!got)
            break;
        xa_status st = take(w, &m, err);
        free(m.data);
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}

static xa_status work(writer *w, xa_err *err)
{
    xa_status st = XA_OK;
    uint8_t *status = xa_alloc((size_t)w->s.n, 1);
    int64_t rows[GROUP];
    size_t n = 0;
    xa_message m;
    bool got = false;
    if (status == NULL)
        return XA_NOMEM;
    XA_TRY(err, xa_archive_read(w->a, "/models/net/status", 0, w->s.n, status, err));
    for (int64_t row = w->rank; row < w->s.n; row += w->size) {
        if (status[row] == XA_SAMPLE_DONE)
            continue;
        XA_TRY(err, sample_write(w->a, &w->s, row, err));
        rows[n++] = row;
        if (n < GROUP)
            continue;
        XA_TRY(err, finish_group(w, rows, n, err));
        n = 0;
        const struct timespec nap = {.tv_nsec = 1000000}; /* so that a kill meets it at work */
        nanosleep(&nap, NULL);
    }
    XA_TRY(err, finish_group(w, rows, n, err));
    if (w->rank != 0) {
        XA_TRY(err, xa_comm_post(w->comm, 0, TAG_END, NULL, 0, err));
        XA_TRY(err, xa_comm_flush(w->comm, err));
    }
    while (w->rank == 0 && w->ended < w->size - 1) {
        XA_TRY(err, xa_comm_wait(w->comm, &m, NULL, NULL, &got, err));
        if (!got)
            continue;
        st = take(w, &m, err);
        free(m.data);
        XA_TRY(err, st);
    }
done:
    free(status);
    return st;
}

static void tell(const char *path, const char *what, int rank)
{
    char name[600], temp[640], text[32];
    snprintf(name, sizeof name, "%s.%s.%d", path, what, rank);
    snprintf(temp, sizeof temp, "%s.new", name);
    snprintf(text, sizeof text, "%ld\n", (long)getpid());
    spill(temp, text, strlen(text));
    assert_int_equal(rename(temp, name), 0);
}

static xa_status run(const char *path, int64_t rows, int64_t side, writer *w, xa_err *err)
{
    xa_status st = XA_OK;
    xa_schema *schema = sample_schema(&w->s, rows, side, side);
    tell(path, "pid", w->rank);
    if (w->rank == 0 && access(path, F_OK) != 0)
        XA_TRY(err, xa_archive_create(path, schema, err));
    if (w->comm != NULL)
        XA_TRY(err, xa_comm_barrier(w->comm, err));
    XA_TRY(err, xa_archive_open(path, w->comm, XA_WRITERS_ALL, schema, &w->a, err));
    tell(path, "open", w->rank);
    XA_TRY(err, work(w, err));
    XA_TRY(err, xa_archive_close(w->a, err));
done:
    xa_schema_free(schema);
    return st;
}

int main(int argc, char **argv)
{
    writer w = {.rank = 0, .size = 1};
    xa_err err = XA_ERR_INIT;
    if (argc != 5)
        return 2;
    if (strcmp(argv[4], "mpi") == 0) {
        if (xa_comm_start(&argc, &argv, &w.comm, &err) != XA_OK)
            return 1;
        w.rank = xa_comm_rank(w.comm);
        w.size = xa_comm_size(w.comm);
    }
    xa_status st = run(argv[1], atoll(argv[2]), atoll(argv[3]), &w, &err);
    if (st != XA_OK) {
        fprintf(stderr, "rank %d: %s\n", w.rank, err.message);
        if (w.comm != NULL)
            xa_comm_abort(w.comm, 1);
        return 1;
    }
    xa_comm_stop(w.comm);
    return 0;
}
