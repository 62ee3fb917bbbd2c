/* Products of two values that depend on the image, and what they need of layouts. */
#include <string.h>

#include "runs.h"

xa_status xa__onnx_constant_run(
    xa__onnx_build *b, const xa__onnx_node *n, int value, xa__onnx_run *out, xa_err *err)
{
    const xa__onnx_shape *s = &b->m->values[value].shape;
    xa_node_spec spec = {.op = XA_OP_CONSTANT, .nweights = 1};
    const int64_t count = xa__onnx_count(s);
    out->at = xa__layout_plain(s);
    const xa_shape shape = xa__layout_natural(&out->at);
    XA_RETURN_TRY(
        err,
        xa__onnx_add_weight(
            b,
            &(xa__onnx_weight){
                .value = value, .ndim = 1, .extent = {count}, .stride = {1}, .scale = 1.0},
            &shape,
            &spec.weights[0],
            err));
    return xa__onnx_add(b, n, &spec, &out->node, err);
}

xa_status
xa__onnx_as_run(xa__onnx_build *b, const xa__onnx_node *n, int i, xa__onnx_run *out, xa_err *err)
{
    const xa__onnx_run *run = xa__onnx_run_of(b, n, i);
    if (!run)
        return xa__onnx_constant_run(b, n, n->inputs[i], out, err);
    *out = *run;
    return XA_OK;
}

xa_status xa__onnx_regroup(xa__onnx_build *b,
                           const xa__onnx_node *n,
                           xa__onnx_run *run,
                           const xa__onnx_shape *to,
                           xa_err *err)
{
    int order[XA__ONNX_ATOMS];
    xa__onnx_layout at;
    if (xa__layout_reshape(&run->at, to, &at)) {
        run->at = at;
        return XA_OK;
    }
    /* no split reaches the new extents: memory in logical order, then any shape will do */
    for (int i = 0; i < run->at.natoms; i++)
        order[i] = i;
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, run, err));
    run->at = xa__layout_plain(to);
    return XA_OK;
}

/* ---- products ---- */

/* Atoms of an axis in the order of memory. */
static int in_memory(const xa__onnx_layout *l, int axis, int *atoms)
{
    int n = 0;
    for (int i = 0; i < l->natoms; i++)
        if (l->axis[l->order[i]] == axis)
            atoms[n++] = l->order[i];
    return n;
}

static int in_logic(const xa__onnx_layout *l, int axis, int *atoms)
{
    int n;
    const int first = xa__layout_atoms(l, axis, &n);
    for (int i = 0; i < n; i++)
        atoms[i] = first + i;
    return n;
}

/* Atoms of the axes before the last two. */
static int batch_atoms(const xa__onnx_layout *l)
{
    int n = 0;
    while (n < l->natoms && l->axis[n] < l->rank - 2)
        n++;
    return n;
}

static bool same_batch(const xa__onnx_layout *x, const xa__onnx_layout *y)
{
    const int n = batch_atoms(x);
    return n == batch_atoms(y) && !memcmp(x->axis, y->axis, (size_t)n * sizeof *x->axis) &&
           !memcmp(x->extent, y->extent, (size_t)n * sizeof *x->extent);
}

/* Memory as `batch` says, then the axis that stays, in its own order, and the one that is summed,
 * in logical order; *turned: the other way round, if that is how they lie. */
static xa_status arrange(xa__onnx_build *b,
                         xa__onnx_node *n,
                         xa__onnx_run *run,
                         const int *batch,
                         int nbatch,
                         int stays,
                         bool *turned,
                         xa_err *err)
{
    const xa__onnx_layout *l = &run->at;
    const int sums = stays == l->rank - 2 ? l->rank - 1 : l->rank - 2;
    const int last = l->natoms ? l->axis[l->order[l->natoms - 1]] : -1;
    const bool sums_last = last == stays ? false : last == sums ? true : stays == l->rank - 2;
    int order[XA__ONNX_ATOMS], at = nbatch;
    memcpy(order, batch, (size_t)nbatch * sizeof *order);
    if (sums_last) {
        at += in_memory(l, stays, order + at);
        in_logic(l, sums, order + at);
    } else {
        at += in_logic(l, sums, order + at);
        in_memory(l, stays, order + at);
    }
    *turned = sums_last != (stays == l->rank - 2);
    return xa__onnx_order(b, n, run, order, run, err);
}

/* Axes before the last two as the engine is to see them: neighbours in which both inputs have all,
 * or the same one has nothing, are one. False: too many. */
static bool batch_shapes(const xa__onnx_shape *x, const xa__onnx_shape *y, xa_shape *p, xa_shape *q)
{
    int was = -1;
    p->ndim = q->ndim = 0;
    for (int i = 0; i < x->rank - 2; i++) {
        if (x->dim[i] == 1 && y->dim[i] == 1)
            continue;
        const int is = x->dim[i] == 1 ? 0 : y->dim[i] == 1 ? 1 : 2;
        if (is != was) {
            if (p->ndim == XA_MAX_DIMS - 2)
                return false;
            p->dim[p->ndim++] = 1;
            q->dim[q->ndim++] = 1;
        }
        p->dim[p->ndim - 1] *= x->dim[i];
        q->dim[q->ndim - 1] *= y->dim[i];
        was = is;
    }
    return true;
}

static xa_status view_matrices(xa__onnx_build *b,
                               xa__onnx_node *n,
                               xa__onnx_run *run,
                               xa_shape shape,
                               bool turned,
                               xa_err *err)
{
    const int rank = run->at.rank;
    shape.dim[shape.ndim++] = xa__layout_extent(&run->at, turned ? rank - 1 : rank - 2);
    shape.dim[shape.ndim++] = xa__layout_extent(&run->at, turned ? rank - 2 : rank - 1);
    return xa__onnx_view(b, n, run->node, &shape, &run->node, err);
}

/* Adds atoms of an axis at the end of a layout and of its memory. */
static bool append(xa__onnx_layout *to, const xa__onnx_layout *from, int axis)
{
    int atoms[XA__ONNX_ATOMS], count;
    const int start = to->natoms, n = in_memory(from, axis, atoms);
    const int first = xa__layout_atoms(from, axis, &count);
    if (start + n > XA__ONNX_ATOMS)
        return false;
    for (int i = 0; i < n; i++) {
        to->axis[start + i] = axis;
        to->extent[start + i] = from->extent[first + i];
        to->order[start + i] = start + atoms[i] - first;
    }
    to->natoms += n;
    return true;
}

xa_status xa__onnx_product(xa__onnx_build *b,
                           xa__onnx_node *n,
                           const xa__onnx_run *x,
                           const xa__onnx_run *y,
                           xa__onnx_run *out,
                           xa_err *err)
{
    xa__onnx_run p = *x, q = *y;
    const int rank = p.at.rank;
    int batch[XA__ONNX_ATOMS], other[XA__ONNX_ATOMS], inputs[2];
    xa_node_spec spec = {.op = XA_OP_MATMUL, .inputs = inputs, .ninputs = 2};
    xa_shape a, c;
    xa__layout_join(&p.at);
    xa__layout_join(&q.at);
    const bool same = same_batch(&p.at, &q.at);
    xa__onnx_shape ps = xa__layout_shape(&p.at), qs = xa__layout_shape(&q.at);
    int nbatch = 0, nother = batch_atoms(&q.at);
    for (int i = 0; same && i < p.at.natoms; i++)
        if (p.at.axis[p.at.order[i]] < rank - 2)
            batch[nbatch++] = p.at.order[i];
    for (; !same && nbatch < batch_atoms(&p.at); nbatch++)
        batch[nbatch] = nbatch;
    for (int i = 0; i < nother; i++)
        other[i] = same ? batch[i] : i;
    if (!batch_shapes(&ps, &qs, &a, &c))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "its inputs have too many factors");
    bool *const turned = spec.params.matmul.turned;
    XA_RETURN_TRY(err, arrange(b, n, &p, batch, nbatch, rank - 2, &turned[0], err));
    XA_RETURN_TRY(err, arrange(b, n, &q, other, nother, rank - 1, &turned[1], err));
    XA_RETURN_TRY(err, view_matrices(b, n, &p, a, turned[0], err));
    XA_RETURN_TRY(err, view_matrices(b, n, &q, c, turned[1], err));
    inputs[0] = p.node;
    inputs[1] = q.node;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &out->node, err));
    /* the axes before as they lie, rows, columns */
    ps.rank = rank - 2;
    for (int i = 0; i < ps.rank; i++)
        ps.dim[i] = ps.dim[i] == 1 ? qs.dim[i] : ps.dim[i];
    xa__onnx_layout l = xa__layout_plain(&ps);
    if (same) {
        l = p.at;
        l.natoms = nbatch;
        memcpy(l.order, batch, (size_t)nbatch * sizeof *batch);
    }
    l.rank = rank;
    if (!append(&l, &p.at, rank - 2) || !append(&l, &q.at, rank - 1))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "it has too many factors");
    out->at = l;
    return XA_OK;
}
