/* Marks over pictures: boxes, outlines of masks, the grid of patches. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/figure.h"
#include "xaudit/manifest.h"
#include "xaudit/view.h"

xa_status
xa_figure_boxes(const xa_figure_rows *f, int64_t sample, double (**out)[4], int *n, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t range[2];
    double(*box)[4] = NULL;
    xa_frames frames = {0};
    *n = 0;
    XA_TRY(
        err,
        xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_OFFSET), sample, 2, range, err));
    if (range[0] < 0 || range[1] < range[0] || range[1] - range[0] > 1 << 20)
        XA_FAIL(err, XA_FORMAT, "%s: /samples/annotations/offset does not ascend", f->path);
    box = xa_alloc((size_t)(range[1] - range[0]) + 1, sizeof *box);
    if (!box)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_frames_read(f->r, sample, 1, &frames, err));
    for (int64_t k = range[0]; k < range[1]; k++) {
        uint8_t kind;
        double stored[4];
        XA_TRY(err,
               xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_KIND), k, 1, &kind, err));
        XA_TRY(err,
               xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_BOX), k, 1, stored, err));
        *n += kind == XA_ANNOTATION_BOX && xa_frames_box(&frames, 0, stored, box[*n]);
    }
    *out = box;
    box = NULL;
done:
    xa_frames_fini(&frames);
    free(box);
    return st;
}

/* ---- outlines ---- */

static xa_status
add_edge(xa_figure_edges *e, double x0, double y0, double x1, double y1, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&e->edge, &e->cap, (size_t)e->n + 1, sizeof *e->edge, err));
    double *d = e->edge[e->n++];
    d[0] = x0;
    d[1] = y0;
    d[2] = x1;
    d[3] = y1;
    return XA_OK;
}

static bool takes(const xa_image *im, int32_t value, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= im->width || y >= im->height)
        return false;
    const int64_t i = y * im->width + x;
    return xa_mask_takes(value, xa_image_label(im, i));
}

/* Straight runs of the border between pixels that are taken and pixels that are not. */
static xa_status trace(const xa_image *im, int32_t value, xa_figure_edges *e, xa_err *err)
{
    for (int upright = 0; upright < 2; upright++) {
        const int64_t lines = upright ? im->width : im->height;
        const int64_t length = upright ? im->height : im->width;
        for (int64_t l = 0; l <= lines; l++) {
            int64_t from = -1;
            for (int64_t k = 0; k <= length; k++) {
                const bool edge =
                    k < length && (upright ? takes(im, value, l - 1, k) != takes(im, value, l, k)
                                           : takes(im, value, k, l - 1) != takes(im, value, k, l));
                if (edge && from < 0)
                    from = k;
                if (edge || from < 0)
                    continue;
                if (upright)
                    XA_RETURN_TRY(err,
                                  add_edge(e, (double)l, (double)from, (double)l, (double)k, err));
                else
                    XA_RETURN_TRY(err,
                                  add_edge(e, (double)from, (double)l, (double)k, (double)l, err));
                from = -1;
            }
        }
    }
    return XA_OK;
}

/* Row k of the annotations: *is_mask, and its labels, of which `value` is taken. */
static xa_status read_mask(const xa_figure_rows *f,
                           int64_t k,
                           size_t bytes,
                           bool *is_mask,
                           xa_image *im,
                           int32_t *value,
                           xa_err *err)
{
    xa_status st = XA_OK;
    uint8_t kind;
    xa_decode_options opt = xa_read_decode(f->r);
    char *row = xa_alloc(bytes + 1, 1), *file = NULL;
    *im = (xa_image){0};
    *is_mask = false;
    if (!row)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_KIND), k, 1, &kind, err));
    if (kind != XA_ANNOTATION_MASK)
        goto done;
    XA_TRY(err, xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_MASK), k, 1, row, err));
    XA_TRY(
        err,
        xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_MASK_VALUE), k, 1, value, err));
    file = *row == '/' || !f->image_root || !*f->image_root
               ? xa_strdup(row)
               : xa_strfmt("%s/%s", f->image_root, row);
    if (!file)
        XA_NOMEM_FAIL(err);
    opt.lossy_labels = *value >= XA_MASK_VALUES;
    XA_TRY(err, xa_image_read_labels(file, &opt, im, err));
    *is_mask = true;
done:
    free(row);
    free(file);
    return st;
}

/* The masks of a sample, one after the other. */
typedef xa_status (*use_mask)(const xa_image *im, int32_t value, void *arg, xa_err *err);
static xa_status
each_mask(const xa_figure_rows *f, int64_t sample, use_mask use, void *arg, xa_err *err)
{
    int64_t range[2];
    xa_dataset_info info;
    XA_RETURN_TRY(
        err,
        xa_archive_read(f->r->archive, xa_field_path(XA_FIELD_ANN_OFFSET), sample, 2, range, err));
    XA_RETURN_TRY(err,
                  xa_archive_dataset(f->r->archive, xa_field_path(XA_FIELD_ANN_MASK), &info, err));
    for (int64_t k = range[0]; info.type == XA_TYPE_STR && k < range[1]; k++) {
        xa_image im;
        int32_t value;
        bool is_mask;
        XA_RETURN_TRY(err, read_mask(f, k, info.item_bytes, &is_mask, &im, &value, err));
        const xa_status st = is_mask ? use(&im, value, arg, err) : XA_OK;
        xa_image_fini(&im);
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}

static xa_status trace_one(const xa_image *im, int32_t value, void *arg, xa_err *err)
{
    return trace(im, value, arg, err);
}

xa_status
xa_figure_outlines(const xa_figure_rows *f, int64_t sample, xa_figure_edges *out, xa_err *err)
{
    return each_mask(f, sample, trace_one, out, err);
}

typedef struct grid {
    float *value;
    int64_t height, width;
    bool any;
} grid;

static xa_status mark_one(const xa_image *im, int32_t value, void *arg, xa_err *err)
{
    grid *g = arg;
    (void)err;
    g->any = true;
    for (int64_t y = 0; y < g->height; y++)
        for (int64_t x = 0; x < g->width; x++)
            if (takes(im,
                      value,
                      (2 * x + 1) * im->width / (2 * g->width),
                      (2 * y + 1) * im->height / (2 * g->height)))
                g->value[y * g->width + x] = 1.0f;
    return XA_OK;
}

xa_status xa_figure_masked(const xa_figure_rows *f,
                           int64_t sample,
                           int64_t height,
                           int64_t width,
                           float *out,
                           bool *any,
                           xa_err *err)
{
    grid g = {out, height, width, false};
    memset(out, 0, (size_t)(height * width) * sizeof *out);
    XA_RETURN_TRY(err, each_mask(f, sample, mark_one, &g, err));
    *any = g.any;
    return XA_OK;
}

xa_status xa_figure_grid(const xa_figure_rows *f,
                         const xa_read_model *m,
                         int64_t sample,
                         xa_figure_edges *out,
                         xa_err *err)
{
    xa_status st = XA_OK;
    int64_t h = 0, w = 0;
    double size[2] = {0};
    int64_t nsize = 0;
    double t[6];
    char *path = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL).text);
    if (!path)
        XA_NOMEM_FAIL(err);
    for (int64_t e = 0; e < m->nmaps;
         e++) { /* the coarsest map: a transformer's has a cell a patch */
        xa_read_values v;
        XA_TRY(err, xa_read_values_open(f->r, m, &m->maps[e], &v, err));
        if (h == 0 || v.height * v.width < h * w) {
            h = v.height;
            w = v.width;
        }
        xa_read_values_close(&v);
    }
    XA_TRY(err, xa_archive_attr_f64(f->r->archive, path, "input_size", size, 2, &nsize, err));
    XA_TRY(err, xa_read_affine(f->r, m, sample, 1, t, err));
    const double x0 = t[2], x1 = t[0] * size[1] + t[2];
    const double y0 = t[5], y1 = t[4] * size[0] + t[5];
    for (int64_t i = 0; i <= w; i++) {
        const double x = x0 + (x1 - x0) * (double)i / (double)w;
        XA_TRY(err, add_edge(out, x, y0, x, y1, err));
    }
    for (int64_t i = 0; i <= h; i++) {
        const double y = y0 + (y1 - y0) * (double)i / (double)h;
        XA_TRY(err, add_edge(out, x0, y, x1, y, err));
    }
done:
    free(path);
    return st;
}
