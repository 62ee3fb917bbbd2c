/* Units handed out, computed, written and marked; progress and the closing report. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_internal.h"

/* What travels with a grant, before the packed samples; between them, where `expects` says so, the
 * pixel hashes of the images that were audited before, one a sample, and the hashes of their masks,
 * one an annotation: expects is their number + 1. */
typedef struct grant_header {
    int64_t sample, labels, annotated, annotations, expects;
} grant_header;

static void add_hashes(const uint64_t *hash, int64_t n, xa_str *out)
{
    xa_str_add(out, (const char *)hash, (size_t)n * sizeof *hash);
}

static int64_t unit_samples(const run *r)
{
    return xa_audit_unit_samples(r->loaded.audit);
}

static int64_t samples_of(const run *r, int64_t first, int64_t n, int64_t *start)
{
    const int64_t unit = unit_samples(r), end = (first + n) * unit;
    *start = first * unit;
    return (end < r->counts.samples ? end : r->counts.samples) - *start;
}

static xa_status pack(void *arg, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    const run *r = arg;
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
        p->labels += xa_rows_of_sample(XA_TARGET_LABEL, &s[i]);
        p->annotated += xa_rows_of_sample(XA_TARGET_ANNOTATED, &s[i]);
        p->annotations += s[i].nannotations;
    }
    p->sample += n;
}

/* Status of every model for every sample of the rows. */
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
    run *r = arg;
    xa_status st = XA_OK;
    xa_manifest *m = NULL;
    grant_header h;
    int64_t start, done = 0;
    const int64_t count = samples_of(r, first, n, &start), unit = unit_samples(r);
    if (size < sizeof h)
        XA_FAIL(err, XA_COMM, "a grant without its samples");
    memcpy(&h, payload, sizeof h);
    const char *rest = (const char *)payload + sizeof h, *expected = h.expects ? rest : NULL;
    const size_t hashes = h.expects ? (size_t)(count + h.expects - 1) * sizeof(uint64_t) : 0;
    if (size - sizeof h < hashes)
        XA_FAIL(err, XA_COMM, "a grant without its samples");
    XA_TRY(err, xa_manifest_unpack(rest + hashes, size - sizeof h - hashes, &m, err));
    if (m->count != count || h.sample != start)
        XA_FAIL(err, XA_COMM, "a grant of other samples than it says");
    xa_place place = {h.sample, h.labels, h.annotated, h.annotations};
    for (int64_t u = 0; u < n && !(u && xa_sched_stopping(r->sched)); u++) {
        const int64_t at = u * unit, k = count - at < unit ? count - at : unit;
        XA_TRY(err, xa_audit_unit(r->loaded.audit, m->samples + at, k, r->rows, err));
        xa_fault_at(&r->fault, r->rank, "computed");
        if (expected) {
            const char *masks =
                expected + (size_t)(count + place.annotations - h.annotations) * sizeof(uint64_t);
            XA_TRY(err,
                   xa_run_same_images(
                       m->samples + at, r->rows, expected + (size_t)at * sizeof(uint64_t), err));
            XA_TRY(err, xa_run_same_masks(m->samples + at, r->rows, masks, err));
        }
        XA_TRY(err, xa_stage_unit(r->stage, &place, r->rows, err));
        xa_fault_at(&r->fault, r->rank, "staged");
        report_status(r->rows, report);
        advance(&place, m->samples + at, k);
        xa_sched_tick(r->sched);
        done++;
    }
    XA_TRY(err, xa_stage_commit(r->stage, err));
    xa_fault_at(&r->fault, r->rank, "synced");
    *finished = done;
done:
    xa_manifest_free(m);
    return st;
}

static xa_status
mark(void *arg, int64_t first, int64_t n, const void *report, size_t size, xa_err *err)
{
    run *r = arg;
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
    XA_TRY(err, xa_archive_check_place(r->archive, err));
    xa_fault_at(&r->fault, r->rank, "mark");
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
    run *r = arg;
    xa_fault_at(&r->fault, r->rank, "marked");
    XA_RETURN_TRY(err, xa_run_session_time(r, err));
    XA_RETURN_TRY(err, xa_archive_sync(r->archive, err));
    xa_fault_at(&r->fault, r->rank, "settled");
    xa_lock_beat(r->lock);
    if (xa_lock_lost(r->lock))
        XA_RETURN_FAIL(err,
                       XA_BUSY,
                       "%s: another run took the lock over; this one stops",
                       r->loaded.job.output);
    return XA_OK;
}

/* ---- progress ---- */

static void time_text(double seconds, char *buf, size_t size)
{
    if (!(seconds >= 0.0)) {
        snprintf(buf, size, "?"); /* nothing is done yet */
        return;
    }
    const long s = seconds > 0.0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(buf, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(buf, size, "%ldm%02lds", s / 60, s % 60);
}

/* One JSON object a line on stdout; takes the object. */
static void json_line(json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text)
        puts(text);
    fflush(stdout);
    free(text);
    json_decref(o);
}

/* Samples of so many of the units to do: each has as many, but for the manifest's last. */
static int64_t samples_in(const run *r, int64_t units)
{
    const int64_t unit = unit_samples(r), n = r->counts.samples;
    const bool has_last = r->ntodo > 0 && r->todo[r->ntodo - 1] == r->units - 1;
    const int64_t all = r->ntodo * unit - (has_last ? r->units * unit - n : 0);
    return units >= r->ntodo || units * unit > all ? all : units * unit;
}

/* Done before this session, by units. */
static int64_t samples_before(const run *r)
{
    return r->counts.samples - samples_in(r, r->ntodo);
}

static void progress(void *arg, int64_t done, int64_t total, double seconds, double left)
{
    run *r = arg;
    const int64_t now = samples_in(r, done), images = samples_before(r) + now;
    const double rate = seconds > 0.0 ? (double)now / seconds : 0.0;
    char remaining[32];
    const bool terminal = isatty(STDERR_FILENO);
    xa_lock_beat(r->lock);
    if (r->opt.quiet || (total == 0 && !r->opt.json))
        return;
    if (r->opt.json) {
        json_line(json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
                            "event",
                            "progress",
                            "images_done",
                            (json_int_t)images,
                            "images",
                            (json_int_t)r->counts.samples,
                            "units_done",
                            (json_int_t)done,
                            "units",
                            (json_int_t)total,
                            "seconds",
                            seconds,
                            "seconds_left",
                            isfinite(left) ? left : -1.0,
                            "images_per_second",
                            rate));
        return;
    }
    if (!terminal && done < total && xa_time() - r->progress_last < 5.0)
        return;
    r->progress_last = xa_time();
    time_text(left, remaining, sizeof remaining);
    if (!terminal) {
        fprintf(stderr,
                "xaudit: %" PRId64 " of %" PRId64 " images, %.2f images/s, %s left\n",
                images,
                r->counts.samples,
                rate,
                remaining);
        return;
    }
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    const double part = (double)images / (double)r->counts.samples;
    const int filled = (int)((double)WIDTH * part);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr,
            "\r[%s] %3.0f %%  %.2f images/s  %s left \033[K",
            bar,
            100.0 * part,
            rate,
            remaining);
    if (done == total)
        fputc('\n', stderr);
    r->progress_shown = done < total;
    fflush(stderr);
}

/* ---- run ---- */

xa_status xa_run_units(run *r, xa_err *err)
{
    xa_sched_options opt = xa_sched_defaults();
    const xa_sched_calls calls = {
        .arg = r, .pack = pack, .work = work, .mark = mark, .settle = settle, .progress = progress};
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
    xa_fault_at(&r->fault, r->rank, "end");
    if (r->rank == 0)
        st = xa_run_session(r, true, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_RETURN_TRY(err, xa_close_archive(r->comm, r->archive, err));
    r->archive = NULL;
    int64_t stopped = r->result.end == XA_SCHED_STOPPED;
    XA_RETURN_TRY(err, xa_comm_max_i64(r->comm, &stopped, err));
    if (stopped)
        XA_RETURN_FAIL(
            err,
            XA_INTERRUPTED,
            "stopped by a signal; what is finished is kept: the same command goes on from "
            "there");
    return XA_OK;
}

xa_status xa_run_report(run *r, xa_status st, xa_err *err)
{
    const double seconds = xa_time() - r->started;
    const int ranks = xa_comm_size(r->comm);
    const int64_t images = samples_in(r, r->result.done);
    FILE *out = r->opt.json ? stderr : stdout;
    if (r->opt.quiet || r->opt.json)
        out = NULL;
    if (out && r->ntodo)
        fprintf(out,
                "%s: %" PRId64 " images in %.1f s on %d rank%s (%.2f images/s)%s\n",
                r->loaded.job.output,
                images,
                seconds,
                ranks,
                ranks == 1 ? "" : "s",
                seconds > 0.0 ? (double)images / seconds : 0.0,
                st == XA_INTERRUPTED ? ", interrupted"
                : r->resumed         ? ", resumed"
                                     : "");
    else if (out)
        fprintf(out, "%s: complete, nothing left to do\n", r->loaded.job.output);
    XA_RETURN_TRY(err, xa_print_outcome(r->loaded.job.output, false, out, &r->outcome, err));
    if (r->opt.json)
        json_line(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:i}",
                            "event",
                            "end",
                            "archive",
                            r->loaded.job.output,
                            "samples",
                            (json_int_t)r->outcome.samples,
                            "done",
                            (json_int_t)r->outcome.done,
                            "failed",
                            (json_int_t)r->outcome.failed,
                            "excluded",
                            (json_int_t)r->outcome.excluded,
                            "pending",
                            (json_int_t)r->outcome.pending,
                            "annotations",
                            (json_int_t)r->outcome.annotations,
                            "annotations_unused",
                            (json_int_t)r->outcome.unused,
                            "seconds",
                            seconds,
                            "ranks",
                            ranks));
    return XA_OK;
}
