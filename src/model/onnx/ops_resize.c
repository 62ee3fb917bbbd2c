/* Resize and Upsample: what the engine resizes by itself, and any other by lists of indices or
 * linear maps, axis by axis. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* The node's settings, and each axis' scale. */
typedef struct resizing {
    const char *mode, *where, *round;
    double scale[XA__ONNX_RANK]; /* output over input, or what is said */
    xa__onnx_shape out;
    bool good; /* else the node was refused */
} resizing;

static bool is_old(const xa__onnx_build *b, const xa__onnx_node *n)
{
    return !strcmp(n->op, "Upsample") || b->m->opset < 11;
}

/* Axes that scales and sizes are of; their number. */
static int axes_of(const xa__onnx_build *b, const xa__onnx_node *n, int rank, int *axes)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "axes");
    if (a && (a->kind != XA__ONNX_ATTR_INTS || a->n > rank))
        return -1;
    for (int i = 0; i < rank; i++)
        axes[i] = i;
    for (int i = 0; a && i < a->n; i++)
        if (!xa__onnx_axis(a->ints[i], rank, &axes[i]))
            return -1;
    return a ? a->n : rank;
}

/* Sizes, or scales, of the axes. */
static xa_status extents_of(xa__onnx_build *b, xa__onnx_node *n, resizing *r, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int scales = is_old(b, n) ? 1 : 2, sizes = 3;
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "scales");
    const xa__onnx_value *given = xa__onnx_in(b, n, scales), *wanted = xa__onnx_in(b, n, sizes);
    int64_t size[XA__ONNX_RANK];
    int axes[XA__ONNX_RANK], count, many = axes_of(b, n, s->rank, axes);
    if (many < 0)
        return xa__onnx_refuse(b, n, err, "its axes do not exist");
    if (!is_old(b, n) && wanted && xa__onnx_count(&wanted->shape) > 0) {
        XA_RETURN_TRY(err, xa__onnx_ints(b, n, "sizes", sizes, size, XA__ONNX_RANK, &count, err));
        if (count == -2)
            return XA_OK;
        if (count != many)
            return xa__onnx_refuse(b, n, err, "it has %d sizes for %d axes", count, many);
        for (int i = 0; i < many; i++) {
            r->out.dim[axes[i]] = size[i];
            r->scale[axes[i]] = (double)size[i] / (double)s->dim[axes[i]];
        }
    } else {
        const double *list =
            a && a->kind == XA__ONNX_ATTR_FLOATS && a->n == many ? a->floats : NULL;
        if (!list && given && given->constant && xa__onnx_count(&given->shape) == many) {
            XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[scales], err));
            list = xa__onnx_data(b, n->inputs[scales]);
        }
        if (!list)
            return xa__onnx_refuse(b, n, err, "neither its scales nor its sizes are known");
        for (int i = 0; i < many; i++) {
            const double out = floor((double)s->dim[axes[i]] * list[i]);
            if (!(list[i] > 0.0) || !(out <= (double)INT32_MAX))
                return xa__onnx_refuse(b, n, err, "its scale is %g", list[i]);
            r->scale[axes[i]] = list[i];
            r->out.dim[axes[i]] = (int64_t)out;
        }
    }
    for (int i = 0; i < s->rank; i++)
        if (r->out.dim[i] < 1 || r->out.dim[i] > INT32_MAX)
            return xa__onnx_refuse(b, n, err, "nothing, or too much, is left of an axis");
    r->good = true;
    return XA_OK;
}

static xa_status resizing_of(xa__onnx_build *b, xa__onnx_node *n, resizing *r, xa_err *err)
{
    const bool old = is_old(b, n);
    *r = (resizing){
        .mode = xa__onnx_string(b->m, n, "mode", "nearest"),
        .where = xa__onnx_string(
            b->m, n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
        .round = xa__onnx_string(b->m, n, "nearest_mode", old ? "floor" : "round_prefer_floor"),
        .out = xa__onnx_in(b, n, 0)->shape};
    for (int i = 0; i < r->out.rank; i++)
        r->scale[i] = 1.0;
    return extents_of(b, n, r, err);
}

static xa_status resize_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    resizing r;
    if (xa__onnx_int(b->m, n, "antialias", 0) != 0)
        return xa__onnx_refuse(b, n, err, "antialias is not computed as the exporter does");
    if (strcmp(xa__onnx_string(b->m, n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
        return xa__onnx_refuse(b, n, err, "its keep_aspect_ratio_policy is not read");
    XA_RETURN_TRY(err, resizing_of(b, n, &r, err));
    return r.good ? xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &r.out, err) : XA_OK;
}

/* ---- where an output lies ---- */

/* Place of output i in the input; false: a mode that is not known. */
static bool place_of(const resizing *r, int axis, int64_t in, int64_t i, double *place)
{
    const double at = (double)i, scale = r->scale[axis], n = (double)in;
    const double out = (double)r->out.dim[axis];
    if (!strcmp(r->where, "half_pixel"))
        *place = (at + 0.5) / scale - 0.5;
    else if (!strcmp(r->where, "pytorch_half_pixel"))
        *place = out > 1.0 ? (at + 0.5) / scale - 0.5 : 0.0;
    else if (!strcmp(r->where, "asymmetric"))
        *place = at / scale;
    else if (!strcmp(r->where, "align_corners"))
        *place = out > 1.0 ? at * (n - 1.0) / (out - 1.0) : 0.0;
    else if (!strcmp(r->where, "half_pixel_symmetric"))
        *place = n / 2.0 * (1.0 - out / (scale * n)) + (at + 0.5) / scale - 0.5;
    else
        return false;
    return true;
}

static bool nearest_of(const char *round, double place, double *index)
{
    if (!strcmp(round, "round_prefer_floor"))
        *index = ceil(place - 0.5);
    else if (!strcmp(round, "round_prefer_ceil"))
        *index = floor(place + 0.5);
    else if (!strcmp(round, "floor"))
        *index = floor(place);
    else if (!strcmp(round, "ceil"))
        *index = ceil(place);
    else
        return false;
    return true;
}

static double clamped(double i, int64_t extent)
{
    return i < 0.0 ? 0.0 : i > (double)(extent - 1) ? (double)(extent - 1) : i;
}

/* Weight of the element at distance d: a triangle, or Keys' cubic (Keys 1981, equation 4). */
static double weight_of(bool cubic, double a, double d)
{
    d = fabs(d);
    if (!cubic)
        return d < 1.0 ? 1.0 - d : 0.0;
    if (d <= 1.0)
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    return d < 2.0 ? ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a : 0.0;
}

/* One row of the map: weights of the input's elements for output place. What lies outside is the
 * last inside, or counts nothing and the rest is scaled up. */
static void row_of(const xa__onnx_build *b,
                   const xa__onnx_node *n,
                   const resizing *r,
                   int64_t in,
                   double place,
                   float *row)
{
    const bool cubic = !strcmp(r->mode, "cubic");
    const bool excludes = xa__onnx_int(b->m, n, "exclude_outside", 0) != 0;
    const double a = xa__onnx_float(b->m, n, "cubic_coeff_a", -0.75);
    const double first = floor(place) - (cubic ? 1.0 : 0.0);
    double sum = 0.0;
    for (int k = 0; k < (cubic ? 4 : 2); k++) {
        const double at = first + (double)k, w = weight_of(cubic, a, place - at);
        if (excludes && (at < 0.0 || at > (double)(in - 1)))
            continue;
        row[(int64_t)clamped(at, in)] += (float)w;
        sum += w;
    }
    for (int64_t i = 0; excludes && i < in; i++)
        row[i] = (float)((double)row[i] / sum);
}

/* ---- lowering ---- */

/* Along one axis, by indices or by a map. */
static xa_status resize_axis(xa__onnx_build *b,
                             xa__onnx_node *n,
                             const resizing *r,
                             xa__onnx_run *run,
                             int axis,
                             xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t in = xa__layout_extent(&run->at, axis), out = r->out.dim[axis];
    const bool nearest = !strcmp(r->mode, "nearest");
    float *values = NULL;
    if (!nearest && strcmp(r->mode, "linear") != 0 && strcmp(r->mode, "cubic") != 0)
        XA_FAIL(err, XA_UNSUPPORTED, "its mode \"%s\" is not read", r->mode);
    if (!strcmp(r->where, "align_corners") &&
        fabs(r->scale[axis] * (double)in - (double)out) > 1e-4)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "readers differ where corners are aligned and the scale %g gives no whole size",
                r->scale[axis]);
    XA_TRY(err, xa__onnx_floats(b, nearest ? out : in * out, &values, err));
    for (int64_t i = 0; i < out; i++) {
        double place, index;
        if (!place_of(r, axis, in, i, &place))
            XA_FAIL(err, XA_UNSUPPORTED, "its coordinates \"%s\" are not read", r->where);
        if (!nearest)
            row_of(b, n, r, in, place, values + i * in);
        else if (nearest_of(r->round, place, &index))
            values[i] = (float)clamped(index, in);
        else
            XA_FAIL(err, XA_UNSUPPORTED, "its nearest_mode \"%s\" is not read", r->round);
    }
    if (nearest)
        XA_TRY(err, xa__onnx_gather_run(b, n, run, axis, values, out, err));
    else
        XA_TRY(err, xa__onnx_map_run(b, n, run, axis, values, out, err));
done:
    free(values);
    return st;
}

/* Rows and columns of an image as the engine resizes them: `kind` is set. */
static bool is_engines(const resizing *r, const xa__onnx_shape *in, xa_resize_kind *kind)
{
    const xa__onnx_shape *out = &r->out;
    bool whole = true;
    if (in->rank != 4 || in->dim[0] != 1 || in->dim[1] != out->dim[1] || out->dim[0] != 1)
        return false;
    for (int i = 2; i < 4; i++) {
        whole = whole && out->dim[i] % in->dim[i] == 0;
        if (fabs((double)in->dim[i] * r->scale[i] - (double)out->dim[i]) > 1e-4 ||
            out->dim[i] > 65536 || in->dim[i] > 65536)
            return false; /* positions follow the scale that is said, the engine's out/in */
    }
    const bool half = !strcmp(r->where, "half_pixel") || (!strcmp(r->where, "pytorch_half_pixel") &&
                                                          out->dim[2] > 1 && out->dim[3] > 1);
    *kind = !strcmp(r->mode, "nearest") ? XA_RESIZE_NEAREST : XA_RESIZE_BILINEAR;
    if (!strcmp(r->mode, "linear"))
        return half;
    /* by whole factors floor(i/f) is where half pixels round to as well */
    return !strcmp(r->mode, "nearest") && whole &&
           ((half && !strncmp(r->round, "round", 5)) ||
            (!strcmp(r->where, "asymmetric") && !strcmp(r->round, "floor")));
}

static xa_status resize_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape;
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    resizing r;
    xa_op_params p = {0};
    int node;
    XA_RETURN_TRY(err, resizing_of(b, n, &r, err));
    if (xa__onnx_int(b->m, n, "exclude_outside", 0) == 0 && !xa__onnx_shape_equal(in, &r.out) &&
        is_engines(&r, in, &p.resize.kind)) {
        p.resize.height = r.out.dim[2];
        p.resize.width = r.out.dim[3];
        XA_RETURN_TRY(err, xa__onnx_image(b, n, &run, &node, err));
        XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_RESIZE, &p, node, &run.node, err));
        run.at = xa__layout_image(r.out.dim[1], r.out.dim[2], r.out.dim[3]);
    } else {
        for (int axis = 0; axis < in->rank; axis++)
            if (in->dim[axis] != r.out.dim[axis] || fabs(r.scale[axis] - 1.0) > 1e-9)
                XA_RETURN_TRY(err, resize_axis(b, n, &r, &run, axis, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_resize[] = {
    {"Resize", 1, 4, resize_infer, xa__onnx_fold_resize, resize_lower},
    {"Upsample", 1, 2, resize_infer, xa__onnx_fold_resize, resize_lower},
    {0}};
