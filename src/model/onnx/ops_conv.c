/* Convolutions and batch normalisation. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "window.h"

/* ---- windows: what convolutions and pools share ---- */

bool xa__onnx_list_of(
    const xa__onnx *m, const xa__onnx_node *n, const char *name, int count, int64_t *list)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(m, n, name);
    if (!a)
        return true;
    if (a->kind != XA__ONNX_ATTR_INTS || a->n != count)
        return false;
    for (int i = 0; i < count; i++)
        list[i] = a->ints[i];
    return true;
}

/* TensorFlow's SAME; `upper`: what cannot be halved is more after. */
static void pad_same(xa__onnx_window *w, bool upper)
{
    xa_window *v = &w->window;
    const int64_t span[2] = {(v->kh - 1) * v->dh + 1, (v->kw - 1) * v->dw + 1};
    const int64_t step[2] = {v->sh, v->sw};
    int64_t before[2], after[2];
    for (int i = 0; i < 2; i++) {
        const int64_t out = (w->in[i] + step[i] - 1) / step[i];
        const int64_t total = (out - 1) * step[i] + span[i] - w->in[i];
        before[i] = total > 0 ? (upper ? total / 2 : (total + 1) / 2) : 0;
        after[i] = total > 0 ? total - before[i] : 0;
    }
    v->edges.top = before[0];
    v->edges.left = before[1];
    v->edges.bottom = after[0];
    v->edges.right = after[1];
    v->edges.ceil = false;
}

/* An only window that reaches beyond the end, as ceil_mode lets it, has what is there. */
static void cut_off(xa__onnx_window *w)
{
    xa_window *v = &w->window;
    for (int i = 0; v->edges.ceil && i < 2; i++) {
        int64_t *span = i ? &v->kw : &v->kh;
        const int64_t there =
            w->in[i] + (i ? v->edges.left + v->edges.right : v->edges.top + v->edges.bottom);
        if ((i ? v->dw : v->dh) == 1 && *span > there && *span - there < (i ? v->sw : v->sh))
            *span = there;
    }
}

xa_status xa__onnx_window_of(
    xa__onnx_build *b, xa__onnx_node *n, const int64_t kernel[2], xa__onnx_window *w, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int spatial = s->rank - 2;
    const char *mode = xa__onnx_string(b->m, n, "auto_pad", "NOTSET");
    int64_t k[2] = {kernel[0], kernel[1]}, stride[2] = {1, 1}, dilation[2] = {1, 1}, pads[4] = {0};
    w->good = false;
    if (spatial < 1 || spatial > 2)
        return xa__onnx_refuse(b, n, err, "it has %d spatial axes, 1 and 2 are read", spatial);
    if (!xa__onnx_list_of(b->m, n, "kernel_shape", spatial, k) ||
        !xa__onnx_list_of(b->m, n, "strides", spatial, stride) ||
        !xa__onnx_list_of(b->m, n, "dilations", spatial, dilation) ||
        !xa__onnx_list_of(b->m, n, "pads", 2 * spatial, pads))
        return xa__onnx_refuse(b, n, err, "its window has not %d axes", spatial);
    if (spatial == 1) { /* one row */
        const xa__onnx_window one = {.window = {.kh = 1,
                                                .kw = k[0],
                                                .sh = 1,
                                                .sw = stride[0],
                                                .dh = 1,
                                                .dw = dilation[0],
                                                .padding = XA_EXPLICIT,
                                                .edges.left = pads[0],
                                                .edges.right = pads[1]},
                                     .in = {1, s->dim[2]}};
        *w = one;
    } else {
        const xa__onnx_window two = {.window = {.kh = k[0],
                                                .kw = k[1],
                                                .sh = stride[0],
                                                .sw = stride[1],
                                                .dh = dilation[0],
                                                .dw = dilation[1],
                                                .padding = XA_EXPLICIT,
                                                .edges.top = pads[0],
                                                .edges.left = pads[1],
                                                .edges.bottom = pads[2],
                                                .edges.right = pads[3]},
                                     .in = {s->dim[2], s->dim[3]}};
        *w = two;
    }
    xa_window *v = &w->window;
    const int64_t settings[6] = {v->kh, v->kw, v->sh, v->sw, v->dh, v->dw};
    const int64_t edges[4] = {v->edges.top, v->edges.left, v->edges.bottom, v->edges.right};
    for (int i = 0; i < 6; i++)
        if (settings[i] < 1 || settings[i] > 65536)
            return xa__onnx_refuse(b, n, err, "its window has a setting of %" PRId64, settings[i]);
    for (int i = 0; i < 4; i++)
        if (edges[i] < 0 || edges[i] > 65536)
            return xa__onnx_refuse(b, n, err, "it has a padding of %" PRId64, edges[i]);
    v->edges.ceil = xa__onnx_int(b->m, n, "ceil_mode", 0) != 0;
    if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER")) {
        pad_same(w, !strcmp(mode, "SAME_UPPER"));
    } else if (!strcmp(mode, "VALID")) {
        v->edges.top = v->edges.left = v->edges.bottom = v->edges.right = 0;
    } else if (strcmp(mode, "NOTSET") != 0) {
        return xa__onnx_refuse(b, n, err, "its auto_pad \"%s\" is not read", mode);
    }
    cut_off(w);
    for (int i = 0; i < 2; i++) {
        w->out[i] = xa_window_extent(v, i == 0, w->in[i]);
        if (w->out[i] < 1)
            return xa__onnx_refuse(b,
                                   n,
                                   err,
                                   "its window does not fit an input of %" PRId64 "x%" PRId64
                                   ": a larger image is needed",
                                   w->in[0],
                                   w->in[1]);
    }
    w->good = true;
    return XA_OK;
}

xa_status xa__onnx_window_set(xa__onnx_build *b,
                              const xa__onnx_node *n,
                              const xa__onnx_window *w,
                              int64_t channels,
                              xa_err *err)
{
    xa__onnx_shape s = xa__onnx_in(b, n, 0)->shape;
    s.dim[1] = channels;
    s.dim[s.rank - 1] = w->out[1];
    if (s.rank == 4)
        s.dim[2] = w->out[0];
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &s, err);
}

xa_status xa__onnx_window_input(xa__onnx_build *b, const xa__onnx_node *n, int *node, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    if (run.at.rank == 3) {
        run.at.rank = 4;
        for (int i = 0; i < run.at.natoms; i++)
            run.at.axis[i] += run.at.axis[i] == 2;
    }
    return xa__onnx_image(b, n, &run, node, err);
}

void xa__onnx_window_made(xa__onnx_build *b, const xa__onnx_node *n, int node)
{
    const xa__onnx_shape *s = &xa__onnx_out(b, n, 0)->shape;
    xa__onnx_layout at = s->rank == 4 ? xa__layout_image(s->dim[1], s->dim[2], s->dim[3])
                                      : xa__layout_image(s->dim[1], 1, s->dim[2]);
    if (s->rank == 3) {
        at.rank = 3;
        for (int i = 0; i < at.natoms; i++)
            at.axis[i] -= at.axis[i] == 3;
    }
    xa__onnx_made(b, n, 0, node, &at);
}

/* ---- Conv ---- */

static xa_status conv_window(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_window *w, xa_err *err)
{
    const xa__onnx_shape *k = &xa__onnx_in(b, n, 1)->shape;
    const int64_t kernel[2] = {k->dim[2], k->rank > 3 ? k->dim[3] : 1};
    XA_RETURN_TRY(err, xa__onnx_window_of(b, n, kernel, w, err));
    w->window.edges.ceil = false;
    return XA_OK;
}

static xa_status conv_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *k = xa__onnx_in(b, n, 1),
                         *bias = xa__onnx_in(b, n, 2);
    const int64_t groups = xa__onnx_int(b->m, n, "group", 1);
    char one[128], two[128];
    xa__onnx_window w;
    if (!k->constant || (bias && !bias->constant))
        return xa__onnx_refuse(b, n, err, "its weights depend on the image");
    if (k->shape.rank != x->shape.rank || x->shape.rank < 3 || groups < 1 ||
        x->shape.dim[1] != k->shape.dim[1] * groups || k->shape.dim[0] % groups ||
        (bias && xa__onnx_count(&bias->shape) != k->shape.dim[0]))
        return xa__onnx_refuse(b,
                               n,
                               err,
                               "an input of %s does not fit weights of %s in %" PRId64 " groups",
                               xa__onnx_shape_text(&x->shape, one, sizeof one),
                               xa__onnx_shape_text(&k->shape, two, sizeof two),
                               groups);
    XA_RETURN_TRY(err, conv_window(b, n, &w, err));
    if (!w.good)
        return XA_OK;
    if (w.window.kh * w.window.kw * k->shape.dim[1] * k->shape.dim[0] != xa__onnx_count(&k->shape))
        return xa__onnx_refuse(b, n, err, "its kernel_shape is not that of its weights");
    return xa__onnx_window_set(b, n, &w, k->shape.dim[0], err);
}

static xa_status conv_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *k = &xa__onnx_in(b, n, 1)->shape;
    const int64_t groups = xa__onnx_int(b->m, n, "group", 1), f = k->dim[0], cg = k->dim[1];
    xa__onnx_window w;
    int node, id;
    XA_RETURN_TRY(err, conv_window(b, n, &w, err));
    XA_RETURN_TRY(err, xa__onnx_window_input(b, n, &node, err));
    const int64_t kh = w.window.kh, kw = w.window.kw;
    const bool depthwise = groups > 1 && cg == 1;
    xa_node_spec spec = {.inputs = &node, .ninputs = 1, .nweights = 2, .weights = {-1, -1}};
    xa__onnx_weight weight = {.value = n->inputs[1], .ndim = 4, .scale = 1.0};
    xa_shape shape;
    if (depthwise) {
        const int64_t m = f / groups;
        spec.op = XA_OP_DEPTHWISE;
        spec.params.depthwise.window = w.window;
        spec.params.depthwise.multiplier = m;
        shape = (xa_shape){.ndim = 4, .dim = {kh, kw, groups, m}};
        const int64_t stride[4] = {kw, 1, m * kh * kw, kh * kw};
        memcpy(weight.stride, stride, sizeof stride);
    } else {
        spec.op = XA_OP_CONV2D;
        spec.params.conv2d.window = w.window;
        spec.params.conv2d.filters = f;
        spec.params.conv2d.groups = groups;
        shape = (xa_shape){.ndim = 4, .dim = {kh, kw, cg, f}};
        const int64_t stride[4] = {kw, 1, kh * kw, cg * kh * kw};
        memcpy(weight.stride, stride, sizeof stride);
    }
    memcpy(weight.extent, shape.dim, 4 * sizeof *shape.dim);
    XA_RETURN_TRY(err, xa__onnx_add_weight(b, &weight, &shape, &spec.weights[0], err));
    if (xa__onnx_in(b, n, 2))
        XA_RETURN_TRY(err, xa__onnx_vector(b, n->inputs[2], f, 1.0, &spec.weights[1], err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    xa__onnx_window_made(b, n, id);
    return XA_OK;
}

/* ---- BatchNormalization ---- */

static xa_status batch_norm_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    if (x->shape.rank < 2)
        return xa__onnx_refuse(b, n, err, "its input has no channels");
    /* of a constant that is weight standardisation (Qiao et al. 2019), whatever the mode */
    if ((xa__onnx_int(b->m, n, "training_mode", 0) != 0 && !x->constant) ||
        (b->m->opset < 7 && xa__onnx_int(b->m, n, "is_test", 0) == 0 && n->noutputs > 1) ||
        xa__onnx_int(b->m, n, "spatial", 1) == 0)
        return xa__onnx_refuse(
            b, n, err, "it normalises by the batch; export the model in evaluation mode");
    for (int i = 1; i < 5; i++) {
        const xa__onnx_value *w = xa__onnx_in(b, n, i);
        if (!w->constant || xa__onnx_count(&w->shape) != x->shape.dim[1])
            return xa__onnx_refuse(b,
                                   n,
                                   err,
                                   "its input %d is not a constant of %" PRId64 " values",
                                   i,
                                   x->shape.dim[1]);
    }
    return xa__onnx_infer_same(b, n, err);
}

/* Mean and variance of a channel of constants, as training mode takes them. */
static void
statistics(const double *x, const xa__onnx_shape *s, int64_t channel, double *mean, double *var)
{
    int64_t inner = 1;
    for (int i = 2; i < s->rank; i++)
        inner *= s->dim[i];
    double sum = 0.0, squares = 0.0;
    const double count = (double)(s->dim[0] * inner);
    for (int64_t k = 0; k < s->dim[0] * inner; k++)
        sum += x[(k / inner * s->dim[1] + channel) * inner + k % inner];
    *mean = sum / count;
    for (int64_t k = 0; k < s->dim[0] * inner; k++) {
        const double d = x[(k / inner * s->dim[1] + channel) * inner + k % inner] - *mean;
        squares += d * d;
    }
    *var = squares / count;
}

/* Of weights: weight standardisation makes them so. */
static xa_status batch_norm_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const double epsilon = xa__onnx_float(b->m, n, "epsilon", 1e-5);
    const double *v[5];
    double *data;
    int64_t inner = 1;
    for (int i = 0; i < 5; i++)
        v[i] = xa__onnx_data(b, n->inputs[i]);
    for (int i = 2; i < s->rank; i++)
        inner *= s->dim[i];
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const bool training = xa__onnx_int(b->m, n, "training_mode", 0) != 0;
    for (int64_t c = 0; c < s->dim[1]; c++) {
        double mean = v[3][c], var = v[4][c];
        if (training)
            statistics(v[0], s, c, &mean, &var);
        const double root = sqrt(var + epsilon);
        for (int64_t k = 0; k < s->dim[0] * inner; k++) {
            const int64_t i = (k / inner * s->dim[1] + c) * inner + k % inner;
            data[i] = (v[0][i] - mean) / root * v[1][c] + v[2][c];
        }
    }
    return XA_OK;
}

static xa_status batch_norm_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const int64_t channels = xa__layout_extent(&x->at, 1);
    xa__onnx_run rows;
    int id;
    xa_node_spec spec = {.op = XA_OP_AFFINE,
                         .ninputs = 1,
                         .nweights = 4,
                         .params.affine.epsilon = (float)xa__onnx_float(b->m, n, "epsilon", 1e-5)};
    if (!xa__layout_together(&x->at, 1, true))
        return xa__onnx_refuse(b, n, err, "its channels lie apart");
    XA_RETURN_TRY(err, xa__onnx_rows(b, n, x, 1u << 1, &rows, err));
    for (int i = 0; i < 4; i++)
        XA_RETURN_TRY(err,
                      xa__onnx_vector(b, n->inputs[1 + i], channels, 1.0, &spec.weights[i], err));
    spec.inputs = &rows.node;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    xa__onnx_made(b, n, 0, id, &rows.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_conv[] = {
    {"Conv", 2, 3, conv_infer, NULL, conv_lower},
    {"BatchNormalization", 5, 5, batch_norm_infer, batch_norm_fold, batch_norm_lower},
    {0}};
