/* Pooling and resizing of images. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "window.h"

static xa_status pool_window(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_window *w, xa_err *err)
{
    const int64_t none[2] = {0, 0};
    const char *mode = xa__onnx_string(b->m, n, "auto_pad", "NOTSET");
    XA_RETURN_TRY(err, xa__onnx_window_of(b, n, none, w, err));
    /* auto_pad counts real elements only */
    w->window.edges.counted =
        xa__onnx_int(b->m, n, "count_include_pad", 0) != 0 && strncmp(mode, "SAME", 4) != 0;
    return XA_OK;
}

static xa_status pool_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_window w;
    if (xa__onnx_out(b, n, 1) && xa__onnx_out(b, n, 1)->uses)
        return xa__onnx_refuse(b, n, err, "its indices are not given");
    XA_RETURN_TRY(err, pool_window(b, n, &w, err));
    if (!w.good)
        return XA_OK;
    if (w.window.edges.top >= w.window.kh * w.window.dh ||
        w.window.edges.left >= w.window.kw * w.window.dw ||
        w.window.edges.bottom >= w.window.kh * w.window.dh ||
        w.window.edges.right >= w.window.kw * w.window.dw)
        return xa__onnx_refuse(b, n, err, "a window may lie in its padding alone");
    if (w.window.dh != 1 || w.window.dw != 1)
        return xa__onnx_refuse(b, n, err, "dilated pooling is not read");
    return xa__onnx_window_set(b, n, &w, xa__onnx_in(b, n, 0)->shape.dim[1], err);
}

static xa_status pool_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const bool largest = !strcmp(n->op, "MaxPool");
    xa__onnx_window w;
    int node, id;
    XA_RETURN_TRY(err, pool_window(b, n, &w, err));
    const xa_window *v = &w.window;
    if (v->kh == 1 && v->kw == 1 && v->sh == 1 && v->sw == 1 && w.in[0] == w.out[0] &&
        w.in[1] == w.out[1]) { /* what an adaptive pool becomes at its own size */
        const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
        xa__onnx_made(b, n, 0, x->node, &x->at);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__onnx_window_input(b, n, &node, err));
    XA_RETURN_TRY(err,
                  xa__onnx_add_unary(b,
                                     n,
                                     largest ? XA_OP_MAX_POOL : XA_OP_AVG_POOL,
                                     &(xa_op_params){.pool = w.window},
                                     node,
                                     &id,
                                     err));
    xa__onnx_window_made(b, n, id);
    return XA_OK;
}

/* ---- Resize, Upsample ---- */

/* Extents of the output along each axis; *good false: refused. */
static xa_status
resize_extents(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_shape *out, bool *good, xa_err *err)
{
    const bool old = !strcmp(n->op, "Upsample") || b->m->opset < 11;
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int scales = old ? 1 : 2, sizes = 3;
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "scales");
    const xa__onnx_value *given = xa__onnx_in(b, n, scales);
    int64_t size[XA__ONNX_RANK];
    int count;
    *good = false;
    *out = *s;
    if (xa__onnx_attribute_of(b->m, n, "axes"))
        return xa__onnx_refuse(b, n, err, "its axes are not read");
    if (!old && xa__onnx_in(b, n, sizes) && xa__onnx_count(&xa__onnx_in(b, n, sizes)->shape) > 0) {
        XA_RETURN_TRY(err, xa__onnx_ints(b, n, "sizes", sizes, size, XA__ONNX_RANK, &count, err));
        if (count == -2)
            return XA_OK;
        if (count != s->rank)
            return xa__onnx_refuse(b, n, err, "it has %d sizes for %d axes", count, s->rank);
        memcpy(out->dim, size, (size_t)count * sizeof *size);
    } else if (a && a->kind == XA__ONNX_ATTR_FLOATS && a->n == s->rank) {
        for (int i = 0; i < s->rank; i++)
            out->dim[i] = (int64_t)floor((double)s->dim[i] * a->floats[i]);
    } else if (given && given->constant && xa__onnx_count(&given->shape) == s->rank) {
        XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[scales], err));
        for (int i = 0; i < s->rank; i++)
            out->dim[i] =
                (int64_t)floor((double)s->dim[i] * xa__onnx_data(b, n->inputs[scales])[i]);
    } else {
        return xa__onnx_refuse(b, n, err, "neither its scales nor its sizes are known");
    }
    for (int i = 0; i < s->rank; i++)
        if (out->dim[i] < 1 || out->dim[i] > INT32_MAX)
            return xa__onnx_refuse(b, n, err, "nothing, or too much, is left of an axis");
    *good = true;
    return XA_OK;
}

static xa_status resize_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_shape out;
    bool good;
    XA_RETURN_TRY(err, resize_extents(b, n, &out, &good, err));
    if (!good)
        return XA_OK;
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &out, err);
}

/* Nearest by whole factors: floor(i/f) is where half pixels round to as well. */
static bool is_multiple(const xa__onnx_shape *in, const xa__onnx_shape *out)
{
    return out->dim[2] % in->dim[2] == 0 && out->dim[3] % in->dim[3] == 0;
}

/* Positions follow the scale where one is said, and the engine takes out/in. */
static bool scale_is_kept(xa__onnx_build *b, const xa__onnx_node *n, bool old)
{
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    const int scales = old ? 1 : 2;
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "scales");
    const xa__onnx_value *given = xa__onnx_in(b, n, scales);
    const double *list = a && a->kind == XA__ONNX_ATTR_FLOATS ? a->floats
                         : given && xa__onnx_count(&given->shape) == in->rank
                             ? xa__onnx_data(b, n->inputs[scales])
                             : NULL;
    for (int i = 0; list && i < in->rank; i++)
        if (fabs((double)in->dim[i] * list[i] - (double)out->dim[i]) > 1e-4)
            return false;
    return true;
}

static xa_status resize_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const bool old = !strcmp(n->op, "Upsample") || b->m->opset < 11;
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const char *mode = xa__onnx_string(b->m, n, "mode", "nearest");
    const char *where = xa__onnx_string(
        b->m, n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    const char *round =
        xa__onnx_string(b->m, n, "nearest_mode", old ? "floor" : "round_prefer_floor");
    xa_op_params p = {.resize = {.height = out->dim[2], .width = out->dim[3]}};
    int node, id;
    if (xa__onnx_shape_equal(in, out)) {
        xa__onnx_made(b, n, 0, x->node, &x->at);
        return XA_OK;
    }
    if (in->rank != 4 || in->dim[0] != out->dim[0] || in->dim[1] != out->dim[1])
        return xa__onnx_refuse(b, n, err, "it resizes more than rows and columns of an image");
    if (xa__onnx_int(b->m, n, "antialias", 0) != 0)
        return xa__onnx_refuse(b, n, err, "antialias is not computed as the exporter does");
    if (xa__onnx_int(b->m, n, "exclude_outside", 0) != 0 ||
        strcmp(xa__onnx_string(b->m, n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
        return xa__onnx_refuse(
            b, n, err, "exclude_outside and keep_aspect_ratio_policy are not read");
    if (!scale_is_kept(b, n, old))
        return xa__onnx_refuse(b, n, err, "it gives another size than its scale tells");
    const bool half = !strcmp(where, "half_pixel") ||
                      (!strcmp(where, "pytorch_half_pixel") && out->dim[2] > 1 && out->dim[3] > 1);
    if (!strcmp(mode, "nearest") && is_multiple(in, out) &&
        ((half && !strncmp(round, "round", 5)) ||
         (!strcmp(where, "asymmetric") && !strcmp(round, "floor"))))
        p.resize.kind = XA_RESIZE_NEAREST;
    else if (!strcmp(mode, "linear") && half)
        p.resize.kind = XA_RESIZE_BILINEAR;
    else
        return xa__onnx_refuse(
            b, n, err, "mode \"%s\" with \"%s\" and \"%s\" is not read", mode, where, round);
    XA_RETURN_TRY(err, xa__onnx_image(b, n, x, &node, err));
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_RESIZE, &p, node, &id, err));
    const xa__onnx_layout at = xa__layout_image(out->dim[1], out->dim[2], out->dim[3]);
    xa__onnx_made(b, n, 0, id, &at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_pool[] = {{"MaxPool", 1, 1, pool_infer, NULL, pool_lower},
                                         {"AveragePool", 1, 1, pool_infer, NULL, pool_lower},
                                         {"Resize", 1, 4, resize_infer, NULL, resize_lower},
                                         {"Upsample", 1, 2, resize_infer, NULL, resize_lower},
                                         {0}};
