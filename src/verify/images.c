/* Are the images and masks still those that were audited? */
#include <stdlib.h>

#include "verify_internal.h"
#include "xaudit/metric.h"
#include "xaudit/view.h"

static void other(xa__verifier *v, int64_t sample, const char *file, const char *what)
{
    char row[256];
    xa__report(
        v, XA_FINDING_IMAGE, "%s: %s: %s", xa__verify_row(v, sample, row, sizeof row), file, what);
}

/* NOMEM alone is an error. */
static xa_status look_at(xa__verifier *v, const xa_decode_options *opt, int64_t sample, xa_err *err)
{
    xa_image im = {0};
    xa_err why = XA_ERR_INIT;
    char *file = NULL;
    bool same = false;
    xa_status st = xa_read_image_file(v->archive, v->opt->image_root, sample, &file, &why);
    if (st == XA_OK)
        st = xa_image_read(file, opt, &im, &why);
    if (st == XA_OK) {
        v->out->images++;
        st = xa_read_same_pixels(v->archive, sample, &im, &same, &why);
    }
    if (st == XA_NOMEM)
        XA_FAIL(err, st, "%s", why.message);
    if (st != XA_OK)
        other(v, sample, "it cannot be compared", why.message);
    else if (!same)
        other(v, sample, file, "its pixels are not those that were audited");
    st = XA_OK;
done:
    xa_image_fini(&im);
    free(file);
    return st;
}

/* ---- masks ---- */

/* The annotation's files and how they are read; its names are the caller's to free. */
static xa_status read_annotation(xa__verifier *v, int64_t k, xa_annotation *out, xa_err *err)
{
    const char *root = v->opt->image_root;
    xa_archive *a = v->archive;
    XA_RETURN_TRY(err, xa_archive_read(a, xa_field_path(XA_FIELD_ANN_KIND), k, 1, &out->kind, err));
    XA_RETURN_TRY(
        err,
        xa_archive_read(a, xa_field_path(XA_FIELD_ANN_MASK_VALUE), k, 1, &out->mask_value, err));
    XA_RETURN_TRY(err,
                  xa_archive_read(
                      a, xa_field_path(XA_FIELD_ANN_IGNORE_VALUE), k, 1, &out->ignore_value, err));
    XA_RETURN_TRY(err,
                  xa_read_file_name(a, xa_field_path(XA_FIELD_ANN_MASK), root, k, &out->mask, err));
    return xa_read_file_name(
        a, xa_field_path(XA_FIELD_ANN_IGNORE), root, k, &out->ignore_mask, err);
}

/* NOMEM alone is an error. */
static xa_status
look_at_masks(xa__verifier *v, bool as_they_lie, int64_t sample, int64_t k, xa_err *err)
{
    xa_annotation a = {0};
    xa_err why = XA_ERR_INIT;
    uint64_t want, hash = 0;
    const char *file = NULL;
    char row[256];
    xa_status st =
        xa_archive_read(v->archive, xa_field_path(XA_FIELD_ANN_MASK_HASH), k, 1, &want, &why);
    if (st == XA_OK && !want)
        return XA_OK;
    if (st == XA_OK)
        st = read_annotation(v, k, &a, &why);
    if (st == XA_OK)
        st = xa_mask_hash(&a, as_they_lie, &hash, &file, &why);
    if (st == XA_NOMEM)
        XA_FAIL(err, st, "%s", why.message);
    v->out->masks += st == XA_OK;
    const bool both = a.kind == XA_ANNOTATION_MASK && a.mask && a.ignore_mask;
    if (st != XA_OK || hash != want)
        xa__report(v,
                   XA_FINDING_MASK,
                   "%s: %s%s%s%s: %s",
                   xa__verify_row(v, sample, row, sizeof row),
                   a.mask && a.kind == XA_ANNOTATION_MASK ? a.mask
                   : a.ignore_mask                        ? a.ignore_mask
                                                          : "its mask",
                   both ? " (or " : "",
                   both ? a.ignore_mask : "",
                   both ? ")" : "",
                   st == XA_OK ? "its pixels are not those that were scored with" : why.message);
    st = XA_OK;
done:
    free(a.mask);
    free(a.ignore_mask);
    return st;
}

/* Archives of earlier versions hold no hashes; tables that do not fit were reported already. */
static bool masks_are_known(xa__verifier *v, int64_t *rows)
{
    static const xa_field_kind tables[] = {XA_FIELD_ANN_KIND,
                                           XA_FIELD_ANN_MASK_VALUE,
                                           XA_FIELD_ANN_IGNORE_VALUE,
                                           XA_FIELD_ANN_MASK_HASH,
                                           XA_FIELD_ANN_OFFSET};
    xa_extents x = xa_extents_unknown();
    x.samples = v->samples;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        xa_dataset_info info;
        int64_t want[5];
        (void)xa_field_dims(tables[i], &x, want);
        if (xa_archive_dataset(v->archive, xa_field_path(tables[i]), &info, NULL) != XA_OK ||
            info.type != xa_field_get(tables[i])->type || info.ndim != 1 ||
            (want[0] >= 0 && info.dim[0] != want[0]))
            return false;
        if (x.annotations < 0)
            x.annotations = info.dim[0];
    }
    *rows = x.annotations;
    return true;
}

static xa_status masks_of(xa__verifier *v, bool as_they_lie, int64_t rows, int64_t i, xa_err *err)
{
    int64_t at[2];
    if (xa_archive_read(v->archive, xa_field_path(XA_FIELD_ANN_OFFSET), i, 2, at, NULL) != XA_OK ||
        at[0] < 0 || at[1] > rows)
        return XA_OK; /* reported already */
    for (int64_t k = at[0]; k < at[1]; k++)
        XA_RETURN_TRY(err, look_at_masks(v, as_they_lie, i, k, err));
    return XA_OK;
}

xa_status xa__verify_images(xa__verifier *v, xa_err *err)
{
    int64_t rows = 0;
    const bool masks = masks_are_known(v, &rows);
    xa_decode_options opt;
    xa_err why = XA_ERR_INIT;
    if (xa_read_decoding(v->archive, &opt, &why) != XA_OK) {
        xa__report(v, XA_FINDING_DAMAGE, "%s", why.message);
        return XA_OK;
    }
    for (int64_t i = 0; i < v->samples; i++) {
        bool done = false;
        for (int64_t m = 0; m < v->nmodels; m++)
            done = done || v->models[m].status[i] == XA_SAMPLE_DONE;
        /* what is no hash is reported already */
        if (done && !v->doubted[i])
            XA_RETURN_TRY(err, look_at(v, &opt, i, err));
        if (done && masks)
            XA_RETURN_TRY(err, masks_of(v, opt.ignore_orientation, rows, i, err));
    }
    return XA_OK;
}
