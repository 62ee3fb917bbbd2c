/* Attention as one operator of the engine, and what a pattern found of it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "attention.h"
#include "runs.h"

/* ---- constants of the scores ---- */

typedef struct loops {
    int n;
    int64_t extent[XA__ONNX_LOOPS], stride[XA__ONNX_LOOPS];
    bool moves;
} loops;

/* In front of those that are there. */
static void put(loops *l, int64_t extent, int64_t stride)
{
    if (extent == 1)
        return;
    for (int i = l->n; i > 0; i--) {
        l->extent[i] = l->extent[i - 1];
        l->stride[i] = l->stride[i - 1];
    }
    l->extent[0] = extent;
    l->stride[0] = stride;
    l->n++;
    l->moves = l->moves || stride != 0;
}

static void append(xa__onnx_weight *w, const loops *l)
{
    for (int i = 0; i < l->n; i++) {
        w->extent[w->ndim] = l->extent[i];
        w->stride[w->ndim++] = l->stride[i];
    }
}

bool xa__onnx_added_weight(const xa__onnx_build *b,
                           const xa__onnx_added *a,
                           int64_t heads,
                           xa__onnx_weight *w,
                           unsigned *depends)
{
    const xa__onnx_shape *have = &b->m->values[a->value].shape;
    loops of_pair = {0}, of_heads = {0}, of_groups = {0};
    int64_t stride = 1, inside = 1;
    for (int i = a->at.rank - 1; i >= 0; i--) {
        const int d = i - (a->at.rank - have->rank);
        const int64_t own = d < 0 ? 1 : have->dim[d], step = own == 1 ? 0 : stride;
        const int64_t extent = a->at.dim[i];
        stride *= own;
        if (i >= a->at.rank - 2) {
            put(&of_pair, extent, step);
            continue;
        }
        const int64_t room = heads / inside;
        if (extent <= room ? room % extent : extent % room)
            return false;
        const int64_t here = extent <= room ? extent : room;
        put(&of_heads, here, step);
        put(&of_groups, extent / here, step * here);
        inside *= here;
    }
    *depends = (of_heads.moves ? XA__ONNX_BY_HEAD : 0) | (of_groups.moves ? XA__ONNX_BY_GROUP : 0);
    *w = (xa__onnx_weight){.value = a->value,
                           .scale = a->scale,
                           .keeps = b->m->values[a->value].type == XA__ONNX_BOOL};
    if (of_groups.moves)
        append(w, &of_groups);
    if (of_heads.moves)
        append(w, &of_heads);
    append(w, &of_pair);
    return true;
}

bool xa__onnx_add_to_form(const xa__onnx_build *b,
                          struct xa__onnx_form *form,
                          const xa__onnx_added *a)
{
    xa__onnx_weight w;
    unsigned depends;
    if (!xa__onnx_added_weight(b, a, form->heads, &w, &depends))
        return false;
    int at = depends == XA__ONNX_BY_GROUP ? XA__ONNX_MASK : XA__ONNX_BIAS;
    if (form->has[at] && !depends && form->groups == 1)
        at = XA__ONNX_MASK; /* a mask of all heads beside a bias */
    if (form->has[at])
        return false;
    form->has[at] = true;
    form->added[at] = *a;
    return true;
}

/* A constant of the scores as a weight; one of neither head nor group is the bias of all, or the
 * mask of the only group. */
static xa_status added_weight(xa__onnx_build *b,
                              const struct xa__onnx_form *form,
                              const xa__onnx_added *a,
                              int64_t square[2],
                              int *id,
                              xa_err *err)
{
    xa__onnx_weight w;
    unsigned depends;
    xa_shape shape = {.ndim = 3, .dim = {1, square[0], square[1]}};
    xa__onnx_added_weight(b, a, form->heads, &w, &depends);
    if (depends & XA__ONNX_BY_HEAD)
        shape.dim[0] *= form->heads;
    if (depends & XA__ONNX_BY_GROUP)
        shape.dim[0] *= form->groups;
    return xa__onnx_add_weight(b, &w, &shape, id, err);
}

/* ---- heads ---- */

/* A live node that reads the value. */
static const xa__onnx_node *reader_of(const xa__onnx_build *b, int value)
{
    for (int i = b->m->values[value].node + 1; i < b->m->nnodes; i++) {
        const xa__onnx_node *n = &b->m->nodes[i];
        for (int k = 0; n->live && k < n->ninputs; k++)
            if (n->inputs[k] == value)
                return n;
    }
    return NULL;
}

/* The layout after a node that moves nothing; false: it is another. */
static bool follow(const xa__onnx_build *b, const xa__onnx_node *n, xa__onnx_layout *l)
{
    static const char *const views[] = {
        "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Cast", "Dropout"};
    if (*n->domain || n->noutputs < 1 || n->outputs[0] < 0)
        return false;
    if (!strcmp(n->op, "Transpose")) {
        const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "perm");
        int order[XA__ONNX_RANK];
        for (int i = 0; i < l->rank; i++)
            order[i] = a && a->n == l->rank && a->ints ? (int)a->ints[i] : l->rank - 1 - i;
        *l = xa__layout_transpose(l, order);
        return true;
    }
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (!strcmp(n->op, views[i]))
            return xa__layout_reshape(l, &b->m->values[n->outputs[0]].shape, l);
    return false;
}

int64_t xa__onnx_heads_of(const xa__onnx_build *b, int value)
{
    const xa__onnx_shape *s = &b->m->values[value].shape;
    const int64_t width = s->dim[s->rank - 1], rows = s->dim[s->rank - 2];
    const int64_t pairs = xa__onnx_count(s) / (width * rows);
    xa__onnx_layout l = xa__layout_plain(s);
    for (;;) {
        const xa__onnx_node *n = reader_of(b, value);
        const int64_t last = l.rank ? xa__layout_extent(&l, l.rank - 1) : 1;
        if (l.rank && last > width && last % width == 0) {
            /* memory is in the old order: pairs, rows, width; heads are the last of the pairs */
            int64_t before = 1, heads = 1;
            for (int i = 0; i < l.natoms && before < pairs; i++) {
                const bool merged = l.axis[l.order[i]] == l.rank - 1;
                before *= l.extent[l.order[i]];
                if (!merged && heads > 1)
                    return 0;
                heads *= merged ? l.extent[l.order[i]] : 1;
            }
            return heads * width == last ? heads : 0;
        }
        if (!n || !follow(b, n, &l))
            return 0;
        value = n->outputs[0];
    }
}

/* ---- one operator ---- */

/* An input as rows [groups*tokens, heads*width]. */
static xa_status rows_of(xa__onnx_build *b,
                         xa__onnx_node *n,
                         xa__onnx_run *run,
                         const struct xa__onnx_form *form,
                         bool turned,
                         xa_err *err)
{
    const int rank = run->at.rank;
    const int64_t one = xa__layout_extent(&run->at, rank - 2),
                  two = xa__layout_extent(&run->at, rank - 1);
    const xa__onnx_shape four = {.rank = 4, .dim = {form->groups, form->heads, one, two}};
    const int axes[4] = {0, turned ? 3 : 2, 1, turned ? 2 : 3};
    int order[XA__ONNX_ATOMS], at = 0;
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, run, &four, err));
    for (int a = 0; a < 4; a++) {
        int count;
        const int first = xa__layout_atoms(&run->at, axes[a], &count);
        for (int i = 0; i < count; i++)
            order[at++] = first + i;
    }
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, run, err));
    const xa_shape rows = {
        .ndim = 2,
        .dim = {form->groups * (turned ? two : one), form->heads * (turned ? one : two)}};
    return xa__onnx_view(b, n, run->node, &rows, &run->node, err);
}

/* q with a number for each head. */
static xa_status scale_heads(xa__onnx_build *b,
                             const xa__onnx_node *n,
                             const struct xa__onnx_form *form,
                             int *node,
                             xa_err *err)
{
    const int64_t columns = xa_graph_node(b->model->graph, *node)->shape.dim[1];
    xa__onnx_weight w;
    unsigned depends;
    xa_node_spec spec = {
        .op = XA_OP_AFFINE, .inputs = node, .ninputs = 1, .nweights = 1, .weights = {-1}};
    xa__onnx_added_weight(b, &form->by_head, form->heads, &w, &depends);
    w.extent[w.ndim] = columns / (depends ? form->heads : 1);
    w.stride[w.ndim++] = 0;
    XA_RETURN_TRY(err,
                  xa__onnx_add_weight(
                      b, &w, &(xa_shape){.ndim = 1, .dim = {columns}}, &spec.weights[0], err));
    return xa__onnx_add(b, n, &spec, node, err);
}

static xa_status literal_weight(xa__onnx_build *b,
                                const struct xa__onnx_literal_mask *m,
                                xa_node_spec *spec,
                                xa_err *err)
{
    const int64_t *dim = m->shape.dim;
    const int at = dim[0] > 1 && dim[1] == 1 ? XA__ONNX_MASK : XA__ONNX_BIAS;
    const xa_shape shape = {.ndim = 3, .dim = {dim[0] * dim[1], dim[2], dim[3]}};
    spec->nweights = at + 1;
    return xa_graph_add_weight(
        b->model->graph, "mask", &shape, -1, m->values, &spec->weights[at], err);
}

xa_status xa__onnx_attend(xa__onnx_build *b,
                          xa__onnx_node *n,
                          const struct xa__onnx_form *form,
                          xa__onnx_run qkv[3],
                          xa__onnx_run *out,
                          xa_err *err)
{
    int inputs[3], id, order[XA__ONNX_ATOMS], at = 0;
    xa_node_spec spec = {.op = XA_OP_ATTENTION,
                         .inputs = inputs,
                         .ninputs = 3,
                         .weights = {-1, -1},
                         .params.attention = {.heads = form->heads,
                                              .scale = (float)form->scale,
                                              .groups = form->groups}};
    const int64_t t = xa__layout_extent(&qkv[0].at, qkv[0].at.rank - 2),
                  width = xa__layout_extent(&qkv[2].at, qkv[2].at.rank - 1);
    int64_t square[2] = {t, xa__layout_extent(&qkv[2].at, qkv[2].at.rank - 2)};
    for (int i = 0; i < 3; i++) {
        XA_RETURN_TRY(err, rows_of(b, n, &qkv[i], form, i == 1 && form->turned, err));
        inputs[i] = qkv[i].node;
    }
    if (form->scaled_by_head)
        XA_RETURN_TRY(err, scale_heads(b, n, form, &inputs[0], err));
    for (int i = 0; i < XA__ONNX_ADDED; i++)
        if (form->has[i]) {
            XA_RETURN_TRY(err,
                          added_weight(b, form, &form->added[i], square, &spec.weights[i], err));
            spec.nweights = i + 1;
        }
    if (form->literal)
        XA_RETURN_TRY(err, literal_weight(b, form->literal, &spec, err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    const xa__onnx_shape four = {.rank = 4, .dim = {form->groups, form->heads, t, width}};
    *out = (xa__onnx_run){.node = id, .at = xa__layout_plain(&four)};
    static const int axes[4] = {0, 2, 1, 3};
    for (int a = 0; a < 4; a++) {
        int count;
        const int first = xa__layout_atoms(&out->at, axes[a], &count);
        for (int i = 0; i < count; i++)
            order[at++] = first + i;
    }
    memcpy(out->at.order, order, (size_t)at * sizeof *order);
    return XA_OK;
}

static xa_status attention_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run qkv[3], out;
    for (int i = 0; i < 3; i++)
        XA_RETURN_TRY(err, xa__onnx_as_run(b, n, i, &qkv[i], err));
    XA_RETURN_TRY(err, xa__onnx_attend(b, n, n->form, qkv, &out, err));
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &out, &xa__onnx_out(b, n, 0)->shape, err));
    xa__onnx_made(b, n, 0, out.node, &out.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_attention = {"attention", 3, 3, NULL, NULL, attention_lower};
