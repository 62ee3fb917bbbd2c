/* dense: y = x W + b on the last axis; leading axes are rows. */
#include <inttypes.h>

#include "../linear.h"

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t units = node->params.dense.units;
    if (s->ndim < 1 || units < 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (dense): %" PRId64 " units on an input of %d dimensions",
                       node->name,
                       units,
                       s->ndim);
    XA_RETURN_TRY(
        err,
        xa_check_weight(
            g, node, 0, false, &(xa_shape){.ndim = 2, .dim = {xa_shape_last(s), units}}, err));
    XA_RETURN_TRY(err,
                  xa_check_weight(g, node, 1, true, &(xa_shape){.ndim = 1, .dim = {units}}, err));
    node->shape = *s;
    node->shape.dim[s->ndim - 1] = units;
    return XA_OK;
}

static int64_t rows_of(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return xa_shape_count(&node->shape) / node->params.dense.units;
}

static int64_t k_of(const xa_graph *g, const xa_node *node)
{
    return xa_shape_last(xa_input_shape(g, node, 0));
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    return xa_linear_scratch_bytes(n, rows_of(g, node), node->params.dense.units);
}

static xa_product product_of(const xa_graph *g, const xa_node *node)
{
    return xa__product_of(g, rows_of(g, node), 1, k_of(g, node), node->params.dense.units, 1);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    const xa_product p = product_of(g, node);
    return xa__product_bytes(&p);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const xa_product p = product_of(g, node);
    xa__product_pack(&p, w[0], w[1], fold, dst);
}

static void pack_columns(const xa_graph *g,
                         const xa_node *node,
                         const float *w,
                         int64_t first,
                         int64_t count,
                         const xa_fold *fold,
                         void *dst)
{
    const xa_product p = product_of(g, node);
    xa__product_pack_filters(&p, first, count, w, fold, dst);
}

static void forward(const xa_op_call *c)
{
    const xa_product p = product_of(c->graph, c->node);
    xa_linear_forward(c, &p, rows_of(c->graph, c->node));
}

static void backward(const xa_op_call *c)
{
    const xa_product p = product_of(c->graph, c->node);
    xa_linear_backward(c, &p, rows_of(c->graph, c->node));
}

static double flops(const xa_graph *g, const xa_node *node)
{
    return 2.0 * (double)k_of(g, node) * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_dense = {.name = "dense",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .flags = XA_OP_FOLDS | XA_OP_EPILOGUE | XA_OP_MASKS_DY,
                               .infer = infer,
                               .scratch_bytes = scratch_bytes,
                               .packed_bytes = packed_bytes,
                               .pack = pack,
                               .pack_columns = pack_columns,
                               .forward = forward,
                               .backward = backward,
                               .flops = flops};
