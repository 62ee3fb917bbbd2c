/* What a run prints: its progress and its outcome, as text or as lines of JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "run_internal.h"

/* Prints an object as one line of JSON, and frees it. */
static void json_line(json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text)
        puts(text);
    fflush(stdout);
    free(text);
    json_decref(o);
}

/* Samples of the first `units` of the units to compute: only the last one of the manifest may have
 * fewer than the others. */
static int64_t samples_in(const xa__run *r, int64_t units)
{
    const int64_t unit = xa_audit_unit_samples(r->loaded.audit), n = r->counts.samples;
    const bool has_last = r->ntodo > 0 && r->todo[r->ntodo - 1] == r->units - 1;
    const int64_t all = r->ntodo * unit - (has_last ? r->units * unit - n : 0);
    return units >= r->ntodo || units * unit > all ? all : units * unit;
}

/* Samples that were done before this session, counted in units. */
static int64_t samples_before(const xa__run *r)
{
    return r->counts.samples - samples_in(r, r->ntodo);
}

/* What is left of a resumed run, by the time that earlier sessions took for an image; negative
 * where they say nothing. */
static double left_by_earlier_sessions(const xa__run *r)
{
    const int64_t before = samples_before(r);
    const double cores = (double)xa_comm_size(r->comm) * (double)r->loaded.job.threads;
    if (!(r->core_seconds > 0.0) || before <= 0)
        return -1.0;
    return r->core_seconds / (double)before * (double)samples_in(r, r->ntodo) / cores;
}

void xa__run_progress(void *arg, int64_t done, int64_t total, double seconds, double left)
{
    xa__run *r = arg;
    const int64_t now = samples_in(r, done), images = samples_before(r) + now;
    const double rate = seconds > 0.0 ? (double)now / seconds : 0.0;
    char remaining[32];
    const bool terminal = isatty(STDERR_FILENO);
    xa_lock_beat(r->lock);
    if (!(left >= 0.0))
        left = left_by_earlier_sessions(r);
    if (r->opt.quiet || (total == 0 && !r->opt.json))
        return;
    if (r->opt.json) {
        json_line(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
                            "event",
                            "progress",
                            "images_done",
                            (json_int_t)images,
                            "images_before",
                            (json_int_t)(images - now),
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
    xa_duration_text(left, remaining, sizeof remaining);
    if (r->resumed && !r->before_shown && images > now)
        fprintf(stderr,
                "xaudit: %" PRId64 " of %" PRId64 " images were done before, %s left\n",
                images - now,
                r->counts.samples,
                remaining);
    r->before_shown = true;
    if (!terminal && done < total && xa_time() - r->progress_last < 5.0)
        return;
    r->progress_last = xa_time();
    if (!terminal) {
        fprintf(stderr,
                "xaudit: %" PRId64 " of %" PRId64 " images, %.2f images/s, %s left\n",
                images,
                r->counts.samples,
                rate,
                remaining);
        return;
    }
    char bar[40];
    const double part = (double)images / (double)r->counts.samples;
    fprintf(stderr,
            "\r%s %3.0f %%  %.2f images/s  %s left \033[K",
            xa_bar_text(part, 30, bar, sizeof bar),
            100.0 * part,
            rate,
            remaining);
    if (done == total)
        fputc('\n', stderr);
    r->progress_shown = done < total;
    fflush(stderr);
}

xa_status xa__run_report(xa__run *r, xa_status st, xa_err *err)
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
