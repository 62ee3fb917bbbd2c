/* An archive opened for reading: its tables, models and explainers in memory. */
#include <stdlib.h>
#include <string.h>

#include "view_internal.h"

static xa_status load_labels(xa_read *r, xa_err *err)
{
    const xa_extents x = xa__extents(r);
    xa_dataset_info info;
    XA_RETURN_TRY(
        err, xa__load(r, XA_FIELD_SAMPLE_LABELS_OFFSET, NULL, &x, &r->label_offset, NULL, err));
    XA_RETURN_TRY(err,
                  xa__load(r, XA_FIELD_SAMPLE_LABELS_VALUE, NULL, &x, &r->label_value, &info, err));
    return xa__check_offsets(xa_field_path(XA_FIELD_SAMPLE_LABELS_OFFSET),
                             r->label_offset,
                             r->samples,
                             info.dim[0],
                             err);
}

static xa_status load_pairs(xa_read *r, xa_err *err)
{
    xa_extents x = xa__extents(r);
    xa_dataset_info info;
    x.pairs = -1; /* this table says how many there are */
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_EVAL_SAMPLE, NULL, &x, &r->pair_sample, &info, err));
    r->pairs = x.pairs = info.dim[0];
    XA_RETURN_TRY(err, xa__check_indices(info.path, r->pair_sample, r->pairs, r->samples, err));
    return xa__load(r, XA_FIELD_EVAL_CLASS, NULL, &x, &r->pair_class, NULL, err);
}

/* What is wrong with annotations; archives before 1.1 do not say. */
static xa_status load_problems(xa_read *r, xa_err *err)
{
    xa_extents x = xa__extents(r);
    xa_dataset_info info;
    XA_RETURN_TRY(err, xa__load_any(r, XA_FIELD_ANN_PROBLEM, NULL, &x, &r->problem, &info, err));
    if (!r->problem)
        return XA_OK;
    x.annotations = info.dim[0];
    XA_RETURN_TRY(err,
                  xa__load(r, XA_FIELD_ANN_OFFSET, NULL, &x, &r->annotation_offset, NULL, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_ANN_CLASS, NULL, &x, &r->annotation_class, NULL, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_ANN_FLAGS, NULL, &x, &r->annotation_flags, NULL, err));
    XA_RETURN_TRY(err,
                  xa__check_offsets(xa_field_path(XA_FIELD_ANN_OFFSET),
                                    r->annotation_offset,
                                    r->samples,
                                    x.annotations,
                                    err));
    return xa__load_any(r, XA_FIELD_ANN_MASK_HASH, NULL, &x, &r->mask_hash, NULL, err);
}

/* Of what was read. */
static xa_status check_sums(xa_read *r, bool outcome, xa_err *err)
{
    XA_RETURN_TRY(err, xa__check_tables(r, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_SAMPLES, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_MODEL, err));
    if (outcome)
        return XA_OK;
    for (int64_t m = 0; m < r->nmodels; m++)
        if (r->models[m].logits || r->models[m].set_logits)
            XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_LOGITS, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_MAPS, err));
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_CHECKS, err));
    return xa_read_check(r, XA_FIELD_SUM_LOCALISATION, err);
}

static xa_status load_models(xa_read *r, bool outcome, xa_err *err)
{
    char **names = NULL;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa__load_names(r, XA_GROUP_MODELS, &names, &n, err));
    if (!n)
        XA_RETURN_FAIL(err, XA_FORMAT, XA_GROUP_MODELS ": expected a model, found none");
    r->models = xa_alloc((size_t)n + 1, sizeof(xa_read_model));
    if (!r->models) {
        xa_free_texts(names, n);
        XA_RETURN_NOMEM(err);
    }
    r->nmodels = n;
    for (int64_t m = 0; m < n; m++)
        r->models[m].name = names[m]; /* the reader's from here on */
    free(names);
    for (int64_t m = 0; m < n; m++)
        XA_RETURN_TRY(err, xa__read_model(r, outcome, &r->models[m], err));
    return XA_OK;
}

static xa_status open_all(const char *path, bool outcome, xa_read **out, xa_err *err)
{
    const xa_extents any = xa_extents_unknown();
    xa_dataset_info info;
    xa_status st = XA_OK;
    xa_read *r = xa_alloc(1, sizeof *r);
    if (!r)
        XA_NOMEM_FAIL(err);
    r->path = xa_strdup(path);
    if (!r->path)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_open_read(path, &r->archive, err));
    XA_TRY(err, xa_sums_open(r->archive, &r->sums, err));
    XA_TRY(err, xa__load(r, XA_FIELD_SAMPLE_ID, NULL, &any, &r->id, &info, err));
    r->samples = info.dim[0];
    r->id_bytes = info.item_bytes;
    XA_TRY(err, load_labels(r, err));
    XA_TRY(err, xa_read_categories(r->archive, &r->categories, err));
    XA_TRY(err, load_pairs(r, err));
    XA_TRY(err, load_problems(r, err));
    XA_TRY(err, load_models(r, outcome, err));
    XA_TRY(err, check_sums(r, outcome, err));
    *out = r;
    r = NULL;
done:
    xa_read_close(r);
    return st;
}

xa_status xa_read_open(const char *path, xa_read **out, xa_err *err)
{
    return open_all(path, false, out, err);
}

xa_status xa_read_open_outcome(const char *path, xa_read **out, xa_err *err)
{
    return open_all(path, true, out, err);
}

void xa_read_close(xa_read *r)
{
    if (!r)
        return;
    for (int64_t m = 0; r->models && m < r->nmodels; m++)
        xa__free_model(&r->models[m]);
    free(r->models);
    free(r->id);
    xa_categories_fini(&r->categories);
    free(r->label_offset);
    free(r->label_value);
    free(r->pair_sample);
    free(r->pair_class);
    free(r->annotation_offset);
    free(r->annotation_class);
    free(r->annotation_flags);
    free(r->problem);
    free(r->mask_hash);
    xa_sums_close(r->sums);
    free(r->path);
    if (r->archive && xa_archive_close(r->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    free(r);
}

xa_decode_options xa_read_decode(const xa_read *r)
{
    xa_decode_options opt;
    return xa_read_decoding(r->archive, &opt, NULL) == XA_OK ? opt : xa_decode_defaults();
}
