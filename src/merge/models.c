/* Archives of one manifest with other models, or with other explainers of the same models. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "merge_internal.h"
#include "xaudit/record.h"

/* Checks that a dataset has the same bytes in both. */
static xa_status same(const xa__merge_part *a,
                      const xa__merge_part *b,
                      const char *path,
                      const char *what,
                      xa_err *err)
{
    char x[XA_SHA256_HEX], y[XA_SHA256_HEX];
    XA_RETURN_TRY(err, xa_archive_digest(a->r->archive, path, x, err));
    XA_RETURN_TRY(err, xa_archive_digest(b->r->archive, path, y, err));
    if (strcmp(x, y) != 0)
        XA_RETURN_FAIL(
            err, XA_MISMATCH, "%s and %s: %s (%s differs)", a->path, b->path, what, path);
    return XA_OK;
}

/* Checks the masks that both have read. */
static xa_status same_masks(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    const uint64_t *p = a->r->mask_hash, *q = b->r->mask_hash;
    const int64_t *offset = a->r->annotation_offset;
    for (int64_t i = 0; p && q && i < a->r->samples; i++)
        for (int64_t k = offset[i]; k < offset[i + 1]; k++)
            if (p[k] && q[k] && p[k] != q[k]) {
                char id[128];
                xa_read_text(a->r->id, a->r->id_bytes, i, id, sizeof id);
                XA_RETURN_FAIL(
                    err,
                    XA_MISMATCH,
                    "%s and %s: image %s was scored with different masks (its annotation %" PRId64
                    ")",
                    a->path,
                    b->path,
                    id,
                    k - offset[i] + 1);
            }
    return XA_OK;
}

/* Checks the pixels of images that both have read. */
static xa_status same_pixels(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info x, y;
    uint64_t *p = NULL, *q = NULL;
    XA_TRY(err,
           xa_archive_read_all(
               a->r->archive, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), &x, (void **)&p, err));
    XA_TRY(err,
           xa_archive_read_all(
               b->r->archive, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), &y, (void **)&q, err));
    if (x.type != XA_TYPE_U64 || y.type != XA_TYPE_U64 || x.ndim != 1 || y.ndim != 1 ||
        x.dim[0] != y.dim[0])
        XA_FAIL(err, XA_FORMAT, "%s: /samples/pixel_hash: expected one per sample", b->path);
    for (int64_t i = 0; i < x.dim[0]; i++)
        if (p[i] && q[i] && p[i] != q[i]) {
            char id[128];
            xa_read_text(a->r->id, a->r->id_bytes, i, id, sizeof id);
            XA_FAIL(
                err, XA_MISMATCH, "%s and %s: image %s had different pixels", a->path, b->path, id);
        }
done:
    free(p);
    free(q);
    return st;
}

static xa_status same_samples(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    const char *const paths[] = {xa_field_path(XA_FIELD_SAMPLE_ID),
                                 xa_field_path(XA_FIELD_SAMPLE_EXCLUDE),
                                 xa_field_path(XA_FIELD_SAMPLE_LABELS_OFFSET),
                                 xa_field_path(XA_FIELD_SAMPLE_LABELS_VALUE),
                                 xa_field_path(XA_FIELD_ANN_OFFSET),
                                 xa_field_path(XA_FIELD_ANN_CLASS),
                                 xa_field_path(XA_FIELD_ANN_BOX),
                                 xa_field_path(XA_FIELD_EVAL_SAMPLE),
                                 xa_field_path(XA_FIELD_EVAL_CLASS)};
    if (a->r->samples != b->r->samples)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s has %" PRId64 " samples and %s %" PRId64,
                       a->path,
                       a->r->samples,
                       b->path,
                       b->r->samples);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        XA_RETURN_TRY(err, same(a, b, paths[i], "they are of different manifests", err));
    XA_RETURN_TRY(err, same_masks(a, b, err));
    return same_pixels(a, b, err);
}

/* Checks that a model which both have gave the same outputs, and has other explainers. */
static xa_status fits(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    for (int64_t m = 0; m < a->r->nmodels; m++)
        for (int64_t k = 0; k < b->r->nmodels; k++) {
            const xa_read_model *x = &a->r->models[m], *y = &b->r->models[k];
            if (strcmp(x->name, y->name) != 0)
                continue;
            char *path = xa_strdup(xa_field_name(XA_FIELD_MODEL_LOGITS, x->name, NULL, NULL).text);
            if (!path)
                XA_RETURN_NOMEM(err);
            const xa_status st =
                same(a, b, path, "they hold different models of one name: rename one", err);
            free(path);
            XA_RETURN_TRY(err, st);
            for (int64_t e = 0; e < x->nmaps; e++)
                for (int64_t f = 0; f < y->nmaps; f++)
                    if (!strcmp(x->maps[e].name, y->maps[f].name))
                        XA_RETURN_FAIL(err,
                                       XA_MISMATCH,
                                       "%s and %s both hold maps of %s/%s",
                                       a->path,
                                       b->path,
                                       x->name,
                                       x->maps[e].name);
        }
    return XA_OK;
}

/* Joins the problems of annotations: a part without metrics has not read the masks. */
static xa_status
join_problems(const xa__merge_part *parts, int n, xa_schema *schema, uint8_t **out, xa_err *err)
{
    xa_status st = XA_OK;
    char *frame = NULL, *first = NULL;
    uint8_t *all = NULL;
    int64_t count = 0;
    int field;
    for (int i = 0; i < n; i++) {
        const xa_read *r = parts[i].r;
        if (!r->problem)
            continue;
        XA_TRY(err, xa_archive_attr_text(r->archive, XA_GROUP_ANNOTATIONS, "frame", &frame, err));
        count = r->annotation_offset[r->samples];
        if (!all && !(all = xa_alloc((size_t)count + 1, 1)))
            XA_NOMEM_FAIL(err);
        if (first && frame && strcmp(first, frame) != 0)
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s has `frame: %s` and the archives before it `frame: %s`",
                    parts[i].path,
                    frame,
                    first);
        for (int64_t k = 0; k < count; k++)
            if (!all[k] || (xa_annotation_used(all[k]) && r->problem[k]))
                all[k] = r->problem[k];
        free(first);
        first = frame;
        frame = NULL;
    }
    if (all)
        XA_TRY(err,
               xa_contents_problems(
                   schema, count, all, first && !strcmp(first, "rescale"), &field, err));
    *out = all;
    all = NULL;
done:
    free(all);
    free(first);
    free(frame);
    return st;
}

/* Takes the hash of each mask from the first part that has read it. */
static xa_status
join_mask_hashes(const xa__merge_part *parts, int n, xa_schema *schema, uint64_t **out, xa_err *err)
{
    int field;
    int64_t count = 0;
    for (int i = 0; i < n; i++) {
        const xa_read *r = parts[i].r;
        if (!r->mask_hash)
            continue;
        count = r->annotation_offset[r->samples];
        if (!*out && !(*out = xa_alloc((size_t)count + 1, sizeof **out)))
            XA_RETURN_NOMEM(err);
        for (int64_t k = 0; k < count; k++)
            if (!(*out)[k])
                (*out)[k] = r->mask_hash[k];
    }
    return *out ? xa_contents_mask_hashes(schema, count, *out, &field, err) : XA_OK;
}

xa_status xa__merge_models(const xa__merge_part *parts, int n, const char *part, xa_err *err)
{
    const char *const leave[] = {XA_GROUP_RUN,
                                 XA_GROUP_SAMPLES,
                                 XA_GROUP_EVAL,
                                 xa_field_path(XA_FIELD_JOB_TEXT),
                                 xa_field_path(XA_FIELD_IDENTITY_TEXT),
                                 xa_field_path(XA_FIELD_SUM_SAMPLES),
                                 xa_field_path(XA_FIELD_SUM_THUMBNAILS)};
    xa_status st = XA_OK;
    char hash[XA_SHA256_HEX];
    xa_schema *schema = NULL;
    xa_str identity = {0}, names = {0};
    uint8_t *problem = NULL;
    uint64_t *mask_hash = NULL;
    xa_graft *grafts = xa_alloc((size_t)n, sizeof *grafts);
    if (!grafts)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++) {
        const char *slash = strrchr(parts[i].path, '/');
        for (int k = 0; k < i; k++) {
            if (k == 0)
                XA_TRY(err, same_samples(&parts[0], &parts[i], err));
            XA_TRY(err, xa__merge_same_conventions(&parts[k], &parts[i], err));
            XA_TRY(err, fits(&parts[k], &parts[i], err));
        }
        grafts[i] = (xa_graft){.source = parts[i].path};
        if (i > 0) {
            grafts[i].leave = leave;
            grafts[i].nleave = sizeof leave / sizeof *leave;
        }
        xa_str_printf(&names, "%s%s", i ? ", " : "", slash ? slash + 1 : parts[i].path);
    }
    XA_TRY(err, xa__merge_identity(parts, n, &identity, err));
    XA_TRY(err, xa_sha256_bytes(identity.data, identity.len, hash, err));
    XA_TRY(err, xa_schema_create(&schema, err));
    XA_TRY(err, xa_schema_attr_text(schema, "/", "identity", hash, err));
    XA_TRY(err, xa_schema_attr_text(schema, "/", "merged_from", names.data, err));
    XA_TRY(err, xa_schema_text(schema, XA_FIELD_IDENTITY_TEXT, identity.data, err));
    XA_TRY(err, join_problems(parts, n, schema, &problem, err));
    XA_TRY(err, join_mask_hashes(parts, n, schema, &mask_hash, err));
    XA_TRY(err, xa_archive_create_from(part, schema, grafts, n, err));
done:
    xa_str_free(&identity);
    xa_str_free(&names);
    xa_schema_free(schema);
    free(problem);
    free(mask_hash);
    free(grafts);
    return st;
}
