/* Convolutions and Dense. */
#include <inttypes.h>

#include "layers.h"

/* Strides, dilation and padding of a convolution with a kernel of kh x kw. */
static xa_status read_window(const xa__ksite *s, xa_window *w, xa_err *err)
{
    const json_t *c = s->layer->config;
    int64_t kernel[2], strides[2], dilation[2];
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "kernel_size", 0, 1, kernel, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "strides", 1, 1, strides, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "dilation_rate", 1, 1, dilation, err));
    XA_RETURN_TRY(err, xa__ksite_padding(s, &w->padding, err));
    w->kh = kernel[0];
    w->kw = kernel[1];
    w->sh = strides[0];
    w->sw = strides[1];
    w->dh = dilation[0];
    w->dw = dilation[1];
    return XA_OK;
}

static xa_status finish(xa__ksite *s, int node, int *out, xa_err *err)
{
    return xa__ksite_activate(s, json_object_get(s->layer->config, "activation"), node, out, err);
}

static const xa__kslot conv_slots[] = {
    {"kernel", NULL, NULL, true, true, false},
    {"bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_conv2d(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int in, node, w[2];
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, read_window(s, &p.conv2d.window, err));
    const json_t *c = s->layer->config;
    const int64_t most = XA__KMAX_EXTENT;
    XA_RETURN_TRY(err, xa__kget_int(c, "filters", 0, 1, most, &p.conv2d.filters, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "groups", 1, 1, most, &p.conv2d.groups, err));
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in)), groups = p.conv2d.groups;
    if (channels % groups || p.conv2d.filters % groups)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%" PRId64 " groups divide neither %" PRId64 " input channels nor %" PRId64
                       " filters evenly",
                       groups,
                       channels,
                       p.conv2d.filters);
    const xa_window *win = &p.conv2d.window;
    const xa_shape kernel = xa__kshape4(win->kh, win->kw, channels / groups, p.conv2d.filters);
    const xa_shape bias = xa__kshape1(p.conv2d.filters);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &kernel, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &bias, NULL, &w[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_CONV2D, &in, 1, &p, w, 2, &node, err));
    return finish(s, node, out, err);
}

static const xa__kslot depthwise_slots[] = {
    {"depthwise_kernel", "kernel", NULL, true, true, false},
    {"bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_depthwise(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int in, node, w[2];
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, read_window(s, &p.depthwise.window, err));
    XA_RETURN_TRY(err,
                  xa__kget_int(s->layer->config,
                               "depth_multiplier",
                               1,
                               1,
                               XA__KMAX_EXTENT,
                               &p.depthwise.multiplier,
                               err));
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in)), m = p.depthwise.multiplier;
    const xa_window *win = &p.depthwise.window;
    const xa_shape kernel = xa__kshape4(win->kh, win->kw, channels, m);
    const xa_shape bias = xa__kshape1(channels * m);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &kernel, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &bias, NULL, &w[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_DEPTHWISE, &in, 1, &p, w, 2, &node, err));
    return finish(s, node, out, err);
}

static const xa__kslot separable_slots[] = {
    {"depthwise_kernel", NULL, NULL, true, true, false},
    {"pointwise_kernel", NULL, NULL, true, true, false},
    {"bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* A depthwise convolution without bias, then a pointwise one. */
static xa_status build_separable(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0}, q = {0};
    int in, node, w[2] = {-1, -1};
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, read_window(s, &p.depthwise.window, err));
    const json_t *c = s->layer->config;
    const int64_t most = XA__KMAX_EXTENT;
    XA_RETURN_TRY(err,
                  xa__kget_int(c, "depth_multiplier", 1, 1, most, &p.depthwise.multiplier, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "filters", 0, 1, most, &q.conv2d.filters, err));
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in)), m = p.depthwise.multiplier;
    const xa_window *win = &p.depthwise.window;
    const xa_shape depthwise = xa__kshape4(win->kh, win->kw, channels, m);
    const xa_shape pointwise = xa__kshape4(1, 1, channels * m, q.conv2d.filters);
    const xa_shape bias = xa__kshape1(q.conv2d.filters);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &depthwise, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_DEPTHWISE, &in, 1, &p, w, 2, &node, err));
    in = node;
    q.conv2d.groups = 1;
    q.conv2d.window = (xa_window){1, 1, 1, 1, 1, 1, XA_VALID, {0}};
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &pointwise, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 2, &bias, NULL, &w[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_CONV2D, &in, 1, &q, w, 2, &node, err));
    return finish(s, node, out, err);
}

static xa_status build_dense(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int in, node, w[2];
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(
        err, xa__kget_int(s->layer->config, "units", 0, 1, XA__KMAX_EXTENT, &p.dense.units, err));
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "quantization_config", err));
    const xa_shape kernel = xa__kshape2(xa_shape_last(xa__ksite_shape(s, in)), p.dense.units);
    const xa_shape bias = xa__kshape1(p.dense.units);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &kernel, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &bias, NULL, &w[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_DENSE, &in, 1, &p, w, 2, &node, err));
    return finish(s, node, out, err);
}

const xa__kclass xa__kclasses_conv[] = {
    {"Conv2D", build_conv2d, conv_slots, 0},
    {"DepthwiseConv2D", build_depthwise, depthwise_slots, 0},
    {"SeparableConv2D", build_separable, separable_slots, 0},
    {NULL, NULL, NULL, 0},
};

const xa__kclass xa__kclasses_dense[] = {
    {"Dense", build_dense, conv_slots, 0},
    {NULL, NULL, NULL, 0},
};
