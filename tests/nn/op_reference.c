#include "op_reference.h"

#include "kernels_ref.h"

#include <math.h>

/* ---- indices --------------------------------------------------------------------------------- */

static void unravel(const xa_shape *s, int64_t i, int64_t index[XA_MAX_DIMS])
{
    for (int d = s->ndim - 1; d >= 0; d--) {
        index[d] = i % s->dim[d];
        i /= s->dim[d];
    }
}

/* Place of an index in a tensor whose extents are those of the index or 1. */
static int64_t ravel(const xa_shape *s, const int64_t index[XA_MAX_DIMS])
{
    int64_t at = 0;
    for (int d = 0; d < s->ndim; d++)
        at = at * s->dim[d] + (s->dim[d] == 1 ? 0 : index[d]);
    return at;
}

static int64_t pixel(const xa_shape *s, int64_t y, int64_t x, int64_t c)
{
    return (y * s->dim[1] + x) * s->dim[2] + c;
}

static bool in_image(const xa_shape *s, int64_t y, int64_t x)
{
    return y >= 0 && y < s->dim[0] && x >= 0 && x < s->dim[1];
}

/* TensorFlow's padding before, written down a second time. */
static int64_t
pad_before(xa_padding padding, int64_t in, int64_t k, int64_t stride, int64_t dilation)
{
    if (padding == XA_VALID)
        return 0;
    const int64_t out = (in + stride - 1) / stride, span = (k - 1) * dilation + 1;
    const int64_t total = (out - 1) * stride + span - in;
    return total > 0 ? total / 2 : 0;
}

typedef struct origin {
    int64_t y, x;
} origin;
static origin window_origin(const xa_window *w, const xa_shape *in, const int64_t *o)
{
    return (origin){o[0] * w->sh - pad_before(w->padding, in->dim[0], w->kh, w->sh, w->dh),
                    o[1] * w->sw - pad_before(w->padding, in->dim[1], w->kw, w->sw, w->dw)};
}

/* ---- windows --------------------------------------------------------------------------------- */

static double conv2d(
    const op_case *c, const int64_t *o, const double *x, const double *kernel, const double *bias)
{
    const xa_window *w = &c->params.conv2d.window;
    const xa_shape *in = &c->inputs[0];
    const int64_t filters = c->params.conv2d.filters, groups = c->params.conv2d.groups;
    const int64_t cg = in->dim[2] / groups, group = o[2] / (filters / groups);
    const origin at = window_origin(w, in, o);
    double sum = bias ? bias[o[2]] : 0.0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++) {
            const int64_t iy = at.y + ky * w->dh, ix = at.x + kx * w->dw;
            for (int64_t i = 0; in_image(in, iy, ix) && i < cg; i++)
                sum += x[pixel(in, iy, ix, group * cg + i)] *
                       kernel[((ky * w->kw + kx) * cg + i) * filters + o[2]];
        }
    return sum;
}

static double depthwise(
    const op_case *c, const int64_t *o, const double *x, const double *kernel, const double *bias)
{
    const xa_window *w = &c->params.depthwise.window;
    const xa_shape *in = &c->inputs[0];
    const int64_t m = c->params.depthwise.multiplier, cm = in->dim[2] * m;
    const origin at = window_origin(w, in, o);
    double sum = bias ? bias[o[2]] : 0.0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++) {
            const int64_t iy = at.y + ky * w->dh, ix = at.x + kx * w->dw;
            if (in_image(in, iy, ix))
                sum += x[pixel(in, iy, ix, o[2] / m)] * kernel[(ky * w->kw + kx) * cm + o[2]];
        }
    return sum;
}

static double pool(const op_case *c, const int64_t *o, const double *x)
{
    const xa_window *w = &c->params.pool;
    const xa_shape *in = &c->inputs[0];
    const origin at = window_origin(w, in, o);
    double sum = 0.0, most = -INFINITY;
    int64_t count = 0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++)
            if (in_image(in, at.y + ky, at.x + kx)) {
                const double v = x[pixel(in, at.y + ky, at.x + kx, o[2])];
                sum += v;
                most = v > most || isnan(v) ? v : most;
                count++;
            }
    return c->op == XA_OP_MAX_POOL ? most : sum / (double)count;
}

static double global_pool(const op_case *c, int64_t channel, const double *x)
{
    const int64_t ch = c->inputs[0].dim[2], count = xa_shape_count(&c->inputs[0]) / ch;
    double sum = 0.0, most = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        const double v = x[i * ch + channel];
        sum += v;
        most = v > most || isnan(v) ? v : most;
    }
    return c->params.global_pool.kind == XA_POOL_MAX ? most : sum / (double)count;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static double
dense(const op_case *c, int64_t i, const double *x, const double *kernel, const double *bias)
{
    const int64_t units = c->params.dense.units, k = xa_shape_last(&c->inputs[0]);
    double sum = bias ? bias[i % units] : 0.0;
    for (int64_t j = 0; j < k; j++)
        sum += x[i / units * k + j] * kernel[j * units + i % units];
    return sum;
}

static double affine(const op_case *c, int64_t i, const double *x, const double *const *w)
{
    const int64_t channel = i % xa_shape_last(&c->inputs[0]);
    double v[XA_MAX_WEIGHTS];
    for (int k = 0; k < XA_MAX_WEIGHTS; k++)
        v[k] = !w[k] ? 0.0 : w[k][c->weights[k].dim[0] == 1 ? 0 : channel];
    double y = x[i] - v[2];
    if (w[3])
        y /= fmax(sqrt(v[3] + (double)c->params.affine.epsilon), (double)c->params.affine.floor);
    return (w[0] ? y * v[0] : y) + v[1];
}

static double softmax(const op_case *c, int64_t i, const double *x)
{
    const int64_t n = xa_shape_last(&c->inputs[0]);
    const double *row = x + i / n * n;
    double most = row[0], sum = 0.0;
    for (int64_t j = 1; j < n; j++)
        most = fmax(most, row[j]);
    for (int64_t j = 0; j < n; j++)
        sum += exp(row[j] - most);
    return exp(x[i] - most) / sum;
}

static double attention(const op_case *c, const int64_t *o, const double *const *x)
{
    const int64_t heads = c->params.attention.heads, s = c->inputs[1].dim[0];
    const int64_t wk = c->inputs[0].dim[1], wv = c->inputs[2].dim[1];
    const int64_t k = wk / heads, head = o[1] / (wv / heads);
    double most = -INFINITY, sum = 0.0, y = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < s; j++) {
            double z = 0.0;
            for (int64_t i = head * k; i < (head + 1) * k; i++)
                z += x[0][o[0] * wk + i] * x[1][j * wk + i];
            z *= (double)c->params.attention.scale;
            if (pass == 0) {
                most = fmax(most, z);
                continue;
            }
            sum += exp(z - most);
            y += exp(z - most) * x[2][j * wv + o[1]];
        }
    return y / sum;
}

static double tokens(const op_case *c, int64_t i, const double *x, const double *const *w)
{
    const int64_t prefix =
        c->nweights > 0 && c->weights[0].ndim ? xa_shape_count(&c->weights[0]) : 0;
    const double position = c->nweights > 1 && w[1] ? w[1][i] : 0.0;
    return (i < prefix ? w[0][i] : x[i - prefix]) + position;
}

static double layer_norm(const op_case *c, int64_t i, const double *x, const double *const *w)
{
    const int64_t n = xa_shape_last(&c->inputs[0]);
    const double *row = x + i / n * n;
    double mean = 0.0, variance = 0.0;
    for (int64_t j = 0; !c->params.layer_norm.rms && j < n; j++)
        mean += row[j] / (double)n;
    for (int64_t j = 0; j < n; j++)
        variance += (row[j] - mean) * (row[j] - mean) / (double)n;
    const double y = (x[i] - mean) / sqrt(variance + (double)c->params.layer_norm.epsilon);
    return y * (w[0] ? w[0][i % n] : 1.0) + (w[1] ? w[1][i % n] : 0.0);
}

/* ---- elementwise ----------------------------------------------------------------------------- */

static double elementwise(const op_case *c, const int64_t *o, const double *const *x)
{
    double y = x[0][ravel(&c->inputs[0], o)];
    for (int j = 1; j < c->ninputs; j++) {
        const double v = x[j][ravel(&c->inputs[j], o)];
        switch (c->op) {
        case XA_OP_MULTIPLY:
            y *= v;
            break;
        case XA_OP_SUBTRACT:
            y -= v;
            break;
        case XA_OP_MAXIMUM:
            y = isnan(y) || isnan(v) ? NAN : fmax(y, v);
            break;
        case XA_OP_MINIMUM:
            y = isnan(y) || isnan(v) ? NAN : fmin(y, v);
            break;
        default:
            y += v;
        }
    }
    return c->op == XA_OP_AVERAGE ? y / (double)c->ninputs : y;
}

/* ---- places ---------------------------------------------------------------------------------- */

static double concat(const op_case *c, const int64_t *o, const double *const *x)
{
    const int axis = c->params.concat.axis;
    int64_t index[XA_MAX_DIMS] = {0};
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[d] = o[d];
    int j = 0;
    while (index[axis] >= c->inputs[j].dim[axis])
        index[axis] -= c->inputs[j++].dim[axis];
    return x[j][ravel(&c->inputs[j], index)];
}

static double edges(const op_case *c, const int64_t *o, const double *x)
{
    const int sign = c->op == XA_OP_PAD ? -1 : 1;
    const int64_t iy = o[0] + sign * c->params.edges.top, ix = o[1] + sign * c->params.edges.left;
    return in_image(&c->inputs[0], iy, ix) ? x[pixel(&c->inputs[0], iy, ix, o[2])] : 0.0;
}

static double permute(const op_case *c, const int64_t *o, const double *x)
{
    int64_t index[XA_MAX_DIMS] = {0};
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[c->params.permute.order[d]] = o[d];
    return x[ravel(&c->inputs[0], index)];
}

/* Weight of input pixel i for output pixel o along an axis, from the kernels' formulas. */
static double resize_weight(xa_resize_kind kind, int64_t o, int64_t i, int64_t in, int64_t out)
{
    const double at = ((double)o + 0.5) * (double)in / (double)out - 0.5;
    if (kind == XA_RESIZE_NEAREST)
        return floor(at + 0.5) == (double)i ? 1.0 : 0.0;
    if (kind == XA_RESIZE_BILINEAR) {
        const double inside = fmin(fmax(at, 0.0), (double)(in - 1));
        return fmax(0.0, 1.0 - fabs(inside - (double)i));
    }
    double sum = 0.0, mine = 0.0;
    for (int64_t k = 0; k < in; k++) { /* Keys, distance in steps of 1/1024, renormalised */
        const double below = floor(at), part = rint((at - below) * 1024.0) / 1024.0;
        const double d = fabs(below + part - (double)k);
        double w = 0.0;
        if (d < 1.0)
            w = (1.5 * d - 2.5) * d * d + 1.0;
        else if (d < 2.0)
            w = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
        sum += w;
        mine = k == i ? w : mine;
    }
    return mine / sum;
}

static double resize(const op_case *c, const xa_shape *out, const int64_t *o, const double *x)
{
    const xa_shape *in = &c->inputs[0];
    const xa_resize_kind kind = c->params.resize.kind;
    double sum = 0.0;
    for (int64_t iy = 0; iy < in->dim[0]; iy++)
        for (int64_t ix = 0; ix < in->dim[1]; ix++) {
            const double w = resize_weight(kind, o[0], iy, in->dim[0], out->dim[0]) *
                             resize_weight(kind, o[1], ix, in->dim[1], out->dim[1]);
            if (w != 0.0)
                sum += w * x[pixel(in, iy, ix, o[2])];
        }
    return sum;
}

void op_reference(const op_case *c,
                  const xa_shape *out,
                  const double *const *x,
                  const double *const *w,
                  double *y)
{
    for (int64_t i = 0; i < xa_shape_count(out); i++) {
        int64_t o[XA_MAX_DIMS] = {0};
        unravel(out, i, o);
        switch (c->op) {
        case XA_OP_CONV2D:
            y[i] = conv2d(c, o, x[0], w[0], w[1]);
            break;
        case XA_OP_DEPTHWISE:
            y[i] = depthwise(c, o, x[0], w[0], w[1]);
            break;
        case XA_OP_DENSE:
            y[i] = dense(c, i, x[0], w[0], w[1]);
            break;
        case XA_OP_AFFINE:
            y[i] = affine(c, i, x[0], w);
            break;
        case XA_OP_ACTIVATION:
            y[i] = xa_activate_ref(&c->params.activation, x[0][i]);
            break;
        case XA_OP_PRELU:
            y[i] = x[0][i] > 0.0 ? x[0][i] : x[0][i] * w[0][ravel(&c->weights[0], o)];
            break;
        case XA_OP_SOFTMAX:
            y[i] = softmax(c, i, x[0]);
            break;
        case XA_OP_LAYER_NORM:
            y[i] = layer_norm(c, i, x[0], w);
            break;
        case XA_OP_MAX_POOL:
        case XA_OP_AVG_POOL:
            y[i] = pool(c, o, x[0]);
            break;
        case XA_OP_GLOBAL_POOL:
            y[i] = global_pool(c, i, x[0]);
            break;
        case XA_OP_ADD:
        case XA_OP_SUBTRACT:
        case XA_OP_MULTIPLY:
        case XA_OP_AVERAGE:
        case XA_OP_MAXIMUM:
        case XA_OP_MINIMUM:
            y[i] = elementwise(c, o, x);
            break;
        case XA_OP_CONCAT:
            y[i] = concat(c, o, x);
            break;
        case XA_OP_PAD:
        case XA_OP_CROP:
            y[i] = edges(c, o, x[0]);
            break;
        case XA_OP_PERMUTE:
            y[i] = permute(c, o, x[0]);
            break;
        case XA_OP_RESIZE:
            y[i] = resize(c, out, o, x[0]);
            break;
        case XA_OP_TOKENS:
            y[i] = tokens(c, i, x[0], w);
            break;
        case XA_OP_ATTENTION:
            y[i] = attention(c, o, x);
            break;
        case XA_OP_INPUT:
        case XA_OP_RESHAPE:
        case XA_OP_COUNT:
            y[i] = x[0][i];
            break;
        }
    }
}
