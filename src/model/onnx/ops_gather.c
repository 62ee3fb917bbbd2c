/* Elements by indices that are constants: Gather, GatherND, ScatterND. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* ---- Gather ---- */

static xa_status gather_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *index = xa__onnx_in(b, n, 1);
    xa__onnx_shape s = {0};
    int axis;
    if (!index->constant)
        return xa__onnx_refuse(b, n, err, "its indices depend on the image");
    if (!xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 0), x->shape.rank, &axis))
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    if (x->shape.rank - 1 + index->shape.rank > XA__ONNX_RANK)
        return xa__onnx_refuse(b, n, err, "it gives too many axes");
    for (int i = 0; i < axis; i++)
        s.dim[s.rank++] = x->shape.dim[i];
    for (int i = 0; i < index->shape.rank; i++)
        s.dim[s.rank++] = index->shape.dim[i];
    for (int i = axis + 1; i < x->shape.rank; i++)
        s.dim[s.rank++] = x->shape.dim[i];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

/* An index counted from the start; -1: outside. */
static int64_t counted(double v, int64_t extent)
{
    const double i = v < 0.0 ? v + (double)extent : v;
    return i >= 0.0 && i < (double)extent ? (int64_t)i : -1;
}

static xa_status gather_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const double *x = xa__onnx_data(b, n->inputs[0]), *index = xa__onnx_data(b, n->inputs[1]);
    const int64_t many = xa__onnx_count(&xa__onnx_in(b, n, 1)->shape);
    double *data;
    int axis;
    int64_t inner = 1, outer = 1;
    xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 0), s->rank, &axis);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int i = 0; i < axis; i++)
        outer *= s->dim[i];
    for (int i = axis + 1; i < s->rank; i++)
        inner *= s->dim[i];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < many; k++, data += inner) {
            const int64_t at = counted(index[k], s->dim[axis]);
            if (at < 0)
                return xa__onnx_refuse(b, n, err, "an index is outside");
            memcpy(data, x + (o * s->dim[axis] + at) * inner, (size_t)inner * sizeof *data);
        }
    return XA_OK;
}

/* By indices in any order. */
static xa_status gather_list(xa__onnx_build *b,
                             xa__onnx_node *n,
                             xa__onnx_run *run,
                             int axis,
                             const double *indices,
                             int64_t many,
                             xa_err *err)
{
    const int64_t extent = xa__layout_extent(&run->at, axis);
    float *list = NULL;
    XA_RETURN_TRY(err, xa__onnx_floats(b, many, &list, err));
    for (int64_t i = 0; i < many; i++)
        list[i] = (float)counted(indices[i], extent);
    const xa_status st = xa__onnx_gather_run(b, n, run, axis, list, many, err);
    free(list);
    return st;
}

static xa_status gather_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *index = &xa__onnx_in(b, n, 1)->shape;
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    const int64_t many = xa__onnx_count(index);
    xa__onnx_piece p = {.step = 1, .count = many};
    XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[1], err));
    const double *list = xa__onnx_data(b, n->inputs[1]);
    xa__onnx_axis(xa__onnx_int(b->m, n, "axis", 0), run.at.rank, &p.axis);
    const int64_t extent = xa__layout_extent(&run.at, p.axis);
    for (int64_t i = 0; i < many; i++)
        if (counted(list[i], extent) < 0)
            return xa__onnx_refuse(b, n, err, "an index is outside");
    p.first = counted(list[0], extent);
    if (many > 1)
        p.step = counted(list[1], extent) - p.first;
    bool regular = many == 1 || p.step != 0;
    for (int64_t i = 0; i < many; i++)
        regular = regular && counted(list[i], extent) == p.first + i * p.step;
    if (regular)
        XA_RETURN_TRY(err, xa__onnx_slice_run(b, n, &run, &p, err));
    else
        XA_RETURN_TRY(err, gather_list(b, n, &run, p.axis, list, many, err));
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, &xa__onnx_out(b, n, 0)->shape, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- ScatterND, GatherND ---- */

/* Element at the start of what an index of `depth` numbers points at; -1: outside. */
static int64_t pointed(const xa__onnx_shape *s, const double *index, int64_t depth)
{
    int64_t at = 0;
    for (int64_t k = 0; k < depth; k++) {
        const int64_t d = s->dim[k];
        const double v = index[k] < 0.0 ? index[k] + (double)d : index[k];
        if (!(v >= 0.0 && v < (double)d))
            return -1;
        at = at * d + (int64_t)v;
    }
    for (int i = (int)depth; i < s->rank; i++)
        at *= s->dim[i];
    return at;
}

static xa_status scatter_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    if (strcmp(xa__onnx_string(b->m, n, "reduction", "none"), "none") != 0)
        return xa__onnx_refuse(b, n, err, "its reduction is not read");
    return xa__onnx_infer_same(b, n, err);
}

static xa_status scatter_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *is = &xa__onnx_in(b, n, 1)->shape;
    const int64_t depth = is->rank ? is->dim[is->rank - 1] : 0;
    const int64_t count = xa__onnx_count(s), updates = xa__onnx_count(&xa__onnx_in(b, n, 2)->shape);
    double *data;
    if (depth < 1 || depth > s->rank)
        return xa__onnx_refuse(b, n, err, "its indices have %" PRId64 " numbers", depth);
    int64_t piece = 1;
    for (int i = (int)depth; i < s->rank; i++)
        piece *= s->dim[i];
    const int64_t many = xa__onnx_count(is) / depth;
    if (many * piece != updates)
        return xa__onnx_refuse(b, n, err, "its updates do not fit its indices");
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    memcpy(data, xa__onnx_data(b, n->inputs[0]), (size_t)count * sizeof *data);
    const double *index = xa__onnx_data(b, n->inputs[1]), *from = xa__onnx_data(b, n->inputs[2]);
    for (int64_t i = 0; i < many; i++) {
        const int64_t at = pointed(s, index + i * depth, depth);
        if (at < 0)
            return xa__onnx_refuse(b, n, err, "an index is outside");
        memcpy(data + at, from + i * piece, (size_t)piece * sizeof *data);
    }
    return XA_OK;
}

static xa_status gather_nd_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *is = &xa__onnx_in(b, n, 1)->shape;
    const int64_t depth = is->rank ? is->dim[is->rank - 1] : 0;
    xa__onnx_shape out = {0};
    if (xa__onnx_int(b->m, n, "batch_dims", 0) != 0)
        return xa__onnx_refuse(b, n, err, "its batch_dims are not read");
    if (depth < 1 || depth > s->rank || is->rank - 1 + s->rank - depth > XA__ONNX_RANK)
        return xa__onnx_refuse(b, n, err, "its indices have %" PRId64 " numbers", depth);
    for (int i = 0; i + 1 < is->rank; i++)
        out.dim[out.rank++] = is->dim[i];
    for (int i = (int)depth; i < s->rank; i++)
        out.dim[out.rank++] = s->dim[i];
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &out, err);
}

/* The value as rows [count / piece, piece] in logical order. */
static xa_status as_rows(
    xa__onnx_build *b, xa__onnx_node *n, int input, int64_t piece, xa__onnx_run *out, xa_err *err)
{
    const int64_t count = xa__onnx_count(&xa__onnx_in(b, n, input)->shape);
    const xa__onnx_shape rows = {2, {count / piece, piece}};
    int order[XA__ONNX_ATOMS];
    XA_RETURN_TRY(err, xa__onnx_as_run(b, n, input, out, err));
    for (int i = 0; i < out->at.natoms; i++)
        order[i] = i;
    XA_RETURN_TRY(err, xa__onnx_order(b, n, out, order, out, err));
    return xa__onnx_regroup(b, n, out, &rows, err);
}

static int64_t piece_of(const xa__onnx_shape *s, int64_t depth)
{
    int64_t piece = 1;
    for (int i = (int)depth; i < s->rank; i++)
        piece *= s->dim[i];
    return piece;
}

/* Rows of the input by the places that the indices point at. */
static xa_status gather_nd_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *is = &xa__onnx_in(b, n, 1)->shape;
    const int64_t depth = is->dim[is->rank - 1], many = xa__onnx_count(is) / depth;
    const int64_t piece = piece_of(s, depth);
    xa__onnx_run run;
    float *list = NULL;
    XA_TRY(err, xa__onnx_floats(b, many, &list, err));
    if (!xa__onnx_in(b, n, 1)->constant)
        XA_FAIL(err, XA_UNSUPPORTED, "its indices depend on the image");
    XA_TRY(err, xa__onnx_evaluate(b, n->inputs[1], err));
    for (int64_t i = 0; i < many; i++) {
        const int64_t at = pointed(s, xa__onnx_data(b, n->inputs[1]) + i * depth, depth);
        if (at < 0)
            XA_FAIL(err, XA_UNSUPPORTED, "an index is outside");
        list[i] = (float)(at / piece);
    }
    XA_TRY(err, as_rows(b, n, 0, piece, &run, err));
    XA_TRY(err, xa__onnx_gather_run(b, n, &run, 0, list, many, err));
    XA_TRY(err, xa__onnx_regroup(b, n, &run, &xa__onnx_out(b, n, 0)->shape, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
done:
    free(list);
    return st;
}

/* Rows of the data followed by those of the updates; then of each place the last that is meant. */
static xa_status scatter_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *is = &xa__onnx_in(b, n, 1)->shape;
    const int64_t depth = is->rank ? is->dim[is->rank - 1] : 0;
    const int64_t piece = piece_of(s, depth), rows = xa__onnx_count(s) / piece;
    float *list = NULL;
    XA_TRY(err, xa__onnx_floats(b, rows, &list, err));
    if (!xa__onnx_in(b, n, 1)->constant || depth < 1 || depth > s->rank ||
        xa__onnx_count(is) / depth * piece != xa__onnx_count(&xa__onnx_in(b, n, 2)->shape))
        XA_FAIL(err, XA_UNSUPPORTED, "its indices depend on the image, or do not fit");
    XA_TRY(err, xa__onnx_evaluate(b, n->inputs[1], err));
    for (int64_t i = 0; i < rows; i++)
        list[i] = (float)i;
    for (int64_t i = 0; i < xa__onnx_count(is) / depth; i++) {
        const int64_t at = pointed(s, xa__onnx_data(b, n->inputs[1]) + i * depth, depth);
        if (at < 0)
            XA_FAIL(err, XA_UNSUPPORTED, "an index is outside");
        list[at / piece] = (float)(rows + i);
    }
    xa__onnx_run run[2];
    int nodes[2];
    xa_node_spec spec = {.op = XA_OP_CONCAT, .inputs = nodes, .ninputs = 2};
    for (int k = 0; k < 2; k++) {
        XA_TRY(err, as_rows(b, n, 2 * k, piece, &run[k], err));
        const xa_shape two = {
            .ndim = 2, .dim = {xa__onnx_count(&xa__onnx_in(b, n, 2 * k)->shape) / piece, piece}};
        XA_TRY(err, xa__onnx_view(b, n, run[k].node, &two, &nodes[k], err));
    }
    XA_TRY(err, xa__onnx_add(b, n, &spec, &run[0].node, err));
    run[0].at = xa__layout_plain(&(xa__onnx_shape){2, {rows + xa__onnx_count(is) / depth, piece}});
    XA_TRY(err, xa__onnx_gather_run(b, n, &run[0], 0, list, rows, err));
    XA_TRY(err, xa__onnx_regroup(b, n, &run[0], s, err));
    xa__onnx_made(b, n, 0, run[0].node, &run[0].at);
done:
    free(list);
    return st;
}

static xa_status gather_nd_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *is = &xa__onnx_in(b, n, 1)->shape;
    const int64_t depth = is->dim[is->rank - 1], many = xa__onnx_count(is) / depth;
    const double *x = xa__onnx_data(b, n->inputs[0]), *index = xa__onnx_data(b, n->inputs[1]);
    double *data;
    int64_t piece = 1;
    for (int i = (int)depth; i < s->rank; i++)
        piece *= s->dim[i];
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int64_t i = 0; i < many; i++) {
        const int64_t at = pointed(s, index + i * depth, depth);
        if (at < 0)
            return xa__onnx_refuse(b, n, err, "an index is outside");
        memcpy(data + i * piece, x + at, (size_t)piece * sizeof *data);
    }
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_gather[] = {
    {"Gather", 2, 2, gather_infer, gather_fold, gather_lower},
    {"ScatterND", 3, 3, scatter_infer, scatter_fold, scatter_lower},
    {"GatherND", 2, 2, gather_nd_infer, gather_nd_fold, gather_nd_lower},
    {0}};
