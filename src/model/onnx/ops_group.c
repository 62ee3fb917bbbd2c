/* Normalisations of groups of channels over an image: InstanceNormalization, GroupNormalization;
 * and LRN, over neighbours among channels. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* Input 1 and 2 are constants of so many values. */
static xa_status
check_weights(xa__onnx_build *b, xa__onnx_node *n, int64_t count, bool *good, xa_err *err)
{
    *good = true;
    for (int i = 1; i < 3; i++) {
        const xa__onnx_value *w = xa__onnx_in(b, n, i);
        if (!w || (w->constant && xa__onnx_count(&w->shape) == count))
            continue;
        *good = false;
        return xa__onnx_refuse(
            b, n, err, "its input %d is not a constant of %" PRId64 " values", i, count);
    }
    return XA_OK;
}

/* x [1,G,..], in place: each g by itself; scale and bias (-1: none) [G]. */
static xa_status
normalise(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int scale, int bias, xa_err *err)
{
    xa_shape shape;
    xa_node_spec spec = {.op = XA_OP_GROUP_NORM,
                         .ninputs = 1,
                         .nweights = 2,
                         .weights = {-1, -1},
                         .params.group_norm.epsilon =
                             (float)xa__onnx_float(b->m, n, "epsilon", 1e-5)};
    const int64_t groups = xa__layout_extent(&run->at, 1), images = xa__layout_extent(&run->at, 0);
    if (images > 1)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "it works on %" PRId64 " images at once", images);
    XA_RETURN_TRY(err, xa__onnx_axis_alone(b, n, run, 1, &shape, err));
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &run->node, err));
    if (scale >= 0)
        XA_RETURN_TRY(err, xa__onnx_vector(b, scale, groups, 1.0, &spec.weights[0], err));
    if (bias >= 0)
        XA_RETURN_TRY(err, xa__onnx_vector(b, bias, groups, 1.0, &spec.weights[1], err));
    const int input = run->node;
    spec.inputs = &input;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &run->node, err));
    return xa__onnx_natural(b, n, run, err);
}

/* ---- InstanceNormalization ---- */

static xa_status instance_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    bool good;
    if (s->rank < 3)
        return xa__onnx_refuse(b, n, err, "its input has no positions");
    XA_RETURN_TRY(err, check_weights(b, n, s->dim[1], &good, err));
    return good ? xa__onnx_infer_same(b, n, err) : XA_OK;
}

static xa_status instance_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    XA_RETURN_TRY(err, normalise(b, n, &run, n->inputs[1], n->inputs[2], err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- GroupNormalization ---- */

/* Scale and bias are one a group before operator set 21, one a channel since. */
static bool by_channel(const xa__onnx_build *b)
{
    return b->m->opset >= 21;
}

static xa_status group_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int64_t groups = xa__onnx_int(b->m, n, "num_groups", 0);
    bool good;
    if (s->rank < 2 || groups < 1 || s->dim[1] % groups)
        return xa__onnx_refuse(b, n, err, "its %" PRId64 " groups do not fit its input", groups);
    XA_RETURN_TRY(err, check_weights(b, n, by_channel(b) ? s->dim[1] : groups, &good, err));
    return good ? xa__onnx_infer_same(b, n, err) : XA_OK;
}

static xa_status group_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int64_t groups = xa__onnx_int(b->m, n, "num_groups", 0);
    const int64_t images = s->dim[0];
    const xa__onnx_shape split = {3, {images, groups, xa__onnx_count(s) / images / groups}};
    const bool channels = by_channel(b);
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, &split, err));
    XA_RETURN_TRY(
        err,
        normalise(b, n, &run, channels ? -1 : n->inputs[1], channels ? -1 : n->inputs[2], err));
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, s, err));
    if (channels) {
        xa_node_spec spec = {.op = XA_OP_AFFINE, .ninputs = 1, .nweights = 2};
        for (int i = 0; i < 2; i++)
            XA_RETURN_TRY(
                err, xa__onnx_vector(b, n->inputs[1 + i], s->dim[1], 1.0, &spec.weights[i], err));
        if (!xa__layout_together(&run.at, 1, true))
            return xa__onnx_refuse(b, n, err, "its channels lie apart");
        XA_RETURN_TRY(err, xa__onnx_rows(b, n, &run, 1u << 1, &run, err));
        const int input = run.node;
        spec.inputs = &input;
        XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &run.node, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- LRN ---- */

static xa_status lrn_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int64_t size = xa__onnx_int(b->m, n, "size", 0);
    if (s->rank < 2 || size < 1 || s->dim[1] > 8192)
        return xa__onnx_refuse(b, n, err, "its size %" PRId64 " does not fit its channels", size);
    return xa__onnx_infer_same(b, n, err);
}

/* y[c] = x[c] / (bias + alpha/size * sum of x^2 over c - floor((size-1)/2) .. c +
 * ceil((size-1)/2))^beta (Krizhevsky et al. 2012, section 3.3) */
static xa_status lrn_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const int64_t size = xa__onnx_int(b->m, n, "size", 0), c = xa__layout_extent(&x->at, 1);
    const double alpha = xa__onnx_float(b->m, n, "alpha", 1e-4) / (double)size;
    xa__onnx_run run = *x;
    float *band = NULL;
    XA_TRY(err, xa__onnx_floats(b, c * c, &band, err));
    for (int64_t i = 0; i < c; i++)
        for (int64_t k = 0; k < c; k++)
            if (k - i >= -((size - 1) / 2) && k - i <= size / 2)
                band[i * c + k] = (float)alpha;
    XA_TRY(err, xa__onnx_unary_run(b, n, XA_UNARY_POWER, 2.0, &run, err));
    XA_TRY(err, xa__onnx_map_run(b, n, &run, 1, band, c, err));
    XA_TRY(
        err,
        xa__onnx_scale(b, n, 1.0, xa__onnx_float(b->m, n, "bias", 1.0), run.node, &run.node, err));
    XA_TRY(
        err,
        xa__onnx_unary_run(b, n, XA_UNARY_POWER, xa__onnx_float(b->m, n, "beta", 0.75), &run, err));
    XA_TRY(err, xa__onnx_pair(b, n, XA_OP_DIVIDE, x, &run, &run, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
done:
    free(band);
    return st;
}

const xa__onnx_op xa__onnx_ops_group[] = {
    {"InstanceNormalization", 3, 3, instance_infer, NULL, instance_lower},
    {"GroupNormalization", 3, 3, group_infer, NULL, group_lower},
    {"LRN", 1, 1, lrn_infer, NULL, lrn_lower},
    {0}};
