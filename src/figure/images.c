/* The maps and images of a figure's rows. */
#include "xaudit/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
