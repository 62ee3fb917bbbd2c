/* Which samples a figure shows, and their images and maps. */
#include "xaudit/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/manifest.h"

int xa_pick_parse(const char *name)
{
    static const char *const names[] = {
#define X(pick, text) text,
        XA_PICK_LIST(X)
#undef X
    };
    return xa_word_index(name, names, (int)(sizeof names / sizeof *names));
}

/* ---- columns ---- */

static bool asked(const xa_choice *c, const xa_read_model *m, const xa_read_map *x)
{
    const size_t n = strlen(m->name);
    if (c->model && strcmp(c->model, m->name) != 0)
        return false;
    for (int i = 0; i < c->nexplainers; i++) {
        const char *e = c->explainer[i];
        if (!strcmp(e, x->name) ||
            (!strncmp(e, m->name, n) && e[n] == '/' && !strcmp(e + n + 1, x->name)))
            return true;
    }
    return c->nexplainers == 0;
}

static xa_status find_columns(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str known = {0};
    int most = 0;
    for (int64_t m = 0; m < f->r->nmodels; m++)
        most += (int)f->r->models[m].nmaps;
    f->column = xa_alloc((size_t)most + 1, sizeof *f->column);
    if (!f->column)
        XA_NOMEM_FAIL(err);
    for (int64_t m = 0; m < f->r->nmodels; m++)
        for (int64_t e = 0; e < f->r->models[m].nmaps; e++) {
            const xa_read_model *model = &f->r->models[m];
            xa_str_printf(
                &known, "%s%s/%s", known.len ? ", " : "", model->name, model->maps[e].name);
            if (asked(c, model, &model->maps[e]))
                f->column[f->ncolumns++] = (xa_figure_column){model, &model->maps[e]};
        }
    if (f->ncolumns == 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: no such model or explainer; it has %s",
                f->path,
                known.data ? known.data : "none");
done:
    xa_str_free(&known);
    return st;
}

/* ---- samples ---- */

static int64_t sample_of_id(const xa_figure_rows *f, const char *id)
{
    const size_t n = strlen(id);
    for (int64_t i = 0; i < f->r->samples; i++) {
        const char *row = f->r->id + (size_t)i * f->r->id_bytes;
        if (strnlen(row, f->r->id_bytes) == n && !memcmp(row, id, n))
            return i;
    }
    return -1;
}

static bool has_class(const xa_figure_rows *f, int64_t sample, const char *name)
{
    char text[256];
    for (int64_t k = f->r->label_offset[sample]; k < f->r->label_offset[sample + 1]; k++)
        if (!strcmp(xa_read_class(&f->r->models[0], f->r->label_value[k], text, sizeof text), name))
            return true;
    return false;
}

typedef struct scored {
    double score;
    int64_t sample;
} scored;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* score: [samples] of the first column's explainer, the mean over the classes annotated in a
 * sample; NaN without any. */
static xa_status
score_samples(const xa_figure_rows *f, const xa_choice *c, double *score, xa_err *err)
{
    const xa_read_map *x = f->column[0].map;
    xa_status st = XA_OK;
    xa_str known = {0};
    int64_t at = -1;
    for (int64_t k = 0; k < x->nmetrics; k++) {
        xa_str_printf(&known, "%s%s", k ? ", " : "", x->metrics[k]);
        if (at < 0 && (!c->metric || !strcmp(c->metric, x->metrics[k])))
            at = k;
    }
    if (at < 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: %s has no metric \"%s\"; it has %s",
                f->path,
                x->name,
                c->metric ? c->metric : "",
                known.data ? known.data : "none");
    for (int64_t i = 0; i < f->r->samples; i++)
        score[i] = NAN;
    for (int64_t q = 0, n = 0; q < f->r->pairs; q++) {
        const int64_t i = f->r->pair_sample[q];
        const double v = x->localisation[at][q];
        n = q > 0 && f->r->pair_sample[q - 1] == i ? n : 0;
        if (!isfinite(v))
            continue;
        score[i] = n == 0 ? v : (score[i] * (double)n + v) / (double)(n + 1);
        n++;
    }
done:
    xa_str_free(&known);
    return st;
}

/* score: [samples] minus the mean rank correlation of the explainers of the first column's model.
 */
static xa_status score_disagreement(const xa_figure_rows *f, double *score, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_read_model *m = f->column[0].model;
    double *value = NULL;
    int64_t found = 0, *count = xa_alloc((size_t)f->r->samples + 1, sizeof *count);
    if (!count)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < f->r->samples; i++)
        score[i] = 0.0;
    for (int64_t pair = 0; pair < m->nmaps * m->nmaps; pair++) {
        const xa_read_map *a = &m->maps[pair / m->nmaps], *b = &m->maps[pair % m->nmaps];
        free(value);
        XA_TRY(err, xa_read_agreement(f->r, m, a, b, XA_AGREEMENT_SPEARMAN, &value, err));
        found += value != NULL;
        for (int64_t i = 0; value && i < f->r->samples; i++)
            if (isfinite(value[i])) {
                score[i] -= value[i];
                count[i]++;
            }
    }
    if (!found)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: --pick disagree: model %s has no two explainers that were compared",
                f->path,
                m->name);
    for (int64_t i = 0; i < f->r->samples; i++)
        score[i] = count[i] ? score[i] / (double)count[i] : NAN;
done:
    free(value);
    free(count);
    return st;
}

static bool candidate(const xa_figure_rows *f, const xa_choice *c, int64_t i)
{
    const xa_read_model *m = f->column[0].model;
    if (m->status[i] != XA_SAMPLE_DONE || (c->class_name && !has_class(f, i, c->class_name)))
        return false;
    if (c->pick != XA_PICK_WRONG)
        return true;
    return f->r->label_offset[i] < f->r->label_offset[i + 1] &&
           !xa_read_has_label(f->r, i, m->predicted[i]);
}

static xa_status choose_by_rule(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    xa_status st = XA_OK;
    const bool apart = c->pick == XA_PICK_DISAGREE;
    const bool ranked =
        c->pick == XA_PICK_BEST || c->pick == XA_PICK_WORST || c->pick == XA_PICK_MEDIAN || apart;
    scored *s = xa_alloc((size_t)f->r->samples + 1, sizeof *s);
    double *score = xa_alloc((size_t)f->r->samples + 1, sizeof *score);
    int64_t n = 0;
    if (!s || !score)
        XA_NOMEM_FAIL(err);
    if (apart)
        XA_TRY(err, score_disagreement(f, score, err));
    else if (ranked)
        XA_TRY(err, score_samples(f, c, score, err));
    for (int64_t i = 0; i < f->r->samples; i++) {
        if (!candidate(f, c, i) || (ranked && !isfinite(score[i])))
            continue;
        s[n].sample = i;
        s[n].score = ranked                      ? score[i]
                     : c->pick == XA_PICK_RANDOM ? xa_random_unit((uint64_t)c->seed, 5, (uint64_t)i)
                                                 : (double)i;
        n++;
    }
    if (n == 0)
        XA_FAIL(err, XA_NOT_FOUND, "%s: no sample fits that choice", f->path);
    qsort(s, (size_t)n, sizeof *s, by_score);
    const int64_t rows = n < c->most ? n : c->most;
    for (int64_t k = 0; k < rows; k++) {
        const int64_t at = c->pick == XA_PICK_BEST || apart ? n - 1 - k
                           : c->pick == XA_PICK_MEDIAN      ? (n - rows) / 2 + k
                                                            : k;
        f->sample[f->nrows++] = s[at].sample;
    }
done:
    free(s);
    free(score);
    return st;
}

static xa_status choose(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    f->sample = xa_alloc((size_t)c->most + 2 * XA_FIGURE_LIST, sizeof *f->sample);
    if (!f->sample)
        XA_RETURN_NOMEM(err);
    for (int k = 0; k < c->nids; k++) {
        const int64_t i = sample_of_id(f, c->id[k]);
        if (i < 0)
            XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: no sample has the id \"%s\"", f->path, c->id[k]);
        f->sample[f->nrows++] = i;
    }
    for (int k = 0; k < c->nindices; k++) {
        if (c->index[k] < 0 || c->index[k] >= f->r->samples)
            XA_RETURN_FAIL(err,
                           XA_NOT_FOUND,
                           "%s: --index %" PRId64 ": it has samples 0 to %" PRId64,
                           f->path,
                           c->index[k],
                           f->r->samples - 1);
        f->sample[f->nrows++] = c->index[k];
    }
    return f->nrows ? XA_OK : choose_by_rule(f, c, err);
}

/* ---- open ---- */

static xa_status add_digest(const xa_read *r, xa_sha256 *h, const char *path, xa_err *err)
{
    char hex[XA_SHA256_HEX];
    XA_RETURN_TRY(err, xa_archive_digest(r->archive, path, hex, err));
    xa_sha256_add(h, hex, strlen(hex));
    return XA_OK;
}

xa_status xa_figure_digest(const xa_read *r, char hex[XA_SHA256_HEX], xa_err *err)
{
    xa_status st = XA_OK;
    xa_sha256 *h = NULL;
    XA_TRY(err, xa_sha256_create(&h, err));
    for (int64_t k = 0; k < r->nmodels; k++) {
        const xa_read_model *m = &r->models[k];
        const xa_path probs = xa_field_name(XA_FIELD_MODEL_PROBS, m->name, NULL, NULL);
        XA_TRY(err, add_digest(r, h, probs.text, err));
        for (int64_t e = 0; e < m->nmaps; e++) {
            const xa_path sums =
                xa_field_name(XA_FIELD_MAP_CHECKSUM, m->name, m->maps[e].name, NULL);
            XA_TRY(err, add_digest(r, h, sums.text, err));
        }
    }
    xa_sha256_hex(h, hex);
done:
    xa_sha256_free(h);
    return st;
}

xa_status xa_figure_rows_open(const char *path,
                              const xa_choice *choice,
                              const char *image_root,
                              xa_figure_rows **out,
                              xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_rows *f = xa_alloc(1, sizeof *f);
    if (!f)
        XA_NOMEM_FAIL(err);
    f->path = xa_strdup(path);
    XA_TRY(err, xa_read_open(path, &f->r, err));
    if (image_root)
        f->image_root = xa_strdup(image_root);
    else
        XA_TRY(err, xa_archive_attr_text(f->r->archive, "/", "image_root", &f->image_root, err));
    XA_TRY(err, find_columns(f, choice, err));
    XA_TRY(err, choose(f, choice, err));
    XA_TRY(err, xa_figure_digest(f->r, f->digest, err));
    *out = f;
    f = NULL;
done:
    xa_figure_rows_close(f);
    return st;
}

void xa_figure_rows_close(xa_figure_rows *f)
{
    if (!f)
        return;
    xa_read_close(f->r);
    free(f->path);
    free(f->image_root);
    free(f->sample);
    free(f->column);
    free(f);
}

/* ---- maps ---- */

/* Reduces [channels, n] to the largest absolute value at each of n places, in place. */
static void reduce(float *v, int64_t channels, int64_t n)
{
    for (int64_t c = 1; c < channels; c++)
        for (int64_t i = 0; i < n; i++)
            if (fabsf(v[c * n + i]) > fabsf(v[i]))
                v[i] = v[c * n + i];
    for (int64_t i = 0; channels > 1 && i < n; i++)
        v[i] = fabsf(v[i]);
}

xa_status xa_figure_map_read(const xa_figure_rows *f,
                             const xa_figure_column *c,
                             int64_t sample,
                             xa_figure_map *out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_read_values v = {0};
    const int64_t row = xa_read_first_row(c->map, sample);
    *out = (xa_figure_map){.target = -1};
    if (row >= c->map->rows || c->map->sample[row] != sample ||
        c->model->status[sample] != XA_SAMPLE_DONE || (c->map->flags[row] & XA_MAP_NONFINITE))
        goto done;
    XA_TRY(err, xa_read_values_open(f->r, c->model, c->map, &v, err));
    out->height = v.height;
    out->width = v.width;
    out->values = xa_alloc((size_t)v.count, sizeof(float));
    if (!out->values)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_read_values_row(&v, row, out->values, err));
    reduce(out->values, v.channels, out->height * out->width);
    XA_TRY(err, xa_read_affine(f->r, c->model, sample, 1, out->affine, err));
    out->input_height = (double)v.input_height;
    out->input_width = (double)v.input_width;
    out->target = c->map->target[row];
done:
    if (st != XA_OK) {
        free(out->values);
        out->values = NULL;
    }
    xa_read_values_close(&v);
    return st;
}

void xa_figure_map_grow(const xa_figure_map *m,
                        const double frame[2],
                        const xa_image *picture,
                        float *out)
{
    xa_map_at_picture(m->values,
                      m->height,
                      m->width,
                      m->input_height,
                      m->input_width,
                      m->affine,
                      frame[1],
                      frame[0],
                      out,
                      picture->height,
                      picture->width);
}

/* ---- images ---- */

/* How images of other depths than 8 bit were converted for the model; NONE if the archive does not
 * say. */
static xa_status
depth_of(const xa_figure_rows *f, const xa_read_model *m, xa_depth *out, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_path path = xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL);
    char *name = NULL;
    double limits[2] = {0};
    int64_t n = 0;
    *out = (xa_depth){.kind = XA_DEPTH_NONE};
    XA_TRY(err, xa_archive_attr_text(f->r->archive, path.text, "depth", &name, err));
    const int kind = name ? xa_depth_parse(name) : -1;
    if (kind > 0) {
        XA_TRY(err,
               xa_archive_attr_f64(f->r->archive, path.text, "depth_limits", limits, 2, &n, err));
        *out = (xa_depth){.kind = (xa_depth_kind)kind, .low = limits[0], .high = limits[1]};
    }
done:
    free(name);
    return st;
}

/* The thumbnail that the archive keeps of the image. NOT_FOUND: it keeps none. */
static xa_status
stored_picture(const xa_figure_rows *f, int64_t sample, xa_image *out, double frame[2], xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    int32_t size[2], w, h;
    uint8_t *all = NULL;
    XA_RETURN_TRY(
        err,
        xa_archive_dataset(f->r->archive, xa_field_path(XA_FIELD_SAMPLE_THUMBNAIL), &info, err));
    if (info.type != XA_TYPE_U8 || info.ndim != 4 || info.dim[0] != f->r->samples ||
        info.dim[1] < 1 || info.dim[1] > 4096 || info.dim[2] != info.dim[1] || info.dim[3] != 3)
        XA_FAIL(err, XA_FORMAT, "%s: /samples/thumbnail: expected square pictures", f->path);
    XA_TRY(err,
           xa_archive_read(
               f->r->archive, xa_field_path(XA_FIELD_SAMPLE_THUMBNAIL_SIZE), sample, 1, size, err));
    XA_TRY(
        err,
        xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_SAMPLE_WIDTH), sample, 1, &w, err));
    XA_TRY(
        err,
        xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_SAMPLE_HEIGHT), sample, 1, &h, err));
    if (size[0] < 1 || size[1] < 1 || size[0] > info.dim[1] || size[1] > info.dim[1])
        XA_FAIL(err, XA_NOT_FOUND, "%s: no thumbnail of sample %" PRId64, f->path, sample);
    all = xa_alloc((size_t)(info.dim[1] * info.dim[1]), 3);
    if (!all)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_archive_read(
               f->r->archive, xa_field_path(XA_FIELD_SAMPLE_THUMBNAIL), sample, 1, all, err));
    XA_TRY(err, xa_image_init(out, size[1], size[0], 3, XA_PIXEL_U8, err));
    for (int64_t y = 0; y < size[0]; y++)
        memcpy(
            (uint8_t *)out->data + y * size[1] * 3, all + y * info.dim[1] * 3, (size_t)size[1] * 3);
    frame[0] = (double)w;
    frame[1] = (double)h;
done:
    free(all);
    return st;
}

xa_status xa_figure_image_read(const xa_figure_rows *f,
                               const xa_read_model *m,
                               int64_t sample,
                               int64_t most,
                               xa_image *out,
                               double frame[2],
                               xa_err *err)
{
    xa_status st = XA_OK;
    const xa_decode_options opt = xa_read_decode(f->r);
    xa_image im = {0};
    char *file = NULL;
    bool same = false;
    XA_TRY(err, xa_read_image_file(f->r->archive, f->image_root, sample, &file, err));
    XA_TRY(err, xa_image_read(file, &opt, &im, err));
    XA_TRY(err, xa_read_same_pixels(f->r->archive, sample, &im, &same, err));
    if (!same)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s: its pixels are not those that were audited; --image-root names the folder "
                "where they are",
                file);
    frame[0] = (double)im.width;
    frame[1] = (double)im.height;
    xa_depth depth;
    XA_TRY(err, depth_of(f, m, &depth, err));
    XA_TRY(err, xa_image_to_picture(&im, &depth, most, out, err));
done:
    xa_image_fini(&im);
    if (st == XA_NOT_FOUND ||
        st == XA_IO) { /* the image is not here: take what the archive keeps of it */
        xa_err none = XA_ERR_INIT;
        if (stored_picture(f, sample, out, frame, &none) == XA_OK)
            st = XA_OK;
    }
    free(file);
    return st;
}
