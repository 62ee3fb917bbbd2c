/* Layers that move values: padding, cropping, reshaping. */
#include <inttypes.h>
#include <string.h>

#include "layers.h"

/* ((top, bottom), (left, right)), (rows, columns) or one number. */
static xa_status
read_edges(const xa__ksite *s, const char *key, int64_t missing, xa_op_params *p, xa_err *err)
{
    const json_t *v = json_object_get(s->layer->config, key);
    int64_t side[2][2];
    if (json_is_array(v) && json_is_array(json_array_get(v, 0))) {
        for (size_t i = 0; i < 2; i++) {
            json_t *wrap = json_pack("{s:O}", key, json_array_get(v, i));
            if (!wrap)
                XA_RETURN_FAIL(err, XA_FORMAT, "\"%s\" has no two pairs", key);
            xa_status st = xa__kget_pair(wrap, key, missing, 0, side[i], err);
            json_decref(wrap);
            XA_RETURN_TRY(err, st);
        }
    } else {
        int64_t both[2];
        XA_RETURN_TRY(err, xa__kget_pair(s->layer->config, key, missing, 0, both, err));
        for (int i = 0; i < 2; i++)
            side[i][0] = side[i][1] = both[i];
    }
    p->edges.top = side[0][0];
    p->edges.bottom = side[0][1];
    p->edges.left = side[1][0];
    p->edges.right = side[1][1];
    return XA_OK;
}

static xa_status build_pad(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, read_edges(s, "padding", 1, &p, err));
    return xa__ksite_simple(s, XA_OP_PAD, in, &p, out, err);
}

static xa_status build_crop(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, read_edges(s, "cropping", 0, &p, err));
    return xa__ksite_simple(s, XA_OP_CROP, in, &p, out, err);
}

/* Of an image with channels_first, Keras turns the channels to the end first. */
static xa_status build_flatten(xa__ksite *s, int *out, xa_err *err)
{
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    if (xa__ksite_shape(s, in)->ndim == 3)
        XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    const xa_shape shape = xa__kshape1(xa_shape_count(xa__ksite_shape(s, in)));
    return xa__ksite_reshape(s, in, &shape, out, err);
}

xa_status xa__ksite_target(
    const xa__ksite *s, int in, const json_t *dims, size_t skip, xa_shape *shape, xa_err *err)
{
    const size_t n = json_array_size(dims);
    const int64_t count = xa_shape_count(xa__ksite_shape(s, in));
    int64_t known = 1;
    int open = -1;
    char text[80];
    if (!json_is_array(dims) || n < skip || n - skip > XA_MAX_DIMS)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "target shape %s", xa__kjson_text(dims, text, sizeof text));
    *shape = (xa_shape){.ndim = (int)(n - skip)};
    for (int i = 0; i < shape->ndim; i++) {
        const json_t *d = json_array_get(dims, (size_t)i + skip);
        const int64_t x = json_is_integer(d) ? json_integer_value(d) : json_is_null(d) ? -1 : 0;
        if ((x < 1 && x != -1) || (x == -1 && open >= 0) ||
            (x > 0 && !xa_i64_mul(known, x, &known)))
            XA_RETURN_FAIL(
                err, XA_INVALID, "target shape %s", xa__kjson_text(dims, text, sizeof text));
        if (x == -1)
            open = i;
        shape->dim[i] = x;
    }
    if (open >= 0 && count % known == 0) {
        shape->dim[open] = count / known;
        known = count;
    }
    if (known != count) {
        char from[64];
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s cannot be reshaped to %s",
                       xa_shape_text(xa__ksite_shape(s, in), from, sizeof from),
                       xa__kjson_text(dims, text, sizeof text));
    }
    return XA_OK;
}

/* Keras' layer has target_shape, without the batch; Keras 3's operation has newshape, with it. */
/* A reshape of a patch grid [h,w,D] to tokens [n,D], where n is that of another input size. It
 * follows the grid if position embeddings may be interpolated; else it is refused, and both numbers
 * are named. */
static xa_status grid_tokens(
    const xa__ksite *s, int in, const json_t *target, xa_shape *shape, bool *grid, xa_err *err)
{
    const xa_shape *x = xa__ksite_shape(s, in);
    const json_int_t n = json_integer_value(json_array_get(target, 0)),
                     d = json_integer_value(json_array_get(target, 1));
    *grid = x->ndim == 3 && json_array_size(target) == 2 && n > 0 && d == x->dim[2] &&
            n != x->dim[0] * x->dim[1];
    if (!*grid)
        return XA_OK;
    if (!s->b->interpolate)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "the input's size makes a grid of %" PRId64 "x%" PRId64
                       " patches, the model has %" PRId64 "; use the size it was made for, or "
                       "interpolate_positions: true to have its position embedding interpolated",
                       x->dim[0],
                       x->dim[1],
                       (int64_t)n);
    *shape = xa__kshape2(x->dim[0] * x->dim[1], x->dim[2]);
    return XA_OK;
}

static xa_status build_reshape(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *target = json_object_get(s->layer->config, "target_shape");
    const json_t *whole = json_object_get(s->layer->config, "newshape");
    xa_shape shape;
    bool grid;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, grid_tokens(s, in, target, &shape, &grid, err));
    if (!grid)
        XA_RETURN_TRY(
            err, xa__ksite_target(s, in, target ? target : whole, target ? 0 : 1, &shape, err));
    return xa__ksite_reshape(s, in, &shape, out, err);
}

static xa_status build_permute(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    const json_t *dims = json_object_get(s->layer->config, "dims");
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    const int ndim = xa__ksite_shape(s, in)->ndim;
    bool taken[XA_MAX_DIMS] = {false};
    if (json_array_size(dims) != (size_t)ndim)
        XA_RETURN_FAIL(
            err, XA_INVALID, "\"dims\" lists %zu axes of %d", json_array_size(dims), ndim);
    for (int i = 0; i < ndim; i++) {
        const json_t *d = json_array_get(dims, (size_t)i);
        const int64_t axis = json_is_integer(d) ? json_integer_value(d) : 0;
        if (axis < 1 || axis > ndim || taken[axis - 1])
            XA_RETURN_FAIL(err, XA_INVALID, "\"dims\" is no order of 1 to %d", ndim);
        taken[axis - 1] = true;
        p.permute.order[i] = (int)axis - 1;
    }
    return xa__ksite_simple(s, XA_OP_PERMUTE, in, &p, out, err);
}

/* The middle of the image. Keras would resize an image that is too small, which is refused. */
static xa_status build_center_crop(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int64_t h, w;
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_int(s->layer->config, "height", 0, 1, XA__KMAX_EXTENT, &h, err));
    XA_RETURN_TRY(err, xa__kget_int(s->layer->config, "width", 0, 1, XA__KMAX_EXTENT, &w, err));
    const xa_shape *x = xa__ksite_shape(s, in);
    if (x->dim[0] < h || x->dim[1] < w)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "crops %" PRId64 "x%" PRId64 " from the smaller %" PRId64 "x%" PRId64,
                       h,
                       w,
                       x->dim[0],
                       x->dim[1]);
    p.edges.top = (x->dim[0] - h) / 2;
    p.edges.bottom = x->dim[0] - h - p.edges.top;
    p.edges.left = (x->dim[1] - w) / 2;
    p.edges.right = x->dim[1] - w - p.edges.left;
    if (x->dim[0] == h && x->dim[1] == w) {
        *out = in;
        return XA_OK;
    }
    return xa__ksite_simple(s, XA_OP_CROP, in, &p, out, err);
}

const xa__kclass xa__kclasses_shape[] = {
    {"ZeroPadding2D", build_pad, NULL, 0},
    {"Cropping2D", build_crop, NULL, 0},
    {"Flatten", build_flatten, NULL, 0},
    {"Reshape", build_reshape, NULL, 0},
    {"Permute", build_permute, NULL, 0},
    {"CenterCrop", build_center_crop, NULL, 0},
    {NULL, NULL, NULL, 0},
};
