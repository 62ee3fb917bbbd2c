/* Images with their maps: the best, the worst, those on which the explainers disagree most, and
 * those that the model gets wrong. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"
#include "xaudit/figure.h"

enum { SIDE = 144, EACH = 6, MAPS = 6 };

static void add_base64(xa_str *out, const unsigned char *p, size_t n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)(i + 1 < n ? p[i + 1] : 0) << 8 |
                           (uint32_t)(i + 2 < n ? p[i + 2] : 0);
        const char four[4] = {letters[v >> 18],
                              letters[v >> 12 & 63],
                              i + 1 < n ? letters[v >> 6 & 63] : '=',
                              i + 2 < n ? letters[v & 63] : '='};
        xa_str_add(out, four, sizeof four);
    }
}

static xa_status put_picture(FILE *out, const xa_image *im, const char *alt, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str png = {0}, data = {0};
    xa__number width, height;
    XA_TRY(err, xa_image_png(im, &png, err));
    add_base64(&data, (const unsigned char *)png.data, png.len);
    if (data.failed)
        XA_NOMEM_FAIL(err);
    XA__PUT(out,
            xa__report_page_picture,
            "width",
            xa__whole(&width, im->width),
            "height",
            xa__whole(&height, im->height),
            "alt",
            alt,
            "data",
            data.data);
done:
    xa_str_free(&png);
    xa_str_free(&data);
    return st;
}

/* The overlay of one explainer, each map on its own scale. */
static xa_status put_overlay(FILE *out,
                             const xa_figure_rows *f,
                             const xa_figure_column *c,
                             int64_t sample,
                             const xa_image *image,
                             const double frame[2],
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_map m = {0};
    xa_figure_tone tone = {.pixelwise = xa_kind_is_pixelwise(c->map->kind)};
    xa_image both = {0};
    float *t = NULL;
    double strength;
    char alt[160];
    XA_TRY(err, xa_figure_map_read(f, c, sample, &m, err));
    if (!m.values) {
        fputs(xa__report_page_no_map, out);
        goto done;
    }
    for (int64_t i = 0; i < m.height * m.width; i++)
        tone.is_signed = tone.is_signed || m.values[i] < 0.0f;
    tone.over = xa_overlay_defaults(tone.pixelwise);
    tone.over.chroma = tone.is_signed ? 0.0 : tone.over.chroma;
    XA_TRY(err,
           xa_figure_map_show(&m, &tone, frame, image->height, image->width, &t, &strength, err));
    XA_TRY(err, xa_overlay_draw(&tone.over, image, t, tone.is_signed, &both, err));
    snprintf(alt, sizeof alt, "overlay of %.100s", c->map->name);
    XA_TRY(err, put_picture(out, &both, alt, err));
done:
    free(m.values);
    free(t);
    xa_image_fini(&both);
    return st;
}

/* Mean of a metric over the sample's pairs. */
static double score_of(const xa_read *r, const xa_read_map *x, int64_t k, int64_t sample)
{
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t q = 0; q < r->pairs; q++)
        if (r->pair_sample[q] == sample && isfinite(x->localisation[k][q])) {
            sum += x->localisation[k][q];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

/* Which image it is: its id, its labels, and what the model says. */
static void put_image(FILE *out, const xa_read *r, const xa_read_model *m, int64_t i)
{
    char id[256], name[128];
    const int32_t p = m->predicted[i];
    xa_str labels = {0}, predicted = {0};
    xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
    for (int64_t k = r->label_offset[i]; k < r->label_offset[i + 1]; k++)
        xa_str_printf(&labels,
                      "%s%s",
                      k > r->label_offset[i] ? ", " : "",
                      xa_read_class(m, r->label_value[k], name, sizeof name));
    if (p >= 0) {
        const double prob = (double)m->probs[i * m->classes + p];
        xa_str_puts(&predicted, xa_read_class(m, p, name, sizeof name));
        if (isfinite(prob)) /* a head may give no probabilities */
            xa_str_printf(&predicted, " %.2f", prob);
    }
    XA__PUT(out,
            xa__report_page_gallery_row,
            "id",
            id,
            "labels",
            labels.data,
            "predicted",
            predicted.data);
    xa_str_free(&labels);
    xa_str_free(&predicted);
}

/* A column of scores: one metric of one explainer. Head and rows of a table use the same list. */
typedef struct place {
    int column;
    int64_t metric; /* of the column's map */
} place;

typedef struct places {
    place *list;
    size_t n, cap;
} places;

static bool is_named(const xa_figure_rows *f, const places *p, const char *metric)
{
    for (size_t k = 0; k < p->n; k++)
        if (!strcmp(f->column[p->list[k].column].map->metrics[p->list[k].metric], metric))
            return true;
    return false;
}

/* Columns of one metric stand together. */
static xa_status find_places(const xa_figure_rows *f, int columns, places *p, xa_err *err)
{
    for (int first = 0; first < columns; first++)
        for (int64_t m = 0; m < f->column[first].map->nmetrics; m++) {
            const char *metric = f->column[first].map->metrics[m];
            if (is_named(f, p, metric))
                continue;
            for (int c = first; c < columns; c++)
                for (int64_t k = 0; k < f->column[c].map->nmetrics; k++)
                    if (!strcmp(f->column[c].map->metrics[k], metric)) {
                        XA_RETURN_TRY(err,
                                      xa_grow(&p->list, &p->cap, p->n + 1, sizeof *p->list, err));
                        p->list[p->n++] = (place){c, k};
                    }
        }
    return XA_OK;
}

static void put_heads(FILE *out, const xa_figure_rows *f, const places *p)
{
    for (size_t k = 0; k < p->n; k++) {
        const xa_read_map *x = f->column[p->list[k].column].map;
        XA__PUT(out,
                xa__report_page_gallery_score,
                "metric",
                x->metrics[p->list[k].metric],
                "explainer",
                x->name);
    }
}

static void put_scores(FILE *out, const xa_figure_rows *f, const places *p, int64_t i)
{
    for (size_t k = 0; k < p->n; k++) {
        xa__number score;
        const double v = score_of(f->r, f->column[p->list[k].column].map, p->list[k].metric, i);
        XA__PUT(out, xa__report_page_cell, "value", isfinite(v) ? xa__real(&score, 3, v) : "-");
    }
}

/* The image and its overlays; where the image is missing, one cell that says so. */
static xa_status put_pictures(
    FILE *out, const xa_figure_rows *f, int64_t sample, int columns, int64_t *missing, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image image = {0};
    double frame[2];
    char id[256];
    xa_err why = XA_ERR_INIT;
    const xa_status read =
        xa_figure_image_read(f, f->column[0].model, sample, SIDE, &image, frame, &why);
    if (read != XA_OK) {
        xa__number all;
        ++*missing;
        XA__PUT(out,
                xa__report_page_no_picture,
                "columns",
                xa__whole(&all, columns + 1),
                "why",
                read == XA_MISMATCH ? "the image here has other pixels than the audited one"
                                    : "image not found");
        return XA_OK;
    }
    xa_read_text(f->r->id, f->r->id_bytes, sample, id, sizeof id);
    XA_TRY(err, put_picture(out, &image, id, err));
    for (int c = 0; c < columns; c++)
        XA_TRY(err, put_overlay(out, f, &f->column[c], sample, &image, frame, err));
done:
    xa_image_fini(&image);
    return st;
}

static xa_status put_row(FILE *out,
                         const xa_figure_rows *f,
                         int64_t sample,
                         const places *p,
                         int columns,
                         int64_t *missing,
                         xa_err *err)
{
    put_image(out, f->r, f->column[0].model, sample);
    XA_RETURN_TRY(err, put_pictures(out, f, sample, columns, missing, err));
    put_scores(out, f, p, sample);
    fputs(xa__report_page_row_end, out);
    return XA_OK;
}

static xa_status put_group(FILE *out,
                           const xa_report_options *opt,
                           const xa_summary *s,
                           const xa_read_model *m,
                           xa_pick pick,
                           const char *title,
                           int64_t *missing,
                           xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_rows *f = NULL;
    places p = {0};
    const xa_choice choice = {.pick = pick, .most = EACH, .model = m->name, .seed = 1};
    st = xa_figure_rows_open(s->path, &choice, opt->image_root, &f, err);
    if (st == XA_NOT_FOUND) { /* no image fits: no group of it */
        *err = (xa_err)XA_ERR_INIT;
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    const int columns = f->ncolumns < MAPS ? f->ncolumns : MAPS;
    XA_TRY(err, find_places(f, columns, &p, err));
    XA__PUT(out, xa__report_page_gallery, "title", title);
    for (int c = 0; c < columns; c++)
        XA__PUT(out, xa__report_page_gallery_map, "explainer", f->column[c].map->name);
    put_heads(out, f, &p);
    fputs(xa__report_page_head_end, out);
    for (int row = 0; row < f->nrows; row++)
        XA_TRY(err, put_row(out, f, f->sample[row], &p, columns, missing, err));
    fputs(xa__report_page_table_end, out);
done:
    free(p.list);
    xa_figure_rows_close(f);
    return st;
}

xa_status xa__report_gallery(FILE *out,
                             const xa_report_options *opt,
                             const xa_summary *s,
                             const xa_read_model *m,
                             int64_t *missing,
                             xa_err *err)
{
    if (m->nmaps == 0)
        return XA_OK;
    const xa_read_map *x = &m->maps[0];
    if (x->nmetrics > 0) {
        char title[256];
        snprintf(title, sizeof title, "Best by %.80s of %.80s", x->metrics[0], x->name);
        XA_RETURN_TRY(err, put_group(out, opt, s, m, XA_PICK_BEST, title, missing, err));
        snprintf(title, sizeof title, "Worst by %.80s of %.80s", x->metrics[0], x->name);
        XA_RETURN_TRY(err, put_group(out, opt, s, m, XA_PICK_WORST, title, missing, err));
    } else {
        XA_RETURN_TRY(err, put_group(out, opt, s, m, XA_PICK_RANDOM, "Some images", missing, err));
    }
    XA_RETURN_TRY(
        err,
        put_group(
            out, opt, s, m, XA_PICK_DISAGREE, "Where the explainers disagree most", missing, err));
    return put_group(out, opt, s, m, XA_PICK_WRONG, "Wrong predictions", missing, err);
}
