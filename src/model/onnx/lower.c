/* Nodes become operators of the engine: the walk, and what all families use. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

const xa__onnx_run *xa__onnx_run_of(const xa__onnx_build *b, const xa__onnx_node *n, int i)
{
    if (i >= n->ninputs || n->inputs[i] < 0 || b->runs[n->inputs[i]].node < 0)
        return NULL;
    return &b->runs[n->inputs[i]];
}

void xa__onnx_made(
    xa__onnx_build *b, const xa__onnx_node *n, int i, int node, const xa__onnx_layout *at)
{
    if (i < n->noutputs && n->outputs[i] >= 0)
        b->runs[n->outputs[i]] = (xa__onnx_run){.node = node, .at = *at};
}

/* ---- operators ---- */

xa_status
xa__onnx_add(xa__onnx_build *b, const xa__onnx_node *n, xa_node_spec *spec, int *id, xa_err *err)
{
    spec->name = n->noutputs && n->outputs[0] >= 0 ? b->m->values[n->outputs[0]].name : n->name;
    return xa_graph_add(b->model->graph, spec, id, err);
}

xa_status xa__onnx_add_unary(xa__onnx_build *b,
                             const xa__onnx_node *n,
                             xa_op op,
                             const xa_op_params *params,
                             int input,
                             int *id,
                             xa_err *err)
{
    xa_node_spec spec = {.op = op, .inputs = &input, .ninputs = 1};
    if (params)
        spec.params = *params;
    return xa__onnx_add(b, n, &spec, id, err);
}

xa_status xa__onnx_view(xa__onnx_build *b,
                        const xa__onnx_node *n,
                        int node,
                        const xa_shape *shape,
                        int *id,
                        xa_err *err)
{
    *id = node;
    if (xa_shape_equal(&xa_graph_node(b->model->graph, node)->shape, shape))
        return XA_OK;
    /* a view of a view is one of what lies under both */
    const xa_node *seen = xa_graph_node(b->model->graph, node);
    if (seen->op == XA_OP_RESHAPE)
        return xa__onnx_view(b, n, seen->inputs[0], shape, id, err);
    return xa__onnx_add_unary(
        b, n, XA_OP_RESHAPE, &(xa_op_params){.reshape = *shape}, node, id, err);
}

/* ---- layouts ---- */

/* Neighbours in memory before and after as one axis, so that few are left. */
static int group_atoms(const xa__onnx_layout *l, const int *order, int64_t *extent, int *place)
{
    int start[XA__ONNX_ATOMS], n = 0;
    for (int i = 0; i < l->natoms; i++) {
        const bool joined =
            i && xa__layout_position(l, order[i]) == xa__layout_position(l, order[i - 1]) + 1;
        if (!joined)
            start[n++] = xa__layout_position(l, order[i]);
    }
    /* groups in the order of memory */
    for (int g = 0; g < n; g++) {
        int before = 0, next = l->natoms;
        for (int k = 0; k < n; k++) {
            before += start[k] < start[g];
            if (start[k] > start[g] && start[k] < next)
                next = start[k];
        }
        place[g] = before;
        extent[before] = 1;
        for (int i = start[g]; i < next; i++)
            extent[before] *= l->extent[l->order[i]];
    }
    return n;
}

xa_status xa__onnx_order(xa__onnx_build *b,
                         const xa__onnx_node *n,
                         const xa__onnx_run *run,
                         const int *order,
                         xa__onnx_run *out,
                         xa_err *err)
{
    int64_t extent[XA__ONNX_ATOMS];
    int place[XA__ONNX_ATOMS];
    xa_op_params params = {0};
    xa_shape shape = {0};
    int node;
    xa__onnx_run moved = *run;
    if (!memcmp(order, run->at.order, (size_t)run->at.natoms * sizeof *order)) {
        *out = *run;
        return XA_OK;
    }
    shape.ndim = group_atoms(&run->at, order, extent, place);
    if (shape.ndim > XA_MAX_DIMS)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: %s needs a transposition of %d axes, at most %d are made",
                       b->m->path,
                       n->op,
                       shape.ndim,
                       XA_MAX_DIMS);
    for (int i = 0; i < shape.ndim; i++) {
        shape.dim[i] = extent[i];
        params.permute.order[i] = place[i];
    }
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &node, err));
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_PERMUTE, &params, node, &moved.node, err));
    memcpy(moved.at.order, order, (size_t)run->at.natoms * sizeof *order);
    b->permutes++;
    xa_log(XA_LOG_DEBUG, "%s: %s transposes at run time", b->m->path, n->op);
    *out = moved;
    return XA_OK;
}

xa_status xa__onnx_image(
    xa__onnx_build *b, const xa__onnx_node *n, const xa__onnx_run *run, int *id, xa_err *err)
{
    static const int axes[3] = {2, 3, 1};
    int order[XA__ONNX_ATOMS], at = 0;
    xa__onnx_run image;
    xa_shape shape = {.ndim = 3};
    const int64_t batch = xa__layout_extent(&run->at, 0);
    if (batch > 1)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "it works on %" PRId64 " images at once", batch);
    for (int a = 0; a < 3; a++) {
        int count;
        const int first = xa__layout_atoms(&run->at, axes[a], &count);
        for (int i = 0; i < count; i++)
            order[at++] = first + i;
        shape.dim[a] = xa__layout_extent(&run->at, axes[a]);
    }
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, &image, err));
    return xa__onnx_view(b, n, image.node, &shape, id, err);
}

xa_status xa__onnx_rows(xa__onnx_build *b,
                        const xa__onnx_node *n,
                        const xa__onnx_run *run,
                        unsigned axes,
                        xa__onnx_run *out,
                        xa_err *err)
{
    int order[XA__ONNX_ATOMS];
    int64_t width = 1;
    for (int i = 0; i < run->at.natoms; i++)
        if (axes >> run->at.axis[i] & 1)
            width *= run->at.extent[i];
    xa__layout_last(&run->at, axes, order);
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, out, err));
    /* rows already: an image stays one */
    if (xa_shape_last(&xa_graph_node(b->model->graph, out->node)->shape) == width)
        return XA_OK;
    xa_shape shape = xa__layout_natural(&out->at);
    if (xa_shape_last(&shape) != width) {
        /* the axes' atoms as one extent, what is before them as it is */
        xa__onnx_layout before = {.rank = out->at.rank};
        for (int i = 0; i < out->at.natoms; i++) {
            const int a = out->at.order[i];
            if (axes >> out->at.axis[a] & 1)
                continue;
            before.axis[before.natoms] = out->at.axis[a];
            before.extent[before.natoms] = out->at.extent[a];
            before.order[before.natoms] = before.natoms;
            before.natoms++;
        }
        shape = xa__layout_natural(&before);
        if (before.natoms == 0)
            shape.ndim = 0;
        while (shape.ndim >= XA_MAX_DIMS) {
            shape.dim[0] *= shape.dim[1];
            memmove(shape.dim + 1, shape.dim + 2, (size_t)(shape.ndim - 2) * sizeof *shape.dim);
            shape.ndim--;
        }
        shape.dim[shape.ndim++] = width;
    }
    return xa__onnx_view(b, n, out->node, &shape, &out->node, err);
}

/* ---- weights ---- */

/* A weight of the same constant, read in the same way, is the same weight. */
static int find_weight(const xa__onnx_build *b, const xa__onnx_weight *w, const xa_shape *shape)
{
    const xa_graph *g = b->model->graph;
    for (int i = xa_graph_weights(g) - 1; i >= 0; i--) {
        const xa_weight *have = xa_graph_weight(g, i);
        if (have->source < 0 || !xa_shape_equal(&have->shape, shape))
            continue;
        const xa__onnx_weight *k = &b->weights[have->source];
        if (k->value == w->value && k->ndim == w->ndim && k->offset == w->offset &&
            !(k->scale < w->scale) && !(k->scale > w->scale) && k->reciprocal == w->reciprocal &&
            k->keeps == w->keeps &&
            !memcmp(k->extent, w->extent, (size_t)w->ndim * sizeof *w->extent) &&
            !memcmp(k->stride, w->stride, (size_t)w->ndim * sizeof *w->stride))
            return i;
    }
    return -1;
}

xa_status xa__onnx_add_weight(
    xa__onnx_build *b, const xa__onnx_weight *w, const xa_shape *shape, int *id, xa_err *err)
{
    enum { LOOKED_AT = 4096 }; /* beyond, a search for each would take long */
    const int known = xa_graph_weights(b->model->graph) < LOOKED_AT ? find_weight(b, w, shape) : -1;
    if (known >= 0) {
        *id = known;
        return XA_OK;
    }
    XA_RETURN_TRY(
        err,
        xa_grow(&b->weights, &b->weight_cap, (size_t)b->nweights + 1, sizeof *b->weights, err));
    b->weights[b->nweights] = *w;
    XA_RETURN_TRY(
        err,
        xa_graph_add_weight(
            b->model->graph, b->m->values[w->value].name, shape, b->nweights, NULL, id, err));
    b->nweights++;
    return XA_OK;
}

xa_status
xa__onnx_vector(xa__onnx_build *b, int value, int64_t n, double scale, int *id, xa_err *err)
{
    const int64_t have = xa__onnx_count(&b->m->values[value].shape);
    if (have != n && have != 1)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: \"%s\" has %" PRId64 " values, expected %" PRId64,
                       b->m->path,
                       b->m->values[value].name,
                       have,
                       n);
    return xa__onnx_add_weight(b,
                               &(xa__onnx_weight){.value = value,
                                                  .ndim = 1,
                                                  .extent = {n},
                                                  .stride = {have == 1 ? 0 : 1},
                                                  .scale = scale},
                               &(xa_shape){.ndim = 1, .dim = {n}},
                               id,
                               err);
}

/* ---- what most need ---- */

xa_status xa__onnx_activate(
    xa__onnx_build *b, const xa__onnx_node *n, xa_activation act, int input, int *id, xa_err *err)
{
    return xa__onnx_add_unary(
        b, n, XA_OP_ACTIVATION, &(xa_op_params){.activation = act}, input, id, err);
}

xa_status xa__onnx_scale(xa__onnx_build *b,
                         const xa__onnx_node *n,
                         double scale,
                         double shift,
                         int input,
                         int *id,
                         xa_err *err)
{
    const xa_shape one = {.ndim = 1, .dim = {1}};
    const float values[2] = {(float)scale, (float)shift};
    xa_node_spec spec = {
        .op = XA_OP_AFFINE, .inputs = &input, .ninputs = 1, .nweights = 2, .weights = {-1, -1}};
    if (values[0] < 1.0f || values[0] > 1.0f)
        XA_RETURN_TRY(err,
                      xa_graph_add_weight(
                          b->model->graph, "scale", &one, -1, &values[0], &spec.weights[0], err));
    if (values[1] < 0.0f || values[1] > 0.0f)
        XA_RETURN_TRY(err,
                      xa_graph_add_weight(
                          b->model->graph, "shift", &one, -1, &values[1], &spec.weights[1], err));
    if (spec.weights[0] < 0 && spec.weights[1] < 0) {
        *id = input;
        return XA_OK;
    }
    return xa__onnx_add(b, n, &spec, id, err);
}

/* ---- the walk ---- */

static bool depends_on_broken(xa__onnx_build *b, const xa__onnx_node *n)
{
    for (int i = 0; i < n->ninputs; i++) {
        const xa__onnx_value *v = xa__onnx_in(b, n, i);
        if (v && v->broken)
            return true;
    }
    return false;
}

static bool has_run(const xa__onnx_build *b, const xa__onnx_node *n)
{
    for (int i = 0; i < n->noutputs; i++)
        if (n->outputs[i] >= 0 && !b->m->values[n->outputs[i]].constant)
            return true;
    return false;
}

/* Operators that see to it themselves where their first input is a constant. */
static bool reads_any_input(const char *op)
{
    static const char *const names[] = {"Add",
                                        "Sub",
                                        "Mul",
                                        "Div",
                                        "Sum",
                                        "Max",
                                        "Min",
                                        "Pow",
                                        "MatMul",
                                        "Gemm",
                                        "Concat",
                                        "Mean",
                                        "Equal",
                                        "Less",
                                        "LessOrEqual",
                                        "Greater",
                                        "GreaterOrEqual",
                                        "And",
                                        "Or",
                                        "Where",
                                        "ScatterND",
                                        "Einsum",
                                        "Attention"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], op))
            return true;
    return false;
}

static xa_status lower_node(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    char name[256];
    xa_err why = XA_ERR_INIT;
    if (depends_on_broken(b, n)) {
        for (int i = 0; i < n->noutputs; i++)
            if (n->outputs[i] >= 0)
                b->m->values[n->outputs[i]].broken = true;
        return XA_OK;
    }
    if (!n->def->lower)
        return xa__onnx_refuse(
            b, n, err, "it is read of constants only, not of what depends on the image");
    const bool apart =
        !reads_any_input(n->op) && n->ninputs && n->inputs[0] >= 0 && !xa__onnx_run_of(b, n, 0);
    if (apart) /* a constant as a value of the engine, for this reader */
        XA_RETURN_TRY(err, xa__onnx_constant_run(b, n, n->inputs[0], &b->runs[n->inputs[0]], err));
    const xa_status st = n->def->lower(b, n, &why);
    if (apart)
        b->runs[n->inputs[0]].node = -1;
    if (st == XA_UNSUPPORTED || st == XA_SHAPE || st == XA_INVALID)
        return xa__onnx_refuse(b, n, err, "%s", why.message);
    if (st != XA_OK) {
        if (err)
            *err = why;
        return st;
    }
    for (int i = 0; i < n->noutputs; i++) {
        const xa__onnx_value *v = xa__onnx_out(b, n, i);
        if (!v || v->broken || !v->uses)
            continue;
        const xa__onnx_run *run = &b->runs[n->outputs[i]];
        const xa__onnx_shape made =
            run->node >= 0 ? xa__layout_shape(&run->at) : (xa__onnx_shape){0};
        if (run->node < 0 || !xa__onnx_shape_equal(&made, &v->shape) ||
            xa_shape_count(&xa_graph_node(b->model->graph, run->node)->shape) !=
                xa__onnx_count(&v->shape))
            return xa__onnx_refuse(
                b,
                n,
                err,
                "its output of %s was lowered as %s: a mistake of xaudit's",
                xa__onnx_shape_text(&v->shape, name, sizeof name / 2),
                xa__onnx_shape_text(&made, name + sizeof name / 2, sizeof name / 2));
    }
    return XA_OK;
}

xa_status xa__onnx_lower(xa__onnx_build *b, xa_err *err)
{
    for (int i = 0; i < b->m->nnodes; i++) {
        xa__onnx_node *n = &b->m->nodes[i];
        if (n->live && has_run(b, n))
            XA_RETURN_TRY(err, lower_node(b, n, err));
    }
    return XA_OK;
}
