/* Pieces of a value, and values put together: Slice, Split, Concat. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"

typedef xa__onnx_piece piece;

/* ---- pieces of constants ---- */

static void copy_piece(const xa__onnx_shape *s, const double *x, const piece *p, double *y)
{
    int64_t inner = 1, outer = 1;
    for (int i = 0; i < p->axis; i++)
        outer *= s->dim[i];
    for (int i = p->axis + 1; i < s->rank; i++)
        inner *= s->dim[i];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < p->count; k++, y += inner)
            memcpy(y,
                   x + (o * s->dim[p->axis] + p->first + k * p->step) * inner,
                   (size_t)inner * sizeof *y);
}

/* ---- pieces of what depends on the image ---- */

/* The axis in one piece and in logical order: its extent, and what is before and after it. */
xa_status xa__onnx_axis_alone(
    xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int axis, xa_shape *shape, xa_err *err)
{
    int order[XA__ONNX_ATOMS], count, at = 0;
    const int first = xa__layout_atoms(&run->at, axis, &count);
    int64_t outer = 1, inner = 1;
    bool placed = false;
    if (!xa__layout_together(&run->at, axis, true)) {
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
    }
    placed = false;
    for (int i = 0; i < run->at.natoms; i++) {
        const int a = run->at.order[i];
        placed = placed || run->at.axis[a] == axis;
        if (run->at.axis[a] != axis)
            *(placed ? &inner : &outer) *= run->at.extent[a];
    }
    /* an axis of extent 1 has no place: the slowest, as xa__layout_replace has it */
    *shape = count ? (xa_shape){.ndim = 3, .dim = {outer, xa__layout_extent(&run->at, axis), inner}}
                   : (xa_shape){.ndim = 3, .dim = {1, 1, outer}};
    return XA_OK;
}

/* As few dimensions as keep an image an image: [H,W,C] stays so when a piece of its channels or
 * rows is taken. */
xa_status xa__onnx_natural(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, xa_err *err)
{
    const xa_shape natural = xa__layout_natural(&run->at);
    return xa__onnx_view(b, n, run->node, &natural, &run->node, err);
}

xa_status xa__onnx_slice_run(
    xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, const piece *p, xa_err *err)
{
    const int64_t extent = xa__layout_extent(&run->at, p->axis);
    xa_shape shape;
    bool done;
    if (p->first == 0 && p->count == extent && (p->step == 1 || extent == 1))
        return XA_OK;
    XA_RETURN_TRY(err, xa__onnx_slice_linear(b, n, run, p, &done, err));
    if (done)
        return XA_OK;
    XA_RETURN_TRY(err, xa__onnx_axis_alone(b, n, run, p->axis, &shape, err));
    XA_RETURN_TRY(err, xa__onnx_view(b, n, run->node, &shape, &run->node, err));
    XA_RETURN_TRY(err,
                  xa__onnx_add_unary(b,
                                     n,
                                     XA_OP_SLICE,
                                     &(xa_op_params){.slice = {.axis = 1,
                                                               .first = p->first,
                                                               .count = p->count,
                                                               .step = p->count > 1 ? p->step : 1}},
                                     run->node,
                                     &run->node,
                                     err));
    run->at = xa__layout_replace(&run->at, p->axis, p->count);
    return xa__onnx_natural(b, n, run, err);
}

/* ---- Slice ---- */

enum { PIECES = XA__ONNX_RANK };

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static xa_status
slice_pieces(xa__onnx_build *b, xa__onnx_node *n, piece *pieces, int *count, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    int64_t start[PIECES], end[PIECES], axes[PIECES], step[PIECES];
    int nend, naxes, nstep;
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "starts", 1, start, PIECES, count, err));
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "ends", 2, end, PIECES, &nend, err));
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "axes", 3, axes, PIECES, &naxes, err));
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "steps", 4, step, PIECES, &nstep, err));
    if (*count == -2 || nend == -2 || naxes == -2 || nstep == -2) {
        *count = -2;
        return XA_OK;
    }
    if (*count < 0 || nend != *count || (naxes >= 0 && naxes != *count) ||
        (nstep >= 0 && nstep != *count) || *count > s->rank) {
        *count = -2;
        return xa__onnx_refuse(b, n, err, "its starts, ends, axes and steps differ in number");
    }
    for (int i = 0; i < *count; i++) {
        piece *p = &pieces[i];
        p->step = nstep < 0 ? 1 : step[i];
        if (!xa__onnx_axis(naxes < 0 ? i : axes[i], s->rank, &p->axis) || p->step == 0 ||
            p->step == INT64_MIN) {
            *count = -2;
            return xa__onnx_refuse(b, n, err, "an axis does not exist, or a step is 0");
        }
        const int64_t d = s->dim[p->axis];
        const int64_t from = start[i] < 0 ? start[i] + d : start[i];
        const int64_t to = end[i] < 0 && end[i] >= -d - 1 ? end[i] + d : end[i];
        if (p->step > 0) {
            const int64_t a = clamp(from, 0, d), z = clamp(to, 0, d);
            p->first = a;
            p->count = z > a ? (z - a - 1) / p->step + 1 : 0;
        } else {
            const int64_t a = clamp(from, -1, d - 1), z = clamp(to, -1, d - 1);
            p->first = a;
            p->count = a > z ? (a - z - 1) / -p->step + 1 : 0;
        }
    }
    return XA_OK;
}

static xa_status slice_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    piece pieces[PIECES];
    int count;
    xa__onnx_shape s = x->shape;
    XA_RETURN_TRY(err, slice_pieces(b, n, pieces, &count, err));
    if (count == -2)
        return XA_OK;
    for (int i = 0; i < count; i++)
        s.dim[pieces[i].axis] = pieces[i].count;
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status slice_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    xa__onnx_shape s = x->shape;
    piece pieces[PIECES];
    int count;
    double *data, *held = NULL, *next = NULL;
    const double *from = xa__onnx_data(b, n->inputs[0]);
    XA_TRY(err, slice_pieces(b, n, pieces, &count, err));
    for (int i = 0; i < count; i++) {
        xa__onnx_shape to = s;
        to.dim[pieces[i].axis] = pieces[i].count;
        next = xa_alloc((size_t)xa__onnx_count(&to) + 1, sizeof *next);
        if (!next)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
        copy_piece(&s, from, &pieces[i], next);
        free(held);
        held = next;
        from = held;
        s = to;
    }
    XA_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    memcpy(data, from, (size_t)xa__onnx_count(&s) * sizeof *data);
done:
    free(held);
    return st;
}

static xa_status slice_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    piece pieces[PIECES];
    int count;
    XA_RETURN_TRY(err, slice_pieces(b, n, pieces, &count, err));
    for (int i = 0; i < count; i++)
        XA_RETURN_TRY(err, xa__onnx_slice_run(b, n, &run, &pieces[i], err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- Split ---- */

/* Extents of the outputs along the axis. */
static xa_status split_extents(
    xa__onnx_build *b, xa__onnx_node *n, int *axis, int64_t *extents, bool *good, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int parts = n->noutputs;
    int count;
    *good = false;
    if (!xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 0), s->rank, axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    const int64_t d = s->dim[*axis];
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "split", 1, extents, parts, &count, err));
    if (count == -2)
        return XA_OK;
    if (count < 0) {
        const int64_t each = (d + parts - 1) / parts;
        for (int i = 0; i < parts; i++)
            extents[i] = i + 1 < parts ? each : d - each * (parts - 1);
        count = parts;
    }
    int64_t sum = 0;
    for (int i = 0; i < count; i++) {
        if (extents[i] < 0 || extents[i] > d)
            return xa__onnx_refuse(b, n, err, "its parts do not fit %" PRId64, d);
        sum += extents[i];
    }
    if (count != parts || sum != d)
        return xa__onnx_refuse(b, n, err, "its %d parts do not add up to %" PRId64, parts, d);
    *good = true;
    return XA_OK;
}

typedef enum split_phase { INFER, FOLD, LOWER } split_phase;

static xa_status split_all(xa__onnx_build *b, xa__onnx_node *n, split_phase phase, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    bool good;
    piece p = {.step = 1};
    int64_t *extents = xa_alloc((size_t)n->noutputs + 1, sizeof *extents);
    if (!extents)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    XA_TRY(err, split_extents(b, n, &p.axis, extents, &good, err));
    for (int i = 0; good && i < n->noutputs; i++, p.first += p.count) {
        const xa__onnx_value *out = xa__onnx_out(b, n, i);
        double *data;
        p.count = extents[i];
        xa__onnx_shape s = x->shape;
        s.dim[p.axis] = p.count;
        if (phase == INFER) {
            XA_TRY(err, xa__onnx_set(b, n, i, x->type, &s, err));
        } else if (phase == FOLD) {
            XA_TRY(err, xa__onnx_new_data(b, n, i, &data, err));
            if (data)
                copy_piece(&x->shape, xa__onnx_data(b, n->inputs[0]), &p, data);
        } else if (out && out->uses) {
            xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
            XA_TRY(err, xa__onnx_slice_run(b, n, &run, &p, err));
            xa__onnx_made(b, n, i, run.node, &run.at);
        }
    }
done:
    free(extents);
    return st;
}

static xa_status split_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    return split_all(b, n, INFER, err);
}

static xa_status split_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    return split_all(b, n, FOLD, err);
}

static xa_status split_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    return split_all(b, n, LOWER, err);
}

/* ---- Concat ---- */

static xa_status concat_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *first = xa__onnx_in(b, n, 0);
    xa__onnx_shape s = first->shape;
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "axis");
    char one[128], two[128];
    int axis;
    /* operator sets below 4 had 1 as default */
    if ((!a && b->m->opset >= 4) || !xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 1), s.rank, &axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    for (int i = 1; i < n->ninputs; i++) {
        const xa__onnx_value *x = xa__onnx_in(b, n, i);
        bool fits = x && x->shape.rank == s.rank;
        for (int d = 0; fits && d < s.rank; d++)
            fits = d == axis || x->shape.dim[d] == s.dim[d];
        if (!fits)
            return xa__onnx_refuse(b,
                                   n,
                                   err,
                                   "its inputs %s and %s do not fit",
                                   xa__onnx_shape_text(&first->shape, one, sizeof one),
                                   x ? xa__onnx_shape_text(&x->shape, two, sizeof two) : "none");
        s.dim[axis] += x->shape.dim[axis];
    }
    return xa__onnx_set(b, n, 0, first->type, &s, err);
}

static xa_status concat_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_out(b, n, 0)->shape;
    double *data;
    int axis;
    int64_t inner = 1, outer = 1, done = 0;
    xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 1), s->rank, &axis);
    for (int i = 0; i < axis; i++)
        outer *= s->dim[i];
    for (int i = axis + 1; i < s->rank; i++)
        inner *= s->dim[i];
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int k = 0; k < n->ninputs; k++) {
        const double *x = xa__onnx_data(b, n->inputs[k]);
        const int64_t part = xa__onnx_in(b, n, k)->shape.dim[axis] * inner;
        for (int64_t o = 0; o < outer; o++)
            memcpy(data + o * s->dim[axis] * inner + done, x + o * part, (size_t)part * sizeof *x);
        done += part;
    }
    return XA_OK;
}

static xa_status concat_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_shape *s = &xa__onnx_out(b, n, 0)->shape;
    unsigned has[XA_MAX_DIMS];
    int axis, count;
    bool fits;
    xa__onnx_joint j = {.operands = xa_alloc((size_t)n->ninputs, sizeof *j.operands)};
    int *nodes = xa_alloc((size_t)n->ninputs, sizeof *nodes);
    xa_node_spec spec = {.op = XA_OP_CONCAT, .inputs = nodes};
    if (!j.operands || !nodes)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 1), s->rank, &axis);
    for (int i = 0; i < n->ninputs; i++)
        if (xa__onnx_in(b, n, i)->shape.dim[axis] > 0)
            j.operands[j.n++].value = n->inputs[i];
    if (j.n == 1) {
        const xa__onnx_run *only = &b->runs[j.operands[0].value];
        xa__onnx_made(b, n, 0, only->node, &only->at);
        goto done;
    }
    j.own_axis = axis;
    XA_TRY(err, xa__onnx_join(b, n, &j, s->rank, err));
    const xa_shape shape = xa__onnx_joint_shape(&j, has, &fits);
    if (!fits)
        XA_FAIL(err, XA_UNSUPPORTED, "its inputs have too many factors");
    const int own = xa__layout_atoms(&j.at, axis, &count);
    for (int d = 0; d < shape.ndim; d++)
        if (has[d] >> own & 1)
            spec.params.concat.axis = d;
    for (int i = 0; i < j.n; i++)
        XA_TRY(err, xa__onnx_joint_node(b, n, &j, i, &shape, has, &nodes[i], err));
    spec.ninputs = j.n;
    int id;
    XA_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    j.at.extent[own] = s->dim[axis];
    xa__onnx_made(b, n, 0, id, &j.at);
done:
    free(j.operands);
    free(nodes);
    return st;
}

const xa__onnx_op xa__onnx_ops_slice[] = {
    {"Slice", 1, 5, slice_infer, slice_fold, slice_lower},
    {"Split", 1, 2, split_infer, split_fold, split_lower},
    {"Concat", 1, -1, concat_infer, concat_fold, concat_lower},
    {0}};
