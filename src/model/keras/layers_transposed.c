/* Conv2DTranspose: the image with zeros between its pixels under the kernel turned round
 * (../transposed.c), padded as TensorFlow's gradient of a convolution is. */
#include <inttypes.h>
#include <stdlib.h>

#include "layers.h"
#include "model/model_internal.h"

static const xa__kslot slots[] = {
    {"kernel", NULL, NULL, true, true, false},
    {"bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* Extent and padding along one axis, `extra` the layer's output_padding, -1 if it has none. */
static void pad(xa__transposed_axis *a, xa_padding padding, int64_t extra)
{
    const int64_t span = a->kernel, all = (a->in - 1) * a->stride + span;
    if (extra >= 0)
        a->out = all + extra - (padding == XA_SAME ? span / 2 * 2 : 0);
    else if (padding == XA_SAME)
        a->out = a->in * a->stride;
    else
        a->out = a->in * a->stride + (span > a->stride ? span - a->stride : 0);
    /* what the convolution, whose gradient this is, would pad */
    const int64_t total = all - a->out;
    a->before = padding == XA_SAME && total > 0 ? total / 2 : 0;
}

static xa_status
read_axes(const xa__ksite *s, int in, xa__transposed_axis axes[2], int64_t *filters, xa_err *err)
{
    const json_t *c = s->layer->config;
    const xa_shape *x = xa__ksite_shape(s, in);
    int64_t kernel[2], strides[2], dilation[2], extra[2] = {-1, -1};
    xa_padding padding;
    XA_RETURN_TRY(err,
                  xa__ksite_known(s,
                                  "filters kernel_size strides padding output_padding data_format "
                                  "dilation_rate groups activation use_bias",
                                  err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "kernel_size", 0, 1, kernel, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "strides", 1, 1, strides, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "dilation_rate", 1, 1, dilation, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "filters", 0, 1, XA__KMAX_EXTENT, filters, err));
    XA_RETURN_TRY(err, xa__ksite_padding(s, &padding, err));
    if (dilation[0] != 1 || dilation[1] != 1)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "dilation_rate above 1, which backends of Keras pad differently");
    int64_t groups;
    XA_RETURN_TRY(err, xa__kget_int(c, "groups", 1, 1, 1, &groups, err));
    const json_t *given = json_object_get(c, "output_padding");
    if (given && !json_is_null(given))
        XA_RETURN_TRY(err, xa__kget_pair(c, "output_padding", 0, 0, extra, err));
    for (int i = 0; i < 2; i++) {
        xa__transposed_axis *a = &axes[i];
        *a = (xa__transposed_axis){
            .in = x->dim[i], .kernel = kernel[i], .stride = strides[i], .dilation = 1};
        if (extra[i] >= strides[i])
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "output_padding %" PRId64 " is not below the stride %" PRId64,
                           extra[i],
                           strides[i]);
        pad(a, padding, extra[i]);
        if (a->out < 1 || a->out > XA__KMAX_EXTENT)
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "its output has %" PRId64 " rows", a->out);
    }
    return XA_OK;
}

static xa_status
spread(const xa__ksite *s, const xa__transposed_axis *a, int axis, int in, int *out, xa_err *err)
{
    const int64_t count = a->out + (a->kernel - 1) * a->dilation;
    const xa_op_params p = {.gather.axis = axis};
    const xa_shape shape = xa__kshape1(count);
    xa_status st = XA_OK;
    int w;
    float *list = xa_alloc((size_t)count, sizeof *list);
    if (!list)
        XA_NOMEM_FAIL(err);
    xa__transposed_list(a, list);
    XA_TRY(err, xa_graph_add_weight(s->b->graph, "indices", &shape, -1, list, &w, err));
    XA_TRY(err, xa__ksite_node(s, XA_OP_GATHER, &in, 1, &p, &w, 1, out, err));
done:
    free(list);
    return st;
}

/* The kernel [kh,kw,F,C] turned round, as [kh,kw,C,F]; read now, since the engine reads weights as
 * they lie. */
static xa_status turned_kernel(xa__ksite *s, const xa_shape *shape, int *id, xa_err *err)
{
    const int64_t kh = shape->dim[0], kw = shape->dim[1], f = shape->dim[2], c = shape->dim[3];
    const xa_shape turned = xa__kshape4(kh, kw, c, f);
    const size_t count = (size_t)xa_shape_count(shape);
    xa_status st = XA_OK;
    int unused;
    float *raw = xa_alloc(count, sizeof *raw), *to = xa_alloc(count, sizeof *to);
    if (!raw || !to)
        XA_NOMEM_FAIL(err);
    XA_TRY(
        err,
        xa__ksite_weight(s, 0, shape, NULL, &unused, err)); /* counted, and its shape looked at */
    XA_TRY(err, xa__kfile_read(s->b->file, s->layer->tensor[0], shape, raw, err));
    for (int64_t k = 0; k < kh * kw; k++)
        for (int64_t i = 0; i < c; i++)
            for (int64_t o = 0; o < f; o++)
                to[((kh * kw - 1 - k) * c + i) * f + o] = raw[(k * f + o) * c + i];
    XA_TRY(err, xa_graph_add_weight(s->b->graph, "turned kernel", &turned, -1, to, id, err));
done:
    free(raw);
    free(to);
    return st;
}

static xa_status build_transposed(xa__ksite *s, int *out, xa_err *err)
{
    xa__transposed_axis axes[2];
    xa_op_params p = {0};
    int in, w[2];
    int64_t f;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, read_axes(s, in, axes, &f, err));
    const xa_shape kernel =
        xa__kshape4(axes[0].kernel, axes[1].kernel, f, xa_shape_last(xa__ksite_shape(s, in)));
    const xa_shape bias = xa__kshape1(f);
    if (s->layer->tensor[0] < 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "it has no kernel");
    for (int i = 0; i < 2; i++)
        XA_RETURN_TRY(err, spread(s, &axes[i], i, in, &in, err));
    XA_RETURN_TRY(err, turned_kernel(s, &kernel, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &bias, NULL, &w[1], err));
    p.conv2d.filters = f;
    p.conv2d.groups = 1;
    p.conv2d.window = (xa_window){.kh = axes[0].kernel,
                                  .kw = axes[1].kernel,
                                  .sh = 1,
                                  .sw = 1,
                                  .dh = axes[0].dilation,
                                  .dw = axes[1].dilation,
                                  .padding = XA_VALID};
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_CONV2D, &in, 1, &p, w, 2, out, err));
    return xa__ksite_activate(s, json_object_get(s->layer->config, "activation"), *out, out, err);
}

const xa__kclass xa__kclasses_transposed[] = {
    {"Conv2DTranspose", build_transposed, slots, 0},
    {NULL, NULL, NULL, 0},
};
