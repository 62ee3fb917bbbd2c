/* An archive that a run resumes: its damage, and whether images and masks are still the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run_internal.h"
#include "xaudit/verify.h"
#include "xaudit/view.h"

typedef struct found {
    xa__run *r;
    uint8_t *damaged; /* [samples] */
    int64_t samples;  /* that are damaged */
    int64_t hopeless; /* findings that no run can mend */
    char first[512], hopeless_first[512];
} found;

static void note(void *arg, xa_finding kind, int64_t sample, const char *text)
{
    found *f = arg;
    if (kind == XA_FINDING_NOTE)
        xa_log(XA_LOG_INFO, "%s: %s", f->r->loaded.job.output, text);
    if (kind != XA_FINDING_DAMAGE || sample == XA_MENDED_BY_RUN)
        return;
    if (sample < 0 || sample >= f->r->loaded.manifest->count) {
        if (f->hopeless++ == 0)
            snprintf(f->hopeless_first, sizeof f->hopeless_first, "%s", text);
        return;
    }
    if (!f->damaged[sample] && f->samples++ == 0)
        snprintf(f->first, sizeof f->first, "%s", text);
    f->damaged[sample] = 1;
}

xa_status xa__run_find_damage(xa__run *r, xa_err *err)
{
    const char *path = r->loaded.job.output;
    const int64_t n = r->loaded.manifest->count;
    const int nmodels = r->loaded.job.audit.nmodels;
    found f = {.r = r, .damaged = xa_alloc((size_t)n + 1, 1)};
    const xa_verify_options opt = {.values = r->opt.redo_damaged, .report = note, .arg = &f};
    xa_verified verified;
    xa_status st = XA_OK;
    size_t rows;
    if (!f.damaged)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_verify(path, &opt, &verified, err));
    if (f.hopeless)
        XA_FAIL(err,
                XA_DAMAGED,
                "%s is damaged, and computing rows again does not mend it: %s; xaudit verify %s "
                "lists all damage; restore a copy, or begin anew with --fresh",
                path,
                f.hopeless_first,
                path);
    if (f.samples && !r->opt.redo_damaged) {
        st = xa_mend_fail(path,
                          err,
                          "%s (rows of %" PRId64
                          " sample%s; the values of the maps were not checked)",
                          f.first,
                          f.samples,
                          f.samples == 1 ? "" : "s");
        goto done;
    }
    r->damaged = f.samples;
    if (!f.samples && !r->opt.retry_failed)
        goto done;
    if (!xa_size_mul((size_t)n, (size_t)nmodels, &rows) || !(r->reopen = xa_alloc(rows + 1, 1)))
        XA_NOMEM_FAIL(err);
    for (int m = 0; m < nmodels; m++)
        memcpy(r->reopen + (size_t)m * (size_t)n, f.damaged, (size_t)n);
    if (f.samples && !r->opt.quiet)
        fprintf(stderr,
                "xaudit: %s: rows of %" PRId64 " sample%s are damaged and will be computed again\n",
                path,
                f.samples,
                f.samples == 1 ? "" : "s");
done:
    free(f.damaged);
    return st;
}

xa_status xa__run_reopen(xa__run *r, xa_err *err)
{
    const xa_manifest *m = r->loaded.manifest;
    for (int k = 0; k < r->loaded.job.audit.nmodels; k++)
        for (int64_t i = 0; i < m->count; i++) {
            const uint8_t status = m->samples[i].exclude ? XA_SAMPLE_EXCLUDED : XA_SAMPLE_PENDING;
            if (r->reopen[(int64_t)k * m->count + i])
                XA_RETURN_TRY(err,
                              xa_archive_write(
                                  r->archive, r->contents->models[k].status, i, 1, &status, err));
        }
    return xa_archive_sync(r->archive, err);
}

/* ---- images ---- */

static void doubt(void *arg, int64_t row)
{
    ((uint64_t *)arg)[row] = 0;
}

/* Sets hashes to 0, not known, that their own checksum contradicts. */
static xa_status leave_doubtful(const xa__run *r, xa_archive *a, xa_err *err)
{
    xa_status st = XA_OK;
    xa_sums *s = NULL;
    XA_TRY(err, xa_sums_open(a, &s, err));
    for (int k = 0; k < xa_sums_count(s); k++)
        if (xa_sums_at(s, k).kind == XA_FIELD_SUM_SAMPLES &&
            xa_sums_at(s, k).rows == r->loaded.manifest->count)
            XA_TRY(err, xa_sums_check(s, k, doubt, r->expect, err));
done:
    xa_sums_close(s);
    return st;
}

static xa_status other_image(const xa_sample *s, const char *what, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_MISMATCH,
                   "image %s (%s) was audited before, and now %s: restore the earlier file, or "
                   "begin anew with --fresh; nothing was overwritten",
                   s->id,
                   s->file,
                   what);
}

static const char other_pixels[] = "its pixels differ";

static xa_status other_mask(
    const xa_sample *s, const xa_annotation *a, const char *file, const char *what, xa_err *err)
{
    if (!file)
        file = a->kind == XA_ANNOTATION_MASK && a->mask ? a->mask : a->ignore_mask;
    const bool both = a->kind == XA_ANNOTATION_MASK && a->ignore_mask;
    XA_RETURN_FAIL(err,
                   XA_MISMATCH,
                   "mask %s%s of image %s was used before, and now %s: restore the earlier file, "
                   "or begin anew with --fresh; nothing was overwritten",
                   file ? file : "",
                   both ? " (or its ignore mask)" : "",
                   s->id,
                   what);
}

/* Compares the masks of one damaged row before it is reopened. */
static xa_status compare_masks(const xa__run *r, int64_t sample, xa_err *err)
{
    const xa_sample *s = &r->loaded.manifest->samples[sample];
    for (int32_t k = 0; k < s->nannotations; k++) {
        const uint64_t want = r->expect_mask[r->annotations_before[sample] + k];
        const char *file = NULL;
        uint64_t hash = 0;
        xa_err why = XA_ERR_INIT;
        if (!want)
            continue;
        const xa_status st = xa_mask_hash(
            &s->annotations[k], r->loaded.job.audit.decode.ignore_orientation, &hash, &file, &why);
        if (st == XA_NOMEM)
            XA_RETURN_FAIL(err, st, "%s", why.message);
        if (st != XA_OK)
            return other_mask(s, &s->annotations[k], file, why.message, err);
        if (hash != want)
            return other_mask(s, &s->annotations[k], NULL, other_pixels, err);
    }
    return XA_OK;
}

/* Compares the images of damaged rows before these are reopened. */
static xa_status compare_damaged(const xa__run *r, xa_err *err)
{
    const xa_manifest *m = r->loaded.manifest;
    for (int64_t i = 0; i < m->count; i++) {
        xa_image im = {0};
        xa_err why = XA_ERR_INIT;
        if (r->reopen[i])
            XA_RETURN_TRY(err, compare_masks(r, i, err));
        if (!r->reopen[i] || !r->expect[i])
            continue;
        const xa_status st =
            xa_image_read(m->samples[i].file, &r->loaded.job.audit.decode, &im, &why);
        const bool same = st == XA_OK && xa_image_hash(&im) == r->expect[i];
        xa_image_fini(&im);
        if (st == XA_NOMEM)
            XA_RETURN_FAIL(err, st, "%s", why.message);
        if (!same)
            return other_image(&m->samples[i], st == XA_OK ? other_pixels : why.message, err);
    }
    return XA_OK;
}

/* The hashes of the masks of samples in `keep`; *any becomes true if one is known. */
static xa_status
expect_masks(xa__run *r, xa_archive *a, const uint8_t *keep, bool *any, xa_err *err)
{
    const char *path = xa_field_path(XA_FIELD_ANN_MASK_HASH);
    const int64_t n = r->loaded.manifest->count, all = r->annotations_before[n];
    xa_dataset_info info;
    r->expect_mask = xa_alloc((size_t)all + 1, sizeof *r->expect_mask);
    if (!r->expect_mask)
        XA_RETURN_NOMEM(err);
    const xa_status st = xa_archive_dataset(a, path, &info, err);
    if (st == XA_NOT_FOUND || !all)
        return XA_OK;
    XA_RETURN_TRY(err, st);
    if (info.type != XA_TYPE_U64 || info.ndim != 1 || info.dim[0] != all)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: expected one per annotation", path);
    XA_RETURN_TRY(err, xa_archive_read(a, path, 0, all, r->expect_mask, err));
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = r->annotations_before[i]; k < r->annotations_before[i + 1]; k++) {
            if (!keep[i])
                r->expect_mask[k] = 0;
            *any = *any || r->expect_mask[k];
        }
    return XA_OK;
}

xa_status xa__run_expect_images(xa__run *r, const bool *open, xa_err *err)
{
    const int64_t n = r->loaded.manifest->count, unit = xa_audit_unit_samples(r->loaded.audit);
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    uint8_t *status = xa_alloc((size_t)n + 1, 1), *done = xa_alloc((size_t)n + 1, 1);
    char *path = NULL;
    r->expect = xa_alloc((size_t)n + 1, sizeof *r->expect);
    if (!status || !done || !r->expect)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_open_read(r->loaded.job.output, &a, err));
    for (int k = 0; k < r->loaded.job.audit.nmodels; k++) {
        free(path);
        path = xa_strdup(
            xa_field_name(XA_FIELD_MODEL_STATUS, r->loaded.job.audit.models[k].name, NULL, NULL)
                .text);
        if (!path)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, xa_archive_read(a, path, 0, n, status, err));
        for (int64_t i = 0; i < n; i++) /* a damaged status may be any value */
            done[i] = done[i] || status[i] == XA_SAMPLE_DONE || status[i] > XA_SAMPLE_EXCLUDED;
    }
    XA_TRY(err,
           xa_archive_read(a, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), 0, n, r->expect, err));
    XA_TRY(err, leave_doubtful(r, a, err));
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        done[i] = done[i] && open[i / unit];
        if (!done[i])
            r->expect[i] = 0;
        any = any || r->expect[i];
    }
    XA_TRY(err, expect_masks(r, a, done, &any, err));
    if (any && r->damaged)
        XA_TRY(err, compare_damaged(r, err));
    if (!any) {
        free(r->expect);
        free(r->expect_mask);
        r->expect = r->expect_mask = NULL;
    }
done:
    free(path);
    free(status);
    free(done);
    if (a && xa_archive_close(a, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    return st;
}

xa_status xa__run_same_images(const xa_sample *samples,
                              const xa_rows *rows,
                              const void *expected,
                              xa_err *err)
{
    for (int64_t i = 0; i < rows->n; i++) {
        uint64_t want;
        memcpy(&want, (const char *)expected + (size_t)i * sizeof want, sizeof want);
        if (want && rows->pixel_hash[i] != want)
            return other_image(&samples[i],
                               rows->pixel_hash[i] ? other_pixels
                                                   : rows->models[0].message + i * XA_MESSAGE_BYTES,
                               err);
    }
    return XA_OK;
}

xa_status
xa__run_same_masks(const xa_sample *samples, const xa_rows *rows, const void *expected, xa_err *err)
{
    int64_t at = 0;
    for (int64_t i = 0; i < rows->n; i++)
        for (int32_t k = 0; k < samples[i].nannotations; k++, at++) {
            uint64_t want;
            memcpy(&want, (const char *)expected + (size_t)at * sizeof want, sizeof want);
            if (want && rows->mask_hash[at] != want)
                return other_mask(&samples[i],
                                  &samples[i].annotations[k],
                                  NULL,
                                  rows->mask_hash[at] ? other_pixels : "it cannot be used",
                                  err);
        }
    return XA_OK;
}
