/* Units of samples: handed out, computed, written and marked as done. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run_internal.h"

/* What travels with a grant: this header, the hashes if there are any, and the packed samples.
 * Hashes are of images that were audited before, one per sample, and of their masks, one per
 * annotation. */
typedef struct grant_header {
    int64_t sample, labels, annotated, annotations; /* the place of the first sample (xa_place) */
    int64_t expects; /* 0: no hashes; otherwise 1 + the number of annotations */
} grant_header;

static void add_hashes(const uint64_t *hash, int64_t n, xa_str *out)
{
    xa_str_add(out, (const char *)hash, (size_t)n * sizeof *hash);
}

static int64_t unit_samples(const xa__run *r)
{
    return xa_audit_unit_samples(r->loaded.audit);
}

static int64_t samples_of(const xa__run *r, int64_t first, int64_t n, int64_t *start)
{
    const int64_t unit = unit_samples(r), end = (first + n) * unit;
    *start = first * unit;
    return (end < r->counts.samples ? end : r->counts.samples) - *start;
}

static xa_status pack(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    const xa__run *r = arg;
    int64_t start;
    const int64_t count = samples_of(r, first, n, &start);
    const grant_header h = {
        start,
        r->labels_before[start],
        r->annotated_before[start],
        r->annotations_before[start],
        r->expect ? 1 + r->annotations_before[start + count] - r->annotations_before[start] : 0};
    xa_str_add(out, (const char *)&h, sizeof h);
    if (r->expect) {
        const int64_t *before = r->annotations_before + start;
        add_hashes(r->expect + start, count, out);
        add_hashes(r->expect_mask + *before, before[count] - *before, out);
    }
    return xa_manifest_pack(r->loaded.manifest, start, count, out, err);
}

static void advance(xa_place *p, const xa_sample *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        p->labels += xa_rows_of_sample(XA_TARGET_LABEL, 0, &s[i]);
        p->annotated += xa_rows_of_sample(XA_TARGET_ANNOTATED, 0, &s[i]);
        p->annotations += s[i].nannotations;
    }
    p->sample += n;
}

/* Adds the status of every model for every sample of the rows. */
static void report_status(const xa_rows *rows, xa_str *report)
{
    for (int64_t i = 0; i < rows->n; i++)
        for (int m = 0; m < rows->nmodels; m++)
            xa_str_add(report, (const char *)&rows->models[m].status[i], 1);
}

static xa_status work(void *arg,
                      int64_t first,
                      int64_t n,
                      const void *payload,
                      size_t size,
                      int64_t *finished,
                      xa_str *report,
                      xa_err *err)
{
    xa__run *r = arg;
    xa_status st = XA_OK;
    xa_manifest *m = NULL;
    grant_header h;
    int64_t start, done = 0;
    const int64_t count = samples_of(r, first, n, &start), unit = unit_samples(r);
    if (size < sizeof h)
        XA_FAIL(err, XA_COMM, "a grant came without its samples");
    memcpy(&h, payload, sizeof h);
    const char *rest = (const char *)payload + sizeof h, *expected = h.expects ? rest : NULL;
    const size_t hashes = h.expects ? (size_t)(count + h.expects - 1) * sizeof(uint64_t) : 0;
    if (size - sizeof h < hashes)
        XA_FAIL(err, XA_COMM, "a grant came without its samples");
    XA_TRY(err, xa_manifest_unpack(rest + hashes, size - sizeof h - hashes, &m, err));
    if (m->count != count || h.sample != start)
        XA_FAIL(err, XA_COMM, "a grant holds other samples than it says");
    xa_place place = {h.sample, h.labels, h.annotated, h.annotations};
    for (int64_t u = 0; u < n && !(u && xa_sched_stopping(r->sched)); u++) {
        const int64_t at = u * unit, k = count - at < unit ? count - at : unit;
        xa__stored_at(r->stored, place.sample);
        XA_TRY(err, xa_audit_unit(r->loaded.audit, m->samples + at, k, r->rows, err));
        xa__fault_at(&r->fault, r->rank, "computed");
        if (expected) {
            const char *masks =
                expected + (size_t)(count + place.annotations - h.annotations) * sizeof(uint64_t);
            XA_TRY(err,
                   xa__run_same_images(
                       m->samples + at, r->rows, expected + (size_t)at * sizeof(uint64_t), err));
            XA_TRY(err, xa__run_same_masks(m->samples + at, r->rows, masks, err));
        }
        XA_TRY(err, xa_stage_unit(r->stage, &place, r->rows, err));
        xa__fault_at(&r->fault, r->rank, "staged");
        report_status(r->rows, report);
        advance(&place, m->samples + at, k);
        xa_sched_tick(r->sched);
        done++;
    }
    XA_TRY(err, xa_stage_commit(r->stage, err));
    xa__fault_at(&r->fault, r->rank, "synced");
    *finished = done;
done:
    xa_manifest_free(m);
    return st;
}

static xa_status
mark(void *arg, int64_t first, int64_t n, const void *report, size_t size, xa_err *err)
{
    xa__run *r = arg;
    int64_t start;
    const int64_t count = samples_of(r, first, n, &start);
    const int nmodels = r->loaded.job.audit.nmodels;
    const uint8_t *bytes = report;
    uint8_t *status = NULL;
    xa_status st = XA_OK;
    if (size != (size_t)(count * nmodels))
        XA_FAIL(err, XA_COMM, "a report of %zu bytes for %" PRId64 " samples", size, count);
    status = xa_alloc((size_t)count, 1);
    if (!status)
        XA_NOMEM_FAIL(err);
    xa__fault_at(&r->fault, r->rank, "mark");
    for (int m = 0; m < nmodels; m++) {
        for (int64_t i = 0; i < count; i++)
            status[i] = bytes[i * nmodels + m];
        XA_TRY(
            err,
            xa_archive_write(r->archive, r->contents->models[m].status, start, count, status, err));
    }
done:
    free(status);
    return st;
}

static xa_status settle(void *arg, xa_err *err)
{
    xa__run *r = arg;
    xa__fault_at(&r->fault, r->rank, "marked");
    XA_RETURN_TRY(err, xa_archive_check_place(r->archive, err));
    XA_RETURN_TRY(err, xa__run_session_time(r, err));
    XA_RETURN_TRY(err, xa_archive_sync(r->archive, err));
    xa__fault_at(&r->fault, r->rank, "settled");
    xa_lock_beat(r->lock);
    if (xa_lock_lost(r->lock))
        XA_RETURN_FAIL(err,
                       XA_BUSY,
                       "%s: another run has taken the lock over, so this one stops",
                       r->loaded.job.output);
    return XA_OK;
}

/* ---- run ---- */

xa_status xa__run_units(xa__run *r, xa_err *err)
{
    xa_sched_options opt = xa_sched_defaults();
    const xa_sched_calls calls = {.arg = r,
                                  .pack = pack,
                                  .work = work,
                                  .mark = mark,
                                  .settle = settle,
                                  .progress = xa__run_progress};
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    opt.todo = r->todo;
    opt.ntodo = r->ntodo;
    XA_RETURN_TRY(err, xa_sched_create(r->comm, &opt, &calls, &r->sched, err));
    const xa_tick tick = {xa_sched_tick, r->sched};
    xa_audit_attach(r->loaded.audit, r->weights.data, r->arena, &tick);
    r->started = xa_time();
    st = xa_sched_run(r->sched, &r->result, err);
    if (r->progress_shown)
        fputc('\n', stderr);
    if (st != XA_OK)
        return XA_ERR_PASS(err, st);
    xa__fault_at(&r->fault, r->rank, "end");
    if (r->rank == 0)
        st = xa__run_session(r, true, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_RETURN_TRY(err, xa_close_archive(r->comm, r->archive, err));
    r->archive = NULL;
    int64_t stopped = r->result.end == XA_SCHED_STOPPED;
    XA_RETURN_TRY(err, xa_comm_max_i64(r->comm, &stopped, err));
    if (stopped)
        XA_RETURN_FAIL(
            err,
            XA_INTERRUPTED,
            "stopped by a signal; what is done is kept, and the same command continues from "
            "there");
    return XA_OK;
}
