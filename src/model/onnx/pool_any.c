/* Pools of any rank, dilated ones, and LpPool, axis by axis: a maximum is one of maxima, and a mean
 * or sum a linear map of each axis. Pools of images that are not dilated are the engine's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"
#include "window.h"

enum { SPATIAL = XA__ONNX_RANK - 2 };

/* Along one axis: tap t of output o is element o*stride + t*dilation - before. */
typedef struct side {
    int64_t in, out, kernel, stride, dilation, before, after;
    bool counted; /* what is padded counts */
} side;

static void pad_same(side *s, bool upper)
{
    const int64_t out = (s->in + s->stride - 1) / s->stride;
    const int64_t total = (out - 1) * s->stride + (s->kernel - 1) * s->dilation + 1 - s->in;
    s->before = total > 0 ? (upper ? total / 2 : (total + 1) / 2) : 0;
    s->after = total > 0 ? total - s->before : 0;
}

/* Elements that output o sees: *first is the first tap of them. */
static int64_t seen_by(const side *s, int64_t o, int64_t *first)
{
    int64_t n = 0;
    for (int64_t t = 0; t < s->kernel; t++) {
        const int64_t at = o * s->stride + t * s->dilation - s->before;
        if (at < 0 || at >= s->in)
            continue;
        if (n++ == 0)
            *first = at;
    }
    return n;
}

/* One a spatial axis; *good false: refused. */
static xa_status sides_of(xa__onnx_build *b, xa__onnx_node *n, side *sides, bool *good, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int spatial = s->rank - 2;
    const char *mode = xa__onnx_string(b->m, n, "auto_pad", "NOTSET");
    int64_t kernel[SPATIAL] = {0}, stride[SPATIAL], dilation[SPATIAL], pads[2 * SPATIAL] = {0};
    *good = false;
    for (int i = 0; i < SPATIAL; i++)
        stride[i] = dilation[i] = 1;
    if (spatial < 1 || !xa__onnx_list_of(b->m, n, "kernel_shape", spatial, kernel) ||
        !xa__onnx_list_of(b->m, n, "strides", spatial, stride) ||
        !xa__onnx_list_of(b->m, n, "dilations", spatial, dilation) ||
        !xa__onnx_list_of(b->m, n, "pads", 2 * spatial, pads))
        return xa__onnx_refuse(b, n, err, "its window has not %d axes", spatial);
    for (int i = 0; i < spatial; i++) {
        side *a = &sides[i];
        *a = (side){
            s->dim[2 + i], 0, kernel[i], stride[i], dilation[i], pads[i], pads[spatial + i], false};
        const int64_t settings[] = {a->kernel, a->stride, a->dilation, a->before + 1, a->after + 1};
        for (int k = 0; k < 5; k++)
            if (settings[k] < 1 || settings[k] > 65536)
                return xa__onnx_refuse(
                    b, n, err, "its window has a setting of %" PRId64, settings[k]);
        a->counted = xa__onnx_int(b->m, n, "count_include_pad", 0) != 0;
        if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER")) {
            pad_same(a, !strcmp(mode, "SAME_UPPER"));
            a->counted = false;
        } else if (!strcmp(mode, "VALID")) {
            a->before = a->after = 0;
        } else if (strcmp(mode, "NOTSET") != 0) {
            return xa__onnx_refuse(b, n, err, "its auto_pad \"%s\" is not read", mode);
        }
        const xa_window w = {.kh = 1,
                             .kw = a->kernel,
                             .sh = 1,
                             .sw = a->stride,
                             .dh = 1,
                             .dw = a->dilation,
                             .padding = XA_EXPLICIT,
                             .edges = {.left = a->before,
                                       .right = a->after,
                                       .ceil = xa__onnx_int(b->m, n, "ceil_mode", 0) != 0}};
        int64_t first;
        a->out = xa_window_extent(&w, false, a->in);
        if (a->out < 1 || a->out * a->kernel > 1 << 24)
            return xa__onnx_refuse(b, n, err, "its window does not fit its input, or is absurd");
        for (int64_t o = 0; o < a->out; o++)
            if (!seen_by(a, o, &first))
                return xa__onnx_refuse(b, n, err, "a window may lie in its padding alone");
    }
    *good = true;
    return XA_OK;
}

xa_status xa__onnx_pool_any_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_shape s = xa__onnx_in(b, n, 0)->shape;
    side sides[SPATIAL];
    bool good;
    if (xa__onnx_out(b, n, 1) && xa__onnx_out(b, n, 1)->uses)
        return xa__onnx_refuse(b, n, err, "its indices are not given");
    if (!strcmp(n->op, "LpPool") && xa__onnx_int(b->m, n, "p", 2) < 1)
        return xa__onnx_refuse(b, n, err, "its p is below 1");
    XA_RETURN_TRY(err, sides_of(b, n, sides, &good, err));
    for (int i = 0; good && i < s.rank - 2; i++)
        s.dim[2 + i] = sides[i].out;
    return good ? xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &s, err) : XA_OK;
}

/* The windows' elements one after the other, then the largest of each. Where a tap lies in the
 * padding, the window's first element stands again, which changes neither the maximum nor which is
 * the first of equal ones. */
static xa_status largest(
    xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int axis, const side *s, xa_err *err)
{
    xa_status st = XA_OK;
    float *list = NULL;
    XA_TRY(err, xa__onnx_floats(b, s->out * s->kernel, &list, err));
    for (int64_t o = 0; o < s->out; o++) {
        int64_t first = 0;
        seen_by(s, o, &first);
        for (int64_t t = 0; t < s->kernel; t++) {
            const int64_t at = o * s->stride + t * s->dilation - s->before;
            list[o * s->kernel + t] = (float)(at < 0 || at >= s->in ? first : at);
        }
    }
    XA_TRY(err, xa__onnx_gather_run(b, n, run, axis, list, s->out * s->kernel, err));
    /* the axis as windows and taps */
    xa__onnx_shape split = xa__layout_shape(&run->at);
    if (split.rank == XA__ONNX_RANK)
        XA_FAIL(err, XA_UNSUPPORTED, "it has %d axes", split.rank);
    for (int i = split.rank; i > axis + 1; i--)
        split.dim[i] = split.dim[i - 1];
    split.rank++;
    split.dim[axis] = s->out;
    split.dim[axis + 1] = s->kernel;
    XA_TRY(err, xa__onnx_regroup(b, n, run, &split, err));
    XA_TRY(err,
           xa__onnx_reduce_run(b, n, run, 1u << (axis + 1), false, XA_OVER_MAX_FIRST, run, err));
done:
    free(list);
    return st;
}

/* Means, or sums, of the windows. */
static xa_status weighted(xa__onnx_build *b,
                          xa__onnx_node *n,
                          xa__onnx_run *run,
                          int axis,
                          const side *s,
                          bool mean,
                          xa_err *err)
{
    xa_status st = XA_OK;
    float *map = NULL;
    XA_TRY(err, xa__onnx_floats(b, s->in * s->out, &map, err));
    for (int64_t o = 0; o < s->out; o++) {
        const int64_t start = o * s->stride - s->before, end = s->in + s->after;
        int64_t first = 0, count = seen_by(s, o, &first);
        if (s->counted) { /* the padding too, but not what ceil_mode adds beyond it */
            count = 0;
            for (int64_t t = 0; t < s->kernel; t++)
                count += start + t * s->dilation < end;
        }
        for (int64_t t = 0; t < s->kernel; t++) {
            const int64_t at = start + t * s->dilation;
            if (at >= 0 && at < s->in)
                map[o * s->in + at] = mean ? 1.0f / (float)count : 1.0f;
        }
    }
    XA_TRY(err, xa__onnx_map_run(b, n, run, axis, map, s->out, err));
done:
    free(map);
    return st;
}

xa_status xa__onnx_pool_any_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    const double p = (double)xa__onnx_int(b->m, n, "p", 2);
    const bool powers = !strcmp(n->op, "LpPool");
    side sides[SPATIAL];
    bool good;
    XA_RETURN_TRY(err, sides_of(b, n, sides, &good, err));
    if (powers) {
        XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_ABS, 0.0, &run, err));
        XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_POWER, p, &run, err));
    }
    for (int axis = run.at.rank - 1; axis >= 2; axis--) /* the first of equal ones: columns first */
        if (!strcmp(n->op, "MaxPool"))
            XA_RETURN_TRY(err, largest(b, n, &run, axis, &sides[axis - 2], err));
        else
            XA_RETURN_TRY(err, weighted(b, n, &run, axis, &sides[axis - 2], !powers, err));
    if (powers)
        XA_RETURN_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_POWER, 1.0 / p, &run, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}
