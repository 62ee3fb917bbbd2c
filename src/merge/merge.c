/* merge: opens the archives, and finds out whether they are slices or have other models. */
#include "xaudit/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "merge_internal.h"
#include "xaudit/job.h"

static xa_status read_i64(xa_archive *a, const char *name, int64_t *out, bool *there, xa_err *err)
{
    double v = 0.0;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa_archive_attr_f64(a, "/", name, &v, 1, &n, err));
    *there = n == 1;
    *out = v >= 0.0 && v < 9e15 ? (int64_t)v : 0;
    return XA_OK;
}

/* Removes the line of the slice, which is the last one, from an identity. */
static void cut_slice_line(char *identity)
{
    char *line = strstr(identity, "\n" XA_SLICE_KEY " = ");
    if (line)
        line[1] = '\0';
}

static xa_status open_part(const char *path, xa__merge_part *p, xa_err *err)
{
    xa_status st = XA_OK;
    char *from = NULL;
    bool sliced, of;
    p->path = path;
    XA_TRY(err, xa_read_open(path, &p->r, err));
    XA_TRY(err, xa_archive_attr_text(p->r->archive, "/", "evaluated_from", &from, err));
    if (from)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s holds an evaluation: merge the archives that were evaluated, then evaluate the "
                "result",
                path);
    XA_TRY(err, xa_archive_text(p->r->archive, XA_FIELD_IDENTITY_TEXT, &p->identity, err));
    if (!p->identity)
        XA_FAIL(err, XA_FORMAT, "%s has no identity_text", path);
    XA_TRY(err, read_i64(p->r->archive, "slice_first", &p->first, &sliced, err));
    XA_TRY(err, read_i64(p->r->archive, "slice_of", &p->whole, &of, err));
    if (sliced != of || (of && (p->whole < 1 || p->first + p->r->samples > p->whole)))
        XA_FAIL(err, XA_FORMAT, "%s: slice_first and slice_of make no sense", path);
    cut_slice_line(p->identity);
    XA_TRY(err, xa__merge_sections(p, err));
    XA_TRY(err, xa__merge_is_current(p, err));
    for (int64_t m = 0; m < p->r->nmodels; m++) {
        int64_t pending = 0;
        for (int64_t i = 0; i < p->r->samples; i++)
            pending += p->r->models[m].status[i] == XA_SAMPLE_PENDING;
        if (pending)
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s: %" PRId64 " samples of model %s are not done yet: finish its job first",
                    path,
                    pending,
                    p->r->models[m].name);
    }
done:
    free(from);
    return st;
}

static int by_first(const void *a, const void *b)
{
    const xa__merge_part *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first ? -1 : 1) : strcmp(x->path, y->path);
}

/* Checks that slices are of one job and follow one another from the first sample to the last. */
static xa_status check_slices(xa__merge_part *parts, int n, xa_err *err)
{
    int64_t next = 0;
    qsort(parts, (size_t)n, sizeof *parts, by_first);
    for (int i = 0; i < n; i++) {
        const xa__merge_part *p = &parts[i];
        if (i > 0)
            XA_RETURN_TRY(err, xa__merge_same_job(&parts[0], p, err));
        if (p->first < next)
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "%s and %s overlap: both hold samples from %" PRId64 " on",
                           parts[i - 1].path,
                           p->path,
                           p->first);
        if (p->first > next)
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "samples %" PRId64 " to %" PRId64 " are in none of the archives",
                           next,
                           p->first - 1);
        next = p->first + p->r->samples;
    }
    if (next != parts[0].whole)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "samples %" PRId64 " to %" PRId64 " are in none of the archives",
                       next,
                       parts[0].whole - 1);
    return XA_OK;
}

static xa_status describe(const char *path, xa_merged *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_read *r = NULL;
    struct stat info;
    XA_TRY(err, xa_read_open(path, &r, err));
    out->samples = r->samples;
    out->models = r->nmodels;
    for (int64_t m = 0; m < r->nmodels; m++)
        out->explainers += r->models[m].nmaps;
    out->bytes = stat(path, &info) == 0 ? (double)info.st_size : 0.0;
done:
    xa_read_close(r);
    return st;
}

xa_status xa_merge(const char *const *paths, int n, const char *output, xa_merged *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_lock *lock = NULL;
    bool made = false;
    char *part = xa_strfmt("%s.part", output);
    xa__merge_part *parts = xa_alloc((size_t)n + 1, sizeof *parts);
    *out = (xa_merged){0};
    if (!parts || !part)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++) {
        XA_TRY(err, open_part(paths[i], &parts[i], err));
        if ((parts[i].whole > 0) != (parts[0].whole > 0))
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s is a slice of a manifest and %s is not",
                    parts[parts[0].whole > 0 ? 0 : i].path,
                    parts[parts[0].whole > 0 ? i : 0].path);
    }
    out->slices = parts[0].whole > 0;
    if (out->slices)
        XA_TRY(err, check_slices(parts, n, err));
    XA_TRY(err, xa_lock_take(output, 120.0, &lock, err));
    if (access(output, F_OK) == 0)
        XA_FAIL(err, XA_BUSY, "%s exists already: choose another -o", output);
    if (unlink(part) != 0 && errno != ENOENT)
        XA_FAIL(err, XA_IO, "%s: cannot remove it: %s", part, strerror(errno));
    made = true;
    if (out->slices)
        XA_TRY(err, xa__merge_slices(parts, n, part, err));
    else
        XA_TRY(err, xa__merge_models(parts, n, part, err));
    XA_TRY(err, describe(part, out, err));
    XA_TRY(err, xa_archive_rename(part, output, err));
    made = false;
done:
    if (made)
        (void)unlink(part);
    xa_lock_release(lock);
    for (int i = 0; parts && i < n; i++) {
        xa_read_close(parts[i].r);
        free(parts[i].identity);
        for (int k = 0; k < parts[i].nsections; k++)
            free(parts[i].sections[k]);
        free(parts[i].sections);
    }
    free(parts);
    free(part);
    return st;
}
