/* A piece of a linear layer's output is a linear layer of some of its columns. Queries, keys and
 * values are often made by one product and then cut apart: three products cost as much, and nothing
 * is copied. The whole, which nobody reads then, is left out by the plan. */
#include "build.h"

/* DENSE, and the AFFINE that adds its bias (-1: none), which hold a run's values. */
typedef struct linear_end {
    int dense, affine;
    int64_t outer, extent, inner; /* its units: before the axis, on it, after it */
} linear_end;

static int behind_views(const xa_graph *g, int node)
{
    while (xa_graph_node(g, node)->op == XA_OP_RESHAPE)
        node = xa_graph_node(g, node)->inputs[0];
    return node;
}

static bool from_file(const xa_graph *g, int weight)
{
    return weight < 0 || xa_graph_weight(g, weight)->source >= 0;
}

static bool find_linear(const xa_graph *g, const xa__onnx_run *run, int axis, linear_end *e)
{
    int node = behind_views(g, run->node);
    const xa_node *at = xa_graph_node(g, node);
    *e = (linear_end){.affine = -1, .extent = 1, .inner = 1};
    if (at->op == XA_OP_AFFINE && at->weights[0] < 0 && at->weights[1] >= 0 && at->weights[2] < 0 &&
        at->weights[3] < 0 && from_file(g, at->weights[1])) {
        e->affine = node;
        node = behind_views(g, at->inputs[0]);
        at = xa_graph_node(g, node);
    }
    if (at->op != XA_OP_DENSE || !from_file(g, at->weights[0]) || !from_file(g, at->weights[1]) ||
        !xa__layout_together(&run->at, axis, true))
        return false;
    e->dense = node;
    int64_t units = 1;
    for (int i = run->at.natoms - 1; i >= 0 && units < at->params.dense.units; i--) {
        const int a = run->at.order[i];
        units *= run->at.extent[a];
        if (run->at.axis[a] == axis)
            e->extent *= run->at.extent[a];
        else if (e->extent == 1)
            e->inner *= run->at.extent[a];
    }
    e->outer = units / e->extent / e->inner;
    return units == at->params.dense.units && e->extent > 1 &&
           e->extent == xa__layout_extent(&run->at, axis);
}

/* The weight whose last loop is over units, over those of the piece alone. */
static xa_status narrowed(xa__onnx_build *b,
                          int weight,
                          const linear_end *e,
                          const xa__onnx_piece *p,
                          int *id,
                          xa_err *err)
{
    const xa_weight *have = xa_graph_weight(b->model->graph, weight);
    xa__onnx_weight w = b->weights[have->source];
    xa_shape shape = have->shape;
    const int last = w.ndim - 1;
    const int64_t step = w.stride[last];
    if (w.ndim + 2 > XA__ONNX_LOOPS)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "its weights have too many factors");
    w.extent[last] = e->outer;
    w.stride[last] = step * e->extent * e->inner;
    w.extent[last + 1] = p->count;
    w.stride[last + 1] = step * e->inner * p->step;
    w.extent[last + 2] = e->inner;
    w.stride[last + 2] = step;
    w.offset += p->first * e->inner * step;
    w.ndim += 2;
    shape.dim[shape.ndim - 1] = e->outer * p->count * e->inner;
    return xa__onnx_add_weight(b, &w, &shape, id, err);
}

xa_status xa__onnx_slice_linear(xa__onnx_build *b,
                                const xa__onnx_node *n,
                                xa__onnx_run *run,
                                const xa__onnx_piece *p,
                                bool *done,
                                xa_err *err)
{
    linear_end e;
    int id;
    *done = find_linear(b->model->graph, run, p->axis, &e);
    if (!*done)
        return XA_OK;
    const xa_node dense = *xa_graph_node(b->model->graph, e.dense);
    xa_node_spec spec = {.op = XA_OP_DENSE,
                         .inputs = dense.inputs,
                         .ninputs = 1,
                         .nweights = 2,
                         .weights = {-1, -1},
                         .params.dense.units = e.outer * p->count * e.inner};
    for (int i = 0; i < 2; i++)
        if (dense.weights[i] >= 0)
            XA_RETURN_TRY(err, narrowed(b, dense.weights[i], &e, p, &spec.weights[i], err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    if (e.affine >= 0) {
        const int beta = xa_graph_node(b->model->graph, e.affine)->weights[1], sum = id;
        xa_node_spec add = {
            .op = XA_OP_AFFINE, .inputs = &sum, .ninputs = 1, .nweights = 2, .weights = {-1, beta}};
        if (xa_shape_count(&xa_graph_weight(b->model->graph, beta)->shape) != 1)
            XA_RETURN_TRY(err, narrowed(b, beta, &e, p, &add.weights[1], err));
        XA_RETURN_TRY(err, xa__onnx_add(b, n, &add, &id, err));
    }
    run->node = id;
    run->at = xa__layout_replace(&run->at, p->axis, p->count);
    return XA_OK;
}
