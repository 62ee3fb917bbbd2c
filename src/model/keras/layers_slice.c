/* Slices of a tensor, x[:, 1:-1, ::2, 0], of tf.keras 2 (SlicingOpLambda) and Keras 3 (GetItem). */
#include <string.h>

#include "ops.h"

typedef struct slice {
    bool whole, dropped; /* whole: [:]; dropped: an index, which removes the axis */
    int64_t start, stop, step, count;
} slice;

static xa_status slice_error(const json_t *v, xa_err *err)
{
    char text[80];
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "the slice %s", xa__kjson_text(v, text, sizeof text));
}

static bool is_ellipsis(const json_t *v)
{
    const char *type = json_string_value(json_object_get(v, "class_name"));
    return type && strcmp(type, "__ellipsis__") == 0;
}

/* Python's rules for start:stop:step over an axis of n. */
static xa_status read_slice(const json_t *v, int64_t n, slice *out, xa_err *err)
{
    *out = (slice){.start = 0, .stop = n, .step = 1};
    if (json_is_integer(v)) {
        const int64_t i = json_integer_value(v);
        out->start = i < 0 ? i + n : i;
        if (out->start < 0 || out->start >= n)
            return slice_error(v, err);
        out->stop = out->start + 1;
        out->dropped = true;
        out->count = 1;
        return XA_OK;
    }
    const json_t *config = json_object_get(v, "config");
    const json_t *o = config ? config : v;
    const json_t *part[3] = {
        json_object_get(o, "start"), json_object_get(o, "stop"), json_object_get(o, "step")};
    if (!json_is_object(o))
        return slice_error(v, err);
    for (int i = 0; i < 3; i++)
        if (part[i] && !json_is_null(part[i]) && !json_is_integer(part[i]))
            return slice_error(v, err);
    if (json_is_integer(part[2]))
        out->step = json_integer_value(part[2]);
    if (out->step == 0 || out->step > XA__KMAX_EXTENT || out->step < -XA__KMAX_EXTENT)
        return slice_error(v, err);
    const int64_t low = out->step > 0 ? 0 : -1, high = out->step > 0 ? n : n - 1;
    int64_t *end[2] = {&out->start, &out->stop};
    *end[0] = out->step > 0 ? 0 : n - 1;
    *end[1] = out->step > 0 ? n : -1;
    for (int i = 0; i < 2; i++)
        if (json_is_integer(part[i])) {
            int64_t x = json_integer_value(part[i]);
            x = x < -n - 1 ? low : x < 0 ? x + n : x;
            *end[i] = x < low ? low : x > high ? high : x;
        }
    const int64_t span = out->step > 0 ? out->stop - out->start : out->start - out->stop;
    const int64_t step = out->step > 0 ? out->step : -out->step;
    out->count = span > 0 ? (span + step - 1) / step : 0;
    if (out->count == 0)
        return slice_error(v, err);
    out->whole = out->step == 1 && out->count == n;
    return XA_OK;
}

/* Reads one slice per axis, with the batch, and expands the ellipsis. */
static xa_status
read_slices(const json_t *spec, const xa_shape *x, slice out[XA_MAX_DIMS], xa_err *err)
{
    const json_t *one = json_is_array(spec) ? NULL : spec;
    const size_t n = one ? 1 : json_array_size(spec);
    size_t axis = 0;
    const size_t all = (size_t)x->ndim + 1;
    bool spread = false;
    slice batch;
    for (int i = 0; i < x->ndim; i++)
        out[i] = (slice){.whole = true, .stop = x->dim[i], .step = 1, .count = x->dim[i]};
    for (size_t i = 0; i < n; i++) {
        const json_t *v = one ? one : json_array_get(spec, i);
        if (is_ellipsis(v)) {
            if (spread || n - 1 > all)
                return slice_error(spec, err);
            spread = true;
            axis += all - (n - 1);
            continue;
        }
        if (axis >= all)
            return slice_error(spec, err);
        if (axis == 0) {
            /* The batch, whose extent is unknown, must stay whole. */
            XA_RETURN_TRY(err, read_slice(v, XA__KMAX_EXTENT, &batch, err));
            if (!batch.whole)
                return slice_error(spec, err);
        } else {
            XA_RETURN_TRY(err, read_slice(v, x->dim[axis - 1], &out[axis - 1], err));
        }
        axis++;
    }
    return XA_OK;
}

/* Rows [start, stop) of tokens [T,D], as the engine computes only those that are used. */
static xa_status token_rows(xa__ksite *s, int in, const slice *cut, int *out, xa_err *err)
{
    const xa_shape x = *xa__ksite_shape(s, in);
    const xa_shape column = xa__kshape3(x.dim[0], 1, x.dim[1]),
                   rows = xa__kshape2(cut->count, x.dim[1]);
    const xa_op_params p = {.edges = {.top = cut->start, .bottom = x.dim[0] - cut->stop}};
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &column, &in, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_CROP, in, &p, &in, err));
    return xa__ksite_reshape(s, in, &rows, out, err);
}

/* An axis but the last: height and width of an image are cropped, rows of tokens taken, and any
 * other axis is sliced. */
static xa_status cut_axis(xa__ksite *s, int in, int axis, const slice *cut, int *out, xa_err *err)
{
    const xa_shape *x = xa__ksite_shape(s, in);
    xa_op_params p = {0};
    if (x->ndim == 2 && cut->step == 1)
        return token_rows(s, in, cut, out, err);
    if (x->ndim == 3 && cut->step == 1) {
        if (axis == 0) {
            p.edges.top = cut->start;
            p.edges.bottom = x->dim[0] - cut->stop;
        } else {
            p.edges.left = cut->start;
            p.edges.right = x->dim[1] - cut->stop;
        }
        return xa__ksite_simple(s, XA_OP_CROP, in, &p, out, err);
    }
    p.slice.axis = axis;
    p.slice.first = cut->start;
    p.slice.count = cut->count;
    p.slice.step = cut->step;
    return xa__ksite_simple(s, XA_OP_SLICE, in, &p, out, err);
}

static xa_status
cut_channels(xa__ksite *s, int in, const slice *cut, const json_t *spec, int *out, xa_err *err)
{
    enum { MAX = 4096 };
    int channel[MAX];
    if (cut->count > MAX)
        return slice_error(spec, err);
    for (int64_t i = 0; i < cut->count; i++)
        channel[i] = (int)(cut->start + i * cut->step);
    return xa__ksite_channels(s, in, channel, (int)cut->count, out, err);
}

/* x[..., ::-1], x[:, 1:-1, 2:], x[..., 0], x[:, 0]. */
xa_status xa__kop_slice(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *spec = xa__ksite_value(s, "slice_spec", 1);
    slice cut[XA_MAX_DIMS] = {{0}};
    xa_shape kept = {.ndim = 0};
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    const xa_shape x = *xa__ksite_shape(s, in);
    if (!spec || x.ndim < 1)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a slice that is no constant");
    XA_RETURN_TRY(err, read_slices(spec, &x, cut, err));
    const int last = x.ndim - 1;
    for (int i = 0; i < last; i++)
        if (!cut[i].whole)
            XA_RETURN_TRY(err, cut_axis(s, in, i, &cut[i], &in, err));
    if (!cut[last].whole)
        XA_RETURN_TRY(err, cut_channels(s, in, &cut[last], spec, &in, err));
    for (int i = 0; i < x.ndim; i++)
        if (!cut[i].dropped)
            kept.dim[kept.ndim++] = cut[i].count;
    if (!kept.ndim)
        return slice_error(spec, err);
    return xa__ksite_reshape(s, in, &kept, out, err);
}
