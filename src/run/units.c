/* Units of samples: handed out, computed, written and marked as done. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run_internal.h"

/* What travels with a grant: this header, the hashes if there are any, and the packed samples.
 * Hashes are of images that were audited before, one per sample, and of their masks, one per
 * annotation. */
typedef struct grant_header {
    xa_span span;
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

/* ---- rank 0: what a grant needs -------------------------------------------------------------- */

static xa_place place_before(const xa__run *r, int64_t sample)
{
    return (xa_place){.sample = sample,
                      .labels = r->labels_before[sample],
                      .annotated = r->annotated_before[sample],
                      .annotations = r->annotations_before[sample]};
}

static grant_header header_of(const xa__run *r, int64_t first, int64_t n)
{
    int64_t start;
    const int64_t count = samples_of(r, first, n, &start);
    const xa_span span = {place_before(r, start), place_before(r, start + count)};
    return (grant_header){
        .span = span, .expects = r->expect ? 1 + span.to.annotations - span.from.annotations : 0};
}

static void room(void *arg, int64_t first, int64_t n, size_t *payload, size_t *rows)
{
    const xa__run *r = arg;
    const grant_header h = header_of(r, first, n);
    const int64_t samples = h.span.to.sample - h.span.from.sample;
    const size_t hashes = h.expects ? (size_t)(samples + h.expects - 1) * sizeof(uint64_t) : 0;
    *payload = sizeof h + hashes + r->pack_head +
               (size_t)(r->packed_before[first + n] - r->packed_before[first]);
    *rows = xa_stage_bytes(r->stage, &h.span);
}

static xa_status pack(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    const xa__run *r = arg;
    const grant_header h = header_of(r, first, n);
    const int64_t start = h.span.from.sample, count = h.span.to.sample - start;
    xa_str_add(out, (const char *)&h, sizeof h);
    if (r->expect) {
        add_hashes(r->expect + start, count, out);
        add_hashes(r->expect_mask + h.span.from.annotations, h.expects - 1, out);
    }
    return xa_manifest_pack(r->loaded.manifest, start, count, out, err);
}

/* How many bytes the samples before each unit take in a grant. */
static xa_status pack_sums(xa__run *r, xa_err *err)
{
    xa_str none = {0};
    const xa_manifest *m = r->loaded.manifest;
    const int64_t unit = unit_samples(r);
    r->packed_before = xa_alloc((size_t)r->units + 1, sizeof *r->packed_before);
    if (!r->packed_before)
        XA_RETURN_NOMEM(err);
    for (int64_t u = 0, i = 0; u < r->units; u++) {
        r->packed_before[u + 1] = r->packed_before[u];
        for (; i < m->count && i < (u + 1) * unit; i++)
            r->packed_before[u + 1] += (int64_t)xa_manifest_pack_bytes(m, i);
    }
    const xa_status st = xa_manifest_pack(m, 0, 0, &none, err);
    r->pack_head = none.len;
    xa_str_free(&none);
    return st == XA_OK ? st : XA_ERR_PASS(err, st);
}

/* ---- every rank: the block at hand ----------------------------------------------------------- */

static void advance(xa_place *p, const xa_sample *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        p->labels += xa_rows_of_sample(XA_TARGET_LABEL, 0, &s[i]);
        p->annotated += xa_rows_of_sample(XA_TARGET_ANNOTATED, 0, &s[i]);
        p->annotations += s[i].nannotations;
    }
    p->sample += n;
}

static xa_status
read_header(const xa__run *r, const xa_sched_block *b, grant_header *h, xa_err *err)
{
    int64_t start;
    const int64_t count = samples_of(r, b->first, b->n, &start);
    if (b->payload_size < sizeof *h)
        XA_RETURN_FAIL(err, XA_COMM, "a grant came without its samples");
    memcpy(h, b->payload, sizeof *h);
    const size_t hashes = h->expects ? (size_t)(count + h->expects - 1) * sizeof(uint64_t) : 0;
    if (b->payload_size - sizeof *h < hashes)
        XA_RETURN_FAIL(err, XA_COMM, "a grant came without its samples");
    if (h->span.from.sample != start || h->span.to.sample != start + count)
        XA_RETURN_FAIL(err, XA_COMM, "a grant holds other samples than it says");
    return XA_OK;
}

/* Unpacks the samples of a block, if it is not the one at hand. */
static xa_status hold(xa__run *r, const xa_sched_block *b, const grant_header *h, xa_err *err)
{
    const int64_t count = h->span.to.sample - h->span.from.sample;
    const size_t hashes = h->expects ? (size_t)(count + h->expects - 1) * sizeof(uint64_t) : 0;
    const size_t before = sizeof *h + hashes;
    if (r->held && r->held_serial == b->serial)
        return XA_OK;
    xa_manifest_free(r->held);
    r->held = NULL;
    XA_RETURN_TRY(err,
                  xa_manifest_unpack(
                      (const char *)b->payload + before, b->payload_size - before, &r->held, err));
    r->held_serial = b->serial;
    r->held_place = h->span.from;
    if (r->held->count != count)
        XA_RETURN_FAIL(err, XA_COMM, "a grant holds other samples than it says");
    return XA_OK;
}

/* The place of a unit of the block; first + n: the end. */
static xa_status place_of(xa__run *r,
                          const xa_sched_block *b,
                          const grant_header *h,
                          int64_t unit,
                          xa_place *out,
                          xa_err *err)
{
    const int64_t sample = unit * unit_samples(r);
    *out = h->span.from;
    if (unit == b->first)
        return XA_OK;
    *out = h->span.to;
    if (unit == b->first + b->n)
        return XA_OK;
    XA_RETURN_TRY(err, hold(r, b, h, err));
    if (r->held_place.sample > sample)
        r->held_place = h->span.from;
    advance(&r->held_place,
            r->held->samples + (r->held_place.sample - h->span.from.sample),
            sample - r->held_place.sample);
    *out = r->held_place;
    return XA_OK;
}

static xa_status span_of(xa__run *r,
                         const xa_sched_block *b,
                         const grant_header *h,
                         int64_t first,
                         int64_t n,
                         xa_span *out,
                         xa_err *err)
{
    XA_RETURN_TRY(err, place_of(r, b, h, first, &out->from, err));
    return place_of(r, b, h, first + n, &out->to, err);
}

static xa_status work(void *arg, const xa_sched_block *b, int64_t unit, xa_err *err)
{
    xa__run *r = arg;
    grant_header h;
    xa_span at;
    XA_RETURN_TRY(err, read_header(r, b, &h, err));
    XA_RETURN_TRY(err, hold(r, b, &h, err));
    XA_RETURN_TRY(err, span_of(r, b, &h, unit, 1, &at, err));
    const int64_t count = h.span.to.sample - h.span.from.sample;
    const int64_t k = at.from.sample - h.span.from.sample, n = at.to.sample - at.from.sample;
    const xa_sample *samples = r->held->samples + k;
    xa__stored_at(r->stored, at.from.sample);
    XA_RETURN_TRY(err, xa_audit_unit(r->loaded.audit, samples, n, r->rows, err));
    xa__fault_at(&r->fault, r->rank, "computed");
    if (h.expects) {
        const char *images = (const char *)b->payload + sizeof h;
        const int64_t masks = count + at.from.annotations - h.span.from.annotations;
        XA_RETURN_TRY(
            err, xa__run_same_images(samples, r->rows, images + (size_t)k * sizeof(uint64_t), err));
        XA_RETURN_TRY(
            err,
            xa__run_same_masks(samples, r->rows, images + (size_t)masks * sizeof(uint64_t), err));
    }
    XA_RETURN_TRY(err, xa_stage_put(r->stage, &h.span, b->rows, &at, r->rows, err));
    xa__fault_at(&r->fault, r->rank, "staged");
    return XA_OK;
}

/* ---- leaders: a block that is computed ------------------------------------------------------- */

static xa_status
write_rows(void *arg, const xa_sched_block *b, int column, int64_t first, int64_t n, xa_err *err)
{
    xa__run *r = arg;
    grant_header h;
    xa_span part;
    if (column == 0)
        xa__fault_at(&r->fault, r->rank, "full");
    XA_RETURN_TRY(err, read_header(r, b, &h, err));
    XA_RETURN_TRY(err, span_of(r, b, &h, first, n, &part, err));
    XA_RETURN_TRY(err, xa_stage_write(r->stage, r->archive, &h.span, b->rows, column, &part, err));
    xa__fault_at(&r->fault, r->rank, "columns");
    return XA_OK;
}

static xa_status sync_rows(void *arg, xa_err *err)
{
    xa__run *r = arg;
    XA_RETURN_TRY(err, xa_archive_sync(r->archive, err));
    xa__fault_at(&r->fault, r->rank, "synced");
    return XA_OK;
}

static xa_status
report(void *arg, const xa_sched_block *b, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    const xa__run *r = arg;
    const size_t models = (size_t)r->loaded.job.audit.nmodels;
    int64_t start;
    const int64_t count = samples_of(r, first, n, &start);
    (void)err;
    xa_str_add(out,
               (const char *)xa_stage_status(b->rows) +
                   (size_t)(start - b->first * unit_samples(r)) * models,
               (size_t)count * models);
    return XA_OK;
}

/* ---- rank 0: what is done -------------------------------------------------------------------- */

static xa_status
mark(void *arg, int64_t first, int64_t n, const void *statuses, size_t size, xa_err *err)
{
    xa__run *r = arg;
    int64_t start;
    const int64_t count = samples_of(r, first, n, &start);
    const int nmodels = r->loaded.job.audit.nmodels;
    const uint8_t *bytes = statuses;
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

/* Units between two borders at which rows of one byte a sample begin a page of the file. */
static int64_t units_to_page(int64_t unit)
{
    enum { PAGE = 4096 };
    int64_t a = PAGE, b = unit;
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return PAGE / a;
}

xa_status xa__run_prepare_units(xa__run *r, xa_err *err)
{
    xa_sched_options opt = xa_sched_defaults();
    const xa_sched_calls calls = {.arg = r,
                                  .room = room,
                                  .pack = pack,
                                  .work = work,
                                  .write = write_rows,
                                  .sync = sync_rows,
                                  .report = report,
                                  .mark = mark,
                                  .settle = settle,
                                  .progress = xa__run_progress};
    xa_err mine = XA_ERR_INIT;
    xa_status st = xa_stage_create(r->contents, &r->stage, &mine);
    if (st == XA_OK && r->rank == 0)
        st = pack_sums(r, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    opt.todo = r->todo;
    opt.ntodo = r->ntodo;
    opt.columns = xa_stage_columns(r->stage);
    opt.align = units_to_page(unit_samples(r));
    return xa_sched_create(r->comm, &opt, &calls, &r->sched, err);
}

xa_status xa__run_units(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
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
