/* ConvTranspose: a convolution of the image with zeros between its pixels, by the kernel turned
 * round (Dumoulin and Visin 2016, section 4). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"
#include "window.h"

/* Along one axis. */
typedef struct side {
    int64_t in, out, kernel, stride, dilation, before, after; /* padding that is taken off */
} side;

typedef struct transposed {
    side y, x;
    int64_t groups, filters; /* filters of a group */
    bool good;
} transposed;

/* Padding from the extents that are wanted: an output_shape, or SAME. */
static void pad_for(side *s, int64_t out, int64_t extra, bool upper)
{
    const int64_t total = s->stride * (s->in - 1) + extra + (s->kernel - 1) * s->dilation + 1 - out;
    const int64_t small = (total - (total < 0 && total % 2)) / 2; /* rounded down */
    s->before = upper ? small : total - small;
    s->after = total - s->before;
    s->out = out;
}

static xa_status settings_of(xa__onnx_build *b, xa__onnx_node *n, transposed *t, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *w = &xa__onnx_in(b, n, 1)->shape;
    const int spatial = s->rank - 2;
    const char *mode = xa__onnx_string(b->m, n, "auto_pad", "NOTSET");
    int64_t kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1}, pads[4] = {0};
    int64_t extra[2] = {0, 0}, out[2] = {0, 0};
    *t = (transposed){.groups = xa__onnx_int(b->m, n, "group", 1)};
    if (spatial < 1 || spatial > 2)
        return xa__onnx_refuse(b, n, err, "it has %d spatial axes, 1 and 2 are read", spatial);
    for (int i = 0; i < spatial; i++)
        kernel[i] = w->rank == s->rank ? w->dim[2 + i] : 0;
    if (w->rank != s->rank || t->groups < 1 || s->dim[1] != w->dim[0] || w->dim[0] % t->groups ||
        !xa__onnx_list_of(b->m, n, "kernel_shape", spatial, kernel) ||
        !xa__onnx_list_of(b->m, n, "strides", spatial, stride) ||
        !xa__onnx_list_of(b->m, n, "dilations", spatial, dilation) ||
        !xa__onnx_list_of(b->m, n, "pads", 2 * spatial, pads) ||
        !xa__onnx_list_of(b->m, n, "output_padding", spatial, extra) ||
        !xa__onnx_list_of(b->m, n, "output_shape", spatial, out))
        return xa__onnx_refuse(b, n, err, "its weights or settings do not fit its input");
    t->filters = w->dim[1];
    for (int i = 0; i < spatial; i++) {
        side *a = spatial == 1 || i == 1 ? &t->x : &t->y;
        *a = (side){.in = s->dim[2 + i],
                    .kernel = kernel[i],
                    .stride = stride[i],
                    .dilation = dilation[i],
                    .before = pads[i],
                    .after = pads[spatial + i]};
        if (kernel[i] != w->dim[2 + i] || kernel[i] < 1 || kernel[i] > 65536 || stride[i] < 1 ||
            stride[i] > 65536 || dilation[i] < 1 || dilation[i] > 65536 || extra[i] < 0 ||
            extra[i] > 65536 || pads[i] < 0 || pads[i] > 65536 || pads[spatial + i] < 0 ||
            pads[spatial + i] > 65536 || out[i] < 0 || out[i] > 65536)
            return xa__onnx_refuse(b, n, err, "a setting of its window is absurd");
        if (out[i] > 0)
            pad_for(a, out[i], extra[i], !strcmp(mode, "SAME_UPPER"));
        else if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER"))
            pad_for(a, a->in * a->stride, extra[i], !strcmp(mode, "SAME_UPPER"));
        else if (!strcmp(mode, "VALID"))
            a->before = a->after = 0;
        a->out = a->stride * (a->in - 1) + extra[i] + (a->kernel - 1) * a->dilation + 1 -
                 a->before - a->after;
        if (a->out < 1 || a->out > 1 << 20 || (a->kernel - 1) * a->dilation > 1 << 20)
            return xa__onnx_refuse(b, n, err, "nothing, or too much, is left of an axis");
    }
    if (spatial == 1)
        t->y = (side){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
    t->good = true;
    return XA_OK;
}

static xa_status transposed_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *w = xa__onnx_in(b, n, 1), *bias = xa__onnx_in(b, n, 2);
    xa__onnx_shape s = xa__onnx_in(b, n, 0)->shape;
    transposed t;
    if (!w->constant || (bias && !bias->constant))
        return xa__onnx_refuse(b, n, err, "its weights depend on the image");
    XA_RETURN_TRY(err, settings_of(b, n, &t, err));
    if (!t.good)
        return XA_OK;
    s.dim[1] = t.groups * t.filters;
    s.dim[s.rank - 1] = t.x.out;
    if (s.rank == 4)
        s.dim[2] = t.y.out;
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &s, err);
}

/* Pixels `stride` apart and as much around them as a window over the output needs; what the padding
 * takes off may reach beyond the zeros. */
static xa_status
spread(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int axis, const side *s, xa_err *err)
{
    const int64_t count = s->out + (s->kernel - 1) * s->dilation;
    float *list = NULL;
    XA_RETURN_TRY(err, xa__onnx_floats(b, count, &list, err));
    xa__transposed_list(&(xa__transposed_axis){.in = s->in,
                                               .out = s->out,
                                               .kernel = s->kernel,
                                               .stride = s->stride,
                                               .dilation = s->dilation,
                                               .before = s->before},
                        list);
    const xa_status st = xa__onnx_gather_run(b, n, run, axis, list, count, err);
    free(list);
    return st;
}

/* W [C, F/groups, kh, kw], read backwards. */
static xa_status turned_kernel(
    xa__onnx_build *b, const xa__onnx_node *n, const transposed *t, int64_t c, int *id, xa_err *err)
{
    const int64_t kh = t->y.kernel, kw = t->x.kernel, of = c / t->groups, f = t->filters;
    const xa_shape shape = {.ndim = 4, .dim = {kh, kw, of, t->groups * f}};
    return xa__onnx_add_weight(
        b,
        &(xa__onnx_weight){.value = n->inputs[1],
                           .ndim = 5,
                           .extent = {kh, kw, of, t->groups, f},
                           .stride = {-kw, -1, f * kh * kw, of * f * kh * kw, kh * kw},
                           .offset = kh * kw - 1,
                           .scale = 1.0},
        &shape,
        id,
        err);
}

static xa_status transposed_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = {0};
    transposed t;
    int node, id;
    XA_RETURN_TRY(err, settings_of(b, n, &t, err));
    XA_RETURN_TRY(err, xa__onnx_window_input(b, n, &node, err));
    const int64_t c = xa__onnx_in(b, n, 0)->shape.dim[1];
    run.node = node;
    run.at = xa__layout_image(c, t.y.in, t.x.in);
    XA_RETURN_TRY(err, spread(b, n, &run, 2, &t.y, err));
    XA_RETURN_TRY(err, spread(b, n, &run, 3, &t.x, err));
    XA_RETURN_TRY(err, xa__onnx_image(b, n, &run, &node, err));
    xa_node_spec spec = {.op = XA_OP_CONV2D,
                         .inputs = &node,
                         .ninputs = 1,
                         .nweights = 2,
                         .weights = {-1, -1},
                         .params.conv2d = {.window = {.kh = t.y.kernel,
                                                      .kw = t.x.kernel,
                                                      .sh = 1,
                                                      .sw = 1,
                                                      .dh = t.y.dilation,
                                                      .dw = t.x.dilation,
                                                      .padding = XA_VALID},
                                           .filters = t.groups * t.filters,
                                           .groups = t.groups}};
    XA_RETURN_TRY(err, turned_kernel(b, n, &t, c, &spec.weights[0], err));
    if (xa__onnx_in(b, n, 2))
        XA_RETURN_TRY(
            err,
            xa__onnx_vector(b, n->inputs[2], t.groups * t.filters, 1.0, &spec.weights[1], err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    xa__onnx_window_made(b, n, id);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_transposed[] = {
    {"ConvTranspose", 2, 3, transposed_infer, NULL, transposed_lower}, {0}};
