/* conv2d: cross-correlation, NHWC, any stride, dilation and number of groups, VALID or TensorFlow's
 * SAME.
 *
 *   y[p,f] = sum_{t,c} x[p*stride + t*dilation - pad, c] w[t,c,f]
 *
 * It is a product of rows [pixels, KH*KW*C/groups] and a matrix, one group at a time. With a 1x1
 * kernel and stride 1 the rows are those of x (linear.c); if a pixel has enough channels, they are
 * read where they lie, one piece per tap (conv2d_implicit.c); few channels are gathered first
 * (conv2d_gather.c). If the graph's numerics are fast, 3x3 kernels go by Winograd's filtering
 * (conv2d_winograd.c).
 */
#include "conv2d.h"

#include <inttypes.h>

/* Tiles of Winograd's filtering, 0: none. */
static int winograd_of(const xa_graph *g, const xa_conv *q)
{
    return xa_graph_numerics(g) == XA_NUMERICS_FAST ? xa_conv_winograd(q) : 0;
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int64_t filters = node->params.conv2d.filters, groups = node->params.conv2d.groups;
    const xa_window *w = &node->params.conv2d.window;
    xa_axis ay, ax;
    XA_RETURN_TRY(err, xa_window_axes(g, node, w, &ay, &ax, err));
    const int64_t c = xa_input_shape(g, node, 0)->dim[2];
    if (groups < 1 || filters < 1 || c % groups || filters % groups)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (conv2d): %" PRId64 " groups must divide %" PRId64
                       " channels and %" PRId64 " filters",
                       node->name,
                       groups,
                       c,
                       filters);
    XA_RETURN_TRY(
        err,
        xa_check_weight(g,
                        node,
                        0,
                        false,
                        &(xa_shape){.ndim = 4, .dim = {w->kh, w->kw, c / groups, filters}},
                        err));
    XA_RETURN_TRY(err,
                  xa_check_weight(g, node, 1, true, &(xa_shape){.ndim = 1, .dim = {filters}}, err));
    node->shape = (xa_shape){.ndim = 3, .dim = {ay.out, ax.out, filters}};
    return XA_OK;
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    const xa_conv q = xa_conv_of(g, node);
    const int tiles = winograd_of(g, &q);
    return tiles                      ? xa_conv_winograd_bytes(&q, tiles, n)
           : xa_conv_is_pointwise(&q) ? xa_linear_scratch_bytes(n, q.pixels, q.f)
           : xa_conv_is_thin(&q)      ? xa_conv_gather_bytes(&q)
                                      : xa_conv_implicit_bytes(&q, n);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    const xa_conv q = xa_conv_of(g, node);
    const int tiles = winograd_of(g, &q);
    if (tiles)
        return xa_conv_winograd_matrix_bytes(&q, tiles) + (size_t)q.f * sizeof(float);
    const xa_product p = xa_conv_product(g, &q);
    return xa__product_bytes(&p);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const xa_conv q = xa_conv_of(g, node);
    const int tiles = winograd_of(g, &q);
    if (tiles) {
        xa_conv_winograd_pack(&q, tiles, w[0], fold ? fold->scale : NULL, dst);
        xa__bias_pack(
            q.f, w[1], fold, (float *)((char *)dst + xa_conv_winograd_matrix_bytes(&q, tiles)));
        return;
    }
    const xa_product p = xa_conv_product(g, &q);
    xa__product_pack(&p, w[0], w[1], fold, dst);
}

static void forward(const xa_op_call *c)
{
    const xa_conv q = xa_conv_of(c->graph, c->node);
    const xa_product p = xa_conv_product(c->graph, &q);
    const int tiles = winograd_of(c->graph, &q);
    if (tiles)
        xa_conv_winograd_forward(c, &q, tiles);
    else if (xa_conv_is_pointwise(&q))
        xa_linear_forward(c, &p, q.pixels);
    else if (xa_conv_is_thin(&q))
        xa_conv_gather_forward(c, &q, &p);
    else
        xa_conv_implicit_forward(c, &q, &p);
}

static void backward(const xa_op_call *c)
{
    const xa_conv q = xa_conv_of(c->graph, c->node);
    const xa_product p = xa_conv_product(c->graph, &q);
    const int tiles = winograd_of(c->graph, &q);
    if (tiles)
        xa_conv_winograd_backward(c, &q, tiles);
    else if (xa_conv_is_pointwise(&q))
        xa_linear_backward(c, &p, q.pixels);
    else if (xa_conv_is_thin(&q))
        xa_conv_gather_backward(c, &q, &p);
    else
        xa_conv_implicit_backward(c, &q, &p);
}

static double flops(const xa_graph *g, const xa_node *node)
{
    const xa_conv q = xa_conv_of(g, node);
    return 2.0 * (double)q.k * (double)q.pixels * (double)q.f;
}

const xa_op_def xa_op_conv2d = {.name = "conv2d",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .flags = XA_OP_FOLDS | XA_OP_EPILOGUE | XA_OP_MASKS_DY,
                                .infer = infer,
                                .scratch_bytes = scratch_bytes,
                                .packed_bytes = packed_bytes,
                                .pack = pack,
                                .forward = forward,
                                .backward = backward,
                                .flops = flops};
