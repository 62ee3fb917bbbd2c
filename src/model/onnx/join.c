#include "join.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The layout in a result of more axes: aligned right. */
static xa__onnx_layout lifted(const xa__onnx_layout *l, int rank)
{
    xa__onnx_layout r = *l;
    for (int i = 0; i < r.natoms; i++)
        r.axis[i] += rank - l->rank;
    r.rank = rank;
    return r;
}

/* Splits atoms of the axis until one ends at `inner` elements from the end; false: none can. */
static bool split_at(xa__onnx_layout *l, int axis, int64_t inner)
{
    int n;
    const int first = xa__layout_atoms(l, axis, &n);
    int64_t have = 1;
    for (int i = n - 1; i >= 0 && have < inner; i--) {
        const int64_t e = l->extent[first + i];
        if (have * e > inner)
            return inner % have == 0 && have * e % inner == 0 &&
                   xa__layout_split(l, first + i, inner / have);
        have *= e;
    }
    return have == inner;
}

/* All that have the axis get the atoms of all. */
static bool refine(xa__onnx_joint *j, int axis)
{
    for (int from = 0; from < j->n; from++) {
        const xa__onnx_layout l = j->operands[from].run.at;
        int n;
        const int first = xa__layout_atoms(&l, axis, &n);
        int64_t inner = 1;
        for (int i = n - 1; i > 0; i--) {
            inner *= l.extent[first + i];
            for (int to = 0; to < j->n; to++) {
                int m;
                xa__layout_atoms(&j->operands[to].run.at, axis, &m);
                if (m && !split_at(&j->operands[to].run.at, axis, inner))
                    return false;
            }
        }
    }
    return true;
}

/* The axis as one piece of memory in logical order: where its first atom lies. */
static xa_status
gather_axis(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int axis, xa_err *err)
{
    int order[XA__ONNX_ATOMS], count, at = 0;
    const int first = xa__layout_atoms(&run->at, axis, &count);
    bool placed = false;
    for (int i = 0; i < run->at.natoms; i++) {
        const int a = run->at.order[i];
        if (run->at.axis[a] != axis)
            order[at++] = a;
        else if (!placed)
            for (int k = 0; k < count; k++)
                order[at++] = first + k;
        placed = placed || run->at.axis[a] == axis;
    }
    XA_RETURN_TRY(err, xa__onnx_order(b, n, run, order, run, err));
    xa__layout_join(&run->at);
    return XA_OK;
}

/* Result atoms, and which each operand has. */
static bool collect(xa__onnx_joint *j, int rank)
{
    xa__onnx_layout r = {.rank = rank};
    for (int axis = 0; axis < rank; axis++) {
        const int start = r.natoms;
        for (int k = 0; k < j->n; k++) {
            int count;
            const xa__onnx_layout *l = &j->operands[k].run.at;
            const int first = xa__layout_atoms(l, axis, &count);
            if (axis == j->own_axis) {
                if (k == 0) {
                    if (r.natoms == XA__ONNX_ATOMS)
                        return false;
                    r.axis[r.natoms] = axis;
                    r.extent[r.natoms++] = 1;
                }
                j->operands[k].has |= 1u << start;
                continue;
            }
            for (int i = 0; i < count && r.natoms == start + i; i++) {
                if (r.natoms == XA__ONNX_ATOMS)
                    return false;
                r.axis[r.natoms] = axis;
                r.extent[r.natoms++] = l->extent[first + i];
            }
            for (int i = 0; i < count; i++)
                j->operands[k].has |= 1u << (start + i);
        }
    }
    j->at = r;
    return true;
}

/* The result's atom that is atom `a` of an operand. */
static int result_atom(const xa__onnx_joint *j, const xa__onnx_layout *l, int a)
{
    int n, m;
    const int first = xa__layout_atoms(&j->at, l->axis[a], &n);
    return first + a - xa__layout_atoms(l, l->axis[a], &m);
}

static void choose_order(xa__onnx_joint *j)
{
    const xa__onnx_layout *lead = &j->operands[j->lead].run.at;
    bool seen[XA__ONNX_ATOMS] = {false};
    int order[XA__ONNX_ATOMS], n = 0;
    for (int i = 0; i < lead->natoms; i++)
        seen[result_atom(j, lead, lead->order[i])] = true;
    for (int i = 0; i < j->at.natoms; i++)
        if (!seen[i])
            order[n++] = i;
    for (int i = 0; i < lead->natoms; i++)
        order[n++] = result_atom(j, lead, lead->order[i]);
    memcpy(j->at.order, order, (size_t)n * sizeof *order);
}

/* The operand's atoms in the order of the result. */
static xa_status follow(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_joint *j, int k, xa_err *err)
{
    xa__onnx_operand *o = &j->operands[k];
    int order[XA__ONNX_ATOMS], at = 0;
    for (int i = 0; i < j->at.natoms; i++)
        for (int a = 0; a < o->run.at.natoms; a++)
            if (result_atom(j, &o->run.at, a) == j->at.order[i])
                order[at++] = a;
    if (!o->is_run) {
        memcpy(o->run.at.order, order, (size_t)at * sizeof *order);
        return XA_OK;
    }
    return xa__onnx_order(b, n, &o->run, order, &o->run, err);
}

xa_status
xa__onnx_join(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_joint *j, int rank, xa_err *err)
{
    int64_t most = -1;
    for (int k = 0; k < j->n; k++) {
        xa__onnx_operand *o = &j->operands[k];
        o->has = 0;
        o->is_run = o->value < 0 || b->runs[o->value].node >= 0;
        if (o->value >= 0 && o->is_run)
            o->run = b->runs[o->value];
        else if (o->value >= 0)
            o->run =
                (xa__onnx_run){.node = -1, .at = xa__layout_plain(&b->m->values[o->value].shape)};
        o->run.at = lifted(&o->run.at, rank);
        xa__layout_join(&o->run.at);
        if (j->own_axis >= 0 && o->is_run)
            XA_RETURN_TRY(err, gather_axis(b, n, &o->run, j->own_axis, err));
        const int64_t count = xa__layout_count(&o->run.at);
        if (o->is_run && count > most) {
            most = count;
            j->lead = k;
        }
    }
    for (int axis = 0; axis < rank; axis++)
        if (axis != j->own_axis && !refine(j, axis))
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "its operands divide axis %d differently", axis);
    if (!collect(j, rank))
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "its operands have more than %d factors", XA__ONNX_ATOMS);
    choose_order(j);
    for (int k = 0; k < j->n; k++)
        XA_RETURN_TRY(err, follow(b, n, j, k, err));
    return XA_OK;
}

static bool same_members(const xa__onnx_joint *j, int a, int c)
{
    for (int k = 0; k < j->n; k++)
        if ((j->operands[k].has >> a & 1) != (j->operands[k].has >> c & 1))
            return false;
    return true;
}

xa_shape xa__onnx_joint_shape(const xa__onnx_joint *j, unsigned dim_has[XA_MAX_DIMS], bool *fits)
{
    int64_t dim[XA__ONNX_ATOMS];
    unsigned has[XA__ONNX_ATOMS];
    int last[XA__ONNX_ATOMS], n = 0;
    for (int i = 0; i < j->at.natoms; i++) {
        const int a = j->at.order[i];
        const bool goes_on = i && a == j->at.order[i - 1] + 1 &&
                             j->at.axis[a] == j->at.axis[a - 1] && same_members(j, a, a - 1);
        if (!goes_on) {
            dim[n] = 1;
            has[n++] = 0;
        }
        dim[n - 1] *= j->at.extent[a];
        has[n - 1] |= 1u << a;
        last[n - 1] = a;
    }
    /* too many: neighbours that all have, or none, may be joined, the slowest first */
    for (int i = 0; n > XA_MAX_DIMS && i + 1 < n;) {
        if (j->own_axis >= 0
                ? j->at.axis[last[i]] != j->own_axis && j->at.axis[last[i + 1]] != j->own_axis
                : same_members(j, last[i], last[i + 1])) {
            dim[i] *= dim[i + 1];
            has[i] |= has[i + 1];
            for (int k = i + 1; k + 1 < n; k++) {
                dim[k] = dim[k + 1];
                has[k] = has[k + 1];
                last[k] = last[k + 1];
            }
            n--;
        } else {
            i++;
        }
    }
    xa_shape s = {.ndim = n <= XA_MAX_DIMS ? n : XA_MAX_DIMS};
    *fits = n <= XA_MAX_DIMS;
    for (int i = 0; i < s.ndim; i++) {
        s.dim[i] = dim[i];
        dim_has[i] = has[i];
    }
    if (s.ndim == 0) {
        s = (xa_shape){.ndim = 1, .dim = {1}};
        dim_has[0] = 0;
    }
    return s;
}

void xa__onnx_joint_weight(const xa__onnx_joint *j, int i, xa__onnx_weight *w)
{
    const xa__onnx_operand *o = &j->operands[i];
    int64_t stride[XA__ONNX_ATOMS];
    xa__layout_strides(&o->run.at, stride);
    *w = (xa__onnx_weight){.value = o->value, .ndim = o->run.at.natoms, .scale = 1.0};
    for (int k = 0; k < w->ndim; k++) {
        w->extent[k] = o->run.at.extent[o->run.at.order[k]];
        w->stride[k] = stride[o->run.at.order[k]];
    }
}

xa_status xa__onnx_joint_node(xa__onnx_build *b,
                              xa__onnx_node *n,
                              const xa__onnx_joint *j,
                              int i,
                              const xa_shape *shape,
                              const unsigned *dim_has,
                              int *id,
                              xa_err *err)
{
    const xa__onnx_operand *o = &j->operands[i];
    xa_shape own = *shape;
    int own_atom = -1, count;
    if (j->own_axis >= 0)
        own_atom = xa__layout_atoms(&j->at, j->own_axis, &count);
    for (int d = 0; d < shape->ndim; d++) {
        if (dim_has[d] && !(dim_has[d] & o->has))
            own.dim[d] = 1;
        if (own_atom >= 0 && dim_has[d] >> own_atom & 1)
            own.dim[d] = xa__layout_extent(&o->run.at, j->own_axis);
    }
    if (o->is_run)
        return xa__onnx_view(b, n, o->run.node, &own, id, err);
    xa__onnx_weight w;
    xa_node_spec spec = {.op = XA_OP_CONSTANT, .nweights = 1};
    xa__onnx_joint_weight(j, i, &w);
    XA_RETURN_TRY(err, xa__onnx_add_weight(b, &w, &own, &spec.weights[0], err));
    return xa__onnx_add(b, n, &spec, id, err);
}
