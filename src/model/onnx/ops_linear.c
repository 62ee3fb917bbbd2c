/* Products with constant matrices: Gemm, MatMul. */
#include <inttypes.h>
#include <string.h>

#include "runs.h"

/* How W [..] is read as [K,F]: distance of neighbours in K and in F. */
typedef struct matrix {
    int value;
    int64_t k, f, sk, sf;
    double scale;
} matrix;

/* y[..,F] = x[..,K] W over `axis` of x, whose atoms come last. The rows of W are read in the order
 * of the atoms in memory: a flattened map needs no transposition. Output: the axis, of extent F. */
static xa_status linear(xa__onnx_build *b,
                        xa__onnx_node *n,
                        const xa__onnx_run *x,
                        int axis,
                        const matrix *w,
                        int bias,
                        double bias_scale,
                        xa__onnx_run *out,
                        xa_err *err)
{
    xa__onnx_run rows;
    xa__onnx_weight weight = {.value = w->value, .scale = w->scale};
    int64_t stride[XA__ONNX_ATOMS], inner = w->sk;
    int count;
    xa_node_spec spec = {.op = XA_OP_DENSE,
                         .ninputs = 1,
                         .nweights = 2,
                         .weights = {-1, -1},
                         .params.dense.units = w->f};
    XA_RETURN_TRY(err, xa__onnx_rows(b, n, x, 1u << axis, &rows, err));
    const int first = xa__layout_atoms(&rows.at, axis, &count);
    for (int i = count - 1; i >= 0; i--) {
        stride[i] = inner;
        inner *= rows.at.extent[first + i];
    }
    for (int i = rows.at.natoms - count; i < rows.at.natoms; i++) {
        weight.extent[weight.ndim] = rows.at.extent[rows.at.order[i]];
        weight.stride[weight.ndim++] = stride[rows.at.order[i] - first];
    }
    weight.extent[weight.ndim] = w->f;
    weight.stride[weight.ndim++] = w->sf;
    XA_RETURN_TRY(
        err,
        xa__onnx_add_weight(
            b, &weight, &(xa_shape){.ndim = 2, .dim = {w->k, w->f}}, &spec.weights[0], err));
    if (bias >= 0)
        XA_RETURN_TRY(err, xa__onnx_vector(b, bias, w->f, bias_scale, &spec.weights[1], err));
    if (w->k == 1 && xa_shape_last(&xa_graph_node(b->model->graph, rows.node)->shape) != 1) {
        xa_shape one = xa__layout_natural(&rows.at);
        one = (xa_shape){.ndim = 2, .dim = {xa_shape_count(&one), 1}};
        XA_RETURN_TRY(err, xa__onnx_view(b, n, rows.node, &one, &rows.node, err));
    }
    spec.inputs = &rows.node;
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &out->node, err));
    /* the fastest in memory */
    out->at = xa__layout_replace(&rows.at, axis, 1);
    if (w->f > 1) {
        xa__onnx_layout l = out->at;
        int none;
        const int at = xa__layout_atoms(&l, axis, &none);
        if (l.natoms == XA__ONNX_ATOMS)
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "it has too many factors");
        for (int i = l.natoms; i > at; i--) {
            l.axis[i] = l.axis[i - 1];
            l.extent[i] = l.extent[i - 1];
        }
        for (int i = 0; i < l.natoms; i++)
            l.order[i] += l.order[i] >= at;
        l.axis[at] = axis;
        l.extent[at] = w->f;
        l.order[l.natoms++] = at;
        out->at = l;
    }
    return XA_OK;
}

/* ---- Gemm ---- */

static xa_status gemm_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *w = xa__onnx_in(b, n, 1),
                         *c = xa__onnx_in(b, n, 2);
    const bool ta = xa__onnx_int(b->m, n, "transA", 0) != 0,
               tb = xa__onnx_int(b->m, n, "transB", 0) != 0;
    char one[128], two[128];
    xa__onnx_shape s = {.rank = 2};
    if (x->shape.rank != 2 || w->shape.rank != 2 || x->shape.dim[!ta] != w->shape.dim[tb])
        return xa__onnx_refuse(
            b,
            n,
            err,
            "%s and %s cannot be multiplied: the export fixed another input size, "
            "perhaps",
            xa__onnx_shape_text(&x->shape, one, sizeof one),
            xa__onnx_shape_text(&w->shape, two, sizeof two));
    s.dim[0] = x->shape.dim[ta];
    s.dim[1] = w->shape.dim[!tb];
    if (c) {
        xa__onnx_shape sum;
        if (!xa__onnx_broadcast(&s, &c->shape, &sum) || !xa__onnx_shape_equal(&s, &sum))
            return xa__onnx_refuse(b, n, err, "its third input does not fit");
    }
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status gemm_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *w = xa__onnx_in(b, n, 1),
                         *c = xa__onnx_in(b, n, 2);
    const bool ta = xa__onnx_int(b->m, n, "transA", 0) != 0,
               tb = xa__onnx_int(b->m, n, "transB", 0) != 0;
    const double alpha = xa__onnx_float(b->m, n, "alpha", 1.0),
                 beta = xa__onnx_float(b->m, n, "beta", 1.0);
    const xa__onnx_shape *s = &xa__onnx_out(b, n, 0)->shape;
    const int64_t k = x->shape.dim[!ta], columns = x->shape.dim[1], width = w->shape.dim[1];
    const double *p = xa__onnx_data(b, n->inputs[0]), *q = xa__onnx_data(b, n->inputs[1]);
    double *data;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    b->folded += s->dim[0] * s->dim[1] * k; /* steps */
    for (int64_t r = 0; r < s->dim[0]; r++)
        for (int64_t j = 0; j < s->dim[1]; j++) {
            double sum = 0.0;
            for (int64_t t = 0; t < k; t++)
                sum += p[ta ? t * columns + r : r * columns + t] *
                       q[tb ? j * width + t : t * width + j];
            data[r * s->dim[1] + j] = alpha * sum;
        }
    if (!c)
        return XA_OK;
    const double *add = xa__onnx_data(b, n->inputs[2]);
    const int rank = c->shape.rank;
    const int64_t last = rank ? c->shape.dim[rank - 1] : 1, rows = rank > 1 ? c->shape.dim[0] : 1;
    for (int64_t r = 0; r < s->dim[0]; r++)
        for (int64_t j = 0; j < s->dim[1]; j++)
            data[r * s->dim[1] + j] += beta * add[(rows == 1 ? 0 : r * last) + (last == 1 ? 0 : j)];
    return XA_OK;
}

/* C as a bias: one value, or one a column. */
static bool is_bias(const xa__onnx_value *c, int64_t f)
{
    const int64_t count = xa__onnx_count(&c->shape);
    return c->constant && (count == 1 || (count == f && c->shape.dim[c->shape.rank - 1] == f));
}

/* Of any two matrices, transposed or not, and any third one. */
static xa_status gemm_composed(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    static const int turn[2] = {1, 0};
    static const char *const names[2] = {"transA", "transB"};
    xa__onnx_run side[2], out, sum;
    for (int i = 0; i < 2; i++) {
        XA_RETURN_TRY(err, xa__onnx_as_run(b, n, i, &side[i], err));
        if (xa__onnx_int(b->m, n, names[i], 0) != 0)
            side[i].at = xa__layout_transpose(&side[i].at, turn);
    }
    XA_RETURN_TRY(err, xa__onnx_product(b, n, &side[0], &side[1], &out, err));
    XA_RETURN_TRY(
        err,
        xa__onnx_scale(b, n, xa__onnx_float(b->m, n, "alpha", 1.0), 0.0, out.node, &out.node, err));
    if (xa__onnx_in(b, n, 2)) {
        XA_RETURN_TRY(err, xa__onnx_as_run(b, n, 2, &sum, err));
        XA_RETURN_TRY(
            err,
            xa__onnx_scale(
                b, n, xa__onnx_float(b->m, n, "beta", 1.0), 0.0, sum.node, &sum.node, err));
        XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &out, &sum, &out, err));
    }
    xa__onnx_made(b, n, 0, out.node, &out.at);
    return XA_OK;
}

static xa_status gemm_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const xa__onnx_value *w = xa__onnx_in(b, n, 1), *c = xa__onnx_in(b, n, 2);
    const bool tb = xa__onnx_int(b->m, n, "transB", 0) != 0;
    xa__onnx_run out;
    if (!x || !w->constant || xa__onnx_int(b->m, n, "transA", 0) != 0)
        return gemm_composed(b, n, err);
    const matrix m = {.value = n->inputs[1],
                      .k = w->shape.dim[tb],
                      .f = w->shape.dim[!tb],
                      .sk = tb ? 1 : w->shape.dim[1],
                      .sf = tb ? w->shape.dim[1] : 1,
                      .scale = xa__onnx_float(b->m, n, "alpha", 1.0)};
    if (c && !is_bias(c, m.f))
        return gemm_composed(b, n, err);
    XA_RETURN_TRY(err,
                  linear(b,
                         n,
                         x,
                         1,
                         &m,
                         c ? n->inputs[2] : -1,
                         xa__onnx_float(b->m, n, "beta", 1.0),
                         &out,
                         err));
    xa__onnx_made(b, n, 0, out.node, &out.at);
    return XA_OK;
}

/* ---- MatMul ---- */

static xa_status matmul_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *y = xa__onnx_in(b, n, 1);
    const xa__onnx_shape *p = &x->shape, *q = &y->shape;
    char one[128], two[128];
    xa__onnx_shape s = {0}, pa = *p, qa = *q;
    const int64_t k = p->rank ? p->dim[p->rank - 1] : 0;
    const int64_t other = q->rank > 1 ? q->dim[q->rank - 2] : q->rank ? q->dim[0] : -1;
    pa.rank = p->rank > 2 ? p->rank - 2 : 0;
    qa.rank = q->rank > 2 ? q->rank - 2 : 0;
    if (p->rank < 1 || q->rank < 1 || k != other || !xa__onnx_broadcast(&pa, &qa, &s) ||
        s.rank + 2 > XA__ONNX_RANK)
        return xa__onnx_refuse(
            b,
            n,
            err,
            "%s and %s cannot be multiplied: the export fixed another input size, "
            "perhaps",
            xa__onnx_shape_text(p, one, sizeof one),
            xa__onnx_shape_text(q, two, sizeof two));
    if (p->rank > 1)
        s.dim[s.rank++] = p->dim[p->rank - 2];
    if (q->rank > 1)
        s.dim[s.rank++] = q->dim[q->rank - 1];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status matmul_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *p = &xa__onnx_in(b, n, 0)->shape, *q = &xa__onnx_in(b, n, 1)->shape,
                         *s = &xa__onnx_out(b, n, 0)->shape;
    const double *x = xa__onnx_data(b, n->inputs[0]), *y = xa__onnx_data(b, n->inputs[1]);
    double *data;
    if (p->rank < 2 || q->rank < 2)
        return xa__onnx_refuse(b, n, err, "products of constant vectors are not read");
    const int64_t m = p->dim[p->rank - 2], k = p->dim[p->rank - 1], c = q->dim[q->rank - 1];
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const int64_t count = xa__onnx_count(s);
    b->folded += count * k; /* steps */
    for (int64_t i = 0; i < count; i += m * c) {
        int64_t px = 0, py = 0, sx = m * k, sy = k * c, rest = i / (m * c);
        for (int d = s->rank - 3; d >= 0; d--) {
            const int dp = d - (s->rank - p->rank), dq = d - (s->rank - q->rank);
            const int64_t at = rest % s->dim[d];
            rest /= s->dim[d];
            if (dp >= 0) {
                px += p->dim[dp] == 1 ? 0 : at * sx;
                sx *= p->dim[dp];
            }
            if (dq >= 0) {
                py += q->dim[dq] == 1 ? 0 : at * sy;
                sy *= q->dim[dq];
            }
        }
        for (int64_t r = 0; r < m; r++)
            for (int64_t j = 0; j < c; j++) {
                double sum = 0.0;
                for (int64_t t = 0; t < k; t++)
                    sum += x[px + r * k + t] * y[py + t * c + j];
                data[i + r * c + j] = sum;
            }
    }
    return XA_OK;
}

/* Input i as matrices [..,rows,columns] of that rank; a vector is one row on the left, one column
 * on the right. */
static xa_status
matrices_of(xa__onnx_build *b, xa__onnx_node *n, int i, int rank, xa__onnx_run *out, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, i)->shape;
    xa__onnx_shape to = {.rank = rank};
    const int after = s->rank == 1 && i == 1 ? 1 : 0;
    for (int d = 0; d < rank; d++)
        to.dim[d] = 1;
    for (int d = 0; d < s->rank; d++)
        to.dim[rank - s->rank - after + d] = s->dim[d];
    XA_RETURN_TRY(err, xa__onnx_as_run(b, n, i, out, err));
    return xa__onnx_regroup(b, n, out, &to, err);
}

/* By a constant that is one matrix, or a vector. */
static xa_status
matmul_by_constant(xa__onnx_build *b, xa__onnx_node *n, bool right, xa__onnx_run *out, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, right ? 1 : 0)->shape;
    const xa__onnx_run *run = xa__onnx_run_of(b, n, right ? 0 : 1);
    const int64_t last = s->dim[s->rank - 1];
    const int64_t rows = s->rank > 1 ? s->dim[s->rank - 2] : right ? last : 1;
    const int64_t columns = s->rank > 1 || !right ? last : 1;
    /* on the left: over the axis before the last, by the transpose */
    const matrix m = right ? (matrix){n->inputs[1], rows, columns, columns, 1, 1.0}
                           : (matrix){n->inputs[0], columns, rows, 1, columns, 1.0};
    const int axis = run->at.rank - (right || run->at.rank == 1 ? 1 : 2);
    return linear(b, n, run, axis, &m, -1, 1.0, out, err);
}

static xa_status matmul_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const bool x = xa__onnx_run_of(b, n, 0) != NULL, y = xa__onnx_run_of(b, n, 1) != NULL;
    const xa__onnx_shape *s = x && y ? NULL : &xa__onnx_in(b, n, x ? 1 : 0)->shape;
    xa__onnx_run out;
    if (s && (s->rank == 1 || xa__onnx_count(s) == s->dim[s->rank - 2] * s->dim[s->rank - 1])) {
        XA_RETURN_TRY(err, matmul_by_constant(b, n, x, &out, err));
    } else {
        xa__onnx_run p, q;
        const int rp = xa__onnx_in(b, n, 0)->shape.rank, rq = xa__onnx_in(b, n, 1)->shape.rank;
        const int rank = rp > rq ? rp : rq;
        XA_RETURN_TRY(err, matrices_of(b, n, 0, rank > 1 ? rank : 2, &p, err));
        XA_RETURN_TRY(err, matrices_of(b, n, 1, rank > 1 ? rank : 2, &q, err));
        XA_RETURN_TRY(err, xa__onnx_product(b, n, &p, &q, &out, err));
    }
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &out, &xa__onnx_out(b, n, 0)->shape, err));
    xa__onnx_made(b, n, 0, out.node, &out.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_linear[] = {
    {"Gemm", 2, 3, gemm_infer, gemm_fold, gemm_lower},
    {"MatMul", 2, 2, matmul_infer, matmul_fold, matmul_lower},
    {0}};
